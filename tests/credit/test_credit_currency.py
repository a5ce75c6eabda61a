from freezegun import freeze_time

from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestCreditCurrency(SaleReturnCommon):
    """Notes in the currency of their invoice, at its rate or at that of the day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(release_event='approval')
        cls.euro = cls._setup_currency('EUR')

    def _sell_then_change_rate(self, rate=4.0, **line):
        """Sell 10 in euros at 2.0 per unit of the company's currency, then change the rate."""
        order = self._create_sale(line, pricelist_id=self.euro.id)
        self._set_rate(self.euro.currency_id, self._today(), rate)
        return order

    def _get_exchange_moves(self):
        return self.env['account.move'].search(
            [('journal_id', '=', self.company.currency_exchange_journal_id.id)]
        )

    def _get_amount_booked(self, moves):
        """Return what entries book in the currency of the company; in euros they are 0.00."""
        return sum(abs(line.balance) for line in moves.line_ids) / 2

    def test_rate_of_the_day_is_a_setting(self):
        self._configure(sale_return_rate='day')
        order = self._sell_then_change_rate(taxes=self.env['account.tax'])
        invoice = order.invoice_ids
        note = self._create_return(order, 10).credit_note_ids
        self.assertEqual(note.invoice_currency_rate, 4.0)
        self.assertEqual((note.amount_total, note.amount_total_signed), (1000.0, -250.0))
        # The resulting difference is Odoo's exchange entry, and nobody owes anything.
        self.assertEqual(self._get_amount_booked(self._get_exchange_moves()), 250.0)
        self.assertEqual(invoice.amount_residual, 0.0)

    def test_untaxed_lines_book_back_what_was_booked(self):
        self._configure(tax_calculation_rounding_method='round_globally')
        self._set_rate(self.euro.currency_id, '2021-01-01', 1.37)
        none = self.env['account.tax']
        order = self._create_sale(
            {'quantity': 3, 'price': 6.67, 'taxes': none},
            {'quantity': 3, 'price': 3.335, 'taxes': none},
            pricelist_id=self.euro.id,
        )
        invoice = order.invoice_ids
        for _part in range(3):
            sale_return = self._create_return(order, 1, submit=False)
            (note,) = sale_return.preview_credit()[sale_return.id]['estimate']
            sale_return.action_submit()
            self.assertEqual(sale_return.credit_note_ids.amount_total, note['total'])
        self.assert_fully_credited(invoice)

    def test_taxes_are_exact_at_the_rate_of_the_day(self):
        self._configure(sale_return_rate='day')
        order = self._sell_then_change_rate(quantity=3, price=10.01)
        invoice = order.invoice_ids
        notes = [self._create_return(order, 1).credit_note_ids for _part in range(3)]
        self.assertEqual([note.amount_total for note in notes], [12.11, 12.12, 12.11])
        self.assertEqual(invoice.amount_residual, 0.0)

    def test_partial_notes_leave_at_most_a_cent_of_exchange_each(self):
        # 3 × 0.37 EUR at 2.0 are 0.555: halves of cents on every step.
        order = self._sell_then_change_rate(quantity=7, price=0.37)
        invoice = order.invoice_ids
        notes = self.env['account.move']
        for quantity in (1, 2, 1, 3):
            notes |= self._create_return(order, quantity).credit_note_ids
        self.assert_fully_credited(invoice)
        exchange = self._get_exchange_moves()
        self.assertLessEqual(len(exchange), len(notes))
        for move in exchange:
            self.assertLessEqual(self._get_amount_booked(move), 0.01)

    def test_note_in_one_step_leaves_no_exchange_entry(self):
        order = self._sell_then_change_rate(quantity=7, price=0.37)
        invoice = order.invoice_ids
        self._create_return(order, 7)
        self.assert_fully_credited(invoice)
        self.assertFalse(self._get_exchange_moves())

    @freeze_time('2026-03-05 10:00:00')
    def test_writing_dates_never_changes_the_rate(self):
        self.env['sale.return.policy'].search([('company_id', '=', self.company.id)]).write(
            {'credit_posting': 'draft'}
        )
        order = self._create_sale(pricelist_id=self.euro.id)
        self._set_rate(self.euro.currency_id, '2026-02-01', 3.0)
        self._set_rate(self.euro.currency_id, '2026-03-06', 4.0)
        note = self._create_return(order, 10).credit_note_ids
        rate = order.invoice_ids.filtered(
            lambda move: move.move_type == 'out_invoice'
        ).invoice_currency_rate
        for day in ('2026-02-10', '2026-03-07'):
            note.write({'invoice_date': day, 'date': day})
            self.assertEqual(note.invoice_currency_rate, rate)
            self.assertEqual(note.amount_total_signed, -1210.0 / rate)

    @freeze_time('2026-03-05 10:00:00')
    def test_writing_dates_changes_the_rate_of_the_day(self):
        self._configure(sale_return_rate='day')
        self.env['sale.return.policy'].search([('company_id', '=', self.company.id)]).write(
            {'credit_posting': 'draft'}
        )
        order = self._create_sale(pricelist_id=self.euro.id)
        self._set_rate(self.euro.currency_id, '2026-03-06', 4.0)
        note = self._create_return(order, 10).credit_note_ids
        self.assertEqual(note.invoice_currency_rate, 2.0)
        note.invoice_date = '2026-03-07'
        self.assertEqual(note.invoice_currency_rate, 4.0)

    def test_limit_for_drafts_is_in_the_currency_of_the_company(self):
        """600.00 of the company's currency are 1200.00 EUR at 2.0."""
        self.env['sale.return.policy'].search([('company_id', '=', self.company.id)]).write(
            {'credit_draft_above': 600.0}
        )
        order = self._create_sale(
            {'quantity': 20, 'taxes': self.env['account.tax']}, pricelist_id=self.euro.id
        )
        small, large = self._create_return(order, 6), self._create_return(order, 13)
        self.assertEqual((small + large).credit_note_ids.mapped('state'), ['posted', 'draft'])


