from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools import signals, stats

# Order lines of this many weeks are read; the last ones of each period are judged.
ALL_WEEKS = 104
LOOKS = (1, 4, 12)
# Order lines and weeks needed before a rate is compared with its own past.
LEAST_LINES, LEAST_WEEKS = 50, 8
# Members from which on a group says how much of one member comes back, and the weight of the
# group's fluctuation, in weeks of the member's own.
LEAST_MEMBERS, USUAL_WEEKS = 10, 26
ALL = 'all'
# Weeks of what is compared with the others, or with a limit.
OTHERS_WEEKS = 26
# Expected share of alerts that are due to chance, at most.
FALSE_ALARMS = 0.05
# `{dimension: (column of a fact, the group that a member belongs to, its joins)}`
COLUMNS = {
    'company': ("0", "NULL::int", ""),
    'product': (
        "product_id",
        "template.categ_id",
        """
        LEFT JOIN product_product AS product ON product.id = week.member
        LEFT JOIN product_template AS template ON template.id = product.product_tmpl_id
        """,
    ),
    'category': (
        """(
            SELECT template.categ_id
              FROM product_product AS product
              JOIN product_template AS template ON template.id = product.product_tmpl_id
             WHERE product.id = line.product_id
        )""",
        "NULL::int",
        "",
    ),
    'supplier': ("supplier_id", "NULL::int", ""),
    'warehouse': ("warehouse_id", "NULL::int", ""),
    'lot': ("lot_id", "lot.product_id", "LEFT JOIN stock_lot AS lot ON lot.id = week.member"),
}
# Weeks of order lines: how many there were, and how much of them came back. A line counts once,
# whatever its quantity, because its units are returned together: one giant order is one line.
WEEKS = """
    CREATE TEMPORARY TABLE sale_return_watch_week ON COMMIT DROP AS
    SELECT member, week, SUM(share) AS count, COUNT(*) AS total
      FROM (
            SELECT %(member)s AS member,
                   FLOOR(EXTRACT(EPOCH FROM %(end)s - line.date_sale) / 604800)::int AS week,
                   LEAST(GREATEST(line.returned, 0) / line.shipped, 1) AS share
              FROM (
                    SELECT sale_line_id, %(by_lot)s AS lot_id,
                           MAX(product_id) AS product_id,
                           MAX(supplier_id) FILTER (WHERE kind = 'shipped') AS supplier_id,
                           MAX(warehouse_id) FILTER (WHERE kind = 'shipped') AS warehouse_id,
                           MIN(date_sale) AS date_sale,
                           SUM(qty_shipped) AS shipped,
                           COALESCE(SUM(qty_returned) FILTER (
                               WHERE date_return < date_sale + %(age)s
                           ), 0) AS returned
                      FROM (%(facts)s) AS fact
                     WHERE company_id = %(company)s
                       AND date_sale >= %(start)s AND date_sale < %(end)s
                  GROUP BY sale_line_id, %(by_lot)s
                    HAVING SUM(qty_shipped) > 0
                   ) AS line
           ) AS line
     WHERE member IS NOT NULL
  GROUP BY member, week
"""
# For each member: sums of the last weeks and of the time before, and its dispersion (Laney).
SUMS = """
    SELECT week.member, %(of)s AS of,
           %(looks)s,
           COALESCE(SUM(week.count) FILTER (WHERE is_base), 0),
           COALESCE(SUM(week.total) FILTER (WHERE is_base), 0)::float8,
           COUNT(*) FILTER (WHERE is_base),
           AVG(ABS(score - before)) FILTER (WHERE is_base)
      FROM (
            SELECT scored.*,
                   LAG(score) OVER (PARTITION BY member, is_base ORDER BY week DESC) AS before
              FROM (
                    SELECT rated.*,
                           (count / total - centre)
                           / NULLIF(SQRT(centre * (1 - centre) / total), 0) AS score
                      FROM (
                            SELECT known.*,
                                   SUM(count) FILTER (WHERE is_base) OVER of_member
                                   / SUM(total) FILTER (WHERE is_base) OVER of_member AS centre
                              FROM (
                                    SELECT member, week, count::float8, total,
                                           week >= %(recent)s AS is_base
                                      FROM sale_return_watch_week
                                   ) AS known
                            WINDOW of_member AS (PARTITION BY member)
                           ) AS rated
                   ) AS scored
           ) AS week
           %(joins)s
  GROUP BY week.member, 2
"""


