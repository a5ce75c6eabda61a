from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL
from odoo.tools.misc import format_amount

from ...tools.context import get_own
from ...tools.past import Past
from .const import APPROVER_TYPES


class SaleReturnApprovalLevel(models.Model):
    """One level of approval of a policy: when it is needed, and who decides."""

    _name = 'sale.return.approval.level'
    _inherit = ['sale.return.shared']
    _description = "Return Approval Level"
    _order = 'sequence, id'
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10, help="Levels decide in turn, lower numbers first.")
    policy_id = fields.Many2one('sale.return.policy', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='policy_id.company_id', store=True, index=True)

    # When it is needed: an empty condition matches everything.
    amount_from = fields.Monetary(
        string="From",
        help=(
            "Value, tax included, from which the level is needed: of the return and other "
            "returns of its customer in the period in which returns count together, see the "
            "settings."
        ),
    )
    amount_to = fields.Monetary(
        string="Below", help="Value from which it is no longer needed. 0: no upper limit."
    )
    sentence = fields.Char(string="Says", compute='_compute_sentence')
    currency_id = fields.Many2one(
        'res.currency',
        default=lambda self: self.env.company.currency_id,
        required=True,
        ondelete='restrict',
    )
    reason_ids = fields.Many2many('sale.return.reason', string="Reasons")
    product_categ_ids = fields.Many2many(
        'product.category', string="Categories", help="Includes those below them."
    )

    # Who decides
    approver_type = fields.Selection(
        APPROVER_TYPES,
        string="Decided by",
        required=True,
        default='group',
        help="The requester's manager is the one of their employee, else the leader of their "
        "sales team. Nobody decides on their own request, nor on two levels of one return.",
    )
    user_id = fields.Many2one(
        'res.users', string="Approver", domain=[('share', '=', False)], ondelete='restrict'
    )
    group_id = fields.Many2one(
        'res.groups',
        ondelete='restrict',
        help="Every member of this group with the role of approver. Empty: every approver.",
    )

    _amounts_positive = models.Constraint(
        'CHECK (COALESCE(amount_from, 0) >= 0 AND COALESCE(amount_to, 0) >= 0)',
        "The amounts of an approval level cannot be negative.",
    )

    @api.depends('amount_from', 'amount_to', 'currency_id', 'approver_type', 'user_id', 'group_id')
    @api.depends_context('lang')
    def _compute_sentence(self):
        for level in self:
            level.sentence = level._describe()

    def _describe(self):
        """Describe when the level is needed and who decides.

        :rtype: str
        """
        self.ensure_one()
        words = {
            'who': self._describe_approver(),
            'low': format_amount(self.env, self.amount_from, self.currency_id),
            'high': format_amount(self.env, self.amount_to, self.currency_id),
        }
        if not self.amount_from and not self.amount_to:
            return self.env._("For any value. Who decides: %(who)s.", **words)
        if not self.amount_to:
            return self.env._("From %(low)s, without upper limit. Who decides: %(who)s.", **words)
        return self.env._("From %(low)s to below %(high)s. Who decides: %(who)s.", **words)

    def _describe_approver(self):
        if self.approver_type == 'user':
            return self.user_id.name or self.env._("Somebody")
        if self.approver_type == 'manager':
            return self.env._("The requester's manager")
        # sudo: managers of Returns may choose a group that they do not administer.
        group = self.sudo().group_id
        if group:
            return self.env._("An approver of the group %(group)s", group=group.name)
        return self.env._("An approver")

    @api.constrains('approver_type', 'user_id')
    def _check_user(self):
        for level in self.filtered(lambda l: l.approver_type == 'user'):
            if not level.user_id:
                raise ValidationError(
                    self.env._("Choose who decides on level “%(level)s”.", level=level.name)
                )
            # sudo: managers of Returns need not read the groups of their colleagues.
            if not level.user_id.sudo().has_group('sale_return.group_approver'):
                raise ValidationError(
                    self.env._(
                        "%(user)s does not have the role of approver in Returns, so level "
                        "“%(level)s” would wait forever. Give them the role first.",
                        user=level.user_id.name,
                        level=level.name,
                    )
                )

    @api.constrains('amount_from', 'amount_to')
    def _check_amounts(self):
        for level in self:
            if level.amount_to and level.amount_to <= level.amount_from:
                raise ValidationError(
                    self.env._(
                        "Level “%(level)s” does not apply to any amount: its upper limit is "
                        "below its lower one.",
                        level=level.name,
                    )
                )

    def _get_applicable(self, sale_return):
        """Return the levels that a return needs, in the order in which they decide.

        :param sale_return: one `sale.return`.
        """
        lines = sale_return.line_ids.filtered(lambda line: line.decision != 'refused')
        return self.filtered(
            lambda level: level._has_amount(sale_return) and any(map(level._is_for_line, lines))
        )

    def _has_amount(self, sale_return):
        """Tell whether the value of a whole return is in the range of the level.

        Other returns of its customer, or of its orders, in the period are added: splitting a return
        does not avoid a level.
        """
        self.ensure_one()
        amount = sale_return._get_amount_of_period(self.currency_id) + sum(
            line._get_requested_amount(self.currency_id)
            for line in sale_return.line_ids
            if line.decision != 'refused'
        )
        compare = self.currency_id.compare_amounts
        return compare(amount, self.amount_from) >= 0 and (
            not self.amount_to or compare(amount, self.amount_to) < 0
        )

    def _is_for_line(self, line):
        """Tell whether the level applies to a line. Override to add conditions."""
        self.ensure_one()
        if line.policy_id != self.policy_id:
            return False
        categories = {
            int(key) for key in (line.product_id.categ_id.parent_path or '').split('/')[:-1]
        }
        return (not self.reason_ids or line.reason_id._is_one_of(self.reason_ids)) and (
            not self.product_categ_ids or bool(categories & set(self.product_categ_ids.ids))
        )

    def _prepare_step_vals(self, sale_return):
        """Prepare the step of a return that waits for this level. Override to add values.

        Who decides is fixed now: changes of a level apply to new returns only.

        :param sale_return: one `sale.return`.
        :rtype: dict
        """
        self.ensure_one()
        user = self.user_id if self.approver_type == 'user' else self.env['res.users']
        if self.approver_type == 'manager':
            user = sale_return._get_requester_manager()
        return {
            'return_id': sale_return.id,
            'level_id': self.id,
            'name': self.name,
            'sequence': self.sequence,
            'approver_type': self.approver_type,
            'user_id': user.id,
            'group_id': self.group_id.id if self.approver_type == 'group' else False,
        }

    # === PERIOD === #

    @api.model
    def _get_period_amounts(self, sale_return):
        """Return the `period_amounts` of a return as of when facts count.

        Those of the past are no field: a cache that depends on a context fails on what clients
        send in it.

        :param sale_return: one `sale.return`.
        :rtype: dict
        """
        # sudo: all returns of the customer count, also when the customer calls this.
        sale_return = sale_return.sudo()
        past = get_own(sale_return.env, 'sale_return_past', Past)
        if past is None:
            return sale_return.period_amounts or {}
        if sale_return.id not in past.amounts:
            returns = sale_return.browse(sale_return._prefetch_ids)
            found = self._find_period_amounts(returns)
            past.amounts |= {found_id: found.get(found_id, {}) for found_id in returns.ids}
        return past.amounts[sale_return.id]

    @api.model
    def _find_period_amounts(self, returns):
        """Return the values of the other returns that count together with each, in one query.

        :param returns: `sale.return` records.
        :return: `{return id: {currency id: amount}}`, tax included.
        :rtype: dict
        """
        if not returns.ids:
            return {}  # unsaved returns are evaluated when they are submitted
        self._flush_amounts()
        past, now = bool(returns[:1]._get_moment()), fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """
                SELECT own.id, sold.currency_id, SUM(
                           CASE WHEN %(decided)s
                                  OR %(state)s IN ('approved', 'closed')
                                THEN line.qty_authorized ELSE line.qty_requested
                            END
                           * CASE WHEN sold.product_uom_qty = 0
                                  THEN sold.price_unit * (1 - COALESCE(sold.discount, 0) / 100)
                                  ELSE sold.price_reduce_taxinc
                              END
                       )::float8
                  FROM UNNEST(%(ids)s::int[], %(moments)s::timestamp[]) AS asked (id, moment)
                  JOIN sale_return own ON own.id = asked.id
                  JOIN res_company company ON company.id = own.company_id
                                          AND company.sale_return_period_days > 0
                  JOIN res_partner customer ON customer.id = own.partner_id
                  JOIN sale_return other ON other.id <> own.id
                                        AND other.company_id = own.company_id
                                        AND %(together)s
                  JOIN sale_return_line line ON line.return_id = other.id
                  JOIN sale_order_line sold ON sold.id = line.sale_line_id
                 WHERE %(state)s IN ('submitted', 'approved', 'closed')
                   AND EXISTS (
                           SELECT
                             FROM sale_return_event event
                            WHERE event.return_id = other.id
                              AND event.state_to = 'submitted'
                              AND %(until)s
                              AND event.date >= asked.moment
                                  - company.sale_return_period_days * INTERVAL '1 day'
                       )
              GROUP BY own.id, sold.currency_id
                """,
                together=self._get_together_sql(),
                ids=returns.ids,
                moments=[r._get_moment() or now for r in returns._origin],
                state=self._get_past_state_sql() if past else SQL("other.state"),
                decided=SQL("line.decided_on <= asked.moment")
                if past
                else SQL("line.decision <> 'pending'"),
                until=SQL("event.date <= asked.moment") if past else SQL("TRUE"),
            )
        )
        amounts = {}
        for return_id, currency_id, amount in self.env.cr.fetchall():
            amounts.setdefault(return_id, {})[str(currency_id)] = amount
        return amounts

    @api.model
    def _flush_amounts(self):
        self.env['sale.return'].flush_model(['state', 'partner_id', 'company_id'])
        self.env['sale.return.line'].flush_model(
            ['decision', 'qty_authorized', 'qty_requested', 'sale_line_id', 'order_id']
        )
        self.env['sale.order.line'].flush_model(
            ['price_reduce_taxinc', 'price_unit', 'discount', 'product_uom_qty', 'currency_id']
        )
        self.env['sale.return.event'].flush_model(['return_id', 'state_to', 'date'])

    @api.model
    def _get_past_state_sql(self):
        """Return the state that a return had when another one was requested.

        Of imported returns nothing was logged: they have had their state since they were created.
        """
        return SQL(
            """
            COALESCE((
                SELECT event.state_to
                  FROM sale_return_event event
                 WHERE event.return_id = other.id
                   AND event.state_to IS NOT NULL
                   AND event.date <= asked.moment
              ORDER BY event.id DESC
                 LIMIT 1
            ), CASE
                   WHEN other.create_date > asked.moment OR EXISTS (
                            SELECT
                              FROM sale_return_event event
                             WHERE event.return_id = other.id AND event.state_to IS NOT NULL
                        )
                   THEN 'draft'
                   ELSE other.state
               END)
            """
        )

    @api.model
    def _get_together_sql(self):
        """Return the other returns of the customer or orders that count with a return."""
        return SQL(
            """
            other.id IN (
                SELECT sibling.id
                  FROM sale_return sibling
                  JOIN res_partner person ON person.id = sibling.partner_id
                 WHERE person.commercial_partner_id = customer.commercial_partner_id
                 UNION
                SELECT sibling_line.return_id
                  FROM sale_return_line sibling_line
                  JOIN sale_return_line own_line ON own_line.order_id = sibling_line.order_id
                 WHERE own_line.return_id = own.id
            )
            """
        )
