from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_refund import RefundCommon

SALES = 'sales_team.group_sale_salesman_all_leads'


@tagged('post_install', '-at_install')
class TestTrace(RefundCommon):
    """Return, note and payout show who requested, decided, released, posted and paid."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.asker = cls._create_user('trace_asker', 'sale_return.group_user', SALES)
        cls.approver = cls._create_user('trace_approver', 'sale_return.group_approver', SALES)
        cls.inspector = cls._create_user(
            'trace_inspector', 'sale_return.group_inspector', 'stock.group_stock_user'
        )
        cls.biller = cls._create_user('trace_biller', 'account.group_account_invoice')
        cls.policy.approval = 'always'
        cls.order = cls._create_paid_sale()

    def _go(self):
        """Request, approve, receive, inspect, refund and pay, each by another person."""
        values = {
            'partner_id': self.order.partner_id.id,
            'line_ids': self._prepare_return_lines(self.order.order_line, 2),
        }
        sale_return = self.env['sale.return'].browse(
            self._call(self.asker, self.env['sale.return'], 'create', values)
        )
        self._call(self.asker, sale_return, 'action_submit')
        self._call(self.approver, sale_return, 'action_approve')
        self._receive(sale_return)
        self._call(self.inspector, sale_return, 'action_inspect_all', 'restock')
        self._call(self.manager, sale_return, 'action_refund')
        self._call(self.biller, sale_return.refund_ids.payment_id, 'action_post')
        self.env.invalidate_all()
        return sale_return

    def test_return_note_and_payout_say_who_did_what(self):
        sale_return = self._go()
        note, refund = sale_return.credit_note_ids, sale_return.refund_ids
        self.assertEqual(sale_return.door, 'employee')
        self.assertEqual(note.sale_return_posted_by_id, self.inspector)
        self.assertEqual(
            (refund.prepared_by_id, refund.released_by_id), (self.manager, self.biller)
        )
        lines = dict(line.split(": ", 1) for line in sale_return.trace.split("\n"))
        for label, user in (
            ("Asked by", self.asker),
            ("Approved by", self.approver),
            ("Inspected by", self.inspector),
            (f"{note.name} posted by", self.inspector),
            (f"Refund {refund.display_name} prepared by", self.manager),
            (f"Refund {refund.display_name} paid by", self.biller),
        ):
            self.assertIn(user.name, lines[label])
        for record, name in ((note, 'sale_return_trace'), (refund, 'trace')):
            self.assertIn(self.approver.name, record.with_user(self.biller)[name])

    def test_paper_says_why_and_who_approved(self):
        sale_return = self._go()
        note = sale_return.credit_note_ids
        for text in (
            self.reason_defective.name,
            sale_return.name,
            sale_return.picking_ids.name,
            self.approver.name,
        ):
            self.assertIn(text, note.narration)
        html = (
            self.env['ir.actions.report']
            ._render_qweb_html('account.account_invoices', note.ids)[0]
            .decode()
        )
        self.assertIn(self.approver.name, html)
        self.assertEqual(note.delivery_date, note.reversed_entry_id.delivery_date)
        self.assertTrue(note.delivery_date)

    def test_note_without_order_lines_has_the_delivery_date(self):
        goodwill = self.env['sale.return.reason'].create(
            {'name': "Scratch", 'code': 'SCRATCH', 'return_class': 'goodwill'}
        )
        invoice = self.order.invoice_ids
        note_id = self._call(self.staff, invoice, 'grant_goodwill', 10.0, goodwill.id, "Scratched")
        note = self.env['account.move'].browse(note_id)
        self.assertEqual(note.delivery_date, invoice.delivery_date)
        self.assertTrue(note.delivery_date)

    def test_rules_that_decide_are_named(self):
        self.policy.approval = 'none'
        sale_return = self._return_goods(self.order, 1)
        self.assertIn("no person was involved", sale_return.trace)
        self.assertIn(self.policy.name, sale_return.credit_note_ids.narration)

    # === OVERRIDE === #

    def test_reason_of_an_override_names_who_wrote_it(self):
        self._create_return(self.order, 10)
        note = self._reverse(self.order.invoice_ids, post=False)
        self._call(
            self.staff, note, 'write', {'sale_return_override_reason': "Settled on the phone."}
        )
        self.assertEqual(note.sale_return_override_by_id, self.staff)
        self.assertTrue(note.sale_return_override_on)
        for vals in (
            {'sale_return_override_by_id': self.biller.id},
            {'sale_return_override_on': '2020-01-01 00:00:00'},
        ):
            with self.assert_refused(exception=AccessError):
                self._call(self.staff, note, 'write', vals)

    # === CONFIRMATION === #

    def test_confirmation_is_dated_by_the_service_and_of_the_buyer(self):
        stranger = self._create_customer("John Stranger")
        values = {
            'sale_line_id': self.order.order_line.id,
            'exception_code': 'unsealed_hygiene',
            'confirmed_text': "I know that I cannot return it.",
        }
        model = self.env['sale.return.confirmation']
        with self.assert_refused("dated when it is recorded"):
            self._call(
                self.asker, model, 'create', {**values, 'confirmed_on': '2020-01-01 00:00:00'}
            )
        with self.assert_refused(self.order.name, exception=UserError):
            self._call(self.asker, model, 'create', {**values, 'partner_id': stranger.id})
        record = model.browse(self._call(self.asker, model, 'create', values))
        self.assertEqual((record.partner_id, record.user_id), (self.customer, self.asker))
        self.assertAlmostEqual(
            record.confirmed_on.timestamp(), record.create_date.timestamp(), delta=60
        )
