from psycopg2.errors import RestrictViolation

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ..common import SaleReturnCommon

COUNT = "SELECT COUNT(*) FROM sale_return_event WHERE return_id = %s"


@tagged('post_install', '-at_install')
class TestAuditTrigger(SaleReturnCommon):
    """The log is complete, and no path changes or removes a row of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.sale_return = cls._create_return(cls.order, 2)
        cls.event = cls.sale_return.event_ids[:1]
        cls.env.flush_all()

    def _execute(self, *args):
        with self.env.cr.savepoint():
            self.env.cr.execute(SQL(*args))

    def assert_kept(self, *args):
        with mute_logger('odoo.sql_db'), self.assertRaises(RestrictViolation) as caught:
            self._execute(*args)
        self.assertIn("only added to", str(caught.exception))

    # === THE DATABASE === #

    def test_sql_changes_no_fact(self):
        for assignment in (
            "reason = 'other'",
            "details = 'other'",
            "kind = 'override'",
            "date = date - INTERVAL '1 day'",
            "user_id = 1",
            "state_from = 'closed'",
            "state_to = NULL",
            "return_id = return_id + 1",
            "id = -id",
        ):
            with self.subTest(assignment):
                self.assert_kept(
                    "UPDATE sale_return_event SET %s WHERE id = %s",
                    SQL(assignment),
                    self.event.id,
                )

    def test_sql_removes_no_row(self):
        self.assert_kept("DELETE FROM sale_return_event WHERE id = %s", self.event.id)
        self.assert_kept("DELETE FROM sale_return_event")
        self.assert_kept("TRUNCATE sale_return_event CASCADE")

    def test_rows_are_added(self):
        before = len(self.sale_return.event_ids)
        self.env['sale.return.event']._log(
            [{'return_id': self.sale_return.id, 'kind': 'override', 'reason': "Because."}]
        )
        self.env.flush_all()
        self.env.cr.execute(SQL(COUNT, self.sale_return.id))
        self.assertEqual(self.env.cr.fetchone()[0], before + 1)

    def test_what_odoo_keeps_up_to_date_may_follow(self):
        other = self.env['res.company'].sudo().create({'name': "Elsewhere"})
        self._execute(
            "UPDATE sale_return_event SET company_id = %s, write_date = write_date, "
            "create_uid = NULL WHERE id = %s",
            other.id,
            self.event.id,
        )
        self._execute("UPDATE sale_return_event SET reason = reason")

    def test_a_new_column_is_filled_once(self):
        self._execute("ALTER TABLE sale_return_event ADD COLUMN x_seal varchar")
        self._execute("UPDATE sale_return_event SET x_seal = 'a' WHERE id = %s", self.event.id)
        self.assert_kept("UPDATE sale_return_event SET x_seal = 'b' WHERE id = %s", self.event.id)

    def test_an_upgrade_sets_the_guard_again(self):
        events = self.env['sale.return.event'].sudo()
        events._drop_guard()
        self._execute("UPDATE sale_return_event SET details = 'x' WHERE id = %s", self.event.id)
        events.init()
        events.init()
        self.assert_kept("UPDATE sale_return_event SET details = 'y' WHERE id = %s", self.event.id)

    # === THE ORM === #

    def test_the_orm_refuses_everybody(self):
        for env in (self.env, self.env(su=True)):
            event = self.event.with_env(env)
            with self.assert_refused("evidence"):
                event.write({'reason': "other"})
            with self.assert_refused():
                event.unlink()
        self.assertTrue(self.event.exists())

    def test_no_role_may_write_the_log(self):
        user = self._create_user('log_manager', 'sale_return.group_manager')
        vals = {'return_id': self.sale_return.id, 'kind': 'state'}
        for method, args in (('create', [vals]), ('write', [vals]), ('unlink', [])):
            with self.subTest(method), self.assertRaises(UserError):
                self._call(user, self.event, method, *args)

    def test_a_foreign_company_does_not_read_it(self):
        company = self.env['res.company'].sudo().create({'name': "Elsewhere"})
        user = new_test_user(
            self.env(su=True),
            login='elsewhere',
            groups='sale_return.group_manager',
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        found = self._env_of(user)['sale.return.event'].search([('id', '=', self.event.id)])
        self.assertFalse(found)

    # === WHAT GOES ON AS BEFORE === #

    def test_drafts_without_history_can_be_deleted(self):
        draft = self._create_return(self.order, 1, submit=False)
        draft.unlink()
        self.assertFalse(draft.exists())

    def test_a_return_with_a_history_cannot_be_deleted(self):
        self.sale_return.action_cancel()
        with self.assert_refused("history"):
            self.sale_return.unlink()

    def test_partners_can_be_merged(self):
        double = self._create_customer("Jane Customer")
        order = self._create_sale(partner_id=double.id)
        sale_return = self._create_return(order, 1)
        self.env['base.partner.merge.automatic.wizard'].sudo()._merge(
            (double | self.customer).ids, self.customer.sudo()
        )
        self.assertEqual(sale_return.partner_id, self.customer)
        self.assertTrue(sale_return.event_ids)

    def test_every_step_says_who_when_from_to_and_why(self):
        self.policy.approval = 'always'
        order = self._create_sale()
        sale_return = self._create_return(order, 1)
        sale_return.action_refuse("Used")
        rows = [
            (event.user_id, event.state_from, event.state_to, event.reason)
            for event in sale_return.event_ids.sorted('id')
            if event.kind == 'state'
        ]
        self.assertEqual(
            rows,
            [
                (self.staff, 'draft', 'submitted', False),
                (self.staff, 'submitted', 'refused', "Used"),
            ],
        )
        self.assertTrue(all(sale_return.event_ids.mapped('date')))
