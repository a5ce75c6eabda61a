from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang

from ...tools.context import in_force


class SaleReturnLine(models.Model):
    """Goods that customers keep: because of a rule, or for a part of their price."""

    _inherit = 'sale.return.line'

    resolution = fields.Selection(
        selection_add=[('keep', "Keeps it for a part")],
        ondelete={'keep': lambda lines: lines._write_facts({'resolution': 'refund'})},
    )
    keep_rule_id = fields.Many2one(
        'sale.return.keep.rule',
        string="Kept by",
        compute='_compute_return_expected',
        store=True,
        index='btree_not_null',
        ondelete='restrict',
        help="The rule or offer by which the customer keeps the goods; fixed with the submission.",
    )
    keep_currency_id = fields.Many2one(
        related='sale_line_id.currency_id', string="Currency of the Order"
    )
    keep_amount = fields.Monetary(
        string="For Keeping It",
        compute='_compute_return_expected',
        store=True,
        currency_field='keep_currency_id',
        help="What the customer gets for keeping the goods, tax included; they send nothing back.",
    )
    keep_note_id = fields.Many2one(
        'account.move',
        string="Credited for Keeping It",
        readonly=True,
        copy=False,
        index='btree_not_null',
        ondelete='set null',
    )

    # === COMPUTE METHODS === #

    @api.depends('qty_requested', 'resolution', 'sale_line_id', 'return_id.company_id')
    def _compute_return_expected(self):
        result = super()._compute_return_expected()
        # sudo: users who enter a return need not read orders and rules.
        rules = in_force(self.env['sale.return.keep.rule'].sudo())
        rules = rules.search([]) if rules._is_on() else rules
        for line in self:
            if line.state not in (False, 'draft') and line._origin:
                # Fixed with the submission.
                line.keep_rule_id, line.keep_amount = line.keep_rule_id, line.keep_amount
                continue
            keeps = line.resolution == 'keep'
            rule = rules._find(line.sudo(), offer=keeps) if line._is_keepable() else rules.browse()
            line.keep_rule_id = rule
            line.keep_amount = rule._get_offered(line.sudo()) if rule and keeps else 0.0
            if rule or keeps:
                line.return_expected = False
        return result

    def _is_keepable(self):
        """Tell whether a rule may decide that the goods of a line stay with the customer."""
        return bool(
            self.return_expected
            and self.resolution in ('refund', 'store_credit', 'keep')
            and self.sale_line_id
            and self.qty_requested > 0
        )

    def _get_customer_wish(self):
        """Extend to say what they get for keeping it."""
        if self.resolution != 'keep':
            return super()._get_customer_wish()
        # sudo: customers see what they get, and not the currency's settings.
        amount = self.sudo().keep_currency_id.format(self.keep_amount)
        return self.env._("Keep it and get %(amount)s back", amount=amount)

    @api.model
    def _get_hidden_resolutions(self):
        """Extend to hide it where it is switched off."""
        hidden = super()._get_hidden_resolutions()
        return hidden if self._has_keep_offers() else hidden | {'keep'}

    @api.model
    def _has_keep_offers(self):
        # sudo: whether there is an offer is no secret.
        rules = in_force(self.env['sale.return.keep.rule'].sudo())
        offers = [('kind', '!=', 'all'), ('company_id', 'in', self.env.companies.ids)]
        return rules._is_on() and bool(rules.search_count(offers, limit=1))

    # === GUARDS === #

    def _ensure_submittable(self, returns):
        """Extend to refuse offers that do not exist, or that were accepted before.

        :raise UserError: naming the product and what to do.
        """
        result = super()._ensure_submittable(returns)
        for line in self.filtered(lambda line: line.resolution == 'keep'):
            # sudo: whether it is offered does not depend on what the clerk may read.
            line.sudo()._ensure_keep_offered()
        return result

    def _ensure_keep_offered(self):
        """Refuse a part that is not offered. To be called in superuser mode.

        :raise UserError: naming the product and what to do.
        """
        self.ensure_one()
        if self.keep_rule_id.as_store_credit:
            self.env['sale.return.wallet']._ensure_possible(
                self.company_id, self.sale_line_id.currency_id
            )
        if self.keep_rule_id.customer_limit:
            # Two concurrent transactions would both be within the limit.
            self.env['sale.return.guard']._take_customers(
                self.return_id.partner_id.commercial_partner_id
            )
        if problem := self._find_keep_problem():
            raise UserError(problem)

    def _find_keep_problem(self):
        """Return why nothing can be given for keeping the goods. Of a draft in memory, too.

        To be called in superuser mode.

        :return: a sentence that names the product and what to do; None if it can.
        :rtype: str | None
        """
        self.ensure_one()
        values = {'product': self.product_id.display_name}
        if not self.keep_rule_id:
            return self.env._(
                "Nothing is offered for keeping %(product)s. Choose a refund, or grant goodwill.",
                **values,
            )
        taken = self.search(
            [
                ('sale_line_id', '=', self.sale_line_id.id),
                ('resolution', '=', 'keep'),
                *self._get_other_offers(),
            ],
            limit=1,
        )
        if taken:
            return self.env._(
                "The offer for keeping %(product)s was already accepted with return %(return)s. "
                "It is granted only once.",
                **{'return': taken.return_id.name, **values},
            )
        return self._find_keep_excess()

    def _get_other_offers(self):
        """Return a domain of other lines whose offer was accepted, and may still be granted."""
        return [
            ('id', '!=', self._origin.id),
            ('state', 'not in', ('draft', 'refused', 'cancelled')),
            ('decision', '!=', 'refused'),
        ]

    def _find_keep_excess(self):
        """Return why it is more than one customer gets by an offer within twelve months.

        :return: a sentence that names the customer, the offer and what is left; None if it is not.
        :rtype: str | None
        """
        rule, company = self.keep_rule_id, self.company_id
        if not rule.customer_limit:
            return None
        customer = self.return_id.partner_id.commercial_partner_id
        today = company._get_sale_return_day()
        others = self.search(
            [
                ('return_id.partner_id', 'child_of', customer.id),
                ('keep_rule_id', '=', rule.id),
                ('resolution', '=', 'keep'),
                ('create_date', '>', today - relativedelta(months=12)),
                *self._get_other_offers(),
            ]
        )
        # All lines of one return are submitted together.
        mine = self.return_id.line_ids.filtered(
            lambda line: line.resolution == 'keep' and line.keep_rule_id == rule
        )
        wanted, given = (
            sum(
                line.keep_currency_id._convert(
                    line.keep_amount, company.currency_id, company, today
                )
                for line in lines
            )
            for lines in (mine, others - mine._origin)
        )
        left = max(rule.customer_limit - given, 0.0)
        if company.currency_id.compare_amounts(wanted, left) <= 0:
            return None
        return self.env._(
            "%(customer)s gets at most %(limit)s within twelve months by offer “%(offer)s”, and "
            "%(left)s is left. Choose a refund, or grant goodwill.",
            customer=customer.display_name,
            offer=rule.name,
            limit=formatLang(self.env, rule.customer_limit, currency_obj=company.currency_id),
            left=formatLang(self.env, left, currency_obj=company.currency_id),
        )

    # === RESOLVE === #

    @api.model
    def _resolve_keep(self, lines):
        """Credit what was offered for keeping the goods, once the return is approved.

        :param lines: `sale.return.line` records with this resolution.
        :raise UserError: when a limit of goodwill is reached, or nothing is left of the invoice.
        """
        due = lines.filtered(
            lambda line: (
                line.state == 'approved' and line.decision != 'refused' and not line.keep_note_id
            )
        )
        for line in due:
            # One by one: each is a separate decision.
            line._grant_for_keeping()

    def _grant_for_keeping(self):
        """Grant what was offered, on the invoice of the goods."""
        self.ensure_one()
        service = self.env['sale.return.goodwill.credit']
        # sudo: users who approve a return need not read invoices and rules.
        line = self.sudo()
        amount = line.keep_currency_id.round(
            line.keep_amount * min(line.qty_authorized / line.qty_requested, 1.0)
        )
        invoices = line.sale_line_id.invoice_lines.move_id.filtered(
            lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
        )
        invoice = invoices.filtered(
            lambda move: (
                move.currency_id.compare_amounts(
                    service.sudo()._get_amount_left(move, True, line.product_id), amount
                )
                >= 0
            )
        )[:1]
        if not invoice:
            raise UserError(
                self.env._(
                    "%(product)s has no invoice with %(amount)s left, which was offered for "
                    "keeping it. Invoice it first, or refuse the line.",
                    product=line.product_id.display_name,
                    amount=formatLang(self.env, amount, currency_obj=line.keep_currency_id),
                )
            )
        note = service._grant(
            invoice,
            amount,
            line.keep_rule_id.goodwill_reason_id,
            comment=self.env._("Keeps it: %(offer)s", offer=line.keep_rule_id.name),
            sale_return=line.return_id,
            product=line.product_id,
        )
        line._write_facts({'keep_note_id': note.id})
        self.env['sale.return.wallet']._follow(note)
