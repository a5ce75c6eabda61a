from freezegun import freeze_time

from odoo import Command

from .common import SaleReturnCommon

# A Monday morning.
MONDAY = '2026-03-02 09:00:00'


class TeamCommon(SaleReturnCommon):
    """A team that works Monday to Friday from 8 to 12 and from 13 to 17, in UTC."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().partner_id.tz = 'UTC'
        cls.calendar = cls._create_calendar()
        cls.leader = cls._create_user('team_leader', 'sale_return.group_manager')
        cls.decider = cls._create_user('team_decider', 'sale_return.group_approver')
        cls.inspector = cls._create_user('team_inspector', 'sale_return.group_inspector')
        cls.second = cls._create_user('team_second', 'sale_return.group_inspector')
        cls.clerk = cls._create_user('team_clerk', 'sale_return.group_user')
        cls.team = cls._create_team()
        cls.policy.approval = 'always'
        cls.order = cls._create_sale()

    @classmethod
    def _create_calendar(cls, hours=((8, 12), (13, 17)), **values):
        periods = ('morning', 'afternoon')
        return (
            cls.env['resource.calendar']
            .sudo()
            .create(
                {
                    'name': "Returns",
                    'tz': 'UTC',
                    'company_id': cls.company.id,
                    'attendance_ids': [
                        Command.clear(),
                        *(
                            Command.create(
                                {
                                    'name': f"{day} {period}",
                                    'dayofweek': str(day),
                                    'day_period': period,
                                    'hour_from': begin,
                                    'hour_to': stop,
                                }
                            )
                            for day in range(5)
                            for period, (begin, stop) in zip(periods, hours, strict=False)
                        ),
                    ],
                    **values,
                }
            )
        )

    @classmethod
    def _create_team(cls, **values):
        members = cls.decider + cls.inspector + cls.second + cls.clerk
        return cls.env['sale.return.team'].create(
            {
                'name': "Desk",
                'company_id': cls.company.id,
                'leader_id': cls.leader.id,
                'member_ids': [Command.set(members.ids)],
                'resource_calendar_id': cls.calendar.id,
                **values,
            }
        )

    @classmethod
    def _set_step(cls, step, team=None, **values):
        (team or cls.team)._get_step(step).write(values)

    @classmethod
    def _submit(cls, quantity=1, moment=MONDAY, order=None, **values):
        with freeze_time(moment):
            return cls._create_return(order or cls.order, quantity, **values)

    @classmethod
    def _approve(cls, sale_return):
        # The requester does not approve it.
        sale_return.with_env(cls._env_of(cls.decider)).action_approve()

    @classmethod
    def _get_row(cls, sale_return, step):
        return sale_return.deadline_ids.filtered(lambda row: row.step == step)

    def _run_alarms(self, moment):
        with freeze_time(moment), self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_raise_alarms').sudo().method_direct_trigger()
        self.env.invalidate_all()

    def _get_told(self, sale_return, user):
        """Return the subjects of a user's notifications about a return, oldest first."""
        messages = (
            self.env['mail.message']
            .sudo()
            .search(
                [
                    ('model', '=', 'sale.return'),
                    ('res_id', '=', sale_return.id),
                    ('message_type', '=', 'user_notification'),
                    ('partner_ids', 'in', user.partner_id.ids),
                ],
                order='id',
            )
        )
        return messages.mapped('subject')

    def _get_activities(self, sale_return):
        return self.env['mail.activity'].search(
            [('res_model', '=', 'sale.return'), ('res_id', '=', sale_return.id)]
        )
