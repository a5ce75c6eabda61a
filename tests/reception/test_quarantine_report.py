from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..common_discrepancy import DiscrepancyCommon


@tagged('post_install', '-at_install')
class TestQuarantineReport(DiscrepancyCommon):
    """The report shows what is in quarantine: since when, why and for which return."""

    def _get_rows(self, **values):
        self.env.flush_all()
        self.env.invalidate_all()
        domain = [(name, '=', value) for name, value in values.items()]
        return self.env['sale.return.quarantine.report'].search(
            [('company_id', '=', self.company.id), *domain]
        )

    def _get_quants(self):
        quarantines = (
            self.env['stock.warehouse']
            .search([('company_id', '=', self.company.id)])
            .sale_return_loc_id
        )
        return self.env['stock.quant'].search([('location_id', 'child_of', quarantines.ids)])

    def _assert_equals_stock(self):
        rows, quants = self._get_rows(), self._get_quants()
        for product in quants.product_id | rows.product_id:
            mine = rows.filtered(lambda row, product=product: row.product_id == product)
            there = quants.filtered(lambda quant, product=product: quant.product_id == product)
            self.assertAlmostEqual(sum(mine.mapped('quantity')), sum(there.mapped('quantity')))
            self.assertAlmostEqual(sum(mine.mapped('value')), sum(there.mapped('value')))

    def test_rows_equal_the_stock_at_every_step(self):
        self._receive_too_much()
        self._assert_equals_stock()
        self._inspect(self.sale_return, (1, 'restock'), (1, 'send_back'))
        self._assert_equals_stock()
        self._resolve(self.sale_return.discrepancy_ids, 'accept')
        self._assert_equals_stock()
        # Somebody found one more when counting.
        self._put_in_stock(self.product, 1, location=self.quarantine)
        self._assert_equals_stock()
        self.assertEqual(self._get_rows(state='other').quantity, 1)

    def test_rows_say_what_the_goods_wait_for(self):
        self._receive_too_much()
        self._inspect(self.sale_return, (1, 'send_back'))
        rows = self._get_rows()
        self.assertEqual(
            {row.state: row.quantity for row in rows},
            {'inspection': 2, 'transfer': 1, 'customer': 2},
        )
        self.assertEqual(rows.return_id, self.sale_return)
        self.assertEqual(rows.reason_id, self.reason_defective)
        self.assertEqual(rows.warehouse_id, self.warehouse)
        values = {row.state: row.value for row in rows}
        self.assertEqual(values, {'inspection': 120, 'transfer': 60, 'customer': 0})

    def test_the_value_of_a_product_is_asked_once(self):
        self._receive_too_much()
        self._inspect(self.sale_return, (1, 'send_back'))
        rows = self._get_rows()
        self.assertEqual(len(rows), 3)

        def count_queries(some):
            self.env.invalidate_all()
            begin = self.env.cr.sql_log_count
            some.mapped('value')
            return self.env.cr.sql_log_count - begin

        one = rows.filtered(lambda row: row.state == 'inspection')
        count_queries(one)
        self.assertEqual(count_queries(rows), count_queries(one))

    def test_age_counts_from_the_receipt(self):
        self._receive(self.sale_return)
        self.receipt.move_line_ids.date = fields.Datetime.now() - timedelta(days=10, hours=1)
        row = self._get_rows()
        self.assertEqual((row.age_days, row.age), (10, 'd14'))

    def test_value_and_quantity_are_added_up_by_group(self):
        self._receive_too_much()
        self.env.flush_all()
        groups = self.env['sale.return.quarantine.report'].formatted_read_group(
            [('company_id', '=', self.company.id)], ['state'], ['quantity:sum', 'value:sum']
        )
        self.assertEqual(
            {group['state']: (group['quantity:sum'], group['value:sum']) for group in groups},
            {'inspection': (3, 180), 'customer': (2, 0)},
        )

    def test_stock_in_warehouses_keeps_its_value(self):
        """Goods in quarantine take their share of the value of the product."""
        self._receive(self.sale_return)
        self.env.invalidate_all()
        quants = self.env['stock.quant'].search(
            [('product_id', '=', self.product.id), ('location_id.usage', '=', 'internal')]
        )
        values = {quant.location_id: quant.value for quant in quants}
        self.assertEqual(values, {self.stock: 990 * 60, self.quarantine: 3 * 60})

    def test_empty_quarantine_has_no_rows(self):
        self._return_goods(self.order, 3)
        self.assertFalse(self._get_rows())

    def test_row_opens_its_return_or_discrepancy(self):
        self._receive_too_much()
        opened = {row.action_open_document()['res_model'] for row in self._get_rows()}
        self.assertEqual(opened, {'sale.return', 'sale.return.discrepancy'})

    def test_another_company_sees_its_own(self):
        self._receive(self.sale_return)
        self.env.flush_all()
        other = self._create_trading_company("Other Company")
        stranger = self._create_user('stranger', 'sale_return.group_manager', company=other)
        report = self._env_of(stranger)['sale.return.quarantine.report']
        self.assertFalse(report.search([('product_id', '=', self.product.id)]))
