import hashlib

from odoo import api, fields, models


class SaleReturnWithdrawal(models.Model):
    """A consumer's statement that they withdraw from a contract, as it was acknowledged.

    Directive 2011/83/EU art. 11a: what was said, and the day and the second it came. Written once.
    """

    _name = 'sale.return.withdrawal'
    _inherit = ['sale.return.evidence']
    _description = "Withdrawal from a Contract"
    _order = 'id desc'
    _rec_name = 'order_id'
    _check_company_auto = True

    order_id = fields.Many2one(
        'sale.order',
        required=True,
        index=True,
        ondelete='restrict',
        check_company=True,
        help="The contract.",
    )
    company_id = fields.Many2one('res.company', required=True, index=True)
    partner_id = fields.Many2one('res.partner', string="Customer", required=True)
    return_id = fields.Many2one(
        'sale.return',
        index='btree_not_null',
        ondelete='restrict',
        help="The return of what was delivered already.",
    )
    date = fields.Datetime(string="Received on", required=True)
    customer_name = fields.Char(string="Name Given", required=True)
    email = fields.Char(string="E-mail Given", required=True)
    statement = fields.Text(required=True, help="What was stated and acknowledged, word for word.")
    sha256 = fields.Char(technical=True, string="SHA-256", required=True, help="Of the statement.")
    content = fields.Json(help="Order lines and quantities of the statement.")
    key = fields.Char(required=True, help="Of the form, which is good for one statement.")
    user_id = fields.Many2one('res.users', string="Recorded by", required=True)
    mail_state = fields.Selection(
        [
            ('outgoing', "Waiting"),
            ('sent', "Sent"),
            ('exception', "Failed"),
            ('cancel', "Cancelled"),
            ('received', "Received"),
        ],
        string="Acknowledgement",
        compute='_compute_mail_state',
        compute_sudo=True,
    )

    _key_unique = models.UniqueIndex('(key)')

    def _compute_mail_state(self):
        mails = self.env['mail.mail'].search(
            [('model', '=', self._name), ('res_id', 'in', self.ids)], order='id'
        )
        states = {mail.res_id: mail.state for mail in mails}
        for withdrawal in self:
            withdrawal.mail_state = states.get(withdrawal.id)

    @api.model
    def _prepare_hash(self, statement):
        return hashlib.sha256(statement.encode()).hexdigest()

    # === WHAT IS LEFT === #

    @api.model
    def _get_counting(self, sale_line):
        """Return what was stated about an order line, the oldest first.

        A statement whose return was cancelled is as if it had not been made.

        :return: `[(withdrawal, its entry of the line)]`
        :rtype: list
        """
        return [
            (withdrawal, entry)
            for withdrawal in sale_line.order_id.withdrawal_ids.sorted('id')
            if withdrawal.return_id.state != 'cancelled'
            for entry in withdrawal.content or []
            if entry['line_id'] == sale_line.id
        ]

    @api.model
    def _get_qty_left(self, sale_line):
        """Return from how much of an order line nobody has withdrawn yet, in its unit.

        That is what was ordered (or delivered, if more) without the earlier statements. When staff
        lowers the order because of one, what was ordered by then still counts.

        :rtype: float
        """
        earlier = self._get_counting(sale_line)
        again = sale_line._get_qty_back()
        total = max(
            sale_line.product_uom_qty,
            sale_line._get_qty_delivered_counted() + again,
            *(entry.get('ordered', 0.0) for _withdrawal, entry in earlier),
        )
        stated = sum(entry['quantity'] for _withdrawal, entry in earlier)
        return max(sale_line._get_return_measure().round(total - stated), 0.0)

    # === ACKNOWLEDGEMENT === #

    def _acknowledge(self):
        """Mail the customer what was stated and when it came, at once."""
        template = self.env.ref('sale_return.mail_template_withdrawal').sudo()
        for withdrawal in self:
            # One by one: each goes to the addresses of one statement.
            template.send_mail(
                withdrawal.id,
                email_values={
                    'email_to': ", ".join(withdrawal._get_recipients()),
                    'recipient_ids': [],
                },
            )
        # sudo: whoever states it may not start jobs.
        self.env.ref('mail.ir_cron_mail_scheduler_action').sudo()._trigger()

    def _get_recipients(self):
        """Return the addresses the statement is acknowledged to.

        Whoever has the link of an order can state anything, so the mail goes where we would write
        anyway: to the address of the order, and to the one given only if it is one of the
        customer's. Where we know none, the address given with the first statement is theirs.

        :return: normalized addresses
        :rtype: list
        """
        self.ensure_one()
        # sudo: the addresses are the customer's, whoever states it.
        withdrawal = self.sudo()
        customer = withdrawal.partner_id.commercial_partner_id
        contacts = customer.with_context(active_test=False).search(
            [('id', 'child_of', customer.ids), ('email_normalized', '!=', False)]
        )
        known = contacts.mapped('email_normalized')
        own = withdrawal.partner_id.email_normalized or customer.email_normalized
        given = [withdrawal.email] if withdrawal.email in known else []
        if not own and not given:
            first = withdrawal.order_id.withdrawal_ids.sorted('id')[:1]
            given = known[:1] or [first.email]
        return list(dict.fromkeys(filter(None, [own, *given])))
