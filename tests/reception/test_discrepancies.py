import base64

from odoo import Command
from odoo.tests import Form, tagged
from odoo.tools.misc import file_open

from ..common_discrepancy import DiscrepancyCommon


@tagged('post_install', '-at_install')
class TestFound(DiscrepancyCommon):
    """Goods that do not belong to a return are separated, and work goes on."""

    def test_too_much_is_received_as_the_customers_property(self):
        value = self._get_value(self.product)
        discrepancy = self._receive_too_much()
        self.assertEqual(self.receipt.state, 'done')
        self.assert_quantities(self.line, received=3, authorized=3)
        self.assertEqual(
            (discrepancy.kind, discrepancy.quantity, discrepancy.qty_here, discrepancy.state),
            ('over', 2, 2, 'open'),
        )
        self.assertEqual(discrepancy.picking_id, self.receipt)
        self.assertEqual(discrepancy.location_id, self.quarantine)
        self.assert_on_hand(self.product, 5, self.quarantine)
        self.assertEqual(self._get_owned(self.product), 2)
        self.assertEqual(self._get_value(self.product) - value, 3 * 60)
        self.assertEqual(self.sale_line.qty_delivered, 7)
        self.assertEqual(self.sale_line.qty_returned, 3)

    def test_its_move_has_no_order_line_and_no_origin(self):
        move = self._receive_too_much().move_ids
        self.assertFalse(move.sale_line_id)
        self.assertFalse(move.origin_returned_move_id)
        self.assertFalse(move.to_refund)
        self.assertEqual(move.state, 'done')
        self.assertEqual(move.move_line_ids.owner_id, self.customer)

    def test_what_is_right_is_credited_meanwhile(self):
        self._receive_too_much()
        self.sale_return.action_inspect_all('restock')
        self.assertEqual(self.sale_return.credit_note_ids.amount_untaxed, 300.0)
        self.assertEqual(self.sale_return.state, 'approved')
        self.assert_on_hand(self.product, 993)

    def test_foreign_product_on_the_receipt(self):
        value = self._get_value(self.foreign)
        self._count(self.receipt, 3)
        self._add_stranger(self.receipt, self.foreign, 2)
        self._validate(self.receipt)
        discrepancy = self.sale_return.discrepancy_ids
        self.assertEqual((discrepancy.kind, discrepancy.quantity), ('wrong_product', 2))
        self.assertEqual(self._get_owned(self.foreign), 2)
        self.assertEqual(self._get_value(self.foreign), value)
        self.assertEqual(len(self.order.order_line), 1)
        self.assert_quantities(self.line, received=3)

    def test_more_of_the_same_product_on_a_line_of_its_own_counts_for_the_return(self):
        self._count(self.receipt, 2)
        self._add_stranger(self.receipt, self.product, 2)
        self._validate(self.receipt)
        self.assert_quantities(self.line, received=3)
        self.assertEqual(self.sale_return.discrepancy_ids.mapped('quantity'), [1.0])

    def test_two_receipts_at_once(self):
        other = self._create_return(self._create_sale(), 2)
        receipts = self.receipt | other.picking_ids
        receipts.move_ids.quantity = 4
        receipts.move_ids.picked = True
        self._validate(receipts)
        found = (self.sale_return | other).discrepancy_ids
        self.assertEqual(sorted(found.mapped('quantity')), [1.0, 2.0])
        self.assertEqual((self.sale_return | other).line_ids.mapped('qty_received'), [3.0, 2.0])

    def test_missing_goods_are_short_when_no_backorder_is_wanted(self):
        self._count(self.receipt, 1)
        self._validate(self.receipt, picking_ids_not_to_backorder=self.receipt.ids)
        discrepancy = self.sale_return.discrepancy_ids
        self.assertEqual((discrepancy.kind, discrepancy.quantity), ('short', 2))
        self.assertFalse(discrepancy.move_ids)
        self.assertEqual(discrepancy.location_id, self.env['stock.location'])

    def test_a_backorder_is_no_discrepancy(self):
        self._count(self.receipt, 1)
        self._validate(self.receipt)
        self.assertFalse(self.sale_return.discrepancy_ids)

    def test_responsible_has_an_activity(self):
        discrepancy = self._receive_too_much()
        self.assertEqual(discrepancy.user_id, self.sale_return.user_id)
        self.assertEqual(discrepancy.activity_ids.user_id, self.sale_return.user_id)
        self._resolve(discrepancy, 'send_back')
        self.assertFalse(discrepancy.activity_ids)

    def test_surplus_of_units_in_dozens(self):
        order = self._create_sale({'quantity': 2, 'product_uom_id': self.dozen.id})
        sale_return = self._create_return(order, 1)
        self._count(sale_return.picking_ids, 14)
        self._validate(sale_return.picking_ids)
        self.assert_quantities(sale_return.line_ids, received=1)
        discrepancy = sale_return.discrepancy_ids
        self.assertEqual((discrepancy.quantity, discrepancy.product_uom_id), (2, self.unit))
        self._resolve(discrepancy, 'accept')
        self.assertEqual(sale_return.line_ids.product_uom_id, self.dozen)
        self.assertAlmostEqual(sale_return.line_ids.qty_received, 14 / 12)

    def test_done_receipt_cannot_be_edited_beyond_what_is_authorized(self):
        discrepancy = self._receive_too_much()
        moves = self.receipt.move_ids
        for move in moves:
            with self.assert_refused(), self.env.cr.savepoint():
                move.quantity = 4
        with self.assert_refused(), self.env.cr.savepoint():
            discrepancy.move_ids.move_line_ids.owner_id = False

    def test_native_return_of_more_than_is_left_keeps_the_surplus(self):
        """I5: what arrives may always be received."""
        others = self._create_return(self.order, 7)
        wizard = (
            self.env['stock.return.picking']
            .with_context(
                active_model='stock.picking',
                active_id=self.order.picking_ids.filtered(
                    lambda p: p.picking_type_code == 'outgoing'
                ).id,
            )
            .create({})
        )
        wizard.product_return_moves.quantity = 3
        receipt = self.env['stock.picking'].browse(wizard.action_create_returns()['res_id'])
        self.assertEqual(receipt.sale_return_id, self.sale_return)
        self._count(receipt, 4)
        self._validate(receipt)
        self.assert_quantities(self.line, received=3)
        self.assert_quantities(others.line_ids, received=0)
        self.assertEqual(self.sale_return.discrepancy_ids.quantity, 1)
        self.assertEqual(self.receipt.state, 'cancel')


