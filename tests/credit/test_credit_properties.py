import os
import tempfile
import unittest
from contextlib import contextmanager

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import SaleReturnCommon

try:
    from hypothesis import HealthCheck, Phase, given, note, settings
    from hypothesis import strategies as st
    from hypothesis.configuration import set_hypothesis_home_dir
except ImportError:  # installed by dev/requirements.txt only
    st = None

# More examples take longer but find more: see the readme.
EXAMPLES = int(os.environ.get('SALE_RETURN_EXAMPLES', '0'))

OPERATIONS = (
    'return',
    'return',
    'return_draft',
    'note',
    'draft',
    'correct',
    'cancel',
    'reverse',
    'post',
)


class PropertiesCommon(SaleReturnCommon):
    """Unusual invoices, always the same unless more are requested."""

    @classmethod
    def setUpClass(cls):
        if st is None:
            raise unittest.SkipTest("hypothesis is not installed: see dev/requirements.txt")
        # Its database must not be in the checkout.
        folder = tempfile.TemporaryDirectory(prefix='sale_return_')
        cls.addClassCleanup(folder.cleanup)
        set_hypothesis_home_dir(folder.name)
        super().setUpClass()
        # sudo: a setting that needs an administrator.
        precisions = cls.env['decimal.precision'].sudo()
        precisions.search([('name', 'in', ('Product Unit', 'Product Price'))]).digits = 6
        cls.tax_fixed = cls._create_tax("0.37 each", 0.37, amount_type='fixed')
        cls.tax_base = cls._create_tax("7% in the base", 7.0, include_base_amount=True, sequence=1)
        cls.tax_8_included = cls._create_tax("8% included", 8.0, included=True)
        none = cls.env['account.tax']
        cls.tax_choices = (
            none,
            cls.tax_21,
            cls.tax_20_included,
            cls.tax_21 + cls.tax_5,
            cls.tax_group,
            cls.tax_fixed,
            cls.tax_base + cls.tax_21,
            cls.tax_8_included + cls.tax_21,
        )
        cls.pricelists = [cls.env['product.pricelist']] + [
            cls._setup_currency(code) for code in ('EUR', 'JPY', 'KWD')
        ]
        cls._create_policy(release_event='approval')

    def _check(self, examples, strategy, check):
        """Run a check on examples, each rolled back."""

        @settings(
            max_examples=EXAMPLES or examples,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            # Shrinking a failure takes minutes, so only with more examples.
            phases=list(Phase) if EXAMPLES else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def run(example):
            with self._undone():
                check(example)

        run()

    @contextmanager
    def _undone(self):
        savepoint = self.env.cr.savepoint()
        try:
            yield
        finally:
            savepoint.rollback()
            savepoint.close(rollback=False)
            self.env.invalidate_all()

    def _sell(self, example):
        self._configure(tax_calculation_rounding_method=example['rounding'])
        order = self._create_sale(
            *[
                {
                    'quantity': line['quantity'],
                    'price': line['price'],
                    'discount': line['discount'],
                    'taxes': self.tax_choices[line['taxes']],
                }
                for line in example['lines']
            ],
            pricelist_id=self.pricelists[example['currency']].id,
        )
        invoice = order.invoice_ids
        note(f"invoice {invoice.amount_untaxed} + {invoice.amount_tax} {invoice.currency_id.name}")
        return order, invoice

    def _assert_lines_credited(self, invoice):
        """Assert that each line was taken back, in both currencies."""
        for line in invoice.invoice_line_ids:
            notes = line.credited_line_ids.filtered(lambda l: l.parent_state == 'posted')
            self.assertAlmostEqual(sum(notes.mapped('quantity')), line.quantity, 5)
            for name in ('amount_currency', 'balance'):
                currency = line.currency_id if name == 'amount_currency' else self.currency
                self.assertEqual(currency.round(sum(notes.mapped(name)) + line[name]), 0.0)

    def _assert_nothing_left(self, order, returns):
        self.assertFalse(any(returns.line_ids.mapped('qty_to_credit')))
        self.assertFalse(returns.action_create_credit_notes())
        self.assert_nothing_to_invoice(order)


def sale_lines(quantities):
    """Lines of an order, with the shares of their quantity that come back one after the other."""
    return st.fixed_dictionaries(
        {
            'quantity': quantities,
            'price': st.one_of(
                st.integers(1, 9999).map(lambda cents: cents / 100),
                st.integers(1, 99999).map(lambda units: units / 1000),
                st.sampled_from([10 / 7, 0.01, 333.0, 1999.99]),
            ),
            'discount': st.sampled_from([0, 0, 5, 12.5, 33.33, 100]),
            'taxes': st.integers(0, 7),
        }
    )


def sales(quantities):
    """Orders of one to four lines in one of four currencies."""
    return st.fixed_dictionaries(
        {
            'lines': st.lists(sale_lines(quantities), min_size=1, max_size=4),
            'rounding': st.sampled_from(['round_per_line', 'round_globally']),
            'currency': st.integers(0, 3),
            # In how many parts it comes back, and how: alternating, or line by line.
            'parts': st.integers(1, 3),
            'shares': st.lists(st.integers(1, 9), min_size=3, max_size=3),
            'by_line': st.booleans(),
            'event': st.sampled_from(['approval', 'receipt', 'inspection']),
            'posting': st.sampled_from(['post', 'draft']),
        }
    )


@tagged('post_install', '-at_install')
class TestCreditProperties(PropertiesCommon):
    """I3: full returns of any invoice credit exactly the invoice."""

    def _get_parts(self, example, quantity):
        """Split a quantity into parts that add up to the whole."""
        shares = example['shares'][: example['parts']]
        total, parts = sum(shares), []
        for share in shares[:-1]:
            parts.append(round(quantity * share / total, 6))
        return [*parts, round(quantity - sum(parts), 6)]

    def _get_steps(self, example, order):
        """Return what comes back together: `[(order lines, quantity of each)]`."""
        parts = [self._get_parts(example, line.product_uom_qty) for line in order.order_line]
        if example['by_line']:
            steps = [
                [(line, quantity)]
                for line, quantities in zip(reversed(order.order_line), parts[::-1], strict=True)
                for quantity in quantities
            ]
        else:
            steps = [
                list(zip(order.order_line, quantities, strict=True))
                for quantities in zip(*parts, strict=True)
            ]
        steps = [[(line, quantity) for line, quantity in step if quantity > 0] for step in steps]
        return [step for step in steps if step]

    def _return_step(self, step):
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': self.customer.id,
                'line_ids': [
                    value
                    for line, quantity in step
                    for value in self._prepare_return_lines(line, quantity)
                ],
            }
        )
        sale_return.action_submit()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        sale_return.credit_note_ids.filtered(lambda m: m.state == 'draft').action_post()
        return sale_return

    def _assert_exact(self, example):
        self.env['sale.return.policy'].search([('company_id', '=', self.company.id)]).write(
            {'release_event': example['event'], 'credit_posting': example['posting']}
        )
        order, invoice = self._sell(example)
        returns = self.env['sale.return']
        for step in self._get_steps(example, order):
            returns |= self._return_step(step)
            left = invoice.amount_total - sum(returns.credit_note_ids.mapped('amount_total'))
            self.assertEqual(invoice.amount_residual, invoice.currency_id.round(left))
        self.assertEqual(set(returns.mapped('state')), {'closed'})
        self._assert_lines_credited(invoice)
        self.assert_fully_credited(invoice)
        self._assert_nothing_left(order, returns)

    def test_whole_units(self):
        self._check(5, sales(st.integers(1, 12)), self._assert_exact)

    def test_fractions_of_units(self):
        quantities = st.sampled_from([1 / 3, 2 / 3, 0.35, 1.25, 1 / 7, 12.345])
        self._check(3, sales(quantities), self._assert_exact)


