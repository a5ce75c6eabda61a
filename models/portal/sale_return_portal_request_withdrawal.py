import re
import unicodedata
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.tools import email_normalize, format_datetime

from .sale_return_portal_request import RequestRefused

MAX_NAME = 100
# What mail programs make a link of: addresses, and a full stop (of any script) between letters.
# Asked of the name in its plain form (NFKC), in which wide and small signs are the usual ones.
LINK = re.compile(
    r'://|www\.|[@/\\<>]|[^\s.][.\u3002\u06d4\u0701][\u0300-\u036f-]?\w{2,}', re.IGNORECASE
)
# Statements of one order and day; each is a mail.
MAX_PER_DAY = 3


class TooManyWithdrawals(RequestRefused):
    """Enough was stated for today by the page; a person takes what else there is."""


class SaleReturnPortalRequest(models.AbstractModel):
    """Service: take a consumer's withdrawal from a contract."""

    _inherit = 'sale.return.portal.request'

    @api.model
    def _withdraw(self, order, quantities, name, email, key):
        """Keep and acknowledge a withdrawal, and make the return of what was delivered.

        The statement counts whatever becomes of the return: where that cannot be made, somebody is
        asked to. The same key gives the same statement.

        :param order: one `sale.order` in superuser mode that the customer may see.
        :param dict quantities: `{order line id: quantity}` in its unit.
        :param str name: of whoever states it.
        :param str email: where it is acknowledged.
        :param str key: of the form, used once.
        :rtype: sale.return.withdrawal
        :raise TooManyWithdrawals: when there were enough of them today, see `_ask_for_more`.
        :raise RequestRefused: naming the product and what to do; nothing is kept then.
        """
        # Two at once must both be counted: the second one waits here.
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

    # === CHECKS === #

    @api.model
    def _check_person(self, order, name, email):
        """Return the name and the address as they are kept.

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
                    "Please enter your name only, without web or e-mail addresses and with a blank "
                    "after each full stop."
                )
            )
        if not address:
            raise RequestRefused(
                self.env._("Please enter the e-mail address to which we confirm your withdrawal.")
            )
        return name, address

    @api.model
    def _check_withdrawal(self, order, quantities):
        """Return what is withdrawn from, by line: what was delivered, and what is still to be.

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
            self._check_earlier(line, quantity, row['withdrawable'])
            self._check_quantity(product, line.product_uom_id, quantity, row['withdrawable'])
            self._check_whole(line, quantity)
            content.append(
                {
                    'line_id': line.id,
                    'ordered': line.product_uom_qty,
                    'product': product,
                    'unit': line.product_uom_id.name,
                    'quantity': quantity,
                    'delivered': min(quantity, row['quantity']),
                }
            )
        if not content:
            raise RequestRefused(self.env._("Say from which products you withdraw."))
        return content

    @api.model
    def _check_earlier(self, line, quantity, limit):
        """Refuse to withdraw once more from what somebody has withdrawn from already.

        :raise RequestRefused: saying how much, and when.
        """
        earlier = self.env['sale.return.withdrawal'].sudo()._get_counting(line)
        if not earlier or line.product_uom_id.compare(quantity, limit) <= 0:
            return
        raise RequestRefused(
            self.env._(
                "From %(product)s you have withdrawn already: %(earlier)s. %(left)s %(unit)s are "
                "left. If goods came nevertheless, please write to us.",
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
                unit=line.product_uom_id.name,
            )
        )

    @api.model
    def _check_day(self, order):
        """Refuse more statements a day than somebody needs who changes his mind.

        :raise TooManyWithdrawals: saying where else to send it, for the law sets no limit.
        """
        zone = ZoneInfo(self._get_company_zone(order.company_id))
        start = datetime.combine(self._get_day(order), time.min, tzinfo=zone)
        since = start.astimezone(UTC).replace(tzinfo=None)
        if len(order.withdrawal_ids.filtered(lambda w: w.date >= since)) < MAX_PER_DAY:
            return
        company = order.company_id
        address = company.email or company.phone
        raise TooManyWithdrawals(
            self.env._(
                "You have sent %(count)s withdrawals for order %(order)s today. To withdraw from "
                "anything else in it, please write to %(address)s: that counts just the same.",
                count=MAX_PER_DAY,
                order=order.name,
                address=address or company.name,
            )
        )

    @api.model
    def _get_company_zone(self, company):
        """Return the time zone in which the days of a company begin and end."""
        return company.partner_id.tz or company.resource_calendar_id.tz or 'UTC'

    @api.model
    def _get_day(self, order):
        """Return the day it is where the company is."""
        local = self.with_context(tz=self._get_company_zone(order.company_id))
        return fields.Date.context_today(local)

    @api.model
    def _ask_for_more(self, order):
        """Ask somebody, once a day, to look for the withdrawals that the page did not take.

        :param order: one `sale.order` in superuser mode that the customer may see.
        """
        order.order_line._take_return_counter()
        user = self._get_owner(order)
        speaker = self.with_context(lang=user.sudo().lang)
        summary = speaker.env._("The customer wants to withdraw from more")
        today = self._get_day(order)
        if any(a.summary == summary and a.date_deadline >= today for a in order.activity_ids):
            return
        order.activity_schedule(
            'mail.mail_activity_data_todo',
            date_deadline=today,
            summary=summary,
            note=speaker.env._(
                "%(count)s withdrawals were sent today. The customer was asked to send more by "
                "e-mail: write down when it comes.",
                count=MAX_PER_DAY,
            ),
            user_id=user.id,
        )

    # === DO === #

    @api.model
    def _get_owner(self, order):
        """Return who looks after the withdrawals of an order."""
        return order.user_id or order.team_id.user_id or self.env.ref('base.user_admin')

    @api.model
    def _get_zone(self, order):
        """Return the time zone of what is acknowledged to the customer."""
        return order.partner_id.tz or order.company_id.partner_id.tz or 'UTC'

    @api.model
    def _return_withdrawn(self, order, content, key):
        """Make and submit the return of what was delivered.

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
        """Return what is acknowledged, in the language of the page. Override to add to it."""
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
            # Evidence: read the same in every language.
            date=format_datetime(self.env, now, tz=zone, dt_format='y-MM-dd HH:mm:ss'),
            zone=zone,
        )

    @api.model
    def _tell_staff(self, withdrawal, problem):
        """Note the withdrawal on its documents; ask somebody for what is not done by itself."""
        order = withdrawal.order_id
        note = self.env._(
            "Withdrawal from the contract, received from %(name)s.", name=withdrawal.customer_name
        )
        (withdrawal.return_id or order)._message_log(body=note)
        user = self._get_owner(order)
        # In the language of who reads it, not of the customer.
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
            note=todo,
            user_id=user.id,
        )
