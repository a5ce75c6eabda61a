import logging
import math

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...tools.money import QUANTITY_EPSILON
from ..document.sale_return_file import MAX_FILES, MAX_SIZE

_logger = logging.getLogger(__name__)

# Of what a customer writes; longer texts are a matter for a mail.
MAX_NOTE = 2000


class RequestRefused(UserError):
    """A request that cannot be taken; its sentence is for the customer."""


class SaleReturnPortalRequest(models.AbstractModel):
    """Service: take what customers ask for on their pages, as a draft first, then for decision.

    Every value comes from a stranger's browser: each is checked against the order, and the order
    by whoever calls. What is sent goes through `action_submit`, so the policies decide and the
    guard of quantities is the one of the back office.
    """

    _name = 'sale.return.portal.request'
    _description = "Return Request of Customers"

    # === DRAFT === #

    @api.model
    def _prepare_draft(self, order, choices, key, kind='request'):
        """Keep a request as a draft. It holds no quantities and waits for `_send`.

        The same key gives the same return: a draft is replaced by what is said now, a request that
        was sent stays as it is.

        :param order: one `sale.order` in superuser mode that the customer may see.
        :param list choices: dicts `{line_id, quantity, reason_id, resolution, note, photos}`;
            `quantity` in the unit of the order line, `photos` are dicts `{name, raw}`.
        :param str key: of the form, used once.
        :return: the return, in superuser mode.
        :rtype: sale.return
        :raise RequestRefused: naming the product and what to do; nothing is kept then.
        """
        # Two clicks are two transactions: the second one waits here and finds what the first made.
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
            draft = returns.create(self._prepare_return_vals(order, reference, commands))
            draft._write_facts({'portal_kind': kind})
        self._keep_photos(draft, choices)
        self._check_draft(draft)
        return draft

    @api.model
    def _prepare_return_vals(self, order, reference, commands):
        """Prepare the return. Override to add values."""
        return {
            'partner_id': order.partner_id.id,
            'company_id': order.company_id.id,
            'user_id': order.user_id.id,
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
            'customer_note': (choice.get('note') or '').strip()[:MAX_NOTE] or False,
        }

    # === CHECKS === #

    @api.model
    def _check_choices(self, order, choices):
        """Refuse what the order does not offer.

        :raise RequestRefused: naming the product.
        """
        rows = {
            row['line'].id: row for row in self.env['sale.return.portal.offer']._get_offer(order)
        }
        if not choices:
            raise RequestRefused(self.env._("Say how many of which product you want to return."))
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

    @api.model
    def _check_choice(self, row, choice):
        """Refuse quantities, reasons and wishes that one product does not offer."""
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
        self._check_quantity(product, sale_line.product_uom_id, quantity, row['quantity'])
        self._check_whole(sale_line, quantity)
        if not choice['reason_id'] and row['reason_demanded']:
            raise RequestRefused(self.env._("Say why you return %(product)s.", product=product))
        if choice['reason_id'] and choice['reason_id'] not in row['reasons'].ids:
            raise RequestRefused(
                self.env._(
                    "%(product)s cannot be returned for this reason. Choose another one.",
                    product=product,
                )
            )
        if choice['resolution'] not in dict(row['resolutions']):
            raise RequestRefused(
                self.env._("Say what you want for %(product)s: a refund?", product=product)
            )

    @api.model
    def _check_quantity(self, product, uom, quantity, limit):
        """Refuse what is no quantity, or more than can be returned (now)."""
        if not math.isfinite(quantity) or uom.compare(quantity, 0.0) <= 0:
            raise RequestRefused(
                self.env._("Enter how many of %(product)s you want to return.", product=product)
            )
        if uom.compare(quantity, limit) > 0:
            raise RequestRefused(
                self.env._(
                    "Of %(product)s up to %(limit)s %(unit)s can be returned, not %(quantity)s. "
                    "Please change the quantity.",
                    product=product,
                    limit=f"{limit:g}",
                    unit=uom.name,
                    quantity=f"{quantity:g}",
                )
            )

    @api.model
    def _check_whole(self, sale_line, quantity):
        """Refuse a part of a piece, unless the order itself has parts of it.

        What is sold by the dozen may be told by the piece: 0.33 of 12 are 4.
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
                    unit=uom.name,
                )
            )

    @api.model
    def _keep_photos(self, draft, choices):
        """Keep the photos of each line, without the place where they were taken.

        :raise RequestRefused: naming the photo.
        """
        lines = {line.sale_line_id.id: line for line in draft.line_ids}
        for choice in choices:
            photos = choice.get('photos')
            if not photos:
                continue
            # Before any of them is decoded.
            if large := [photo['name'] for photo in photos if len(photo['raw']) > MAX_SIZE]:
                raise RequestRefused(
                    self.env._(
                        "%(photos)s is larger than %(limit)s MB. Please choose a smaller one.",
                        photos=", ".join(large),
                        limit=MAX_SIZE // 1024 // 1024,
                    )
                )
            try:
                self.env['sale.return.file']._upload(
                    lines[choice['line_id']], [{**photo, 'strip': True} for photo in photos]
                )
            except UserError as error:
                raise RequestRefused(str(error)) from error

    @api.model
    def _check_draft(self, draft):
        """Refuse what could not be submitted, and what the rules need that is missing."""
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
        """Return what the rules say about a draft now: `{line: [verdict dict]}`."""
        return self.env['sale.return.decision']._get_verdicts(draft.line_ids)

    # === SUMMARY === #

    @api.model
    def _get_summary(self, draft):
        """Say what a draft asks for, what the rules say, and what would be refunded.

        :return: `{lines: [{line, notes, refused}], estimates: [{currency, rows, total}],
            unpromised, may_send}`; amounts are tax included; `rows` are `[(label, amount)]`;
            `unpromised` names the products of which we cannot say yet what is refunded.
        :rtype: dict
        """
        offer = self.env['sale.return.portal.offer']
        lines = []
        for line, verdicts in self._get_verdicts(draft).items():
            told = [v for v in verdicts if v['kind'] not in ('approval', 'history')]
            lines.append(
                {
                    'line': line,
                    'notes': [offer._get_sentence(v) for v in told],
                    'refused': any(v['outcome'] == 'refuse' for v in told),
                }
            )
        return {
            'lines': lines,
            'estimates': self._get_estimates(draft),
            'unpromised': draft._get_unpromised_products(),
            'may_send': not any(row['refused'] for row in lines),
            'asks_person': any(
                v['outcome'] != 'authorize' for vs in self._get_verdicts(draft).values() for v in vs
            ),
        }

    @api.model
    def _get_estimates(self, draft):
        """Return the estimated refund by currency and kind, on the path that credits."""
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
        """Return what the kinds of lines of a credit are called on the customer's pages."""
        return {
            'goods': self.env._("Products"),
            'shipping': self.env._("Shipping"),
            'discount': self.env._("Share of discount"),
            'free_product': self.env._("Share of free product"),
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
            returned meanwhile.
        """
        draft.ensure_one()
        customer = draft.partner_id.commercial_partner_id
        # Two requests at once must both be counted.
        self.env['sale.return.guard']._take_counter(customer, 'sale_return_request_guard')
        if draft.state != 'draft' or draft.submission_count:
            return
        if draft.portal_kind == 'request':
            self._check_limit(draft, customer)
        rows = {
            row['line']: row
            for row in self.env['sale.return.portal.offer']._get_offer(draft.line_ids.order_id)
        }
        for line in draft.line_ids:
            row = rows[line.sale_line_id]
            # It was offered when the form was filled in; meanwhile it may not be any more.
            if draft.portal_kind == 'request' and not row['may_ask']:
                raise RequestRefused(
                    self.env._(
                        "%(product)s cannot be returned any more. %(why)s",
                        product=line.product_id.display_name,
                        why=" ".join(row['notes']),
                    )
                )
            self._check_quantity(
                line.product_id.display_name,
                line.product_uom_id,
                line.qty_requested,
                row['quantity'],
            )
        if draft.portal_kind == 'request' and not self._get_summary(draft)['may_send']:
            raise RequestRefused(
                self.env._("A product cannot be returned. Please change your request.")
            )
        try:
            draft.action_submit()
        except UserError as error:
            # Its words are for clerks, and name what is ours.
            _logger.info("Request %s of a customer could not be submitted: %s", draft.name, error)
            raise RequestRefused(
                self.env._(
                    "Your request could not be sent. Perhaps some of it was returned meanwhile. "
                    "Please start again, or contact us."
                )
            ) from error

    @api.model
    def _check_limit(self, draft, customer):
        """Refuse more requests at a time than the company wants to have from one customer."""
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