@tagged('post_install', '-at_install')
class TestCreditTwoCompanies(SaleReturnCommon):
    """Two companies with currencies and account codes of their own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(release_event='approval', company_id=False)
        yen = cls.env.ref('base.JPY').sudo()
        yen.active = True
        cls.other_company = cls._create_trading_company("Kaisha")
        cls.other_company.currency_id = yen  # the chart had set another one
        cls.pricelists = {
            company: cls.env['product.pricelist']
            .sudo()
            .create(
                {
                    'name': company.name,
                    'currency_id': company.currency_id.id,
                    'company_id': company.id,
                }
            )
            for company in (cls.company, cls.other_company)
        }
        cls.accounts = (
            cls.env['account.account']
            .sudo()
            .with_company(cls.other_company)
            .search([('company_ids', 'in', cls.other_company.ids)])
        )
        for number, account in enumerate(cls.accounts):
            account.code = f'9{number:05}'
        cls.staff.sudo().company_ids += cls.other_company
        cls.env = cls._env_of(cls.staff, cls.company + cls.other_company)

    def _sell_in(self, company, **line):
        warehouse = self.env['stock.warehouse'].search([('company_id', '=', company.id)], limit=1)
        self._put_in_stock(self.product, 10, location=warehouse.lot_stock_id)
        order = self._create_order(
            {'taxes': self.env['account.tax'], **line},
            company_id=company.id,
            warehouse_id=warehouse.id,
            pricelist_id=self.pricelists[company].id,
        )
        self._deliver(order)
        self._invoice(order.with_company(company))
        return order

    def test_notes_stay_in_currency_and_accounts_of_their_company(self):
        orders = [
            self._sell_in(self.company, quantity=3, price=10.01),
            self._sell_in(self.other_company, quantity=3, price=333.0),
        ]
        invoices = [order.invoice_ids for order in orders]
        returns = self.env['sale.return'].concat(
            *[self._create_return(order, 2, submit=False) for order in orders]
        )
        returns.action_submit()
        notes = [sale_return.credit_note_ids for sale_return in returns]
        self.assertEqual([note.amount_total for note in notes], [20.02, 666.0])
        for note, invoice, company in zip(
            notes, invoices, self.company + self.other_company, strict=True
        ):
            self.assertEqual((note.state, note.company_id), ('posted', company))
            self.assertEqual(note.currency_id, company.currency_id)
            self.assertEqual(note.line_ids.account_id.company_ids, company)
            self.assertEqual(note.line_ids.account_id, invoice.line_ids.account_id)
        self.assertEqual(
            returns.mapped('currency_id'),
            (self.company.currency_id + self.other_company.currency_id),
        )
        self.assertEqual(returns.mapped('amount_credited'), [20.02, 666.0])
        for note in notes[1].line_ids:
            self.assertTrue(note.account_id.with_company(self.other_company).code.startswith('9'))
