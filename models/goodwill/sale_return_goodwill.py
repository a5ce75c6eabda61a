from odoo import api, fields, models
from odoo.tools.misc import formatLang


class SaleReturnGoodwill(models.Model):
    """One credit without goods: who granted how much on which invoice, and why.

    Written once by `sale.return.goodwill.credit`; its effect on the books is its note.
    """

    _name = 'sale.return.goodwill'
    _inherit = ['sale.return.evidence']
    _description = "Goodwill Credit"
    _order = 'id desc'
    _rec_name = 'note_id'

    note_id = fields.Many2one(
        'account.move', string="Credit Note", required=True, index=True, ondelete='restrict'
    )
    invoice_id = fields.Many2one('account.move', required=True, index=True, ondelete='restrict')
    return_id = fields.Many2one('sale.return', index='btree_not_null', ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, index=True, ondelete='restrict')
    partner_id = fields.Many2one(
        'res.partner',
        string="Customer",
        required=True,
        index=True,
        ondelete='restrict',
        help="The commercial entity, whose limit counts.",
    )
    user_id = fields.Many2one(
        'res.users', string="Granted by", required=True, index=True, ondelete='restrict'
    )
    date = fields.Date(required=True)
    reason_id = fields.Many2one('sale.return.reason', required=True, ondelete='restrict')
    comment = fields.Text(help="The reason, as given by the person who granted it.")
    currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    amount = fields.Monetary(
        required=True,
        help=(
            "Tax included, in the currency of the company: the amount that counts towards the "
            "limits."
        ),
    )
    is_override = fields.Boolean(
        string="Above the Limit", help="A manager granted more than the limits allow."
    )
    state = fields.Selection(related='note_id.state', string="Credit Note Status")

    # === LIMITS === #

    @api.model
    def _ensure_limits(self, invoice, amount):
        """Check the limits of the agent (this month), of the customer and of the order.

        All credits without goods share them, see `sale.return.unbacked`.

        :param invoice: the `account.move` it is granted on.
        :param float amount: tax included, in the currency of the company.
        :return: True when a manager grants more than the limits allow.
        :rtype: bool
        :raise UserError: when another user does so.
        """
        company, partner = invoice.company_id, invoice.commercial_partner_id
        unbacked = self.env['sale.return.unbacked']
        vals = {
            'company_id': company.id,
            'partner_id': partner.id,
            'order_id': invoice.invoice_line_ids.sale_line_ids.order_id[:1].id,
            'amount': amount,
        }
        # Two concurrent grants could both stay within the limit.
        unbacked._take_counters([vals], automatic=False)
        rows = unbacked._get_counted(company, [vals])
        messages = [
            *self._check_agent(company, rows, amount),
            *self._check_customer(company, rows, partner, amount),
            *unbacked._check_customers(company, rows, [vals]),
            *unbacked._check_orders(company, rows, [vals]),
        ]
        return unbacked._ensure_within(messages)

    @api.model
    def _check_agent(self, company, rows, amount):
        unbacked = self.env['sale.return.unbacked']
        currency = company.currency_id
        limit = unbacked._get_own_limit() or company.sale_return_goodwill_agent_limit
        left = max(limit - unbacked._get_spent_by_user(company, rows), 0.0)
        if currency.compare_amounts(amount, left) <= 0:
            return []
        return [
            self.env._(
                "%(amount)s is above what you may grant this month: %(left)s of %(limit)s are "
                "left.",
                amount=formatLang(self.env, amount, currency_obj=currency),
                left=formatLang(self.env, left, currency_obj=currency),
                limit=formatLang(self.env, limit, currency_obj=currency),
            )
        ]

    @api.model
    def _check_customer(self, company, rows, partner, amount):
        spent = sum(row['counted'] for row in rows if row['partner_id'] == partner.id)
        values = self.env['sale.return.unbacked']._compare(
            company, amount, company.sale_return_goodwill_customer_limit, spent
        )
        if not values:
            return []
        return [
            self.env._(
                "%(amount)s is above what customer %(customer)s may be granted within twelve "
                "months: %(left)s of %(limit)s are left.",
                customer=partner.display_name,
                **values,
            )
        ]
