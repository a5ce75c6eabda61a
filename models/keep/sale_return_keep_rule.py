from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SaleReturnKeepRule(models.Model):
    """When goods need not come back: the customer keeps them, and gets something for it.

    All of it is credited by the rule itself, without asking anybody (`all`), or a
    part of it is offered to clerk and customer, who choose it as a resolution (`percent`, `fixed`).
    """

    _name = 'sale.return.keep.rule'
    _inherit = ['sale.return.shared']
    _description = "Returnless Rule"
    _order = 'sequence, id'
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related='company_id.currency_id')
    kind = fields.Selection(
        [
            ('all', "All of it, nothing comes back"),
            ('percent', "Offer a part of the price"),
            ('fixed', "Offer an amount"),
        ],
        string="Customer Gets",
        required=True,
        default='all',
        help="All of it: the rule decides that the goods stay. Offers are chosen by clerk or "
        "customer instead of sending the goods back.",
    )
    percent = fields.Float(help="Share of the sales price of the line, tax included.")
    amount = fields.Monetary(help="Tax included, in the currency of the company.")
    as_store_credit = fields.Boolean(help="It goes to the wallet of the customer, with its bonus.")
    customer_limit = fields.Monetary(
        string="Per Customer and Year",
        help="Limit of this offer per customer within twelve months. 0: no limit.",
    )
    goodwill_reason_id = fields.Many2one(
        'sale.return.reason',
        domain=[('return_class', '=', 'goodwill')],
        check_company=True,
        ondelete='restrict',
        help="The goodwill reason under which offers are credited and counted.",
    )
    value_max = fields.Monetary(
        string="Worth at Most",
        help="Sales price of the line, tax included. 0: any value.",
    )
    way_back_cost = fields.Monetary(
        string="Way Back Costs",
        help=(
            "Cost of bringing the goods back. The rule applies if it exceeds the value recovered "
            "from the goods. 0: not compared."
        ),
    )
    recovery = fields.Float(
        string="Goods Bring",
        help=(
            "Value recovered from the goods once they are back, in percent of the sales price of "
            "the line."
        ),
    )
    reason_ids = fields.Many2many(
        'sale.return.reason', string="Reasons", check_company=True, help="Empty: any reason."
    )
    country_ids = fields.Many2many(
        'res.country', string="Countries", help="Where the goods are. Empty: any country."
    )
    category_ids = fields.Many2many(
        'product.category', string="Product Categories", help="Empty: any product."
    )

    _amounts_positive = models.Constraint(
        'CHECK (value_max >= 0 AND way_back_cost >= 0 AND recovery >= 0 AND recovery <= 100'
        ' AND percent >= 0 AND percent <= 100 AND amount >= 0 AND customer_limit >= 0)',
        "A returnless rule needs amounts of 0 or more, and a percentage between 0 and 100.",
    )

    @api.constrains('kind', 'percent', 'amount', 'goodwill_reason_id')
    def _check_offer(self):
        for rule in self.filtered(lambda rule: rule.kind != 'all'):
            given = rule.percent if rule.kind == 'percent' else rule.amount
            if not given or not rule.goodwill_reason_id:
                raise ValidationError(
                    self.env._(
                        "Enter what customers get by offer “%(rule)s”, and the goodwill reason "
                        "under which it is counted.",
                        rule=rule.name,
                    )
                )

    @api.constrains('kind', 'value_max', 'way_back_cost')
    def _check_limit(self):
        for rule in self.filtered(lambda rule: rule.kind == 'all'):
            if not rule.value_max and not rule.way_back_cost:
                raise ValidationError(
                    self.env._(
                        "Rule “%(rule)s” would let customers keep everything. Enter the maximum"
                        " value of the goods, or the cost of the way back.",
                        rule=rule.name,
                    )
                )

    @api.model
    def _is_on(self):
        """Tell whether returnless rules are switched on in the settings."""
        return self.env['res.groups']._is_feature_enabled('sale_return.group_keep')

    def _find(self, line, offer=False):
        """Return the first of these rules by which a customer keeps what is on a line.

        :param line: one `sale.return.line` in superuser mode, about to be submitted.
        :param bool offer: look for an offer of a part instead.
        :rtype: sale.return.keep.rule
        """
        rules = self.filtered(
            lambda rule: rule.company_id == line.company_id and (rule.kind != 'all') == offer
        )
        if not rules:
            return rules
        currency = line.company_id.currency_id
        value = line._get_requested_amount(currency, line.qty_requested)
        return rules.filtered(lambda rule: rule._applies(line, value))[:1]

    def _get_offered(self, line):
        """Return what a customer gets for keeping what is on a line, in the order's currency.

        :param line: one `sale.return.line` in superuser mode.
        """
        self.ensure_one()
        currency = line.sale_line_id.currency_id
        value = line._get_requested_amount(currency, line.qty_requested)
        if self.kind == 'percent':
            return currency.round(value * self.percent / 100.0)
        amount = self.currency_id._convert(
            self.amount, currency, self.company_id, self.company_id._get_sale_return_day()
        )
        return min(amount, value)

    def _applies(self, line, value):
        """Tell whether a rule applies to a line. Override to add conditions.

        :param float value: what the line was sold for, in the currency of the company.
        """
        self.ensure_one()
        address = line.order_id.partner_shipping_id or line.return_id.partner_id
        category = line.product_id.categ_id
        return (
            (not self.value_max or self.currency_id.compare_amounts(value, self.value_max) <= 0)
            and (
                not self.way_back_cost
                or self.currency_id.compare_amounts(
                    self.way_back_cost, value * self.recovery / 100.0
                )
                > 0
            )
            and (not self.reason_ids or self._is_below(line.reason_id, self.reason_ids))
            and (not self.country_ids or address.country_id in self.country_ids)
            and (not self.category_ids or self._is_below(category, self.category_ids))
        )

    @api.model
    def _is_below(self, record, parents):
        """Tell whether a record is one of these, or below one of them."""
        path = record.parent_path or ''
        return any(path.startswith(parent.parent_path) for parent in parents)
