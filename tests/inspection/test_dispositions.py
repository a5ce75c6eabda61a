from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from ..common import SaleReturnCommon
from ..common_disposition import DispositionCommon

LEAN = {
    "a story of the room": (
        'test_grade_goes_to_its_location',
        'test_scrap_order_tells_odoo_why',
        'test_kept_goods_are_credited_without_receipt',
        'test_people_of_another_company_are_kept_out',
    ),
    "no repairs": (
        'test_goods_wait_outside_the_warehouse_and_are_valued',
        'test_goods_go_back_to_stock_by_an_ordinary_transfer',
    ),
}


@tagged('post_install', '-at_install')
class TestRestock(DispositionCommon):
    def test_grade_goes_to_its_location(self):
        shelf = self._create_shelf()
        self.warehouse.sale_return_grade_location_ids = [
            Command.create(
                {'grade_id': self.env.ref('sale_return.grade_b').id, 'location_id': shelf.id}
            )
        ]
        self._inspect(
            self.sale_return,
            {'quantity': 2, 'disposition': 'restock', 'grade': 'B'},
            {'quantity': 1, 'disposition': 'restock', 'grade': 'A'},
            {'quantity': 3, 'disposition': 'restock'},
        )
        self.assert_on_hand(self.product, 2, shelf)
        self.assert_on_hand(self.product, 0, self.quarantine)
        self.assertEqual(len(self.sale_return.transfer_ids), 1)
        self.assert_ledger_balanced()

    def test_grade_location_must_be_stock_of_the_company(self):
        grade = self.env.ref('sale_return.grade_b')
        for location in (self.customers, self.quarantine):
            with (
                self.subTest(location=location.name),
                self.assert_refused("not a stock location", ValidationError),
            ):
                self.warehouse.sale_return_grade_location_ids = [
                    Command.create({'grade_id': grade.id, 'location_id': location.id})
                ]

    def test_putaway_keeps_goods_in_quarantine_until_it_is_validated(self):
        self.warehouse.sale_return_restock = 'putaway'
        self._inspect(self.sale_return, (4, 'restock'))
        transfer = self.sale_return.transfer_ids
        self.assertEqual(transfer.state, 'assigned')
        self.assert_on_hand(self.product, 6, self.quarantine)
        self.assertEqual(self.product.with_context(location=self.stock.id).free_qty, 990)
        self.assert_quantities(self.line, inspected=4, credited=4)
        with self.assert_refused("only 2"):
            self._inspect(self.sale_return, (3, 'restock'))
        self._validate(transfer)
        self.assert_on_hand(self.product, 2, self.quarantine)
        self.assert_on_hand(self.product, 994)

    def test_putaway_transfer_holds_many_returns_until_it_is_printed(self):
        self.warehouse.sale_return_restock = 'putaway'
        second = self._create_return(self._create_sale(), 2)
        self._receive(second)
        self._inspect(self.sale_return, (6, 'restock'))
        self._inspect(second, (1, 'restock'))
        transfer = self.sale_return.transfer_ids
        self.assertEqual(second.transfer_ids, transfer)
        self.assertEqual(transfer.sale_return_ids, self.sale_return + second)
        transfer.printed = True
        self._inspect(second, (1, 'restock'))
        self.assertEqual(len(second.transfer_ids), 2)

    def test_putaway_in_parts_keeps_the_rest_planned(self):
        self.warehouse.sale_return_restock = 'putaway'
        row = self._inspect(self.sale_return, (6, 'restock'))
        self._validate(self.sale_return.transfer_ids, 4)
        self.assert_on_hand(self.product, 2, self.quarantine)
        rest = row.move_ids.filtered(lambda move: move.state != 'done')
        self.assertEqual(rest.product_uom_qty, 2)
        self._validate(rest.picking_id)
        self.assert_on_hand(self.product, 0, self.quarantine)

    def test_transfer_of_inspected_goods_cannot_be_cancelled(self):
        """A15"""
        self._inspect(self.sale_return, (2, 'send_back'))
        delivery = self.sale_return.transfer_ids
        with self.assert_refused("would stay in quarantine"):
            delivery.action_cancel()
        with self.assert_refused("would stay in quarantine"):
            delivery.unlink()
        delivery.move_ids.picked = True
        delivery.move_ids.quantity = 1
        with self.assert_refused("cannot leave quarantine"):
            delivery.with_context(
                skip_backorder=True, picking_ids_not_to_backorder=delivery.ids
            ).button_validate()


