from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from ..common_migration import load_migration
from ..common_refund import RefundCommon


@tagged('post_install', '-at_install')
class TestTwoPersons(RefundCommon):
    """Above a limit, the user who prepares a payout cannot post it in any way."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        roles = ('account.group_account_invoice', 'base.group_partner_manager')
        cls.first = cls._create_user('two_first', *roles, 'sale_return.group_user')
        cls.second = cls._create_user('two_second', *roles)
        cls.staff.sudo().group_ids += cls.env.ref('account.group_validate_bank_account')
        cls.provider = cls._create_provider()
        cls.company.sudo().sale_return_second_person_above = 1000.0
        cls.order = cls._create_paid_sale()
        cls.sale_return = cls._return_goods(cls.order)
        cls.note = cls.sale_return.credit_note_ids

    def _prepare(self, sale_return=None, user=None):
        sale_return = sale_return or self.sale_return
        self._call(user or self.first, sale_return, 'action_refund')
        self.env.invalidate_all()
        return sale_return.refund_ids[:1]

    def _ways(self, refund):
        yield refund.payment_id, 'action_post', []
        yield refund.payment_id, 'action_validate', []
        yield refund.payment_id, 'write', [{'state': 'paid'}]
        yield refund.payment_id, 'write', [{'state': 'in_process'}]

    def test_who_prepared_does_not_pay(self):
        refund = self._prepare()
        self.assertEqual(refund.prepared_by_id, self.first)
        for records, method, args in self._ways(refund):
            with self.subTest(method=method, args=args), self.assert_refused("second person"):
                self._call(self.first, records, method, *args)
        # Left to the second person: the dialog prepares and posts in one step.
        self._call(self.first, refund, 'action_post')
        self.assertEqual(refund.state, 'prepared')
        self.assertFalse(refund.with_user(self.first).can_pay)
        self.assertTrue(refund.with_user(self.second).can_pay)
        self._call(self.second, refund, 'action_post')
        self.env.invalidate_all()
        self.assertEqual((refund.state, refund.released_by_id), ('done', self.second))
        self.assertFalse(self.note.amount_residual)

    def test_below_the_limit_one_is_enough(self):
        sale_return = self._return_goods(self._create_paid_sale(), 8)  # 968.00
        refund = self._prepare(sale_return)
        self._call(self.first, refund, 'action_post')
        self.assertEqual(refund.state, 'done')

    def test_parts_count_together(self):
        order = self._create_paid_sale()
        first = self._prepare(self._return_goods(order, 5))  # 605.00
        self._call(self.first, first, 'action_post')
        second = self._prepare(self._return_goods(order, 5))
        with self.assert_refused("second person"):
            self._call(self.first, second.payment_id, 'action_post')
        self._call(self.second, second.payment_id, 'action_post')
        self.assertEqual(second.state, 'done')

    def test_payments_posted_at_once_count_together(self):
        order = self._create_paid_sale()
        refunds = self.env['sale.return.refund']
        for _part in range(2):
            refunds += self._prepare(self._return_goods(order, 5))  # 605.00
        for method, args in (('action_post', []), ('write', [{'state': 'paid'}])):
            with self.subTest(method=method), self.assert_refused("second person"):
                self._call(self.first, refunds.payment_id, method, *args)
        self._call(self.second, refunds.payment_id, 'action_post')
        self.assertEqual(set(refunds.mapped('state')), {'done'})

    def test_online_parts_count_together(self):
        order = self._create_sale()
        self._pay_online(order.invoice_ids)
        returns = [self._return_goods(order, 5) for _part in range(2)]  # 605.00
        with self._provider_answers('done'):
            refunds = [self._prepare(sale_return) for sale_return in returns]
        self.assertEqual([refund.method for refund in refunds], ['online', 'online'])
        self.assertEqual([refund.waits_for_release for refund in refunds], [False, True])
        # Each is judged beside all others, no matter which are read together.
        self.env.invalidate_all()
        self.assertEqual((refunds[0] + refunds[1]).mapped('needs_second_person'), [False, True])

    def test_notes_paid_in_one_dialog_count_together(self):
        order = self._create_paid_sale()
        returns = self._return_goods(order, 5) + self._return_goods(order, 5)
        notes = returns.credit_note_ids
        for group, refused in ((notes, True), (notes[:1], False)):
            handed = group.sudo().with_user(self.first).sudo()._get_sale_return_handed_over()
            self.assertEqual(handed, group if refused else group.browse())

    def test_who_changes_the_payee_has_prepared_it(self):
        refund = self._prepare()
        account = (
            self.env['res.partner.bank']
            .sudo()
            .create({'partner_id': self.customer.id, 'acc_number': "NL91 0004"})
        )
        account.allow_out_payment = True
        values = {'partner_bank_id': account.id}
        self._call(self.second, refund.payment_id, 'write', values)
        self.assertEqual(refund.prepared_by_id, self.second)
        with self.assert_refused("second person"):
            self._call(self.second, refund.payment_id, 'action_post')
        self._call(self.first, refund.payment_id, 'action_post')
        self.assertEqual((refund.state, refund.account_digits), ('done', "… 0004"))

    def test_one_person_is_enough_where_nobody_else_may(self):
        payers = self.env.ref('account.group_account_invoice').sudo().all_user_ids
        others = payers.filtered(lambda user: self.company in user.company_ids) - self.first
        (others - self.staff).active = False
        self.staff.sudo().group_ids = self.env.ref('sale_return.group_manager')
        refund = self._prepare()
        self._call(self.first, refund, 'action_post')
        self.assertEqual(refund.state, 'done')

    def test_payment_wizard_of_odoo_is_no_way_around(self):
        wizard = (
            self.env['account.payment.register']
            .with_user(self.first)
            .with_context(active_model='account.move', active_ids=self.note.ids)
            .create({'journal_id': self.bank.id})
        )
        with self.assert_refused("hand it over"):
            wizard.action_create_payments()
        self.assertEqual(self.note.amount_residual, self.note.amount_total)

    def _pay_in_dialog(self, user, note):
        wizard = (
            self.env['account.payment.register']
            .with_user(user)
            .with_context(active_model='account.move', active_ids=note.ids)
            .create({'journal_id': self.bank.id})
        )
        self._call(user, wizard, 'action_create_payments')

    def test_what_was_paid_in_the_dialog_of_odoo_counts_later(self):
        order = self._create_paid_sale()
        first, second, third = (self._return_goods(order, quantity) for quantity in (5, 3, 2))
        self._pay_in_dialog(self.first, first.credit_note_ids)  # 605.00
        refund = self._prepare(second)  # 363.00
        self._call(self.first, refund, 'action_post')
        self.assertEqual(refund.state, 'done')
        with self.assert_refused("hand it over"):
            self._pay_in_dialog(self.first, third.credit_note_ids)  # 242.00
        refund = self._prepare(third)
        with self.assert_refused("second person"):
            self._call(self.first, refund.payment_id, 'action_post')
        self._call(self.second, refund.payment_id, 'action_post')
        self.assertEqual(refund.state, 'done')

    def test_payment_made_by_hand_for_the_note_is_posted_by_a_second(self):
        vals = {
            'payment_type': 'outbound',
            'partner_type': 'customer',
            'partner_id': self.customer.id,
            'journal_id': self.bank.id,
            'amount': self.note.amount_total,
            'invoice_ids': [Command.set(self.note.ids)],
        }
        model = self.env['account.payment']
        with self.assert_refused("hand it over"):
            self._call(self.first, model, 'create', {**vals, 'state': 'paid'})
        payment = model.browse(self._call(self.first, model, 'create', vals))
        for method, args in (('action_post', []), ('write', [{'state': 'paid'}])):
            with self.subTest(method=method), self.assert_refused("hand it over"):
                self._call(self.first, payment, method, *args)
        self._call(self.second, payment, 'action_post')
        self.assertIn(payment.state, ('in_process', 'paid'))

    def _pay_by_hand(self, user, matched_by):
        """Pay the note by a payment that names no note, and match the two."""
        vals = {
            'payment_type': 'outbound',
            'partner_type': 'customer',
            'partner_id': self.customer.id,
            'journal_id': self.bank.id,
            'amount': self.note.amount_total,
        }
        payment = self.env['account.payment'].browse(
            self._call(user, self.env['account.payment'], 'create', vals)
        )
        self._call(user, payment, 'action_post')
        line = payment.sudo().move_id.line_ids.filtered('debit')
        self._call(matched_by, self.note, 'js_assign_outstanding_line', line.id)
        self.assertFalse(self.note.amount_residual)
        self.env.invalidate_all()
        self.env['sale.return.reconciliation'].sudo().action_refresh()
        return self.env['sale.return.reconciliation'].sudo().search([('cause', '=', 'paid_alone')])

    def test_what_one_person_paid_by_hand_is_looked_at_by_a_second(self):
        row = self._pay_by_hand(self.first, matched_by=self.first)
        self.assertEqual((row.note_id, row.amount_difference), (self.note, 1210.0))
        self.assertIn("by one person", row.explanation)
        for user in (self.first, self.second):
            user.sudo().group_ids += self.env.ref('sale_return.group_manager')
        with self.assert_refused("somebody else has to acknowledge"):
            self._call(self.first, row, 'action_acknowledge', "Mine.")
        self._call(self.second, row, 'action_acknowledge', "Seen.")
        self.env['sale.return.reconciliation'].sudo().action_refresh()
        self.assertEqual(row.state, 'acknowledged')

    def _pay_by_entry(self, user):
        """Pay the note by an entry in a general journal, on the account of the bank."""
        due = self.note.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        amount = self.note.amount_total
        journals = self.env['account.journal'].sudo()
        journal = journals.search(
            [('type', '=', 'general'), ('company_id', '=', self.company.id)], limit=1
        )
        sides = [
            {'account_id': due.account_id.id, 'debit': amount},
            {'account_id': self.bank.default_account_id.id, 'credit': amount},
        ]
        vals = {
            'journal_id': journal.id,
            'line_ids': [
                Command.create({'name': "Cash", 'partner_id': self.customer.id, **side})
                for side in sides
            ],
        }
        entry = self.env['account.move'].browse(
            self._call(user, self.env['account.move'], 'create', vals)
        )
        self._call(user, entry, 'action_post')
        line = entry.sudo().line_ids.filtered('debit')
        self._call(user, self.note, 'js_assign_outstanding_line', line.id)
        self.assertFalse(self.note.amount_residual)

    def test_entry_in_a_general_journal_is_looked_at_by_a_second(self):
        self._pay_by_entry(self.first)
        self.env.invalidate_all()
        rows = self.env['sale.return.reconciliation'].sudo()
        rows.action_refresh()
        row = rows.search([('cause', '=', 'paid_alone')])
        self.assertEqual((row.note_id, row.amount_difference), (self.note, 1210.0))

    def test_control_of_payouts_takes_two_queries(self):
        """What their persons paid their customers, and who else could, however many they are."""
        refund = self._prepare().with_user(self.first).sudo()
        many = refund + refund.create(
            [
                {
                    **refund.copy_data()[0],
                    'note_id': refund.note_id.id,
                    'prepared_by_id': self.first.id,
                    'state': 'prepared',
                    'idempotency_key': f'many {number}',
                }
                for number in range(49)
            ]
        )
        many._filter_second_person()
        for payouts in (refund, many):
            for together in (True, False):
                self.env.flush_all()
                with self.subTest(len(payouts), together=together), self.assertQueryCount(2):
                    self.assertEqual(payouts._filter_second_person(together), payouts)

    def test_what_a_second_person_has_matched_was_seen_by_two(self):
        self.assertFalse(self._pay_by_hand(self.first, matched_by=self.second))

    def test_who_pays_the_same_customer_at_the_same_time_waits(self):
        taken = []
        self.patch(
            self.env.registry['sale.return.guard'],
            '_take_customers',
            lambda _guard, partners: taken.append(partners),
        )
        refund = self._prepare()
        self.assertEqual(taken, [self.customer])
        self._call(self.second, refund, 'action_post')
        self.assertGreater(len(taken), 1)
        self.assertEqual(set(filter(None, taken)), {self.customer})

    def test_dialog_says_that_it_is_handed_over(self):
        env = self._env_of(self.first)
        action = self.sale_return.with_env(env).action_open_refund()
        with Form(env['sale.return.pay'].with_context(**action['context'])) as form:
            self.assertTrue(form.hands_over)
        small = self._return_goods(self._create_paid_sale(), 2)
        action = small.with_env(env).action_open_refund()
        with Form(env['sale.return.pay'].with_context(**action['context'])) as form:
            self.assertFalse(form.hands_over)

    def test_online_refund_waits_for_the_second_person(self):
        order = self._create_sale()
        self._pay_online(order.invoice_ids)
        sale_return = self._return_goods(order)
        with self._provider_answers('done') as sent:
            refund = self._prepare(sale_return)
            self.assertEqual((refund.method, refund.waits_for_release), ('online', True))
            self._run_refund_job()
            self.assertFalse(sent)
            self._call(self.first, refund, 'action_post')
            self._run_refund_job()
            self.assertFalse(sent)
            self._call(self.second, refund, 'action_post')
            self._run_refund_job()
            self.assertEqual(len(sent), 1)
        self.assertEqual((refund.state, refund.released_by_id), ('done', self.second))

    def test_it_takes_a_role(self):
        refund = self._prepare()
        with self.assert_refused(exception=AccessError):
            self._call(self.clerk, refund, 'action_post')

    # === PAYEE === #

    def test_stranger_made_a_contact_is_not_paid_by_who_did_it(self):
        self.company.sudo().sale_return_second_person_above = 0.0
        refund = self._prepare()
        stranger = self._create_customer("John Stranger")
        self._call(self.second, stranger, 'write', {'parent_id': self.customer.id})
        self._call(self.second, refund.payment_id, 'write', {'partner_id': stranger.id})
        for records, method, args in self._ways(refund):
            with self.subTest(method=method), self.assert_refused("John Stranger"):
                self._call(self.second, records, method, *args)
        self.assertEqual(self.note.amount_residual, self.note.amount_total)

    def test_customer_made_a_contact_of_a_stranger_is_not_paid_by_who_did_it(self):
        self.company.sudo().sale_return_second_person_above = 0.0
        refund = self._prepare(user=self.first)
        stranger = self._create_customer("John Stranger")
        self.customer.sudo().parent_id = stranger
        self._call(self.first, refund.payment_id, 'write', {'partner_id': stranger.id})
        with self.assert_refused("John Stranger"):
            self._call(self.first, refund.payment_id, 'action_post')

    # === UPGRADE === #

    def test_upgrade_says_who_prepared_and_who_was_billed(self):
        refund = self._prepare()
        self.env.flush_all()
        self.env.cr.execute(
            'UPDATE sale_return_refund SET prepared_by_id = NULL WHERE id = %s', [refund.id]
        )
        self.env.cr.execute(
            'UPDATE account_move SET sale_return_customer_id = NULL WHERE id = %s', [self.note.id]
        )
        load_migration('post-payouts').migrate(self.env.cr, '19.0.1.1.0')
        self.env.invalidate_all()
        self.assertEqual(refund.prepared_by_id, self.first)
        self.assertEqual(self.note.sale_return_customer_id, self.customer)
