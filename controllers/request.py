from odoo.http import request, route

from odoo.addons.sale_return.const import MAX_FILES, MAX_SIZE, MAX_VIDEO_SIZE, MAX_VIDEOS
from odoo.addons.sale_return.controllers.request_access import SaleReturnAccess
from odoo.addons.sale_return.models.portal.exceptions import RequestRefused
from odoo.addons.sale_return.tools import video
from odoo.addons.sale_return.tools.reader import take_id, take_number, take_text


class SaleReturnRequest(SaleReturnAccess):
    """A customer requests a return: choose, give a reason, review, send. Works without scripts."""

    # === SCREENS === #

    @route(
        '/my/orders/<row:order_id>/return',
        type='http',
        auth='public',
        website=True,
        sitemap=False,
    )
    def portal_request_choose(self, order_id, access_token=None, **params):
        """First screen: what can be returned, until when, and why not."""
        order = self._get_request_order(order_id, access_token)
        if not order:
            return self._refuse_request()
        return request.render(
            'sale_return.portal_request_choose',
            {
                **self._prepare_order_values(order, access_token, quantities=params),
                'asked_already': self._get_returns_of(order, access_token),
            },
        )

    @route(
        '/my/orders/<row:order_id>/return/details',
        type='http',
        auth='public',
        website=True,
        methods=['GET', 'POST'],
        sitemap=False,
    )
    def portal_request_details(self, order_id, access_token=None, **params):
        """Second screen: reason, resolution, photos. Submitting it creates a draft."""
        order = self._get_request_order(order_id, access_token)
        if not order:
            return self._refuse_request()
        values = self._prepare_order_values(order, access_token, quantities=params)
        chosen = [row for row in values['rows'] if row['may_ask'] and row['chosen']]
        error, status = None, 200
        if request.httprequest.method == 'POST':
            try:
                acts = self._count_files()
                self._pass({'draft': 1, **acts}, order=order, link=access_token)
                self._ensure_human('sale_return_request')
                self._get_service()._check_videos(acts['video'])
                with request.env.cr.savepoint():
                    draft = self._take_draft(order, params)
                return request.redirect(
                    order._get_return_url(access_token, f'/{draft.id}'), code=303
                )
            except RequestRefused as refusal:
                error, status = str(refusal), self._get_status(refusal)
        elif not chosen:
            values['error'] = request.env._("Enter how many of which product you want to return.")
            return request.render('sale_return.portal_request_choose', values)
        form_key = params.get('form_key')
        if not order._read_return_form_key(form_key):
            form_key = order._get_return_form_key()
        return request.render(
            'sale_return.portal_request_details',
            {
                **values,
                'chosen': chosen,
                'error': error,
                'typed': params,
                'form_key': form_key,
                'max_files': MAX_FILES,
                'max_size': MAX_SIZE // 1024 // 1024,
                'max_videos': MAX_VIDEOS,
                'max_video_size': MAX_VIDEO_SIZE // 1024 // 1024,
            },
            status=status,
        )

    @route(
        '/my/orders/<row:order_id>/return/<row:return_id>',
        type='http',
        auth='public',
        website=True,
        sitemap=False,
    )
    def portal_request_summary(self, order_id, return_id, access_token=None, **_params):
        """Third screen: what would be sent, and the expected refund."""
        order = self._get_request_order(order_id, access_token)
        draft = order and self._get_own_request(order, return_id)
        if not draft:
            return self._refuse_request()
        if draft.state != 'draft' or draft.submission_count:
            # Back after sending.
            return self._redirect_to_sent(order, draft, access_token)
        return self._render_summary(order, draft, access_token)

    @route(
        '/my/orders/<row:order_id>/return/<row:return_id>/send',
        type='http',
        auth='public',
        website=True,
        methods=['POST'],
        sitemap=False,
    )
    def portal_request_send(self, order_id, return_id, access_token=None, **_params):
        """Submit the request of the summary; a second click finds it submitted."""
        order = self._get_request_order(order_id, access_token)
        draft = order and self._get_own_request(order, return_id)
        if not draft:
            return self._refuse_request()
        try:
            self._pass({'request': 1}, order=order, link=access_token)
            with request.env.cr.savepoint():
                self._get_service()._send(draft)
                request.env.flush_all()
        except RequestRefused as refusal:
            return self._render_summary(order, draft, access_token, error=refusal)
        return self._redirect_to_sent(order, draft, access_token)

    @route(
        '/my/orders/<row:order_id>/return/<row:return_id>/sent',
        type='http',
        auth='public',
        website=True,
        sitemap=False,
    )
    def portal_request_sent(self, order_id, return_id, access_token=None, **_params):
        """Last screen: the number of the return, and what happens next."""
        order = self._get_request_order(order_id, access_token)
        sale_return = order and self._get_own_request(order, return_id)
        if not sale_return or sale_return.state == 'draft':
            return self._refuse_request()
        return request.render(
            'sale_return.portal_request_sent',
            self._prepare_request_values(
                order=order,
                sale_return=sale_return,
                return_url=self._get_follow_url(sale_return, access_token),
            ),
        )

    # === STEPS === #

    def _get_service(self):
        # sudo: customers have no write access; their request is checked against an order they may
        # see.
        return request.env['sale.return.portal.request'].sudo()

    def _prepare_order_values(self, order, access_token, quantities):
        """Prepare what the screens about an order show."""
        rows = request.env['sale.return.portal.offer'].sudo()._get_offer(order)
        for row in rows:
            row['typed'] = quantities.get(f'q_{row["line"].id}')
            row['chosen'] = take_number(row['typed'])
        return self._prepare_request_values(
            order=order,
            rows=rows,
            access_token=access_token,
            withdrawable=any(row['withdrawable'] for row in rows),
        )

    def _get_follow_url(self, sale_return, access_token):
        # Visitors who came by a link continue with one.
        return sale_return.get_portal_url() if access_token else sale_return.access_url

    def _get_returns_of(self, order, access_token):
        """Return the earlier requests for this order only."""
        # In superuser mode like the order, which they may see.
        returns = order.return_ids.filtered(
            lambda r: r.state != 'draft' and r.line_ids.order_id == order and r._is_of_buyer()
        )
        return [
            {'return': r, 'url': self._get_follow_url(r, access_token)}
            for r in returns.sorted('id', reverse=True)
        ]

    def _get_own_request(self, order, return_id):
        """Return a request for this order that came by these pages; empty for all others."""
        # sudo: see `_get_service`; drafts are shown to nobody else.
        sale_return = request.env['sale.return'].sudo().browse([return_id]).exists()
        own = (
            sale_return.portal_kind
            and sale_return.line_ids.order_id == order
            and sale_return._is_of_buyer()
        )
        return sale_return if own else sale_return.browse()

    def _take_draft(self, order, params):
        """Read the form and store it as a draft.

        :raise RequestRefused: naming the error.
        """
        key = order._read_return_form_key(params.get('form_key'))
        if not key:
            raise RequestRefused(
                request.env._("The form was open for too long. Please check it and send it again.")
            )
        return self._get_service()._prepare_draft(order, self._extract_choices(params), key)

    def _extract_choices(self, params):
        """Read the choices from the values of a form, as expected by `_prepare_draft`."""
        choices = []
        for name, value in params.items():
            line_id = take_id(name.removeprefix('q_'))
            if not name.startswith('q_') or not line_id:
                continue
            quantity = take_number(value)
            if not quantity:
                continue
            choices.append(
                {
                    'line_id': line_id,
                    'quantity': quantity,
                    'reason_id': take_id(params.get(f'reason_{line_id}')) or False,
                    'resolution': take_text(params.get(f'wish_{line_id}')) or 'refund',
                    'variant_id': take_id(params.get(f'variant_{line_id}')) or False,
                    'lot_ids': self._extract_lots(f'lot_{line_id}_', params),
                    'note': take_text(params.get(f'note_{line_id}')),
                    'photos': self._extract_photos(f'photos_{line_id}'),
                }
            )
        return choices

    def _extract_lots(self, prefix, params):
        """Read the lots that were ticked."""
        ticked = (name.removeprefix(prefix) for name in params if name.startswith(prefix))
        return [lot_id for lot_id in map(take_id, ticked) if lot_id]

    def _count_files(self):
        """Return the number of videos and of other files in a form."""
        files = [f for _name, f in request.httprequest.files.items(multi=True) if f.filename]
        videos = sum(bool(self._recognize_video(file)) for file in files)
        return {'picture': len(files) - videos, 'video': videos}

    def _recognize_video(self, file):
        """Return the type of an uploaded video, by its first bytes; None for other files."""
        # When the transaction is retried Odoo rewinds only the first file.
        file.seek(0)
        head = file.read(video.HEAD)
        file.seek(0)
        return video.recognize(head)

    def _extract_photos(self, name):
        """Read the files of one field, stopping as soon as there are too many."""
        photos = []
        for file in request.httprequest.files.getlist(name)[: MAX_FILES + 1]:
            if not file.filename:
                continue  # nothing was chosen
            limit = MAX_VIDEO_SIZE if self._recognize_video(file) else MAX_SIZE
            photos.append({'name': file.filename, 'raw': file.read(limit + 1)})
        return photos

    def _render_summary(self, order, draft, access_token, error=None):
        return request.render(
            'sale_return.portal_request_summary',
            self._prepare_request_values(
                order=order,
                draft=draft,
                summary=self._get_service()._get_summary(draft),
                access_token=access_token,
                error=error and str(error),
            ),
            status=self._get_status(error),
        )

    def _redirect_to_sent(self, order, sale_return, access_token):
        url = order._get_return_url(access_token, f'/{sale_return.id}/sent')
        return request.redirect(url, code=303)
