import logging

from psycopg2 import InterfaceError, OperationalError

from odoo import api, models
from odoo.exceptions import RedirectWarning, UserError

_logger = logging.getLogger(__name__)


class SaleReturnCredit(models.AbstractModel):
    """When credit notes are made: with the step that releases them, or by the scheduled job."""

    _inherit = 'sale.return.credit'

    @api.model
    def _credit_after_step(self, returns):
        """Credit what a step has released, in the same transaction if it is not too much.

        Larger batches, and every note that fails, are left to the scheduled job.

        :param returns: `sale.return` records.
        """
        lines = returns.line_ids.filtered(
            lambda line: line.qty_to_credit > 0 and line.company_id.sale_return_auto_credit
        )
        due = lines.return_id
        if not due:
            return
        if len(lines) > self._get_sync_limit():
            due._queue_credit()
            return
        self._credit_isolated(due)

    @api.model
    def _get_sync_limit(self):
        """Return how many lines are credited in the call that has released them.

        :rtype: int
        """
        # sudo: everybody's steps depend on it.
        parameters = self.env['ir.config_parameter'].sudo()
        return int(parameters.get_param('sale_return.sync_limit', 50))

    @api.model
    def _credit_isolated(self, returns):
        """Credit returns so that one that fails does not stop the others.

        What fails together is tried again in halves, until the bad ones are alone. The reason of a
        failure is kept on its return, which stays queued.
        """
        if not returns:
            return
        try:
            with self.env.cr.savepoint():
                self._create_credit_notes(returns)
                return
        except (OperationalError, InterfaceError):
            raise  # another transaction was quicker, or the database is gone: all begins again
        except (UserError, RedirectWarning) as error:
            reason = str(error.args[0])
        except Exception as error:
            # The goods are here whatever the ledger says, so whatever it is must not stop them.
            _logger.exception("Credit notes of returns %s", returns.ids)
            reason = self.env._("Technical error: %(error)s", error=error)
        if len(returns) == 1:
            returns._queue_credit(error=reason)
            return
        half = len(returns) // 2
        self._credit_isolated(returns[:half])
        self._credit_isolated(returns[half:])
