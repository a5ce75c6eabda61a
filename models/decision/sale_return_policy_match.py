from odoo import api, fields, models

from ...const import OPEN_STATES

# What a policy may ask of a line; an empty condition matches everything.
CONDITIONS = (
    'company_id',
    'partner_category_ids',
    'country_ids',
    'product_ids',
    'product_categ_ids',
    'reason_ids',
    'team_ids',
    'source_ids',
)

# What a policy says about the lines it applies to. Open lines keep it as it was.
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
    """Which policy applies to a line, why, and how it stays what it was."""

    _inherit = 'sale.return.policy'

    overlap_note = fields.Text(
        compute='_compute_overlap_note',
        help="Earlier policies that claim some of the same lines; the first one decides.",
    )

    # === COMPUTE METHODS === #

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
                    "Lines that also fit %(policies)s follow that one: it comes first.",
                    policies=", ".join(f"“{name}”" for name in earlier.mapped('name')),
                )
                if earlier and policy.active
                else False
            )

    def _overlaps(self, other):
        """Tell whether some line could fit both policies, as far as their conditions tell."""
        return all(
            not self[name] or not other[name] or self._shares(name, other) for name in CONDITIONS
        )

    def _shares(self, name, other):
        mine, others = self[name]._origin, other[name]._origin
        if name in ('product_categ_ids', 'reason_ids'):
            # One of them may be above one of the others.
            return any(
                a.parent_path.startswith(b.parent_path) or b.parent_path.startswith(a.parent_path)
                for a in mine
                for b in others
            )
        return bool(mine & others)

    # === CRUD METHODS === #

    def write(self, vals):
        """Override of `base` to change policies for new returns only.

        Lines under way keep the terms that applied when they were submitted: they go on with an
        archived copy of the policy as it was.
        """
        if TERMS & vals.keys():
            self._keep_terms(vals)
        return super().write(vals)

    def _keep_terms(self, vals):
        # Policy by policy: each keeps a copy of its own, and few are changed at a time.
        for policy in self:
            changed = any(
                policy._fields[name].convert_to_write(policy[name], policy) != vals[name]
                for name in TERMS & vals.keys()
            )
            if not changed:
                continue
            # sudo: whoever may change the policy need not see the returns of all its companies.
            lines = (
                self.env['sale.return.line']
                .sudo()
                .search([('policy_id', '=', policy.id), ('state', 'in', OPEN_STATES)])
            )
            if lines:
                lines._write_facts({'policy_id': policy._copy_as_it_was().id})

    def _copy_as_it_was(self):
        self.ensure_one()
        return self.copy(
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

    # === MATCH === #

    @api.model
    def _match(self, lines):
        """Find the policy that applies to each line: the first one whose conditions all hold.

        First by sequence, then by age, so that the answer is always the same one.

        :param lines: `sale.return.line` records, saved or new.
        :return: `{line: policy}`, an empty policy where none matches.
        :rtype: dict
        """
        if not lines:
            return {}
        # sudo: everybody's return follows the policies, also of users who may not read them all;
        # `_is_valid_for_line` keeps the companies apart.
        policies = self.sudo().search([])
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
        """Return what a condition looks at on a line.

        :param str name: one of `CONDITIONS`.
        :return: records of the model of the condition.
        """
        order = line.sale_line_id.order_id
        partner = line.return_id.partner_id or order.partner_id
        if name == 'company_id':
            return line.return_id.company_id
        if name == 'partner_category_ids':
            return partner.category_id
        if name == 'country_ids':
            return order.partner_shipping_id.country_id or partner.country_id
        if name == 'product_ids':
            return line.product_id
        if name == 'product_categ_ids':
            return line.product_id.categ_id
        if name == 'reason_ids':
            return line.reason_id
        return order.team_id if name == 'team_ids' else order.source_id

    def _has_category(self, category):
        """Tell whether a product category is one of the policy's or below one of them."""
        parents = {int(key) for key in (category.parent_path or '').split('/') if key}
        return bool(parents & set(self.product_categ_ids.ids))

    def _get_match_facts(self, line):
        """Say why the policy applies to a line, as it is kept on the line.

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
        """Say in words why a policy applies.

        :param dict facts: what `_get_match_facts` gave.
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
                "“%(policy)s” applies: it claims what no earlier policy does.",
                policy=facts['policy'],
            )
        return self.env._(
            "“%(policy)s” applies. %(conditions)s.",
            policy=facts['policy'],
            conditions="; ".join(conditions),
        )
