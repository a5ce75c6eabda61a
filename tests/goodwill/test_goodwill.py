from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from ..common_refund import RefundCommon


@tagged('post_install', '-at_install')
class TestGoodwill(RefundCommon):
    """A credit without goods: with the invoice's taxes, within limits, and never too much."""

    ready_sales = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reason = cls.env['sale.return.reason'].create(
            {
                'name': "Scratch",
                'code': 'SCRATCH',
                'return_class': 'goodwill',
                'return_expected': False,
            }
        )
        cls.agent = cls._create_user(
            'goodwill_agent',
            'base.group_user',
            'sales_team.group_sale_manager',
            'sale_return.group_user',
        )
        cls._configure(
            sale_return_goodwill_agent_limit=500.0, sale_return_goodwill_customer_limit=0.0
        )

    def _grant(self, invoice, amount, user=None, **values):
        note = self._call(
            user or self.agent,
            invoice,
            'grant_goodwill',
            amount,
            self.reason.id,
            "Scratched on arrival",
            **values,
        )
        return self.env['account.move'].browse(note)

    def _get_note_amounts(self, note):
        return note.amount_untaxed, note.amount_tax, note.amount_total

    def test_amount_with_tax_is_what_the_customer_gets(self):
        order = self._create_sale()
        note = self._grant(order.invoice_ids, 121.0)
        self.assertEqual(self._get_note_amounts(note), (100.0, 21.0, 121.0))
        self.assertEqual((note.state, note.move_type), ('posted', 'out_refund'))
        self.assertEqual(note.invoice_line_ids.credited_line_id.move_id, note.reversed_entry_id)
        self.assert_sold(order.order_line, 10, 10)
        self.assert_nothing_to_invoice(order)
        self.assert_ledger_balanced()

    def test_amount_without_tax_is_taxed_on_top(self):
        order = self._create_sale()
        note = self._grant(order.invoice_ids, 100.0, tax_included=False)
        self.assertEqual(self._get_note_amounts(note), (100.0, 21.0, 121.0))

    def test_each_tax_of_the_invoice_gets_its_share_to_the_cent(self):
        order = self._create_sale(
            {'quantity': 3, 'price': 33.33},
            {'quantity': 1, 'price': 60.0, 'taxes': self.tax_20_included},
            {'quantity': 2, 'price': 10.0, 'taxes': self.tax_group},
            {'quantity': 7, 'price': 1.43, 'taxes': self.env['account.tax']},
        )
        invoice = order.invoice_ids
        for amount in (10.0, 33.33, 0.07):
            note = self._grant(invoice, amount)
            self.assertEqual(note.amount_total, amount)
        left = self.env['sale.return.goodwill.credit'].sudo()._get_amount_left(invoice)
        rest = self._grant(invoice, left)
        self.assertEqual(rest.amount_total, left)
        self.assert_fully_credited(invoice)

    def test_goodwill_never_exceeds_an_invoice_whose_tax_a_discount_has_lowered(self):
        term = self.env['account.payment.term'].create(
            {
                'name': "2 % within 10 days",
                'early_discount': True,
                'discount_percentage': 2.0,
                'discount_days': 10,
                'early_pay_discount_computation': 'mixed',
                'line_ids': [Command.create({'value': 'percent', 'value_amount': 100.0})],
            }
        )
        invoice = self._create_sale(payment_term_id=term.id).invoice_ids
        self.assertEqual(invoice.amount_total, 1205.8)
        service = self.env['sale.return.goodwill.credit'].sudo()
        self.assertEqual(service._get_amount_left(invoice), 1205.8)
        for amount in (100.0, 33.33, 66.67):
            self.assertEqual(self._grant(invoice, amount).amount_total, amount)
        left = service._get_amount_left(invoice)
        self.assertEqual(left, 1005.8)
        with self.assert_refused("more than"):
            self._grant(invoice, 1005.81, user=self.staff)
        self.assertEqual(self._grant(invoice, left, user=self.staff).amount_total, left)
        notes = self._get_notes(invoice)
        self.assertEqual(sum(notes.mapped('amount_total')), 1205.8)
        self.assertEqual(invoice.amount_residual, 0.0)

    def test_included_tax_comes_out_of_the_amount(self):
        order = self._create_sale({'price': 120.0, 'taxes': self.tax_20_included})
        note = self._grant(order.invoice_ids, 12.0)
        self.assertEqual(self._get_note_amounts(note), (10.0, 2.0, 12.0))

    def test_discount_for_the_whole_order_is_taken_off_what_is_left(self):
        self._configure(sale_return_goodwill_agent_limit=5000.0)
        order = self._create_sale({}, {'product': self.service, 'quantity': 1, 'price': -100.0})
        invoice = order.invoice_ids
        self.assertEqual(invoice.amount_total, 1089.0)
        with self.assert_refused("more than"):
            self._grant(invoice, 1089.01)
        note = self._grant(invoice, 108.9)
        self.assertEqual(self._get_note_amounts(note), (90.0, 18.9, 108.9))
        self._grant(invoice, 980.1)
        self.assert_at_zero(invoice)

    def test_it_takes_no_cost_of_goods_back(self):
        order = self._create_sale()
        note = self._grant(order.invoice_ids, 121.0)
        self.assertFalse(note.line_ids.filtered(lambda line: line.display_type == 'cogs'))

    def test_goods_that_come_back_later_are_credited_with_what_is_left(self):
        order = self._create_sale()
        self._grant(order.invoice_ids, 121.0)
        sale_return = self._return_goods(order)
        self.assertEqual(sale_return.amount_credited, 1089.0)
        self.assertEqual(sale_return.credit_state, 'full')

    def test_paid_invoice_is_paid_back(self):
        order = self._create_paid_sale()
        sale_return = self._return_goods(order, 5)
        self._pay_back(sale_return.credit_note_ids)
        note = self._grant(order.invoice_ids[:1] & sale_return.invoice_ids, 50.0)
        self.assertEqual(note.amount_residual, 50.0)

    def test_never_above_what_is_left_of_the_invoice(self):
        self._configure(sale_return_goodwill_agent_limit=5000.0)
        order = self._create_sale()
        invoice = order.invoice_ids
        with self.assert_refused("more than"):
            self._grant(invoice, 1210.01)
        self._return_goods(order, 9)
        with self.assert_refused("more than"):
            self._grant(invoice, 121.01)
        self._grant(invoice, 121.0)
        with self.assert_refused("more than"):
            self._grant(invoice, 0.01)
        self.assert_at_zero(invoice)

    def test_what_a_return_under_way_is_going_to_credit_is_not_given_away(self):
        order = self._create_sale()
        self._create_return(order)
        with self.assert_refused("is under way"):
            self._grant(order.invoice_ids, 50.0)
        note = self._grant(order.invoice_ids, 50.0, user=self.staff)
        self.assertEqual(note.state, 'posted')

    def test_bad_input_is_refused_in_words(self):
        invoice = self._create_sale().invoice_ids
        draft = self._invoice(self._deliver_order(), post=False)
        for amount in (0.0, -5.0, float('nan'), float('inf')):
            with self.subTest(amount=amount), self.assert_refused():
                self._grant(invoice, amount)
        with self.assert_refused("posted customer invoice"):
            self._grant(draft, 10.0)
        with self.assert_refused("Enter why"):
            self._call(self.agent, invoice, 'grant_goodwill', 10.0, self.reason.id, " ")
        with self.assert_refused("class"):
            self._call(self.agent, invoice, 'grant_goodwill', 10.0, self.reason_defective.id, "So")

    def _deliver_order(self):
        order = self._create_order()
        self._deliver(order)
        return order

    # === LIMITS === #

    def test_agent_stays_within_their_month_and_a_manager_may_exceed_it(self):
        invoice = self._create_sale().invoice_ids
        self._grant(invoice, 450.0)
        with self.assert_refused("this month"):
            self._grant(invoice, 50.01)
        self._grant(invoice, 50.0)
        self.assertFalse(self._get_grants(invoice)[:1].is_override)
        note = self._grant(invoice, 600.0, user=self.staff)
        self.assertTrue(self._get_grants(invoice)[:1].is_override)
        self.assertEqual(self._get_grants(invoice)[:1].note_id, note)

    def _get_grants(self, invoice):
        return self.env['sale.return.goodwill'].search([('invoice_id', '=', invoice.id)])

    def test_limit_of_the_user_comes_before_that_of_the_company(self):
        invoice = self._create_sale().invoice_ids
        self.agent.sudo().sale_return_goodwill_limit = 20.0
        with self.assert_refused("this month"):
            self._grant(invoice, 20.01)
        self._grant(invoice, 20.0)

    def test_without_a_limit_every_goodwill_takes_a_manager(self):
        self._configure(sale_return_goodwill_agent_limit=0.0)
        invoice = self._create_sale().invoice_ids
        with self.assert_refused("manager"):
            self._grant(invoice, 1.0)
        self._grant(invoice, 1.0, user=self.staff)

    def test_customer_stays_within_their_year(self):
        self._configure(sale_return_goodwill_customer_limit=60.0)
        invoice = self._create_sale().invoice_ids
        self._grant(invoice, 60.0)
        other = self._create_sale().invoice_ids
        with self.assert_refused("twelve months"):
            self._grant(other, 1.0)
        somebody = self._create_sale(partner_id=self._create_customer("Else").id).invoice_ids
        self._grant(somebody, 60.0)

    def test_grant_that_was_cancelled_does_not_count(self):
        self._configure(sale_return_goodwill_customer_limit=60.0)
        invoice = self._create_sale().invoice_ids
        note = self._grant(invoice, 60.0)
        note.button_draft()
        note.button_cancel()
        self._grant(invoice, 60.0)

    def test_limits_count_in_the_currency_of_the_company(self):
        pricelist = self._setup_currency('EUR')  # two of it for one of the company's
        invoice = self._create_sale(pricelist_id=pricelist.id).invoice_ids
        with self.assert_refused("this month"):
            self._grant(invoice, 1000.02)
        note = self._grant(invoice, 1000.0)
        self.assertEqual(self._get_grants(invoice).amount, 500.0)
        self.assertEqual(note.invoice_currency_rate, invoice.invoice_currency_rate)

    # === WHO AND WHERE === #

    def test_it_takes_a_role_in_returns_and_the_invoice(self):
        invoice = self._create_sale().invoice_ids
        seller = self._create_user('goodwill_seller', 'sales_team.group_sale_manager')
        with self.assert_refused(exception=AccessError):
            self._grant(invoice, 10.0, user=seller)
        with self.assert_refused(exception=AccessError):
            self._grant(invoice, 10.0, user=self.clerk)

    def test_dialog_on_order_invoice_and_return(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        sale_return = self._return_goods(order, 2)
        for record in (order, invoice, sale_return):
            with self.subTest(model=record._name):
                record = record.with_user(self.agent)
                action = record.action_open_goodwill()
                form = Form(
                    self.env['sale.return.goodwill.grant']
                    .with_user(self.agent)
                    .with_context(**action['context'])
                )
                self.assertEqual(form.invoice_id, invoice)
                form.reason_id = self.reason
                credited = sum(invoice.reversal_move_ids.mapped('amount_total'))
                self.assertAlmostEqual(form.amount_left, invoice.amount_total - credited)
                form.percent = 50
                self.assertEqual(form.amount, invoice.currency_id.round(form.amount_left / 2))
                form.amount = 10.0
                form.comment = "Scratched"
                before = invoice.reversal_move_ids
                form.save().action_confirm()
                note = invoice.reversal_move_ids - before
                self.assertEqual(note.amount_total, 10.0)
        event = sale_return.event_ids.filtered(lambda event: event.kind == 'goodwill')
        self.assertEqual(event.reason, "Scratched")
        self.assertEqual(self._get_grants(invoice)[:1].return_id, sale_return)

    def test_reasons_of_goodwill_are_no_reasons_to_return(self):
        late = self.env.ref('sale_return.reason_goodwill_late')
        reasons = self.env['sale.return.reason']
        for model, offered in (
            ('sale.return.goodwill.grant', True),
            ('sale.return.create', False),
            ('sale.return.create.line', False),
            ('sale.return.line', False),
        ):
            field = self.env[model]._fields['reason_id']
            with self.subTest(model=model):
                self.assertEqual(late in reasons.search(field.domain), offered)
        self.assertNotIn(late, reasons._get_portal_reasons(self.company))
        bench = self.env['sale.return.bench'].sudo()
        names = [reason['name'] for reason in bench._get_configuration(self.company)['reasons']]
        self.assertNotIn("Delivered late", names)

    def test_dialog_takes_no_invoice_of_somebody_else(self):
        order, other = self._create_sale(), self._create_sale()
        wizard = (
            self.env['sale.return.goodwill.grant']
            .with_user(self.agent)
            .create(
                {
                    'res_model': 'sale.order',
                    'res_id': order.id,
                    'invoice_id': other.invoice_ids.id,
                    'reason_id': self.reason.id,
                    'amount': 10.0,
                    'comment': "So",
                }
            )
        )
        with self.assert_refused("does not have this posted invoice"):
            wizard.action_confirm()
