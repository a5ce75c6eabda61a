import re
import unicodedata
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import email_normalize, format_datetime

from ...tools.html import as_html
from ...tools.window import end_of_day
from .exceptions import RequestRefused, TooManyWithdrawals

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
    """Service: record consumers' withdrawals from a contract."""

    _inherit = 'sale.return.portal.request'

    # === CHECKS === #

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

    # === WITHDRAWAL === #

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
