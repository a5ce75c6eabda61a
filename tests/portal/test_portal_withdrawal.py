import hashlib
from datetime import timedelta

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.http import Request
from odoo.tests import tagged
from odoo.tools import format_datetime

from ...models.portal import sale_return_portal_gate as gate
from ...models.portal.exceptions import RequestRefused
from ..common_portal import PortalHttpCommon


class WithdrawalCommon(PortalHttpCommon):
    """Consumers with a legal right to withdraw from a contract."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.eu_policy = cls._create_policy(
            name="EU", regime='eu_withdrawal', window_days=14, settlement='refund'
        )
        cls.line = cls.order.order_line

    def setUp(self):
        super().setUp()
        self._log_in(self.jane)

    def _prepare_statement(self, quantities, order=None, token=None, **changes):
        values = {
            'csrf_token': Request.csrf_token(self),
            'form_key': (order or self.order)._get_return_form_key(),
            'name': "Jane Customer",
            'email': 'jane@example.com',
        }
        if token:
            values['access_token'] = token
        values |= {f'q_{line.id}': quantity for line, quantity in quantities.items()}
        return {**values, **changes}

    def _withdraw(self, quantities, order=None, token=None, **changes):
        values = self._prepare_statement(quantities, order, token, **changes)
        return self._post((order or self.order)._get_withdrawal_url(), values)

    def _withdrawals(self):
        return self.env['sale.return.withdrawal'].search([('partner_id', '=', self.customer.id)])


@tagged('post_install', '-at_install')
class TestPortalWithdrawal(WithdrawalCommon):
    """A consumer withdraws from a contract: two steps, no reason, acknowledged, stored."""

    # === TWO STEPS === #

    def test_two_steps_lead_to_an_acknowledged_withdrawal(self):
        page = self._open(f'/my/orders/{self.order.id}')
        (button,) = self._find(page, 'o_sale_return_withdraw')
        self.assertEqual(button.text_content().strip(), "Withdraw from contract here")
        page = self._open(button.get('href'))
        self.assertFalse(page.xpath('//select'), "no reason is asked for")
        (confirm,) = page.xpath("//form[contains(@class, 'o_sale_return_form')]//button")
        self.assertEqual(confirm.text_content().strip(), "Confirm withdrawal")
        action, values = self._form(page)
        self.assertEqual(values['email'], 'jane@example.com')
        with freeze_time('2026-05-04 10:11:12'):
            self._log_in(self.jane)
            values['csrf_token'] = Request.csrf_token(self)
            values['form_key'] = self.order._get_return_form_key()
            self.order.picking_ids.date_customer_received = '2026-05-01 12:00:00'
            last = self._post(action, values)
        withdrawal = self._withdrawals()
        self.assertEqual(str(withdrawal.date), '2026-05-04 10:11:12')
        # In the seller's time zone, which is named.
        self.assertIn("Received on: 2026-05-04 12:11:12 (Europe/Brussels)", withdrawal.statement)
        for text in (withdrawal.statement, self._text(last, 'o_sale_return_statement')):
            for part in (self.order.name, self.product.display_name, "Jane Customer", "12:11:12"):
                self.assertIn(part, text)
        sale_return = withdrawal.return_id
        self.assertEqual((sale_return.state, sale_return.portal_kind), ('approved', 'withdrawal'))
        self.assertEqual(sale_return.line_ids.qty_requested, 10)
        self.assertEqual(
            sale_return.line_ids.reason_id, self.env.ref('sale_return.reason_not_stated')
        )

    def test_acknowledgement_has_content_date_and_time_and_stays(self):
        self._withdraw({self.line: 2}, email='other@example.com')
        withdrawal = self._withdrawals()
        mail = (
            self.env['mail.mail']
            .sudo()
            .search([('model', '=', withdrawal._name), ('res_id', '=', withdrawal.id)])
        )
        self.assertEqual(mail.email_to, 'jane@example.com', "not to whoever was typed")
        self.assertFalse(mail.auto_delete)
        for part in withdrawal.statement.splitlines():
            self.assertIn(part.replace('&', '&amp;'), mail.body_html)
        self.assertEqual(withdrawal.mail_state, 'outgoing')
        trigger = self.env['ir.cron.trigger'].sudo()
        job = self.env.ref('mail.ir_cron_mail_scheduler_action')
        self.assertTrue(trigger.search([('cron_id', '=', job.id)]))

    def test_acknowledgement_is_the_only_mail_about_it(self):
        self.eu_policy.approval = 'always'
        self._withdraw({self.line: 1})
        request = self._create_return(self.order, 1)
        self._run_message_job()
        sale_return = self._withdrawals().return_id
        self.assertEqual(sale_return.state, 'submitted')
        states = [r.customer_message_ids.mapped('state') for r in (sale_return, request)]
        self.assertEqual(states, [['skipped'], ['sent']])

    def test_withdrawal_is_evidence(self):
        self._withdraw({self.line: 1})
        withdrawal = self._withdrawals()
        digest = hashlib.sha256(withdrawal.statement.encode()).hexdigest()
        self.assertEqual(withdrawal.sha256, digest)
        with self.assert_refused("is evidence"):
            withdrawal.sudo().write({'statement': "I did not."})
        with self.assert_refused("is evidence", UserError):
            withdrawal.sudo().unlink()
        for user in (self.staff, self.jane):
            with self.assert_refused(exception=AccessError):
                self._call(user, withdrawal, 'create', {'statement': "I do."})
        with self.assert_refused(exception=AccessError):
            self._call(self.jane, withdrawal, 'read', ['statement'])

    def test_guest_withdraws_by_a_link(self):
        token = self.order._get_return_token()
        self._log_in(None)
        page = self._open(self._url(token=token))
        (hint,) = self._find(page, 'o_sale_return_withdraw')
        action, values = self._form(self._open(hint.get('href')))
        values['csrf_token'] = Request.csrf_token(self)
        last = self._post(action, values)
        self.assertIn("We have received your withdrawal", self._text(last))
        self.assertTrue(self._withdrawals().return_id)
        (follow,) = last.xpath("//a[contains(@href, '/my/returns/')]")
        self.assertIn('access_token', follow.get('href'))

    # === WHEN === #

    def test_after_the_period_there_is_nothing_to_withdraw_from(self):
        self.order.picking_ids.date_customer_received = fields.Datetime.now() - timedelta(days=15)
        page = self._open(f'/my/orders/{self.order.id}')
        self.assertFalse(self._find(page, 'o_sale_return_withdraw'))
        page = self._open(self.order._get_withdrawal_url())
        self.assertIn("Nothing is left in this order", self._text(page))
        answer = self._withdraw({self.line: 1})
        self.assertIn("Up to 0 Units", self._error(answer))
        self.assertFalse(self._withdrawals())

    def test_period_begins_with_the_last_of_the_goods(self):
        order = self._create_order({}, {'product': self.consumable})
        picking = order.picking_ids
        for move in picking.move_ids.filtered(lambda m: m.product_id == self.product):
            move.quantity, move.picked = 10, True
        picking.with_context(skip_backorder=True).button_validate()
        with freeze_time(fields.Datetime.now() + timedelta(days=40)):
            self._log_in(self.jane)
            page = self._open(order._get_withdrawal_url())
            self.assertEqual(len(page.xpath("//input[@type='number']")), 2)

    def test_before_delivery_somebody_is_asked_to_stop_it(self):
        order = self._create_order({}, {'product': self.consumable, 'quantity': 3})
        lamp, glue = order.order_line
        self._withdraw({lamp: 10, glue: 3}, order)
        withdrawal = self._withdrawals()
        self.assertFalse(withdrawal.return_id)
        note = order.activity_ids.note
        self.assertIn("3 Units Glue: not delivered yet", note)
        self.assertIn("10 Units Lamp: not delivered yet", note)

    def test_salesperson_who_has_left_is_not_asked(self):
        seller = self._create_user('withdrawal_seller', 'sales_team.group_sale_salesman')
        order = self._create_order()
        order.sudo().write({'user_id': seller.id, 'team_id': False})
        seller.sudo().active = False
        self._withdraw({order.order_line: 10}, order)
        self.assertIn("cancel the delivery", order.activity_ids.note)
        self.assertTrue(order.activity_ids.user_id.active)

    def test_commercial_policies_know_no_withdrawal(self):
        self.eu_policy.active = False
        page = self._open(f'/my/orders/{self.order.id}')
        self.assertFalse(self._find(page, 'o_sale_return_withdraw'))
        self.assertIn("Up to 0 Units", self._error(self._withdraw({self.line: 1})))

    def test_goods_that_the_law_leaves_out(self):
        self.env['sale.return.rule'].create(
            {
                'policy_id': self.eu_policy.id,
                'kind': 'excluded',
                'outcome': 'refuse',
                'exception_code': 'custom_made',
                'product_ids': [Command.set(self.product.ids)],
            }
        )
        self.assertIn("Up to 0 Units", self._error(self._withdraw({self.line: 1})))

    # === BAD INPUT === #

    def test_twice_is_once(self):
        values = self._prepare_statement({self.line: 2})
        for _click in range(2):
            last = self._post(self.order._get_withdrawal_url(), values)
        self.assertIn("We have received your withdrawal", self._text(last))
        self.assertEqual(len(self._withdrawals()), 1)
        self.assertEqual(len(self._returns()), 1)

    def test_statements_that_cannot_be_taken(self):
        other = self._create_sale(partner_id=self.stranger.partner_id.id)
        for changes, sentence in (
            ({f'q_{self.line.id}': '11'}, "Up to 10 Units"),
            ({f'q_{self.line.id}': 'nan'}, "Enter how many"),
            ({f'q_{self.line.id}': '0'}, "Choose the products"),
            ({f'q_{other.order_line.id}': '1'}, "does not belong to order"),
            ({'name': ' '}, "enter your name"),
            ({'email': 'nowhere'}, "enter the e-mail address"),
            ({'form_key': other._get_return_form_key()}, "open for too long"),
        ):
            with self.subTest(changes=changes):
                answer = self._withdraw({self.line: 1}, **changes)
                self.assertIn(sentence, self._error(answer))
        self.assertFalse(self._withdrawals())

    def test_statement_counts_even_if_its_return_cannot_be_made(self):
        service = type(self.env['sale.return.portal.request'])
        original = service._send

        def refuse(service, draft):
            original(service, draft)
            raise RequestRefused("Something is in the way.")

        self.patch(service, '_send', refuse)
        self._withdraw({self.line: 1})
        self.assertFalse(self._withdrawals().return_id)
        self.assertFalse(self._returns())
        self.assertIn("Something is in the way.", self.order.activity_ids.note)

    def test_only_the_customer_withdraws_and_reads_it(self):
        self._withdraw({self.line: 1})
        urls = [
            self.order._get_withdrawal_url(),
            self.order._get_withdrawal_url(page=f'/{self._withdrawals().id}'),
        ]
        for user in (self.stranger, None):
            self._log_in(user)
            for url in urls:
                self._open(url, status=403)
        self._log_in(self.jane)
        other = self._create_sale()
        url = other._get_withdrawal_url(page=f'/{self._withdrawals().id}')
        self._open(url, status=403)

    def test_open_requests_do_not_keep_anybody_from_withdrawing(self):
        self._configure(sale_return_request_limit=1)
        self._create_return(self.order, 1)._write_facts({'portal_kind': 'request'})
        self._withdraw({self.line: 1})
        self.assertEqual(self._withdrawals().return_id.state, 'approved')

    # === MONEY === #

    def test_law_gives_shipping_back_and_forbids_fees_whatever_the_policy_says(self):
        self.eu_policy.write({'refund_shipping': 'never', 'restocking_fee_percent': 10})
        self.assertEqual(self.eu_policy._get_refund_shipping(), 'full_return')
        self.assertEqual(self.policy._get_refund_shipping(), 'never')
        self._withdraw({self.line: 10})
        sale_return = self._withdrawals().return_id
        (note,) = sale_return.preview_credit()[sale_return.id]['estimate']
        self.assertEqual({line['kind'] for line in note['lines']}, {'goods'})
        self.assertEqual(note['total'], self.order.invoice_ids.amount_total)

    def test_policy_that_gives_less_than_the_law_says_so(self):
        self.eu_policy.write({'settlement': 'on_account', 'release_event': 'inspection'})
        self.assertIn("has to be paid back", self.eu_policy.regime_note)
        self.assertIn("not until their inspection", self.eu_policy.regime_note)
        self.eu_policy._onchange_regime()
        self.assertNotIn("Attention", self.eu_policy.regime_note)
        self.assertNotIn("Attention", self.policy.regime_note)


@tagged('post_install', '-at_install')
class TestPortalWithdrawalCounted(WithdrawalCommon):
    """One link, many statements: each is counted, and none can be used to mail strangers."""

    def _mails(self):
        return self.env['mail.mail'].sudo().search([('model', '=', 'sale.return.withdrawal')])

    def _withdraw_as_guest(self, quantities, **changes):
        token = self.order._get_return_token()
        return self._withdraw(quantities, token=token, **changes)

    # === SUBTRACTED === #

    def test_earlier_statements_are_subtracted(self):
        self._withdraw({self.line: 6})
        answer = self._withdraw({self.line: 6})
        zone = self.env['sale.return.portal.request']._get_zone(self.order)
        today = format_datetime(self.env, self._withdrawals().date, tz=zone, dt_format='MM/dd/yyyy')
        for part in (": 6 Units on", today, "4 Units are left"):
            self.assertIn(part, self._error(answer))
        self.assertIn("up to 4", self._text(answer))
        self._withdraw({self.line: 4})
        self.assertEqual(len(self._withdrawals()), 2)
        page = self._open(self.order._get_withdrawal_url())
        self.assertIn("Nothing is left in this order", self._text(page))
        self.assertFalse(self.order._can_withdraw())

    def test_undelivered_goods_are_subtracted_too(self):
        order = self._create_order()
        self._withdraw({order.order_line: 10}, order)
        answer = self._withdraw({order.order_line: 1}, order)
        self.assertIn("already withdrawn from", self._error(answer))
        # Somebody overlooks the activity: the contract has ended even if goods are delivered.
        self._deliver(order)
        answer = self._withdraw({order.order_line: 1}, order)
        self.assertIn("0 Units are left", self._error(answer))
        self.assertEqual(len(self._withdrawals()), 1)

    def test_order_lowered_by_what_was_withdrawn_leaves_the_rest(self):
        order = self._create_order()
        self._withdraw({order.order_line: 4}, order)
        order.order_line.product_uom_qty = 6
        self._deliver(order)
        answer = self._withdraw({order.order_line: 7}, order)
        self.assertIn("6 Units are left", self._error(answer))
        self._withdraw({order.order_line: 6}, order)
        self.assertEqual(len(self._withdrawals()), 2)

    def test_return_that_was_cancelled_leaves_all(self):
        self._withdraw({self.line: 10})
        self._withdrawals().return_id.action_cancel()
        self._withdraw({self.line: 10})
        self.assertEqual(len(self._withdrawals()), 2)

    def test_refused_goods_that_were_sent_back_are_not_withdrawn_twice(self):
        self._withdraw({self.line: 10})
        sale_return = self._withdrawals().return_id
        self._receive(sale_return)
        sale_return.action_inspect_all('send_back')
        back = sale_return.transfer_ids.filtered(lambda p: p.state not in ('done', 'cancel'))
        self._process(back)
        answer = self._withdraw({self.line: 10})
        self.assertIn("already withdrawn", self._error(answer))

    # === WHOLE === #

    def test_pieces_are_whole(self):
        for quantity in ('0.01', '0.5', '9.99'):
            answer = self._withdraw({self.line: quantity})
            self.assertIn("whole pieces", self._error(answer))
        self.assertFalse(self._withdrawals())

    def test_what_is_no_piece_may_be_parted(self):
        kilo = self.env.ref('uom.product_uom_kgm')
        rope = self._create_product("Rope", uom_id=kilo.id)
        order = self._create_sale({'product': rope})
        self._withdraw({order.order_line: '2.5'}, order)
        parted = self._create_sale({'quantity': 2.5})
        self._withdraw({parted.order_line: '2.5'}, parted)
        self.assertEqual(len(self._withdrawals()), 2)

    def test_dozens_are_told_by_the_piece(self):
        order = self._create_sale({'product_uom_id': self.dozen.id, 'quantity': 2})
        answer = self._withdraw({order.order_line: '0.01'}, order)
        self.assertIn("whole pieces", self._error(answer))
        self._withdraw({order.order_line: '0.5'}, order)
        self.assertEqual(self._withdrawals().content[0]['quantity'], 0.5)

    # === A DAY === #

    def test_more_than_three_a_day_are_for_a_person(self):
        self.company.sudo().email = 'shop@example.com'
        self._log_in(None)
        for _statement in range(3):
            self._withdraw_as_guest({self.line: 1})
        for _statement in range(4):
            answer = self._withdraw_as_guest({self.line: 1})
            self.assertIn("sent 3 withdrawals", self._error(answer))
            self.assertIn("write to shop@example.com:", self._error(answer))
        self.assertEqual(len(self._withdrawals()), 3)
        self.assertEqual(len(self._mails()), 3)
        asked = self.order.activity_ids.filtered(lambda a: "withdraw from more" in a.summary)
        self.assertEqual(len(asked), 1)

    def test_day_is_the_one_of_the_company(self):
        self.company.sudo().partner_id.tz = 'Asia/Tokyo'
        self.order.picking_ids.date_customer_received = '2026-05-01 12:00:00'
        # 23:30 in Tokyo, then 00:30 of the next day.
        for moment, taken in (('2026-05-04 14:30:00', 3), ('2026-05-04 15:30:00', 4)):
            with freeze_time(moment):
                self._log_in(self.jane)
                for _statement in range(4 if taken == 3 else 1):
                    self._withdraw({self.line: 1})
                self.assertEqual(len(self._withdrawals()), taken)

    # === TO WHOM === #

    def test_guest_writes_to_no_stranger(self):
        self._log_in(None)
        last = self._withdraw_as_guest({self.line: 1}, email='victim@example.com')
        self.assertEqual(self._mails().mapped('email_to'), ['jane@example.com'])
        self.assertEqual(self._withdrawals().email, 'victim@example.com')
        self.assertIn("that we have for this order", self._text(last))

    def test_address_of_a_colleague_is_known(self):
        self.colleague.sudo().partner_id.email = 'colleague@example.com'
        last = self._withdraw({self.line: 1}, email='Colleague@example.com')
        self.assertEqual(self._mails().email_to, 'jane@example.com, colleague@example.com')
        self.assertIn("colleague@example.com", self._text(last))

    def test_without_any_address_the_first_one_given_counts(self):
        (self.household | self.household.child_ids).sudo().email = False
        self._log_in(None)
        for email in ('jane@home.example.com', 'victim@example.com'):
            self._withdraw_as_guest({self.line: 1}, email=email)
        self.assertEqual(self._mails().mapped('email_to'), ['jane@home.example.com'] * 2)

    def test_name_is_no_message(self):
        # More attempts than a visitor has in an hour, which is tested elsewhere.
        self.patch(
            gate,
            'CEILINGS',
            {
                scope: limit._replace(points=limit.points * 10)
                for scope, limit in gate.CEILINGS.items()
            },
        )
        for name in (
            "Win at http://evil.example",
            "www.evil",
            "evil.com",
            "evil。com",
            "mail@evil.example",
            "Jane <b>",
            "Jane evil.example/x",
            "evil\N{ONE DOT LEADER}com",
            "evil\N{SMALL FULL STOP}com",
            "evil\N{ARABIC FULL STOP}com",
            "evil.-com",
            "http\N{FULLWIDTH COLON}\N{FULLWIDTH SOLIDUS}\N{FULLWIDTH SOLIDUS}evil",
            "mail\N{FULLWIDTH COMMERCIAL AT}evil",
        ):
            with self.subTest(name=name):
                answer = self._withdraw({self.line: 1}, name=name)
                self.assertIn("your name only", self._error(answer))
        self.assertFalse(self._mails())

    def test_names_people_have(self):
        self.customer.name = "Amazing.com Ltd"
        for name in ("J.R.R. Tolkien", "Amazing.com Ltd", "Zoë O'Neil-St. John"):
            self._withdraw({self.line: 1}, name=name)
        self.assertEqual(len(self._withdrawals()), 3)
