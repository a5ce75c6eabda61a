"""Goods billed and credited by unusual documents."""

from unittest.mock import patch

from odoo.addons.account.wizard.account_move_reversal import AccountMoveReversal

from ..common_refund import RefundCommon


class TestOddDocuments(RefundCommon):
    ready_sales = 1

    def _pay_down(self, order, percent):
        wizard = (
            self.env['sale.advance.payment.inv']
            .with_context(active_model='sale.order', active_ids=order.ids)
            .create({'advance_payment_method': 'percentage', 'amount': percent})
        )
        wizard.create_invoices()
        invoice = order.invoice_ids
        invoice.action_post()
        return invoice

    # === THE SIGN OF A DOCUMENT IS NOT THAT OF ITS LINES === #

    def test_goods_billed_on_a_credit_note_are_credited(self):
        order = self._create_order({'taxes': self.tax_21.browse()})
        self._pay_down(order, 50)
        self._deliver(order, 1)
        settled = order._create_invoices(final=True)
        settled.action_post()
        self.assertEqual((settled.move_type, settled.amount_total), ('out_refund', 400))
        sale_return = self._create_return(order.order_line[:1], 1)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.credit_note_ids.mapped('amount_total'), [100])
        self.assertEqual(sale_return.line_ids.qty_credited, 1)
        self.assert_sold(order.order_line[:1], 0, 0)
        self.assert_ledger_balanced()

    def test_goods_billed_on_a_credit_note_are_no_difference(self):
        """Amounts of such a note have the other sign in the journal."""
        order = self._create_order({'taxes': self.tax_21})
        self._pay_down(order, 50)
        self._deliver(order, 1)
        bill = order._create_invoices(final=True)
        bill.action_post()
        self._return_goods(order.order_line[:1], 1)
        rows = self.env['sale.return.reconciliation']
        domain = [('company_id', '=', self.company.id), ('kind', '=', 'document_difference')]
        rows.action_refresh()
        self.assertFalse(rows.search(domain))
        # Past Odoo: what a customer sees on paper is not what is booked.
        self.env.cr.execute(
            "UPDATE account_move SET amount_tax = amount_tax + 5 WHERE id = %s", [bill.id]
        )
        self.env.invalidate_all()
        rows.action_refresh()
        self.assertEqual(rows.search(domain).cause, 'invoice')

    # === PRICES CORRECTED BY HAND === #

    def test_a_price_correction_reverses_no_cost(self):
        order = self._create_sale()
        self._reverse(order.invoice_ids, price=5)
        self.assert_ledger_balanced()
        invoice = order.invoice_ids.filtered(lambda move: move.move_type == 'out_invoice')
        self._return_goods(order)
        self.assertEqual(sum(self._get_notes(invoice).mapped('amount_untaxed')), 1000)
        self.assert_ledger_balanced()

    def test_a_note_at_a_lower_price_for_goods_that_are_back_reverses_their_cost(self):
        self._configure(sale_return_adopt_native=False)
        order = self._create_sale()
        self._process(self._return_in_inventory(order.picking_ids, 4))
        self._reverse(order.invoice_ids, price=80, quantity=4)
        self.assert_ledger_balanced()

    def test_a_price_raised_by_a_second_invoice_is_credited(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        more = invoice.copy({'invoice_date': invoice.invoice_date})
        more.invoice_line_ids.price_unit = 5
        more.invoice_line_ids.sale_line_ids = order.order_line
        more.action_post()
        self.assert_ledger_balanced()
        sale_return = self._create_return(order, 4)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sum(sale_return.credit_note_ids.mapped('amount_untaxed')), 420)
        self.assert_ledger_balanced()
        last = self._return_goods(order, 6)
        self.assertEqual(sum(last.credit_note_ids.mapped('amount_untaxed')), 630)
        self.assert_fully_credited(invoice | more)
        self.assert_nothing_to_invoice(order)
        self.assert_ledger_balanced()

    # === CASH ROUNDING === #

    def test_the_completing_note_has_a_rounding_line_like_the_invoice(self):
        rounding = self._create_cash_rounding()
        order = self._create_order({'quantity': 3, 'price': 3.33})
        self._deliver(order)
        invoice = self._invoice(order, post=False)
        invoice.invoice_cash_rounding_id = rounding
        invoice.action_post()
        self._return_goods(order, 1)
        self._return_goods(order, 2)
        notes = self._get_notes(invoice)
        self.assertAlmostEqual(sum(notes.mapped('amount_total')), invoice.amount_total)
        self.assertEqual(invoice.amount_residual, 0.0)
        rounded = notes.line_ids.filtered(lambda line: line.display_type == 'rounding')
        self.assertEqual(
            (rounded.account_id, rounded.balance),
            (
                invoice.line_ids.filtered(lambda l: l.display_type == 'rounding').account_id,
                -invoice.line_ids.filtered(lambda l: l.display_type == 'rounding').balance,
            ),
        )
        self.assertAlmostEqual(
            sum(order.return_ids.mapped('amount_credited')), invoice.amount_total
        )
        for note in notes:
            for line in note.invoice_line_ids.filtered(lambda l: l.display_type == 'product'):
                self.assertTrue(line.tax_ids)

    # === WHAT COUNTRIES ADD TO ODOO'S REVERSAL === #

    def test_countries_add_to_the_header_what_they_add_to_a_reversal(self):
        prepare = AccountMoveReversal._prepare_default_reversal

        def prepare_for_country(dialog, move):
            # Like country modules: a value of the dialog, and one of the invoice.
            self.assertEqual(dialog.move_ids.ids, move.ids)
            return prepare(dialog, move) | {
                'payment_reference': f'{move.name} of {dialog.country_code}',
                'narration': dialog.reason,
            }

        order = self._create_sale()
        with patch.object(AccountMoveReversal, '_prepare_default_reversal', prepare_for_country):
            note = self._return_goods(order, 2).credit_note_ids
        invoice = note.reversed_entry_id
        self.assertEqual(
            note.payment_reference, f'{invoice.name} of {self.company.country_id.code}'
        )
        self.assertIn(self.reason_defective.name, note.narration)
        self.assertEqual((note.ref, note.delivery_date), (invoice.name, invoice.delivery_date))

    def test_poland_reads_the_reason_in_the_reference(self):
        order = self._create_sale()
        # sudo: the country of the company, which an administrator sets.
        self.company.sudo().account_fiscal_country_id = self.env.ref('base.pl')
        vals = self.env['sale.return.credit']._prepare_note_header_vals(
            order.invoice_ids, self.reason_defective
        )
        self.assertEqual(vals['ref'], self.reason_defective.name)

    def test_codes_of_a_country_are_for_its_companies(self):
        invoice = self._create_sale().invoice_ids
        service = self.env['sale.return.credit']
        codes = {
            'de': {},
            'es': {'l10n_es_tbai_refund_reason': 'R1'},
            'sa': {'l10n_sa_reason': 'BR-KSA-17-reason-4'},
        }
        for country, expected in codes.items():
            # sudo: the country of the company, which an administrator sets.
            self.company.sudo().account_fiscal_country_id = self.env.ref(f'base.{country}')
            with self.subTest(country=country):
                self.assertEqual(service._get_country_codes(invoice), expected)
