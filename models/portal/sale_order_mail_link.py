from odoo import models

# Of one mail; a customer with more orders finds them by their numbers.
MAX_LINKS = 5


class SaleOrder(models.Model):
    """Mails about orders say where products of them can be returned."""

    _inherit = 'sale.order'

    def _notify_by_email_prepare_rendering_context(self, message, *args, **kwargs):
        """Override of `mail` to add the link for the customer."""
        context = super()._notify_by_email_prepare_rendering_context(message, *args, **kwargs)
        return {**context, 'sale_return_links': self._get_mail_return_links()}

    def _get_mail_return_links(self):
        """Return the links for a mail: `[(number of the order, address)]`.

        Override to leave them out.
        """
        orders = self.sudo().filtered(
            lambda order: order.state == 'sale' and order.company_id.sale_return_portal
        )
        return [(order.name, order._get_return_link()) for order in orders[:MAX_LINKS]]
