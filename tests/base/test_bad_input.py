from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestBadInput(SaleReturnCommon):
    """Invalid input of clients gives an error message, and nothing is half done."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.line = cls.order.order_line

    def _refuse_create(self, text, **values):
        """Assert that a return is refused when it is created, or at the latest when submitted."""
        before = self._count_documents()
        with self.assert_refused(text):
            return_id = self._call(
                self.staff,
                self.env['sale.return'],
                'create',
                {'partner_id': self.customer.id, **values},
            )
            self._call(self.staff, self.env['sale.return'].browse(return_id), 'action_submit')
        self.assertEqual(self._count_documents(), before)

    def _refuse_lines(self, text, *sale_lines, quantity=1, **values):
        lines = self.env['sale.order.line'].union(*sale_lines) if sale_lines else self.line
        self._refuse_create(text, line_ids=self._prepare_return_lines(lines, quantity, **values))

    def test_no_lines(self):
        self._refuse_create("has no lines", line_ids=[])
        self._refuse_create("has no lines")

    def test_no_customer(self):
        before = self._count_documents()
        with self.assert_refused():
            self._call(self.staff, self.env['sale.return'], 'create', {'line_ids': []})
        self.assertEqual(self._count_documents(), before)

    def test_no_reason(self):
        vals = {'sale_line_id': self.line.id, 'qty_requested': 1}
        self._refuse_create("", line_ids=[vals])

    def test_no_product_and_no_order_line(self):
        vals = {'qty_requested': 1, 'reason_id': self.reason_other.id}
        self._refuse_create("", line_ids=[vals])

    def test_zero_or_negative_quantity(self):
        for quantity, sentence in (
            (0, "more than zero"),
            (-1, "more than zero"),
            (0.0000001, "not a whole quantity of Units"),
        ):
            with self.subTest(quantity=quantity):
                self._refuse_lines(sentence, quantity=quantity)

    def test_more_than_delivered(self):
        self._refuse_lines("would be returned", quantity=11)

    def test_more_than_left_by_other_returns(self):
        self._create_return(self.order, 6)
        self._refuse_lines("Lower the quantity by 1", quantity=5)

    def test_two_lines_that_are_too_much_together(self):
        self._refuse_create(
            "would be returned",
            line_ids=self._prepare_return_lines(self.line, 6)
            + self._prepare_return_lines(self.line, 6, self.reason_other),
        )

    def test_two_returns_of_a_batch_that_are_too_much_together(self):
        returns = self._create_return(self.order, 6, submit=False)
        returns += self._create_return(self.order, 6, submit=False)
        with self.assert_refused("would be returned"):
            returns.action_submit()
        self.assertEqual(set(returns.mapped('state')), {'draft'})

    def test_nothing_delivered_yet(self):
        self._refuse_lines("would be returned", self._create_order().order_line)

    def test_returned_already(self):
        self._return_goods(self.order)
        self._refuse_lines("would be returned")

    def test_same_line_and_reason_twice(self):
        self._refuse_create(
            "only once", line_ids=self._prepare_return_lines(self.line + self.line, 1) * 2
        )

    def test_line_of_another_customer(self):
        other = self._create_sale(partner_id=self._create_customer("Other").id)
        self._refuse_lines("another customer", other.order_line)
        self._refuse_lines("another customer", self.line, other.order_line)

    def test_order_that_is_not_confirmed(self):
        order = self._create_order(confirm=False)
        self._refuse_lines("not confirmed", order.order_line)

    def test_cancelled_order(self):
        order = self._create_order()
        order._action_cancel()
        self._refuse_lines("cancelled before its delivery", order.order_line)

    def test_section_of_an_order(self):
        order = self._create_order({}, confirm=False)
        section = self.env['sale.order.line'].create(
            {'order_id': order.id, 'display_type': 'line_section', 'name': "Lamps"}
        )
        order.action_confirm()
        self._deliver(order)
        self._refuse_lines("", section)

    def test_records_that_do_not_exist(self):
        vals = self._prepare_return_lines(self.line, 1)[0]
        for name in ('sale_line_id', 'reason_id'):
            with self.subTest(field=name):
                self._refuse_create("", line_ids=[{**vals, name: 999_999_999}])

    def test_state_that_only_follows(self):
        vals = self._prepare_return_lines(self.line, 1)
        for state in ('submitted', 'approved', 'closed'):
            self._refuse_create("starts as a draft", line_ids=vals, state=state)

    def test_derived_facts_cannot_be_set(self):
        for values in ({'qty_authorized': 1}, {'qty_written_off': 1}, {'policy_id': 1}):
            with self.subTest(values=values):
                self._refuse_lines("cannot be set by hand", **values)

    def test_unknown_resolution(self):
        before = self._count_documents()
        with self.assert_refused("has to be one of these: refund"):
            self._call(
                self.staff,
                self.env['sale.return'],
                'create',
                {
                    'partner_id': self.customer.id,
                    'line_ids': self._prepare_return_lines(self.line, 1, resolution='magic'),
                },
            )
        self.assertEqual(self._count_documents(), before)

    def test_split_into_nothing(self):
        line = self._create_return(self.order, 5, submit=False).line_ids
        for quantity in (0, -1, 5, 6):
            with self.subTest(quantity=quantity), self.assert_refused("can be split off"):
                self._call(self.staff, line, 'action_split', quantity)
        self.assert_quantities(line, requested=5)

    def test_steps_in_the_wrong_order(self):
        sale_return = self._create_return(self.order, 1, submit=False)
        before = self._count_documents()
        for method, args in (
            ('action_approve', []),
            ('action_refuse', ["No."]),
            ('action_close', ["No."]),
            ('action_register_dispatch', ["1Z"]),
            ('action_inspect_all', ['restock']),
        ):
            with self.subTest(method=method), self.assert_refused(sale_return.name):
                self._call(self.staff, sale_return, method, *args)
        self.assertEqual(self._count_documents(), before)

    def test_closed_return_stays_closed(self):
        sale_return = self._return_goods(self.order, 1)
        for method, args in (
            ('action_submit', []),
            ('action_approve', []),
            ('action_refuse', ["No."]),
            ('action_cancel', []),
            ('action_draft', []),
        ):
            with self.subTest(method=method), self.assert_refused(sale_return.name):
                self._call(self.staff, sale_return, method, *args)
        self.assertEqual(sale_return.state, 'closed')

    def test_one_bad_return_stops_the_batch_before_anything_is_done(self):
        good = self._create_return(self.order, 1, submit=False)
        bad = self._create_return(self.order, 11, submit=False)
        before = self._count_documents()
        with self.assert_refused("would be returned"):
            self._call(self.staff, good + bad, 'action_submit')
        self.assertEqual(good.state, 'draft')
        self.assertEqual(self._count_documents(), before)

    def test_dialog_without_quantities_or_reasons(self):
        action = self.order.action_create_return()
        wizard = self.env[action['res_model']].with_context(**action['context']).create({})
        with self.assert_refused("all quantities are zero"):
            wizard.action_create()
        wizard.action_return_all()
        with self.assert_refused("Enter why"):
            wizard.action_create()
