import logging
import math
import re
import unicodedata
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import email_normalize, format_datetime

from ...const import MAX_FILES, MAX_SIZE, MAX_VIDEO_SIZE, MAX_VIDEOS
from ...tools import video
from ...tools.html import as_html
from ...tools.money import QUANTITY_EPSILON
from ...tools.window import end_of_day
from .exceptions import RequestRefused, TooManyWithdrawals

_logger = logging.getLogger(__name__)

# Longest text a customer may write; anything longer belongs in a mail.
MAX_NOTE = 2000
# Drafts kept for one order. The oldest is deleted when another one is started.
MAX_DRAFTS = 5
MAX_NAME = 100
# Text that mail programs turn into a link: addresses, and a full stop (of any script) between
# letters. Checked on the normalized name (NFKC), in which wide and small characters become the
# usual ones.
LINK = re.compile(
    r'://|www\.|[@/\\<>]|[^\s.][.\u3002\u06d4\u0701][\u0300-\u036f-]?\w{2,}', re.IGNORECASE
)
# Statements per order and day; each sends a mail.
MAX_PER_DAY = 3


class SaleReturnPortalRequest(models.AbstractModel):
    """Service: store what customers request on their pages, first as a draft, then submitted.

    Every value comes from a stranger's browser: each is checked against the order, and the order by
    the caller. Sent requests go through `action_submit`, so the policies decide and the guard of
    quantities is the one of the back office.
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

    @api.model
    def _check_person(self, order, name, email):
        """Return the name and the address as they are stored.

        The name is mailed to the customer, and may come from anybody who has the link.
        """
        name = " ".join((name or '').split())[:MAX_NAME]
        address = email_normalize((email or '').strip()[:254])
        if not name:
            raise RequestRefused(self.env._("Please enter your name."))
        known = (order.partner_id | self.env.user.sudo().partner_id).mapped('name')
        plain = unicodedata.normalize('NFKC', name)
        if name not in known and (LINK.search(plain) or not name.isprintable()):
            raise RequestRefused(
                self.env._(
                    "Please enter your name only, without web or e-mail addresses and with a "
                    "space after each full stop."
                )
            )
        if not address:
            raise RequestRefused(
                self.env._("Please enter the e-mail address to which we confirm your withdrawal.")
            )
        return name, address

    @api.model
    def _check_withdrawal(self, order, quantities):
        """Return what is withdrawn from, by line, delivered and undelivered.

        :return: `[{line_id, product, unit, quantity, delivered}]`
        :rtype: list
        """
        rows = {
            row['line'].id: row for row in self.env['sale.return.portal.offer']._get_offer(order)
        }
        content = []
        for line_id, quantity in quantities.items():
            row = rows.get(line_id)
            if not row:
                raise RequestRefused(
                    self.env._(
                        "One of the products does not belong to order %(order)s. Please start "
                        "again.",
                        order=order.name,
                    )
                )
            line = row['line']
            product = line.product_id.display_name
            quantity = line._get_return_measure().interpret(quantity, whole=row['withdrawable'])
            self._check_earlier(line, quantity, row['withdrawable'])
            self._check_quantity(product, line, quantity, row['withdrawable'])
            self._check_whole(line, quantity)
            content.append(
                {
                    'line_id': line.id,
                    'ordered': line.product_uom_qty,
                    'product': product,
                    'unit': line.product_uom_id._get_name_after(quantity),
                    'quantity': quantity,
                    'delivered': min(quantity, row['quantity']),
                }
            )
        if not content:
            raise RequestRefused(self.env._("Choose the products from which you withdraw."))
        return content

    @api.model
    def _check_earlier(self, line, quantity, limit):
        """Refuse to withdraw again from what was already withdrawn from.

        :raise RequestRefused: saying how much, and when.
        """
        earlier = self.env['sale.return.withdrawal'].sudo()._get_counting(line)
        if not earlier or line._get_return_measure().compare(quantity, limit) <= 0:
            return
        raise RequestRefused(
            self.env._(
                "You have already withdrawn from %(product)s: %(earlier)s. %(left)s %(unit)s "
                "are left. If goods arrived anyway, please write to us.",
                product=line.product_id.display_name,
                earlier=", ".join(
                    self.env._(
                        "%(quantity)s %(unit)s on %(date)s",
                        quantity=f"{entry['quantity']:g}",
                        unit=entry['unit'],
                        date=format_datetime(
                            self.env, withdrawal.date, tz=self._get_zone(line.order_id)
                        ),
                    )
                    for withdrawal, entry in earlier
                ),
                left=f"{limit:g}",
                unit=line.product_uom_id._get_name_after(limit),
            )
        )

    @api.model
    def _check_day(self, order):
        """Limit the statements per day to what somebody who changes their mind may need.

        :raise TooManyWithdrawals: saying where else to send it, as the law sets no limit.
        """
        company = order.company_id
        yesterday = company._get_sale_return_day() - timedelta(days=1)
        since = end_of_day(yesterday, company._get_sale_return_timezone())
        if len(order.withdrawal_ids.filtered(lambda w: w.date >= since)) < MAX_PER_DAY:
            return
        address = company.email or company.phone
        raise TooManyWithdrawals(
            self.env._(
                "You have sent %(count)s withdrawals for order %(order)s today. To withdraw "
                "from anything else in it, please write to %(address)s: that is just as valid.",
                count=MAX_PER_DAY,
                order=order.name,
                address=address or company.name,
            )
        )

    @api.model
    def _ask_for_more(self, order):
        """Ask a user, once a day, to look for withdrawals that the page refused.

        :param order: one `sale.order` in superuser mode that the customer may see.
        """
        order.order_line._take_return_counter()
        user = self._get_owner(order)
        speaker = self.with_context(lang=user.sudo().lang)
        summary = speaker.env._("The customer wants to withdraw from more")
        today = order.company_id._get_sale_return_day()
        if any(a.summary == summary and a.date_deadline >= today for a in order.activity_ids):
            return
        order.activity_schedule(
            'mail.mail_activity_data_todo',
            date_deadline=today,
            summary=summary,
            note=as_html(
                speaker.env._(
                    "%(count)s withdrawals were sent today. The customer was asked to send "
                    "further ones by e-mail: record when they arrive.",
                    count=MAX_PER_DAY,
                )
            ),
            user_id=user.id,
        )

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

    # === WITHDRAWAL === #

    # Service: record a consumer's withdrawal from a contract.

    @api.model
    def _withdraw(self, order, quantities, name, email, key):
        """Store and acknowledge a withdrawal, and create the return of what was delivered.

        The statement is valid even if the return fails: where it cannot be created, a user is asked
        to do it. The same key gives the same statement.

        :param order: one `sale.order` in superuser mode that the customer may see.
        :param dict quantities: `{order line id: quantity}` in its unit.
        :param str name: of the person who states it.
        :param str email: address for the acknowledgement.
        :param str key: of the form, used once.
        :rtype: sale.return.withdrawal
        :raise TooManyWithdrawals: when there were too many today, see `_ask_for_more`.
        :raise RequestRefused: naming the product and what to do; nothing is stored then.
        """
        # Concurrent statements must all be counted: the second one waits here.
        order.order_line._take_return_counter()
        withdrawals = self.env['sale.return.withdrawal'].sudo()
        if done := withdrawals.search([('key', '=', key), ('order_id', '=', order.id)]):
            return done
        self._check_day(order)
        name, email = self._check_person(order, name, email)
        content = self._check_withdrawal(order, quantities)
        sale_return, problem = self._return_withdrawn(order, content, key)
        now = fields.Datetime.now()
        statement = self._get_statement(order, content, name, email, now)
        withdrawal = withdrawals.create(
            {
                'order_id': order.id,
                'company_id': order.company_id.id,
                'partner_id': order.partner_id.id,
                'return_id': sale_return.id,
                'date': now,
                'customer_name': name,
                'email': email,
                'statement': statement,
                'sha256': withdrawals._prepare_hash(statement),
                'content': content,
                'key': key,
                'user_id': self.env.uid,
            }
        )
        withdrawal._acknowledge()
        self._tell_staff(withdrawal, problem)
        return withdrawal

    # === DO === #

    @api.model
    def _get_owner(self, order):
        """Return who handles the withdrawals of an order."""
        users = (order.user_id | order.team_id.user_id).filtered('active')
        return users[:1] or self.env.ref('base.user_admin')

    @api.model
    def _get_zone(self, order):
        """Return the time zone for acknowledgements to the customer."""
        return order.partner_id.tz or order.company_id._get_sale_return_timezone()

    @api.model
    def _return_withdrawn(self, order, content, key):
        """Create and submit the return of what was delivered.

        :return: the return (empty where nothing was delivered), and why there is none.
        :rtype: tuple
        """
        choices = [
            {
                'line_id': row['line_id'],
                'quantity': row['delivered'],
                'reason_id': False,
                'resolution': 'refund',
                'note': '',
            }
            for row in content
            if row['delivered'] > 0
        ]
        if not choices:
            return self.env['sale.return'], None
        try:
            with self.env.cr.savepoint():
                draft = self._prepare_draft(order, choices, key, kind='withdrawal')
                self._send(draft)
                return draft, None
        except RequestRefused as refusal:
            return self.env['sale.return'], str(refusal)

    @api.model
    def _get_statement(self, order, content, name, email, now):
        """Return the acknowledgement, in the language of the page. Override to extend it."""
        products = "\n".join(
            self.env._(
                "- %(quantity)s %(unit)s %(product)s",
                quantity=f"{row['quantity']:g}",
                unit=row['unit'],
                product=row['product'],
            )
            for row in content
        )
        zone = self._get_zone(order)
        return self.env._(
            "I withdraw from my contract about the following products.\n\n"
            "Order: %(order)s of %(order_date)s\n"
            "Seller: %(company)s\n\n"
            "%(products)s\n\n"
            "Name: %(name)s\n"
            "E-mail: %(email)s\n"
            "Received on: %(date)s (%(zone)s)",
            order=order.name,
            order_date=format_datetime(self.env, order.date_order, tz=zone),
            company=order.company_id.name,
            products=products,
            name=name,
            email=email,
            # Evidence: the same in every language.
            date=format_datetime(self.env, now, tz=zone, dt_format='y-MM-dd HH:mm:ss'),
            zone=zone,
        )

    @api.model
    def _tell_staff(self, withdrawal, problem):
        """Log the withdrawal on its documents; ask a user to do what is not automatic."""
        order = withdrawal.order_id
        note = self.env._(
            "Withdrawal from the contract, received from %(name)s.", name=withdrawal.customer_name
        )
        (withdrawal.return_id or order)._message_log(body=note)
        user = self._get_owner(order)
        # In the language of the reader, not of the customer.
        speaker = self.with_context(lang=user.sudo().lang)
        waiting = [
            speaker.env._(
                "%(quantity)s %(unit)s %(product)s: not delivered yet, cancel the delivery.",
                quantity=f"{row['quantity'] - row['delivered']:g}",
                unit=row['unit'],
                product=row['product'],
            )
            for row in withdrawal.content
            if row['quantity'] > row['delivered']
        ]
        todo = "\n".join(filter(None, [problem, *waiting]))
        if not todo:
            return
        order.activity_schedule(
            'mail.mail_activity_data_todo',
            summary=speaker.env._("The customer withdrew from the contract"),
            note=as_html(todo),
            user_id=user.id,
        )
