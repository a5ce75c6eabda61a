import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools import forecast, stats

_logger = logging.getLogger(__name__)

# Weeks of order lines that are read.
ALL_WEEKS = 104
# Past forecasts are made again at these weeks, each from what was known then. The first one is
# judged by intervals that the others give, which were over before it began.
CHECKED, LEARNED = 8, (16, 20, 24, 28)
# Smallest forecast of a week that is kept, in units.
LEAST_UNITS = 0.005
# One in a thousand order lines, and all that are twenty times as large as nine of ten, are larger
# than what a line counts for. A product whose lines are usually large may have larger ones.
GIANT_SHARE, GIANT_MUCH = 0.999, 20
GIANT_TIMES, GIANT_LINES = 10, 20
# The share of a product's returns that is fit for sale is drawn towards the share of all products,
# as if this many more units had been inspected.
INSPECTED_PRIOR = 10.0
# Age at which a forecast is made again.
FRESH = timedelta(hours=12)
# Rows that are written at a time.
CHUNK = 20_000

LINES = """
    CREATE TEMPORARY TABLE sale_return_forecast_line ON COMMIT DROP AS
    SELECT sale_line_id, MAX(product_id) AS product_id,
           COALESCE(MAX(warehouse_id), 0) AS warehouse_id,
           FLOOR(EXTRACT(EPOCH FROM %(end)s - MIN(date_sale)) / 604800)::int AS week,
           SUM(qty_shipped)::float8 AS units
      FROM (%(facts)s) AS fact
     WHERE company_id = %(company)s AND kind = 'shipped' AND qty_shipped > 0
       AND date_sale >= %(start)s AND date_sale < %(end)s
  GROUP BY sale_line_id
"""
# By how much a line counts less than it is, for the few that are giant.
GIANTS = """
    CREATE TEMPORARY TABLE sale_return_forecast_giant ON COMMIT DROP AS
      WITH usual AS (
            SELECT LEAST(
                       PERCENTILE_DISC(%(share)s) WITHIN GROUP (ORDER BY units),
                       %(much)s * PERCENTILE_DISC(0.9) WITHIN GROUP (ORDER BY units)
                   ) AS units
              FROM sale_return_forecast_line
           ),
           product AS (
            SELECT line.product_id,
                   GREATEST(MAX(usual.units), CASE WHEN COUNT(*) >= %(lines)s THEN
                       %(times)s * PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY line.units)
                   END) AS units
              FROM sale_return_forecast_line AS line CROSS JOIN usual
             WHERE line.product_id IN (
                   SELECT giant.product_id FROM sale_return_forecast_line AS giant
                    WHERE giant.units > usual.units
                   )
          GROUP BY line.product_id
           )
    SELECT line.sale_line_id, product.units / line.units AS share
      FROM sale_return_forecast_line AS line
      JOIN product ON product.product_id = line.product_id
     WHERE line.units > product.units
"""
SOLD = """
    CREATE TEMPORARY TABLE sale_return_forecast_sold ON COMMIT DROP AS
    SELECT product_id, warehouse_id, week, COUNT(*)::float8 AS lines,
           SUM(units * COALESCE(giant.share, 1)) AS units
      FROM sale_return_forecast_line AS line
 LEFT JOIN sale_return_forecast_giant AS giant ON giant.sale_line_id = line.sale_line_id
  GROUP BY product_id, warehouse_id, week
"""
BACK = """
    CREATE TEMPORARY TABLE sale_return_forecast_back ON COMMIT DROP AS
    SELECT line.product_id, line.warehouse_id, line.week,
           LEAST(GREATEST(line.week - FLOOR(
               EXTRACT(EPOCH FROM %(end)s - fact.date_return) / 604800
           )::int, 0), line.week) AS age,
           SUM(fact.qty_returned / line.units)::float8 AS lines,
           SUM(fact.qty_returned * COALESCE(giant.share, 1))::float8 AS units
      FROM (%(facts)s) AS fact
      JOIN sale_return_forecast_line AS line ON line.sale_line_id = fact.sale_line_id
 LEFT JOIN sale_return_forecast_giant AS giant ON giant.sale_line_id = line.sale_line_id
     WHERE fact.company_id = %(company)s AND fact.kind = 'returned'
       AND fact.qty_returned > 0 AND fact.date_return < %(end)s
  GROUP BY 1, 2, 3, 4
"""
TABLES = ('line', 'giant', 'sold', 'back', 'curve', 'shape')
# The groups that have curves, most special last.
GROUPS = {'company': "0", 'category': "template.categ_id", 'product': "fact.product_id"}
JOINS = """
    JOIN product_product AS product ON product.id = fact.product_id
    JOIN product_template AS template ON template.id = product.product_tmpl_id
"""
COLUMNS = (
    'run_id',
    'company_id',
    'product_id',
    'warehouse_id',
    'date',
    'week',
    'expected',
    'from_shipped',
    'from_planned',
    'low',
    'high',
    'saleable',
    'basis',
    'returned_lines',
)
# What is known of each product and warehouse at the end of a week, with what was still to come.
MEMBERS = """
      WITH sold AS (
            SELECT sold.product_id, sold.warehouse_id, MAX(curve.key) AS key,
                   SUM(sold.lines * curve.seen[LEAST(week - %(origin)s, %(ages)s) + 1]) AS said,
                   SUM(sold.units) FILTER (WHERE week - %(origin)s <= %(ages)s) AS units,
                   COALESCE(SUM(sold.units) FILTER (WHERE week < %(origin)s + %(recent)s), 0)
                   / %(recent)s AS weekly,
                   %(shipped)s
              FROM sale_return_forecast_sold AS sold
              JOIN sale_return_forecast_curve AS curve ON curve.product_id = sold.product_id
             WHERE week >= %(origin)s
          GROUP BY sold.product_id, sold.warehouse_id
           ),
           back AS (
            SELECT product_id, warehouse_id,
                   SUM(lines) FILTER (WHERE week - age >= %(origin)s AND age <= %(ages)s) AS seen,
                   SUM(units) FILTER (
                       WHERE week - age >= %(origin)s AND week - %(origin)s <= %(ages)s
                   ) AS units,
                   SUM(units) FILTER (WHERE week - age = %(origin)s) AS last,
                   SUM(units) FILTER (
                       WHERE week - age >= %(origin)s AND week - age < %(origin)s + %(recent)s
                   ) / %(recent)s AS average,
                   %(seen)s
              FROM sale_return_forecast_back
             WHERE week - age >= %(origin)s - %(weeks)s
          GROUP BY product_id, warehouse_id
           )
    SELECT sold.product_id, sold.warehouse_id, sold.key, said, COALESCE(seen, 0),
           GREATEST(sold.units - COALESCE(back.units, 0), 0), weekly,
           COALESCE(last, 0), COALESCE(average, 0), ARRAY[%(shipped_names)s], ARRAY[%(seen_names)s]
      FROM sold
 LEFT JOIN back ON back.product_id = sold.product_id AND back.warehouse_id = sold.warehouse_id
"""


