from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.date_utils import start_of

from ...tools import stats
from ...tools.reader import count, domain, iso_day, needed, pair_of, reads, text

INTERVALS = ('day', 'week', 'month', 'quarter', 'year')
# The ranked field, and the group towards which its rates are shrunk.
DIMENSIONS = {
    'product_id': 'categ_id',
    'lot_id': 'product_id',
    'commercial_partner_id': 'company_id',
    'supplier_id': 'company_id',
    'carrier': 'company_id',
    'warehouse_id': 'company_id',
    'team_id': 'company_id',
    'source_id': 'company_id',
}
HORIZON = 180


class SaleReturnMetric(models.AbstractModel):
    """Service: reliable return rates, see `sale.return.metric.definition`.

    Everything is read from `sale.return.report` under the rights of the caller, so it is about the
    companies they have chosen. Units are counted in the product's own unit, days by their time
    zone. Clients call these methods by JSON-2 or XML-RPC.
    """

    _name = 'sale.return.metric'
    _description = "Return Metrics"

    # === COHORTS AND PERIODS === #

    @api.model
    @reads(interval=text, age=count, domain=domain, as_of=iso_day, horizon=needed(count))
    def get_cohort_rates(
        self, interval='month', age=None, domain=None, as_of=None, horizon=HORIZON
    ):
        """Return how much of what was sold in each period came back by an age.

        Use this rate to judge products: numerator and denominator count the same units.

        :param str interval: `day`, `week`, `month`, `quarter` or `year` of the sale date.
        :param int age: days from sale to return that count; None counts all up to today.
        :param list domain: on `sale.return.report`.
        :param as_of: date (or text) that is taken as today.
        :param int horizon: days after which a return counts as final for `completed`.
        :return: list of dicts by period: `period` (first day), `shipped`, `returned`, `rate`, `low`
            and `high` (Wilson, 95 %), `completed` (Kaplan-Meier, the expected final rate), `mature`
            (all units are at least `age`, else `horizon`, days old). Rates are 0 to 1, None where
            nothing was shipped.
        :rtype: list
        """
        as_of = self._get_date(as_of)
        shipped, returned = self._get_timelines(domain, as_of)
        curve = self._get_curve(shipped, returned, as_of)
        cohorts = {}
        for day, units in shipped.items():
            cohort = cohorts.setdefault(self._get_period(day, interval), ({}, {}))
            cohort[0][day] = units
        for (day, days), units in returned.items():
            cohort = cohorts.setdefault(self._get_period(day, interval), ({}, {}))
            cohort[1][days] = cohort[1].get(days, 0.0) + units
        result = []
        for period, (sold, back) in sorted(cohorts.items()):
            count = sum(units for days, units in back.items() if age is None or days <= age)
            final = sum(units for days, units in back.items() if days <= horizon)
            ages = {(as_of - day).days: units for day, units in sold.items()}
            result.append(
                {
                    'period': fields.Date.to_string(period),
                    **self._describe_rate(count, sum(sold.values())),
                    'completed': stats.completed_rate(final, ages, curve, horizon),
                    'mature': min(ages, default=0) >= (horizon if age is None else age),
                }
            )
        return result

    @api.model
    @reads(interval=text, domain=domain)
    def get_period_rates(self, interval='month', domain=None):
        """Return what came back in each period against what was shipped in it.

        A measure of work. Numerator and denominator are different units, so it misleads while sales
        grow or shrink; judge products by `get_cohort_rates`.

        :param str interval: of the delivery date and of the return date, see `get_cohort_rates`.
        :param list domain: on `sale.return.report`.
        :return: list of dicts by period: `period`, `shipped`, `returned`, `rate` (1 where
            more came back than was shipped).
        :rtype: list
        """
        self._ensure_interval(interval)
        periods = {}
        for kind, date, measure in (
            ('shipped', 'date_delivery', 'qty_shipped'),
            ('returned', 'date_return', 'qty_returned'),
        ):
            for day, units in self._aggregate_facts(
                domain, [('kind', '=', kind), (date, '!=', False)], [f'{date}:day'], [measure]
            ):
                period = periods.setdefault(
                    self._get_period(day, interval), {'shipped': 0.0, 'returned': 0.0}
                )
                period[kind] += units
        return [
            {
                'period': fields.Date.to_string(period),
                **units,
                'rate': stats.rate(units['returned'], units['shipped']),
            }
            for period, units in sorted(periods.items())
        ]

    @api.model
    @reads(
        before=pair_of(iso_day),
        after=pair_of(iso_day),
        age=needed(count),
        domain=domain,
        as_of=iso_day,
    )
    def compare_periods(self, before, after, age=30, domain=None, as_of=None):
        """Compare the cohort rates of two periods of sale, e.g. before and after an improvement.

        Both are measured alike: returns within `age` days of the sale, and only of what was sold
        at least that long ago.

        :param before: `(first day, last day)` of the sale dates, both included.
        :param after: the same for the second period.
        :param int age: days from sale to return that count.
        :param list domain: on `sale.return.report`.
        :return: dict of `tools.stats.compare_rates`, and `shipped_before`, `returned_before`,
            `shipped_after`, `returned_after`.
        :rtype: dict
        """
        as_of = self._get_date(as_of)
        counts = []
        for first, last in (before, after):
            first, last = self._get_date(first), self._get_date(last)
            if first > last:
                raise UserError(
                    self.env._(
                        "The period from %(first)s to %(last)s ends before it begins.",
                        first=first,
                        last=last,
                    )
                )
            last = min(last, as_of - timedelta(days=age))
            shipped, returned = self._get_timelines(
                Domain(domain or [])
                & Domain('date_sale', '>=', fields.Date.to_string(first - timedelta(days=1)))
                & Domain('date_sale', '<=', fields.Date.to_string(last + timedelta(days=2))),
                as_of,
            )
            counts.append(
                (
                    sum(
                        units
                        for (day, days), units in returned.items()
                        if first <= day <= last and days <= age
                    ),
                    sum(units for day, units in shipped.items() if first <= day <= last),
                )
            )
        (returned_before, shipped_before), (returned_after, shipped_after) = counts
        return {
            **stats.compare_rates(*counts),
            'shipped_before': shipped_before,
            'returned_before': returned_before,
            'shipped_after': shipped_after,
            'returned_after': returned_after,
        }

    # === RANKINGS === #

    @api.model
    @reads(dimension=text, domain=domain, limit=count)
    def get_ranking(self, dimension='product_id', domain=None, limit=20):
        """Rank by return rate, fair to small quantities.

        Each rate is drawn towards that of its group, (r + a) / (n + a + b), with the Beta prior of
        the group by the method of moments. Groups are the product category for products, the
        product for lots, else the company.

        :param str dimension: one of `DIMENSIONS`.
        :param list domain: on `sale.return.report`; a range of `date_sale` ranks cohorts.
        :param int limit: how many, None for all.
        :return: list of dicts, highest first: `id` (or text), `name`, `shipped`, `returned`,
            `rate`, `low`, `high`, `shrunk`, `ppm`, `value_kept` (shipped less returned value).
        :rtype: list
        """
        if dimension not in DIMENSIONS:
            raise UserError(
                self.env._(
                    "Returns are not ranked by %(dimension)s. Choose one of %(dimensions)s.",
                    dimension=dimension,
                    dimensions=", ".join(DIMENSIONS),
                )
            )
        rows = self._aggregate_facts(
            domain,
            [(dimension, '!=', False)],
            [dimension, DIMENSIONS[dimension]],
            ['qty_shipped', 'qty_returned', 'value_shipped', 'value_returned'],
        )
        groups = {}
        for _member, group, shipped, returned, _value, _value_back in rows:
            groups.setdefault(group, []).append((returned or 0.0, shipped or 0.0))
        priors = {group: stats.beta_prior(members) for group, members in groups.items()}
        result = []
        for member, group, shipped, returned, value, value_back in rows:
            shipped, returned = shipped or 0.0, returned or 0.0
            result.append(
                {
                    'id': member.id if isinstance(member, models.BaseModel) else member,
                    'member': member,
                    **self._describe_rate(returned, shipped),
                    'shrunk': stats.shrink(returned, shipped, priors[group]),
                    'ppm': 1000000 * stats.rate(returned, shipped) if shipped > 0 else None,
                    'value_kept': (value or 0.0) - (value_back or 0.0),
                }
            )
        result.sort(key=lambda row: (-row['shrunk'], -row['returned'], str(row['id'])))
        result = result[:limit]
        for row in result:  # names of what is shown, prefetched together by the recordset
            # sudo: only names in a statistic whose rows have passed the record rules of the report.
            member = row.pop('member')
            is_record = isinstance(member, models.BaseModel)
            row['name'] = member.sudo().display_name if is_record else member
        return result

    # === TIMES === #

    # === HELPERS === #

    def _aggregate_facts(self, domain, extra, groupby, measures):
        """Group the analysis under the rights of the caller; days are returned as dates.

        :return: list of tuples.
        """
        self.env['sale.return']._ensure_group('group_user')
        aggregates = [name if ':' in name else f'{name}:sum' for name in measures]
        try:
            rows = self.env['sale.return.report']._read_group(
                Domain(domain or []) & Domain(extra), groupby, aggregates
            )
        except ValueError as error:
            # For example an unknown field; Odoo's message names it.
            raise UserError(
                self.env._("The figures cannot be filtered or grouped like this: %s", error)
            ) from error
        dates = [index for index, name in enumerate(groupby) if name.endswith(':day')]
        if not dates:
            return rows
        return [
            tuple(
                value.date() if index in dates and hasattr(value, 'date') else value
                for index, value in enumerate(row)
            )
            for row in rows
        ]

    def _get_timelines(self, domain, as_of):
        """Return what was shipped and what came back of it until a day.

        :return: `{day of sale: units}` and `{(day of sale, days until the return): units}`. What
            was sold or came back later than `as_of` is left out.
        """
        sold = [('date_sale', '!=', False)]
        shipped = {
            day: units
            for day, units in self._aggregate_facts(
                domain, [('kind', '=', 'shipped'), *sold], ['date_sale:day'], ['qty_shipped']
            )
            if day <= as_of
        }
        returned = {}
        for day, back, units in self._aggregate_facts(
            domain,
            [('kind', '=', 'returned'), ('date_return', '!=', False), *sold],
            ['date_sale:day', 'date_return:day'],
            ['qty_returned'],
        ):
            if day <= as_of and back <= as_of and units:
                returned[day, max((back - day).days, 0)] = units
        return shipped, returned

    def _get_curve(self, shipped, returned, as_of):
        """Return the Kaplan-Meier curve of the days until a return."""
        events, left = {}, dict(shipped)
        for (day, days), units in returned.items():
            events[days] = events.get(days, 0.0) + units
            left[day] = left.get(day, 0.0) - units
        censored = {}
        for day, units in left.items():
            days = (as_of - day).days
            censored[days] = censored.get(days, 0.0) + max(units, 0.0)
        return stats.kaplan_meier(events, censored)

    def _describe_rate(self, returned, shipped):
        low, high = stats.wilson(returned, shipped)
        return {
            'shipped': shipped,
            'returned': returned,
            'rate': stats.rate(returned, shipped),
            'low': low,
            'high': high,
        }

    def _ensure_interval(self, interval):
        if interval not in INTERVALS:
            raise UserError(
                self.env._(
                    "There is no interval %(interval)s. Choose one of %(intervals)s.",
                    interval=interval,
                    intervals=", ".join(INTERVALS),
                )
            )

    def _get_period(self, day, interval):
        """Return the first day of the period that a day is in."""
        self._ensure_interval(interval)
        return start_of(day, interval)

    def _get_date(self, value):
        return fields.Date.to_date(value) if value else fields.Date.context_today(self)
