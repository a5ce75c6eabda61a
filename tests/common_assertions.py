from contextlib import contextmanager

from odoo import fields
from odoo.exceptions import UserError


class SaleReturnAssertions:
    """Mixin of tests: assertions about the business."""

    @contextmanager
    def assert_refused(self, text="", exception=UserError):
        """Assert a refusal whose sentence has `text` in it; its changes are rolled back."""
        with self.assertRaises(exception) as caught:
            yield
        self.assertIn(text, str(caught.exception))

    def assert_quantities(self, line, **expected):
        """Assert fields of a return line, named without `qty_`."""
        actual = {name: line[f'qty_{name}'] for name in expected}
        self.assertEqual(actual, expected)

    def assert_sold(self, sale_line, delivered, invoiced, to_invoice=0.0):
        self.assertEqual(
            (sale_line.qty_delivered, sale_line.qty_invoiced, sale_line.qty_to_invoice),
            (delivered, invoiced, to_invoice),
        )

    def assert_nothing_to_invoice(self, order):
        """Assert that Odoo finds nothing to bill or credit on an order, and cannot be made to."""
        self.assertFalse(any(order.order_line.mapped('qty_to_invoice')))
        self.assertFalse(any(order.order_line.mapped('untaxed_amount_to_invoice')))
        self.assertNotEqual(order.invoice_status, 'to invoice')
        with self.assertRaises(UserError):
            order._create_invoices(final=True)

    def assert_nothing_to_deliver(self, order):
        """Assert that no delivery is planned, other than of rejected goods back to the customer."""
        planned = order.picking_ids.move_ids.filtered(
            lambda move: (
                move.state not in ('done', 'cancel')
                and move.location_dest_id.usage == 'customer'
                and not move.sale_return_line_id
            )
        )
        self.assertFalse(planned)

    def assert_on_hand(self, product, quantity, location=None, lot=None):
        quants = (
            self.env['stock.quant']
            .sudo()
            ._gather(product, location or self.stock, lot_id=lot, strict=bool(lot))
        )
        self.assertEqual(sum(quants.mapped('quantity')), quantity)

    def assert_progress(self, sale_return, reception, inspection, credit):
        self.assertEqual(
            (
                sale_return.reception_state,
                sale_return.inspection_state,
                sale_return.credit_state,
            ),
            (reception, inspection, credit),
        )

    def assert_ledger_balanced(self):
        """Assert that entries balance, and that the ledger agrees with the stock value.

        Stock created by the set-up was never bought; it is left out.
        """
        moves = self.env['account.move'].search(
            [('company_id', '=', self.company.id), ('state', '=', 'posted')]
        )
        for move in moves:
            self.assertTrue(self.currency.is_zero(sum(move.line_ids.mapped('balance'))))
        self.assertAlmostEqual(self._get_value_not_in_ledger(), self._get_opening_value())

    def _get_value_not_in_ledger(self):
        products = self.env['product.product'].search([('categ_id', '=', self.category.id)])
        accounts = self.category.property_stock_valuation_account_id or (
            self.company.account_stock_valuation_id
        )
        lines = self.env['account.move.line'].search(
            [
                ('account_id', 'in', accounts.ids),
                ('parent_state', '=', 'posted'),
                ('company_id', '=', self.company.id),
            ]
        )
        self.env.invalidate_all()
        return sum(products.mapped('total_value')) - sum(lines.mapped('balance'))

    def _get_opening_value(self):
        products = self.env['product.product'].search(
            [('categ_id', '=', self.category.id), ('is_storable', '=', True)]
        )
        return sum(
            product.standard_price * 1000
            for product in products.filtered(lambda p: p.tracking == 'none')
        )

    def assert_fully_credited(self, invoices):
        """Assert that the notes of returns took back exactly the invoices, to the last cent.

        Compares the ledger: amounts of each account and each tax, in the currency of the invoice
        and of the company.
        """
        for invoice in invoices:
            taken_back = {
                key: (-amount, -balance)
                for key, (amount, balance) in self._get_ledger(self._get_notes(invoice)).items()
            }
            self.assertEqual(taken_back, self._get_ledger(invoice))
            self.assertEqual(invoice.amount_residual, 0.0)

    def _get_notes(self, invoice):
        return self.env['account.move'].search(
            [('reversed_entry_id', '=', invoice.id), ('state', '=', 'posted')]
        )

    def _get_ledger(self, moves):
        """Return `{(kind, account, tax): (amount in currency, balance)}` of posted documents."""
        result = {}
        for line in moves.line_ids.filtered(lambda l: l.display_type in ('product', 'tax')):
            key = (line.display_type, line.account_id.id, line.tax_line_id.id)
            amount, balance = result.get(key, (0.0, 0.0))
            result[key] = (
                line.currency_id.round(amount + line.amount_currency),
                line.company_currency_id.round(balance + line.balance),
            )
        return result

    def _count_documents(self):
        """Count records that a refused action could have created."""
        models = (
            'sale.return',
            'sale.return.line',
            'sale.return.inspection',
            'sale.return.event',
            'sale.return.approval',
            'stock.picking',
            'stock.move',
            'account.move',
        )
        return {
            model: self.env[model].sudo().with_context(active_test=False).search_count([])
            for model in models
        }

    def _today(self):
        return fields.Date.context_today(self.env.user)
