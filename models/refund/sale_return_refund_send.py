import logging
from datetime import timedelta

import requests
from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

_logger = logging.getLogger(__name__)

# After this nobody is waiting for the answer any more: the server was stopped in between.
LOST_AFTER = timedelta(minutes=15)


class SaleReturnRefund(models.Model):
    """Sending refunds to payment providers, one at a time, and never twice.

    A request to a provider cannot be rolled back. So that a payout is sent is committed before it
    is sent: whatever happens then, it is not sent again by itself. Where no answer came a person
    looks at the provider's books and says what they show.
    """

    _inherit = 'sale.return.refund'

    @api.model
    def _get_to_send_domain(self):
        return Domain('state', '=', 'prepared') & Domain('method', '=', 'online')

    @api.model
    def _cron_send_refunds(self):
        """Scheduled job: send the payouts that providers make, and name those without answer."""
        cron = self.env['ir.cron']
        self._mark_lost()
        domain = self._get_to_send_domain()
        ids = self.search(domain, order='id').ids
        remaining = len(ids)
        cron._commit_progress(remaining=remaining)
        for refund_id in ids:
            # One by one: each is a conversation of its own, and is committed on its own.
            remaining -= 1
            refund = (
                self.browse(refund_id)
                .try_lock_for_update(allow_referencing=True)
                .filtered_domain(domain)
            )
            if refund and refund._mark_sent():
                cron._commit_progress()
                refund._send_isolated()
            if not cron._commit_progress(1, remaining=remaining):
                break

    def _mark_sent(self):
        """Note that a payout is being sent, under the counter that guards its note.

        :return: False when the ceilings do not allow it any more; it has failed then.
        """
        self.ensure_one()
        self.env['sale.return.guard']._take_counter(self.note_id, 'sale_return_refund_guard')
        try:
            self._ensure_covered()
        except UserError as error:
            message = str(error.args[0])
            self.transaction_id._set_error(message)
            self._fail(message)
            return False
        self.write({'date_sent': fields.Datetime.now(), 'error': False})
        self.flush_recordset()
        return True

    @api.model
    def _mark_lost(self):
        """Name the payouts that were sent and about which nothing was heard since."""
        lost = self.search(
            [
                ('state', '=', 'pending'),
                ('transaction_id.state', '=', 'draft'),
                ('date_sent', '<', fields.Datetime.now() - LOST_AFTER),
                ('answer_lost', '=', False),
            ]
        )
        lost._lose(self.env._("The provider was asked and no answer was kept."))

    def _lose(self, message):
        """Keep that it is not known what the provider did."""
        self.write({'answer_lost': True})
        self._fail(message)

    def _send_isolated(self):
        """Send one payout; whatever goes wrong is kept on it and stops no other."""
        self.ensure_one()
        try:
            self._send()
        except OperationalError:
            # The answer is lost with the transaction, not the money.
            self.env.cr.rollback()
            self.invalidate_recordset()
            self._lose(self.env._("The database was busy when the provider answered."))
        except Exception as error:
            _logger.exception("Refund %s: the answer of the provider was lost", self.id)
            self.env.cr.rollback()
            self.invalidate_recordset()
            self._lose(str(error))

    def _send(self):
        """Ask the provider for one refund, and enter the payment if it was made."""
        self.ensure_one()
        transaction = self.transaction_id
        try:
            transaction._ensure_provider_is_not_disabled()
            transaction._log_sent_message()
            transaction._send_refund_request()
        except UserError as error:
            message = str(error.args[0])
            if self._is_answer_lost(error):
                self._lose(message)
                return
            transaction._set_error(message)
        if transaction.state == 'error':
            self._fail(transaction.state_message or self.env._("The provider refused."))
        elif transaction.state == 'done':
            transaction._post_process()

    @api.model
    def _is_answer_lost(self, error):
        """Tell whether the provider may have paid although the request has failed.

        :param error: the exception of Odoo's request helper, raised while it handled another one.
        """
        cause = error.__cause__ or error.__context__
        if isinstance(cause, (requests.exceptions.ConnectionError, requests.exceptions.Timeout)):
            return True
        response = getattr(cause, 'response', None)
        return response is not None and response.status_code >= 500
