from odoo import models


class SaleReturn(models.Model):
    """Where the buttons of a return lead: its documents, its dialogs, a step on many returns."""

    _inherit = 'sale.return'

    # === DOCUMENTS === #

    def action_view_sale_orders(self):
        """Show the orders of the returns."""
        return self._show(self.sale_order_ids, self.env._("Sales Orders"))

    def action_view_receipts(self):
        """Show the receipts of the returns."""
        return self._show(self.picking_ids, self.env._("Receipts"))

    def action_view_transfers(self):
        """Show what moved the goods out of quarantine."""
        return self._show(self.transfer_ids, self.env._("Transfers"))

    def action_view_deliveries(self):
        """Show the deliveries whose goods come back."""
        return self._show(self.delivery_ids, self.env._("Deliveries"))

    def action_view_invoices(self):
        """Show the invoices of the returned order lines."""
        return self._show(self.invoice_ids, self.env._("Invoices"))

    def action_view_credit_notes(self):
        """Show the credit notes of the returns."""
        return self._show(self.credit_note_ids, self.env._("Credit Notes"))

    def _show(self, records, name):
        """Open documents of the returns, or name them to users who may not open them.

        :raise AccessError: for those who may not read the returns; even numbers reveal something.
        """
        self.check_access('read')
        return self.env['sale.return.opening']._open_or_tell(records, name)

    # === DIALOGS === #

    def action_open_inspection(self):
        """Open the dialog that inspects the received goods."""
        self._ensure_group('group_inspector')
        return self._get_wizard_action(
            'sale.return.inspect', self.env._("Inspect"), dialog_size='extra-large'
        )

    def action_open_overrule(self):
        """Open the dialog that asks why the returns are approved against the rules."""
        self._ensure_group('group_approver')
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Approve"), default_action='approve'
        )

    def action_open_keep(self):
        """Open the dialog that lets the customer keep goods that have not come."""
        self._ensure_group('group_inspector')
        # Crediting goods nobody has seen is a decision.
        self._ensure_group('group_approver')
        self._ensure_state(
            ('approved',),
            self.env._("The goods of return %(returns)s cannot be kept by the customer."),
        )
        return self._get_wizard_action(
            'sale.return.inspect', self.env._("Customer Keeps the Goods"), sale_return_keep=True
        )

    def action_open_refusal(self):
        """Open the dialog that asks why the returns are refused."""
        self._ensure_group('group_approver')
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Refuse"), default_action='refuse'
        )

    def action_open_close(self):
        """Close the returns, after asking for the reason if that writes something off."""
        self._ensure_group('group_user')
        if not any(line._get_qty_missing() for line in self.line_ids):
            return self.action_close()
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Write off the Rest"), default_action='close'
        )

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

    # === MANY AT ONCE === #

    def _get_bulk_action(self, method, name, **kwargs):
        """Return the dialog that runs a step batch by batch and shows its progress.

        :param str method: name of a public method of `sale.return`, which checks the rights.
        :param str name: title of the dialog.
        :param kwargs: arguments of the method. It may return `{'failed': [{'name', 'reason'}]}`.
        :return: a client action.
        :rtype: dict
        """
        return {
            'type': 'ir.actions.client',
            'tag': 'sale_return.bulk_progress',
            'name': name,
            'target': 'new',
            'params': {
                'method': method,
                'kwargs': kwargs,
                'ids': self.ids,
                'names': {sale_return.id: sale_return.name for sale_return in self},
            },
        }

    def action_bulk_submit(self):
        """Submit the selected returns with progress."""
        return self._get_bulk_action('action_submit', self.env._("Submit"))

    def action_bulk_approve(self):
        """Approve the selected returns with progress."""
        return self._get_bulk_action('action_approve', self.env._("Approve"))

    def action_bulk_credit(self):
        """Create the credit notes of the selected returns with progress."""
        return self._get_bulk_action(
            'action_create_credit_notes', self.env._("Create Credit Notes")
        )
