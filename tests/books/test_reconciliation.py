from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common_reconciliation import ReconciliationCommon

LEAN = {
    "a story of the room": (
        'test_finished_return_leaves_the_list_empty',
        'test_note_by_hand_without_link_is_listed_until_it_is_cancelled',
        'test_acknowledged_row_leaves_the_open_list_with_its_reason',
        'test_job_is_idempotent_and_tells_about_each_row_once',
    ),
}


@tagged('post_install', '-at_install')
class TestReconciliation(ReconciliationCommon):
    """Each kind of difference appears with real documents, and disappears with them."""

    ready_sales = 1

    def test_finished_return_leaves_the_list_empty(self):
        order = self._create_sale()
        for disposition in ('restock', 'scrap'):
            self._return_goods(order, 3, disposition)
        self.assertFalse(self._refresh())

    def test_two_returns_of_one_order_are_two_rows(self):
        order = self._create_sale()
        for quantity in (2, 3):
            self._receive(self._create_return(order, quantity))
        rows = self._refresh().sorted('qty_difference')
        self.assertEqual(rows.mapped('qty_difference'), [2, 3])
        self.assertEqual(rows.mapped('amount_difference'), [242, 363])

    def test_received_goods_stand_on_the_list_until_they_are_credited(self):
        sale_return = self._create_return(self._create_sale(), 4)
        self.assertFalse(self._refresh())
        self._receive(sale_return)
        row = self.assert_row(
            self._refresh(),
            'received_not_credited',
            cause='to_inspect',
            return_id=sale_return,
            product_id=self.product,
            qty_received=4,
            qty_difference=4,
            amount_difference=484.0,
            amount_credited=0.0,
            cost_moved=240.0,
            state='open',
        )
        for text in ("4 Units of Lamp", sale_return.name, "484.00", "are waiting for inspection"):
            self.assertIn(text, row.explanation)
        sale_return.action_inspect_all('restock')
        self.assertFalse(self._refresh())
        self.assertEqual(row.state, 'settled')

    def test_goods_that_nobody_approved_wait_for_approval(self):
        self.policy.approval = 'always'
        order = self._create_sale()
        self._process(self._return_in_inventory(order.picking_ids, 4))
        row = self.assert_row(
            self._refresh(),
            'received_not_credited',
            cause='to_approve',
            return_id=order.return_ids,
            qty_difference=4,
            amount_difference=484.0,
        )
        self.assertIn("waiting for approval", row.explanation)
        order.return_ids.action_approve()
        self.assertEqual(self._refresh().cause, 'to_inspect')

    def test_draft_note_is_not_credited_yet(self):
        self.policy.credit_posting = 'draft'
        sale_return = self._return_goods(self._create_sale(), 4)
        row = self.assert_row(
            self._refresh(), 'received_not_credited', cause='draft', amount_difference=484.0
        )
        self.assertIn("a draft", row.explanation)
        sale_return.credit_note_ids.action_post()
        self.assertFalse(self._refresh())

    def test_service_that_is_accepted_and_not_credited(self):
        self._configure(sale_return_auto_credit=False)
        order = self._create_order({'product': self.service, 'quantity': 2})
        self._invoice(order)
        sale_return = self._create_approved_return(order.order_line, 2)
        row = self.assert_row(self._refresh(), 'received_not_credited', amount_difference=242.0)
        self.assertIn("accepted and not credited", row.explanation)
        sale_return.action_create_credit_notes()
        self.assertFalse(self._refresh())

    def test_goods_that_never_were_invoiced_are_no_difference(self):
        order = self._create_order()
        self._deliver(order)
        self._return_goods(order, 4)
        self.assertFalse(self._refresh())

    def test_credit_before_the_goods_stands_on_the_list_until_they_come(self):
        self._create_policy(release_event='dispatch_proof')
        sale_return = self._create_return(self._create_sale(), 4)
        sale_return.action_register_dispatch('T1')
        row = self.assert_row(
            self._refresh(),
            'credited_not_received',
            cause='on_its_way',
            qty_difference=4,
            amount_difference=484.0,
            cost_reversed=240.0,
        )
        self.assertIn("have not arrived", row.explanation)
        self.assertIn("still expected", row.explanation)
        self._receive(sale_return, 1)
        self.assert_row(self._refresh(), 'credited_not_received', qty_difference=3)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertFalse(self._refresh())

    def test_written_off_credit_is_settled_by_goods_that_come_late(self):
        self._create_policy(release_event='approval')
        order = self._create_sale()
        sale_return = self._create_return(order, 4)
        sale_return.action_close('lost')
        row = self.assert_row(
            self._refresh(),
            'credited_not_received',
            cause='written_off',
            qty_difference=4,
            amount_difference=484.0,
        )
        self.assertIn("written off", row.explanation)
        self.policy.flush_recordset()
        late = self._create_return(order, 4)
        self._receive(late)
        late.action_inspect_all('restock')
        self.assertEqual(late.line_ids.qty_credited, 0)
        self.assertFalse(self._refresh())

    def test_credit_of_rejected_goods_is_too_much(self):
        self._create_policy(release_event='receipt')
        sale_return = self._create_return(self._create_sale(), 4)
        self._receive(sale_return)
        self.assertFalse(self._refresh())
        sale_return.action_inspect_all('send_back')
        row = self.assert_row(
            self._refresh(),
            'credited_too_much',
            cause='rejected',
            qty_difference=4,
            amount_difference=484.0,
        )
        self.assertIn("Reverse the credit note", row.explanation)
        self._reverse(sale_return.credit_note_ids)
        self.assertFalse(self._refresh())

    def test_note_that_is_billed_again_in_part_shows_the_part(self):
        sale_return = self._return_goods(self._create_sale(), 4)
        self._reverse(sale_return.credit_note_ids, quantity=1)
        row = self.assert_row(
            self._refresh(), 'received_not_credited', cause='billed_again', qty_difference=1
        )
        self.assertIn("reversed", row.explanation)

    def test_credit_to_be_paid_back_stands_on_the_list_until_it_is(self):
        self.policy.settlement = 'refund'
        order = self._create_sale()
        self._pay(order.invoice_ids)
        sale_return = self._return_goods(order, 4)
        row = self.assert_row(
            self._refresh(),
            'credited_not_refunded',
            note_id=sale_return.credit_note_ids,
            amount_credited=484.0,
            amount_refunded=0.0,
            amount_difference=484.0,
        )
        self.assertIn("484.00", row.explanation)
        self._pay(sale_return.credit_note_ids, amount=300.0)
        self.assert_row(self._refresh(), 'credited_not_refunded', amount_difference=184.0)
        self._pay(sale_return.credit_note_ids)
        self.assertFalse(self._refresh())

    def test_credit_on_account_needs_no_refund(self):
        self.policy.settlement = 'on_account'
        order = self._create_sale()
        self._pay(order.invoice_ids)
        self._return_goods(order, 4)
        self.assertFalse(self._refresh())

    def test_paying_back_more_than_was_credited(self):
        self.policy.settlement = 'refund'
        order = self._create_sale()
        self._pay(order.invoice_ids)
        note = self._return_goods(order, 4).credit_note_ids
        payment = self._pay(note, amount=600.0)
        self.assert_row(
            self._refresh(),
            'refunded_too_much',
            note_id=note,
            amount_credited=484.0,
            amount_refunded=600.0,
            amount_difference=116.0,
        )
        payment.action_draft()
        payment.action_cancel()
        self.assert_row(self._refresh(), 'credited_not_refunded', amount_difference=484.0)

    def _pay(self, move, **values):
        return (
            self.env['account.payment.register']
            .with_context(active_model='account.move', active_ids=move.ids)
            .create(values)
            ._create_payments()
        )

    def test_note_by_hand_without_link_is_listed_until_it_is_cancelled(self):
        self._return_goods(self._create_sale(), 4)
        note = self._create_loose_note()
        row = self.assert_row(
            self._refresh(), 'unlinked_note', note_id=note, amount_difference=200.0
        )
        self.assertIn(note.name, row.explanation)
        self.assertIn("without an invoice line", row.explanation)
        note.button_draft()
        note.button_cancel()
        self.assertFalse(self._refresh())

    def test_notes_that_belong_to_an_invoice_are_not_listed(self):
        order = self._create_sale()
        self._return_goods(order, 4)
        invoice = order.invoice_ids.filtered(lambda move: move.move_type == 'out_invoice')
        self._reverse(invoice, quantity=2)
        self._create_loose_note(post=False)
        self.assertFalse(self._refresh())

    def test_notes_from_before_the_start_are_not_listed(self):
        self._return_goods(self._create_sale(), 4)
        self._configure(sale_return_reconciliation_start='2020-01-01')
        self._create_loose_note(invoice_date='2019-12-31')
        self.assertFalse(self._refresh())

    def test_amounts_are_in_the_currency_of_the_invoice(self):
        pricelist = self._setup_currency('EUR')
        order = self._create_sale({'taxes': self.env['account.tax']}, pricelist_id=pricelist.id)
        self._receive(self._create_return(order, 4))
        row = self._refresh()
        self.assertEqual(row.currency_id.name, 'EUR')
        self.assertEqual((row.amount_difference, row.amount_company), (400.0, 200.0))


