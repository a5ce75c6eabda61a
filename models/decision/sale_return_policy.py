from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SaleReturnPolicy(models.Model):
    """The rules that apply to a group of return lines; the first that matches wins."""

    _name = 'sale.return.policy'
    _inherit = ['sale.return.shared']
    _description = "Return Policy"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10, help="Lower numbers are tried first.")

    # Which lines it applies to: an empty condition matches everything.
    company_id = fields.Many2one('res.company', index=True, help="Empty: for all companies.")
    partner_category_ids = fields.Many2many('res.partner.category', string="Customer Tags")
    country_ids = fields.Many2many('res.country', string="Delivery Countries")
    product_ids = fields.Many2many('product.product', string="Products")
    product_categ_ids = fields.Many2many(
        'product.category',
        string="Product Categories",
        help="Includes the categories below them.",
    )
    reason_ids = fields.Many2many('sale.return.reason', string="Reasons")
    team_ids = fields.Many2many('crm.team', string="Sales Teams")
    source_ids = fields.Many2many(
        'utm.source', string="Channels", help="Source of the order, e.g. the web shop."
    )

    # What it says
    regime = fields.Selection(
        [
            ('commercial', "Commercial terms"),
            ('eu_withdrawal', "EU right of withdrawal"),
            ('cn_seven_days', "China: seven days without reason"),
            ('conformity', "Lack of conformity"),
        ],
        required=True,
        default='commercial',
    )
    window_days = fields.Integer(
        default=30,
        help="Days to ask for a return, from the day the customer got the goods. Later requests "
        "wait for an approver, unless a rule says otherwise. 0: no limit.",
    )
    transit_days = fields.Integer(
        default=0,
        help="Days from the delivery order to the customer's door, used when the day the customer "
        "got the goods is not known.",
    )
    expiry_days = fields.Integer(
        default=30, help="Days from the approval within which the goods have to come."
    )
    approval = fields.Selection(
        [('none', "Not needed"), ('always', "Always"), ('levels', "By levels")],
        required=True,
        default='none',
        help="Not needed: a submitted return is approved by itself unless a rule says otherwise or "
        "nothing comes back. Always: one approver decides. By levels: those whose conditions hold "
        "decide in turn.",
    )
    level_ids = fields.One2many('sale.return.approval.level', 'policy_id', copy=True)
    rule_ids = fields.One2many('sale.return.rule', 'policy_id', copy=True)
    decision_days = fields.Integer(
        string="Decide within",
        help="Days after which a request of a customer that nobody decided on lapses. 0: never.",
    )
    reminder_days = fields.Integer(
        string="Remind before",
        default=7,
        help="Days before the last day to send on which the customer is reminded. 0: never.",
    )
    release_event = fields.Selection(
        [
            ('approval', "Approval"),
            ('dispatch_proof', "Proof of dispatch"),
            ('receipt', "Receipt of the goods"),
            ('inspection', "Inspection of the goods"),
        ],
        required=True,
        default='inspection',
        help="What has to happen before a quantity is credited.",
    )
    inspection_required = fields.Boolean(
        default=True,
        help="Unticked: received goods go straight the way of the default disposition.",
    )
    default_disposition_id = fields.Many2one('sale.return.disposition', ondelete='restrict')
    credit_posting = fields.Selection(
        [('draft', "Draft"), ('post', "Post")], required=True, default='post'
    )
    credit_draft_above = fields.Float(
        help="Credit notes above this total (tax included, in company currency) stay in draft. "
        "0: no limit."
    )
    settlement = fields.Selection(
        [('on_account', "On account"), ('refund', "Pay back")],
        required=True,
        default='on_account',
        help="On account: the credit note stays open for the customer's next invoices. "
        "Pay back: the return is finished when the money is paid back.",
    )
    refund_automatic = fields.Boolean(
        string="Refund Automatically",
        help="With “Pay back”: as soon as the credit note is posted the money goes back by the "
        "original online payment where its provider can do that; otherwise a payment is prepared.",
    )
    refund_shipping = fields.Selection(
        [('never', "Never"), ('full_return', "On full return"), ('always', "Always")],
        required=True,
        default='never',
    )
    shipping_standard_price = fields.Float(
        help="Price of the cheapest standard delivery, tax excluded, in company currency. Under "
        "the EU right of withdrawal no more shipping than this is refunded. 0: no limit."
    )
    restocking_fee_percent = fields.Float(help="Percent of the credited price (0–100).")
    restocking_fee_fixed = fields.Float(
        help="Amount per return, tax excluded, in company currency."
    )
    return_freight = fields.Float(
        help="What the customer owes for bringing the goods back when we pay the carrier: amount "
        "per return, tax excluded, in company currency. It is kept back from the credit note."
    )

    _restocking_fee_range = models.Constraint(
        'CHECK (restocking_fee_percent >= 0 AND restocking_fee_percent <= 100'
        ' AND restocking_fee_fixed >= 0 AND return_freight >= 0)',
        "A restocking fee is a percentage between 0 and 100 or a positive amount, return freight "
        "a positive amount.",
    )
    _days_positive = models.Constraint(
        'CHECK (window_days >= 0 AND transit_days >= 0 AND expiry_days >= 0'
        ' AND COALESCE(decision_days, 0) >= 0 AND COALESCE(reminder_days, 0) >= 0)',
        "The days of a return policy cannot be negative.",
    )

    @api.constrains('inspection_required', 'default_disposition_id')
    def _check_default_disposition(self):
        for policy in self:
            if not policy.inspection_required and not policy.default_disposition_id:
                raise ValidationError(
                    self.env._(
                        "Policy “%(policy)s” asks for no inspection, so it needs a default "
                        "disposition: say what happens to the goods.",
                        policy=policy.name,
                    )
                )

    # === MONEY === #

    def _get_shipping_limit(self):
        """Return the most that is refunded for shipping, None for no limit.

        :return: amount per order, tax excluded, in company currency.
        """
        self.ensure_one()
        standard = self._get_regime().outbound_shipping == 'standard'
        limited = standard and self.shipping_standard_price
        return self.shipping_standard_price if limited else None
