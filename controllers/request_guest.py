from odoo.http import request, route

from odoo.addons.sale_return.controllers.request_access import SaleReturnAccess
from odoo.addons.sale_return.models.portal.exceptions import RequestRefused


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
        asked, error, status = request.httprequest.method == 'POST', None, 200
        if asked:
            try:
                # What was typed, not what it belongs to: the answer must not tell.
                self._pass({'question': 1}, order=f'{order_ref} {email}'.lower())
                self._ensure_human('sale_return_question')
                request.env['sale.return.portal.link']._ask(order_ref, email)
            except RequestRefused as refusal:
                asked, error, status = False, str(refusal), self._get_status(refusal)
        return request.render(
            'sale_return.portal_request_guest',
            self._prepare_request_values(asked=asked, order_ref=order_ref, error=error),
            status=status,
        )
