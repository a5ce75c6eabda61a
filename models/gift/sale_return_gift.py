import secrets

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize

from ...tools.reader import take_text
from ..portal.exceptions import RequestRefused

# What recipients can choose: money goes back to nobody.
RESOLUTIONS = ('store_credit', 'exchange')
# Requests with one code that wait for their confirmation; each sends a mail.
MAX_WAITING = 3
ADDRESS = ('street', 'zip', 'city')
MAX_ADDRESS = 128


class SaleReturnGift(models.AbstractModel):
    """Service: the recipient of a gift returns it with the code on its delivery slip.

    The request is one of the pages for customers (`sale.return.portal.request`), of a customer of
    its own: the recipient. It is sent when they confirm it by the link in a mail. No price, and
    nothing about the buyer, is shown.
    """

    _name = 'sale.return.gift'
    _description = "Return of a Gift"

    # === OFFER === #

    @api.model
    def _find(self, code):
        """Return the delivery that a code is for.

        :param str code: as typed by a stranger.
        :return: one `stock.picking` in superuser mode.
        :raise RequestRefused: the same for a wrong code and for goods that cannot be returned.
        """
        picking = self.env['stock.picking']._find_by_sale_return_gift_code(code)
        if not picking or not self._is_open(picking):
            raise RequestRefused(
                self.env._(
                    "With this code nothing can be returned. Please check it, or contact us."
                )
            )
        return picking.with_company(picking.company_id)

    @api.model
    def _is_open(self, picking):
        """Tell whether goods of a delivery can be returned as a gift. In superuser mode.

        Only what private customers have paid in money, and all of it: companies have to correct
        their own taxes, so they must know; what cards have paid goes back to them.
        """
        order = picking.sale_id
        buyer = order.partner_invoice_id.commercial_partner_id
        invoices = order.invoice_ids.filtered(
            lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
        )
        return (
            picking.state == 'done'
            and order.state == 'sale'
            and not buyer.is_company
            and not buyer.vat
            and bool(invoices)
            and set(invoices.mapped('payment_state')) <= {'paid', 'in_payment'}
            and not any(line.qty_to_invoice > 0 for line in order.order_line)
            and not any(map(self.env['sale.return.loyalty']._is_paid_with_card, order.order_line))
            # What is not exchanged in the end goes on a wallet.
            and not self.env['sale.return.wallet']._find_problem(
                picking.company_id, order.currency_id
            )
        )

    @api.model
    def _get_offer(self, picking):
        """Return what of a delivery can be returned, as `sale.return.portal.offer`.

        :return: its dicts, of the products in this delivery: `quantity` is at most what came with
            it, `notes` say nothing of other returns.
        :rtype: list
        """
        order = picking.sale_id
        rows = []
        for row in self.env['sale.return.portal.offer']._get_offer(order):
            line = row['line']
            moves = picking.move_ids.filtered(
                lambda move, line=line: move.sale_line_id == line and move.state == 'done'
            )
            if not moves or line._is_return_kit():
                continue
            delivered = sum(move._get_sale_quantity(line) for move in moves)
            returned = sum(
                back.qty_requested
                for back in line._get_return_lines()
                if back.return_id.gift_picking_id == picking
                and back.state not in ('draft', 'refused', 'cancelled')
            )
            quantity = line._get_return_measure().round(
                max(min(row['quantity'], delivered - returned), 0.0)
            )
            wishes = [wish for wish in row['resolutions'] if wish[0] in RESOLUTIONS]
            row |= {
                'resolutions': [(code, self._get_label(code)) for code, _label in wishes],
                'may_ask': bool(row['may_ask'] and quantity and wishes),
            }
            if not quantity:
                row['notes'] = [self.env._("It cannot be returned.")]
            rows.append({**row, 'quantity': quantity})
        return rows

    @api.model
    def _get_label(self, resolution):
        """Return a choice in words for recipients, who have paid nothing."""
        return {
            'store_credit': self.env._("Store credit"),
            'exchange': self.env._("Another size or variant"),
        }[resolution]

    # === ASK === #

    @api.model
    def _ask(self, picking, choices, person, key=None):
        """Store a request as a draft, and mail the link that confirms it.

        :param picking: one `stock.picking`, see `_find`.
        :param list choices: see `sale.return.portal.request._prepare_draft`.
        :param dict person: `name`, `email`, `street`, `zip` and `city`.
        :param str key: of the form, used once.
        :return: the draft, in superuser mode.
        :rtype: sale.return
        :raise RequestRefused: naming what is missing; nothing is stored then.
        """
        order = picking.sale_id
        key = f'gift-{key or secrets.token_hex(12)}'
        # Two requests at once must both be counted, see `_prepare_draft`.
        order.order_line._take_return_counter()
        person = self._check_person(person)
        self._check_choices(picking, choices)
        returns = self.env['sale.return'].sudo()
        if known := returns.search(
            [('external_ref', '=', f'portal-{key}'), ('company_id', '=', picking.company_id.id)]
        ):
            if known.submission_count or known.partner_id.email == person['email']:
                return known  # a double click
            known.unlink()  # they went back and corrected the address
        waiting = returns.search_count(
            [
                ('gift_picking_id', '=', picking.id),
                ('portal_kind', '=', 'gift'),
                ('state', '=', 'draft'),
                ('submission_count', '=', 0),
            ]
        )
        if waiting >= MAX_WAITING:
            raise RequestRefused(
                self.env._(
                    "%(count)s requests with this code wait to be confirmed. Please open the link "
                    "in our mail, or try again in two days.",
                    count=waiting,
                )
            )
        draft = self.env['sale.return.portal.request']._prepare_draft(order, choices, key, 'gift')
        self._hand_to_recipient(draft, picking, person)
        self.env.ref('sale_return.mail_template_gift').sudo().send_mail(draft.id)
        return draft

    @api.model
    def _hand_to_recipient(self, draft, picking, person):
        """Make a request one of the recipient: a customer of its own, never a known one.

        Whose address a stranger has typed is not known before they confirm it.
        """
        recipient = (
            self.env['res.partner']
            .sudo()
            .create(
                {
                    **person,
                    'lang': self.env.lang,
                    'company_id': picking.company_id.id,
                    'country_id': picking.partner_id.country_id.id,
                }
            )
        )
        self._mark(draft, picking, recipient)

    @api.model
    def _mark(self, draft, picking, recipient):
        """Store that a draft is the return of a gift."""
        # The buyer is nowhere in the history of a return that the recipient may read.
        draft.with_context(tracking_disable=True)._write_facts(
            {'is_gift': True, 'gift_picking_id': picking.id, 'partner_id': recipient.id}
        )

    # === CHECKS === #

    @api.model
    def _check_person(self, person):
        """Return name and addresses of the recipient as they are stored."""
        service = self.env['sale.return.portal.request']
        nobody = self.env['sale.order']
        name, _email = service._check_person(
            nobody, take_text(person.get('name')), 'nobody@example.com'
        )
        email = email_normalize(take_text(person.get('email'), 254).strip())
        if not email:
            raise RequestRefused(
                self.env._("Please enter the e-mail address to which we send the link.")
            )
        found = {
            part: " ".join(take_text(person.get(part)).split())[:MAX_ADDRESS] or False
            for part in ADDRESS
        }
        if not all(found.values()):
            raise RequestRefused(
                self.env._("Please enter street, postcode and city to which we send the goods.")
            )
        return {'name': name, 'email': email, **found}

    @api.model
    def _check_choices(self, picking, choices):
        """Refuse what did not come with this delivery, and what recipients cannot choose.

        :raise RequestRefused: naming the product.
        """
        rows = {row['line'].id: row for row in self._get_offer(picking)}
        service = self.env['sale.return.portal.request']
        if not choices:
            raise RequestRefused(self.env._("Say how many of which product you want to return."))
        for choice in choices:
            row = rows.get(choice['line_id'])
            if not row:
                raise RequestRefused(
                    self.env._(
                        "One of the products did not come with this parcel. Please start again."
                    )
                )
            product = row['line'].product_id.display_name
            if not row['may_ask']:
                raise RequestRefused(self.env._("%(product)s cannot be returned.", product=product))
            service._check_quantity(product, row['line'], choice['quantity'], row['quantity'])
            if choice['resolution'] not in dict(row['resolutions']):
                raise RequestRefused(
                    self.env._(
                        "Choose what you want for %(product)s: store credit, or another size.",
                        product=product,
                    )
                )

    # === CLERKS === #

    @api.model
    def _find_delivery(self, sale_return):
        """Return the delivery that the goods of a draft came with as a gift. In superuser mode.

        :raise UserError: naming the order, or the product that cannot be returned.
        """
        order = sale_return.line_ids.sale_line_id.order_id
        problem = len(order) != 1 and self.env._(
            "Return %(return)s belongs to several orders, or to none, so it cannot be the return "
            "of a gift. Create one return for each gift.",
            **{'return': sale_return.name},
        )
        for picking in order.picking_ids.sorted('id') if not problem else ():
            if not picking._get_sale_return_gift_code() or not self._is_open(picking):
                continue
            try:
                self._check_choices(picking, self._get_choices(sale_return))
            except RequestRefused as refusal:
                problem = refusal.args[0]
            else:
                return picking
        raise UserError(
            problem
            or self.env._(
                "Order %(order)s cannot be returned as a gift. It has to be marked as a gift, "
                "delivered, and paid in full by a private customer, without wallets or gift "
                "cards. Gift returns and store credit have to be switched on in the settings of "
                "Returns.",
                order=order.name,
            )
        )

    @api.model
    def _get_choices(self, sale_return):
        """Return the lines of a draft as choices of its customer, see `_check_choices`."""
        return [
            {
                'line_id': line.sale_line_id.id,
                'quantity': line.qty_requested,
                'resolution': line.resolution,
            }
            for line in sale_return.line_ids
        ]

    @api.model
    def _check_recipient(self, sale_return, recipient):
        """Refuse recipients who would let the buyer know. In superuser mode.

        :raise UserError: naming the recipient.
        """
        order = sale_return.line_ids.sale_line_id.order_id
        buyers = order.partner_id | order.partner_invoice_id
        values = {'recipient': recipient.display_name or ""}
        if not recipient or not recipient.active:
            raise UserError(
                self.env._("Choose who returns the gift: a customer who is not archived.")
            )
        if recipient.commercial_partner_id in buyers.commercial_partner_id:
            raise UserError(
                self.env._(
                    "%(recipient)s has bought these goods, so this cannot be the return of a gift. "
                    "Leave “Returned by Recipient” empty, or choose another contact.",
                    **values,
                )
            )
        if recipient.company_id and recipient.company_id != sale_return.company_id:
            raise UserError(
                self.env._(
                    "%(recipient)s is a customer of %(other)s, not of %(company)s. Choose "
                    "another contact.",
                    other=recipient.company_id.name,
                    company=sale_return.company_id.name,
                    **values,
                )
            )

    # === CONFIRM === #

    @api.model
    def _confirm(self, draft):
        """Submit a request whose recipient has opened the link in the mail, once.

        :raise RequestRefused: when something was returned, or sold, in the meantime.
        """
        draft.ensure_one()
        if draft.state != 'draft' or draft.submission_count:
            return
        picking = draft.gift_picking_id
        picking.sale_id.order_line._take_return_counter()
        if not self._is_open(picking) or not picking._get_sale_return_gift_code():
            raise RequestRefused(self.env._("It cannot be returned any more. Please contact us."))
        self._check_choices(picking, self._get_choices(draft))
        self.env['sale.return.portal.request']._send(draft)
