from odoo.exceptions import AccessError
from odoo.http import request, route

from odoo.addons.sale_return.controllers.request import SaleReturnRequest
from odoo.addons.sale_return.models.portal.exceptions import RequestRefused
from odoo.addons.sale_return.tools.reader import take_text
from odoo.addons.sale_stock.controllers.portal import SaleStockPortal


class SaleReturnGiftReceipt(SaleStockPortal):
    """Receipts of gifts belong to the order, and name their recipient."""

    def _stock_picking_check_access(self, picking_id, access_token=None):
        """Override of `sale_stock`: the link to an order opens no receipt of a gift."""
        picking_sudo = super()._stock_picking_check_access(picking_id, access_token=access_token)
        if not request.env.user._is_internal() and picking_sudo._is_sale_return_gift():
            raise AccessError(request.env._("This document belongs to somebody else."))
        return picking_sudo


class SaleReturnGift(SaleReturnRequest):
    """Recipients of gifts: they have a code instead of a login, and see no prices."""

    @route('/returns/gift', type='http', auth='public', website=True, methods=['GET', 'POST'])
    def portal_gift(self, code=None, **_params):
        """Ask for the code; show what can be returned with it."""
        if request.httprequest.method != 'POST':
            return self._render_gift()
        try:
            picking = self._find_gift(code, {'question': 1})
        except RequestRefused as refusal:
            return self._render_gift(error=refusal)
        return self._render_gift(picking, code)

    @route('/returns/gift/ask', type='http', auth='public', website=True, methods=['POST'])
    def portal_gift_ask(self, code=None, **params):
        """Store the request, and mail the link that confirms it."""
        picking = None
        try:
            picking = self._find_gift(code, {'question': 1, **self._count_files()})
            service = self._get_gift_service()
            with request.env.cr.savepoint():
                service._ask(
                    picking,
                    self._extract_choices(params),
                    params,
                    key=picking.sale_id._read_return_form_key(params.get('form_key')),
                )
        except RequestRefused as refusal:
            return self._render_gift(picking, code, error=refusal, typed=params)
        return request.render(
            'sale_return.portal_gift_asked',
            self._prepare_request_values(email=take_text(params.get('email'), 254)),
        )

    @route('/returns/gift/<row:return_id>', type='http', auth='public', website=True)
    def portal_gift_confirm(self, return_id, access_token=None, **_params):
        """Show the request once more, to whoever has the link of the mail."""
        draft = self._get_gift(return_id, access_token)
        if not draft:
            return self._refuse_request()
        return self._render_gift_summary(draft, access_token)

    @route(
        '/returns/gift/<row:return_id>/send',
        type='http',
        auth='public',
        website=True,
        methods=['POST'],
    )
    def portal_gift_send(self, return_id, access_token=None, **_params):
        """Submit the request; a second click finds it submitted."""
        draft = self._get_gift(return_id, access_token)
        if not draft:
            return self._refuse_request()
        try:
            self._pass({'request': 1}, order=draft, link=access_token)
            with request.env.cr.savepoint():
                self._get_gift_service()._confirm(draft)
                request.env.flush_all()
        except RequestRefused as refusal:
            request.env.invalidate_all()
            return self._render_gift_summary(draft, access_token, error=refusal)
        return request.redirect(draft.get_portal_url(), code=303)

    # === STEPS === #

    def _get_gift_service(self):
        # sudo: access is granted by the code or the link, which the callers have checked.
        return request.env['sale.return.gift'].sudo()

    def _find_gift(self, code, acts):
        """Return the delivery of a code, after counting the attempt.

        :raise RequestRefused: for a wrong code, or too many attempts.
        """
        code = take_text(code, 100)
        self._pass(acts, order=f'gift {code}'.lower())
        self._ensure_human('sale_return_gift')
        return self._get_gift_service()._find(code)

    def _get_gift(self, return_id, access_token):
        """Return the request that a link confirms; empty for any other link."""
        # sudo: the link is checked.
        draft = request.env['sale.return'].sudo().browse([return_id]).exists()
        opened = draft and draft.is_gift and draft._opens_gift(access_token)
        return draft.with_company(draft.company_id) if opened else draft.browse()

    def _render_gift(self, picking=None, code=None, error=None, typed=None):
        values = self._prepare_request_values(
            code=code, error=error and str(error), typed=typed or {}, rows=None
        )
        if picking:
            rows = self._get_gift_service()._get_offer(picking)
            values |= {'rows': rows, 'form_key': picking.sale_id._get_return_form_key()}
        return request.render(
            'sale_return.portal_gift', values, status=self._get_status(error) if error else 200
        )

    def _render_gift_summary(self, draft, access_token, error=None):
        return request.render(
            'sale_return.portal_gift_summary',
            self._prepare_request_values(
                draft=draft, access_token=access_token, error=error and str(error)
            ),
            status=self._get_status(error) if error else 200,
        )
