import logging
from datetime import timedelta

import requests
from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

_logger = logging.getLogger(__name__)

# After this time nothing waits for the answer any more: the server was stopped in between.
LOST_AFTER = timedelta(minutes=15)


class SaleReturnRefund(models.Model):
    """Sending payouts to payment providers, one at a time, and never twice.

    A request to a provider cannot be rolled back. So the fact that a payout is sent is committed
    before sending: whatever happens then, it is not sent again automatically. Without an answer a
    person checks the provider's books and enters what they show.
    """

    _inherit = 'sale.return.refund'

    @api.model
    def _get_to_send_domain(self):
        return Domain(
            [
                ('state', '=', 'prepared'),
                ('method', '=', 'online'),
                ('waits_for_release', '=', False),
            ]
        )

    @api.model
    def _cron_send_refunds(self):
        """Scheduled job: send online refunds to providers, and report those without an answer."""
        self._mark_lost()
        domain = self._get_to_send_domain()

        def send(refund):
            if refund.filtered_domain(domain) and refund._mark_sent():
                self.env['ir.cron']._commit_progress()
                refund._send_isolated()

        # One by one: each is a separate request, and is committed separately.
        self.env['sale.return.job']._work_off(self.search(domain, order='id'), send)

    def _mark_sent(self):
        """Record that a payout is being sent, while holding the counter that guards its note.

        :return: False when the limits do not allow it any more; it has failed then.
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
        """Report payouts that were sent and got no answer."""
        lost = self.search(
            [
                ('state', '=', 'pending'),
                ('transaction_id.state', '=', 'draft'),
                ('date_sent', '<', fields.Datetime.now() - LOST_AFTER),
                ('answer_lost', '=', False),
            ]
        )
        lost._lose(self.env._("The request was sent to the provider, but no answer was recorded."))

    def _lose(self, message):
        """Record that it is not known what the provider did."""
        self.write({'answer_lost': True})
        self._fail(message)

    def _send_isolated(self):
        """Send one payout; errors are stored on it and do not stop the others."""
        self.ensure_one()
        try:
            self._send()
        except OperationalError:
            # Only the answer is lost with the transaction, not the money.
            self.env.cr.rollback()
            self.invalidate_recordset()
            self._lose(self.env._("The database was busy when the provider answered."))
        except Exception as error:
            _logger.exception("Refund %s: the answer of the provider was lost", self.id)
            self.env.cr.rollback()
            self.invalidate_recordset()
            self._lose(str(error))

    def _send(self):
        """Ask the provider for one refund, and record the payment if it was made."""
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