class SaleReturnWatch(models.AbstractModel):
    _inherit = 'sale.return.watch'

    @api.model
    def _find_rate(self, rule):
        """Find members whose order lines come back more than they should.

        :return: `{member: values of an alert}`
        """
        # Days that are over in every time zone.
        end = fields.Datetime.today() - timedelta(days=rule.age_days)
        self._make_weeks(rule, end)
        members = self._get_sums(rule)
        found = getattr(self, f'_judge_{rule.method}')(rule, members)
        self._add_points(rule, found, end)
        self.env.cr.execute("DROP TABLE sale_return_watch_week")
        if rule.dimension == 'lot':
            for vals in found.values():
                vals['proposal'] = 'stop_selling'
        return found

    def _make_weeks(self, rule, end):
        self.env.flush_all()
        self.env.cr.execute("DROP TABLE IF EXISTS sale_return_watch_week")
        # Millions of order lines are added up in memory rather than on disk.
        self.env.cr.execute("SET LOCAL work_mem = '128MB'")
        self.env.cr.execute(
            SQL(
                WEEKS,
                member=SQL(COLUMNS[rule.dimension][0]),
                by_lot=SQL("lot_id" if rule.dimension == 'lot' else "NULL::int"),
                facts=self.env['sale.return.fact']._get_query(),
                company=rule.company_id.id,
                start=end - timedelta(weeks=ALL_WEEKS),
                end=end,
                age=timedelta(days=rule.age_days),
            )
        )

    def _get_sums(self, rule):
        """Return `{member: {looks, base, of, sigma, known}}`; sums are pairs `(count, total)`."""
        _column, of, joins = COLUMNS[rule.dimension]
        looks = [*LOOKS, OTHERS_WEEKS]
        sums = [
            SQL(
                "COALESCE(SUM(week.count) FILTER (WHERE week < %(weeks)s), 0),"
                " COALESCE(SUM(week.total) FILTER (WHERE week < %(weeks)s), 0)::float8",
                weeks=weeks,
            )
            for weeks in looks
        ]
        self.env.cr.execute(
            SQL(SUMS, of=SQL(of), joins=SQL(joins), looks=SQL(", ").join(sums), recent=max(LOOKS))
        )
        members = {}
        for member, group, *values in self.env.cr.fetchall():
            *pairs, base, lines, weeks, restless = values
            pairs = list(zip(pairs[::2], pairs[1::2], strict=True))
            members[member] = {
                'of': group,
                'looks': dict(zip(looks, pairs, strict=True)),
                'base': (base, lines),
                'known': lines >= LEAST_LINES and weeks >= LEAST_WEEKS,
                'weeks': weeks,
                'variance': ((restless or 0.0) / stats.MOVING_RANGE_D2) ** 2,
                'sigma': max((restless or 0.0) / stats.MOVING_RANGE_D2, 1.0),
            }
        return members

    # === JUDGE === #

    def _judge_change(self, rule, members):
        """Compare the last weeks with the past of the member, and with what is known of its group.

        Three spans, the last week, four and twelve weeks, find sudden and slow changes;
        the strongest one is reported, and the three are tested together (Simes).
        """
        groups, priors, usual = self._get_groups(members)
        found = []
        for member, values in members.items():
            base, basis = values['base'], 'change'
            group, prior = groups[values['of']], priors.get(values['of'], priors.get(ALL))
            spread = self._get_dispersion(values, usual)
            if not values['known']:
                basis = 'group'
                if not prior:
                    # Its group stands in for its past.
                    base = tuple(of - own for of, own in zip(group['base'], base, strict=True))
                    spread = group['sigma'] ** 2
            longest = values['looks'][max(LOOKS)]
            if longest[1] < rule.minimum or base[1] + sum(prior or ()) < LEAST_LINES:
                continue
            if prior:
                judge, least, known = (
                    signals.predicted_p_value,
                    signals.least_predicted_p_value,
                    (base, prior, spread),
                )
            else:
                judge, least, known = signals.rise_p_value, signals.least_p_value, (base, spread)
            p_values = {weeks: judge(values['looks'][weeks], *known) for weeks in LOOKS}
            weeks = min(p_values, key=p_values.get)
            recent = values['looks'][weeks]
            before = base if basis == 'change' else group['base']
            p_value = signals.simes(list(p_values.values()))
            found.append(
                (member, recent, before, weeks, basis, p_value, spread**0.5, least(longest, *known))
            )
        return self._prepare_signals(found)

    def _get_groups(self, members):
        """Return the past of each group, what it says of a member, and how restless members are.

        :return: `({group: {base, sigma}}, {group: prior}, variance)`; `ALL` is the group of all,
            and groups of few members say nothing of another.
        """
        groups, rates, variances = {}, {}, []
        for values in members.values():
            group = groups.setdefault(values['of'], {'base': (0.0, 0.0), 'sigma': 1.0})
            group['base'] = tuple(
                of + own for of, own in zip(group['base'], values['base'], strict=True)
            )
            group['sigma'] = max(group['sigma'], values['variance'] ** 0.5)
            if values['known']:
                for key in (values['of'], ALL):
                    rates.setdefault(key, []).append(values['base'])
                if values['base'][0]:
                    variances += [values['variance']] * values['weeks']
        priors = {
            key: stats.beta_prior(pairs)
            for key, pairs in rates.items()
            if len(pairs) >= LEAST_MEMBERS
        }
        usual = sum(variances) / len(variances) if variances else None
        return groups, priors, usual

    def _get_dispersion(self, values, usual):
        """Return Laney's sigma_z² of a member, drawn towards that of all by half a year of weeks.

        Few moving ranges say little, and one week in which all came back at once makes it large.
        """
        if not values['known']:
            return max(usual or 1.0, 1.0)
        weeks, variance = values['weeks'], values['variance']
        if usual is not None:
            variance = (weeks * variance + USUAL_WEEKS * usual) / (weeks + USUAL_WEEKS)
        return max(variance, 1.0)

    def _judge_others(self, rule, members):
        """Compare each member with the others of its group, by the limits of a funnel."""
        groups, found = {}, []
        for member, values in members.items():
            groups.setdefault(values['of'], []).append((member, values['looks'][OTHERS_WEEKS]))
        for group in groups.values():
            p_values, phi = signals.funnel_p_values([pair for _member, pair in group], rule.minimum)
            count_all = sum(count for _member, (count, _total) in group)
            total_all = sum(total for _member, (_count, total) in group)
            for (member, (count, total)), p_value in zip(group, p_values, strict=True):
                if p_value is not None and total_all > total:
                    pair = (count, total), (count_all - count, total_all - total)
                    least = signals.least_p_value(*pair, phi)
                    found.append((member, *pair, OTHERS_WEEKS, 'others', p_value, phi**0.5, least))
        return self._prepare_signals(found)

    def _judge_threshold(self, rule, members):
        """Find members whose rate is above the limit, by more than chance explains."""
        limit = rule.limit / 100
        result = {}
        for member, values in members.items():
            count, total = values['looks'][max(LOOKS)]
            if total >= rule.minimum and stats.wilson(count, total)[0] > limit:
                result[member] = self._prepare_signal(
                    (count, total), (limit, 1.0), max(LOOKS), 'threshold', 0.0, values['sigma']
                )
        return result

    def _prepare_signals(self, found):
        """Keep the signals that are not due to chance, among all tests (Benjamini and Hochberg)."""
        bound = signals.testable([row[7] for row in found], FALSE_ALARMS)
        tested = [row for row in found if row[7] <= bound]
        alarms = stats.benjamini_hochberg([row[5] for row in tested], FALSE_ALARMS)
        return {
            row[0]: self._prepare_signal(*row[1:7])
            for row, is_alarm in zip(tested, alarms, strict=True)
            if is_alarm
        }

    def _prepare_signal(self, recent, base, weeks, basis, p_value, sigma):
        return {
            'basis': basis,
            'weeks': weeks,
            'value': 100 * stats.rate(*recent),
            'usual': 100 * stats.rate(*base),
            'count': recent[0],
            'total': recent[1],
            'p_value': p_value,
            'points': [],
            'sigma': sigma,
        }

    def _add_points(self, rule, found, end):
        """Add to signals their weekly points, with the limits of Laney's chart."""
        weeks = {}
        if found:
            self.env.cr.execute(
                SQL(
                    "SELECT member, week, count::float8, total FROM sale_return_watch_week"
                    " WHERE member IN %s AND week < %s ORDER BY week DESC",
                    tuple(found),
                    OTHERS_WEEKS,
                )
            )
            for member, *row in self.env.cr.fetchall():
                weeks.setdefault(member, []).append(row)
        for member, vals in found.items():
            centre, sigma = vals['usual'] / 100, vals.pop('sigma')
            for week, count, total in weeks.get(member, ()):
                margin = 3 * (centre * (1 - centre) / total) ** 0.5 * sigma
                vals['points'].append(
                    {
                        'date': (end - timedelta(weeks=week + 1)).date(),
                        'count': count,
                        'total': total,
                        'value': 100 * count / total,
                        'low': 100 * max(centre - margin, 0.0),
                        'centre': 100 * centre,
                        'high': 100 * min(centre + margin, 1.0),
                    }
                )
