"""Customers who take store credit instead of their money."""

from .common_reconciliation import ReconciliationCommon
from .common_refund import RefundCommon
from .common_stored_value import StoredValueCommon


class WalletCommon(RefundCommon, ReconciliationCommon, StoredValueCommon):
    """A company that gives store credit, with 10 % on top, on wallets of its own account."""

    bonus = 10.0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_wallets()

    @classmethod
    def set_up_wallets(cls):
        """Create account and program, and switch store credit on."""
        cls.liability = cls._create_account("Wallets", 'liability_current', '299100')
        cls.bonus_account = cls._create_account("Bonus", 'expense', '699100')
        cls.program = cls._create_program('ewallet')
        cls._post_to(cls.program, cls.liability)
        cls.company.sudo().write(
            {
                'sale_return_store_credit_account_id': cls.liability.id,
                'sale_return_store_credit_bonus': cls.bonus,
                'sale_return_store_credit_bonus_account_id': cls.bonus_account.id,
                'sale_return_store_credit': True,
            }
        )

    @classmethod
    def _create_account(cls, name, account_type, code):
        return (
            cls.env['account.account']
            .sudo()
            .with_company(cls.company)
            .create(
                {
                    'name': name,
                    'code': code,
                    'account_type': account_type,
                    'company_ids': [cls.company.id],
                }
            )
        )

    @classmethod
    def _post_to(cls, program, account):
        """Let the products of a program post to an account."""
        products = program.reward_ids.discount_line_product_id | program.rule_ids.product_ids
        for template in products.product_tmpl_id.with_company(cls.company):
            template.property_account_income_id = account
            template.taxes_id = False

    @classmethod
    def _fill_wallet(cls, points, program=None):
        """Give the customer a card, as if they had paid for it."""
        program = program or cls.program
        owner = cls.customer if program.program_type == 'ewallet' else cls.customer.browse()
        card = (
            cls.env['loyalty.card']
            .sudo()
            .create({'program_id': program.id, 'partner_id': owner.id, 'points': points})
        )
        cls._book_on_wallets(points)
        return card

    @classmethod
    def _book_on_wallets(cls, amount):
        journal = (
            cls.env['account.journal']
            .sudo()
            .search([('type', '=', 'general'), ('company_id', '=', cls.company.id)], limit=1)
        )
        entry = (
            cls.env['account.move']
            .sudo()
            .create(
                {
                    'journal_id': journal.id,
                    'line_ids': [
                        (0, 0, {'account_id': cls.liability.id, 'balance': -amount}),
                        (0, 0, {'account_id': cls.bonus_account.id, 'balance': amount}),
                    ],
                }
            )
        )
        entry.action_post()

    @classmethod
    def _sell_by(cls, cards, *lines):
        """Sell goods that cards pay up to their balance; return order and invoice, not paid."""
        order = cls._create_order(*lines, confirm=False)
        for card in cards:
            if order.amount_total:
                cls._pay_with(order, card)
        order.action_confirm()
        cls._deliver(order)
        return order, cls._invoice(order)

    @classmethod
    def _ask(cls, sale_lines, quantity=None, submit=True, resolution='store_credit', **values):
        """Ask for store credit, or another resolution, for goods of an order."""
        sale_return = cls.env['sale.return'].create(
            {
                'partner_id': sale_lines.order_id.partner_id.id,
                'line_ids': cls._prepare_return_lines(
                    sale_lines, quantity, resolution=resolution, **values
                ),
            }
        )
        if submit:
            sale_return.action_submit()
        return sale_return

    @classmethod
    def _wish(cls, sale_lines, quantity=None, **values):
        """Return goods for store credit, up to their credit note."""
        sale_return = cls._ask(sale_lines, quantity, **values)
        cls._receive(sale_return)
        sale_return.action_inspect_all('restock')
        return sale_return

    def _get_wallet(self):
        return (
            self.env['loyalty.card']
            .sudo()
            .with_context(active_test=False)
            .search([('program_id', '=', self.program.id), ('partner_id', '=', self.customer.id)])
        )

    def _get_liability(self):
        return -self._get_account_balance(self.liability)

    def assert_wallet(self, points, differences=()):
        """Assert what is on the wallet, what the account says, and what the list of differences."""
        self.assertEqual(round(sum(self._get_wallet().mapped('points')), 2), points)
        self.assertEqual(self._get_liability(), points)
        self.assertEqual(self._refresh().mapped('kind'), list(differences))
        if not differences:
            self.assert_ledger_balanced()
