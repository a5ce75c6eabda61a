from odoo import api, fields, models

from ...const import RETURN_STATES


class SaleReturnEvent(models.Model):
    """What happened to a return: who, when, from, to and why. Written once, never changed."""

    _name = 'sale.return.event'
    _inherit = ['sale.return.evidence']
    _description = "Return Event"
    _order = 'id desc'
    _rec_name = 'kind'

    return_id = fields.Many2one('sale.return', required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='return_id.company_id', store=True, index=True)
    line_id = fields.Many2one('sale.return.line', ondelete='restrict', index='btree_not_null')
    kind = fields.Selection(
        [
            ('state', "State changed"),
            ('decision', "Decided"),
            ('receipt_created', "Receipt created"),
            ('received', "Goods received"),
            ('dispatched', "Sent by the customer"),
            ('dispatch_confirmed', "Dispatch confirmed"),
            ('discrepancy', "Discrepancy found"),
            ('discrepancy_resolved', "Discrepancy resolved"),
            ('inspected', "Inspected"),
            ('corrected', "Inspection corrected"),
            ('inspection_failed', "Automatic inspection failed"),
            ('replacement', "Replacement planned"),
            ('credited', "Credit note created"),
            ('credit_failed', "Credit note failed"),
            ('not_charged', "Not charged"),
            ('refund_prepared', "Refund prepared"),
            ('refunded', "Paid back"),
            ('refund_failed', "Refund failed"),
            ('goodwill', "Goodwill granted"),
            ('loyalty', "Loyalty points"),
            ('override', "Overridden"),
            ('file_added', "File added"),
            ('file_erased', "File erased"),
            ('line_decided', "Line decided"),
            ('approval_void', "Approval void"),
            ('reminded', "Reminded"),
            ('appealed', "Appealed"),
            ('appeal_decided', "Appeal decided"),
            ('followed_up', "Followed up"),
            ('assigned', "Assigned"),
            ('due_soon', "Due soon"),
            ('late', "Late"),
            ('escalated', "Escalated"),
            ('waiting', "Waiting for the customer"),
            ('resumed', "Resumed"),
        ],
        required=True,
        index=True,
    )
    user_id = fields.Many2one(
        'res.users', required=True, default=lambda self: self.env.user, ondelete='restrict'
    )
    date = fields.Datetime(required=True, default=lambda self: self.env.cr.now())
    state_from = fields.Selection(RETURN_STATES, string="From")
    state_to = fields.Selection(RETURN_STATES, string="To")
    reason = fields.Text(help="Why, in the words of the one who did it.")
    details = fields.Text(help="What, in figures or names of documents.")

    @api.model
    def _log(self, vals_list):
        """Write events.

        :param list vals_list: values, without user and date (they are taken from now).
        :return: the new events.
        :rtype: sale.return.event
        """
        # sudo: nobody may write the log by himself; whoever calls has done something that has to
        # be in it. `env.user` stays the one who did it.
        return self.sudo().create([{'user_id': self.env.uid, **vals} for vals in vals_list])