class SaleReturnForecaster(models.AbstractModel):
    """Service: foresee how many units come back, by product, warehouse and week.

    Weeks are seven days that end at midnight of today, UTC: all of them are over or to come.
    """

    _name = 'sale.return.forecaster'
    _description = "Forecaster of Returns"

    @api.model
    def _cron_forecast(self):
        """Foresee the returns of all companies."""
        if not self.env['sale.return.watch']._is_on():
            return
        # sudo: the forecast is written by this service alone.
        runs = self.env['sale.return.forecast.run'].sudo()
        companies = self.env['res.company'].sudo().search([]) - runs.search([]).company_id
        runs.create([{'company_id': company.id} for company in companies])
        # A job that is continued leaves out what it has done tonight.
        before = fields.Datetime.now() - FRESH
        stale = runs.search(['|', ('date', '=', False), ('date', '<', before)])
        self.env['sale.return.job']._work_off(
            stale, lambda free: self._forecast_companies(free.company_id)
        )

    @api.model
    def _forecast_companies(self, companies):
        """Foresee the returns of companies, and tell reordering rules."""
        for company in companies:
            self.with_company(company)._forecast_company(company)
        self._tell_orderpoints(companies)

    @api.model
    def _tell_orderpoints(self, companies=None):
        """Have reordering rules that count what is expected back say anew what they order.

        :param companies: those of which rules are told, None: all.
        """
        # sudo: rules of all warehouses are told, whoever has the forecast made or switched off.
        orderpoints = self.env['stock.warehouse.orderpoint'].sudo()
        domain = [('sale_return_forecast', '=', True)]
        if companies is not None:
            domain.append(('company_id', 'in', companies.ids))
        orderpoints.search(domain)._compute_qty_to_order_computed()

    @api.model
    def _forecast_company(self, company):
        """Foresee the returns of a company: its run with the weeks, and rows for each product.

        :return: `sale.return.forecast.run`
        """
        end = self._read(company)
        sums = self._get_all_sums()
        learned = [self._foresee(origin, sums) for origin in LEARNED]
        checked = self._foresee(CHECKED, sums)
        now = self._foresee(0, sums)
        shares = self._get_saleable_shares(company)
        self._forget()
        return self._keep(company, end, learned, checked, now, shares)

    # === READING === #

    @api.model
    def _read(self, company):
        """Read what a company sold, and what came back, into temporary tables.

        :return: the end of the last week.
        """
        end = fields.Datetime.today()
        self._forget()
        self.env.flush_all()
        # Millions of order lines are added up in memory rather than on disk.
        self.env.cr.execute("SET LOCAL work_mem = '128MB'")
        values = {
            'facts': self.env['sale.return.fact']._get_query(),
            'company': company.id,
            'start': end - timedelta(weeks=ALL_WEEKS),
            'end': end,
        }
        cr = self.env.cr
        cr.execute(SQL(LINES, **values))
        cr.execute("ANALYZE sale_return_forecast_line")
        cr.execute(
            SQL(GIANTS, share=GIANT_SHARE, much=GIANT_MUCH, times=GIANT_TIMES, lines=GIANT_LINES)
        )
        cr.execute(SQL(SOLD))
        cr.execute(SQL(BACK, **values))
        cr.execute("ANALYZE sale_return_forecast_sold")
        cr.execute("ANALYZE sale_return_forecast_back")
        return end

    def _forget(self):
        for name in TABLES:
            self.env.cr.execute(
                SQL("DROP TABLE IF EXISTS %s", SQL.identifier(f'sale_return_forecast_{name}'))
            )

    def _get_sums(self, table, columns, group):
        """Return `{group: {place: (lines, units)}}` of groups of which enough came back."""
        keys = SQL(", ").join(SQL.identifier('fact', name) for name in columns)
        self.env.cr.execute(
            SQL(
                """
                  WITH known AS (
                        SELECT %(group)s AS member
                          FROM sale_return_forecast_back AS fact %(joins)s
                      GROUP BY 1 HAVING SUM(fact.lines) >= %(least)s
                       )
                SELECT %(group)s AS member, %(keys)s, SUM(fact.lines), SUM(fact.units)
                  FROM %(table)s AS fact %(joins)s
                 WHERE %(group)s IN (SELECT member FROM known)
              GROUP BY member, %(keys)s
                """,
                group=SQL(GROUPS[group]),
                joins=SQL(JOINS if group == 'category' else ""),
                keys=keys,
                table=SQL.identifier(f'sale_return_forecast_{table}'),
                least=0 if group == 'company' else forecast.LEAST_RETURNS,
            )
        )
        result = {}
        for member, *place, lines, units in self.env.cr.fetchall():
            place = place[0] if len(place) == 1 else tuple(place)
            result.setdefault(member, {})[place] = (lines, units)
        return result

    def _get_all_sums(self):
        """Return `{group: (what was sold, what came back)}`, see `_get_sums`."""
        return {
            group: (
                self._get_sums('sold', ['week'], group),
                self._get_sums('back', ['week', 'age'], group),
            )
            for group in GROUPS
        }

    # === CURVES === #

    def _make_curves(self, origin, sums):
        """Give each product its curve at a week: its own, that of its category or of the company.

        :return: `({key: (basis, densities of units, their sums)}, level of the company)`
        """
        curves = {}
        for basis in GROUPS:
            sold, back = sums[basis]
            for member, places in back.items():
                known = {
                    (week, age): values
                    for (week, age), values in places.items()
                    if week - age >= origin
                }
                lines = sum(values[0] for values in known.values())
                if basis == 'company' or lines >= forecast.LEAST_RETURNS:
                    curves[basis, member] = self._make_curve(sold[member], known, origin)
        if ('company', 0) not in curves:
            curves['company', 0] = ([0.0] * (forecast.AGES + 1),) * 2
        sold, back = (places.get(0, {}) for places in sums['company'])
        # By order lines, so that a large one does not raise what is expected of all others.
        level = forecast.level(
            {week: lines for week, (lines, _units) in sold.items()},
            {place: lines for place, (lines, _units) in back.items()},
            forecast.differences(curves['company', 0][0]),
            origin,
        )
        keys = dict(enumerate(curves))
        self._store_curves(keys, curves)
        return {
            key: (group[0], curves[group][1], forecast.totals(curves[group][1]))
            for key, group in keys.items()
        }, level

    def _make_curve(self, sold, back, origin):
        """Return the sums of the densities of lines, and the densities of units."""
        lines, units = (
            forecast.densities(
                forecast.hazards(
                    {week: values[place] for week, values in sold.items() if week >= origin},
                    {place_: values[place] for place_, values in back.items()},
                    origin,
                )
            )
            for place in (0, 1)
        )
        return forecast.totals(lines), units

    def _store_curves(self, keys, curves):
        cr = self.env.cr
        cr.execute("DROP TABLE IF EXISTS sale_return_forecast_curve")
        cr.execute("DROP TABLE IF EXISTS sale_return_forecast_shape")
        cr.execute(
            "CREATE TEMPORARY TABLE sale_return_forecast_shape ("
            " key int, basis varchar, member int, seen float8[], shares float8[]"
            ") ON COMMIT DROP"
        )
        for key, group in keys.items():
            # One per category and per product of which much comes back: few.
            cr.execute(
                SQL(
                    "INSERT INTO sale_return_forecast_shape VALUES (%s, %s, %s, %s, %s)",
                    key,
                    *group,
                    *curves[group],
                )
            )
        cr.execute(
            """
            CREATE TEMPORARY TABLE sale_return_forecast_curve ON COMMIT DROP AS
            SELECT sold.product_id, shape.key, shape.seen, shape.shares
              FROM (SELECT DISTINCT product_id FROM sale_return_forecast_sold) AS sold
         LEFT JOIN product_product AS product ON product.id = sold.product_id
         LEFT JOIN product_template AS template ON template.id = product.product_tmpl_id
         LEFT JOIN sale_return_forecast_shape AS own
                ON own.basis = 'product' AND own.member = sold.product_id
         LEFT JOIN sale_return_forecast_shape AS group_
                ON group_.basis = 'category' AND group_.member = template.categ_id
              JOIN sale_return_forecast_shape AS shape
                ON shape.key = COALESCE(own.key, group_.key, (
                    SELECT company.key FROM sale_return_forecast_shape AS company
                     WHERE company.basis = 'company'
                   ))
            """
        )

    # === FORESEEING === #

    def _foresee(self, origin, sums):
        """Foresee the weeks after a week from what was known at its end.

        :return: list of dicts of each product and warehouse: `shipped` and `planned` units of each
            week (of what was sold by then, and of what is sold as in the last weeks), `seen` units
            (known of past weeks), `last` and `average` week before, `basis`, and `count` of lines.
        """
        curves, level = self._make_curves(origin, sums)
        result = []
        for row in self._query_members(origin):
            product, warehouse, key, said, count, left, weekly, last, average, units, seen = row
            basis, _shares, share_sums = curves[key]
            factor = forecast.rate_factor(count, said) * level
            total = factor * sum(units)
            # No more comes back than is still out.
            shipped = factor * min(left / total, 1.0) if total > 0 else 0.0
            result.append(
                {
                    'product_id': product,
                    'warehouse_id': warehouse,
                    'basis': basis,
                    'count': count,
                    'shipped': [shipped * value for value in units],
                    'planned': [
                        min(factor * share_sums[min(week, forecast.AGES)], 1.0) * weekly
                        for week in range(forecast.WEEKS)
                    ],
                    'seen': seen,
                    'last': last,
                    'average': average,
                }
            )
        return result

    def _query_members(self, origin):
        """Return what is known of each product and warehouse at a week, as rows of `MEMBERS`."""
        weeks = range(1, forecast.WEEKS + 1)
        names = [SQL.identifier(f'shipped_{week}') for week in weeks]
        seen = [SQL.identifier(f'seen_{week}') for week in weeks]
        self.env.cr.execute(
            SQL(
                MEMBERS,
                origin=origin,
                ages=forecast.AGES,
                recent=forecast.RECENT,
                weeks=forecast.WEEKS,
                shipped=SQL(", ").join(
                    SQL(
                        "COALESCE(SUM(sold.units * curve.shares[week - %s + %s]), 0) AS %s",
                        origin,
                        week + 1,
                        name,
                    )
                    for week, name in zip(weeks, names, strict=True)
                ),
                seen=SQL(", ").join(
                    SQL(
                        "COALESCE(SUM(units) FILTER (WHERE week - age = %s), 0) AS %s",
                        origin - week,
                        name,
                    )
                    for week, name in zip(weeks, seen, strict=True)
                ),
                shipped_names=SQL(", ").join(names),
                seen_names=SQL(", ").join(SQL("COALESCE(%s, 0)", name) for name in seen),
            )
        )
        return self.env.cr.fetchall()

    def _get_saleable_shares(self, company):
        """Return the share of what comes back that is put back into stock, by product.

        :return: `({product id: share}, share of the others)`; nothing is, while nothing is known.
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT fact.product_id,
                       SUM(fact.qty_returned) FILTER (WHERE disposition.action = 'restock'),
                       SUM(fact.qty_returned)
                  FROM (%s) AS fact
                  JOIN sale_return_disposition AS disposition
                    ON disposition.id = fact.disposition_id
                 WHERE fact.company_id = %s AND fact.kind = 'returned'
              GROUP BY fact.product_id
                """,
                self.env['sale.return.fact']._get_query(),
                company.id,
            )
        )
        rows = [(row[0], row[1] or 0.0, row[2] or 0.0) for row in self.env.cr.fetchall()]
        total_all = sum(total for _product, _good, total in rows)
        if total_all <= 0:
            return {}, 0.0
        usual = min(max(sum(good for _product, good, _total in rows) / total_all, 0.0), 1.0)
        prior = INSPECTED_PRIOR * usual, INSPECTED_PRIOR * (1 - usual)
        return {product: stats.shrink(good, total, prior) for product, good, total in rows}, usual

    # === JUDGING AND KEEPING === #

    @api.model
    def _judge(self, learned, checked):
        """Compare a past forecast with what came back, beside two simple ones.

        :param learned: what older forecasts were, which give the intervals.
        :param checked: what the forecast to be judged was.
        :return: dict of `dispersion`, `bounds`, and the errors and shares of the run.
        """
        spread = forecast.dispersion([pair for rows in learned for pair in get_pairs(rows)])
        bounds = forecast.ratio_bounds([pair for rows in learned for pair in get_week_pairs(rows)])
        weeks = [(said, seen) for said, seen in get_week_pairs(checked) if said > 0]
        inside = sum(said * bounds[0] <= seen <= said * bounds[1] for said, seen in weeks)
        return {
            'wape': forecast.wape(get_pairs(checked)),
            'wape_naive': forecast.wape(get_pairs(checked, 'last')),
            'wape_average': forecast.wape(get_pairs(checked, 'average')),
            'coverage': forecast.coverage(get_pairs(checked), spread),
            'coverage_weeks': inside / len(weeks) if weeks else None,
        }

    def _keep(self, company, end, learned, checked, now, shares):
        """Replace the forecast of a company."""
        judged = self._judge(learned, checked)
        every = [*learned, checked]
        spread = forecast.dispersion([pair for rows in every for pair in get_pairs(rows)])
        bounds = forecast.ratio_bounds([pair for rows in every for pair in get_week_pairs(rows)])
        # sudo: as in the job.
        runs = self.env['sale.return.forecast.run'].sudo()
        run = runs.search([('company_id', '=', company.id)]) or runs.create(
            {'company_id': company.id}
        )
        run.write(
            {
                'date': fields.Datetime.now(),
                'product_count': len(now),
                **{name: 100 * (value or 0.0) for name, value in judged.items()},
                'is_judged': judged['wape'] is not None,
                'week_ids': [
                    fields.Command.clear(),
                    *(
                        fields.Command.create(vals)
                        for vals in self._prepare_weeks(end, checked, now, bounds)
                    ),
                ],
            }
        )
        self.env.cr.execute(
            SQL("DELETE FROM sale_return_forecast WHERE company_id = %s", company.id)
        )
        rows = list(self._get_rows(run, end, now, spread, shares))
        for start in range(0, len(rows), CHUNK):
            columns = [list(column) for column in zip(*rows[start : start + CHUNK], strict=True)]
            # A few calls of many rows each: one insert for all would be a text of 100 MB.
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO sale_return_forecast (%s)
                    SELECT * FROM UNNEST(
                        %s::int[], %s::int[], %s::int[], %s::int[], %s::date[], %s::int[],
                        %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[],
                        %s::float8[], %s::varchar[], %s::float8[]
                    )
                    """,
                    SQL(", ").join(map(SQL.identifier, COLUMNS)),
                    *columns,
                )
            )
        self.env.invalidate_all()
        _logger.info("Forecast of returns of company %s: %s rows.", company.id, len(rows))
        return run

    def _prepare_weeks(self, end, checked, now, bounds):
        """Return the values of the weeks of a run: those of the past as they were foreseen."""
        for number, (said, seen) in enumerate(get_week_pairs(checked)):
            yield {
                'date': end - timedelta(weeks=CHECKED - number),
                'expected': said,
                'low': said * bounds[0],
                'high': said * bounds[1],
                'actual': seen,
                'is_past': True,
            }
        for number in range(forecast.WEEKS):
            shipped = sum(row['shipped'][number] for row in now)
            planned = sum(row['planned'][number] for row in now)
            yield {
                'date': end + timedelta(weeks=number),
                'expected': shipped + planned,
                'from_shipped': shipped,
                'from_planned': planned,
                'low': (shipped + planned) * bounds[0],
                'high': (shipped + planned) * bounds[1],
            }

    def _get_rows(self, run, end, now, spread, shares):
        """Yield the values of `COLUMNS` of each product, warehouse and week."""
        of_product, usual = shares
        # Facts outlive what they are about.
        products, warehouses = (
            set(self.env[model].browse({row[name] for row in now if row[name]}).exists().ids)
            for model, name in (
                ('product.product', 'product_id'),
                ('stock.warehouse', 'warehouse_id'),
            )
        )
        for row in now:
            if row['product_id'] not in products:
                continue
            saleable = of_product.get(row['product_id'], usual)
            for number in range(forecast.WEEKS):
                shipped, planned = row['shipped'][number], row['planned'][number]
                expected = shipped + planned
                if expected < LEAST_UNITS:
                    continue
                low, high = forecast.interval(expected, spread)
                yield (
                    run.id,
                    run.company_id.id,
                    row['product_id'],
                    row['warehouse_id'] if row['warehouse_id'] in warehouses else None,
                    (end + timedelta(weeks=number)).date(),
                    number + 1,
                    expected,
                    shipped,
                    planned,
                    low,
                    high,
                    saleable * shipped,
                    row['basis'],
                    row['count'],
                )


def get_pairs(rows, name=None):
    """Return what was foreseen of each product, and what came back, in the weeks after the next.

    :param name: the forecast to be taken: `last` week or `average` of weeks, else ours.
    """
    return [
        (
            (forecast.WEEKS - 1) * row[name]
            if name
            else sum(row['shipped'][1:]) + sum(row['planned'][1:]),
            sum(row['seen'][1:]),
        )
        for row in rows
    ]


def get_week_pairs(rows):
    """Return what was foreseen of all products, and what came back, for each week."""
    return [
        (
            sum(row['shipped'][number] + row['planned'][number] for row in rows),
            sum(row['seen'][number] for row in rows),
        )
        for number in range(forecast.WEEKS)
    ]