@tagged('post_install', '-at_install')
class TestResolved(DiscrepancyCommon):
    """Accept, send back, write off or claim."""

    def test_accepted_surplus_is_authorized_received_and_credited(self):
        value = self._get_value(self.product)
        discrepancy = self._receive_too_much()
        self._resolve(discrepancy, 'accept')
        self.assert_quantities(self.line, requested=5, authorized=5, received=5)
        self.assertEqual(self._get_owned(self.product), 0)
        self.assert_on_hand(self.product, 5, self.quarantine)
        self.assertEqual(self._get_value(self.product) - value, 5 * 60)
        self.assertEqual(self.sale_line.qty_delivered, 5)
        self.assertEqual(discrepancy.qty_here, 0)
        origin = self.line.move_ids.origin_returned_move_id
        self.assertEqual(origin, self.sale_line.move_ids - self.line.move_ids)
        self.sale_return.action_inspect_all('restock')
        self.assertEqual(self.sale_return.state, 'closed')
        self.assertEqual(self.sale_return.credit_note_ids.amount_untaxed, 500.0)
        self.assert_on_hand(self.product, 995)
        self.assert_nothing_to_invoice(self.order)
        self.assert_nothing_to_deliver(self.order)

    def test_more_than_was_delivered_is_not_accepted(self):
        discrepancy = self._receive_too_much(12)
        before = self._count_documents()
        with self.assert_refused("would be returned"):
            self._resolve(discrepancy, 'accept')
        self.assertEqual(self._count_documents(), before)
        self.assertEqual(discrepancy.state, 'open')
        self.assert_quantities(self.line, authorized=3, received=3)

    def test_accepted_surplus_without_order_line_is_found(self):
        value = self._get_value(self.product)
        discrepancy = self._receive_too_much()
        discrepancy.sale_line_id = False
        self._resolve(discrepancy, 'accept')
        self.assert_quantities(self.line, authorized=3, received=3)
        self.assertEqual(self._get_owned(self.product), 0)
        self.assert_on_hand(self.product, 5, self.quarantine)
        self.assertEqual(self._get_value(self.product) - value, 5 * 60)
        self.assertEqual(self.sale_line.qty_delivered, 7)

    def test_found_goods_cost_nothing(self):
        for method in ('average', 'fifo'):
            with self.subTest(method=method):
                self.category.property_cost_method = method
                product = self._create_product("Bought", tracking='lot')
                product.tracking = 'none'
                self._buy(product, 3, 40)
                sale_return = self._create_return(self._create_sale(), 1)
                self._count(sale_return.picking_ids, 1)
                self._add_stranger(sale_return.picking_ids, product)
                self._validate(sale_return.picking_ids)
                self.assertEqual(self._get_value(product), 120)
                self._resolve(sale_return.discrepancy_ids, 'accept')
                self.assertEqual(self._get_owned(product), 0)
                self.assert_on_hand(product, 1, self.quarantine)
                self.assertAlmostEqual(self._get_value(product), 120)

    def test_found_goods_of_standard_cost_are_booked(self):
        self._count(self.receipt, 3)
        self._add_stranger(self.receipt, self.foreign)
        self._validate(self.receipt)
        gap = self._get_value_not_in_ledger()
        value = self._get_value(self.foreign)
        self._resolve(self.sale_return.discrepancy_ids, 'accept')
        self.assertAlmostEqual(self._get_value(self.foreign) - value, 40)
        self.assertAlmostEqual(self._get_value_not_in_ledger(), gap)

    def test_wrong_product_of_another_order_gets_a_return_of_its_own(self):
        other = self._create_sale({'product': self.foreign, 'quantity': 4})
        self._count(self.receipt, 3)
        self._add_stranger(self.receipt, self.foreign)
        self._validate(self.receipt)
        discrepancy = self.sale_return.discrepancy_ids
        discrepancy.sale_line_id = other.order_line
        self._resolve(discrepancy, 'accept')
        own = other.return_ids
        self.assertEqual(own.state, 'approved')
        self.assert_quantities(own.line_ids, received=1)
        self.assertEqual(other.order_line.qty_delivered, 3)
        own.action_inspect_all('restock')
        self.assertEqual(own.credit_note_ids.amount_untaxed, 100.0)

    def test_wrong_product_is_not_accepted_for_an_order_of_another_customer(self):
        other = self._create_sale(
            {'product': self.foreign}, partner_id=self._create_customer("Other").id
        )
        self._count(self.receipt, 3)
        self._add_stranger(self.receipt, self.foreign)
        self._validate(self.receipt)
        discrepancy = self.sale_return.discrepancy_ids
        discrepancy.sale_line_id = other.order_line
        with self.assert_refused("was not sold to"):
            self._resolve(discrepancy, 'accept')

    def test_sent_back_goods_leave_by_a_delivery(self):
        value = self._get_value(self.product)
        discrepancy = self._receive_too_much()
        self._resolve(discrepancy, 'send_back')
        delivery = discrepancy.move_ids.picking_id - self.receipt
        self.assertEqual((delivery.state, delivery.picking_type_code), ('assigned', 'outgoing'))
        self.assertEqual(discrepancy.state, 'resolved')
        delivery.move_ids.picked = True
        self._validate(delivery)
        self.assertEqual(self._get_owned(self.product), 0)
        self.assert_on_hand(self.product, 3, self.quarantine)
        self.assertEqual(self._get_value(self.product) - value, 3 * 60)
        self.assertEqual(self.sale_line.qty_delivered, 7)
        self.assertEqual(len(self.order.order_line), 1)

    def test_cancelled_send_back_is_decided_on_again(self):
        discrepancy = self._receive_too_much()
        self._resolve(discrepancy, 'send_back')
        (discrepancy.move_ids.picking_id - self.receipt).action_cancel()
        self.assertEqual((discrepancy.state, discrepancy.qty_here), ('open', 2))
        self._resolve(discrepancy, 'write_off', reason="Nobody wants it.")
        self.assertEqual(self._get_owned(self.product), 0)

    def test_written_off_goods_are_scrapped_and_not_booked(self):
        discrepancy = self._receive_too_much()
        gap, value = self._get_value_not_in_ledger(), self._get_value(self.product)
        with self.assert_refused("why"):
            self._resolve(discrepancy, 'write_off')
        self._resolve(discrepancy, 'write_off', reason="Broken.")
        self.assertEqual(self._get_owned(self.product), 0)
        self.assertEqual(self._get_value(self.product), value)
        self.assertAlmostEqual(self._get_value_not_in_ledger(), gap)

    def test_claimed_goods_stay_and_can_be_sent_back_later(self):
        discrepancy = self._receive_too_much()
        with self.assert_refused("liable"):
            self._resolve(discrepancy, 'claim')
        self._resolve(discrepancy, 'claim', liability='supplier')
        self.assertEqual((discrepancy.state, discrepancy.liability), ('resolved', 'supplier'))
        self.assertEqual(self._get_owned(self.product), 2)
        self._resolve(discrepancy, 'send_back')
        self.assertEqual(len(discrepancy.move_ids), 2)

    def test_resolved_is_resolved(self):
        discrepancy = self._receive_too_much()
        self._resolve(discrepancy, 'accept')
        with self.assert_refused("already resolved"):
            self._resolve(discrepancy, 'accept')

    def test_short_written_off_is_not_expected_any_more(self):
        self._count(self.receipt, 1)
        self._validate(self.receipt, picking_ids_not_to_backorder=self.receipt.ids)
        self.sale_return.action_inspect_all('restock')
        self.assertEqual(self.sale_return.state, 'approved')
        self._resolve(self.sale_return.discrepancy_ids, 'write_off', reason="Not in the box.")
        self.assertEqual(self.sale_return.state, 'closed')
        self.assertEqual(self.sale_line.qty_returnable, 9)

    def test_short_accepted_is_expected_again(self):
        self._count(self.receipt, 1)
        self._validate(self.receipt, picking_ids_not_to_backorder=self.receipt.ids)
        self._resolve(self.sale_return.discrepancy_ids, 'accept')
        again = self.sale_return.picking_ids - self.receipt
        self.assertEqual(again.move_ids.product_uom_qty, 2)

    def test_closing_writes_off_what_is_short(self):
        self._count(self.receipt, 1)
        self._validate(self.receipt, picking_ids_not_to_backorder=self.receipt.ids)
        self.sale_return.action_inspect_all('restock')
        self.sale_return.action_close(reason="Not sent.")
        discrepancy = self.sale_return.discrepancy_ids
        self.assertEqual(
            (discrepancy.state, discrepancy.resolution, discrepancy.reason),
            ('resolved', 'write_off', "Not sent."),
        )

    def test_empty_box_of_a_claim_against_the_carrier(self):
        self._call(
            self.operator,
            self.sale_return,
            'register_discrepancies',
            [{'kind': 'empty', 'line_id': self.line.id, 'quantity': 3, 'note': "Slit open."}],
        )
        discrepancy = self.sale_return.discrepancy_ids
        self.assertEqual(discrepancy.liability, 'carrier')
        self._call(self.operator, discrepancy, 'action_resolve', 'claim')
        self.assertEqual(self.receipt.state, 'cancel')
        self.assertEqual(self.sale_return.state, 'closed')
        self.assertEqual(self.sale_line.qty_returnable, 10)

    def test_damaged_goods_go_on_to_inspection_at_the_carriers_expense(self):
        self._receive(self.sale_return)
        self.sale_return.register_discrepancies(
            [{'kind': 'damaged', 'line_id': self.line.id, 'quantity': 1}]
        )
        self._inspect(self.sale_return, (3, 'scrap'))
        self.assertEqual(self.sale_return.inspection_ids.liability, 'carrier')
        self.assertEqual(self.sale_return.state, 'approved')
        with self.assert_refused("not a resolution"):
            self._resolve(self.sale_return.discrepancy_ids, 'send_back')
        self._resolve(self.sale_return.discrepancy_ids, 'claim')
        self.assertEqual(self.sale_return.state, 'closed')