@tagged('post_install', '-at_install')
class TestCreditByHandProperties(PropertiesCommon):
    """I2: whatever accountants do besides returns, no line is credited beyond the invoice."""

    def _get_operations(self):
        """Operations as `(kind, number)`; the number says how much, or which note."""
        return st.lists(
            st.tuples(
                st.sampled_from(OPERATIONS),
                st.integers(1, 9),
            ),
            min_size=3,
            max_size=7,
        )

    def _play(self, example):
        sale, operations = example
        order, invoice = self._sell({**sale, 'lines': sale['lines'][:1]})
        # Only quantities credited by returns or pending are guarded.
        for kind, number in [('return', 3), *operations]:
            try:
                with self.env.cr.savepoint():
                    getattr(self, f'_play_{kind}')(order, invoice, number)
                    self.env.flush_all()
            except UserError as error:
                note(f"{kind} {number}: {error}")
            else:
                note(f"{kind} {number}: done")
            self._assert_within_invoice(invoice)
            self._assert_returns_true(order)

    def _get_open_quantity(self, order, number):
        line = order.order_line
        return line.product_uom_id.round(line.qty_returnable * number / 9)

    def _play_return(self, order, _invoice, number):
        if quantity := self._get_open_quantity(order, number):
            self._create_return(order, quantity)

    def _play_return_draft(self, order, invoice, number):
        policies = self.env['sale.return.policy'].search([('company_id', '=', self.company.id)])
        policies.write({'credit_posting': 'draft'})
        self._play_return(order, invoice, number)
        policies.write({'credit_posting': 'post'})

    def _play_note(self, _order, invoice, number):
        quantity = invoice.invoice_line_ids.quantity * number / 9
        self._reverse(invoice, quantity=round(quantity, 6))

    def _play_draft(self, _order, invoice, number):
        quantity = invoice.invoice_line_ids.quantity * number / 9
        self._reverse(invoice, post=False, quantity=round(quantity, 6))

    def _play_correct(self, _order, invoice, number):
        self._reverse(invoice, price=invoice.invoice_line_ids.price_unit * number / 99)

    def _get_any_note(self, order, states, number):
        notes = order.invoice_ids.filtered(
            lambda move: move.move_type == 'out_refund' and move.state in states
        ).sorted('id')
        return notes[number % len(notes)] if notes else notes

    def _play_cancel(self, order, _invoice, number):
        chosen = self._get_any_note(order, ('draft', 'posted'), number)
        chosen.filtered(lambda move: move.state == 'posted').button_draft()
        chosen.button_cancel()

    def _play_reverse(self, order, _invoice, number):
        if chosen := self._get_any_note(order, ('posted',), number):
            chosen._reverse_moves([{}], cancel=True)

    def _play_post(self, order, _invoice, number):
        self._get_any_note(order, ('draft',), number).action_post()

    def _assert_within_invoice(self, invoice):
        """Assert the limits on the books, without using the engine."""
        line = invoice.invoice_line_ids
        notes = invoice.reversal_move_ids.filtered(
            lambda move: (
                move.state == 'posted'
                and not move.reversal_move_ids.filtered(lambda m: m.state == 'posted')
            )
        )
        currency = invoice.currency_id
        untaxed = currency.round(sum(notes.mapped('amount_untaxed')))
        self.assertLessEqual(untaxed, currency.round(invoice.amount_untaxed))
        total = currency.round(sum(notes.mapped('amount_total')))
        self.assertLessEqual(total, currency.round(invoice.amount_total))
        full_price = notes.invoice_line_ids.filtered(
            lambda l: l.sale_return_line_id or l.price_unit >= line.price_unit - currency.rounding
        )
        self.assertLessEqual(round(sum(full_price.mapped('quantity')) - line.quantity, 5), 0.0)

    def _assert_returns_true(self, order):
        """Assert that returns agree with their notes."""
        for line in order.return_ids.line_ids:
            lines = line.credit_line_ids.filtered(
                lambda l: (
                    l.parent_state in ('draft', 'posted')
                    and not l.move_id.reversal_move_ids.filtered(lambda m: m.state == 'posted')
                )
            )
            self.assertAlmostEqual(line.qty_credited, sum(lines.mapped('quantity')), 5)
            self.assertGreaterEqual(line.qty_to_credit, 0.0)
        closed = order.return_ids.filtered(lambda r: r.state == 'closed')
        self.assertFalse(any(closed.line_ids.mapped('qty_to_credit')))

    def test_notes_beside_returns(self):
        whole = sales(st.integers(2, 12))
        self._check(6, st.tuples(whole, self._get_operations()), self._play)


