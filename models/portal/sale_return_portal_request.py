import logging
import math

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...const import MAX_FILES, MAX_SIZE, MAX_VIDEO_SIZE, MAX_VIDEOS
from ...tools import video
from ...tools.money import QUANTITY_EPSILON
from .exceptions import RequestRefused

_logger = logging.getLogger(__name__)

# Longest text a customer may write; anything longer belongs in a mail.
MAX_NOTE = 2000
# Drafts kept for one order. The oldest is deleted when another one is started.
MAX_DRAFTS = 5


class SaleReturnPortalRequest(models.AbstractModel):
    """Service: store what customers request on their pages, first as a draft, then submitted.

    Every value comes from a stranger's browser: each is checked against the order, and the order by
    the caller. Sent requests go through `action_submit`, so the policies decide and the guard of
    quantities is the one of the back office. Withdrawals:
    `sale_return_portal_request_withdrawal.py`.
    """

    _name = 'sale.return.portal.request'

    _description = "Return Request of Customers"

    # === DRAFT === #

    @api.model
    def _prepare_draft(self, order, choices, key, kind='request'):
        """Store a request as a draft. It holds no quantities until `_send`.

        The same key gives the same return: a draft is replaced, a sent request stays as it is.

        :param order: one `sale.order` in superuser mode that the customer may see.
        :param list choices: dicts `{line_id, quantity, reason_id, resolution, note, photos}`;
            `quantity` in the unit of the order line, `photos` are dicts `{name, raw}`; optionally
            `lot_ids`, those that come back.
        :param str key: of the form, used once.
        :return: the return, in superuser mode.
        :rtype: sale.return
        :raise RequestRefused: naming the product and what to do; nothing is stored then.
        """
        # A double click is two transactions: the second waits here and finds the result of the
        # first.
        order.order_line._take_return_counter()
        returns = self.env['sale.return'].sudo().with_company(order.company_id)
        reference = f'portal-{key}'
        draft = returns.search(
            [('external_ref', '=', reference), ('company_id', '=', order.company_id.id)]
        )
        if draft and (draft.line_ids.order_id != order or not draft.portal_kind):
            raise RequestRefused(self.env._("This form is for another order. Please start again."))
        if draft.state and draft.state != 'draft':
            return draft
        self._check_choices(order, choices)
        commands = [Command.create(self._prepare_line_vals(choice)) for choice in choices]
        if draft:
            draft.line_ids.unlink()
            draft.write({'line_ids': commands})
        else:
            self._drop_older_drafts(order)
            draft = returns.create(self._prepare_return_vals(order, reference, commands))
            draft._write_facts({'portal_kind': kind})
        self._keep_photos(draft, choices)
        self._check_draft(draft)
        return draft

    @api.model
    def _drop_older_drafts(self, order):
        """Make room for one more draft: an order may have a few, with their photos."""
        drafts = order.return_ids.filtered(
            lambda r: (
                r.portal_kind
                and r._is_of_buyer()  # those of others have a limit of their own
                and r.state == 'draft'
                and not r.submission_count
                and not r.event_ids
                and r.line_ids.order_id == order
            )
        )
        drafts.sorted('id', reverse=True)[MAX_DRAFTS - 1 :].unlink()

    @api.model
    def _prepare_return_vals(self, order, reference, commands):
        """Prepare the return. Override to add values."""
        return {
            'partner_id': order.partner_id.id,
            'company_id': order.company_id.id,
            'user_id': order.user_id.filtered('active').id,
            'external_ref': reference,
            'line_ids': commands,
        }

    @api.model
    def _prepare_line_vals(self, choice):
        """Prepare one line of what was chosen and checked. Override to add values."""
        return {
            'sale_line_id': choice['line_id'],
            'qty_requested': choice['quantity'],
            'reason_id': choice['reason_id'] or self.env.ref('sale_return.reason_not_stated').id,
            'resolution': choice['resolution'],
            'lot_ids': [Command.set(choice.get('lot_ids') or [])],
            'customer_note': (choice.get('note') or '').strip()[:MAX_NOTE] or False,
        }

    # === CHECKS === #

    @api.model
    def _check_choices(self, order, choices):
        """Refuse choices that the order does not offer.

        :raise RequestRefused: naming the product.
        """
        rows = {
            row['line'].id: row for row in self.env['sale.return.portal.offer']._get_offer(order)
        }
        if not choices:
            raise RequestRefused(self.env._("Enter how many of which product you want to return."))
        for choice in choices:
            row = rows.get(choice['line_id'])
            if not row:
                raise RequestRefused(
                    self.env._(
                        "One of the products does not belong to order %(order)s. Please start "
                        "again.",
                        order=order.name,
                    )
                )
            self._check_choice(row, choice)
        photos = [photo for choice in choices for photo in choice.get('photos') or []]
        if len(photos) > MAX_FILES:
            raise RequestRefused(
                self.env._(
                    "You chose %(count)s photos; up to %(limit)s can be sent with a request.",
                    count=len(photos),
                    limit=MAX_FILES,
                )
            )
        self._check_videos(sum(bool(video.recognize(photo['raw'])) for photo in photos))

    @api.model
    def _check_videos(self, count):
        """Refuse too many videos in one request, before any of them is read."""
        if count > MAX_VIDEOS:
            raise RequestRefused(
                self.env._(
                    "You chose %(count)s videos; up to %(limit)s can be sent with a request.",
                    count=count,
                    limit=MAX_VIDEOS,
                )
            )

    @api.model
    def _check_choice(self, row, choice):
        """Refuse quantities, reasons and resolutions that a product does not offer."""
        sale_line, quantity = row['line'], choice['quantity']
        product = sale_line.product_id.display_name
        if not row['may_ask']:
            raise RequestRefused(
                self.env._(
                    "%(product)s cannot be returned. %(why)s",
                    product=product,
                    why=" ".join(row['notes']),
                )
            )
        measure = sale_line._get_return_measure()
        quantity = choice['quantity'] = measure.interpret(quantity, whole=row['quantity'])
        self._check_quantity(product, sale_line, quantity, row['quantity'])
        self._check_whole(sale_line, quantity)
        if not choice['reason_id'] and row['reason_demanded']:
            raise RequestRefused(
                self.env._("Please give a reason for returning %(product)s.", product=product)
            )
        if choice['reason_id'] and choice['reason_id'] not in row['reasons'].ids:
            raise RequestRefused(
                self.env._(
                    "%(product)s cannot be returned for this reason. Choose another one.",
                    product=product,
                )
            )
        self._check_lots(row, choice)
        if choice['resolution'] not in dict(row['resolutions']):
            raise RequestRefused(
                self.env._("Choose what you want for %(product)s, e.g. a refund.", product=product)
            )

    @api.model
    def _check_lots(self, row, choice):
        """Refuse serial numbers that the customer does not have, or more than come back."""
        lot_ids = choice.get('lot_ids') or []
        product = row['line'].product_id
        if not set(lot_ids) <= set(row['lots'].ids):
            raise RequestRefused(
                self.env._(
                    "One of the numbers does not belong to your %(product)s. Please choose again.",
                    product=product.display_name,
                )
            )
        pieces = row['line']._get_return_measure().to_stock(choice['quantity'])
        if product.tracking == 'serial' and len(lot_ids) > pieces:
            raise RequestRefused(
                self.env._(
                    "You chose %(count)s serial numbers of %(product)s, but return %(quantity)s. "
                    "Please change one of the two.",
                    count=len(lot_ids),
                    product=product.display_name,
                    quantity=f"{pieces:g}",
                )
            )

    @api.model
    def _check_quantity(self, product, sale_line, quantity, limit):
        """Refuse invalid quantities, or more than can be returned (now)."""
        measure = sale_line._get_return_measure()
        if not math.isfinite(quantity) or measure.compare(quantity, 0.0) <= 0:
            raise RequestRefused(
                self.env._("Enter how many of %(product)s you want to return.", product=product)
            )
        if measure.compare(quantity, limit) > 0:
            raise RequestRefused(
                self.env._(
                    "Up to %(limit)s %(unit)s of %(product)s can be returned, not %(quantity)s."
                    " Please change the quantity.",
                    product=product,
                    limit=f"{limit:g}",
                    unit=sale_line.product_uom_id._get_name_after(limit),
                    quantity=f"{quantity:g}",
                )
            )

    @api.model
    def _check_whole(self, sale_line, quantity):
        """Refuse fractions of a piece, unless the order itself has fractions.

        Goods sold by the dozen may be entered by the piece: 0.33 of 12 are 4.
        """
        unit = self.env.ref('uom.product_uom_unit')
        uom = sale_line.product_uom_id
        if not uom._has_common_reference(unit):
            return
        slack = uom._compute_quantity(uom.rounding, unit, round=False) / 2
        parted = [
            abs(pieces - round(pieces)) > slack + QUANTITY_EPSILON
            for pieces in (
                uom._compute_quantity(number, unit, round=False)
                for number in (quantity, sale_line.product_uom_qty, sale_line.qty_delivered)
            )
        ]
        if parted[0] and not any(parted[1:]):
            raise RequestRefused(
                self.env._(
                    "%(product)s comes in whole pieces, so %(quantity)s %(unit)s of it are not "
                    "possible. Please enter a whole number.",
                    product=sale_line.product_id.display_name,
                    quantity=f"{quantity:g}",
                    unit=uom._get_name_after(quantity),
                )
            )

    @api.model
    def _keep_photos(self, draft, choices):
        """Store the photos of each line, without their location data.

        :raise RequestRefused: naming the photo.
        """
        lines = {line.sale_line_id.id: line for line in draft.line_ids}
        service = self.env['sale.return.file']
        photos = [photo for choice in choices for photo in choice.get('photos') or []]
        for photo in photos:
            limit = MAX_VIDEO_SIZE if video.recognize(photo['raw']) else MAX_SIZE
            if len(photo['raw']) > limit:
                raise RequestRefused(
                    self.env._(
                        "%(photos)s is larger than %(limit)s MB. Please choose a smaller one.",
                        photos=photo['name'],
                        limit=limit // 1024 // 1024,
                    )
                )
        try:
            # Checks all of them before any is decoded.
            service._check_pixels(photos)
            for choice in choices:
                if choice.get('photos'):
                    service._upload(
                        lines[choice['line_id']],
                        [{**photo, 'strip': True} for photo in choice['photos']],
                    )
        except UserError as error:
            raise RequestRefused(str(error)) from error

    @api.model
    def _check_draft(self, draft):
        """Refuse drafts that could not be submitted, or lack what the rules require."""
        try:
            draft.line_ids._ensure_submittable(draft)
        except UserError as error:
            raise RequestRefused(str(error)) from error
        for line, verdicts in self._get_verdicts(draft).items():
            for verdict in verdicts:
                if verdict['code'] == 'photo_missing':
                    raise RequestRefused(
                        self.env._(
                            "%(product)s: please add %(needed)s photo(s) that show what is wrong.",
                            product=line.product_id.display_name,
                            needed=verdict['facts']['needed'] - verdict['facts']['count'],
                        )
                    )

    @api.model
    def _get_verdicts(self, draft):
        """Return the current verdicts on a draft: `{line: [verdict dict]}`."""
        return self.env['sale.return.decision']._get_verdicts(draft.line_ids)

    # === SUMMARY === #

    @api.model
    def _get_summary(self, draft):
        """Return what a draft requests, what the rules say, and what would be refunded.

        :return: `{lines: [{line, notes, refused}], estimates: [{currency, rows, total}],
            unpromised, may_send, asks_person}`; amounts are tax included; `rows` are `[(label,
            amount)]`; `unpromised` names the products for which the refund is not known yet.
        :rtype: dict
        """
        offer = self.env['sale.return.portal.offer']
        by_line = self._get_verdicts(draft)
        lines = [
            {
                'line': line,
                'notes': [offer._get_sentence(v) for v in self._get_told(verdicts)],
                'refused': self._is_refused(verdicts),
            }
            for line, verdicts in by_line.items()
        ]
        return {
            'lines': lines,
            'estimates': self._get_estimates(draft),
            'unpromised': draft.env['sale.return.portal.page']._get_unpromised_products(draft),
            'may_send': not any(row['refused'] for row in lines),
            'asks_person': any(
                v['outcome'] != 'authorize' for verdicts in by_line.values() for v in verdicts
            ),
        }

    @api.model
    def _get_told(self, verdicts):
        """Return the verdicts on a line shown to customers before they send."""
        return [
            v
            for v in verdicts
            if v['outcome'] != 'authorize' and v['kind'] not in ('approval', 'history')
        ]

    @api.model
    def _is_refused(self, verdicts):
        """Tell whether a line cannot be sent because nobody may approve it."""
        return any(v['outcome'] == 'refuse' for v in self._get_told(verdicts))

    @api.model
    def _get_estimates(self, draft):
        """Return the estimated refund by currency and kind, by the code that credits."""
        labels = self._get_kind_labels()
        currencies = self.env['res.currency'].with_context(active_test=False)
        by_currency = {}
        previews = self.env['sale.return.credit']._preview(draft, kinds=('promised',))
        for note in previews[draft.id]['promised']:
            kinds = by_currency.setdefault(note['currency'], {})
            for line in note['lines']:
                amount = line['untaxed'] + sum(line['taxes'].values())
                kinds[line['kind']] = kinds.get(line['kind'], 0.0) + amount
        return [
            {
                'currency': currencies.search([('name', '=', code)], limit=1),
                'rows': [(labels.get(kind, kind), amount) for kind, amount in kinds.items()],
                'total': sum(kinds.values()),
            }
            for code, kinds in by_currency.items()
        ]

    @api.model
    def _get_kind_labels(self):
        """Return the names of the kinds of credit lines on the customer's pages."""
        return {
            'goods': self.env._("Products"),
            'shipping': self.env._("Shipping"),
            'discount': self.env._("Share of discount"),
            'free_product': self.env._("Share of free product"),
            'price': self.env._("Share of a raised price"),
            'stored_value': self.env._("Goes back to your card"),
            'rounding': self.env._("Rounding"),
            'restocking_fee': self.env._("Restocking fee"),
            'freight': self.env._("Return shipping"),
            'grade': self.env._("Reduced for condition"),
        }

    # === SEND === #

    @api.model
    def _send(self, draft):
        """Submit a draft; the policies decide. Sending it again changes nothing.

        :raise RequestRefused: when the customer has too many requests under way, or something was
            returned in the meantime.
        """
        draft.ensure_one()
        customer = draft.partner_id.commercial_partner_id
        # Two requests at once must both be counted.
        self.env['sale.return.guard']._take_counter(customer, 'sale_return_request_guard')
        if draft.state != 'draft' or draft.submission_count:
            return
        if draft.portal_kind != 'withdrawal':
            self._check_limit(draft, customer)
        rows = {
            row['line']: row
            for row in self.env['sale.return.portal.offer']._get_offer(draft.line_ids.order_id)
        }
        for line in draft.line_ids:
            row = rows[line.sale_line_id]
            # It was offered when the form was opened, but may not be any more.
            if draft.portal_kind != 'withdrawal' and not row['may_ask']:
                raise RequestRefused(
                    self.env._(
                        "%(product)s cannot be returned any more. %(why)s",
                        product=line.product_id.display_name,
                        why=" ".join(row['notes']),
                    )
                )
            self._check_quantity(
                line.product_id.display_name,
                line.sale_line_id,
                line.qty_requested,
                row['quantity'],
            )
        if draft.portal_kind != 'withdrawal' and any(
            self._is_refused(verdicts) for verdicts in self._get_verdicts(draft).values()
        ):
            raise RequestRefused(
                self.env._("A product cannot be returned. Please change your request.")
            )
        try:
            draft.action_submit()
        except UserError as error:
            # Its text is for clerks, and contains internal data.
            _logger.info("Request %s of a customer could not be submitted: %s", draft.name, error)
            raise RequestRefused(
                self.env._(
                    "Your request could not be sent. Perhaps some of it was returned in the "
                    "meantime. Please start again, or contact us."
                )
            ) from error

    @api.model
    def _check_limit(self, draft, customer):
        """Limit the open requests of one customer to the company's setting."""
        limit = draft.company_id.sale_return_request_limit
        count = self.env['sale.return']._count_open_requests(customer, draft.company_id)
        if limit and count >= limit:
            raise RequestRefused(
                self.env._(
                    "You have %(count)s returns under way. Please wait until one of them is "
                    "finished, or contact us.",
                    count=count,
                )
            )
