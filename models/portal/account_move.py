from odoo import models


class AccountMove(models.Model):
    """Mails with invoices state where the products can be returned."""

    _inherit = 'account.move'

    def _notify_by_email_prepare_rendering_context(self, message, *args, **kwargs):
        """Override of `mail` to add the links for the customer."""
        context = super()._notify_by_email_prepare_rendering_context(message, *args, **kwargs)
        # sudo: users who send an invoice need not read its orders.
        invoices = self.sudo().filtered(lambda move: move.move_type == 'out_invoice')
        orders = invoices.line_ids.sale_line_ids.order_id
        return {**context, 'sale_return_links': orders._get_mail_return_links()}
