from odoo import models


class SaleReturn(models.Model):
    """The ways from a return to its documents and dialogs."""

    _inherit = 'sale.return'

    def action_view_sale_orders(self):
        """Show the orders of the returns."""
        return self.sale_order_ids._get_records_action(name=self.env._("Sales Orders"))

    def action_view_receipts(self):
        """Show the receipts of the returns."""
        return self.picking_ids._get_records_action(name=self.env._("Receipts"))

    def action_view_transfers(self):
        """Show what moved the goods out of quarantine."""
        return self.transfer_ids._get_records_action(name=self.env._("Transfers"))

    def action_view_deliveries(self):
        """Show the deliveries whose goods come back."""
        return self.delivery_ids._get_records_action(name=self.env._("Deliveries"))

    def action_view_invoices(self):
        """Show the invoices of the returned order lines."""
        return self.invoice_ids._get_records_action(name=self.env._("Invoices"))

    def action_view_credit_notes(self):
        """Show the credit notes of the returns."""
        return self.credit_note_ids._get_records_action(name=self.env._("Credit Notes"))

    def _get_wizard_action(self, model, name, **context):
        return {
            'type': 'ir.actions.act_window',
            'name': name,
            'res_model': model,
            'view_mode': 'form',
            'target': 'new',
            # Not `default_return_ids`: transfers have a field of that name, too.
            'context': {'active_model': self._name, 'active_ids': self.ids, **context},
        }

    def action_open_inspection(self):
        """Open the dialog that inspects the received goods."""
        self._ensure_group('group_inspector')
        return self._get_wizard_action('sale.return.inspect', self.env._("Inspect"))

    def action_open_refusal(self):
        """Open the dialog that asks why the returns are refused."""
        self._ensure_group('group_approver')
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Refuse"), default_action='refuse'
        )

    def action_open_close(self):
        """Close the returns, after asking why if something is written off by it."""
        self._ensure_group('group_user')
        if not any(line._get_qty_missing() for line in self.line_ids):
            return self.action_close()
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Close"), default_action='close'
        )