@tagged('post_install', '-at_install')
class TestRefurbish(DispositionCommon):
    def test_goods_wait_outside_the_warehouse_and_are_valued(self):
        row = self._inspect(self.sale_return, (2, 'refurbish'))
        location = self.warehouse.sale_return_refurbish_loc_id
        self.assertFalse(location.warehouse_id)
        self.assert_on_hand(self.product, 2, location)
        self.assert_on_hand(self.product, 4, self.quarantine)
        self.assertEqual(row.move_ids.state, 'done')
        self.assertEqual(self.product.qty_available, 990)
        self.assert_quantities(self.line, accepted=2, credited=2)
        self.sale_return.action_inspect_all('refurbish')
        self.assertEqual(self.sale_return.state, 'closed')
        self.assert_ledger_balanced()

    def test_second_run_changes_nothing(self):
        self.sale_return.action_inspect_all('refurbish')
        before = self._count_documents()
        self.assertFalse(self.sale_return.action_inspect_all('refurbish'))
        self.assertEqual(self._count_documents(), before)

    def test_goods_go_back_to_stock_by_an_ordinary_transfer(self):
        self._inspect(self.sale_return, (2, 'refurbish'))
        location = self.warehouse.sale_return_refurbish_loc_id
        transfer = self.env['stock.picking'].create(
            {
                'picking_type_id': self.warehouse.int_type_id.id,
                'location_id': location.id,
                'location_dest_id': self.stock.id,
                'move_ids': [
                    Command.create(
                        {
                            'product_id': self.product.id,
                            'product_uom_qty': 2,
                            'location_id': location.id,
                            'location_dest_id': self.stock.id,
                        }
                    )
                ],
            }
        )
        transfer.action_confirm()
        self._validate(transfer)
        self.assert_on_hand(self.product, 992)

    def test_repair_order_is_planned_from_there(self):
        self._require('repair.order', "Repairs")
        row = self._inspect(self.sale_return, (2, 'refurbish'))
        repair = row.document_ref
        self.assertEqual((repair._name, repair.state), ('repair.order', 'draft'))
        self.assertEqual((repair.product_id, repair.product_qty), (self.product, 2))
        self.assertEqual(
            repair.product_location_src_id, self.warehouse.sale_return_refurbish_loc_id
        )
        self.assertEqual(repair.product_location_dest_id, self.stock)
        self.assertEqual(repair.picking_id, row.move_ids.picking_id)
        self.assertEqual(repair.partner_id, self.customer)

    def test_correction_cancels_the_planned_repair(self):
        self._require('repair.order', "Repairs")
        rows = self._inspect(self.sale_return, (2, 'refurbish'), (1, 'refurbish'))
        rows[0].action_correct("Wrong shelf.", results=[{'quantity': 2, 'disposition': 'restock'}])
        self.assertEqual([row.document_ref.state for row in rows], ['cancel', 'draft'])
        rows[1].document_ref.action_validate()
        with self.assert_refused("under repair"):
            rows[1].action_correct(
                "Wrong shelf.", results=[{'quantity': 1, 'disposition': 'restock'}]
            )

    def test_place_follows_its_warehouse(self):
        warehouse = self._create_warehouse()
        location = warehouse.sale_return_refurbish_loc_id
        self.assertEqual((location.name, location.usage), ('NORTH', 'internal'))
        warehouse.code = 'NRT'
        self.assertEqual(location.name, 'NRT')
        self._put_in_stock(self.product, 1, location=location)
        with self.assert_refused("still in"):
            warehouse.sudo().active = False
        self._put_in_stock(self.product, -1, location=location)
        warehouse.sudo().active = False
        self.assertFalse(location.active)


