from odoo.http import request, route

from odoo.addons.sale_return.controllers.request import SaleReturnRequest
from odoo.addons.sale_return.models.portal.exceptions import RequestRefused, TooManyWithdrawals


class SaleReturnWithdrawal(SaleReturnRequest):
    """Withdrawal from a contract in two steps, as required by Directive 2011/83/EU art. 11a."""

    @route(
        '/my/orders/<row:order_id>/withdraw',
        type='http',
        auth='public',
        website=True,
        methods=['GET', 'POST'],
        sitemap=False,
    )
    def portal_withdraw(self, order_id, access_token=None, **params):
        """The statement, and its confirmation. Only asks what the law allows."""
        order = self._get_request_order(order_id, access_token)
        if not order:
            return self._refuse_request()
        error, status = None, 200
        if request.httprequest.method == 'POST':
            try:
                self._pass({'withdrawal': 1}, order=order, link=access_token)
                self._ensure_human('sale_return_withdrawal')
                with request.env.cr.savepoint():
                    withdrawal = self._take_withdrawal(order, params)
                    request.env.flush_all()
                return request.redirect(
                    order._get_withdrawal_url(access_token, f'/{withdrawal.id}'), code=303
                )
            except RequestRefused as refusal:
                error, status = str(refusal), self._get_status(refusal)
                if isinstance(refusal, TooManyWithdrawals):
                    # The refused request is rolled back; the activity about it is not.
                    self._get_service()._ask_for_more(order)
        values = self._prepare_order_values(order, access_token, quantities=params)
        user = request.env.user
        partner = order.partner_id if user._is_public() else user.partner_id
        return request.render(
            'sale_return.portal_withdraw',
            {
                **values,
                'rows': [row for row in values['rows'] if row['withdrawable']],
                'error': error,
                'form_key': order._get_return_form_key(),
                'customer_name': params.get('name') or partner.name,
                'email': params.get('email') or partner.email,
            },
            status=status,
        )

    @route(
        '/my/orders/<row:order_id>/withdraw/<row:withdrawal_id>',
        type='http',
        auth='public',
        website=True,
        sitemap=False,
    )
    def portal_withdrawn(self, order_id, withdrawal_id, access_token=None, **_params):
        """Show what was stated, and when it was received."""
        order = self._get_request_order(order_id, access_token)
        # sudo: shown to visitors who may see its order.
        withdrawal = request.env['sale.return.withdrawal'].sudo().browse([withdrawal_id]).exists()
        if not order or withdrawal.order_id != order:
            return self._refuse_request()
        sale_return = withdrawal.return_id
        return request.render(
            'sale_return.portal_withdrawn',
            self._prepare_request_values(
                order=order,
                withdrawal=withdrawal,
                # Visitors who only have the link must not read the addresses.
                mailed_to_given=withdrawal.email in withdrawal._get_recipients(),
                return_url=sale_return and self._get_follow_url(sale_return, access_token),
            ),
        )

    def _take_withdrawal(self, order, params):
        """Read the statement and store it.

        :raise RequestRefused: naming the error.
        """
        key = order._read_return_form_key(params.get('form_key'))
        if not key:
            raise RequestRefused(
                request.env._("The form was open for too long. Please check it and send it again.")
            )
        quantities = {
            choice['line_id']: choice['quantity'] for choice in self._extract_choices(params)
        }
        return self._get_service()._withdraw(
            order, quantities, params.get('name'), params.get('email'), key
        )
