from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.reader import number, reads, text
from ...tools.verdict import strongest
from .sale_return_rule import OUTCOMES as OUTCOME_LABELS

# Written by the decision only.


class SaleReturnLine(models.Model):
    """What was decided on a line, by which policy and rules, and by whom."""

    _inherit = 'sale.return.line'

    # Why
    policy_facts = fields.Json(
        readonly=True, copy=False, help="Why the policy applies, as it was at the submission."
    )
    policy_explanation = fields.Text(
        string="Why this Policy", compute='_compute_policy_explanation', compute_sudo=True
    )
    verdicts = fields.Json(
        readonly=True, copy=False, help="Verdict of each rule at submission, with its facts."
    )
    verdict_outcome = fields.Selection(
        OUTCOME_LABELS,
        string="Rules say",
        readonly=True,
        copy=False,
        help="The strictest outcome of all rules at submission.",
    )
    verdict_text = fields.Text(
        string="What the Rules say", compute='_compute_verdict_text', compute_sudo=True
    )
    file_ids = fields.One2many('sale.return.file', 'line_id', string="Photos and Files")
    amount_requested = fields.Monetary(
        string="Amount",
        compute='_compute_amount_requested',
        compute_sudo=True,
        help=(
            "Value of what is requested, or was granted, at the prices of the order, tax included."
        ),
    )

    # What
    decision = fields.Selection(
        [
            ('pending', "Open"),
            ('approved', "Approved"),
            ('reduced', "Reduced"),
            ('refused', "Refused"),
        ],
        required=True,
        readonly=True,
        copy=False,
        default='pending',
    )
    decision_reason = fields.Text(
        readonly=True, copy=False, help="Why it was reduced or refused, in words for the customer."
    )
    decided_by_id = fields.Many2one('res.users', readonly=True, copy=False, ondelete='restrict')
    decided_on = fields.Datetime(readonly=True, copy=False)

    # === COMPUTE METHODS === #

    @api.depends('policy_id', 'policy_facts', 'state')
    def _compute_policy_explanation(self):
        policies = self.env['sale.return.policy']
        for line in self:
            facts = line.policy_facts
            if line.state == 'draft' or not facts:
                facts = line.policy_id._get_match_facts(line)
            line.policy_explanation = policies._describe_match(facts)

    @api.depends('verdicts')
    @api.depends_context('lang')
    def _compute_verdict_text(self):
        rules = self.env['sale.return.rule']
        for line in self:
            line.verdict_text = "\n".join(
                rules._get_sentence(verdict['code'], verdict['facts'])
                for verdict in line._get_telling_verdicts()
            )

    def _get_telling_verdicts(self):
        """Return the verdicts that keep the line from passing; all of them where it passes."""
        self.ensure_one()
        verdicts = self.verdicts or []
        return [v for v in verdicts if v['outcome'] != 'authorize'] or [
            v for v in verdicts if v['kind'] != 'approval'
        ]

    def _get_customer_verdicts(self):
        """Return what the rules say, in words for the customer.

        :return: `[{'outcome', 'code', 'text'}]` of the rules that the line does not pass.
        :rtype: list
        """
        self.ensure_one()
        return [
            {'outcome': v['outcome'], 'code': v['code'], 'text': v['customer']}
            for v in self.verdicts or []
            if v['outcome'] != 'authorize' and v['kind'] != 'approval'
        ]

    def _get_customer_reason(self):
        """Return, in words for the customer, why nobody may approve the line."""
        self.ensure_one()
        return "\n".join(
            v['text'] for v in self._get_customer_verdicts() if v['outcome'] == 'refuse'
        )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base`: if no reason may be required, it is “not stated”.

        :raise UserError: without a reason; a note alone is not enough.
        """
        missing = [
            vals
            for vals in vals_list
            if not vals.get('reason_id') and not self.env.context.get('default_reason_id')
        ]
        for vals in missing:
            vals['reason_id'] = self._get_unstated_reason(vals).id
        return super().create(vals_list)

    @api.model
    def _get_unstated_reason(self, vals):
        """Return the reason of a line for which none was given."""
        line = self.new(vals)
        policy = self.env['sale.return.policy']._match(line)[line]
        if policy and not policy._is_reason_demanded():
            return self.env.ref('sale_return.reason_not_stated')
        if not line.product_id:
            raise UserError(
                self.env._("Choose a reason for the return of each product. A note is not enough.")
            )
        raise UserError(
            self.env._(
                "Choose a reason for the return of %(product)s. A note is not enough.",
                product=line.product_id.display_name,
            )
        )

    def unlink(self):
        """Override of `base` to delete the files of draft lines with them."""
        self.check_access('unlink')
        self._ensure_draft()
        self.file_ids.unlink()
        return super().unlink()

    # === AMOUNTS === #

    @api.depends(
        'sale_line_id', 'product_id', 'qty_requested', 'qty_authorized', 'decision', 'state'
    )
    def _compute_amount_requested(self):
        for line in self:
            refused = line.state == 'refused'  # the requested quantity, nothing is granted
            line.amount_requested = line.currency_id.round(
                line._get_requested_amount(
                    line.currency_id, quantity=line.qty_requested if refused else None
                )
            )

    def _get_requested_amount(self, currency, quantity=None):
        """Return the value of what is requested (or was granted), tax included.

        An estimate at the order's prices: the credit is computed from the invoice.

        :param currency: `res.currency` of the answer, converted at the rate of the day.
        :param float quantity: in the unit of the line; by default what is requested.
        :rtype: float
        """
        self.ensure_one()
        quantity = self._get_qty_wanted() if quantity is None else quantity
        # sudo: users who submit a return need not read orders.
        sale_line = self.sale_line_id.sudo()
        if not sale_line:
            price, own = self.product_id.lst_price, self.company_id.currency_id
        else:
            price, own = sale_line._get_return_price(), sale_line.currency_id
        if own == currency:
            return price * quantity
        day = self.return_id._get_day()
        return own._convert(price * quantity, currency, self.company_id, day)

    def _get_qty_wanted(self):
        """Return the total that should come, before anything is written off.

        Requested until somebody decides on the line or the return is approved.
        """
        self.ensure_one()
        decided = self.return_id.state in ('approved', 'closed') or self.decision != 'pending'
        return self.qty_authorized if decided else self.qty_requested

    # === WITHOUT GOODS === #

    def _is_without_goods(self):
        """Tell whether the line is credited although nothing comes back.

        Because of its reason, because it is a service, or because the policy lets the customer keep
        it. Its approval is also its acceptance, so it needs a person. Override to add cases.
        """
        self.ensure_one()
        kept = self.policy_id.default_disposition_id.action == 'keep'
        return not self.return_expected or kept

    @api.model
    def _get_qty_promised(self, line):
        """Return what the customer may be promised, if everything that comes is accepted.

        Lines that a person has to decide on without seeing the goods count as nothing.
        """
        decided = line.return_id.state in ('approved', 'closed')
        return self._get_qty_creditable(line) if decided or not line._is_without_goods() else 0.0

    # === TIME === #

    def _get_got_on(self, whole_order=False):
        """Return when the customer got the goods, and how we know.

        The day they arrived, if known, else the day they left plus the transit days of the policy.
        Several deliveries: the last one.

        :param bool whole_order: look at all deliveries of the order.
        :return: `(datetime in UTC, 'customer_received' | 'delivery' | 'order')`
        :rtype: tuple
        """
        self.ensure_one()
        # sudo: users who submit a return need not read deliveries.
        sale_lines = self.sale_line_id.sudo()
        if whole_order:
            sale_lines = sale_lines.order_id.order_line
        transit = timedelta(days=self.policy_id.transit_days)
        moments = [
            (move.picking_id.date_customer_received, 'customer_received')
            if move.picking_id.date_customer_received
            else (move.date + transit, 'delivery')
            for move in sale_lines.move_ids
            if self._is_done(move)
            and move.location_dest_id._is_at_customer()
            and not move.sale_return_line_id
        ]
        if moments:
            return max(moments)
        # Nothing was delivered by a transfer: services, or goods without order yet. sudo: users who
        # submit a return need not read orders.
        ordered = self.sale_line_id.sudo().order_id.date_order
        return ordered or self.return_id._get_moment() or fields.Datetime.now(), 'order'

    def _is_done(self, move):
        """Tell whether a move was done by the day as of which facts count."""
        moment = self.return_id._get_moment()
        if move.state != 'done' or moment is None or move.date <= moment:
            return move.state == 'done'
        return self.company_id._get_sale_return_day(move.date) <= self.return_id._get_day()

    def _is_order_underway(self):
        """Tell whether goods of the order are still to be delivered."""
        self.ensure_one()
        moment = self.return_id._get_moment()
        # sudo: users who submit a return need not read deliveries.
        return any(
            move.state != 'cancel'
            and (moment is None or move.create_date <= moment)
            and not self._is_done(move)
            and move.location_dest_id._is_at_customer()
            and not move.sale_return_line_id
            for move in self.sale_line_id.sudo().order_id.order_line.move_ids
        )

    # === FREEZE === #

    def _freeze_policy(self):
        """Find the policies again and store them, with why, on lines about to be submitted."""
        policies = self.env['sale.return.policy']._match(self)
        for line, policy in policies.items():
            # One write per line: each has its own facts. They are flushed together.
            vals = {'policy_facts': policy._get_match_facts(line)}
            if line.policy_id != policy:
                vals['policy_id'] = policy.id
            line._write_facts(vals)

    def _keep_verdicts(self, verdicts):
        """Store the verdicts of the rules.

        :param dict verdicts: `{line: [dict]}` of `sale.return.decision._get_verdicts`.
        """
        for line in self:
            outcome = strongest(v['outcome'] for v in verdicts[line])
            # One write per line: each has its own facts. They are flushed together.
            line._write_facts({'verdicts': verdicts[line], 'verdict_outcome': outcome})

    def _reset_decision(self):
        """Clear what was decided: the return is a draft again."""
        self._write_facts(
            {
                'verdicts': False,
                'verdict_outcome': False,
                'policy_facts': False,
                'decision': 'pending',
                'decision_reason': False,
                'decided_by_id': False,
                'decided_on': False,
                'qty_authorized': 0.0,
            }
        )

    # === ACTION METHODS === #

    @reads(quantity=number, reason=text)
    def action_authorize(self, quantity=None, reason=None):
        """Approve these lines of a submitted return, all that is requested or a part of it.

        The return itself is approved by `action_approve`.

        :param float quantity: what is approved, in the unit of the line; all by default.
        :param str reason: why not all of it, required where less is approved.
        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: when the quantity is out of range, or the return is not submitted.
        """
        self._ensure_decidable()
        for line in self:
            granted = line.qty_requested if quantity is None else quantity
            if isinstance(granted, int | float) and not isinstance(granted, bool):
                granted = line._get_measure().interpret(granted, whole=line.qty_requested)
            line._ensure_grantable(granted, reason)
            line._decide(granted, reason)
        self.return_id._after_line_decisions()
        return True

    @reads(reason=text)
    def action_refuse(self, reason=None):
        """Refuse these lines of a submitted return; when all are refused, so is the return.

        :param str reason: why, required.
        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: without a reason, or when the return is not submitted.
        """
        self._ensure_decidable()
        self.return_id._ensure_explained(reason, self.env._("Enter why the products are refused."))
        for line in self:
            line._decide(0.0, reason)
        self.return_id._after_line_decisions(reason)
        return True

    def action_open_decision(self):
        """Open the dialog that reduces or refuses the line."""
        self.ensure_one()
        self.env['sale.return']._ensure_group('group_approver')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Decide on %(product)s", product=self.product_id.display_name),
            'res_model': 'sale.return.decide',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_line_id': self.id},
        }

    def action_view_similar(self):
        """Show how goods of the same category were decided on for the same reason.

        :return: the action of the list, without the lines of this return.
        :rtype: dict
        :raise AccessError: when the user is no approver.
        """
        self.ensure_one()
        self.env['sale.return']._ensure_group('group_approver')
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_line_action_similar'
        )
        # sudo: who decides need not read products.
        category = self.sudo().product_id.categ_id
        return action | {
            'domain': [
                ('return_id', '!=', self.return_id.id),
                ('reason_id', '=', self.reason_id.id),
                ('product_id.categ_id', '=', category.id),
                ('state', 'in', ('approved', 'refused', 'closed')),
            ]
        }

    def _ensure_decidable(self):
        returns = self.return_id
        returns._ensure_group('group_approver')
        returns.check_access('write')
        returns._ensure_state(
            ('submitted',), self.env._("Return %(returns)s cannot be decided line by line.")
        )
        returns._ensure_may_decide()
        for sale_return in returns:
            if sale_return._has_receipt():
                raise UserError(
                    self.env._(
                        "Goods of return %(return)s are already here or under way. Approve it, "
                        "and decide with the inspection what is accepted.",
                        **{'return': sale_return.name},
                    )
                )

    def _ensure_grantable(self, quantity, reason):
        """Refuse a quantity that cannot be approved.

        :raise UserError: naming the product.
        """
        self.ensure_one()
        if self.verdict_outcome == 'refuse':
            raise UserError(
                self.env._(
                    "%(product)s is refused by the rules, which nobody may overrule: %(verdicts)s",
                    product=self.product_id.display_name,
                    verdicts=self.verdict_text,
                )
            )
        compare = self._get_measure().compare
        number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
        if not number or not 0 < quantity <= self.qty_requested:
            raise UserError(
                self.env._(
                    "For %(product)s, more than 0 and up to %(requested)s can be approved.",
                    product=self.product_id.display_name,
                    requested=self.qty_requested,
                )
            )
        if compare(quantity, self.qty_requested) < 0:
            self.return_id._ensure_explained(
                reason, self.env._("Enter why less is approved than requested.")
            )

    def _decide(self, quantity, reason=None):
        """Store what was decided on one line.

        :param float quantity: what is approved, in the unit of the line; 0 refuses it.
        :param str reason: why not all of it.
        """
        self.ensure_one()
        compare = self._get_measure().compare
        if compare(quantity, 0.0) <= 0:
            decision = 'refused'
        else:
            decision = 'reduced' if compare(quantity, self.qty_requested) < 0 else 'approved'
        self._write_facts(
            {
                'decision': decision,
                'decision_reason': reason,
                'decided_by_id': self.env.uid,
                'decided_on': fields.Datetime.now(),
                'qty_authorized': quantity,
            }
        )
        labels = dict(self._fields['decision']._description_selection(self.env))
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': self.return_id.id,
                    'line_id': self.id,
                    'kind': 'line_decided',
                    'reason': reason,
                    'details': f"{labels[decision]}: {quantity:g} / "
                    f"{self.product_uom_id._say(self.qty_requested)}",
                }
            ]
        )
