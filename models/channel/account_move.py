from odoo import models


class AccountMove(models.Model):
    _inherit = 'account.move'

    def action_view_channel_refunds(self):
        """Show what channels paid back on the orders of the notes."""
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id(
            'sale_return.sale_return_channel_refund_action'
        )
        # sudo: only the ids; access is checked when the refunds are shown.
        moves = self.sudo()
        orders = (moves | moves.reversed_entry_id).invoice_line_ids.sale_line_ids.order_id
        return {**action, 'domain': [('order_id', 'in', orders.ids)], 'context': {}}
