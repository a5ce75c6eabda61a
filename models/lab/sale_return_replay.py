from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .const import DECISIONS

# What people enter.
INPUTS = ('policy_id', 'company_id', 'months')
# Returns of a part: one transaction of the job. So many are replayed at once, without the job.
PART = 400
NAMES = [name for name, _label in DECISIONS]


class SaleReturnReplay(models.Model):
    """A draft of a policy, and what it would have decided on past returns.

    Both the policies in force and the draft are asked, about the same returns and the same facts,
    so that all differences come from the draft. `sale.return.replayer` does it, in parts.
    """

    _name = 'sale.return.replay'
    _inherit = ['sale.return.own.defaults', 'sale.return.ruled']
    _description = "Replay of a Draft"
    _order = 'id desc'
    _rec_name = 'policy_id'

    policy_id = fields.Many2one(
        'sale.return.policy',
        string="Draft",
        required=True,
        index=True,
        ondelete='cascade',
        domain=[('version_state', '=', 'draft'), ('active', '=', False)],
    )
    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related='company_id.currency_id')
    months = fields.Integer(
        string="Last Months", required=True, default=6, help="Returns requested in these months."
    )
    date_from = fields.Datetime(string="Requested from", readonly=True)
    date_to = fields.Datetime(string="Requested until", readonly=True)
    hours_median = fields.Float(
        string="Hours of a Decision",
        readonly=True,
        help="Median hours until a person decided, of the returns decided in these months.",
    )
    appeal_rate = fields.Float(
        string="Appeals per Refusal",
        readonly=True,
        help="Share of the refusals of these months against which the customer appealed.",
    )
    unplayed = fields.Json(readonly=True, help="Numbers of returns that were not replayed.")
    fingerprint = fields.Char(
        technical=True, readonly=True, help="What the policy and its draft said."
    )
    part_ids = fields.One2many('sale.return.replay.part', 'replay_id', readonly=True)
    difference_ids = fields.One2many('sale.return.replay.line', 'replay_id', readonly=True)

    # What was found, added up from the parts that are done.
    state = fields.Selection(
        [('new', "Not started"), ('running', "Running"), ('done', "Done")],
        string="Status",
        compute='_compute_figures',
    )
    progress = fields.Float(compute='_compute_figures', help="In percent.")
    line_count = fields.Integer(string="Return Lines", compute='_compute_figures')
    difference_count = fields.Integer(string="Differences", compute='_compute_figures')
    approved_before = fields.Integer(string="Approved so far", compute='_compute_figures')
    approved_after = fields.Integer(string="Approved by the Draft", compute='_compute_figures')
    asked_before = fields.Integer(string="Left to a Person so far", compute='_compute_figures')
    asked_after = fields.Integer(string="Left to a Person by the Draft", compute='_compute_figures')
    refused_before = fields.Integer(string="Refused so far", compute='_compute_figures')
    refused_after = fields.Integer(string="Refused by the Draft", compute='_compute_figures')
    approved_value_before = fields.Monetary(
        string="Value Approved so far", compute='_compute_figures'
    )
    approved_value_after = fields.Monetary(
        string="Value Approved by the Draft", compute='_compute_figures'
    )
    asked_value_before = fields.Monetary(
        string="Value Left to a Person so far", compute='_compute_figures'
    )
    asked_value_after = fields.Monetary(
        string="Value Left to a Person by the Draft", compute='_compute_figures'
    )
    refused_value_before = fields.Monetary(
        string="Value Refused so far", compute='_compute_figures'
    )
    refused_value_after = fields.Monetary(
        string="Value Refused by the Draft", compute='_compute_figures'
    )
    hours_change = fields.Float(
        string="Hours of Waiting",
        compute='_compute_figures',
        help="Hours that customers would wait longer for a decision (less: negative), by the "
        "median of these months.",
    )
    appeals_avoided = fields.Integer(
        compute='_compute_figures',
        help="Appeals against refusals of returns that the draft would not refuse.",
    )
    appeals_expected = fields.Float(
        compute='_compute_figures',
        digits=(16, 1),
        help="Returns that only the draft would refuse, times the appeals per refusal.",
    )
    version_state = fields.Selection(related='policy_id.version_state')
    note = fields.Text(string="What to Know", compute='_compute_note')

    _months_range = models.Constraint(
        'CHECK (months BETWEEN 1 AND 60)', "A replay covers 1 to 60 months."
    )

    # === COMPUTE METHODS === #

    @api.depends('date_to', 'part_ids.is_done')
    def _compute_figures(self):
        for replay in self:
            parts = replay.part_ids
            done = parts.filtered('is_done')
            share = len(done) / len(parts) if parts else 1.0
            replay.progress = 100 * share if replay.date_to else 0.0
            replay.state = 'new' if not replay.date_to else 'done' if share == 1 else 'running'
            lines, returns = replay._add_up(done, 'lines'), replay._add_up(done, 'returns')
            replay.line_count = sum(number for number, _amount in lines.values())
            replay.difference_count = sum(
                number for (before, after), (number, _amount) in lines.items() if before != after
            )
            for name in NAMES:
                for place, when in enumerate(('before', 'after')):
                    found = [row for key, row in lines.items() if key[place] == name]
                    replay[f'{name}_{when}'] = sum(number for number, _amount in found)
                    replay[f'{name}_value_{when}'] = sum(amount for _number, amount in found)
            asked = sum(
                number * ((after == 'asked') - (before == 'asked'))
                for (before, after), (number, _appeals) in returns.items()
            )
            replay.hours_change = asked * replay.hours_median
            replay.appeals_avoided = sum(
                appeals
                for (before, after), (_number, appeals) in returns.items()
                if before == 'refused' != after
            )
            replay.appeals_expected = replay.appeal_rate * sum(
                number
                for (before, after), (number, _appeals) in returns.items()
                if after == 'refused' != before
            )

    @api.model
    def _add_up(self, parts, kind):
        """Return `{(before, after): [number, amount or appeals]}` of some parts."""
        total = {}
        for part in parts:
            for before, after, *values in part.counts[kind]:
                row = total.setdefault((before, after), [0, 0])
                row[:] = [old + new for old, new in zip(row, values, strict=True)]
        return total

    @api.depends('policy_id')
    @api.depends_context('lang')
    def _compute_display_name(self):
        for replay in self:
            replay.display_name = self.env._(
                "Replay of %(draft)s", draft=replay.policy_id.display_name
            )

    @api.depends(
        'date_to', 'unplayed', 'part_ids.error', 'policy_id', 'hours_median', 'asked_after'
    )
    @api.depends_context('lang')
    def _compute_note(self):
        for replay in self:
            replay.note = "\n".join(replay._get_notes()) or False

    def _get_notes(self):
        """Return sentences about what a reader of the figures has to know.

        :rtype: list
        """
        self.ensure_one()
        if not self.date_to:
            return []
        notes, unplayed = [], self.unplayed or {}
        if not self.part_ids:
            notes.append(
                self.env._(
                    "No return was requested in these months, so there is nothing to compare."
                )
            )
        if unplayed.get('future'):
            notes.append(
                self.env._(
                    "Returns with a request dated in the future were left out: %(count)s.",
                    count=unplayed['future'],
                )
            )
        if unplayed.get('unlogged'):
            notes.append(
                self.env._(
                    "Returns without a record of their request, e.g. imported ones, were left "
                    "out: %(count)s.",
                    count=unplayed['unlogged'],
                )
            )
        if failed := self.part_ids.filtered('error'):
            notes.append(
                self.env._(
                    "Returns that could not be replayed were left out: %(count)s. The log of the "
                    "server says why.",
                    count=sum(len(part.return_keys) for part in failed),
                )
            )
        if not self.hours_median and self.asked_after != self.asked_before:
            notes.append(
                self.env._(
                    "Nobody decided on a return in these months, so it is not known how much "
                    "longer customers would wait."
                )
            )
        if self._is_stale():
            notes.append(self._get_stale_note())
        notes.append(
            self.env._(
                "Deliveries, photos, earlier returns, agreements and exchange rates count as of "
                "the day of each request. Prices of orders, tags, countries and categories are "
                "those of today; the limits for credits without goods are not asked again."
            )
        )
        return notes

    def _is_stale(self):
        """Tell whether the draft, or its policy, was changed since."""
        draft = self.policy_id
        if draft.version_state != 'draft':
            return False
        return self.fingerprint != (draft | draft.draft_of_id)._get_fingerprint()

    def _get_stale_note(self):
        return self.env._("The policy or its draft was changed after this replay. Replay it again.")

    # === CRUD METHODS === #

    @api.model
    def _get_fixed_fields(self, names):
        """Override of `sale.return.own.defaults`: people may propose what they enter."""
        return super()._get_fixed_fields(names) - set(INPUTS)

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base`: what is found is not entered."""
        for vals in vals_list:
            self._ensure_inputs(vals)
        replays = super().create(vals_list)
        for replay in replays:
            replay.policy_id._ensure_draft_version()
            replay._ensure_company()
        return replays

    def write(self, vals):
        """Override of `base`: what is found is not entered."""
        self._ensure_inputs(vals)
        if not self.env.su and any(self.mapped('date_to')):
            raise UserError(
                self.env._("This replay has already started. Start another one of the draft.")
            )
        result = super().write(vals)
        for replay in self:
            replay._ensure_company()
        return result

    def _ensure_inputs(self, vals):
        found = [name for name in vals if name not in INPUTS and vals[name]]
        if found and not self.env.su:
            raise AccessError(
                self.env._(
                    "“%(fields)s” cannot be set by hand: a replay finds it.",
                    fields=", ".join(
                        self._fields[n]._description_string(self.env)
                        for n in found
                        if n in self._fields
                    ),
                )
            )

    def _ensure_company(self):
        """Refuse a company to which the draft does not apply."""
        self.ensure_one()
        company = self.policy_id.company_id
        if company and company != self.company_id:
            raise UserError(
                self.env._(
                    "“%(policy)s” is a policy of %(company)s. Replay it over the returns of that "
                    "company.",
                    policy=self.policy_id.name,
                    company=company.name,
                )
            )

    # === ACTION METHODS === #

    def action_start(self):
        """Replay the draft: small numbers of returns at once, many by the scheduled job.

        :return: True
        :raise AccessError: without the role of manager.
        :raise UserError: when it has already started, or the policy is no draft any more.
        """
        self.ensure_one()
        self.policy_id._ensure_lab()
        self.policy_id._ensure_draft_version()
        self.check_access('write')
        if self.date_to:
            raise UserError(
                self.env._("This replay has already started. Start another one of the draft.")
            )
        replay = self.sudo()  # what is found is written by this service alone
        replay._start()
        if len(replay.part_ids) == 1:
            self.env['sale.return.replayer'].sudo()._replay_parts(replay.part_ids)
        elif replay.part_ids:
            self.env.ref('sale_return.ir_cron_replay').sudo()._trigger()
        return True

    def action_refresh(self):
        """Show how far the replay is."""
        return True

    def action_put_in_force(self):
        """Put the draft into force, see `sale.return.policy`.

        :rtype: dict
        :raise UserError: when the draft or its policy was changed after the replay.
        """
        self.ensure_one()
        self.policy_id._ensure_lab()
        if self._is_stale():
            raise UserError(self._get_stale_note())
        return self.policy_id.action_put_in_force()

    def action_view_differences(self):
        """Show the lines about which the draft would decide otherwise.

        :rtype: dict
        """
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_replay_line_action'
        )
        return {**action, 'domain': [('replay_id', '=', self.id)]}

    # === START === #

    def _start(self):
        """Find the returns and what is usual in the company, and make the parts."""
        self.ensure_one()
        now = fields.Datetime.now()
        since = now - relativedelta(months=self.months)
        rows, unplayed = self._find_returns(since, now)
        hours, rate = self._measure(since, now)
        self.write(
            {
                'date_from': since,
                'date_to': now,
                'unplayed': unplayed,
                'fingerprint': (self.policy_id | self.policy_id.draft_of_id)._get_fingerprint(),
                'hours_median': hours,
                'appeal_rate': rate,
            }
        )
        self.env['sale.return.replay.part'].create(
            [
                {'replay_id': self.id, 'return_keys': rows[start : start + PART]}
                for start in range(0, len(rows), PART)
            ]
        )

    def _find_returns(self, since, now):
        """Find the returns requested in a period.

        :return: `([[id, when it was last requested]], {why others are left out: number})`
        :rtype: tuple
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT sale_return.id, requested.date, sale_return.create_date
                  FROM sale_return
             LEFT JOIN LATERAL (
                           SELECT MAX(event.date) AS date
                             FROM sale_return_event event
                            WHERE event.return_id = sale_return.id
                              AND event.state_to = 'submitted'
                       ) AS requested ON TRUE
                 WHERE sale_return.company_id = %s AND sale_return.state <> 'draft'
                   AND (sale_return.state <> 'cancelled' OR requested.date IS NOT NULL)
                   AND COALESCE(requested.date, sale_return.create_date) >= %s
              ORDER BY requested.date, sale_return.id
                """,
                self.company_id.id,
                since,
            )
        )
        rows, unplayed = [], {'future': 0, 'unlogged': 0}
        for key, requested, _created in self.env.cr.fetchall():
            if not requested:
                unplayed['unlogged'] += 1
            elif requested > now:
                unplayed['future'] += 1
            else:
                rows.append([key, requested.isoformat()])
        return rows, unplayed

    def _measure(self, since, now):
        """Return the median hours of a person's decision, and the appeals per refusal."""
        self.env.cr.execute(
            SQL(
                """
                SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (
                           ORDER BY EXTRACT(EPOCH FROM approval.date - requested.date) / 3600
                       ) FILTER (WHERE NOT COALESCE(approval.automatic, FALSE)),
                       COUNT(*) FILTER (WHERE approval.decision = 'refused'),
                       COUNT(*) FILTER (WHERE approval.decision = 'refused' AND EXISTS (
                           SELECT FROM sale_return_appeal appeal
                            WHERE appeal.return_id = approval.return_id
                       ))
                  FROM sale_return_approval approval
                  JOIN LATERAL (
                           SELECT MAX(event.date) AS date
                             FROM sale_return_event event
                            WHERE event.return_id = approval.return_id
                              AND event.state_to = 'submitted'
                              AND event.date <= approval.date
                       ) AS requested ON requested.date IS NOT NULL
                 WHERE approval.company_id = %(company)s
                   AND approval.date BETWEEN %(since)s AND %(now)s
                   AND (NOT COALESCE(approval.automatic, FALSE) OR approval.decision = 'refused')
                """,
                company=self.company_id.id,
                since=since,
                now=now,
            )
        )
        hours, refused, appealed = self.env.cr.fetchone()
        return hours or 0.0, appealed / refused if refused else 0.0