def discounted_sales():
    """Orders with an order-level discount up to their total, returned in parts."""
    return st.fixed_dictionaries(
        {
            'lines': st.lists(sale_lines(st.integers(1, 9)), min_size=1, max_size=3),
            'rounding': st.sampled_from(['round_per_line', 'round_globally']),
            'currency': st.integers(0, 3),
            'parts': st.integers(1, 3),
            'shares': st.lists(st.integers(1, 9), min_size=3, max_size=3),
            # The part of the total that is discounted, and its taxes.
            'off': st.sampled_from([1.0, 0.999, 0.9, 0.5, 1 / 3, 0.01]),
            'off_taxes': st.sampled_from([0, 0, 1, 2]),
        }
    )


class DiscountsCommon(PropertiesCommon):
    def _order_parts(self, example, order):
        """Return `[(order line, quantity)]` of what comes back, step by step."""
        total = sum(example['shares'][: example['parts']])
        steps = []
        for line in order.order_line.filtered(lambda line: line.product_id.is_storable):
            left = line.product_uom_qty
            for share in example['shares'][: example['parts'] - 1]:
                part = line.product_uom_id.round(line.product_uom_qty * share / total)
                steps.append((line, part))
                left -= part
            steps.append((line, line.product_uom_id.round(left)))
        return [(line, quantity) for line, quantity in steps if quantity > 0]

    def _assert_parts_exact(self, example, order, invoice):
        """Assert that no part is below zero or above what is left, and all are the invoice."""
        left = invoice.amount_total
        for line, quantity in self._order_parts(example, order):
            note_count = len(order.invoice_ids)
            sale_return = self._create_return(line, quantity)
            self.assertFalse(sale_return.credit_error)
            self.assertEqual(len(order.invoice_ids), note_count + 1)
            total = sale_return.credit_note_ids.amount_total
            note(f"{quantity} back: {total} of {left}")
            self.assertGreaterEqual(total, 0.0)
            left = invoice.currency_id.round(left - total)
            self.assertGreaterEqual(left, 0.0)
        self.assert_fully_credited(invoice)


