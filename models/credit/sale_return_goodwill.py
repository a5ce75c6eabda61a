from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang


class SaleReturnGoodwill(models.Model):
    """One credit without goods: who granted how much on which invoice, and why.

    Written once by `sale.return.goodwill.credit`; what it comes to in the books is its note.
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
    comment = fields.Text(help="Why, in the words of the one who granted it.")
    currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    amount = fields.Monetary(
        required=True, help="Tax included, in the currency of the company: what the limits count."
    )
    is_override = fields.Boolean(
        string="Above the Limit", help="A manager granted more than the limits allow."
    )
    state = fields.Selection(related='note_id.state', string="Credit Note Status")

    # === LIMITS === #

    @api.model
    def _ensure_limits(self, company, partner, amount):
        """Check the limits of the agent (this month) and of the customer (twelve months).

        :param partner: the commercial entity.
        :param float amount: tax included, in the currency of the company.
        :return: True when a manager grants more than the limits allow.
        :rtype: bool
        :raise UserError: when somebody else does.
        """
        # Two grants at once would both find room in the limit.
        guard = self.env['sale.return.guard']
        # sudo: the counter is written on users, which nobody may write.
        guard._take_counter(self.env.user.sudo(), 'sale_return_goodwill_guard')
        guard._take_counter(partner, 'sale_return_goodwill_guard')
        messages = [
            message
            for left, message in (
                self._check_agent(company, amount),
                self._check_customer(company, partner, amount),
            )
            if left is not None and company.currency_id.compare_amounts(amount, left) > 0
        ]
        if not messages:
            return False
        if self.env.user.has_group('sale_return.group_manager'):
            return True
        raise UserError("\n".join(messages))

    @api.model
    def _check_agent(self, company, amount):
        # sudo: the limit of the user.
        limit = self.env.user.sudo().sale_return_goodwill_limit or (
            company.sale_return_goodwill_agent_limit
        )
        left = max(limit - self._get_granted(company, user=self.env.user), 0.0)
        return left, self.env._(
            "%(amount)s is above what you may grant this month: %(left)s of %(limit)s are left. "
            "Ask a manager of Returns to grant it.",
            amount=formatLang(self.env, amount, currency_obj=company.currency_id),
            left=formatLang(self.env, left, currency_obj=company.currency_id),
            limit=formatLang(self.env, limit, currency_obj=company.currency_id),
        )

    @api.model
    def _check_customer(self, company, partner, amount):
        limit = company.sale_return_goodwill_customer_limit
        if not limit:
            return None, ""
        left = max(limit - self._get_granted(company, partner=partner), 0.0)
        return left, self.env._(
            "%(amount)s is above what customer %(customer)s may be granted within twelve months: "
            "%(left)s of %(limit)s are left. Ask a manager of Returns to grant it.",
            amount=formatLang(self.env, amount, currency_obj=company.currency_id),
            customer=partner.display_name,
            left=formatLang(self.env, left, currency_obj=company.currency_id),
            limit=formatLang(self.env, limit, currency_obj=company.currency_id),
        )

    @api.model
    def _get_granted(self, company, user=None, partner=None):
        """Return what a user granted this month, or a customer was granted in twelve months.

        Notes that were cancelled or reversed do not count.

        :rtype: float
        """
        today = company._get_sale_return_day()
        if user:
            domain = [('user_id', '=', user.id), ('date', '>=', today.replace(day=1))]
        else:
            domain = [
                ('partner_id', '=', partner.id),
                ('date', '>', today - relativedelta(months=12)),
            ]
        # sudo: all grants count, also those on documents the user may not read.
        rows = self.sudo().search(
            [*domain, ('company_id', '=', company.id), ('note_id.state', '!=', 'cancel')]
        )
        return sum(row.amount for row in rows if not row.note_id._is_reversed_credit())
