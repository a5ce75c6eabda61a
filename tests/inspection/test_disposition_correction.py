from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from ..common_disposition import DispositionCommon


@tagged('post_install', '-at_install')
class TestCorrection(DispositionCommon):
    def test_goods_are_back_in_quarantine_and_wait_again(self):
        self.company.sudo().sale_return_auto_credit = False
        row = self._inspect(self.sale_return, (6, 'restock'))
        correction = row.action_correct("Scratched.")
        self.assertEqual((correction.quantity, correction.corrects_id), (-6, row))
        self.assertEqual(correction.note, "Scratched.")
        self.assert_on_hand(self.product, 6, self.quarantine)
        self.assert_on_hand(self.product, 990)
        self.assert_quantities(self.line, inspected=0, accepted=0, to_inspect=6)
        self.assertIn('corrected', self.sale_return.event_ids.mapped('kind'))
        self.sale_return.action_inspect_all('scrap')
        self.assert_on_hand(self.product, 0, self.quarantine)

    def test_correction_of_credited_goods_says_how_they_are_accepted_otherwise(self):
        row = self._inspect(self.sale_return, (6, 'restock'))
        self.assertEqual(self.sale_return.state, 'closed')
        with self.assert_refused("are credited"):
            row.action_correct("Scratched.")
        with self.assert_refused("are credited"):
            row.action_correct("Scratched.", results=[{'quantity': 6, 'disposition': 'send_back'}])
        self.assert_on_hand(self.product, 996)
        row.action_correct("Scratched.", results=[{'quantity': 6, 'disposition': 'scrap'}])
        self.assertEqual(self.sale_return.state, 'closed')
        self.assert_quantities(self.line, inspected=6, accepted=6, credited=6)
        self.assert_on_hand(self.product, 990)
        self.assert_ledger_balanced()

    def test_part_of_a_row_is_corrected(self):
        row = self._inspect(self.sale_return, (6, 'restock'))
        row.action_correct(
            "One is broken.", quantity=1, results=[{'quantity': 1, 'disposition': 'scrap'}]
        )
        self.assertEqual(row.qty_valid, 5)
        with self.assert_refused("cannot be corrected"):
            row.action_correct("x", quantity=6, results=[{'quantity': 6, 'disposition': 'scrap'}])
        row.action_correct("All.", results=[{'quantity': 5, 'disposition': 'refurbish'}])
        self.assert_on_hand(self.product, 990)
        self.assert_on_hand(self.product, 0, self.quarantine)

    def test_second_correction_finds_nothing_left(self):
        row = self._inspect(self.sale_return, (6, 'restock'))
        result = [{'quantity': 6, 'disposition': 'scrap'}]
        correction = row.action_correct("Scratched.", results=result)[0]
        for wrong in (row, correction):
            with self.assert_refused("cannot be corrected"):
                wrong.action_correct("Scratched.", results=result)

    def test_liability_is_corrected_where_the_goods_are(self):
        row = self._inspect(self.sale_return, (6, 'restock'))
        moves = row.move_ids
        self._deliver(self._create_order({'quantity': 996}))  # the goods are sold again
        _correction, right = row.action_correct(
            "The carrier broke it.",
            results=[{'quantity': 6, 'disposition': 'restock', 'liability': 'carrier'}],
        )
        self.assertEqual((right.liability, right.move_ids), ('carrier', moves))
        self.assert_quantities(self.line, inspected=6, accepted=6)
        self.assertEqual(self.sale_return.state, 'closed')

    def test_goods_sold_again_cannot_be_brought_back(self):
        row = self._inspect(self.sale_return, (6, 'restock'))
        self._deliver(self._create_order({'quantity': 996}))
        with self.assert_refused("are available there"):
            row.action_correct("Broken.", results=[{'quantity': 6, 'disposition': 'scrap'}])

    def test_goods_sent_back_are_not_corrected_once_they_left(self):
        row = self._inspect(self.sale_return, (2, 'send_back'))
        row.action_correct("Right after all.", results=[{'quantity': 2, 'disposition': 'restock'}])
        self.assertEqual(row.move_ids.state, 'cancel')
        self.assert_quantities(self.line, rejected=0, accepted=2, credited=2)
        row = self._inspect(self.sale_return, (2, 'send_back'))
        self._validate(row.move_ids.picking_id)
        with self.assert_refused("has left"):
            row.action_correct("Too late.")

    def test_serial_comes_back_in_its_package(self):
        product, serials = self._create_tracked_product('serial', "C1", "C2")
        order = self._create_order({'product': product, 'quantity': 2})
        self._deliver(order, lots=serials)
        self._invoice(order)
        sale_return = self._create_return(order, 2)
        self._receive(sale_return, lots=serials)
        row = self._inspect(sale_return, {'quantity': 1, 'disposition': 'restock', 'lot': "C2"})
        row.action_correct("Scratched.", results=[{'quantity': 1, 'disposition': 'scrap'}])
        self.assert_on_hand(product, 1, self.quarantine)
        self.assert_on_hand(product, 0, lot=serials[1])

    def test_reason_and_role_are_demanded(self):
        row = self._inspect(self.sale_return, (2, 'restock'))
        with self.assert_refused("Enter what is wrong"):
            row.action_correct(" ")
        user = self._create_user('returns_desk', 'base.group_user', 'sale_return.group_user')
        with self.assert_refused("not allowed", AccessError):
            self._call(user, row, 'action_correct', "Wrong.")

    def test_dialog_corrects(self):
        row = self._inspect(self.sale_return, (6, 'restock'))
        action = row.action_open_correction()
        dialog = Form(self.env[action['res_model']].with_context(**action['context']))
        self.assertEqual(dialog.quantity, 6)
        dialog.reason = "Broken."
        dialog.disposition_id = self.scrap
        dialog.save().action_confirm()
        self.assert_on_hand(self.product, 990)
