from werkzeug.exceptions import NotFound
from werkzeug.urls import url_encode

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Domain
from odoo.http import request

from odoo.addons.portal.controllers.portal import pager as portal_pager
from odoo.addons.sale_return.controllers.request_access import SaleReturnAccess
from odoo.addons.sale_return.models.portal.exceptions import RequestRefused

SLIP = 'sale_return.sale_return_slip_action'
PREVIEW_SIZE = 256


class SaleReturnFollow(SaleReturnAccess):
    """The customer's returns: the list, the page of one, and what they do there.

    Every route takes the id of one return and calls `_get_return`. Visitors who may not see it get
    the same answer as for one that does not exist.
    """

    # === WHO === #

    def _get_return(self, return_id, access_token=None):
        """Return the return in superuser mode, with the user as they are.

        :raise NotFound: for a return that does not exist or is not theirs.
        """
        try:
            found = self._document_check_access('sale.return', return_id, access_token)
        except (AccessError, MissingError) as error:
            raise NotFound() from error
        # With their own user: the log shows who it was, and messages are in their language.
        return request.env['sale.return'].sudo().browse(found.id)

    def _is_acting(self, sale_return):
        """Tell whether the visitor of the page is the customer, and not one of our users."""
        if request.env.user._is_internal():
            return sale_return._is_customer(request.env.user)
        return True

    def _ensure_acting(self, sale_return):
        """Refuse to act in the name of the customer.

        :raise UserError: for employees who are not the customer.
        """
        if not self._is_acting(sale_return):
            raise UserError(
                request.env._("This page is the customer's. Use the return in your application.")
            )

    def _get_partner(self, sale_return):
        """Return who acts: the user, or the customer if the visitor came by a link."""
        user = request.env.user
        if not user._is_public() and sale_return._is_customer(user):
            return user.partner_id
        return sale_return.partner_id

    def _refuse_page(self, return_id, access_token=None):
        """Answer visitors who may not see a return: with the login page, or “not found”."""
        if not request.env.user._is_public():
            raise NotFound()
        if not access_token and request.httprequest.method == 'GET':
            return request.redirect(f'/web/login?redirect=/my/returns/{return_id}')
        response = request.render('sale_return.portal_follow_expired', {'return_id': return_id})
        response.status_code = 403
        return response

    # === LIST === #

    def _prepare_home_portal_values(self, counters):
        """Override of `portal` to count the returns."""
        values = super()._prepare_home_portal_values(counters)
        if 'sale_return_count' in counters:
            # sudo: see `my_returns`.
            returns = request.env['sale.return'].sudo()
            values['sale_return_count'] = returns.search_count(self._get_return_domain(), limit=1)
        return values

    def _get_return_domain(self):
        # Employees see all returns in their application: here only those they requested themselves.
        return request.env['sale.return']._get_portal_domain(request.env.user.partner_id)

    def _get_return_sortings(self):
        return {
            'date': {'label': request.env._("Newest"), 'order': 'create_date desc, id desc'},
            'name': {'label': request.env._("Number"), 'order': 'name desc'},
            'state': {'label': request.env._("Status"), 'order': 'state, id desc'},
        }

    def _get_return_filters(self):
        return {
            'all': {'label': request.env._("All"), 'domain': Domain.TRUE},
            'open': {
                'label': request.env._("Under way"),
                'domain': Domain('state', 'in', ('draft', 'submitted', 'approved')),
            },
            'send': {
                'label': request.env._("To be sent"),
                'domain': Domain('state', '=', 'approved')
                & Domain('reception_state', '=', 'pending')
                & Domain('date_dispatched', '=', False),
            },
            'closed': {'label': request.env._("Done"), 'domain': Domain('state', '=', 'closed')},
            'refused': {
                'label': request.env._("Refused"),
                'domain': Domain('state', '=', 'refused'),
            },
            'cancelled': {
                'label': request.env._("Cancelled"),
                'domain': Domain('state', '=', 'cancelled'),
            },
        }

    def _get_return_inputs(self):
        """Return the search options, with the fields of each."""
        inputs = {
            'all': (
                request.env._("Search everywhere"),
                ('name', 'tracking_ref', 'order', 'product'),
            ),
            'name': (request.env._("Search in numbers"), ('name',)),
            'order': (request.env._("Search in orders"), ('order',)),
            'product': (request.env._("Search in products"), ('product',)),
            'tracking': (request.env._("Search in tracking numbers"), ('tracking_ref',)),
        }
        return {
            key: {'input': key, 'label': label, 'fields': names}
            for key, (label, names) in inputs.items()
        }

    def _get_search_domain(self, names, text):
        paths = {'order': 'line_ids.order_id.name', 'product': 'line_ids.product_id.name'}
        return Domain.OR(Domain(paths.get(name, name), 'ilike', text) for name in names)

    @http.route(
        ['/my/returns', '/my/returns/page/<row:page>'], type='http', auth='user', website=True
    )
    def my_returns(
        self, page=1, sortby='date', filterby='all', search=None, search_in='all', **_kwargs
    ):
        """Show the list of the customer's returns."""
        sortings, filters = self._get_return_sortings(), self._get_return_filters()
        inputs = self._get_return_inputs()
        # Other values come from an edited link.
        sortby = sortby if sortby in sortings else 'date'
        filterby = filterby if filterby in filters else 'all'
        search_in = search_in if search_in in inputs else 'all'
        # sudo: limited by the domain, which equals the record rule; customers may not read all
        # orders and products that they search by.
        returns = request.env['sale.return'].sudo()
        domain = self._get_return_domain() & filters[filterby]['domain']
        if search:
            domain &= self._get_search_domain(inputs[search_in]['fields'], search[:100])
        pager = portal_pager(
            url='/my/returns',
            url_args={
                'sortby': sortby,
                'filterby': filterby,
                'search_in': search_in,
                'search': search or '',
            },
            total=returns.search_count(domain),
            page=page,
            step=self._items_per_page,
        )
        found = returns.search(
            domain,
            order=sortings[sortby]['order'],
            limit=self._items_per_page,
            offset=pager['offset'],
        )
        return request.render(
            'sale_return.portal_my_returns',
            {
                **self._prepare_portal_layout_values(),
                'page_name': 'sale_return',
                'returns': found,
                'pager': pager,
                'default_url': '/my/returns',
                'searchbar_sortings': sortings,
                'sortby': sortby,
                'searchbar_filters': filters,
                'filterby': filterby,
                'searchbar_inputs': inputs,
                'search_in': search_in,
                'search': search,
            },
        )

    # === PAGE === #

    @http.route('/my/returns/<row:return_id>', type='http', auth='public', website=True)
    def my_return(self, return_id, access_token=None, report_type=None, download=False, **kwargs):
        """Show one return, or its slip with `report_type=pdf`."""
        try:
            sale_return = self._get_return(return_id, access_token)
        except NotFound:
            return self._refuse_page(return_id, access_token)
        if report_type in ('html', 'pdf'):
            if not sale_return._get_slip_lines():
                raise NotFound()
            try:
                self._pass({'document': 1}, order=sale_return, link=access_token)
            except RequestRefused as refusal:
                return self._render_return(sale_return, access_token, refusal)
            return self._show_report(sale_return, report_type, SLIP, download=download)
        return self._render_return(sale_return, access_token, **kwargs)

    def _render_return(self, sale_return, access_token, error=None, entered=None, **kwargs):
        """Render the page of a return.

        :param UserError error: the error to show.
        :param dict entered: the refused input.
        """
        acting = self._is_acting(sale_return)
        page = sale_return.env['sale.return.portal.page']
        # Only from the session: a link must not make the page confirm something.
        done_id, done = request.session.pop('sale_return_done', None) or (None, None)
        values = {
            'page_name': 'sale_return',
            'sale_return': sale_return,
            'error': error and str(error),
            'done': done_id == sale_return.id and self._get_done_texts().get(done),
            'acting': acting,
            'entered': entered or {},
            'status': sale_return._get_portal_status(),
            'next_step': sale_return._get_portal_next_step(),
            'lines': page._get_lines(sale_return),
            'money': page._get_money(sale_return),
            'timeline': page._get_timeline(sale_return),
            'files': page._get_files(sale_return),
            'slip_lines': sale_return._get_slip_lines(),
            'is_readable': lambda note: note.with_user(request.env.user).has_access('read'),
            'query': self._get_query(access_token),
            'res_company': sale_return.company_id,
            'backend_url': f'/odoo/sale.return/{sale_return.id}',
        }
        kwargs = {key: kwargs[key] for key in ('pid', 'hash') if kwargs.get(key)}
        values = self._get_page_view_values(
            sale_return, access_token, values, 'my_sale_returns', False, **kwargs
        )
        if acting:
            # Messages are written with the link: customers have no write access to returns.
            followed = sale_return.with_context(sale_return_link_followed=True)
            values['token'] = followed._portal_ensure_token()
        status = self._get_status(error)
        return request.render('sale_return.portal_my_return', values, status=status)

    def _get_done_texts(self):
        """Return the confirmations after an action; other texts are never shown."""
        return {
            'dispatch': request.env._("Thank you. We have saved your tracking number."),
            'cancel': request.env._("The return is cancelled."),
            'appeal': request.env._("We have received your appeal. Somebody else will review it."),
            'rate': request.env._("Thank you for your feedback!"),
        }

    def _get_query(self, access_token):
        """Return what an address needs to open the page without login, if anything."""
        return f"?{url_encode({'access_token': access_token})}" if access_token else ''

    # === WHAT CUSTOMERS DO === #

    def _act(self, return_id, access_token, name, act, entered=None):
        """Execute an action on a return, then show its page with a confirmation or an error.

        :param str name: name of the action, see `_get_done_texts`.
        :param act: function of the return and the acting partner.
        :param dict entered: the input, shown again after a refusal.
        """
        try:
            sale_return = self._get_return(return_id, access_token)
        except NotFound:
            return self._refuse_page(return_id, access_token)
        try:
            self._ensure_acting(sale_return)
            self._pass({'act': 1}, order=sale_return, link=access_token)
            with request.env.cr.savepoint():
                act(sale_return, self._get_partner(sale_return))
        except UserError as error:
            request.env.invalidate_all()
            return self._render_return(sale_return, access_token, error, entered)
        request.session['sale_return_done'] = (return_id, name)
        return request.redirect(f'/my/returns/{return_id}{self._get_query(access_token)}')

    @http.route(
        '/my/returns/<row:return_id>/dispatch',
        type='http',
        auth='public',
        methods=['POST'],
        website=True,
    )
    def my_return_dispatch(
        self, return_id, access_token=None, tracking_ref='', carrier_name='', **_kwargs
    ):
        """Save the tracking number of the customer's parcel."""
        return self._act(
            return_id,
            access_token,
            'dispatch',
            lambda sale_return, partner: sale_return._portal_dispatch(tracking_ref, carrier_name),
            entered={'tracking_ref': tracking_ref, 'carrier_name': carrier_name},
        )

    @http.route(
        '/my/returns/<row:return_id>/cancel',
        type='http',
        auth='public',
        methods=['POST'],
        website=True,
    )
    def my_return_cancel(self, return_id, access_token=None, **_kwargs):
        """Cancel the return."""
        return self._act(
            return_id,
            access_token,
            'cancel',
            lambda sale_return, partner: sale_return._portal_cancel(),
        )

    @http.route(
        '/my/returns/<row:return_id>/appeal',
        type='http',
        auth='public',
        methods=['POST'],
        website=True,
    )
    def my_return_appeal(self, return_id, access_token=None, comment='', **_kwargs):
        """Create the customer's appeal."""
        return self._act(
            return_id,
            access_token,
            'appeal',
            lambda sale_return, partner: sale_return._portal_appeal(comment, partner),
            entered={'comment': comment},
        )

    @http.route(
        '/my/returns/<row:return_id>/rate',
        type='http',
        auth='public',
        methods=['POST'],
        website=True,
    )
    def my_return_rate(self, return_id, access_token=None, rate='', feedback='', **_kwargs):
        """Save the customer's rating."""
        return self._act(
            return_id,
            access_token,
            'rate',
            lambda sale_return, partner: sale_return._portal_rate(rate, feedback, partner),
            entered={'feedback': feedback},
        )

    # === FILES === #

    @http.route(
        '/my/returns/<row:return_id>/files/<row:file_id>',
        type='http',
        auth='public',
        website=True,
        readonly=True,
    )
    def my_return_file(self, return_id, file_id, access_token=None, preview=None, **_kwargs):
        """Send a file that the customer may see, as a thumbnail with `preview`."""
        sale_return = self._get_return(return_id, access_token)
        page = sale_return.env['sale.return.portal.page']
        file = page._get_files(sale_return).filtered(lambda file: file.id == file_id)
        if not file:
            raise NotFound()
        binary = request.env['ir.binary'].sudo()
        if preview and file.mimetype.startswith('image/'):
            stream = binary._get_image_stream_from(
                file.attachment_id, 'raw', width=PREVIEW_SIZE, height=PREVIEW_SIZE
            )
        else:
            stream = binary._get_stream_from(file.attachment_id, 'raw', filename=file.name)
        # Displayed by the browser only if harmless: content that we have not decoded is downloaded.
        shown = file.mimetype.startswith('image/')
        return stream.get_response(as_attachment=not shown)
