from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import formatLang


class SaleReturn(models.Model):
    """The part of a return that is on the wallet of the customer."""

    _inherit = 'sale.return'

    store_credit_ids = fields.One2many(
        'sale.return.store.credit', 'return_id', string="Store Credits", readonly=True
    )
    amount_store_credit = fields.Monetary(
        string="Store Credit",
        compute='_compute_amount_store_credit',
        compute_sudo=True,
        help="On the wallet of the customer, bonus included.",
    )
    has_store_credit_due = fields.Boolean(
        compute='_compute_has_store_credit_due',
        compute_sudo=True,
        help="Posted credit notes have an open amount that the customer wants on their wallet.",
    )

    @api.depends('store_credit_ids.amount_company')
    def _compute_amount_store_credit(self):
        for sale_return in self:
            company = sale_return.company_id
            sale_return.amount_store_credit = company.currency_id._convert(
                sum(sale_return.store_credit_ids.mapped('amount_company')),
                sale_return.currency_id,
                company,
                company._get_sale_return_day(),
            )

    def _compute_has_store_credit_due(self):
        service = self.env['sale.return.wallet']
        for sale_return in self:
            notes = sale_return.credit_note_ids._filter_sale_return_payable()
            sale_return.has_store_credit_due = any(
                sale_return in service._get_due(note) for note in notes
            )

    # === ACTION METHODS === #

    def action_store_credit(self):
        """Put on wallets what is still due: after a failure, or as the second person.

        Repeating it puts nothing more there.

        :return: True
        :raise AccessError: if the user may not refund.
        :raise UserError: when nothing is due, there is no wallet, or somebody else has to do it.
        """
        self.env['sale.return.refund']._ensure_allowed()
        self.check_access('read')
        service = self.env['sale.return.wallet']
        for note in service._as_service(self.credit_note_ids):
            # One by one, as when they are posted.
            mine = service.with_env(note.env)
            if (due := mine._get_due(note)) and not mine._give(note, due):
                raise UserError(
                    self.env._(
                        "You have posted %(note)s, which is above the limit for one person. "
                        "Somebody else with rights to refund has to put it on the wallet.",
                        note=note.name,
                    )
                )
        return True

    def action_view_store_credits(self):
        """Show what the returns have put on wallets."""
        return self.store_credit_ids._get_records_action(name=self.env._("Store Credits"))

    # === STATE === #

    def _follow_wishes(self, state):
        """Extend to log what customers have agreed to."""
        result = super()._follow_wishes(state)
        if state == 'submitted':
            # sudo: users who submit a return need not read policies.
            lines = self.sudo().line_ids
            self.env['sale.return.event']._log(
                [
                    {
                        'return_id': line.return_id.id,
                        'kind': 'store_credit_agreed',
                        'reason': line.store_credit_consent,
                        'details': line.product_id.display_name,
                    }
                    for line in lines
                    if line.store_credit_consent and line._is_for_wallet()
                ]
            )
        return result

    # === SENTENCES === #

    def _is_all_for_wallet(self):
        """Tell whether the whole credit goes to the wallet: it is wanted there, and was paid."""
        self.ensure_one()
        return (
            bool(self.line_ids)
            and all(line._is_for_wallet() for line in self.line_ids)
            and not any(self._get_sold_invoices().mapped('amount_residual'))
        )

    def _describe_way(self):
        """Extend to state that it goes to the wallet."""
        if not self._is_all_for_wallet():
            return [*super()._describe_way(), *self._describe_wallet_part()]
        return self._describe_wallet()

    def _describe_wallet(self):
        """State that a credit goes to the wallet, and its bonus.

        :return: sentences
        :rtype: list
        """
        self.ensure_one()
        bonus = self.company_id.sale_return_store_credit_bonus
        if not bonus:
            return [self.env._("It goes to their wallet as store credit.")]
        return [
            self.env._(
                "It goes to their wallet as store credit, with %(bonus)s %% on top.",
                bonus=f"{bonus:g}",
            )
        ]

    def _describe_wallet_part(self):
        """Name the goods whose credit goes to the wallet while the rest takes another way."""
        lines = self.line_ids.filtered(lambda line: line._is_for_wallet())
        if not lines or any(self._get_sold_invoices().mapped('amount_residual')):
            return []
        return [
            self.env._(
                "Only for %(products)s it goes to their wallet as store credit.",
                products=", ".join(lines.product_id.mapped('display_name')),
            )
        ]

    def _describe_settled_money(self):
        """Extend to include what is on the wallet."""
        result = super()._describe_settled_money()
        for currency, rows in self.store_credit_ids.grouped('currency_id').items():
            total = sum(rows.mapped('amount')) + sum(rows.mapped('bonus'))
            if currency.compare_amounts(total, 0.0) <= 0:
                continue
            bonus = sum(rows.mapped('bonus'))
            values = {
                'amount': formatLang(self.env, total, currency_obj=currency),
                'bonus': formatLang(self.env, bonus, currency_obj=currency),
                'card': ", ".join(dict.fromkeys(rows.mapped('card_code'))),
            }
            result.append(
                self.env._(
                    "%(amount)s of store credit is on card %(card)s, %(bonus)s of it a bonus.",
                    **values,
                )
                if bonus
                else self.env._("%(amount)s of store credit is on card %(card)s.", **values)
            )
        return result

    @api.model
    def _follow_merged_cards(self, merged, kept):
        """Override to take store credit back from the card that has it now."""
        result = super()._follow_merged_cards(merged, kept)
        # By SQL: as in the method overridden.
        self.env.cr.execute(
            SQL(
                "UPDATE sale_return_store_credit SET card_id = %s WHERE card_id IN %s",
                kept.id,
                tuple(merged.ids),
            )
        )
        self.env['sale.return.store.credit'].invalidate_model()
        return result

    def _describe_next(self):
        """Extend to say what customers get as store credit."""
        sentences = super()._describe_next()
        lines = self.line_ids.filtered(
            lambda line: line.resolution == 'store_credit' and line.qty_accepted
        )
        if not lines:
            return sentences
        sentence = self.env._(
            "%(customer)s gets store credit for %(products)s, not money.",
            customer=self.partner_id.display_name,
            products=", ".join(lines.product_id.mapped('display_name')),
        )
        return [*sentences, sentence]