@tagged('post_install', '-at_install')
class TestScrap(DispositionCommon):
    def test_scrap_order_tells_odoo_why(self):
        tag = self.env['stock.scrap.reason.tag'].sudo().create({'name': "Returned broken"})
        self.scrap.sudo().scrap_reason_tag_ids = tag
        row = self._inspect(self.sale_return, (2, 'scrap'))
        scrap = row.document_ref
        self.assertEqual((scrap._name, scrap.state, scrap.scrap_qty), ('stock.scrap', 'done', 2))
        self.assertEqual(scrap.scrap_reason_tag_ids, tag)
        self.assertEqual(scrap.move_ids, row.move_ids)
        self.assertEqual(scrap.scrap_location_id, self.company.sale_return_scrap_location_id)
        self.assert_ledger_balanced_but(6 - 2)

    def assert_ledger_balanced_but(self, uncredited):
        """Assert that the ledger lacks only goods without their credit note."""
        self.assertAlmostEqual(
            self._get_value_not_in_ledger() - self._get_opening_value(),
            uncredited * self.product.standard_price,
        )

    def test_correction_brings_the_value_back(self):
        for method in ('standard', 'average', 'fifo'):
            with self.subTest(method=method):
                self.category.property_cost_method = method
                row = self._inspect(self.sale_return, (1, 'scrap'))
                row.action_correct("It works.", results=[{'quantity': 1, 'disposition': 'restock'}])
                self.assertEqual(row.qty_valid, 0)
        self.assert_on_hand(self.product, 3, self.quarantine)
        self.assert_on_hand(self.product, 993)
        self.assert_ledger_balanced_but(3)


