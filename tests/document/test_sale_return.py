from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from ..common import SaleReturnCommon

LEAN = {
    "a story of the room": (
        'test_customer_and_lines_are_enough',
        'test_known_reference_gives_the_first_return',
        'test_dialog_opens_from_delivery_and_invoice_too',
        'test_policy_without_approval_approves_by_itself',
        'test_each_role_closes_what_does_not_come_without_rights_elsewhere',
        'test_batch_of_two_takes_every_step_together',
        'test_order_with_an_open_return_cannot_be_cancelled',
        'test_status_of_the_order',
    ),
}

SALES = 'sales_team.group_sale_salesman_all_leads'


@tagged('post_install', '-at_install')
class TestReturnCreate(SaleReturnCommon):
    """Creation of returns."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.line = cls.order.order_line

    def test_unit_of_returned_goods_cannot_be_changed(self):
        """Neither on the product nor on its template, by who manages products."""
        manager = self._create_user(
            'unit_manager', 'stock.group_stock_manager', 'product.group_product_manager'
        )
        sale_return = self._create_return(self._create_sale(), 2)
        dozen = self.env.ref('uom.product_uom_dozen')
        for record in (self.product, self.product.product_tmpl_id):
            with self.assertRaises(UserError) as caught:
                self._call(manager, record, 'write', {'uom_id': dozen.id})
            self.assertIn(f"return {sale_return.name} counts its goods in", str(caught.exception))
        self.assertEqual(self.product.uom_id, self.unit)
        self.assertEqual(sale_return.line_ids.product_uom_id, self.unit)

    def test_customer_and_lines_are_enough(self):
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': self.customer.id,
                'line_ids': [
                    {
                        'sale_line_id': self.line.id,
                        'qty_requested': 2,
                        'reason_id': self.reason_defective.id,
                    }
                ],
            }
        )
        line = sale_return.line_ids
        self.assertEqual(sale_return.state, 'draft')
        self.assertEqual(sale_return.company_id, self.company)
        self.assertEqual(sale_return.currency_id, self.currency)
        self.assertEqual(sale_return.warehouse_id, self.warehouse)
        self.assertEqual(line.product_id, self.product)
        self.assertEqual(line.product_uom_id, self.unit)
        self.assertEqual(line.resolution, 'refund')
        self.assertEqual(line.policy_id, self.policy)
        self.assertTrue(line.delivered_on)

    def test_each_return_has_a_number_of_its_own(self):
        returns = self._create_return(self.order, 1, submit=False)
        returns += self._create_return(self.order, 1, submit=False)
        self.assertNotEqual(*returns.mapped('name'))
        self.assertTrue(all(name.startswith('RMA/') for name in returns.mapped('name')))

    def test_known_reference_gives_the_first_return(self):
        first = self._create_return(self.order, 2, external_ref="SHOP-1")
        before = self._count_documents()
        second = self._create_return(self.order, 2, external_ref="SHOP-1", submit=False)
        self.assertEqual(second, first)
        self.assertEqual(self._count_documents(), before)
        self.assert_quantities(first.line_ids, requested=2)

    def test_known_reference_is_refused_for_another_request(self):
        first = self._create_return(self.order, 2, external_ref="SHOP-1")
        stranger = self._create_customer("John Stranger")
        theirs = self._create_sale(partner_id=stranger.id)
        again = self._create_sale()
        clerk = self._create_user('reference_clerk', 'sale_return.group_user', SALES)
        for what, sale_lines, partner, quantity in (
            ('customer', theirs.order_line, stranger, 2),
            ('order', again.order_line, self.customer, 2),
            ('quantity', self.line, self.customer, 3),
            ('lines', self.line | again.order_line, self.customer, 2),
        ):
            vals = {
                'partner_id': partner.id,
                'external_ref': "SHOP-1",
                'line_ids': self._prepare_return_lines(sale_lines, quantity),
            }
            before = self._count_documents()
            with self.subTest(what=what):
                with self.assert_refused(first.name):
                    self._call(clerk, self.env['sale.return'], 'create', [vals])
                with self.assert_refused(partner.name):
                    self._call(clerk, self.env['sale.return'], 'create', [vals])
                self.assertEqual(self._count_documents(), before)
        self.assert_quantities(first.line_ids, requested=2)

    def test_reference_twice_in_one_call_is_refused_for_other_lines(self):
        vals_list = [
            {
                'partner_id': self.customer.id,
                'external_ref': "SHOP-3",
                'line_ids': self._prepare_return_lines(self.line, quantity),
            }
            for quantity in (1, 2)
        ]
        with self.assert_refused("SHOP-3"):
            self._call(self.staff, self.env['sale.return'], 'create', vals_list)

    def test_goods_do_not_come_back_for_nothing(self):
        clerk = self._create_user('nothing_clerk', 'sale_return.group_user', SALES)
        vals = {
            'partner_id': self.customer.id,
            'line_ids': self._prepare_return_lines(self.line, 1, resolution='none'),
        }
        with self.assert_refused("what the customer gets"):
            self._call(clerk, self.env['sale.return'], 'create', [vals])
        draft = self._create_return(self.order, 1, submit=False)
        with self.assert_refused("what the customer gets"):
            self._call(clerk, draft.line_ids, 'write', {'resolution': 'none'})
        offered = self._call(clerk, self.env['sale.return.create.line'], 'fields_get')
        self.assertNotIn('none', dict(offered['resolution']['selection']))

    def test_archived_warehouses_receive_nothing_by_default(self):
        north = self._create_warehouse()
        self._put_in_stock(self.product, 10, location=north.lot_stock_id)
        order = self._create_order(warehouse_id=north.id)
        self._deliver(order)
        self._invoice(order)
        north.sudo().active = False
        sale_return = self._create_return(order, 2)
        self.assertEqual(sale_return.warehouse_id, self.warehouse)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        # Ten of it were delivered before.
        self.assert_on_hand(self.product, 992)

    def test_reference_twice_in_one_call_makes_one_return(self):
        vals = {
            'partner_id': self.customer.id,
            'external_ref': "SHOP-2",
            'line_ids': self._prepare_return_lines(self.line, 1),
        }
        other = {key: value for key, value in vals.items() if key != 'external_ref'}
        returns = self.env['sale.return'].create([vals, other, vals])
        self.assertEqual(len(returns.ids), 3)
        self.assertEqual(returns[0], returns[2])
        self.assertNotEqual(returns[0], returns[1])

    def test_returns_without_reference_are_not_the_same(self):
        vals = {
            'partner_id': self.customer.id,
            'line_ids': self._prepare_return_lines(self.line, 1),
        }
        self.assertEqual(len(set(self.env['sale.return'].create([vals, vals]).ids)), 2)

    def test_several_orders_of_one_customer_in_one_return(self):
        lines = self.line + self._create_sale({'price': 50}).order_line
        sale_return = self._return_goods(lines, 2)
        self.assertEqual(len(sale_return.sale_order_ids), 2)
        self.assertEqual(len(sale_return.picking_ids), 1)
        self.assertEqual(sale_return.credit_note_ids.mapped('amount_untaxed'), [200.0, 100.0])
        self.assertEqual(sale_return.state, 'closed')

    def test_one_order_line_for_two_reasons(self):
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': self.customer.id,
                'line_ids': self._prepare_return_lines(self.line, 2)
                + self._prepare_return_lines(self.line, 3, self.reason_changed_mind),
            }
        )
        sale_return.action_submit()
        self._receive(sale_return)
        self.assertEqual(sale_return.line_ids.mapped('qty_received'), [2, 3])
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.line_ids.mapped('qty_credited'), [2, 3])
        self.assertEqual(len(sale_return.credit_note_ids), 1)
        self.assertEqual(sale_return.amount_credited, 605.0)

    def test_branch_and_head_office_share_a_return(self):
        head_office = self._create_customer("Head Office")
        branch = self._create_customer("Branch", parent_id=head_office.id)
        order = self._create_sale(partner_id=branch.id)
        sale_return = self._create_return(order, 1, partner_id=head_office.id)
        self.assertEqual(sale_return.state, 'approved')

    def test_warehouse_is_the_one_that_shipped_most(self):
        other = self._create_warehouse()
        self._put_in_stock(self.product, 100, location=other.lot_stock_id)
        large = self._create_sale({'quantity': 20}, warehouse_id=other.id)
        sale_return = self._create_return(self.line + large.order_line, quantity=None, submit=False)
        self.assertEqual(sale_return.warehouse_id, other)
        sale_return.action_submit()
        self.assertEqual(sale_return.picking_ids.location_dest_id, other.sale_return_loc_id)

    def test_chosen_warehouse_receives_the_goods(self):
        other = self._create_warehouse()
        sale_return = self._create_return(self.order, 1, warehouse_id=other.id)
        self.assertEqual(sale_return.picking_ids.picking_type_id, other.sale_return_type_id)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_on_hand(self.product, 1, other.lot_stock_id)

    def test_dialog_offers_what_can_be_returned(self):
        self._create_return(self.order, 4)
        action = self.order.action_create_return()
        wizard = Form(self.env[action['res_model']].with_context(**action['context']))
        with wizard.line_ids.edit(0) as line:
            self.assertEqual(line.qty_returnable, 6)
            line.quantity = 2
            line.reason_id = self.reason_defective
        result = wizard.save().action_create_and_submit()
        sale_return = self.env['sale.return'].browse(result['res_id'])
        self.assertEqual(sale_return.state, 'approved')
        self.assert_quantities(sale_return.line_ids, authorized=2)

    def test_dialog_opens_from_delivery_and_invoice_too(self):
        delivery = self.order.picking_ids
        for document in (self.order, delivery, self.order.invoice_ids):
            action = document.action_create_return()
            self.assertEqual(action['res_model'], 'sale.return.create')
            self.assertEqual(action['context']['default_sale_line_ids'], self.line.ids)

    def test_dialog_does_not_open_when_nothing_is_left(self):
        self._create_return(self.order, 10)
        with self.assert_refused("Nothing in"):
            self.order.action_create_return()

    def test_split_line_gets_a_reason_of_its_own(self):
        line = self._create_return(self.order, 5, submit=False).line_ids
        part = line.action_split(2)
        self.assertEqual((line.qty_requested, part.qty_requested), (3, 2))
        self.assertEqual(part.reason_id, self.reason_other)
        self.assertEqual(part.return_id, line.return_id)


@tagged('post_install', '-at_install')
class TestReturnStates(SaleReturnCommon):
    """The steps of a return: when they are allowed, and their effects."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.line = cls.order.order_line

    def _create_waiting(self, quantity=3):
        """Create a submitted return that is waiting for approval."""
        self._create_policy(approval='always')
        return self._create_return(self.order, quantity)

    def test_policy_without_approval_approves_by_itself(self):
        sale_return = self._create_return(self.order, 3)
        self.assertEqual(sale_return.state, 'approved')
        self.assertTrue(sale_return.approval_ids.automatic)

    def test_policy_with_approval_waits(self):
        sale_return = self._create_waiting()
        self.assertEqual(sale_return.state, 'submitted')
        self.assertFalse(sale_return.picking_ids)
        self.assert_quantities(sale_return.line_ids, authorized=0, held=3)

    def test_one_line_that_needs_approval_keeps_the_return_waiting(self):
        self._create_policy(
            approval='always', reason_ids=[Command.set(self.reason_changed_mind.ids)]
        )
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': self.customer.id,
                'line_ids': self._prepare_return_lines(self.line, 1)
                + self._prepare_return_lines(self.line, 1, self.reason_changed_mind),
            }
        )
        sale_return.action_submit()
        self.assertEqual(sale_return.state, 'submitted')

    def test_each_role_closes_what_does_not_come_without_rights_elsewhere(self):
        for role in ('user', 'approver'):
            user = self._create_user(f'closes_{role}', f'sale_return.group_{role}')
            for received in (0, 1):
                sale_return = self._create_return(self._create_sale(), 2)
                if received:
                    self._receive(sale_return, received)
                    sale_return.action_inspect_all('restock')
                # Like a new request: nothing is cached.
                self.env.invalidate_all()
                with self.subTest(role=role, received=received):
                    self._call(user, sale_return, 'action_close', reason="It was never sent.")
                    self.assertEqual(sale_return.state, 'closed')
                    self.assertEqual(sale_return.line_ids.qty_credited, received)

    def test_hold_starts_with_the_submission_and_ends_with_the_return(self):
        sale_return = self._create_return(self.order, 3, submit=False)
        self.assertEqual(self.line.qty_returnable, 10)
        sale_return.action_submit()
        self.assertEqual(self.line.qty_returnable, 7)
        self._receive(sale_return, 2)
        self.assertEqual((self.line.qty_returned, self.line.qty_returnable), (2, 7))
        sale_return.action_inspect_all('restock')
        sale_return.action_close(reason="The third one was never sent.")
        self.assertEqual((self.line.qty_returned, self.line.qty_returnable), (2, 8))

    def test_refused_return_frees_what_it_held(self):
        sale_return = self._create_waiting()
        sale_return.action_refuse(reason="Worn.")
        self.assertEqual(sale_return.state, 'refused')
        self.assertEqual(self.line.qty_returnable, 10)
        self.assertIn("Worn.", sale_return.event_ids.mapped('reason'))

    def test_refusal_demands_a_reason(self):
        sale_return = self._create_waiting()
        for reason in (None, "", "   "):
            with self.assert_refused("Enter why"):
                sale_return.action_refuse(reason=reason)
        self.assertEqual(sale_return.state, 'submitted')

    def test_cancelled_return_frees_what_it_held_and_cancels_its_receipt(self):
        sale_return = self._create_return(self.order, 3)
        sale_return.action_cancel()
        self.assertEqual(sale_return.state, 'cancelled')
        self.assertEqual(sale_return.picking_ids.state, 'cancel')
        self.assertEqual(self.line.qty_returnable, 10)

    def test_received_return_cannot_be_cancelled(self):
        sale_return = self._create_return(self.order, 3)
        self._receive(sale_return, 1)
        with self.assert_refused("already received or credited"):
            sale_return.action_cancel()

    def test_set_back_to_draft_it_can_be_changed_and_submitted_again(self):
        sale_return = self._create_waiting()
        sale_return.action_draft()
        sale_return.line_ids.qty_requested = 5
        sale_return.action_submit()
        sale_return.action_approve()
        self.assert_quantities(sale_return.line_ids, authorized=5)
        self.assertEqual(len(sale_return.picking_ids), 1)

    def test_approved_return_cannot_go_back_to_draft(self):
        sale_return = self._create_return(self.order, 3)
        with self.assert_refused("set back to draft"):
            sale_return.action_draft()

    def test_closing_writes_off_what_never_came(self):
        sale_return = self._create_return(self.order, 3)
        self._receive(sale_return, 2)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'approved')
        with self.assert_refused("Enter why"):
            sale_return.action_close()
        sale_return.action_close(reason="Lost by the customer.")
        self.assertEqual(sale_return.state, 'closed')
        self.assert_quantities(sale_return.line_ids, written_off=1, received=2, credited=2)
        self.assert_progress(sale_return, 'full', 'full', 'full')
        self.assertNotIn('assigned', sale_return.picking_ids.mapped('state'))

    def test_return_with_goods_to_inspect_cannot_be_closed(self):
        sale_return = self._create_return(self.order, 3)
        self._receive(sale_return)
        with self.assert_refused("wait for inspection"):
            sale_return.action_close(reason="Never mind.")

    def test_return_with_credit_due_cannot_be_closed(self):
        self._configure(sale_return_auto_credit=False)
        sale_return = self._return_goods(self.order, 3)
        with self.assert_refused("still to be credited"):
            sale_return.action_close(reason="Never mind.")

    def test_cancelled_note_reopens_the_return(self):
        sale_return = self._return_goods(self.order, 3)
        note = sale_return.credit_note_ids
        note.button_draft()
        self.assertEqual(sale_return.state, 'approved')
        note.button_cancel()
        self.assertEqual(sale_return.state, 'approved')
        self.assert_quantities(sale_return.line_ids, credited=0, to_credit=3)
        sale_return.action_create_credit_notes()
        self.assertEqual(sale_return.state, 'closed')

    def test_dispatch_is_noted(self):
        sale_return = self._create_return(self.order, 3)
        with self.assert_refused("tracking reference"):
            sale_return.action_register_dispatch()
        sale_return.action_register_dispatch(tracking_ref="1Z9", carrier_name="Mail")
        self.assertEqual((sale_return.tracking_ref, sale_return.carrier_name), ("1Z9", "Mail"))
        self.assertTrue(sale_return.date_dispatched)

    def test_batch_of_two_takes_every_step_together(self):
        self._create_policy(approval='always')
        second = self._create_sale({'price': 50})
        returns = self._create_return(self.order, 2) + self._create_return(second, 3)
        returns.action_approve()
        self.assertEqual(len(returns.picking_ids), 2)
        self._receive(returns)
        returns.action_inspect_all('restock')
        self.assertEqual(returns.mapped('state'), ['closed', 'closed'])
        self.assertEqual(returns.mapped('amount_credited'), [242.0, 181.5])

    def test_repeating_an_action_changes_nothing(self):
        """I10"""
        self._create_policy(approval='always')
        sale_return = self._create_return(self.order, 2)
        for method, args in (
            ('action_submit', []),
            ('action_approve', []),
            ('action_register_dispatch', ["1Z9"]),
        ):
            getattr(sale_return, method)(*args)
            before = self._count_documents()
            getattr(sale_return, method)(*args)
            self.assertEqual(self._count_documents(), before, method)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        before = self._count_documents()
        sale_return.action_inspect_all('restock')
        sale_return.action_create_credit_notes()
        sale_return.action_close()
        self.assertEqual(self._count_documents(), before)

    def test_repeating_a_refusal_or_cancellation_changes_nothing(self):
        waiting = self._create_waiting()
        for method, args in (('action_refuse', ["Worn."]), ('action_draft', [])):
            getattr(waiting, method)(*args)
            before = self._count_documents()
            getattr(waiting, method)(*args)
            self.assertEqual(self._count_documents(), before, method)
        waiting.action_cancel()
        before = self._count_documents()
        waiting.action_cancel()
        self.assertEqual(self._count_documents(), before)

    def test_order_with_an_open_return_cannot_be_cancelled(self):
        order = self._create_order()
        self._deliver(order)
        sale_return = self._create_return(order, 3)
        with self.assert_refused("is under way"):
            order._action_cancel()
        sale_return.action_cancel()
        order._action_cancel()
        self.assertEqual(order.state, 'cancel')

    def test_status_of_the_order(self):
        self.assertEqual(self.order.return_status, 'no')
        self._create_return(self.order, 3)
        self.assertEqual(self.order.return_status, 'open')
        self.order.return_ids.action_cancel()
        self.assertEqual(self.order.return_status, 'no')
        self._return_goods(self.order, 4)
        self.assertEqual(self.order.return_status, 'partial')
        self._return_goods(self.order, 6)
        self.assertEqual(self.order.return_status, 'full')

    def test_partial_receipts_and_backorders_count_on_the_right_line(self):
        order = self._create_sale({'quantity': 4}, {'product': self.product_on_order})
        sale_return = self._create_return(order)
        lamp, other = sale_return.line_ids
        for move in sale_return.picking_ids.move_ids:
            self._fill(move, 1 if move.product_id == lamp.product_id else 3)
        sale_return.picking_ids.with_context(skip_backorder=True).button_validate()
        self.assert_quantities(lamp, received=1)
        self.assert_quantities(other, received=3)
        self.assert_progress(sale_return, 'partial', 'pending', 'pending')
        self.assertEqual(len(sale_return.picking_ids), 2)
        self._receive(sale_return)
        self.assert_quantities(lamp, received=4)
        self.assert_quantities(other, received=10)
        self.assert_progress(sale_return, 'full', 'pending', 'pending')

    def test_submitted_return_is_fixed(self):
        sale_return = self._create_waiting()
        with self.assert_refused("fixed"):
            sale_return.line_ids.qty_requested = 5
        with self.assert_refused("fixed"):
            sale_return.line_ids.reason_id = self.reason_other
        with self.assert_refused("was submitted"):
            sale_return.partner_id = self._create_customer("Somebody else")
        with self.assert_refused():
            sale_return.line_ids = [
                Command.create(vals)
                for vals in self._prepare_return_lines(self.line, 1, self.reason_other)
            ]
        with self.assert_refused():
            sale_return.line_ids.unlink()

    def test_what_stays_open_to_change_after_submission(self):
        sale_return = self._create_waiting()
        sale_return.write({'tracking_ref': "1Z9", 'carrier_name': "Mail", 'user_id': False})
        sale_return.line_ids.customer_note = "Broken."
        self.assertEqual(sale_return.tracking_ref, "1Z9")

    def test_warehouse_may_be_changed_until_the_approval(self):
        other = self._create_warehouse()
        sale_return = self._create_waiting()
        sale_return.warehouse_id = other
        sale_return.action_approve()
        self.assertEqual(sale_return.picking_ids.picking_type_id, other.sale_return_type_id)
        with self.assert_refused("cannot be changed since its approval"):
            sale_return.warehouse_id = self.warehouse

    def test_return_with_a_history_is_not_deleted(self):
        sale_return = self._create_return(self.order, 1)
        sale_return.action_cancel()
        with self.assert_refused("history"):
            sale_return.unlink()
        draft = self._create_return(self.order, 1, submit=False)
        draft.unlink()
        self.assertFalse(draft.exists())

    def test_return_is_not_duplicated(self):
        with self.assert_refused("duplicated"):
            self._create_return(self.order, 1).copy()

    def test_unknown_goods_may_start_but_not_be_approved(self):
        self._create_policy(approval='always')
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': self.customer.id,
                'line_ids': [
                    {
                        'product_id': self.product.id,
                        'qty_requested': 1,
                        'reason_id': self.reason_other.id,
                    }
                ],
            }
        )
        sale_return.action_submit()
        self.assertEqual(sale_return.state, 'submitted')
        with self.assert_refused("no order line"):
            sale_return.action_approve()
