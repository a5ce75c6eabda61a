from odoo import api, models

# Message to customers for events of this kind.
CODES = {
    'received': 'arrived',
    'inspected': 'inspected',
    'corrected': 'inspected',
    'refunded': 'refunded',
    'appeal_decided': 'appeal_decided',
    # One of our steps is so late that it was escalated.
    'escalated': 'delayed',
}
# The same, for changes of the state.
STATE_CODES = {
    ('draft', 'submitted'): 'received',
    ('submitted', 'refused'): 'refused',
    ('approved', 'closed'): 'closed',
}
# Told only once per return; the others once per event.
ONCE = ('closed', 'appeal_decided')


class SaleReturnEvent(models.Model):
    """Every event of a return passes here, so messages to customers are queued here."""

    _inherit = 'sale.return.event'

    @api.model
    def _log(self, vals_list):
        """Extend to queue the messages to customers about the events."""
        events = super()._log(vals_list)
        tasks = {}
        for event in events:
            if code := event._get_message_code():
                # The last event of a batch represents all of them.
                tasks[event.return_id, code] = event._get_message_key(code)
        if tasks:
            self.env['sale.return.message']._queue(
                [(sale_return, code, key) for (sale_return, code), key in tasks.items()]
            )
        return events

    def _get_message_code(self):
        """Return the code of the message about an event, None for none."""
        self.ensure_one()
        if self.kind == 'escalated' and not self.return_id._is_waiting_for_us():
            return None
        if self.kind != 'state':
            return CODES.get(self.kind)
        change = (self.state_from, self.state_to)
        if change == ('submitted', 'approved'):
            return self.return_id._get_approval_message()
        code = STATE_CODES.get(change)
        if code == 'closed' and not self.return_id._is_message_due('closed'):
            return None  # a return that was not sent has another message
        return code

    def _get_message_key(self, code):
        """Return the key that distinguishes the message about an event from others."""
        self.ensure_one()
        if code in ONCE:
            return code
        # A payment that is posted again is the same one.
        return f"{code}:{self.details if code == 'refunded' else self.id}"
