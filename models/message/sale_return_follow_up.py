from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang

FOLLOW_UP_RESULTS = [
    ('kept', "Customer kept"),
    ('lost', "Customer lost"),
    ('sold_again', "Sold again"),
]

# Written with the closing, by the scheduled job and by `action_follow_up`.
PROTECTED_FIELDS = frozenset(
    {
        'follow_up_on',
        'follow_up_user_id',
        'follow_up_result',
        'follow_up_note',
        'followed_up_by_id',
        'date_followed_up',
    }
)


class SaleReturn(models.Model):
    """The last step of a return: somebody asks the customer how he likes it now."""

    _inherit = 'sale.return'

    follow_up_on = fields.Date(
        readonly=True,
        copy=False,
        help="Day on which the salesperson is asked to call the customer. Empty: nobody is.",
    )
    follow_up_user_id = fields.Many2one(
        'res.users',
        string="Followed up by",
        readonly=True,
        copy=False,
        index='btree_not_null',
        help="Who was asked to call the customer.",
    )
    follow_up_result = fields.Selection(
        FOLLOW_UP_RESULTS,
        string="Result of the Follow-up",
        readonly=True,
        copy=False,
        help="Sold again: the customer has bought from us since.",
    )
    follow_up_note = fields.Text(readonly=True, copy=False)
    followed_up_by_id = fields.Many2one('res.users', string="Result by", readonly=True, copy=False)
    date_followed_up = fields.Datetime(string="Followed up on", readonly=True, copy=False)

    _follow_up_due_index = models.Index(
        '(follow_up_on) WHERE follow_up_on IS NOT NULL AND follow_up_user_id IS NULL'
    )

    def _is_derived(self, name):
        """Override of `sale.return.derived` to protect what came of the follow-up."""
        return name in PROTECTED_FIELDS or super()._is_derived(name)

    def _is_follow_up_open(self):
        """Override: the salesperson was asked and has not said what came of it."""
        self.ensure_one()
        return bool(self.follow_up_user_id and not self.follow_up_result)

    # === WHEN AND WHO === #

    def _update_state(self, state, reason=None):
        """Extend to fix with the closing when the customer is called, and not before it."""
        result = super()._update_state(state, reason=reason)
        if state == 'closed':
            for day, group in self.grouped(lambda r: r._get_follow_up_day()).items():
                group._write_facts({'follow_up_on': day})
        elif reopened := self.filtered('follow_up_on'):
            reopened._drop_follow_up()
        return result

    def _get_follow_up_day(self):
        """Return the day on which the customer of a return closed now is called.

        :return: False where the policy gives no days, or nothing came and nothing was credited.
        :rtype: datetime.date | bool
        """
        self.ensure_one()
        days = max(self.line_ids.policy_id.mapped('follow_up_days'), default=0)
        if not days or not self._is_message_due('closed'):
            return False
        return self._get_today() + timedelta(days=days)

    def _drop_follow_up(self):
        """Call off the follow-up of returns that are open again."""
        # sudo: whoever opens the return again may not end the activities of others.
        self.filtered('follow_up_user_id').sudo().activity_unlink(
            ['sale_return.mail_activity_type_follow_up']
        )
        open_ones = self.filtered(lambda r: not r.follow_up_result)
        open_ones._write_facts({'follow_up_on': False, 'follow_up_user_id': False})

    def _get_follow_up_user(self):
        """Return who calls the customer: who sold the goods, else who is responsible.

        :return: empty where nobody of them works here any more.
        :rtype: res.users
        """
        self.ensure_one()
        order = self.line_ids.order_id[:1]
        for user in (order.user_id, self.user_id, order.team_id.user_id):
            if user.active and not user.share and self.company_id in user.company_ids:
                return user
        return self.env['res.users']

    # === RESULT === #

    def action_follow_up(self, result, note=None):
        """Say what came of the follow-up of closed returns; their activities are done.

        :param str result: `kept` (he stays our customer), `lost`, or `sold_again` (he bought).
        :param str note: what he said.
        :return: True
        :raise AccessError: without a role in Returns.
        :raise UserError: when a return is not closed, or there is no such result.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._ensure_state(('closed',), self.env._("followed up"))
        labels = dict(self._fields['follow_up_result']._description_selection(self.env))
        if result not in labels:
            raise UserError(
                self.env._(
                    "“%(result)s” is no result of a follow-up. Choose one of %(results)s.",
                    result=result,
                    results=", ".join(dict(FOLLOW_UP_RESULTS)),
                )
            )
        self._write_facts(
            {
                'follow_up_result': result,
                'follow_up_note': note,
                'followed_up_by_id': self.env.uid,
                'date_followed_up': fields.Datetime.now(),
            }
        )
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': sale_return.id,
                    'kind': 'followed_up',
                    'reason': note,
                    'details': labels[result],
                }
                for sale_return in self
            ]
        )
        # sudo: a colleague may have called instead of who was asked.
        self.sudo().activity_feedback(
            ['sale_return.mail_activity_type_follow_up'], feedback=labels[result]
        )
        return True

    def action_follow_up_kept(self):
        """Say that the customer stays one."""
        return self.action_follow_up('kept')

    def action_follow_up_lost(self):
        """Say that the customer is lost."""
        return self.action_follow_up('lost')

    def action_follow_up_sold_again(self):
        """Say that the customer has bought again."""
        return self.action_follow_up('sold_again')

    # === SCHEDULED JOB === #

    @api.model
    def _cron_ask_follow_up(self, limit=100):
        """Scheduled job: ask the salespersons to call the customers of closed returns.

        :param int limit: returns per transaction.
        """
        # Somewhere it is tomorrow already.
        domain = [
            ('state', '=', 'closed'),
            ('follow_up_on', '<=', fields.Date.today() + timedelta(days=1)),
            ('follow_up_user_id', '=', False),
            ('follow_up_result', '=', False),
        ]
        # sudo: the job works for all companies.
        ids = self.sudo().search(domain, order='id').ids
        cron = self.env['ir.cron']
        cron._commit_progress(remaining=len(ids))
        for start in range(0, len(ids), limit):
            # sudo: as above.
            batch = (
                self.sudo()
                .browse(ids[start : start + limit])
                .try_lock_for_update(allow_referencing=True)
            )
            batch.filtered_domain(domain)._ask_follow_up()
            remaining = max(len(ids) - start - limit, 0)
            if not cron._commit_progress(min(limit, len(ids) - start), remaining=remaining):
                break

    def _ask_follow_up(self):
        """Plan the activities of those who call the customers, where it is the day."""
        due = self.filtered(lambda r: r.follow_up_on <= r._get_today())
        orders = due._get_orders_since()
        xmlid = 'sale_return.mail_activity_type_follow_up'
        activity_type = self.env.ref(xmlid)
        vals_list = []
        for sale_return in due:
            # Where nobody is left the return stays in the list of those to be followed up.
            if not (user := sale_return._get_follow_up_user()):
                continue
            sale_return._write_facts({'follow_up_user_id': user.id})
            vals_list.append(
                {
                    'res_model_id': self.env['ir.model']._get_id(self._name),
                    'res_id': sale_return.id,
                    'activity_type_id': activity_type.id,
                    'summary': activity_type.with_context(lang=user.lang).summary,
                    'note': sale_return.with_context(lang=user.lang)._get_follow_up_note(
                        orders.get(sale_return, self.env['sale.order'])
                    ),
                    'automated': True,
                    'user_id': user.id,
                    'date_deadline': sale_return._get_today(),
                }
            )
        # Nobody is mailed: the activity is what tells them.
        self.env['mail.activity'].with_context(mail_activity_quick_update=True).create(vals_list)

    def _get_orders_since(self):
        """Return what the customers have ordered since they asked for the returns.

        :return: `{return: orders}`
        :rtype: dict
        """
        if not self:
            return {}
        found = self.env['sale.order'].search(
            [
                ('state', '=', 'sale'),
                ('company_id', 'in', self.company_id.ids),
                ('partner_id', 'child_of', self.commercial_partner_id.ids),
                ('date_order', '>', min(self.mapped('create_date'))),
            ]
        )
        return {
            sale_return: found.filtered(
                lambda order, r=sale_return: (
                    order.company_id == r.company_id
                    and order.partner_id.commercial_partner_id == r.commercial_partner_id
                    and order.date_order > r.create_date
                    and order not in r.sale_order_ids
                )
            )
            for sale_return in self
        }

    def _get_follow_up_note(self, orders):
        """Say what the caller should know.

        :param orders: `sale.order` that the customer has placed since.
        :return: HTML.
        :rtype: markupsafe.Markup
        """
        self.ensure_one()
        amount = formatLang(self.env, self.amount_credited, currency_obj=self.currency_id)
        lines = [
            self.env._("Reasons: %(reasons)s", reasons=", ".join(self.reason_ids.mapped('name'))),
            self.env._("Credited: %(amount)s", amount=amount),
            self.env._(
                "Ordered since: %(orders)s",
                orders=", ".join(orders.mapped('name')) or self.env._("nothing"),
            ),
        ]
        if rating := self.rating_ids.filtered('consumed')[:1]:
            lines.append(self.env._("Rating: %(rating)s of 5", rating=f"{rating.rating:g}"))
        return Markup("<br/>").join(lines)
