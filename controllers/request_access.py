from odoo import SUPERUSER_ID
from odoo.exceptions import MissingError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.sale_return.models.portal.exceptions import TooMuch


class SaleReturnAccess(CustomerPortal):
    """Access checks for the customer's pages about returns, used by all their routes."""

    def _document_check_access(self, model_name, document_id, access_token=None):
        """Override of `portal`: a link to a return is valid until it expires.

        What is somebody else's takes the same work as what does not exist: `portal` would build
        an error that names records and rules, which takes measurably longer.
        """
        if model_name != 'sale.return':
            return super()._document_check_access(model_name, document_id, access_token)
        if own := self._find_own(model_name, document_id):
            return own.with_user(SUPERUSER_ID)
        if access_token:
            # sudo: only the expiry of the link is checked; `portal` compares the token.
            sale_return = request.env['sale.return'].sudo().browse([document_id]).exists()
            if sale_return._is_portal_link_alive():
                return super()._document_check_access(model_name, document_id, access_token)
        raise MissingError(request.env._("This document does not exist."))

    def _find_own(self, model_name, document_id):
        """Return a document that the user may read, empty for all others: by one query for all."""
        model = request.env[model_name]
        if not model.has_access('read'):
            return model
        return model.with_context(active_test=False).search([('id', '=', document_id)])

    def _get_request_order(self, order_id, access_token=None):
        """Return the order for which the visitor may request a return.

        :return: the order in superuser mode; None for everybody else, whether it exists or not.
        :rtype: sale.order | None
        """
        is_own = self._is_own_order(order_id)
        order_sudo = request.env['sale.order'].sudo().browse([order_id]).exists()
        if order_sudo and (is_own or order_sudo._opens_return(access_token)):
            return order_sudo.with_company(order_sudo.company_id)
        return None

    def _is_own_order(self, order_id):
        """Tell whether the user who is logged in may ask for returns of an order."""
        user = request.env.user
        # Employees have their own screens; with the role they may view the customer's.
        role = 'sale_return.group_user' if user._is_internal() else 'base.group_portal'
        own = user.has_group(role) and self._find_own('sale.order', order_id)
        # sudo: customers may not read the settings of the company.
        return bool(own) and own.sudo().company_id.sale_return_portal

    def _refuse_request(self):
        """Give the same answer for what does not exist, is not theirs, or has expired."""
        return request.render(
            'sale_return.portal_request_no_access', self._prepare_request_values(), status=403
        )

    # === TOLL === #

    def _pass(self, acts, order=None, link=None):
        """Check the limits of a visitor, before anything else is done.

        :param dict acts: number of actions by key, see `sale.return.portal.gate`.
        :raise TooMuch: when there were too many.
        """
        request.env['sale.return.portal.gate']._pass(acts, order=order, link=link)

    def _ensure_human(self, action):
        """Verify the CAPTCHA of an anonymous visitor, where there is one.

        :raise RequestRefused: when it fails.
        """
        request.env['sale.return.portal.gate']._ensure_human(action)

    def _get_status(self, refusal):
        """Return the HTTP status of a page that explains why something was refused."""
        return 429 if isinstance(refusal, TooMuch) else 200

    def _prepare_request_values(self, **values):
        return {'page_name': 'return_request', 'no_breadcrumbs': True, **values}
