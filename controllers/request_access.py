from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal


class SaleReturnAccess(CustomerPortal):
    """Who may see a return on the customer's pages: all routes about returns ask here."""

    def _document_check_access(self, model_name, document_id, access_token=None):
        """Override of `portal`: the link to a return opens it until the link has expired."""
        if model_name == 'sale.return' and access_token:
            # sudo: only whether the link has expired is looked at; `portal` compares the token.
            sale_return = request.env['sale.return'].sudo().browse([document_id]).exists()
            if not sale_return._is_portal_link_alive():
                access_token = None
        return super()._document_check_access(model_name, document_id, access_token)
