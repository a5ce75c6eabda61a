import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.date_utils import start_of

from ...tools import stats
from .sale_return_alert import MEMBERS

_logger = logging.getLogger(__name__)

# The usual week of credits is the median of this many weeks before, once there are enough.
MONEY_WEEKS, LEAST_MONEY_WEEKS = 13, 8


class SaleReturnWatch(models.AbstractModel):
    """Service: search every night for the signals of alert rules.

    Each metric is found by `_find_<metric>(rule)`, which returns `{member: values of an alert}`.
    Rates are in `sale_return_watch_rates.py`.
    """

    _name = 'sale.return.watch'
    _description = "Watch of Returns"

    @api.model
    def _is_on(self):
        """Tell whether the settings have switched this part on."""
        return self.env['res.groups']._is_feature_enabled('sale_return.group_foresight')

    @api.model
    def _cron_watch(self):
        """Check all alert rules."""
        rules = self.env['sale.return.alert.rule']
        if self._is_on():
            self.env['sale.return.job']._work_off(rules.search([]), self._check_rules)

    @api.model
    def _check_rules(self, rules):
        """Search for the signals of rules, and store them as alerts."""
        # sudo: alerts are records of this service, about all goods of the company.
        for rule in rules.sudo():
            rule = rule.with_company(rule.company_id)
            signals = getattr(self.sudo(), f'_find_{rule.metric}')(rule)
            created = (
                self.env['sale.return.alert'].sudo()._keep(rule, self._add_members(rule, signals))
            )
            rule.date_checked = fields.Datetime.now()
            _logger.info("Alert rule %s: %s signals, %s new.", rule.id, len(signals), len(created))

    def _add_members(self, rule, signals):
        """Add to signals the record that they are about."""
        if rule.dimension not in MEMBERS:
            return {
                member: {**vals, 'member_name': rule.company_id.name}
                for member, vals in signals.items()
            }
        name = MEMBERS[rule.dimension][0]
        field = self.env['sale.return.alert']._fields[name]
        records = self.env[field.comodel_name].browse(signals).exists()
        return {
            record.id: {**signals[record.id], 'member_name': record.display_name, name: record.id}
            for record in records
        }

    @api.model
    def _query_facts(self, query, **values):
        """Run a query on the facts, which it names `fact`."""
        self.env.flush_all()
        facts = self.env['sale.return.fact']._get_query()
        self.env.cr.execute(SQL(query, facts=facts, **values))
        return self.env.cr.fetchall()

    # === WORK === #

    @api.model
    def _find_waiting(self, rule):
        """Find goods that wait in quarantine longer than the rule allows."""
        before = fields.Datetime.now() - timedelta(days=rule.waiting_days)
        rows = self._query_facts(
            """
            SELECT %(member)s, SUM(qty_returned)
              FROM (%(facts)s) AS fact
             WHERE company_id = %(company)s AND stage = 'quarantine' AND date_return < %(before)s
          GROUP BY 1 HAVING SUM(qty_returned) > %(limit)s
            """,
            before=before,
            **self._get_terms(rule),
        )
        return {member: self._prepare_number('waiting', rule, value) for member, value in rows}

    @api.model
    def _find_backlog(self, rule):
        """Find where more returns wait for a decision or an inspection than the rule allows."""
        rows = self._query_facts(
            """
            SELECT %(member)s, COUNT(DISTINCT return_id)
              FROM (%(facts)s) AS fact
             WHERE company_id = %(company)s AND stage IN ('to_decide', 'quarantine')
          GROUP BY 1 HAVING COUNT(DISTINCT return_id) > %(limit)s
            """,
            **self._get_terms(rule),
        )
        return {member: self._prepare_number('backlog', rule, value) for member, value in rows}

    def _get_terms(self, rule):
        by_warehouse = rule.dimension == 'warehouse'
        return {
            'member': SQL("COALESCE(warehouse_id, 0)") if by_warehouse else SQL("0"),
            'company': rule.company_id.id,
            'limit': rule.limit,
        }

    def _prepare_number(self, basis, rule, value):
        return {'basis': basis, 'value': value, 'usual': rule.limit, 'points': []}

    @api.model
    def _find_amount(self, rule):
        """Find that more was credited last week than in a usual one.

        The usual week is the median of the weeks before, so that one giant order does not
        make everything after it look small.
        """
        monday = start_of(rule.company_id._get_sale_return_day(), 'week')
        first = monday - timedelta(weeks=MONEY_WEEKS)
        rows = self._query_facts(
            """
            SELECT DATE_TRUNC('week', date_credit)::date, SUM(amount_credited)
              FROM (%(facts)s) AS fact
             WHERE company_id = %(company)s AND date_credit >= %(first)s AND date_credit < %(last)s
          GROUP BY 1
            """,
            company=rule.company_id.id,
            first=first,
            last=monday,
        )
        amounts = dict(rows)
        weeks = [first + timedelta(weeks=number) for number in range(MONEY_WEEKS)]
        values = [amounts.get(week) or 0.0 for week in weeks]
        *before, last = values
        usual = stats.median(before)
        known = sum(1 for value in before if value)
        limit = usual * (1 + rule.limit / 100)
        if known < LEAST_MONEY_WEEKS or usual <= 0 or last <= limit:
            return {}
        points = [
            {'date': week, 'value': value, 'centre': usual, 'high': limit}
            for week, value in zip(weeks, values, strict=True)
        ]
        return {0: {'basis': 'amount', 'value': last, 'usual': usual, 'points': points}}