@tagged('post_install', '-at_install')
class TestKeep(SaleReturnCommon):
    """The customer keeps lamps that have not come."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale({'taxes': cls.env['account.tax']})
        cls.sale_return = cls._create_return(cls.order, 6)
        cls.line = cls.sale_return.line_ids

    def test_kept_goods_are_credited_without_receipt(self):
        row = self._inspect(self.sale_return, (6, 'keep'))
        self.assertFalse(row.move_ids)
        self.assertEqual(self.sale_return.picking_ids.state, 'cancel')
        self.assert_quantities(self.line, kept=6, inspected=6, accepted=6, received=0, credited=6)
        self.assertEqual(self.sale_return.state, 'closed')
        self.assert_sold(self.order.order_line, delivered=10, invoiced=4)
        self.assert_nothing_to_invoice(self.order)

    def test_kept_goods_are_taken_off_the_receipt(self):
        self._inspect(self.sale_return, (2, 'keep'))
        receipt = self.sale_return.picking_ids
        self.assertEqual(receipt.move_ids.product_uom_qty, 4)
        self.assert_progress(self.sale_return, 'pending', 'partial', 'partial')
        self._receive(self.sale_return)
        self.sale_return.action_inspect_all('restock')
        self.assert_quantities(self.line, received=4, kept=2, accepted=6, credited=6)
        self.assertEqual(self.sale_return.state, 'closed')

    def test_credit_of_kept_goods_reverses_no_cost(self):
        """Kept goods never come into stock: only the cost of the four others is reversed."""
        self._inspect(self.sale_return, (2, 'keep'))
        self._receive(self.sale_return)
        self.sale_return.action_inspect_all('restock')
        notes = self.sale_return.credit_note_ids
        self.assertEqual(sum(notes.mapped('amount_untaxed')), 600)
        cost = notes.line_ids.filtered(lambda line: line.display_type == 'cogs' and line.debit)
        self.assertEqual(sum(cost.mapped('debit')), 4 * 60)
        self.assert_ledger_balanced()

    def test_kept_and_returned_on_one_note_are_two_lines(self):
        self.company.sudo().sale_return_auto_credit = False
        self._receive(self.sale_return, 4)
        self._inspect(self.sale_return, (2, 'keep'), (4, 'restock'))
        preview = self.sale_return.preview_credit()[self.sale_return.id]['due']
        self.assertEqual(sorted(line['quantity'] for line in preview[0]['lines']), [2, 4])
        note = self.sale_return.action_create_credit_notes()
        kept = note.invoice_line_ids.filtered('sale_return_kept')
        self.assertEqual(kept.quantity, 2)
        self.assert_ledger_balanced()

    def test_dialog_leaves_what_has_not_come_with_the_customer(self):
        self._receive(self.sale_return, 4)
        action = self.sale_return.action_open_keep()
        dialog = Form(self.env[action['res_model']].with_context(**action['context']))
        with dialog.line_ids.edit(0) as row:
            self.assertEqual((row.quantity, row.disposition_id), (2, self.keep))
        dialog.save().action_confirm()
        self.assert_quantities(self.line, received=4, kept=2, to_inspect=4, credited=2)

    def test_received_goods_cannot_be_kept(self):
        self._receive(self.sale_return, 5)
        with self.assert_refused("1.0 are expected"):
            self._inspect(self.sale_return, (2, 'keep'))

    def test_second_keep_gets_only_the_rest(self):
        self._inspect(self.sale_return, (4, 'keep'))
        with self.assert_refused("2.0 are expected"):
            self._inspect(self.sale_return, (3, 'keep'))

    def test_what_was_never_invoiced_cannot_be_kept(self):
        order = self._create_order()
        self._deliver(order)
        sale_return = self._create_return(order, 3)
        with self.assert_refused("Invoice it first"):
            self._inspect(sale_return, (1, 'keep'))

    def test_correction_expects_the_goods_again(self):
        self.company.sudo().sale_return_auto_credit = False
        row = self._inspect(self.sale_return, (2, 'keep'))
        row.action_correct("They are sent after all.")
        self.assert_quantities(self.line, kept=0, inspected=0, accepted=0)
        waiting = self.sale_return.picking_ids.move_ids.filtered(
            lambda move: move.state not in ('done', 'cancel')
        )
        self.assertEqual(sum(waiting.mapped('product_uom_qty')), 6)

    def test_correction_of_credited_goods_is_refused(self):
        row = self._inspect(self.sale_return, (2, 'keep'))
        with self.assert_refused("are credited"):
            row.action_correct("They are sent after all.")


@tagged('post_install', '-at_install')
class TestValueOfDispositions(DispositionCommon):
    def test_stock_value_is_the_ledger_whatever_happens_to_the_goods(self):
        for method in ('standard', 'average', 'fifo'):
            self.category.property_cost_method = method
            for disposition in ('restock', 'refurbish', 'scrap'):
                with self.subTest(method=method, disposition=disposition):
                    sale_return = self._create_return(
                        self._create_sale({'quantity': 3, 'taxes': self.env['account.tax']}), 2
                    )
                    self._receive(sale_return)
                    sale_return.action_inspect_all(disposition)
                    self.assertEqual(sale_return.state, 'closed')
        self.sale_return.action_inspect_all('restock')
        self.assert_on_hand(self.product, 0, self.quarantine)
        self.assert_ledger_balanced()


@tagged('post_install', '-at_install')
class TestDispositionsOfTwoCompanies(DispositionCommon):
    def test_people_of_another_company_are_kept_out(self):
        row = self._inspect(self.sale_return, (2, 'restock'))
        other = self._create_trading_company("Other")
        stranger = self._create_user(
            'returns_stranger', 'base.group_user', 'sale_return.group_manager', company=other
        )
        with self.assertRaises(AccessError):
            self._call(stranger, row, 'action_correct', "Mine.")
        with self.assertRaises(AccessError):
            self._call(
                stranger,
                self.line,
                'register_inspection',
                [{'quantity': 1, 'disposition': 'refurbish'}],
            )
        theirs = self.env(su=True)['stock.warehouse'].search([('company_id', '=', other.id)])
        with self.assertRaises(UserError):
            self.warehouse.sale_return_grade_location_ids = [
                Command.create(
                    {
                        'grade_id': self.env.ref('sale_return.grade_b').id,
                        'location_id': theirs.lot_stock_id.id,
                    }
                )
            ]
