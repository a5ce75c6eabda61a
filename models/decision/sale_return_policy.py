from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...const import OPEN_STATES
from ...tools.context import in_force
from ...tools.regime import REGIMES, get_regime
from .const import CONDITIONS

# Sentences list this many names at most, and count the rest.
MAX_NAMES = 5

# Terms of a policy for the lines it applies to. Open lines keep the old terms.
TERMS = frozenset(
    {
        'regime',
        'window_days',
        'transit_days',
        'expiry_days',
        'decision_days',
        'reminder_days',
        'approval',
        'release_event',
        'inspection_required',
        'default_disposition_id',
        'credit_posting',
        'credit_draft_above',
        'settlement',
        'refund_automatic',
        'refund_shipping',
        'restocking_fee_percent',
        'restocking_fee_fixed',
        'shipping_standard_price',
        'return_freight',
    }
)


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
        string="Law",
        required=True,
        default='commercial',
        help=(
            "Which law gives customers a right to return. It adds to the terms of the policy: a "
            "minimum window, permitted deductions, and the deadline for the refund. Commercial "
            "terms: only what was agreed."
        ),
    )
    window_days = fields.Integer(
        string="Days to Ask",
        default=30,
        help=(
            "Days to request a return, from the day the customer received the goods. Later "
            "requests need an approver, unless a rule says otherwise. 0: no limit."
        ),
    )
    transit_days = fields.Integer(
        default=0,
        help=(
            "Days from the delivery order to the customer's door, used when the day the customer "
            "received the goods is not known."
        ),
    )
    expiry_days = fields.Integer(
        default=30, help="Days from the approval within which the goods have to arrive."
    )
    approval = fields.Selection(
        [('none', "Not needed"), ('always', "Always"), ('levels', "By levels")],
        required=True,
        default='none',
        help=(
            "Not needed: a submitted return is approved automatically unless a rule says "
            "otherwise or nothing comes back. Always: one approver decides. By levels: the levels"
            " whose conditions are met decide in turn."
        ),
    )
    level_ids = fields.One2many('sale.return.approval.level', 'policy_id', copy=True)
    level_note = fields.Text(compute='_compute_level_note', help="Summary of its levels.")
    rule_ids = fields.One2many('sale.return.rule', 'policy_id', copy=True)
    decision_days = fields.Integer(
        string="Decide within",
        help="Days after which an undecided request of a customer lapses. 0: never.",
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
        string="Credit after",
        required=True,
        default='inspection',
        help=(
            "What has to happen before a quantity is credited. Goods credited before the "
            "inspection are credited in full: a worse condition found later does not reduce the "
            "credit. The comparison of the books lists the difference."
        ),
    )
    inspection_required = fields.Boolean(
        string="Inspection",
        default=True,
        help="Unticked: the default disposition is applied to received goods at once.",
    )
    default_disposition_id = fields.Many2one(
        'sale.return.disposition', string="What Happens to It", ondelete='restrict'
    )
    credit_posting = fields.Selection(
        [('draft', "Draft"), ('post', "Post")],
        string="Credit Notes",
        required=True,
        default='post',
    )
    currency_id = fields.Many2one('res.currency', compute='_compute_currency_id')
    credit_draft_above = fields.Float(
        help=(
            "Credit notes stay in draft once the customer is credited more than this total (tax "
            "included, in company currency) in the period in which returns count together. 0: no "
            "limit."
        )
    )
    settlement = fields.Selection(
        [
            ('as_paid', "As it was paid, else as credit"),
            ('refund', "Always to the customer"),
            ('on_account', "As credit"),
        ],
        string="Money Back",
        required=True,
        default='as_paid',
        help=(
            "To the customer where they have paid: the return is finished when the amounts paid"
            " are paid back; unpaid amounts lower the open invoice. Always to the customer: the"
            " return is finished when its credit notes are fully settled. As credit: the credit"
            " note stays open for the customer's next invoices."
        ),
    )
    refund_automatic = fields.Boolean(
        string="Refund Automatically",
        help="Unless the money stays as credit: as soon as the credit note is posted the money "
        "goes back by the original online payment where its provider can do that; otherwise a "
        "payment is prepared.",
    )
    refund_shipping = fields.Selection(
        [('never', "Never"), ('full_return', "On full return"), ('always', "Always")],
        string="Shipping Refunded",
        required=True,
        default='never',
    )
    shipping_standard_price = fields.Float(
        help=(
            "Price of the cheapest standard delivery, tax excluded, in company currency. Under "
            "the EU right of withdrawal shipping is refunded up to this price. 0: no limit."
        )
    )
    restocking_fee_percent = fields.Float(
        string="Restocking Fee (%)", help="Percent of the credited price (0–100)."
    )
    restocking_fee_fixed = fields.Float(
        help="Amount per return, tax excluded, in company currency."
    )
    return_freight = fields.Float(
        help=(
            "What the customer owes for bringing the goods back when we pay the carrier: amount "
            "per return, tax excluded, in company currency. It is deducted from the credit note."
        )
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

    # Which policy applies to a line, why, and how its terms are preserved.
    match_note = fields.Char(compute='_compute_match_note')
    overlap_note = fields.Text(
        compute='_compute_overlap_note',
        help="Earlier policies that match some of the same lines; the first one applies.",
    )

    # What the law says through the regime of a policy. The table is `tools/regime.py`.
    regime_note = fields.Text(compute='_compute_regime_note')
    appeal_days = fields.Integer(
        string="Appeal within",
        default=14,
        help=(
            "Days after a refusal within which the customer may appeal against it once; a "
            "different person from the one who refused it decides. 0: refusals are final."
        ),
    )

    # === COMPUTE METHODS === #

    @api.depends('company_id')
    @api.depends_context('company')
    def _compute_currency_id(self):
        for policy in self:
            # sudo: who reads a policy may read in which currency its amounts are.
            policy.currency_id = (policy.company_id or self.env.company).sudo().currency_id

    @api.depends(*CONDITIONS)
    @api.depends_context('lang')
    def _compute_match_note(self):
        for policy in self:
            conditions = [
                f"{self._fields[name]._description_string(self.env)}: "
                f"{policy._describe_condition(name)}"
                for name in CONDITIONS
                if policy[name]
            ]
            policy.match_note = (
                self.env._("It applies to: %(conditions)s.", conditions="; ".join(conditions))
                if conditions
                else self.env._("It applies to every return not covered by an earlier policy.")
            )

    @api.depends('level_ids.sentence')
    @api.depends_context('lang')
    def _compute_level_note(self):
        for policy in self:
            policy.level_note = "\n".join(filter(None, policy.level_ids.mapped('sentence')))

    def _describe_condition(self, name):
        names = self[name].mapped('display_name')
        more = len(names) - MAX_NAMES
        if more > 0:
            return self.env._(
                "%(names)s and %(count)s more", names=", ".join(names[:MAX_NAMES]), count=more
            )
        return ", ".join(names)

    @api.depends('sequence', 'active', *CONDITIONS)
    def _compute_overlap_note(self):
        policies = self.search([])
        for policy in self:
            saved = policy._origin
            position = (policy.sequence, saved.id or float('inf'))
            earlier = policies.filtered(
                lambda other, position=position, saved=saved: (
                    (other.sequence, other.id) < position and other != saved
                )
            )
            earlier = earlier.filtered(lambda other, policy=policy: policy._overlaps(other))
            policy.overlap_note = (
                self.env._(
                    "Lines that also match %(policies)s use that policy: it comes first.",
                    policies=", ".join(f"“{name}”" for name in earlier.mapped('name')),
                )
                if earlier and policy.active
                else False
            )

    def _overlaps(self, other):
        """Tell whether, judging by their conditions, some line could match both policies."""
        return all(
            not self[name] or not other[name] or self._shares(name, other) for name in CONDITIONS
        )

    def _shares(self, name, other):
        mine, others = self[name]._origin, other[name]._origin
        if name in ('product_categ_ids', 'reason_ids'):
            # A record of one may be a parent of a record of the other.
            return any(
                a.parent_path.startswith(b.parent_path) or b.parent_path.startswith(a.parent_path)
                for a in mine
                for b in others
            )
        return bool(mine & others)

    @api.depends('regime', 'settlement', 'release_event')
    def _compute_regime_note(self):
        for policy in self:
            policy.regime_note = policy._describe_regime()

    # === CONSTRAINT METHODS === #

    @api.constrains('inspection_required', 'default_disposition_id')
    def _check_default_disposition(self):
        for policy in self:
            if not policy.inspection_required and not policy.default_disposition_id:
                raise ValidationError(
                    self.env._(
                        "Policy “%(policy)s” requires no inspection, so it needs a default "
                        "disposition: choose what happens to the goods.",
                        policy=policy.name,
                    )
                )

    # === CRUD METHODS === #

    def write(self, vals):
        """Override of `base` to change policies for new returns only.

        Lines under way keep the terms that applied when they were submitted: they continue with an
        archived copy of the old policy.
        """
        if 'regime' in vals and any(policy.regime != vals['regime'] for policy in self):
            self._ensure_regime_complete(vals['regime'])
        if TERMS & vals.keys():
            self._keep_terms(vals)
        return super().write(vals)

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to accept only complete regimes."""
        for vals in vals_list:
            self._ensure_regime_complete(vals.get('regime'))
        return super().create(vals_list)

    @api.model
    def _ensure_regime_complete(self, code):
        """Refuse a regime of which a part has to be done by hand, as the form does.

        Superuser mode passes: such data comes from people who know about that part.

        :param str code: of a regime.
        :raise ValidationError: naming the regime.
        """
        if self.env.su or code not in REGIMES or get_regime(code).complete:
            return
        raise ValidationError(
            self.env._(
                "“%(regime)s” cannot be chosen yet: it is not fully supported. Choose another "
                "law, and apply its terms by hand.",
                regime=dict(self._fields['regime']._description_selection(self.env))[code],
            )
        )

    def _keep_terms(self, vals):
        # Policy by policy: each keeps its own copy, and few are changed at a time.
        for policy in self:
            changed = any(
                policy._fields[name].convert_to_write(policy[name], policy) != vals[name]
                for name in TERMS & vals.keys()
            )
            if not changed:
                continue
            # sudo: users who may change the policy need not see the returns of all its companies.
            lines = (
                self.env['sale.return.line']
                .sudo()
                .search([('policy_id', '=', policy.id), ('state', 'in', OPEN_STATES)])
            )
            if lines:
                lines._write_facts({'policy_id': policy._copy_as_it_was().id})

    def _copy_as_it_was(self):
        self.ensure_one()
        # sudo: terms that applied remain in force, even those that only superusers may choose.
        return self.sudo().copy(
            {
                'name': self.env._(
                    "%(policy)s (until %(date)s)",
                    policy=self.name,
                    date=fields.Date.to_string(fields.Date.context_today(self)),
                ),
                'active': False,
                'rule_ids': False,
                'level_ids': False,
            }
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

    # === MATCH === #

    @api.model
    def _match(self, lines, policies=None):
        """Find the policy that applies to each line: the first one whose conditions all hold.

        First by sequence, then by age, so that the result is deterministic.

        :param lines: `sale.return.line` records, saved or new.
        :param policies: those to try, in their order; by default all that are in force.
        :return: `{line: policy}`, an empty policy where none matches.
        :rtype: dict
        """
        if not lines:
            return {}
        # sudo: every return follows the policies, even if the user may not read them all;
        # `_is_valid_for_line` keeps the companies apart.
        if policies is None:
            policies = in_force(self.sudo()).search([])
        return {
            line: next(
                (policy for policy in policies if policy._is_valid_for_line(line)), self.browse()
            )
            for line in lines
        }

    def _is_valid_for_line(self, line):
        """Tell whether all conditions of the policy hold for a line. Override to add conditions.

        :param line: one `sale.return.line`, saved or new.
        :rtype: bool
        """
        self.ensure_one()
        return all(self._holds(name, line) for name in CONDITIONS if self[name])

    def _holds(self, name, line):
        value = self._get_condition_value(name, line)
        if name == 'reason_ids':
            return value._is_one_of(self.reason_ids)
        if name == 'product_categ_ids':
            return self._has_category(value)
        return bool(value & self[name])

    @api.model
    def _get_condition_value(self, name, line):
        """Return the records of a line that a condition is compared with.

        :param str name: one of `CONDITIONS`.
        :return: records of the model of the condition.
        """
        if name == 'company_id':
            return line.return_id.company_id
        if name == 'product_ids':
            return line.product_id
        if name == 'product_categ_ids':
            return line.product_id.categ_id
        if name == 'reason_ids':
            return line.reason_id
        order = line.sale_line_id.order_id
        partner = line.return_id.partner_id or order.partner_id
        if name == 'partner_category_ids':
            return partner.category_id
        if name == 'country_ids':
            return order.partner_shipping_id.country_id or partner.country_id
        return order.team_id if name == 'team_ids' else order.source_id

    def _has_category(self, category):
        """Tell whether a product category is one of the policy's or below one of them."""
        parents = {int(key) for key in (category.parent_path or '').split('/') if key}
        return bool(parents & set(self.product_categ_ids.ids))

    def _get_match_facts(self, line):
        """Return why the policy applies to a line, as stored on the line.

        :return: `{policy_id, policy, sequence, conditions: {field: value of the line}}`
        :rtype: dict
        """
        if not self:
            return {'policy_id': False, 'policy': False, 'conditions': {}}
        return {
            'policy_id': self.id,
            'policy': self.name,
            'sequence': self.sequence,
            'conditions': {
                name: ", ".join(self._get_condition_value(name, line).mapped('display_name'))
                for name in CONDITIONS
                if self[name]
            },
        }

    @api.model
    def _describe_match(self, facts):
        """Describe in words why a policy applies.

        :param dict facts: as returned by `_get_match_facts`.
        :rtype: str
        """
        if not facts.get('policy_id'):
            return self.env._("No policy applies, so a person decides.")
        conditions = [
            f"{self._fields[name]._description_string(self.env)}: {value}"
            for name, value in facts['conditions'].items()
            if name in self._fields
        ]
        if not conditions:
            return self.env._(
                "“%(policy)s” applies: it covers what no earlier policy does.",
                policy=facts['policy'],
            )
        return self.env._(
            "“%(policy)s” applies. %(conditions)s.",
            policy=facts['policy'],
            conditions="; ".join(conditions),
        )

    # === REGIME === #

    @api.onchange('regime')
    def _onchange_regime(self):
        """Propose the terms that the law requires."""
        if self._get_regime().withhold_until == 'receipt_or_dispatch_proof':
            self.release_event = 'dispatch_proof'
            if self.settlement == 'on_account':
                self.settlement = 'as_paid'
        if self._get_regime().outbound_shipping == 'standard':
            self.refund_shipping = 'full_return'

    def _describe_regime(self):
        """Describe what the law adds to the terms of the policy."""
        self.ensure_one()
        regime = self._get_regime()
        parts = [
            regime.window_days
            and self.env._("The window is at least %(days)s days.", days=regime.window_days),
            regime.window_basis == 'order'
            and self.env._("It starts with the last delivery of the order."),
            not regime.reason_demanded and self.env._("The customer need not give a reason."),
            not regime.allows('restocking_fee') and self.env._("No restocking fee is charged."),
            not regime.allows('grade') and self.env._("Nothing is deducted for the condition."),
            not regime.allows('freight')
            and self.env._("The customer does not pay for the return shipping."),
            regime.refund_days
            and self.env._(
                "The money has to be paid back within %(days)s days.", days=regime.refund_days
            ),
            regime.outbound_shipping == 'standard'
            and self.env._("The standard shipping is refunded when the whole order comes back."),
            *self._get_regime_warnings(),
        ]
        return " ".join(filter(None, parts)) or self.env._("Only the terms of the policy apply.")

    def _get_regime_warnings(self):
        """Describe which terms of the policy give the customer less than the law.

        :return: sentences.
        :rtype: list
        """
        warnings = []
        if self._get_regime().withhold_until != 'receipt_or_dispatch_proof':
            return warnings
        if self.settlement == 'on_account':
            warnings.append(
                self.env._("Attention: the money has to be paid back, not kept on account.")
            )
        if self.release_event == 'inspection':
            warnings.append(
                self.env._(
                    "Attention: the money may be withheld until the goods are back or their "
                    "dispatch is proven, not until their inspection."
                )
            )
        return warnings

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Override of `base` to offer only regimes that are complete in the product.

        The others can be set by people who know what still has to be done by hand.
        """
        result = super().fields_get(allfields, attributes)
        if 'selection' in result.get('regime', {}):
            result['regime']['selection'] = [
                (code, label)
                for code, label in result['regime']['selection']
                if get_regime(code).complete or code not in REGIMES
            ]
        return result

    def _get_regime(self):
        """Return the legal rules that apply; without a policy those of commercial terms.

        :rtype: odoo.addons.sale_return.tools.regime.Regime
        """
        return get_regime(self.regime)

    def _is_deduction_allowed(self, kind):
        """Tell whether the regime lets us withhold something. Override to add kinds.

        :param str kind: `grade` (condition), `restocking_fee` or `freight`.
        :rtype: bool
        """
        return self._get_regime().allows(kind)

    def _get_refund_shipping(self):
        """Return when outbound shipping is refunded, by the policy or the law.

        Directive 2011/83/EU art. 13(1): customers who withdraw from the whole contract get it back.

        :return: `never`, `full_return` or `always`.
        """
        if self._get_regime().outbound_shipping == 'standard' and self.refund_shipping == 'never':
            return 'full_return'
        return self.refund_shipping

    def _is_reason_demanded(self):
        """Tell whether the customer may be required to give a reason."""
        return self._get_regime().reason_demanded
