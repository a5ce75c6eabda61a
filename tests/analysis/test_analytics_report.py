from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time
from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from ...report import sale_return_fact
from ...report.sale_return_fact import FRESH_UNTIL
from ..common import SaleReturnCommon

LEAN = {
    "the report without carriers and purchases": (
        'test_a_full_return_in_all_measures',
        'test_two_partial_deliveries_and_invoices_of_a_line',
        'test_lots_tell_the_supplier_and_others_take_the_main_vendor',
        'test_what_is_stored_equals_what_is_computed',
        'test_nothing_lags_behind_what_is_stored',
        'test_the_facts_that_changed_take_one_query',
    ),
}


@tagged('post_install', '-at_install')
class TestAnalyticsReport(SaleReturnCommon):
    """Sums of the analysis equal the documents, stored or not."""

    def _get_rows(self, **values):
        self.env.flush_all()
        self.env.invalidate_all()
        domain = [(name, '=', value) for name, value in values.items()]
        return self.env['sale.return.report'].search(
            [('company_id', '=', self.company.id), *domain]
        )

    def _sum(self, *names, **values):
        """Return sums of measures the way pivots ask for them."""
        domain = [(name, '=', value) for name, value in values.items()]
        self.env.flush_all()
        rows = self.env['sale.return.report'].formatted_read_group(
            [('company_id', '=', self.company.id), *domain],
            [],
            [f'{name}:sum' for name in names],
        )
        return [rows[0][f'{name}:sum'] or 0.0 for name in names]

    def _store_everything(self):
        """Store all facts, and treat them as always fresh."""
        self.env['sale.return.fact'].sudo()._refresh(everything=True)
        self._set_fresh_until('2999-01-01 00:00:00')

    def _set_fresh_until(self, value):
        self.env['ir.config_parameter'].sudo().set_param(FRESH_UNTIL, value)

    # === SUMS EQUAL THE DOCUMENTS === #

    def assert_equals_documents(self, sale_lines):
        """Assert that the sums of order lines are those of their documents."""
        for sale_line in sale_lines:
            product_unit = sale_line.product_id.uom_id

            def in_product_unit(record, name, unit=product_unit):
                return record.product_uom_id._compute_quantity(record[name], unit, round=False)

            returns = self.env['sale.return.line'].search(
                [
                    ('sale_line_id', '=', sale_line.id),
                    ('state', 'not in', ('draft', 'cancelled')),
                ]
            )
            names = ('qty_requested', 'qty_authorized', 'qty_received', 'qty_accepted')
            expected = [sum(in_product_unit(line, n) for line in returns) for n in names]
            expected.append(sum(in_product_unit(line, 'qty_credited_posted') for line in returns))
            notes = returns.credit_line_ids.filtered(lambda line: line.parent_state == 'posted')
            expected.append(sum(notes.mapped('balance')))
            found = self._sum(*names, 'qty_credited', 'amount_credited', sale_line_id=sale_line.id)
            for value, other in zip(found, expected, strict=True):
                self.assertAlmostEqual(value, other, places=6)
            (shipped,) = self._sum('qty_shipped', sale_line_id=sale_line.id)
            back = in_product_unit(sale_line, 'qty_returned')
            sent_again = sum(
                in_product_unit(line, 'qty_sent_back') + in_product_unit(line, 'qty_replaced')
                for line in returns
            )
            delivered = in_product_unit(sale_line, 'qty_delivered')
            self.assertAlmostEqual(shipped, delivered + back - sent_again, places=6)

    def test_a_full_return_in_all_measures(self):
        order = self._create_sale()
        self._return_goods(order)
        self.assert_equals_documents(order.order_line)
        self.assertEqual(
            self._sum('value_shipped', 'value_returned', 'amount_credited'), [1000, 1000, 1000]
        )
        self.assertEqual(
            self._sum('cost_shipped', 'cost_returned', 'cost_recovered', 'cost_lost'),
            [600, 600, 600, 0],
        )
        self.assertEqual(self._sum('margin_before_return_costs'), [0.0])

    def test_each_unit_is_in_one_row_by_its_result(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 6)
        self._receive(sale_return, 5)
        self._inspect(sale_return, (2, 'restock'), (1, 'scrap'), (1, 'send_back'))
        rows = self._get_rows(return_id=sale_return.id)
        found = {
            (row.disposition_id.code, row.stage): (
                row.qty_returned,
                row.cost_recovered,
                row.cost_lost,
                row.cost_at_risk,
            )
            for row in rows
        }
        self.assertEqual(
            found,
            {
                ('restock', 'inspected'): (2, 120, 0, 0),
                ('scrap', 'inspected'): (1, 0, 60, 0),
                ('send_back', 'inspected'): (1, 0, 0, 0),
                (False, 'quarantine'): (1, 0, 0, 60),
            },
        )
        self.assert_equals_documents(order.order_line)

    def test_dozens_are_counted_in_the_unit_of_the_product(self):
        order = self._create_sale({'quantity': 2, 'price': 1200.0, 'product_uom_id': self.dozen.id})
        self._return_goods(order, 0.5)
        self.assert_equals_documents(order.order_line)
        self.assertEqual(
            self._sum('qty_shipped', 'qty_returned', 'value_shipped', 'value_returned'),
            [24, 6, 2400, 600],
        )

    def test_foreign_currency_counts_at_the_rate_of_the_invoice(self):
        pricelist = self._setup_currency('EUR')
        order = self._create_sale(pricelist_id=pricelist.id)
        self._set_rate(pricelist.currency_id, self._today(), 4.0)
        self._return_goods(order, 5)
        self.assert_equals_documents(order.order_line)
        shipped, returned, credited = self._sum(
            'value_shipped', 'value_returned', 'amount_credited'
        )
        invoiced = -sum(order.invoice_ids.invoice_line_ids[:1].mapped('balance'))
        self.assertAlmostEqual(shipped, abs(invoiced))
        self.assertAlmostEqual(returned, shipped / 2)
        self.assertAlmostEqual(credited, returned)

    def test_what_was_kept_back_is_told_apart(self):
        self.env.ref('sale_return.grade_b').credit_ratio = 0.75
        order = self._create_sale()
        sale_return = self._create_return(order, 4)
        self._receive(sale_return)
        self._inspect(sale_return, {'quantity': 4, 'disposition': 'restock', 'grade': 'B'})
        self.assertEqual(self._sum('amount_credited', 'amount_deducted'), [300, 100])
        self.assert_equals_documents(order.order_line)

    def test_goods_never_invoiced_have_the_value_of_the_order(self):
        order = self._create_order()
        self._deliver(order)
        self._return_goods(order, 3)
        self.assert_equals_documents(order.order_line)
        self.assertEqual(
            self._sum('value_shipped', 'value_returned', 'amount_credited'), [1000, 300, 0]
        )

    def test_two_partial_deliveries_and_invoices_of_a_line(self):
        order = self._create_order()
        self._deliver(order, 4)
        self._invoice(order)
        self._deliver(order, 6)
        self._invoice(order)
        self._return_goods(order, 7)
        self.assert_equals_documents(order.order_line)
        self.assertEqual(self._sum('qty_shipped', 'value_shipped', 'qty_returned'), [10, 1000, 7])

    def test_returnless_counts_as_returned_and_is_told_apart(self):
        order = self._create_sale()
        sale_return = self._create_approved_return(order, 2, reason=self.reason_missing)
        row = self._get_rows(return_id=sale_return.id)
        self.assertTrue(row.is_returnless)
        self.assertEqual((row.qty_returned, row.qty_received), (2, 0))
        self.assert_equals_documents(order.order_line)

    def test_services_have_no_rate(self):
        order = self._create_order({'product': self.service, 'quantity': 3})
        self._invoice(order)
        sale_return = self._create_approved_return(order.order_line, 3)
        self.assertEqual(self._sum('qty_shipped', 'qty_returned'), [0, 0])
        self.assertEqual(self._get_rows(return_id=sale_return.id).amount_credited, 300)

    def test_drafts_and_cancelled_returns_do_not_count(self):
        order = self._create_sale()
        self._create_return(order, 1, submit=False)
        cancelled = self._create_return(order, 1)
        cancelled.action_cancel()
        self.assertFalse(self._get_rows(kind='returned'))

    def test_lots_tell_the_supplier_and_others_take_the_main_vendor(self):
        vendor, other = self._create_customer("Vendor"), self._create_customer("Other")
        product, lots = self._create_tracked_product('lot', "L1", "L2", quantity=5)
        product.seller_ids = [Command.create({'partner_id': vendor.id})]
        self._receive_from(other, product, lots[0])
        order = self._create_order({'product': product, 'quantity': 4})
        self._deliver(order, lots=lots)
        rows = self._get_rows(kind='shipped')
        self.assertEqual(
            {row.lot_id: (row.supplier_id, row.supplier_source, row.qty_shipped) for row in rows},
            {lots[0]: (other, 'lot', 2), lots[1]: (vendor, 'vendor', 2)},
        )

    def _receive_from(self, vendor, product, lot):
        picking = self.env['stock.picking'].create(
            {
                'partner_id': vendor.id,
                'picking_type_id': self.warehouse.in_type_id.id,
                'location_id': self.env.ref('stock.stock_location_suppliers').id,
                'location_dest_id': self.stock.id,
                'move_ids': [
                    Command.create(
                        {
                            'product_id': product.id,
                            'product_uom_qty': 1,
                            'location_id': self.env.ref('stock.stock_location_suppliers').id,
                            'location_dest_id': self.stock.id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        self._process(picking, lots=lot)

    # === STORED OR NOT === #

    def test_what_is_stored_equals_what_is_computed(self):
        order = self._create_sale({}, {'product': self.product_on_order, 'quantity': 3})
        sale_return = self._create_return(order, 2)
        self._receive(sale_return)
        sale_return.line_ids[0].register_inspection([{'quantity': 1, 'disposition': 'scrap'}])
        computed = self._get_rows().read([])
        self._store_everything()
        self.assertEqual(self._get_rows().read([]), computed)

    def test_nothing_lags_behind_what_is_stored(self):
        order = self._create_sale()
        self._store_everything()
        self._set_fresh_until('2020-01-01 00:00:00')
        self._return_goods(order, 4)
        self.assert_equals_documents(order.order_line)
        self.assertEqual(self._sum('qty_shipped', 'qty_returned'), [10, 4])

    def test_what_changed_is_the_same_computed_before_or_in_the_query(self):
        order = self._create_sale({}, {'product': self.product_on_order, 'quantity': 3})
        self._store_everything()
        self._set_fresh_until('2020-01-01 00:00:00')
        self._return_goods(order, 3)
        before = self._get_rows().read([])
        self.assertTrue(before)
        with patch.object(sale_return_fact, 'MOST_COMPUTED_FIRST', 0):
            self.env.invalidate_all()
            self.assertEqual(self._get_rows().read([]), before)

    def test_the_facts_that_changed_take_one_query(self):
        order = self._create_sale()
        self._store_everything()
        self.env['sale.return.report'].search_count([])
        # Two queries look up what changed.
        with self.assertQueryCount(3):
            self.env['sale.return.report'].search_count([])
        self._set_fresh_until('2020-01-01 00:00:00')
        self._return_goods(order, 4)
        self.env['sale.return.report'].search_count([])
        # One query finds the locations of customers, one computes changes.
        with self.assertQueryCount(5):
            self.env['sale.return.report'].search_count([])

    def test_stored_rows_are_read_where_nothing_changed(self):
        order = self._create_sale()
        self._store_everything()
        self.env.cr.execute(
            "UPDATE sale_return_fact SET qty_shipped = 77 WHERE sale_line_id = %s",
            [order.order_line.id],
        )
        self.assertEqual(self._sum('qty_shipped'), [77])

    def test_a_refresh_takes_what_changed_and_drops_what_is_gone(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 4)
        Fact = self.env['sale.return.fact'].sudo()
        Fact._refresh(everything=True)
        self._set_fresh_until('2020-01-01 00:00:00')
        sale_return.action_cancel()
        Fact._refresh()
        self.assertFalse(self._get_rows(kind='returned'))
        self.assertEqual(self._sum('qty_shipped'), [10])

    def test_the_job_stores_all_but_what_others_may_still_be_writing(self):
        # Another connection shows this transaction as running.
        begin = self.env.cr.now()
        seen_until = self.env['sale.return.fact']._get_seen_until()
        self.assertLessEqual(seen_until, begin)
        self.env['sale.return.fact'].sudo()._refresh(seen_until=seen_until)
        fresh_until = self.env['sale.return.fact']._get_fresh_until()
        self.assertLessEqual(fresh_until, begin)
        self.assertGreater(fresh_until, begin - timedelta(minutes=1))

    def test_deleting_a_return_deletes_its_facts(self):
        self._create_policy(approval='always')
        order = self._create_sale()
        submitted = self._create_return(order, 1)
        draft = self._create_return(order, 2, submit=False)
        self._store_everything()
        # As if the draft had been submitted when the facts were stored.
        self.env.cr.execute(
            "UPDATE sale_return_fact SET return_line_id = %s WHERE return_line_id = %s",
            [draft.line_ids.id, submitted.line_ids.id],
        )
        self.assertTrue(self._get_rows(kind='returned'))
        draft.unlink()
        self.assertFalse(self._get_rows(kind='returned'))

    # === RATIOS AND TIMES === #

    def test_ratios_are_of_sums_in_every_total(self):
        small = self._create_sale({'quantity': 1})
        self._return_goods(small)
        self._create_sale({'quantity': 9})
        groups = self.env['sale.return.report'].formatted_read_group(
            [('company_id', '=', self.company.id)],
            ['order_id'],
            ['rate_units:avg', 'rate_value:avg', 'rate_ppm:avg'],
        )
        self.assertEqual(sorted(group['rate_units:avg'] or 0.0 for group in groups), [0.0, 1.0])
        (total,) = self.env['sale.return.report'].formatted_read_group(
            [('company_id', '=', self.company.id)], [], ['rate_units:avg', 'rate_ppm:avg']
        )
        self.assertAlmostEqual(total['rate_units:avg'], 0.1)
        self.assertAlmostEqual(total['rate_ppm:avg'], 100000)

    def test_acceptance_counts_the_same_goods_on_both_sides(self):
        # Two were inspected, one of them rejected; four more were accepted without goods.
        order = self._create_sale({'product': self.product, 'quantity': 6})
        came = self._create_return(order, 2)
        self._receive(came)
        self._inspect(came, (1, 'restock'), (1, 'send_back'))
        missing = self._create_return(order, 4, reason=self.reason_missing)
        if missing.state == 'submitted':
            missing.action_approve()
        self.assertEqual(self._sum('qty_accepted', 'qty_inspected', 'qty_rejected'), [5, 2, 1])
        [row] = self.env['sale.return.report'].formatted_read_group(
            [('company_id', '=', self.company.id)], [], ['rate_accepted:avg']
        )
        self.assertEqual(row['rate_accepted:avg'], 0.5)

    def test_nothing_shipped_has_no_rate(self):
        (total,) = self.env['sale.return.report'].formatted_read_group(
            [('company_id', '=', self.company.id)], [], ['rate_units:avg', 'hours_total_p90:avg']
        )
        self.assertFalse(total['rate_units:avg'])
        self.assertFalse(total['hours_total_p90:avg'])

    def test_hours_go_from_step_to_step(self):
        self._create_policy(approval='always')
        order = self._create_sale()
        sale_return = self._create_return(order, 1)
        row = self._get_rows(return_id=sale_return.id)
        begin = row.date_request
        table_moments = {
            'sale_return_approval': ('date', 2),
            'stock_move': ('date', 26),
            'sale_return_inspection': ('date', 30),
            'account_move': ('create_date', 31),
        }
        sale_return.action_approve()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.env.flush_all()
        records = {
            'sale_return_approval': sale_return.approval_ids,
            'stock_move': sale_return.picking_ids.move_ids,
            'sale_return_inspection': sale_return.inspection_ids,
            'account_move': sale_return.credit_note_ids,
        }
        for table, (column, hours) in table_moments.items():
            self.env.cr.execute(
                f"UPDATE {table} SET {column} = %s::timestamp + %s * interval '1 hour'"
                " WHERE id = ANY(%s)",
                [begin, hours, records[table].ids],
            )
        row = self._get_rows(return_id=sale_return.id)
        self.assertEqual(
            [
                round(row[f'hours_{step}'], 2)
                for step in ('decision', 'receipt', 'inspection', 'credit', 'total')
            ],
            [2, 24, 4, 1, 31],
        )
        (group,) = self.env['sale.return.report'].formatted_read_group(
            [('return_id', '=', sale_return.id)],
            [],
            ['hours_receipt_median:avg', 'hours_receipt_p90:avg'],
        )
        self.assertAlmostEqual(group['hours_receipt_median:avg'], 24)
        self.assertAlmostEqual(group['hours_receipt_p90:avg'], 24)
        # Inspected and credited in one go with the receipt: everything has the time when that
        # began.
        self.env.cr.execute(
            "UPDATE stock_move SET date = date + interval '6 hours' WHERE id = ANY(%s)",
            [records['stock_move'].ids],
        )
        row = self._get_rows(return_id=sale_return.id)
        self.assertEqual([round(row.hours_receipt), row.hours_inspection], [30, 0])

    def test_medians_are_sorted_in_memory(self):
        def read():
            self.env['sale.return.report'].formatted_read_group([], [], ['hours_total_median:avg'])
            self.env.cr.execute("SELECT PG_SIZE_BYTES(CURRENT_SETTING('work_mem')) / 1024 ^ 2")
            return self.env.cr.fetchone()[0]

        self.env.cr.execute("SET LOCAL work_mem TO '4MB'")
        self.assertEqual(read(), 32)
        self.env.cr.execute("SET LOCAL work_mem TO '64MB'")
        self.assertEqual(read(), 64, "whoever gives more keeps it")

    def test_root_causes_are_told_in_the_language_of_the_user(self):
        self.env['res.lang'].sudo()._activate_lang('fr_FR')
        root = self.env.ref('base.user_root')
        selection = self.env['ir.model.fields.selection'].with_user(root)
        selection.search(
            [
                ('field_id.model', '=', 'sale.return.reason'),
                ('field_id.name', '=', 'root_cause'),
                ('value', '=', 'logistics'),
            ]
        ).with_context(lang='fr_FR').name = "Transport"
        fields = (
            self.env['sale.return.report'].with_context(lang='fr_FR').fields_get(['root_cause'])
        )
        self.assertEqual(dict(fields['root_cause']['selection'])['logistics'], "Transport")

    def test_touchless_is_what_nobody_decided(self):
        order = self._create_sale()
        by_policy = self._return_goods(order, 1)
        self._create_policy(approval='always')
        by_hand = self._create_return(order, 1)
        by_hand.action_approve()
        self.assertTrue(self._get_rows(return_id=by_policy.id).is_touchless)
        self.assertFalse(self._get_rows(return_id=by_hand.id).is_touchless)

    # === BAD INPUT === #

    def test_dates_in_the_future_archived_products_and_deleted_users_do_not_matter(self):
        order = self._create_sale()
        sale_return = self._return_goods(order, 2)
        user = self._create_user('leaving', 'sale_return.group_user')
        self.env.cr.execute(
            "UPDATE sale_order SET date_order = '2990-01-01', user_id = NULL WHERE id = %s",
            [order.id],
        )
        sale_return.user_id = user
        self.env.flush_all()
        self._store_everything()
        self.product.action_archive()
        user.sudo().unlink()
        rows = self._get_rows()
        self.assertTrue(rows.read([]))
        self.assertEqual(self._sum('qty_shipped', 'qty_returned'), [10, 2])
        groups = self.env['sale.return.report'].formatted_read_group(
            [('company_id', '=', self.company.id)],
            ['product_id', 'user_id', 'date_sale:month'],
            ['rate_units:avg'],
        )
        self.assertTrue(groups)

    # === WHO MAY SEE IT === #

    def test_users_of_another_company_see_nothing_of_it(self):
        self._return_goods(self._create_sale(), 1)
        other = self._create_trading_company("Elsewhere")
        stranger = self._create_user('stranger', 'sale_return.group_manager', company=other)
        env = self._env_of(stranger)
        self.assertFalse(env['sale.return.report'].search([('company_id', '=', self.company.id)]))

    def test_salespeople_without_a_role_in_returns_are_refused(self):
        seller = self._create_user('seller', 'sales_team.group_sale_salesman')
        with self.assertRaises(AccessError), mute_logger('odoo.models'):
            self._env_of(seller)['sale.return.report'].search([])

    def test_nobody_reads_or_writes_the_store(self):
        for method, args in (('search', [[]]), ('create', [{'kind': 'shipped'}])):
            with self.assertRaises(AccessError), mute_logger('odoo.models'):
                getattr(self.env['sale.return.fact'], method)(*args)

    def test_menus_open_with_the_last_year_chosen(self):
        self._create_sale()
        self.env.flush_all()
        for name in (
            'sale_return_report_action',
            'sale_return_report_action_why',
            'sale_return_report_action_flow',
            'sale_return_report_action_money',
            'sale_return_report_action_supply',
            'sale_return_resale_action',
            'sale_return_note_report_action',
            'sale_return_refund_report_action',
            'sale_return_inspection_action',
        ):
            action = self.env.ref(f'sale_return.{name}').sudo()
            model = self.env[action.res_model]
            view = model.get_views([(action.search_view_id.id, 'search')])['views']['search']
            chosen = {
                key.removeprefix('search_default_'): value
                for key, value in safe_eval(action.context).items()
                if key.startswith('search_default_')
            }
            self.assertEqual(len(chosen), 1, name)
            for filter_name, option in chosen.items():
                (node,) = etree.fromstring(view['arch']).xpath(
                    f"//filter[@name='{filter_name}']/filter[@name='{option[7:]}']"
                )
                self.assertEqual(option[:7], 'custom_')
                model.search_count(safe_eval(node.get('domain')))
        ranking = self.env['sale.return.ranking'].search([], limit=1)
        self.assertFalse(ranking.action_open_rows()['context'], "a rate is of all times")

    def test_a_row_opens_its_document(self):
        order = self._create_sale()
        sale_return = self._return_goods(order, 1)
        returned = self._get_rows(kind='returned')
        self.assertEqual(returned.action_open_document()['res_id'], sale_return.id)
        shipped = self._get_rows(kind='shipped')
        self.assertEqual(shipped.action_open_document()['res_id'], order.id)

    @freeze_time('2026-03-01')
    def test_kits_count_once_as_what_was_sold(self):
        if 'mrp.bom' not in self.env:
            self.skipTest("Kits need sale_mrp.")
        part = self._create_product("Part")
        kit = self._create_product("Kit", is_storable=False)
        self.env['mrp.bom'].sudo().create(
            {
                'product_tmpl_id': kit.product_tmpl_id.id,
                'type': 'phantom',
                'bom_line_ids': [Command.create({'product_id': part.id, 'product_qty': 3})],
            }
        )
        order = self._create_order({'product': kit, 'quantity': 2})
        self._deliver(order)
        row = self._get_rows(kind='shipped')
        self.assertEqual((row.product_id, row.qty_shipped, row.cost_shipped), (kit, 2, 360))
        self.assertLess(row.date_delivery, datetime(2100, 1, 1))
