from datetime import timedelta

from odoo import api, fields, models
from odoo.tools.misc import format_amount

from ...tools.past import Past

# How many days and lines are searched for returns that a changed rule would have affected.
PAST_DAYS, PAST_LINES = 90, 500

# Fields that the sentences use besides the parameters.
TERMS = ('outcome', 'policy_id.window_days', 'policy_id.regime')


class SaleReturnRule(models.Model):
    """What a rule says, in sentences, and which returns it would have affected."""

    _inherit = 'sale.return.rule'

    sentence = fields.Char(string="Says", compute='_compute_sentence')
    past_note = fields.Char(compute='_compute_past_note')

    # === COMPUTE METHODS === #

    @api.depends(lambda self: (*self._get_parameters(), *TERMS))
    @api.depends_context('lang')
    def _compute_sentence(self):
        for rule in self:
            names = [*rule.reason_ids.mapped('name'), *rule.product_categ_ids.mapped('name')]
            only = self.env._("Only for: %(names)s.", names=", ".join(names)) if names else ""
            parts = (rule._describe_kind(), rule._describe_outcome(), only)
            rule.sentence = " ".join(filter(None, parts))

    @api.depends(lambda self: (*self._get_parameters(), *TERMS))
    @api.depends_context('lang', 'uid', 'allowed_company_ids')
    def _compute_past_note(self):
        for rule in self:
            looked_at, met = rule._find_past()
            rule.past_note = (
                self.env._(
                    "In the last %(days)s days it would have affected %(met)s of %(count)s "
                    "returns.",
                    days=PAST_DAYS,
                    met=len(met),
                    count=len(looked_at),
                )
                if looked_at
                else False
            )

    # === ACTION METHODS === #

    def action_view_past(self):
        """Show the recent returns that the rule would have affected.

        :return: the action of the list.
        :rtype: dict
        """
        self.ensure_one()
        self.check_access('read')
        _looked_at, met = self._find_past()
        action = self.env['ir.actions.act_window']._for_xml_id('sale_return.sale_return_action')
        name = self.env._("Affected by “%(rule)s”", rule=self.name)
        domain = [('id', 'in', met.ids)]
        return {**action, 'name': name, 'display_name': name, 'domain': domain, 'context': {}}

    # === PAST === #

    @api.model
    def _get_parameters(self):
        """Return the fields with parameters of the rule. Override to add those of more kinds."""
        return (
            *('kind', 'reason_ids', 'product_categ_ids'),
            *('days', 'window_basis', 'day_type', 'timezone'),
            *('product_ids', 'product_tag_ids', 'excluded_categ_ids'),
            *('exception_code', 'proof_required'),
            *('amount', 'currency_id', 'value_basis', 'quantity'),
            *('photo_count', 'return_count', 'period_days'),
        )

    def _find_past(self):
        """Evaluate the rule, as it is on the screen, on recent returns.

        :return: the returns of its policy that were checked, and those that it affects.
        :rtype: tuple
        """
        self.ensure_one()
        returns = self.env['sale.return']
        policies = self._get_past_policies()
        if not policies or self._get_missing_parameter():
            return returns, returns
        since = fields.Datetime.now() - timedelta(days=PAST_DAYS)
        # Lines under way may have a copy of the old policy; the facts name the original.
        lines = (
            self.env['sale.return.line']
            .search(
                [
                    ('return_id.create_date', '>=', since),
                    ('state', 'not in', ('draft', 'cancelled')),
                    ('policy_id', '!=', False),
                ],
                order='id DESC',
                limit=PAST_LINES,
            )
            .filtered(
                lambda line: (
                    {line.policy_id.id, (line.policy_facts or {}).get('policy_id')}
                    & set(policies.ids)
                )
            )
        )
        past = Past(self._find_requests(lines.return_id))
        verdicts = self._get_verdicts(lines.with_context(sale_return_past=past))
        met = [line.id for line, said in verdicts.items() if said['outcome'] != 'authorize']
        return lines.return_id, lines.browse(met).return_id

    def _get_past_policies(self):
        """Return the policies whose recent returns are checked. Override to add policies."""
        self.ensure_one()
        return self.policy_id._origin

    @api.model
    def _find_requests(self, returns):
        """Return when returns were last requested, as far as it is known.

        :return: `{return id: datetime}`
        :rtype: dict
        """
        # sudo: only days are read, and who sets up rules may see no log of a return.
        rows = (
            self.env['sale.return.event']
            .sudo()
            ._read_group(
                [('return_id', 'in', returns.ids), ('state_to', '=', 'submitted')],
                ['return_id'],
                ['date:max'],
            )
        )
        return {sale_return.id: moment for sale_return, moment in rows}

    # === WORDS === #

    def _describe_kind(self):
        """Describe what passes, or what is excluded. Override to describe more kinds.

        :rtype: str
        """
        self.ensure_one()
        describe = getattr(self, f'_describe_{self.kind}', None)
        return describe() if describe else self.name or ""

    def _describe_outcome(self):
        """Describe what happens to lines that do not pass.

        :rtype: str
        """
        self.ensure_one()
        if self.kind == 'excluded':
            return {
                'authorize': self.env._("They are allowed anyway."),
                'review': self.env._("A person decides on them."),
                'refuse_overridable': self.env._(
                    "They are refused, and an approver may overrule that."
                ),
                'refuse': self.env._("They are refused."),
            }.get(self.outcome, "")
        return {
            'authorize': self.env._("Otherwise it is allowed anyway."),
            'review': self.env._("Otherwise a person decides."),
            'refuse_overridable': self.env._(
                "Otherwise it is refused, and an approver may overrule that."
            ),
            'refuse': self.env._("Otherwise it is refused."),
        }.get(self.outcome, "")

    def _describe_window(self):
        days = self.policy_id._get_regime().get_window_days(self.days or self.policy_id.window_days)
        if not days:
            return self.env._("Customers may request returns at any time.")
        whole_order = 'order' in (self.window_basis, self.policy_id._get_regime().window_basis)
        if self.day_type == 'working':
            if whole_order:
                return self.env._(
                    "Customers have %(days)s working days after they received the last goods of"
                    " the order.",
                    days=days,
                )
            return self.env._(
                "Customers have %(days)s working days after they received the goods.", days=days
            )
        if whole_order:
            return self.env._(
                "Customers have %(days)s days after they received the last goods of the order.",
                days=days,
            )
        return self.env._("Customers have %(days)s days after they received the goods.", days=days)

    def _describe_excluded(self):
        names = ", ".join(
            [
                *self.product_ids.mapped('display_name'),
                *self.excluded_categ_ids.mapped('display_name'),
                *self.product_tag_ids.mapped('display_name'),
            ]
        )
        if not names:
            return self.env._("Nothing is excluded yet.")
        if self.proof_required:
            return self.env._(
                "Excluded if the buyer agreed to it when buying: %(names)s.", names=names
            )
        return self.env._("Excluded: %(names)s.", names=names)

    def _describe_value(self):
        amount = format_amount(self.env, self.amount, self.currency_id)
        if self.value_basis == 'line':
            return self.env._("Lines worth up to %(amount)s are allowed.", amount=amount)
        return self.env._("Returns worth up to %(amount)s are allowed.", amount=amount)

    def _describe_quantity(self):
        return self.env._(
            "Up to %(quantity)s of a product are allowed in one return.",
            quantity=f"{self.quantity:g}",
        )

    def _describe_photo(self):
        count = self.photo_count or 1
        if self.reason_ids:
            return self.env._("Photos needed: %(count)s.", count=count)
        return self.env._("Photos needed where the reason requires them: %(count)s.", count=count)

    def _describe_history(self):
        return self.env._(
            "Customers may have up to %(count)s other returns in %(days)s days.",
            count=self.return_count,
            days=self.period_days or 365,
        )