@tagged('post_install', '-at_install')
class TestAcknowledge(ReconciliationCommon):
    """A difference may be acknowledged, and reopens when it changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(release_event='approval')
        cls.sale_return = cls._create_return(cls._create_sale(), 4)
        cls.accountant = cls._create_user('recon_accountant', 'account.group_account_manager')
        cls.auditor = cls._create_user('recon_auditor', 'account.group_account_readonly')
        cls.billing = cls._create_user('recon_billing', 'account.group_account_invoice')
        cls.returns_user = cls._create_user('recon_user', 'sale_return.group_user')

    def setUp(self):
        super().setUp()
        self.row = self._refresh()

    def test_acknowledged_row_leaves_the_open_list_with_its_reason(self):
        self.assertTrue(self._call(self.accountant, self.row, 'action_acknowledge', "Agreed."))
        self.assertFalse(self._refresh())
        self.assertEqual(self.row.state, 'acknowledged')
        self.assertEqual(self.row.acknowledged_reason, "Agreed.")
        self.assertEqual(self.row.acknowledged_by_id, self.accountant)
        self.assertIn("Agreed.", self.row.message_ids[:1].body)

    def test_acknowledged_row_returns_when_its_figures_change(self):
        self._call(self.accountant, self.row, 'action_acknowledge', "Agreed.")
        self._receive(self.sale_return, 1)
        self.assertEqual(self._refresh(), self.row)
        self.assertEqual(self.row.qty_difference, 3)
        self.assertEqual(self.row.acknowledged_reason, "Agreed.")

    def test_acknowledged_row_that_is_settled_and_comes_again_is_open(self):
        self._call(self.accountant, self.row, 'action_acknowledge', "Agreed.")
        self._receive(self.sale_return)
        self.assertFalse(self._refresh())
        self.assertEqual(self.row.state, 'settled')

    def test_who_made_the_note_does_not_acknowledge_it(self):
        with self.assert_refused("somebody else"):
            self._call(self.staff, self.row, 'action_acknowledge', "Agreed.")
        self.assertEqual(self.row.state, 'open')
        self.accountant.sudo().active = False
        self._call(self.staff, self.row, 'action_acknowledge', "Nobody else is here.")
        self.assertEqual(self.row.state, 'acknowledged')

    def test_who_received_approved_or_closed_does_not_acknowledge_it(self):
        roles = ('sale_return.group_manager', 'sales_team.group_sale_salesman_all_leads')
        doer = self._create_user('recon_doer', *roles, 'account.group_account_readonly')
        self.sale_return.line_ids.policy_id.approval = 'always'
        for deed in ('approve', 'close'):
            sale_return = self._create_return(self._create_sale(), 2)
            self._call(doer, sale_return, 'action_approve')
            if deed == 'close':
                self._call(doer, sale_return, 'action_close', "Never came.")
            row = self._refresh().filtered(
                lambda row, r=sale_return: row.return_line_id.return_id == r
            )
            with self.subTest(deed), self.assert_refused("somebody else"):
                self._call(doer, row, 'action_acknowledge', "Agreed.")
            self._call(self.accountant, row, 'action_acknowledge', "Agreed.")

    def test_reason_is_demanded(self):
        for reason, sentence in (
            (None, "Enter why"),
            ("", "Enter why"),
            ("  ", "Enter why"),
            (False, "Enter why"),
            (0, "has to be a text"),
        ):
            with self.subTest(reason=reason), self.assert_refused(sentence):
                self.row.action_acknowledge(reason)
        self.assertEqual(self.row.state, 'open')

    def test_settled_row_is_not_acknowledged(self):
        self._receive(self.sale_return)
        self._refresh()
        with self.assert_refused("settled"):
            self._call(self.accountant, self.row, 'action_acknowledge', "Agreed.")

    def test_dialog_acknowledges_several_rows(self):
        self._create_loose_note()
        rows = self._refresh()
        self.assertEqual(len(rows), 2)
        action = rows.action_open_acknowledge()
        dialog = (
            self._env_of(self.accountant)[action['res_model']]
            .with_context(**action['context'])
            .create({'reason': "Both agreed."})
        )
        dialog.action_confirm()
        self.assertEqual(rows.mapped('acknowledged_reason'), ["Both agreed."] * 2)

    def test_reopened_row_is_on_the_open_list(self):
        self._call(self.accountant, self.row, 'action_acknowledge', "Agreed.")
        self.row.action_reopen()
        self.assertEqual(self._refresh(), self.row)

    def test_who_does_not_manage_acknowledges_nothing(self):
        for user in (self.auditor, self.billing, self.returns_user):
            for method, args in (
                ('action_acknowledge', ["Agreed."]),
                ('action_reopen', []),
                ('action_open_acknowledge', []),
            ):
                with (
                    self.subTest(user=user.login, method=method),
                    self.assert_refused(exception=AccessError),
                ):
                    self._call(user, self.row, method, *args)

    def test_accountants_without_role_in_returns_read_and_refresh(self):
        names = ['display_name', 'explanation', 'return_name', 'product_value', 'return_id']
        for user in (self.auditor, self.billing, self.accountant):
            with self.subTest(user=user.login):
                values = self._call(user, self.row, 'read', names)[0]
                self.assertEqual(values['return_name'], self.sale_return.name)
                self.assertIn(self.sale_return.name, values['explanation'])
                self._call(user, self.row.browse(), 'action_refresh')

    def test_user_of_returns_neither_reads_nor_refreshes(self):
        for method, args in (('read', [['kind']]), ('action_refresh', [])):
            with self.subTest(method=method), self.assert_refused(exception=AccessError):
                self._call(self.returns_user, self.row, method, *args)

    def test_rows_are_written_by_nobody(self):
        for user in (self.accountant, self.staff):
            for method, args in (
                ('write', [{'state': 'settled'}]),
                ('write', [{'acknowledged_reason': "No."}]),
                ('unlink', []),
            ):
                with (
                    self.subTest(user=user.login, method=method),
                    self.assert_refused(exception=AccessError),
                ):
                    self._call(user, self.row, method, *args)
            with self.assert_refused(exception=AccessError):
                self._call(user, self.row, 'create', {'kind': 'unlinked_note', 'key': 'x'})

    def test_private_methods_cannot_be_called(self):
        for method in ('_apply', '_announce', '_cron_reconcile', '_settle', '_update'):
            with self.subTest(method=method), self.assert_refused("Private", AccessError):
                self._call(self.staff, self.row, method)
        for model, method in (
            ('sale.return.reconciler', '_reconcile'),
            ('sale.return.tie.out', '_get_costs'),
            ('sale.return.explainer', '_explain'),
        ):
            with self.subTest(method=method), self.assert_refused("Private", AccessError):
                self._call(self.staff, self.env[model], method)


@tagged('post_install', '-at_install')
class TestReconciliationJob(ReconciliationCommon):
    """The nightly job: idempotent, one activity for new differences, each company separately."""

    ready_sales = 1

    def _run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_reconcile').sudo().method_direct_trigger()
        return self._get_rows()

    def _get_activities(self):
        return (
            self.env['mail.activity']
            .sudo()
            .search(
                [
                    ('res_model', '=', 'sale.return.reconciliation'),
                    ('res_id', 'in', self._get_rows('open', 'acknowledged', 'settled').ids),
                ]
            )
        )

    def test_job_is_idempotent_and_tells_about_each_row_once(self):
        self._configure(sale_return_reconciliation_user_id=self.staff.id)
        order = self._create_sale()
        for quantity in (2, 3):
            self._receive(self._create_return(order, quantity))
        rows = self._run_job()
        self.assertEqual(len(rows), 2)
        activity = self._get_activities()
        self.assertEqual((len(activity), activity.user_id), (1, self.staff))
        self.assertIn("2 new", activity.summary)
        written = rows.mapped('write_date')
        self.assertEqual(self._run_job(), rows)
        self.assertEqual(rows.mapped('write_date'), written)
        self.assertEqual(self._get_activities(), activity)

    def test_new_row_gets_an_activity_of_its_own(self):
        order = self._create_sale()
        self._receive(self._create_return(order, 2))
        self._run_job()
        self._receive(self._create_return(order, 3))
        self._run_job()
        self.assertEqual(len(self._get_activities()), 2)

    def test_activity_goes_with_the_last_difference(self):
        sale_return = self._create_return(self._create_sale(), 4)
        self._receive(sale_return)
        self._run_job()
        self.assertTrue(self._get_activities())
        sale_return.action_inspect_all('restock')
        self.assertFalse(self._run_job())
        self.assertFalse(self._get_activities())

    def test_activity_stays_while_other_differences_are_open(self):
        order = self._create_sale()
        for quantity in (2, 3):
            self._receive(self._create_return(order, quantity))
        self._run_job()
        activity = self._get_activities()
        row = self._get_rows().filtered(lambda row: row.id == activity.res_id)
        row.return_id.action_inspect_all('restock')
        row = self._run_job()
        self.assertEqual(self._get_activities(), activity)
        self.assertEqual(activity.res_id, row.id)

    def test_accountant_of_the_company_is_told_by_default(self):
        self._receive(self._create_return(self._create_sale(), 4))
        self._run_job()
        user = self._get_activities().user_id
        self.assertTrue(user.has_group('account.group_account_manager'))
        self.assertIn(self.company, user.company_ids)

    def test_who_has_left_the_company_is_not_told(self):
        leaver = self._create_user('recon_leaver', 'account.group_account_manager')
        self._configure(sale_return_reconciliation_user_id=leaver.id)
        self.assertEqual(self.company._get_sale_return_reconciliation_user(), leaver)
        leaver.sudo().active = False
        self.assertNotEqual(self.company._get_sale_return_reconciliation_user(), leaver)

    def test_responsible_sees_their_activity_and_finishes_it(self):
        accountant = self._create_user('recon_reader', 'account.group_account_readonly')
        self._configure(sale_return_reconciliation_user_id=accountant.id)
        self._receive(self._create_return(self._create_sale(), 4))
        self._run_job()
        activity = self._get_activities().with_user(accountant)
        self.assertEqual(activity.res_name, self._get_rows().display_name)
        activity.action_feedback("Looked into it.")
        self.assertFalse(self._get_activities())


@tagged('post_install', '-at_install')
class TestReconciliationOfTwoCompanies(ReconciliationCommon):
    """An accountant of two companies sees both, one of a single company only their own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls._create_trading_company(
            "Other", currency_id=cls.env.ref('base.JPY').id
        )
        cls.staff.sudo().company_ids += cls.other_company
        cls.env = cls._env_of(cls.staff, cls.company + cls.other_company)
        cls.both = cls._create_user('recon_both', 'account.group_account_manager')
        cls.both.sudo().company_ids += cls.other_company
        cls.single = cls._create_user('recon_single', 'account.group_account_manager')
        cls.here = cls._create_return(cls._create_sale(), 4)
        warehouse = cls.env['stock.warehouse'].search(
            [('company_id', '=', cls.other_company.id)], limit=1
        )
        product = cls.product.with_company(cls.other_company)
        product.sudo().standard_price = 50
        cls.env['stock.quant'].sudo().with_company(cls.other_company)._update_available_quantity(
            product, warehouse.lot_stock_id, 10
        )
        order = cls._create_order(
            {'taxes': cls.env['account.tax']},
            company_id=cls.other_company.id,
            warehouse_id=warehouse.id,
        )
        # As in the company: Odoo uses the cost of the active one.
        cls._deliver(order.with_company(cls.other_company))
        cls._invoice(order.with_company(cls.other_company))
        cls.there = cls._create_return(order, 3)
        cls._receive(cls.here)
        cls._receive(cls.there)

    def _rows_of(self, user):
        return self._env_of(user)['sale.return.reconciliation'].search(
            [('return_id', 'in', (self.here + self.there).ids)]
        )

    def test_each_sees_and_refreshes_their_own_companies(self):
        self._call(self.single, self.env['sale.return.reconciliation'], 'action_refresh')
        self.assertEqual(self._rows_of(self.both).mapped('return_name'), [self.here.name])
        self._call(self.both, self.env['sale.return.reconciliation'], 'action_refresh')
        rows = self._rows_of(self.both)
        self.assertEqual(set(rows.mapped('return_name')), {self.here.name, self.there.name})
        self.assertEqual(self._rows_of(self.single).mapped('return_name'), [self.here.name])
        row = rows.filtered(lambda r: r.company_id == self.other_company)
        self.assertEqual((row.currency_id.name, row.amount_difference), ('JPY', 300.0))
        self.assertEqual(row.cost_moved, 150.0)
        with self.assert_refused(exception=AccessError):
            self._call(self.single, row, 'action_acknowledge', "Not mine.")
        with self.assert_refused(exception=AccessError):
            self._call(self.single, row, 'read', ['explanation'])

    def test_finished_returns_leave_both_lists_empty(self):
        (self.here + self.there).action_inspect_all('restock')
        self.env['sale.return.reconciliation'].action_refresh()
        self.assertFalse(self._rows_of(self.both))