@tagged('post_install', '-at_install')
class TestDiscountProperties(DiscountsCommon):
    """With any order-level discount, the parts are never negative and add up to the invoice."""

    def _assert_exact(self, example):
        self._configure(tax_calculation_rounding_method=example['rounding'])
        order = self._create_order(
            *[
                {
                    'quantity': line['quantity'],
                    'price': line['price'],
                    'discount': line['discount'],
                    'taxes': self.tax_choices[line['taxes']],
                }
                for line in example['lines']
            ],
            confirm=False,
            pricelist_id=self.pricelists[example['currency']].id,
        )
        taxes = self.tax_choices[example['off_taxes']]
        share = 1.21 if taxes == self.tax_21 else 1.0
        price = order.currency_id.round(order.amount_total * example['off'] / share)
        order.order_line = [
            (
                0,
                0,
                self._prepare_order_line(
                    self.service, quantity=1, price=-price, taxes=taxes, name="Off"
                ),
            )
        ]
        if not price or order.amount_total < 0:
            return
        order.action_confirm()
        self._deliver(order)
        invoice = self._invoice(order)
        note(f"invoice {invoice.amount_untaxed} + {invoice.amount_tax}, off {price}")
        self._assert_parts_exact(example, order, invoice)

    def test_discounts_up_to_the_total(self):
        self._check(8, discounted_sales(), self._assert_exact)
