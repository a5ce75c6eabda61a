from odoo import api, fields, models
from odoo.tools import email_normalize, format_datetime

from .sale_return_portal_request import RequestRefused

MAX_NAME = 100


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
        :raise RequestRefused: naming the product and what to do; nothing is kept then.
        """
        order.order_line._take_return_counter()
        withdrawals = self.env['sale.return.withdrawal'].sudo()
        if done := withdrawals.search([('key', '=', key), ('order_id', '=', order.id)]):
            return done
        name, email = self._check_person(name, email)
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
    def _check_person(self, name, email):
        """Return the name and the address as they are kept."""
        name = " ".join((name or '').split())[:MAX_NAME]
        address = email_normalize((email or '').strip()[:254])
        if not name:
            raise RequestRefused(self.env._("Please enter your name."))
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
            self._check_quantity(product, line.product_uom_id, quantity, row['withdrawable'])
            content.append(
                {
                    'line_id': line.id,
                    'product': product,
                    'unit': line.product_uom_id.name,
                    'quantity': quantity,
                    'delivered': min(quantity, row['quantity']),
                }
            )
        if not content:
            raise RequestRefused(self.env._("Say from which products you withdraw."))
        return content

    # === DO === #

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
        zone = order.partner_id.tz or order.company_id.partner_id.tz or 'UTC'
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
        user = order.user_id or order.team_id.user_id or self.env.ref('base.user_admin')
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
