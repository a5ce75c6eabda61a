from werkzeug.exceptions import NotFound

from odoo.http import request, route
from odoo.tools.json import scriptsafe

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
        """Request a link. The answer is the same whether the order is known or not."""
        asked, error, status = request.httprequest.method == 'POST', None, 200
        if asked:
            try:
                # Shows the input, not the order found: the answer must not reveal it.
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

    @route('/returns/policy', type='http', auth='public', website=True, sitemap=True)
    def portal_return_policy(self, **_params):
        """Public page about returns, generated from the rules in force."""
        # sudo: the content of the page is public.
        company = request.env.company.sudo()
        if not company.sale_return_portal:
            raise NotFound()
        service = request.env['sale.return.portal.policy'].sudo()
        url = f'{request.httprequest.url_root.rstrip("/")}/returns/policy'
        return request.render(
            'sale_return.portal_return_policy',
            self._prepare_request_values(
                sections=service._get_sections(company),
                structured_data=scriptsafe.dumps(service._get_structured_data(company, url)),
            ),
        )
