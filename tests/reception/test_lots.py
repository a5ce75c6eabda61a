from odoo.tests import Form, tagged

from ..common_discrepancy import DiscrepancyCommon


class LotCommon(DiscrepancyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serial, cls.serials = cls._create_tracked_product('serial', "S0", "S1", "S2", "S3")
        cls.serial_order = cls._create_order({'product': cls.serial, 'quantity': 3})
        cls._deliver(cls.serial_order, lots=cls.serials[:3])
        cls._invoice(cls.serial_order)
        cls.serial_line = cls.serial_order.order_line

    def _scan(self, picking, *lots):
        """Enter which serial numbers came, like the operator."""
        lines = picking.move_ids.move_line_ids
        for line, lot in zip(lines, lots, strict=False):
            line.lot_id = lot
        lines[len(lots) :].unlink()
        picking.move_ids.picked = True
        self._validate(picking)

    def _return_serials(self, quantity, *scanned, **values):
        sale_return = self._create_return(self.serial_order, quantity, **values)
        self._scan(sale_return.picking_ids, *scanned)
        return sale_return


@tagged('post_install', '-at_install')
class TestProposal(LotCommon):
    """A receipt proposes only what was delivered with the order line and is not yet back."""

    def _get_proposal(self, sale_return):
        lines = sale_return.picking_ids.filtered(lambda p: p.state == 'assigned').move_line_ids
        return [(line.lot_id.name, line.quantity) for line in lines]

    def test_all_serials_are_proposed_when_all_come_back(self):
        sale_return = self._create_return(self.serial_order, 3)
        self.assertEqual(self._get_proposal(sale_return), [("S0", 1), ("S1", 1), ("S2", 1)])

    def test_some_serials_are_left_to_be_scanned(self):
        sale_return = self._create_return(self.serial_order, 2)
        self.assertEqual(self._get_proposal(sale_return), [(False, 1), (False, 1)])

    def test_serial_named_by_the_customer_is_proposed(self):
        lines = self._prepare_return_lines(self.serial_line, 1, lot_ids=self.serials[1].ids)
        sale_return = self._create_return(self.serial_order, line_ids=lines)
        self.assertEqual(self._get_proposal(sale_return), [("S1", 1)])

    def test_clerk_chooses_in_the_dialog_which_serials_come_back(self):
        """Only those the customer has; each is one unit, and the receipt proposes them."""
        self._return_serials(1, self.serials[0])
        clerk = self._create_user(
            'lots_clerk', 'sales_team.group_sale_salesman_all_leads', 'sale_return.group_user'
        )
        dialogs = self._env_of(clerk)['sale.return.create']
        with Form(dialogs.with_context(default_sale_line_ids=self.serial_line.ids)) as form:
            form.reason_id = self.reason_defective
            with form.line_ids.edit(0) as row:
                self.assertEqual(set(row.possible_lot_ids.ids), set(self.serials[1:3].ids))
                row.lot_ids.add(self.serials[2])
                self.assertEqual(row.quantity, 1)
        action = form.save().action_create_and_submit()
        sale_return = self.env['sale.return'].browse(action['res_id'])
        self.assertEqual(sale_return.line_ids.lot_ids, self.serials[2])
        self.assertEqual(self._get_proposal(sale_return), [("S2", 1)])
        slip = self.env['ir.actions.report']._render_qweb_html(
            'sale_return.sale_return_slip', sale_return.ids
        )[0]
        self.assertIn("No. S2", slip.decode())

    def test_serial_that_was_not_delivered_cannot_be_named(self):
        lines = self._prepare_return_lines(self.serial_line, 1, lot_ids=self.serials[3].ids)
        with self.assert_refused("S0, S1, S2"):
            self._create_return(self.serial_order, line_ids=lines)

    def test_serials_that_are_back_are_not_proposed_again(self):
        self._return_serials(1, self.serials[0])
        sale_return = self._create_return(self.serial_order, 2)
        self.assertEqual(self._get_proposal(sale_return), [("S1", 1), ("S2", 1)])

    def test_lots_are_proposed_up_to_what_was_delivered_of_each(self):
        product, lots = self._create_tracked_product('lot', "L0", "L1", quantity=5)
        order = self._create_order({'product': product, 'quantity': 8})
        self._deliver(order, lots=lots)
        first = self._create_return(order, 5)
        self.assertEqual(self._get_proposal(first), [("L0", 4), ("L1", 1)])
        self._receive(first)
        second = self._create_return(order, 3)
        self.assertEqual(self._get_proposal(second), [("L1", 3)])


@tagged('post_install', '-at_install')
class TestForeignLots(LotCommon):
    """A foreign, unknown or returned serial is a discrepancy, never a silent accept."""

    def _assert_set_apart(self, sale_return, lot):
        discrepancy = sale_return.discrepancy_ids
        self.assertEqual((discrepancy.kind, discrepancy.quantity), ('wrong_lot', 1))
        self.assertEqual(discrepancy.lot_id, lot)
        self.assertEqual(self._get_owned(self.serial), 1)
        self.assertFalse(discrepancy.move_ids.sale_line_id)

    def test_right_serial_is_received(self):
        sale_return = self._return_serials(1, self.serials[1])
        self.assertFalse(sale_return.discrepancy_ids)
        self.assert_quantities(sale_return.line_ids, received=1)
        self.assert_on_hand(self.serial, 1, self.quarantine, lot=self.serials[1])

    def test_serial_of_another_customer(self):
        other = self._create_order(
            {'product': self.serial, 'quantity': 1}, partner_id=self._create_customer("Other").id
        )
        self._deliver(other, lots=self.serials[3])
        sale_return = self._return_serials(2, self.serials[0], self.serials[3])
        self._assert_set_apart(sale_return, self.serials[3])
        self.assert_quantities(sale_return.line_ids, received=1)
        self.assertEqual(self.serial_line.qty_delivered, 2)
        self.assertEqual(other.order_line.qty_delivered, 1)
        # The right one is still expected.
        backorder = sale_return.picking_ids.filtered(lambda p: p.state == 'assigned')
        self.assertEqual(backorder.move_ids.product_uom_qty, 1)

    def test_serial_that_is_in_stock(self):
        sale_return = self._return_serials(1, self.serials[3])
        self._assert_set_apart(sale_return, self.serials[3])
        self.assert_on_hand(self.serial, 1, self.stock, lot=self.serials[3])

    def test_serial_that_is_back_already(self):
        self._return_serials(1, self.serials[0])
        sale_return = self._return_serials(1, self.serials[0])
        discrepancy = sale_return.discrepancy_ids
        self.assertEqual((discrepancy.kind, discrepancy.lot_id), ('wrong_lot', self.serials[0]))
        # It is in quarantine under another name: the first one is there, too.
        self.assertEqual(discrepancy.move_ids.lot_ids.name, f"S0 · {discrepancy.name}")
        self.assert_on_hand(self.serial, 1, self.quarantine, lot=self.serials[0])
        self._resolve(discrepancy, 'send_back')
        delivery = discrepancy.move_ids.picking_id.filtered(lambda p: p.state == 'assigned')
        delivery.move_ids.picked = True
        self._validate(delivery)
        self.assert_on_hand(self.serial, 1, self.quarantine)

    def test_unknown_serial_is_registered_by_name(self):
        sale_return = self._create_return(self.serial_order, 1)
        with self.assert_refused("Register Discrepancy"):
            self.env['stock.lot'].with_context(active_picking_id=sale_return.picking_ids.id).create(
                {'name': "X9", 'product_id': self.serial.id}
            )
        self._call(
            self.operator,
            sale_return,
            'register_discrepancies',
            [
                {
                    'kind': 'wrong_lot',
                    'line_id': sale_return.line_ids.id,
                    'quantity': 1,
                    'lot': "X9",
                }
            ],
        )
        self.assertEqual(sale_return.discrepancy_ids.lot_id.name, "X9")
        self.assertEqual(self._get_owned(self.serial), 1)
        self.assertEqual(sale_return.picking_ids.state, 'assigned')

    def test_two_receipts_of_one_serial(self):
        first = self._create_return(self.serial_order, 1)
        second = self._create_return(self.serial_order, 1)
        receipts = first.picking_ids | second.picking_ids
        receipts.move_line_ids.lot_id = self.serials[2]
        receipts.move_ids.picked = True
        self._validate(receipts)
        self.assertEqual((first | second).line_ids.mapped('qty_received'), [1, 0])
        self.assertEqual(second.discrepancy_ids.lot_id, self.serials[2])
        self.assertEqual(self.serial_line.qty_delivered, 2)

    def test_more_of_a_lot_than_was_delivered_of_it(self):
        product, lots = self._create_tracked_product('lot', "L0", "L1", quantity=5)
        order = self._create_order({'product': product, 'quantity': 6})
        self._deliver(order, lots=lots)
        sale_return = self._create_return(order, 5)
        receipt = sale_return.picking_ids
        receipt.move_line_ids[1:].unlink()
        receipt.move_line_ids.write({'lot_id': lots[0].id, 'quantity': 5})
        receipt.move_ids.picked = True
        self._validate(receipt)
        self.assert_quantities(sale_return.line_ids, received=3)
        self.assertEqual(
            (sale_return.discrepancy_ids.kind, sale_return.discrepancy_ids.quantity),
            ('wrong_lot', 2),
        )

    def test_lot_of_another_product_is_refused_with_a_sentence(self):
        _product, lots = self._create_tracked_product('serial', "OTHER")
        sale_return = self._create_return(self.serial_order, 1)
        with self.assert_refused("OTHER", exception=Exception):
            self._scan(sale_return.picking_ids, lots)
        self.assert_quantities(sale_return.line_ids, received=0)

    def test_serial_is_not_swapped_on_a_done_receipt(self):
        sale_return = self._return_serials(1, self.serials[1])
        receipt = sale_return.picking_ids
        with self.assert_refused("S3"), self.env.cr.savepoint():
            receipt.move_line_ids.lot_id = self.serials[3]
        receipt.move_line_ids.lot_id = self.serials[2]
        self.assert_on_hand(self.serial, 1, self.quarantine, lot=self.serials[2])

    def test_wrong_serial_of_another_order_is_accepted_for_it(self):
        other = self._create_order({'product': self.serial, 'quantity': 1})
        self._deliver(other, lots=self.serials[3])
        self._invoice(other)
        sale_return = self._return_serials(1, self.serials[3])
        discrepancy = sale_return.discrepancy_ids
        self.assertEqual(discrepancy.sale_line_id, other.order_line)
        discrepancy.sale_line_id = self.serial_line
        with self.assert_refused("was not delivered with"):
            self._resolve(discrepancy, 'accept')
        discrepancy.sale_line_id = other.order_line
        self._resolve(discrepancy, 'accept')
        self.assert_quantities(other.return_ids.line_ids, received=1)
        self.assertEqual(other.order_line.qty_delivered, 0)
        self.assert_quantities(sale_return.line_ids, received=0, authorized=1)

    def test_serial_undoes_the_delivery_it_left_with(self):
        order = self._create_order({'product': self.serial, 'quantity': 1})
        self._deliver(order, lots=self.serials[3])
        more, lots = (
            self.serial,
            self.env['stock.lot'].create({'name': "S4", 'product_id': self.serial.id}),
        )
        self._put_in_stock(more, 1, lot=lots)
        order.order_line.product_uom_qty = 2
        self._deliver(order, lots=lots)
        sale_return = self._create_return(order, 1)
        self._scan(sale_return.picking_ids, lots)
        origin = sale_return.picking_ids.move_ids.origin_returned_move_id
        self.assertEqual(origin.lot_ids, lots)


@tagged('post_install', '-at_install')
class TestLookUp(LotCommon):
    """From the number on goods to their order and return."""

    def test_serial_finds_its_return(self):
        sale_return = self._return_serials(1, self.serials[1])
        returns = self.env['sale.return']
        self.assertEqual(returns.search([('lot_ids', 'ilike', "S1")]), sale_return)
        self.assertIn(sale_return, returns.search([('lot_ids', 'in', self.serials[1].ids)]))
        self.assertEqual(self.serials[1].sale_return_ids, sale_return)
        self.assertFalse(self.serials[0].sale_return_ids)
        self.assertEqual(sale_return.lot_ids, self.serials[1])

    def test_candidates_of_a_serial(self):
        waiting = self._create_return(self.serial_order, 1)
        lots, companies = self.env['sale.return.lots'], self.env.companies
        (candidate,) = lots._get_candidates("S1", companies)
        self.assertEqual(
            (candidate['order_id'], candidate['quantity'], candidate['return_line_id']),
            (self.serial_order.id, 1, waiting.line_ids.id),
        )
        self.assertEqual(candidate['partner_id'], self.customer.id)
        self._scan(waiting.picking_ids, self.serials[1])
        (candidate,) = lots._get_candidates("S1", companies)
        self.assertEqual(
            (candidate['quantity'], candidate['return_line_id'], candidate['return_ids']),
            (0, False, waiting.ids),
        )
        self.assertEqual(lots._get_candidates("NOBODY", companies), [])
