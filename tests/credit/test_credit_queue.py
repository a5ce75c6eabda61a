from contextlib import ExitStack
from unittest.mock import patch

from freezegun import freeze_time

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestCreditQueue(SaleReturnCommon):
    """Credit notes of the scheduled job: failures are isolated, explained and retried."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(release_event='approval', approval='always')

    def _create_failing(self, number=1):
        """Return approved returns whose credit notes fail, and the account causing it."""
        account = self.env['account.account'].create(
            {'name': "Own revenue", 'code': '499991', 'account_type': 'income'}
        )
        product = self._create_product("Special", property_account_income_id=account.id)
        orders = [self._create_sale({'product': product}) for _number in range(number)]
        account.sudo().active = False
        returns = self.env['sale.return'].union(*[self._create_return(o, 3) for o in orders])
        returns.action_approve()
        return returns, account

    def _run_job(self):
        """Run the job as it is, without waiting for the time of the next attempt."""
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_create_credit_notes').sudo().method_direct_trigger()
        self.env.invalidate_all()

    def test_each_failure_waits_twice_as_long_and_at_most_a_day(self):
        with freeze_time('2026-05-04 08:00:00'):
            sale_return, _account = self._create_failing()
        waited = []
        for _attempt in range(8):
            due = sale_return.credit_retry_at
            with freeze_time(due):
                self._run_job()
            waited.append((sale_return.credit_retry_at - due).total_seconds() / 3600)
        self.assertEqual(waited, [1, 2, 4, 8, 16, 24, 24, 24])
        self.assertEqual(sale_return.credit_attempts, 9)
        failures = sale_return.event_ids.filtered(lambda event: event.kind == 'credit_failed')
        self.assertEqual(len(failures), 1, "the same failure is told once")

    def test_job_leaves_a_failure_alone_until_its_time(self):
        sale_return, account = self._create_failing()
        account.sudo().active = True
        self._run_job()
        self.assertFalse(sale_return.credit_note_ids)
        with freeze_time(sale_return.credit_retry_at):
            self._run_job()
        self.assertEqual(sale_return.credit_note_ids.state, 'posted')
        self.assertEqual(
            (sale_return.credit_queued, sale_return.credit_attempts, sale_return.credit_retry_at),
            (False, 0, False),
        )

    def test_one_that_fails_stops_none_of_a_batch(self):
        failing, _account = self._create_failing()
        good = self.env['sale.return'].union(
            *[self._create_return(self._create_sale(), 1) for _number in range(4)]
        )
        self.env['ir.config_parameter'].sudo().set_param('sale_return.sync_limit', 0)
        good.action_approve()
        failing._queue_credit()
        self.assertEqual(set((good + failing).mapped('credit_queued')), {True})
        self._run_job()
        self.assertEqual(good.mapped('credit_state'), ['full'] * 4)
        self.assertEqual(failing.credit_state, 'pending')
        self.assertIn("Own revenue", failing.credit_error)

    def test_retry_button_makes_the_notes_and_says_how_many(self):
        returns, account = self._create_failing(2)
        self.assertEqual(returns.action_retry_credit()['params']['type'], 'warning')
        self.assertEqual(returns.mapped('credit_attempts'), [2, 2])
        account.sudo().active = True
        message = returns.action_retry_credit()['params']['message']
        self.assertIn("2 created, 0 failed", message)
        self.assertEqual(returns.mapped('credit_state'), ['full', 'full'])

    def test_retry_of_more_than_the_limit_is_left_to_the_job_at_once(self):
        returns, account = self._create_failing(2)
        account.sudo().active = True
        self.env['ir.config_parameter'].sudo().set_param('sale_return.sync_limit', 1)
        self.assertIn("2 left to the", returns.action_retry_credit()['params']['message'])
        self.assertEqual(returns.mapped('credit_retry_at'), [False, False])
        self._run_job()
        self.assertEqual(returns.mapped('credit_state'), ['full', 'full'])

    def test_retry_takes_a_role_in_returns(self):
        sale_return, _account = self._create_failing()
        env = self.env(su=True)
        stranger = new_test_user(env, 'queue.stranger', groups='stock.group_stock_user')
        with self.assertRaises(AccessError):
            sale_return.with_user(stranger).action_retry_credit()
        clerk = new_test_user(env, 'queue.clerk', groups='sale_return.group_user')
        self.assertTrue(sale_return.with_user(clerk).action_retry_credit())

    def test_fault_of_a_program_does_not_undo_the_step(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 3)
        fault = patch.object(
            self.registry['sale.return.credit'],
            '_create_company_notes',
            side_effect=ValueError("Expected singleton"),
        )
        with fault, mute_logger('odoo.addons.sale_return.models.credit.sale_return_credit'):
            sale_return.action_approve()
        self.assertEqual(sale_return.state, 'approved')
        self.assertIn("Expected singleton", sale_return.credit_error)
        sale_return.action_retry_credit()
        self.assertEqual(sale_return.credit_state, 'full')

    def test_nobody_sets_the_next_attempt_by_hand(self):
        sale_return, _account = self._create_failing()
        for name, value in (('credit_attempts', 0), ('credit_retry_at', fields.Datetime.now())):
            with self.assert_refused("cannot be set by hand"):
                sale_return.write({name: value})


@tagged('post_install', '-at_install')
class TestCreditWorkers(TransactionCase):
    """Two workers at once, on two real connections; all is rolled back."""

    def test_a_worker_leaves_what_another_one_has_taken(self):
        returns = self.env['sale.return'].search([], limit=3, order='id')
        if len(returns) < 3:
            self.skipTest("There are no three returns in this database")
        worked = []
        with ExitStack() as stack:
            for model, method, replacement in (
                ('sale.return.credit', '_credit_isolated', lambda _, r: worked.append(r.ids)),
                ('sale.return', '_close_or_reopen', lambda _: None),
                # Other connections cannot see records queued by this test.
                ('sale.return', '_get_credit_job_domain', lambda _: Domain.TRUE),
            ):
                stack.enter_context(patch.object(self.registry[model], method, replacement))
            first, second = (self._open_environment(stack) for _worker in range(2))
            first['sale.return']._credit_batch(returns[:2].ids)
            second['sale.return']._credit_batch(returns.ids)
        self.assertEqual(worked, [returns[:2].ids, returns[2:].ids])

    def _open_environment(self, stack):
        cr = stack.enter_context(self.registry.cursor())
        stack.callback(cr.rollback)
        return api.Environment(cr, SUPERUSER_ID, {})