@tagged('post_install', '-at_install')
class TestGuarded(DiscrepancyCommon):
    """A discrepancy is evidence that cannot be bypassed."""

    def test_return_with_an_open_one_cannot_close(self):
        discrepancy = self._receive_too_much()
        self.sale_return.action_inspect_all('restock')
        with self.assert_refused(discrepancy.name):
            self.sale_return.action_close(reason="Done.")
        self._resolve(discrepancy, 'send_back')
        self.assertEqual(self.sale_return.state, 'closed')

    def test_return_with_an_open_one_cannot_be_cancelled(self):
        self.sale_return.register_discrepancies(
            [{'kind': 'wrong_product', 'product_id': self.foreign.id, 'quantity': 1}]
        )
        self.assertEqual(self._get_owned(self.foreign), 1)
        with self.assert_refused("DSC"):
            self.sale_return.action_cancel()

    def test_what_was_found_is_never_changed(self):
        discrepancy = self._receive_too_much()
        for vals in (
            {'quantity': 1},
            {'kind': 'short'},
            {'state': 'resolved'},
            {'product_id': self.foreign.id},
            {'move_ids': [Command.clear()]},
        ):
            with self.subTest(vals=vals), self.assert_refused("evidence"):
                self._call(self.staff, discrepancy, 'write', vals)
        with self.assert_refused("evidence"):
            discrepancy.sudo().unlink()

    def test_photos_are_evidence(self):
        image = base64.b64encode(file_open('web/static/img/logo.png', 'rb').read())
        photo = {'name': "box.png", 'datas': image}
        self.sale_return.register_discrepancies(
            [{'kind': 'empty', 'line_id': self.line.id, 'quantity': 1, 'files': [photo]}]
        )
        discrepancy = self.sale_return.discrepancy_ids
        self.assertEqual(discrepancy.file_ids.name, "box.png")
        self.assertTrue(discrepancy.file_ids.locked)
        self.assertEqual(discrepancy.file_ids.return_id, self.sale_return)
        with self.assert_refused("evidence"):
            discrepancy.file_ids.unlink()

    def test_dialogs_do_what_the_buttons_say(self):
        action = self.receipt.action_open_sale_return_discrepancy()
        with Form(
            self._env_of(self.operator)[action['res_model']].with_context(**action['context'])
        ) as form:
            form.kind = 'wrong_product'
            form.product_id = self.foreign
            form.quantity = 2
            form.note = "Not ours."
        form.record.action_confirm()
        discrepancy = self.sale_return.discrepancy_ids
        self.assertEqual((discrepancy.kind, discrepancy.note), ('wrong_product', "Not ours."))
        self.assertEqual(self.receipt.sale_return_discrepancy_count, 0)
        self.assertEqual(discrepancy.picking_id.sale_return_discrepancy_count, 1)
        self.assertEqual(self.sale_return.open_discrepancy_count, 1)
        action = discrepancy.action_open_resolution()
        with Form(self.env[action['res_model']].with_context(**action['context'])) as form:
            form.resolution = 'claim'
            form.liability = 'supplier'
        form.record.action_confirm()
        self.assertEqual((discrepancy.state, discrepancy.liability), ('resolved', 'supplier'))
        self.assertEqual(self.sale_return.action_view_discrepancies()['res_id'], discrepancy.id)

    def test_customers_goods_are_not_moved_out_by_hand(self):
        self._receive_too_much()
        self.sale_return.action_inspect_all('restock')
        move = self.env['stock.move'].create(
            {
                'product_id': self.product.id,
                'product_uom_qty': 2,
                'location_id': self.quarantine.id,
                'location_dest_id': self.stock.id,
                'picking_type_id': self.warehouse.int_type_id.id,
            }
        )
        move._action_confirm()
        move.quantity = 2
        move.picked = True
        with self.assert_refused("cannot leave before that"):
            move._action_done()

    def test_accepting_goods_takes_an_approver(self):
        discrepancy = self._receive_too_much()
        with self.assert_refused("Approver", exception=Exception):
            self._call(self.operator, discrepancy, 'action_resolve', 'accept')
        self._call(self.operator, discrepancy, 'action_resolve', 'send_back')

    def test_bad_input_is_refused_and_leaves_nothing(self):
        before = self._count_documents()
        for text, value in (
            ("what is wrong", {'kind': 'x', 'quantity': 1}),
            ("more than zero", {'kind': 'over', 'line_id': self.line.id, 'quantity': 0}),
            ("more than zero", {'kind': 'over', 'line_id': self.line.id, 'quantity': -1}),
            ("has to be a number", {'kind': 'over', 'line_id': self.line.id, 'quantity': "1"}),
            ("more than zero", {'kind': 'short', 'line_id': self.line.id, 'quantity': 1e-9}),
            ("expects", {'kind': 'short', 'line_id': self.line.id, 'quantity': 4}),
            ("which product", {'kind': 'wrong_product', 'quantity': 1}),
            ("which product", {'kind': 'over', 'quantity': 1}),
            ("has the entries", {'kind': 'over', 'colour': 'red'}),
        ):
            with self.subTest(value=value), self.assert_refused(text):
                self._call(self.operator, self.sale_return, 'register_discrepancies', [value])
        self.assertEqual(self._count_documents(), before)
        self.assertFalse(self.sale_return.discrepancy_ids)

    def test_history_tells_who_found_and_who_decided(self):
        discrepancy = self._receive_too_much()
        self._resolve(discrepancy, 'write_off', reason="Broken.")
        events = self.sale_return.event_ids.filtered(lambda e: 'discrepancy' in e.kind)
        self.assertEqual(
            events.mapped(lambda e: (e.kind, e.user_id)),
            [('discrepancy_resolved', self.staff), ('discrepancy', self.operator)],
        )
        self.assertEqual(discrepancy.resolved_by_id, self.staff)

    def test_another_company_does_not_see_it(self):
        discrepancy = self._receive_too_much()
        other = self._create_trading_company("Other Company")
        stranger = self._create_user('stranger', 'sale_return.group_manager', company=other)
        self.assertFalse(
            self._env_of(stranger)['sale.return.discrepancy'].search([('id', '=', discrepancy.id)])
        )
