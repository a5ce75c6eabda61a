from odoo.http import request, route

from odoo.addons.sale_return.controllers.request_access import SaleReturnAccess


class SaleReturnGuest(SaleReturnAccess):
    """Customers without login: a link is sent to the address of the order, and to no other."""

    @route(
        '/returns',
        type='http',
        auth='public',
        website=True,
        methods=['GET', 'POST'],
        sitemap=True,
    )
    def portal_request_guest(self, order_ref=None, email=None, **_params):
        """Ask for a link. Known or not, the answer is the same one."""
        asked = request.httprequest.method == 'POST'
        if asked:
            request.env['sale.return.portal.link']._ask(
                order_ref, email, request.httprequest.remote_addr
            )
        return request.render(
            'sale_return.portal_request_guest',
            self._prepare_request_values(asked=asked, order_ref=order_ref),
        )
