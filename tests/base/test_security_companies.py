from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common_security import SecurityCommon


@tagged('post_install', '-at_install')
class TestCompanies(SecurityCommon):
    """I12: companies are never mixed, and users only see their own companies."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls._create_trading_company("Other Company")
        cls.staff.sudo().company_ids += cls.other_company
        cls.env = cls._env_of(cls.staff, cls.company + cls.other_company)
        cls.other_warehouse = cls.env['stock.warehouse'].search(
            [('company_id', '=', cls.other_company.id)], limit=1
        )
        cls._put_in_stock(cls.product, 100, location=cls.other_warehouse.lot_stock_id)
        cls.stranger = cls._create_user(
            'returns_stranger', 'sale_return.group_manager', company=cls.other_company
        )
        cls.sale_return = cls._create_return(cls.order, 2)

    @classmethod
    def _create_other_sale(cls):
        order = cls._create_order(
            {'taxes': cls.env['account.tax']},
            company_id=cls.other_company.id,
            warehouse_id=cls.other_warehouse.id,
            confirm=False,
        ).with_company(cls.other_company)
        order.action_confirm()
        cls._deliver(order)
        cls._invoice(order)
        return order

    def _copy_to_other_company(self, record):
        values = {'code': "X", 'company_id': self.other_company.id}
        return record.with_env(self.env).copy(values)

    def test_stranger_sees_nothing(self):
        self._inspect_all()
        for records in (
            self.sale_return,
            self.sale_return.line_ids,
            self.sale_return.event_ids,
            self.sale_return.inspection_ids,
            self.sale_return.approval_ids,
        ):
            model = self._env_of(self.stranger)[records._name]
            self.assertFalse(model.search([('id', 'in', records.ids)]), records._name)
            with self.assert_refused(exception=AccessError):
                self._call(self.stranger, records, 'read', ['id', 'display_name'])

    def _inspect_all(self):
        self._receive(self.sale_return)
        self.sale_return.action_inspect_all('restock')

    def test_stranger_does_not_act(self):
        for method, args in (
            ('action_cancel', []),
            ('action_register_dispatch', ["1Z"]),
            ('preview_credit', []),
            ('action_create_credit_notes', []),
            ('action_inspect_all', ['restock']),
        ):
            with self.subTest(method=method), self.assert_refused(exception=AccessError):
                self._call(self.stranger, self.sale_return, method, *args)

    def test_stranger_does_not_inspect_lines(self):
        self._receive(self.sale_return)
        with self.assert_refused(exception=AccessError):
            self._call(
                self.stranger,
                self.sale_return.line_ids,
                'register_inspection',
                [{'quantity': 1, 'disposition': 'restock'}],
            )

    def test_return_of_the_other_company_goes_all_the_way(self):
        order = self._create_other_sale()
        sale_return = self._return_goods(order, 2)
        self.assertEqual(sale_return.company_id, self.other_company)
        self.assertEqual(sale_return.warehouse_id, self.other_warehouse)
        self.assertEqual(sale_return.credit_note_ids.company_id, self.other_company)
        self.assertEqual(sale_return.credit_note_ids.amount_total, 200.0)
        self.assertEqual(sale_return.state, 'closed')

    def test_batch_over_two_companies(self):
        returns = self.sale_return + self._create_return(self._create_other_sale(), 3)
        self._receive(returns)
        returns.action_inspect_all('restock')
        self.assertEqual(returns.mapped('state'), ['closed', 'closed'])
        for sale_return in returns:
            self.assertEqual(sale_return.credit_note_ids.company_id, sale_return.company_id)
            moves = sale_return.line_ids.move_ids
            self.assertEqual(moves.company_id, sale_return.company_id)
            self.assertEqual(
                sale_return.picking_ids.location_dest_id,
                sale_return.warehouse_id.sale_return_loc_id,
            )

    def test_return_does_not_mix_companies(self):
        lines = self.order.order_line + self._create_other_sale().order_line
        with self.assert_refused("company"):
            self._create_return(lines, 1, submit=False)

    def test_line_of_another_company_cannot_be_added(self):
        sale_return = self._create_return(self.order, 1, submit=False)
        line = self._create_other_sale().order_line
        with self.assert_refused("company"):
            sale_return.line_ids = [
                Command.create(vals) for vals in self._prepare_return_lines(line, 1)
            ]

    def test_warehouse_of_another_company_is_refused(self):
        with self.assert_refused():
            self._create_return(self.order, 1, submit=False, warehouse_id=self.other_warehouse.id)

    def test_reason_of_another_company_is_refused(self):
        reason = self.reason_other.with_env(self.env).copy(
            {'code': "X", 'company_id': self.other_company.id}
        )
        with self.assert_refused():
            self._create_return(self.order, 1, reason=reason, submit=False)

    def test_disposition_of_another_company_is_refused(self):
        self._receive(self.sale_return)
        theirs = self.restock.with_env(self.env).copy(
            {'code': "X", 'company_id': self.other_company.id}
        )
        for reference in (theirs.id, "X"):
            with self.assert_refused("no Return Disposition"):
                self._inspect(self.sale_return, (1, reference))

    def test_policy_of_another_company_does_not_apply(self):
        self.policy.with_env(self.env).copy({'company_id': self.other_company.id, 'sequence': -999})
        sale_return = self._create_return(self.order, 1, submit=False)
        self.assertEqual(sale_return.line_ids.policy_id, self.policy)

    def test_same_reference_in_two_companies_makes_two_returns(self):
        first = self._create_return(self.order, 1, submit=False, external_ref="SHOP-1")
        second = self._create_return(
            self._create_other_sale(), 1, submit=False, external_ref="SHOP-1"
        )
        self.assertNotEqual(first, second)

    def test_codes_are_unique_within_a_company_and_the_shared_ones(self):
        self.reason_other.with_env(self.env).copy(
            {'code': "X", 'company_id': self.other_company.id}
        )
        self.reason_other.with_env(self.env).copy({'code': "X", 'company_id': self.company.id})
        with self.assert_refused("unique"):
            self._call(
                self.staff,
                self.env['sale.return.reason'],
                'create',
                {'name': "X", 'code': "X", 'company_id': self.company.id},
            )

    def test_own_code_must_not_hide_a_shared_one(self):
        """Codes are unique per company, shared records included."""
        with self.assert_refused():
            self._call(
                self.staff,
                self.env['sale.return.reason'],
                'create',
                {'name': "X", 'code': self.reason_other.code, 'company_id': self.company.id},
            )
