from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date, formatLang

from ...tools import scenario as tool

# Days that requests, receipts and credit notes can be moved, and weeks of a period.
MOST_DAYS, MOST_WEEKS = 90, 260
# With fewer order lines that came back the figures are largely chance.
LEAST_LINES = 30
MIX = ('mix_a', 'mix_b', 'mix_c', 'mix_d')
# Fields that change what is computed.
INPUTS = frozenset(
    {
        'company_id', 'date_from', 'date_to', 'product_id', 'categ_id', 'warehouse_id',
        'leave_out_giants', 'rate_times', 'rate_points', 'days_request', 'days_receipt',
        'days_credit', 'refund_event', 'change_fee', 'fee', 'change_mix', *MIX, 'handling_cost',
    }
)  # fmt: skip


class SaleReturnScenario(models.Model):
    """A period of the past, and what would have been different in it with other returns.

    Computed by `sale.return.simulator` whenever it changes; a scenario without any change shows
    what happened, to the cent.
    """

    _name = 'sale.return.scenario'
    _inherit = ['sale.return.derived', 'sale.return.shared']
    _description = "What-If Scenario"
    _order = 'id desc'
    _check_company_auto = True

    name = fields.Char(required=True)
    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related='company_id.currency_id')
    date_from = fields.Date("From", required=True, default=lambda self: self._get_default_days()[0])
    date_to = fields.Date("Until", required=True, default=lambda self: self._get_default_days()[1])
    product_id = fields.Many2one(
        'product.product', check_company=True, ondelete='cascade', help="Empty: all products."
    )
    categ_id = fields.Many2one(
        'product.category',
        string="Product Category",
        ondelete='cascade',
        help="With the categories below it. Empty: all categories.",
    )
    warehouse_id = fields.Many2one(
        'stock.warehouse', check_company=True, ondelete='cascade', help="Empty: all warehouses."
    )
    leave_out_giants = fields.Boolean(
        "Without Giant Orders",
        help="Leave out order lines that are fifty times as large as the usual one and a tenth of "
        "all units.",
    )
    rate_times = fields.Float(
        "Return Rate Times", default=1.0, help="1: as it was. 0.8: a fifth less comes back."
    )
    rate_points = fields.Float(
        "Plus Percentage Points",
        help="Percentage points that are added to the return rate after that.",
    )
    days_request = fields.Integer(
        "Requests Later by (days)",
        help="Customers ask so many days later (or earlier, below zero).",
    )
    days_receipt = fields.Integer(
        "Receipts Later by (days)", help="Goods arrive so many days later after the request."
    )
    days_credit = fields.Integer(
        "Credits Later by (days)", help="Credit notes are posted so many days later."
    )
    refund_event = fields.Selection(
        [
            ('request', "Request"),
            ('dispatch', "Dispatch"),
            ('receipt', "Receipt"),
            ('inspection', "Inspection"),
        ],
        string="Refund at",
        help="What refunds wait for. Empty: as it was.",
    )
    change_fee = fields.Boolean("Other Restocking Fee")
    fee = fields.Float(
        "Restocking Fee",
        help="In percent of what is credited for goods, instead of the restocking fees charged.",
    )
    change_mix = fields.Boolean("Other Conditions")
    mix_a = fields.Float("Condition A", help="In percent of the units found in A to D.")
    mix_b = fields.Float("Condition B", help="In percent of the units found in A to D.")
    mix_c = fields.Float("Condition C", help="In percent of the units found in A to D.")
    mix_d = fields.Float("Condition D", help="In percent of the units found in A to D.")
    handling_cost = fields.Monetary(
        "Handling per Unit", help="Cost of receiving and inspecting a unit, also in what happened."
    )

    history = fields.Json(
        technical=True,
        readonly=True,
        copy=False,
        prefetch=False,
        help="What happened, as it was read last, so that changes of the scenario are computed "
        "without reading it again.",
    )
    date_played = fields.Datetime(
        "Counted as of",
        readonly=True,
        copy=False,
        help="When what happened was read last: when the scenario was made, when it asks about "
        "something else, each day that it is changed, and by Compute Again.",
    )
    date_last = fields.Date("Counted until", readonly=True, copy=False)
    shipped = fields.Float("Units Delivered", readonly=True, copy=False)
    returned_lines = fields.Integer("Order Lines Returned", readonly=True, copy=False)
    factor = fields.Float("Returns Times", readonly=True, copy=False)
    has_rate = fields.Boolean(readonly=True, copy=False)
    has_history = fields.Boolean(readonly=True, copy=False)
    giant_units = fields.Float("Units of the Giant Order", readonly=True, copy=False)
    giant_names = fields.Char("Giant Orders", readonly=True, copy=False)
    unknown_grades = fields.Char("Conditions Never Found", readonly=True, copy=False)
    row_ids = fields.One2many(
        'sale.return.scenario.week', 'scenario_id', "Weeks and Totals", readonly=True, copy=False
    )
    total_ids = fields.One2many(
        'sale.return.scenario.week',
        'scenario_id',
        "Totals",
        domain=[('is_total', '=', True)],
        readonly=True,
        copy=False,
    )
    week_ids = fields.One2many(
        'sale.return.scenario.week',
        'scenario_id',
        "Weeks",
        domain=[('is_total', '=', False)],
        readonly=True,
        copy=False,
    )
    summary = fields.Text("In Words", compute='_compute_sentences')
    assumptions = fields.Text(compute='_compute_sentences')

    _values_possible = models.Constraint(
        f"""CHECK (
            COALESCE(rate_times, 0) BETWEEN 0 AND 100
            AND COALESCE(rate_points, 0) BETWEEN -100 AND 100
            AND COALESCE(days_request, 0) BETWEEN -{MOST_DAYS} AND {MOST_DAYS}
            AND COALESCE(days_receipt, 0) BETWEEN -{MOST_DAYS} AND {MOST_DAYS}
            AND COALESCE(days_credit, 0) BETWEEN -{MOST_DAYS} AND {MOST_DAYS}
            AND COALESCE(fee, 0) BETWEEN 0 AND 100
            AND COALESCE(handling_cost, 0) BETWEEN 0 AND 1000000000
        )""",
        "Check the changes of the scenario: the return rate times 0 to 100, at most 100 points "
        "and 90 days more or less, a fee of 0 to 100 %, and no negative cost of handling.",
    )

    @api.constrains('date_from', 'date_to')
    def _check_period(self):
        for scenario in self:
            if scenario.date_from > scenario.date_to:
                raise ValidationError(
                    self.env._(
                        "The period of scenario “%(name)s” ends before it begins. Change its days.",
                        name=scenario.name,
                    )
                )
            if scenario.date_to - scenario.date_from > timedelta(weeks=MOST_WEEKS):
                raise ValidationError(
                    self.env._(
                        "The period of scenario “%(name)s” is longer than %(weeks)s weeks. "
                        "Choose a shorter one.",
                        name=scenario.name,
                        weeks=MOST_WEEKS,
                    )
                )
            if scenario.date_from > scenario.company_id._get_sale_return_day():
                raise ValidationError(
                    self.env._(
                        "The period of scenario “%(name)s” has not begun yet. Choose one of the "
                        "past: scenarios change what happened.",
                        name=scenario.name,
                    )
                )

    @api.constrains('change_mix', *MIX)
    def _check_mix(self):
        for scenario in self.filtered('change_mix'):
            shares = [scenario[name] for name in MIX]
            if min(shares) < 0 or not abs(sum(shares) - 100) < 0.01:
                raise ValidationError(
                    self.env._(
                        "The conditions A to D of scenario “%(name)s” add up to %(total)s %%. Enter"
                        " shares that are not negative and add up to 100 %%.",
                        name=scenario.name,
                        total=f"{sum(shares):g}",
                    )
                )

    # === CRUD METHODS === #

    @api.model
    def _get_default_days(self):
        """Return the first and last day of the last 26 weeks that are over."""
        monday = tool.monday(self.env.company._get_sale_return_day())
        return monday - timedelta(weeks=26), monday - timedelta(days=1)

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to compute the scenarios."""
        scenarios = super().create([self._clean_new(vals) for vals in vals_list])
        scenarios._play()
        return scenarios

    def write(self, vals):
        """Override of `base` to compute again what a change concerns."""
        vals = self._clean_changes(vals)
        result = super().write(vals)
        if not INPUTS.isdisjoint(vals):
            self._play()
        return result

    # === ACTION METHODS === #

    def action_play(self):
        """Compute the scenarios again, from what has happened by now.

        :raise AccessError: if the user may not change scenarios.
        :raise UserError: while the part is switched off.
        """
        self.check_access('write')
        self._play(again=True)
        return True

    def action_open_chart(self):
        """Open the chart of the weeks, what happened beside the scenario.

        :rtype: dict
        """
        return self._open_weeks([('version', '!=', 'difference')], 'graph,list,pivot')

    def action_open_weeks(self):
        """Open the table of the weeks.

        :rtype: dict
        """
        action = self._open_weeks([], 'list,graph,pivot')
        return {**action, 'context': {'search_default_group_version': True}}

    def _open_weeks(self, domain, modes):
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_scenario_week_action'
        )
        return {
            **action,
            'name': self.display_name,
            'domain': [('scenario_id', '=', self.id), ('is_total', '=', False), *domain],
            'view_mode': modes,
            'views': [(False, mode) for mode in modes.split(',')],
        }

    # === BUSINESS METHODS === #

    def _play(self, again=False):
        """Compute the scenarios.

        :param bool again: read what happened again, even if a scenario knows it.
        """
        simulator = self.env['sale.return.simulator']
        if not simulator._is_on():
            raise UserError(
                self.env._("What If is switched off. Switch it on in Settings, Returns.")
            )
        # sudo: only this step writes weeks, and the caller checked the access to the scenarios.
        weeks = self.env['sale.return.scenario.week'].sudo()
        weeks.search([('scenario_id', 'in', self.ids)]).unlink()
        rows = []
        for scenario in self:
            # One after the other: each has a period and goods of its own.
            compared, facts = simulator._simulate(scenario, again)
            scenario.sudo()._write_facts(facts)
            for version, (by_week, totals) in compared.items():
                shared = {'scenario_id': scenario.id, 'version': version}
                rows.append({**shared, 'is_total': True, 'date': scenario.date_from, **totals})
                rows += [{**shared, 'date': week, **values} for week, values in by_week.items()]
        weeks.create(rows)
        self.invalidate_recordset(['row_ids', 'total_ids', 'week_ids'])

    # === SENTENCES === #

    # Not what is being edited: the sentences tell of what was computed.
    @api.depends('total_ids', 'date_played')
    @api.depends_context('lang')
    def _compute_sentences(self):
        for scenario in self:
            scenario.summary = "\n".join(scenario._get_summary())
            scenario.assumptions = "\n".join(scenario._get_assumptions())

    def _is_changed(self):
        """Tell whether the scenario changes anything."""
        self.ensure_one()
        return bool(
            self.rate_times != 1
            or self.rate_points
            or self.days_request
            or self.days_receipt
            or self.days_credit
            or self.refund_event
            or self.change_fee
            or self.change_mix
        )

    def _get_summary(self):
        """Return what the scenario comes to, as sentences."""
        self.ensure_one()
        rows = {row.version: row for row in self.total_ids}
        if not rows:
            return []
        if not self.has_history:
            return [
                self.env._(
                    "Nothing of this came back or was credited in the period: there is no history "
                    "that could be changed."
                )
            ]
        if not self._is_changed():
            return [self.env._("Nothing is changed: the scenario is what happened.")]
        fields_ = self.env['sale.return.scenario.week']._fields
        sentences = []
        for name in ('returned', 'restocked', 'waiting', 'credited', 'fees', 'scrapped', 'cost'):
            if not rows['difference'][name]:
                continue
            before, after, difference = (
                self._format(name, rows[version][name])
                for version in ('base', 'scenario', 'difference')
            )
            sentences.append(
                self.env._(
                    "%(measure)s: %(after)s instead of %(before)s (difference %(difference)s).",
                    measure=fields_[name]._description_string(self.env),
                    after=after,
                    before=before,
                    difference=difference,
                )
            )
        return sentences or [
            self.env._("The sums of the period stay the same; the weeks may differ.")
        ]

    def _format(self, name, value):
        if name in tool.MONEY:
            return formatLang(self.env, value, currency_obj=self.currency_id)
        return formatLang(self.env, value, digits=0 if value == int(value) else 2)

    def _get_assumptions(self):
        """Return what the figures assume, and what to be careful about, as sentences."""
        self.ensure_one()
        if not self.date_played or not self.date_last:
            return []
        return [*self._get_warnings(), *self._get_changes()]

    def _get_warnings(self):
        sentences = []
        if self.date_to > self.date_last:
            sentences.append(
                self.env._(
                    "The period is not over: it is counted until %(day)s.",
                    day=format_date(self.env, self.date_last),
                )
            )
        if self.has_history and self.returned_lines < LEAST_LINES:
            sentences.append(
                self.env._(
                    "Only %(count)s order lines came back in the period: with fewer than %(least)s "
                    "the figures are largely chance.",
                    count=self.returned_lines,
                    least=LEAST_LINES,
                )
            )
        if self.giant_names and self.leave_out_giants:
            sentences.append(
                self.env._("Giant orders are left out: %(names)s.", names=self.giant_names)
            )
        elif self.giant_names:
            sentences.append(
                self.env._(
                    "Giant orders decide these figures: %(names)s, the largest with %(units)s "
                    "units. They can be left out.",
                    names=self.giant_names,
                    units=self._format('returned', self.giant_units),
                )
            )
        if not self.has_rate:
            sentences.append(
                self.env._(
                    "Percentage points are left out: nothing was delivered or nothing came back in "
                    "the period, so there is no return rate to which they could be added."
                )
            )
        if self.unknown_grades:
            sentences.append(
                self.env._(
                    "Goods in condition %(grades)s were not found in the period: they are counted "
                    "as put back into stock if they may be sold again, else as written off.",
                    grades=self.unknown_grades,
                )
            )
        return sentences

    def _get_changes(self):
        """Return how the changes are counted, as sentences."""
        sentences = [
            self.env._(
                "What was received before the period stays as it was. What is moved beyond the "
                "period is shown in further weeks."
            )
        ]
        if self.factor != 1:
            sentences.append(
                self.env._(
                    "What came back and was credited in the period is multiplied by %(factor)s; "
                    "%(units)s units were delivered in it.",
                    factor=f"{self.factor:.4g}",
                    units=self._format('returned', self.shipped),
                )
            )
        if self.days_request or self.days_receipt or self.days_credit:
            sentences.append(
                self.env._(
                    "Nothing is moved before the step that it follows: no request before the "
                    "delivery, no receipt before the request, no credit before what it waits for."
                )
            )
        if self.refund_event:
            sentences.append(
                self.env._(
                    "Refunds follow the other event as many days later as they followed the last "
                    "step before them. Where the event never took place they stay as they were; "
                    "refunds for goods that never arrived are not added."
                )
            )
        if self.change_fee:
            sentences.append(
                self.env._(
                    "The fee is charged on all goods that were credited, also where the law or "
                    "the policy does not allow one."
                )
            )
        if self.change_mix:
            sentences.append(
                self.env._(
                    "Goods of each condition go the ways they went in the period, at the average "
                    "cost of their day. Results without a condition from A to D stay."
                )
            )
        return sentences
