from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_migration import load_migration
from ..common_refund import RefundCommon

SALES = 'sales_team.group_sale_salesman_all_leads'


@tagged('post_install', '-at_install')
class TestUnbackedBudget(RefundCommon):
    """Credits without goods share one budget per person, customer and order."""

    ready_sales = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.asker = cls._create_user('budget_asker', 'sale_return.group_user', SALES)
        cls.approver = cls._create_user('budget_approver', 'sale_return.group_approver', SALES)
        cls.approver_inspector = cls._create_user(
            'budget_both', 'sale_return.group_approver', 'sale_return.group_inspector'
        )
        cls.reason_goodwill = cls.env['sale.return.reason'].create(
            {
                'name': "Scratch",
                'code': 'SCRATCH',
                'return_class': 'goodwill',
                'return_expected': False,
            }
        )

    def _limit(self, agent=0.0, customer=0.0, order=0.0, **values):
        self._configure(
            sale_return_unbacked_agent_limit=agent,
            sale_return_unbacked_customer_limit=customer,
            sale_return_unbacked_order_limit=order,
            **values,
        )

    def _ask(self, order, quantity=1, reason=None, user=None, **values):
        """Ask for goods that did not come, 121.00 each."""
        values = {
            'partner_id': order.partner_id.id,
            'line_ids': self._prepare_return_lines(
                order.order_line, quantity, reason or self.reason_missing, **values
            ),
        }
        user = user or self.asker
        sale_return = self.env['sale.return'].browse(
            self._call(user, self.env['sale.return'], 'create', values)
        )
        self._call(user, sale_return, 'action_submit')
        return sale_return

    def _approved(self, order, quantity=1, **values):
        sale_return = self._ask(order, quantity, **values)
        self._call(self.approver, sale_return, 'action_approve')
        return sale_return

    def _rows(self, records):
        name = 'return_id' if records._name == 'sale.return' else 'order_id'
        return self.env['sale.return.unbacked'].search([(name, 'in', records.ids)])

    def _grant(self, invoice, amount, user):
        note_id = self._call(
            user, invoice, 'grant_goodwill', amount, self.reason_goodwill.id, "Scratched"
        )
        return self.env['account.move'].browse(note_id)

    # === WHO, HOW MUCH, WHY === #

    def test_control_of_a_batch_takes_two_queries(self):
        """One for the counters of customers and person, one for what they have spent."""
        self._limit(agent=10_000.0, customer=10_000.0, order=10_000.0)
        orders = [self._create_sale(), self._create_sale()]
        model = self.env['sale.return.unbacked'].with_user(self.approver)
        lines = self._ask(orders[0]).line_ids + self._ask(orders[1]).line_ids
        vals_list = [model._prepare_line_vals(line, 'reason', 1) for line in lines]
        model._take_counters(vals_list, automatic=False)
        model._get_messages(vals_list)
        self.env.flush_all()
        with self.assertQueryCount(2):
            model._take_counters(vals_list, automatic=False)
            self.assertFalse(model._get_messages(vals_list))

    def test_list_says_who_asked_and_who_decided(self):
        sale_return = self._approved(self._create_sale(), 2)
        row = self._rows(sale_return)
        self.assertEqual(
            (row.kind, row.amount, row.asked_by_id, row.user_id, row.reason_id, row.return_class),
            ('reason', 242.0, self.asker, self.approver, self.reason_missing, 'goodwill'),
        )
        self.assertEqual(row.partner_id, sale_return.partner_id.commercial_partner_id)
        self.assertFalse(row.is_override or row.automatic)

    def test_kinds(self):
        service = self._create_order({'product': self.service})
        self._invoice(service)
        kept = self._create_return(self._create_sale(), 2)
        results = [{'quantity': 2, 'disposition': 'keep'}]
        self._call(self.approver_inspector, kept.line_ids, 'register_inspection', results)
        self._create_policy(release_event='approval')
        early = self._ask(self._create_sale(), 2, self.reason_defective)
        rows = self._rows(self._approved(service, 2, reason=self.reason_defective))
        rows |= self._rows(kept) | self._rows(early)
        self.assertEqual(
            sorted(rows.mapped(lambda row: (row.kind, row.amount, row.automatic))),
            [('advance', 242.0, True), ('keep', 242.0, False), ('service', 242.0, False)],
        )
        self._call(self.approver, early, 'action_close', "Never came.")
        self.assertEqual(self._rows(early)[:1].kind, 'write_off')

    def test_small_parts_of_a_large_unit_are_listed(self):
        tonne = self.env.ref('uom.product_uom_ton')
        sand = self._create_product("Sand", uom_id=self.env.ref('uom.product_uom_kgm').id)
        order = self._create_sale(
            {'product': sand, 'quantity': 1, 'price': 1000.0, 'product_uom_id': tonne.id}
        )
        kept = self._create_return(order, 1)
        results = [{'quantity': 0.004, 'disposition': 'keep'}]
        self._call(self.approver_inspector, kept.line_ids, 'register_inspection', results)
        self.assertEqual(self._rows(kept).mapped('amount'), [4.84])

    def test_goods_that_are_sent_again_count(self):
        self._limit(customer=200.0)
        first = self._ask(self._create_sale(), resolution='replace')
        self._call(self.approver, first, 'action_approve')
        self.assertEqual(self._rows(first).mapped('amount'), [121.0])
        self.assertTrue(first.transfer_ids)
        second = self._ask(self._create_sale(), resolution='replace')
        with self.assert_refused("without goods is above"):
            self._call(self.approver, second, 'action_approve')
        self._call(self.manager, second, 'action_approve')
        self.assertTrue(self._rows(second).is_override)

    def test_received_goods_are_not_listed(self):
        sale_return = self._return_goods(self._create_sale(), 3)
        self.assertEqual(sale_return.amount_credited, 363.0)
        self.assertFalse(self._rows(sale_return))

    def test_rows_are_evidence(self):
        row = self._rows(self._approved(self._create_sale()))
        for user in (self.approver, self.manager):
            with self.assert_refused(exception=UserError):
                self._call(user, row, 'write', {'amount': 1.0})
            with self.assert_refused(exception=UserError):
                self._call(user, row, 'unlink')
        with self.assert_refused(exception=AccessError):
            self._call(self.asker, row, 'read', ['amount'])

    # === LIMITS === #

    def test_customer_is_not_credited_above_the_limit_by_splitting(self):
        self._limit(customer=300.0)
        for _time in range(2):
            self._approved(self._create_sale())
        third = self._ask(self._create_sale())
        with self.assert_refused("within 30 days"):
            self._call(self.approver, third, 'action_approve')
        self.assertEqual((third.state, third.credit_note_ids.ids), ('submitted', []))
        other = self._create_sale(partner_id=self._create_customer("Else").id)
        self._approved(other, 2)
        self._call(self.manager, third, 'action_approve')
        self.assertTrue(self._rows(third).is_override)

    def test_order_is_not_credited_above_the_limit(self):
        self._limit(order=300.0)
        order = self._create_sale()
        self._approved(order, 2)
        again = self._ask(order, 1)
        with self.assert_refused(order.name):
            self._call(self.approver, again, 'action_approve')
        self._approved(self._create_sale(), 2)

    def test_approver_stays_within_the_month(self):
        self._limit(agent=300.0)
        self._approved(self._create_sale(), 2)
        more = self._ask(self._create_sale(partner_id=self._create_customer("Else").id))
        with self.assert_refused("this month"):
            self._call(self.approver, more, 'action_approve')
        self.approver.sudo().sale_return_goodwill_limit = 1000.0
        self._call(self.approver, more, 'action_approve')
        self.assertEqual(more.credit_note_ids.amount_total, 121.0)

    def test_level_does_not_keep_a_manager_from_deciding_above_the_limit(self):
        self._limit(customer=300.0)
        self.policy.approval = 'levels'
        self.env['sale.return.approval.level'].create(
            {
                'name': "Desk",
                'policy_id': self.policy.id,
                'approver_type': 'user',
                'user_id': self.approver.id,
            }
        )
        sale_return = self._ask(self._create_sale(), 3)
        with self.assert_refused("within 30 days"):
            self._call(self.approver, sale_return, 'action_approve')
        self._call(self.manager, sale_return, 'action_approve')
        self.assertEqual(sale_return.credit_note_ids.amount_total, 363.0)

    def test_many_at_once_count_together(self):
        self._limit(customer=300.0)
        returns = self._ask(self._create_sale(), 2) | self._ask(self._create_sale(), 2)
        with self.assert_refused("within 30 days"):
            self._call(self.approver, returns, 'action_approve')

    def test_period_ends(self):
        self._limit(customer=300.0, sale_return_period_days=10)
        row = self._rows(self._approved(self._create_sale(), 2))
        self.env.cr.execute(
            'UPDATE sale_return_unbacked SET date = %s WHERE id = %s',
            (row.date - timedelta(days=11), row.id),
        )
        row.invalidate_recordset()
        self._approved(self._create_sale(), 2)

    def test_default_is_a_limit(self):
        values = self.env['res.company'].default_get(
            [
                'sale_return_unbacked_agent_limit',
                'sale_return_unbacked_customer_limit',
                'sale_return_unbacked_order_limit',
            ]
        )
        self.assertEqual(sorted(values.values()), [1000.0, 1000.0, 2500.0])

    # === GOODWILL === #

    def test_goodwill_that_was_paid_and_reversed_still_counts(self):
        self._configure(sale_return_goodwill_agent_limit=100.0)
        invoice = self._create_paid_sale().invoice_ids
        note = self._grant(invoice, 100.0, self.asker)
        self._pay(note)
        note._reverse_moves([{'date': note.date}])
        reversal = note.reversal_move_ids
        reversal.action_post()
        self.assertEqual((reversal.state, reversal.amount_residual), ('posted', 100.0))
        with self.assert_refused("this month"):
            self._grant(invoice, 100.0, self.asker)
        self._pay(reversal)
        self._grant(invoice, 100.0, self.asker)

    def test_goodwill_and_missing_goods_share_the_budget(self):
        self._limit(customer=300.0)
        self._configure(sale_return_goodwill_agent_limit=1000.0)
        order = self._create_sale()
        self._grant(order.invoice_ids, 200.0, self.asker)
        sale_return = self._ask(order)
        with self.assert_refused("within 30 days"):
            self._call(self.approver, sale_return, 'action_approve')
        with self.assert_refused("within 30 days"):
            self._grant(self._create_sale().invoice_ids, 100.01, self.asker)
        self.assertEqual(self._rows(order).mapped('kind'), ['goodwill'])

    # === BEFORE THE GOODS COME === #

    def test_policy_that_credits_at_once_asks_above_the_limit(self):
        self._create_policy(release_event='approval')
        self._limit(customer=300.0)
        first = self._ask(self._create_sale(), 2, self.reason_defective)
        self.assertEqual(first.credit_note_ids.amount_total, 242.0)
        second = self._ask(self._create_sale(), 1, self.reason_defective)
        self.assertEqual((second.state, second.credit_note_ids.ids), ('submitted', []))
        with self.assert_refused("within 30 days"):
            self._call(self.approver, second, 'action_approve')
        self._receive(first)
        # The goods are here, so the credit is no longer without goods.
        self._call(self.approver, second, 'action_approve')
        self.assertEqual(second.credit_note_ids.amount_total, 121.0)

    def test_proof_of_dispatch_is_within_the_budget(self):
        self._create_policy(release_event='dispatch_proof')
        self._limit(customer=300.0)
        first, second = (self._create_return(self._create_sale(), 2) for _time in range(2))
        self._call(self.asker, first, 'action_register_dispatch', tracking_ref="T1")
        self.assertEqual(first.credit_note_ids.amount_total, 242.0)
        with self.assert_refused("within 30 days"):
            self._call(self.asker, second, 'action_register_dispatch', tracking_ref="T2")
        self.assertFalse(second.date_dispatch_proved or second.credit_note_ids)
        self._call(self.manager, second, 'action_register_dispatch', tracking_ref="T2")
        self.assertTrue(second.credit_note_ids)

    # === LEVELS AND DRAFTS === #

    def test_levels_count_what_the_customer_returns_in_the_period(self):
        self.policy.approval = 'levels'
        self.env['sale.return.approval.level'].create(
            {'name': "Board", 'policy_id': self.policy.id, 'amount_from': 300.0}
        )
        order, reason = self._create_sale(), self.reason_defective
        states = [self._ask(order, 1, reason).state for _time in range(3)]
        self.assertEqual(states, ['approved', 'approved', 'submitted'])
        other = self._create_sale(partner_id=self._create_customer("Else").id)
        self.assertEqual(self._ask(other, 1, reason).state, 'approved')
        self._configure(sale_return_period_days=0)
        self.assertEqual(self._ask(order, 1, reason).state, 'approved')

    def test_levels_count_what_is_asked_at_once(self):
        self.policy.approval = 'levels'
        self.env['sale.return.approval.level'].create(
            {'name': "Board", 'policy_id': self.policy.id, 'amount_from': 300.0}
        )
        returns = self.env['sale.return'].union(
            *[self._create_return(self._create_sale(), 1, submit=False) for _time in range(4)]
        )
        self._call(self.asker, returns, 'action_submit')
        self.assertEqual(set(returns.mapped('state')), {'submitted'})

    def test_notes_stay_drafts_above_what_the_customer_gets_in_the_period(self):
        self.policy.credit_draft_above = 300.0
        sale_return = self._create_return(self._create_sale(), 4)
        self._receive(sale_return)
        states = []
        for _time in range(4):
            sale_return.line_ids.register_inspection([{'quantity': 1, 'disposition': 'restock'}])
            states.append(sale_return.credit_note_ids.sorted('id')[-1:].state)
        self.assertEqual(states, ['posted', 'posted', 'draft', 'draft'])

    # === UPGRADE === #

    def test_upgrade_lists_what_was_decided_before(self):
        self._configure(sale_return_goodwill_agent_limit=1000.0)
        order = self._create_sale()
        self._approved(order, 2)
        self._grant(self._create_sale().invoice_ids, 50.0, self.asker)
        names = ('kind', 'amount', 'user_id', 'asked_by_id', 'return_class', 'door', 'order_id')
        table = self.env['sale.return.unbacked']
        domain = [('company_id', '=', self.company.id)]
        before = [row.read(names) for row in table.search(domain)]
        self.env.flush_all()
        for _time in range(2):
            if not _time:
                self.env.cr.execute(
                    'DELETE FROM sale_return_unbacked WHERE company_id = %s', [self.company.id]
                )
            load_migration('post-controls').migrate(self.env.cr, '19.0.1.1.0')
            self.env.invalidate_all()
            after = [row.read(names) for row in table.search(domain)]
            self.assertEqual(
                sorted(str({**row[0], 'id': 0}) for row in after),
                sorted(str({**row[0], 'id': 0}) for row in before),
            )

    # === TERMS === #

    def test_manager_does_not_release_approved_returns_by_the_policy(self):
        sale_return = self._create_return(self._create_sale(), 2)
        policies = self.env['sale.return.policy'].with_context(active_test=False)
        for _time in range(2):
            policy = policies.browse(sale_return.line_ids.policy_id.id)
            self._call(self.manager, policy, 'write', {'release_event': 'approval'})
            self.env.invalidate_all()
            self.env['sale.return.credit']._create_credit_notes(sale_return)
            self.assertEqual(sale_return.line_ids.policy_id.release_event, 'inspection')
            self.assertFalse(sale_return.credit_note_ids)
        self.assertEqual(self.policy.release_event, 'approval')
