from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools import scenario as tool

# One order line is giant when it is so many times as large as the usual one, and at least such a
# share of all that was delivered or returned.
GIANT_TIMES, GIANT_SHARE = 50, 0.1
# Giant lines that are named.
MOST_GIANTS = 20
# Flows that a scenario keeps, so that the next change need not read what happened.
MOST_KEPT = 20_000

# Return lines with credit notes of the period.
CREDITED = """
    SELECT sale_return_line_id
      FROM account_move_line
     WHERE sale_return_line_id IS NOT NULL
       AND parent_state = 'posted'
       AND company_id = %(company)s
       AND date BETWEEN %(start)s AND %(end)s
"""
# What came and left until the end of the period, and later for what was credited in it. By the
# return line: it is read once, for goods and for dates.
MOVES = """
    CREATE TEMPORARY TABLE sale_return_scenario_move ON COMMIT DROP AS
    SELECT move.sale_return_line_id AS line_id,
           move.product_id,
           (move.date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS day,
           CASE WHEN result.id IS NOT NULL THEN disposition.action
                WHEN source.is_quarantine AND NOT target.is_customer THEN 'other'
                ELSE 'in' END AS way,
           -- Receipts that were undone, and goods that came back to be inspected again.
           CASE WHEN source.is_quarantine AND target.is_customer AND result.id IS NULL THEN -1
                WHEN target.is_quarantine AND result.id IS NOT NULL THEN -1
                ELSE 1 END
           * move.quantity * move_uom.factor / product_uom.factor AS units,
           move.value,
           grade.code AS grade
      FROM stock_move AS move
      JOIN sale_return_line AS line ON line.id = move.sale_return_line_id
      JOIN sale_return ON sale_return.id = line.return_id
      JOIN product_product AS moved ON moved.id = move.product_id
      JOIN product_template AS moved_template ON moved_template.id = moved.product_tmpl_id
      JOIN uom_uom AS product_uom ON product_uom.id = moved_template.uom_id
      JOIN uom_uom AS move_uom ON move_uom.id = move.product_uom
      JOIN product_product AS product ON product.id = line.product_id
      JOIN product_template AS template ON template.id = product.product_tmpl_id
      JOIN (%(places)s) AS source ON source.id = move.location_id
      JOIN (%(places)s) AS target ON target.id = move.location_dest_id
 LEFT JOIN sale_return_inspection AS result ON result.id = move.sale_return_inspection_id
 LEFT JOIN sale_return_disposition AS disposition ON disposition.id = result.disposition_id
 LEFT JOIN sale_return_grade AS grade ON grade.id = result.grade_id
     WHERE move.state = 'done'
       AND move.sale_return_line_id IS NOT NULL
       AND move.company_id = %(company)s
       AND source.is_quarantine != target.is_quarantine
       AND (move.date < %(ends)s OR move.sale_return_line_id IN (%(credited)s))
       AND %(scope)s
"""
PLACES = """
    SELECT id,
           id = ANY(%(quarantines)s) AS is_quarantine,
           id = ANY(%(customers)s) AS is_customer
      FROM stock_location
"""
# When what happened to each return line, on days of the company.
LINES = """
    CREATE TEMPORARY TABLE sale_return_scenario_line ON COMMIT DROP AS
    SELECT line.id,
           (line.delivered_on AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS delivered,
           (COALESCE(log.date, sale_return.create_date)
               AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS requested,
           (sale_return.date_dispatched AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date
               AS dispatched,
           receipt.day AS received,
           (result.date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS inspected
      FROM sale_return_line AS line
      JOIN sale_return ON sale_return.id = line.return_id
      JOIN product_product AS product ON product.id = line.product_id
      JOIN product_template AS template ON template.id = product.product_tmpl_id
 LEFT JOIN (
           SELECT return_id, MIN(date) AS date
             FROM sale_return_event
            WHERE kind = 'state' AND state_to = 'submitted'
         GROUP BY return_id
           ) AS log ON log.return_id = sale_return.id
 LEFT JOIN (
           SELECT line_id, MIN(day) AS day
             FROM sale_return_scenario_move WHERE way = 'in' AND units > 0
         GROUP BY line_id
           ) AS receipt ON receipt.line_id = line.id
 LEFT JOIN (
           SELECT line_id, MIN(date) AS date FROM sale_return_inspection GROUP BY line_id
           ) AS result ON result.line_id = line.id
     WHERE sale_return.company_id = %(company)s
       AND sale_return.state NOT IN ('draft', 'cancelled')
       AND (line.id IN (SELECT line_id FROM sale_return_scenario_move)
            OR line.id IN (%(credited)s))
       AND %(scope)s
"""
ROOMS = """
    CASE WHEN line.delivered IS NULL THEN %(request_back)s
         ELSE LEAST(GREATEST(line.requested - line.delivered, 0), %(request_back)s)
         END AS request_room,
    COALESCE(LEAST(GREATEST(line.received - line.requested, 0), %(receipt_back)s), 0)
        AS receipt_room,
    COALESCE(line.received < %(start)s, FALSE) AS is_old
"""
GOODS = """
    SELECT CASE WHEN move.day >= %(start)s THEN move.day END AS day,
           move.way,
           SUM(move.units),
           SUM(move.units * COALESCE(cost.unit, 0)),
           SUM(move.units * COALESCE(product.volume, 0)),
           move.grade,
           %(rooms)s
      FROM sale_return_scenario_move AS move
      JOIN sale_return_scenario_line AS line ON line.id = move.line_id
      JOIN product_product AS product ON product.id = move.product_id
 LEFT JOIN (
           SELECT line_id, product_id, SUM(value) / NULLIF(SUM(units), 0) AS unit
             FROM sale_return_scenario_move WHERE way = 'in' AND units > 0
         GROUP BY line_id, product_id
           ) AS cost ON cost.line_id = move.line_id AND cost.product_id = move.product_id
     WHERE move.day <= %(end)s
  GROUP BY 1, move.way, move.grade, request_room, receipt_room, is_old
  ORDER BY 1, move.way, move.grade, request_room, receipt_room, is_old
"""
# The tax of a note is split over its lines as they have it, so that nothing is lost by rounding.
MONEY = """
      WITH note AS (
            SELECT note.id, note.date AS day, -note.amount_tax_signed AS tax
              FROM account_move AS note
             WHERE note.id IN (
                   SELECT move_id FROM account_move_line WHERE sale_return_line_id IS NOT NULL
                   )
               AND note.state = 'posted'
               AND note.move_type = 'out_refund'
               AND note.company_id = %(company)s
               AND note.date BETWEEN %(start)s AND %(end)s
               AND NOT EXISTS (
                   SELECT FROM account_move AS reversal
                    WHERE reversal.reversed_entry_id = note.id
                      AND reversal.move_type = 'out_invoice'
                      AND reversal.state = 'posted'
                      AND reversal.currency_id = note.currency_id
                      AND reversal.amount_total = note.amount_total
                   )
           ),
           weighed AS (
            SELECT item.id,
                   -- What was added by hand belongs to the first return line of it.
                   COALESCE(item.sale_return_line_id,
                            MIN(item.sale_return_line_id) OVER (PARTITION BY note.id)) AS line_id,
                   COALESCE(item.sale_return_kind, CASE WHEN item.sale_return_line_id IS NULL
                                                        THEN 'added' ELSE 'goods' END) AS kind,
                   item.balance, note.id AS note_id, note.day, note.tax,
                   item.price_total - item.price_subtotal AS weight
              FROM note
              JOIN account_move_line AS item ON item.move_id = note.id
             WHERE item.display_type IN ('product', 'rounding')
           ),
           summed AS (
            SELECT weighed.*,
                   SUM(weight) OVER (PARTITION BY note_id) AS total,
                   SUM(weight) OVER (PARTITION BY note_id ORDER BY id) AS until,
                   ROW_NUMBER() OVER (PARTITION BY note_id ORDER BY id) AS number
              FROM weighed
           ),
           item AS (
            SELECT summed.day, summed.kind, summed.line_id, summed.balance + CASE
                       WHEN summed.total != 0
                       THEN ROUND(summed.tax * summed.until / summed.total, %(digits)s)
                            - ROUND(summed.tax * (summed.until - summed.weight) / summed.total,
                                    %(digits)s)
                       WHEN summed.number = 1 THEN summed.tax
                       ELSE 0 END AS amount
              FROM summed
           ),
           dated AS (
            SELECT item.day, item.kind, item.amount,
                   COALESCE(line.received <= item.day, FALSE) AS after_receipt,
                   -- What was last before the note.
                   GREATEST(item.day - GREATEST(
                       CASE WHEN line.requested <= item.day THEN line.requested END,
                       CASE WHEN line.received <= item.day THEN line.received END,
                       CASE WHEN line.inspected <= item.day THEN line.inspected END
                   ), 0) AS lag,
                   %(event)s AS other_day,
                   %(rooms)s
              FROM item
              JOIN sale_return_scenario_line AS line ON line.id = item.line_id
           )
    SELECT day, kind, SUM(amount), after_receipt,
           COALESCE(other_day + COALESCE(lag, 0) - day, 0) AS other_days,
           CASE WHEN other_day IS NULL THEN after_receipt ELSE %(event_after)s END AS other_after,
           request_room, receipt_room, LEAST(COALESCE(lag, 0), %(credit_back)s) AS credit_room,
           is_old
      FROM dated
  GROUP BY day, kind, after_receipt, other_days, other_after, request_room, receipt_room,
           credit_room, is_old
  ORDER BY day, kind, after_receipt, other_days, other_after, request_room, receipt_room,
           credit_room, is_old
"""
# `{event: (its day on a return line, whether it waits for the receipt)}`
EVENTS = {
    'request': ('requested', False),
    'dispatch': ('dispatched', False),
    'receipt': ('received', True),
    'inspection': ('inspected', True),
}
# The largest order lines of the period, and what was delivered and returned of all.
TRADE = """
      WITH line AS (
            SELECT fact.sale_line_id,
                   COALESCE(SUM(fact.qty_shipped) FILTER (
                       WHERE fact.date_delivery >= %(begins)s AND fact.date_delivery < %(ends)s
                   ), 0) AS shipped,
                   COALESCE(SUM(fact.qty_received) FILTER (
                       WHERE fact.date_return >= %(begins)s AND fact.date_return < %(ends)s
                   ), 0) AS returned
              FROM (%(facts)s) AS fact
              JOIN product_product AS product ON product.id = fact.product_id
              JOIN product_template AS template ON template.id = product.product_tmpl_id
             WHERE fact.company_id = %(company)s
               AND (fact.date_delivery >= %(begins)s AND fact.date_delivery < %(ends)s
                    OR fact.date_return >= %(begins)s AND fact.date_return < %(ends)s)
               AND %(scope)s
          GROUP BY fact.sale_line_id
           ),
           total AS (
            SELECT SUM(shipped) AS shipped, SUM(returned) AS returned,
                   COUNT(*) FILTER (WHERE returned > 0) AS lines,
                   PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY GREATEST(shipped, returned))
                       AS usual
              FROM line
           )
    SELECT total.shipped, total.returned, total.lines, giant.sale_line_id, giant.shipped,
           giant.returned
      FROM total
 LEFT JOIN LATERAL (
           SELECT * FROM line
            WHERE GREATEST(line.shipped, line.returned) > %(times)s * total.usual
              AND (line.shipped > %(share)s * total.shipped
                   OR line.returned > %(share)s * total.returned)
              AND line.sale_line_id IS NOT NULL
           ) AS giant ON TRUE
  ORDER BY GREATEST(giant.shipped, giant.returned) DESC, giant.sale_line_id
     LIMIT %(most)s
"""


class SaleReturnSimulator(models.AbstractModel):
    """Plays a scenario: reads what happened in its period, and has `tools/scenario.py` change it.

    Goods are the done moves of returns into and out of quarantine, money the posted credit notes.
    """

    _name = 'sale.return.simulator'
    _description = "Simulator of Scenarios"

    @api.model
    def _is_on(self):
        """Tell whether the settings have switched this part on."""
        return self.env['res.groups']._is_feature_enabled('sale_return.group_scenario')

    @api.model
    def _simulate(self, scenario, again=False):
        """Return what happened, what would have happened, and what this is based on.

        :param scenario: one `sale.return.scenario`, whose user may read it.
        :param bool again: read what happened again, even if the scenario knows it.
        :return: `(weeks and totals as of tools.scenario.compare, values of the scenario)`
        :rtype: tuple(dict, dict)
        """
        history = self._get_history(scenario, again)
        trade, opening = history['trade'], history['opening']
        moves, credits_ = (
            [kind(fields.Date.to_date(day), *row) for day, *row in history[name]]
            for name, kind in (('moves', tool.Move), ('credits', tool.Credit))
        )
        last = fields.Date.to_date(history['last'])
        # Both count a kit once; goods that are received are its components.
        factor = tool.get_factor(
            trade['returned'], trade['shipped'], scenario.rate_times, scenario.rate_points
        )
        change = self._get_change(scenario, scenario.rate_times if factor is None else factor)
        ways, _units = tool.find_ways(moves, change.mix or {})
        digits = scenario.currency_id.decimal_places
        compared = tool.compare(
            moves, credits_, change, (scenario.date_from, max(last, scenario.date_from)),
            opening, digits,
        )  # fmt: skip
        giants = trade['giants']
        few = len(moves) + len(credits_) <= MOST_KEPT
        return compared, {
            'history': history if few else False,
            'date_played': fields.Datetime.to_datetime(history['read_on']),
            'date_last': last,
            'shipped': trade['shipped'],
            'returned_lines': trade['lines'],
            'factor': change.factor,
            'has_rate': factor is not None,
            'has_history': bool(moves or credits_),
            'giant_units': max((max(row[1:]) for row in giants), default=0.0),
            'giant_names': ", ".join(self._get_order_names([row[0] for row in giants])),
            'unknown_grades': ", ".join(
                sorted(code for code, share in (change.mix or {}).items()
                       if share and code not in ways)
            ),
        }  # fmt: skip

    @api.model
    def _get_order_names(self, line_ids):
        # sudo: managers of Returns need not be allowed to read all orders.
        lines = self.env['sale.order.line'].sudo().browse(line_ids).exists()
        return sorted(set(lines.order_id.mapped('name')))

    @api.model
    def _get_change(self, scenario, factor):
        """Return what a scenario changes. Override to let it change more.

        :param float factor: by how much to multiply what came back.
        :rtype: tools.scenario.Change
        """
        mix, grades = None, {}
        if scenario.change_mix:
            mix = {code: scenario[f'mix_{code.lower()}'] / 100 for code in 'ABCD'}
            for grade in self.env['sale.return.grade'].search(
                [('code', 'in', list(mix)), ('company_id', 'in', (False, scenario.company_id.id))],
                order='company_id DESC, id',
            ):
                grades.setdefault(grade.code, grade)
        return tool.Change(
            factor=factor,
            request_days=scenario.days_request,
            receipt_days=scenario.days_receipt,
            credit_days=scenario.days_credit,
            other_event=bool(scenario.refund_event),
            fee=scenario.fee / 100 if scenario.change_fee else None,
            mix=mix,
            ratios={code: grade.credit_ratio for code, grade in grades.items()},
            fallback={
                code: 'restock' if grade.saleable else 'scrap' for code, grade in grades.items()
            },
            handling=scenario.handling_cost,
        )

    # === READING === #

    @api.model
    def _get_history(self, scenario, again):
        """Return what happened, as plain values: what the scenario knows of it, or read anew.

        It is read anew when it is to be, each day, and when the scenario asks about something else.

        :rtype: dict
        """
        company = scenario.company_id
        zone, today = company._get_sale_return_timezone(), company._get_sale_return_day()
        last = min(scenario.date_to, today)
        about = [
            str(today), zone, str(scenario.date_from), str(scenario.date_to),
            company.id, scenario.product_id.id, scenario.categ_id.id, scenario.warehouse_id.id,
            scenario.leave_out_giants, scenario.refund_event,
            *(max(-scenario[f'days_{name}'], 0) for name in ('request', 'receipt', 'credit')),
        ]  # fmt: skip
        known = scenario.history
        if known and not again and known['about'] == about:
            return known
        self.env.flush_all()
        trade = self._read_trade(scenario, zone, last)
        scope = self._get_scope(scenario)
        if scenario.leave_out_giants and trade['giants']:
            scope = SQL(
                "%s AND (line.sale_line_id IS NULL OR line.sale_line_id != ALL(%s))",
                scope,
                [row[0] for row in trade['giants']],
            )
            trade['shipped'] -= sum(row[1] for row in trade['giants'])
            trade['returned'] -= sum(row[2] for row in trade['giants'])
        moves, opening, credits_ = self._read(scenario, scope, zone, last)
        return {
            'about': about,
            'read_on': fields.Datetime.to_string(fields.Datetime.now()),
            'last': str(last),
            'trade': trade,
            'opening': opening,
            'moves': [[str(row[0]), *row[1:]] for row in moves],
            'credits': [[str(row[0]), *row[1:]] for row in credits_],
        }

    @api.model
    def _get_scope(self, scenario, warehouse=None):
        """Return the condition on `product`, `template` and the warehouse."""
        conditions = [SQL("TRUE")]
        if scenario.product_id:
            conditions.append(SQL("product.id = %s", scenario.product_id.id))
        if scenario.categ_id:
            categories = self.env['product.category'].search(
                [('id', 'child_of', scenario.categ_id.id)]
            )
            conditions.append(SQL("template.categ_id = ANY(%s)", categories.ids))
        if scenario.warehouse_id:
            conditions.append(
                SQL(
                    "%s = %s",
                    warehouse or SQL("sale_return.warehouse_id"),
                    scenario.warehouse_id.id,
                )
            )
        return SQL(" AND ").join(conditions)

    @api.model
    def _get_moment(self, day, zone):
        """Return when a day begins in a time zone, as the database stores it."""
        return SQL("(%s::date::timestamp AT TIME ZONE %s AT TIME ZONE 'UTC')", day, zone)

    @api.model
    def _read_trade(self, scenario, zone, last):
        """Return what was shipped and returned, and the order lines that are giant.

        :return: `shipped` and `returned` units, `lines` that came back, and `giants` as
            `(id, shipped, returned)`.
        """
        begins = self._get_moment(scenario.date_from, zone)
        ends = self._get_moment(last + timedelta(days=1), zone)
        self.env.cr.execute(
            SQL(
                TRADE,
                facts=self.env['sale.return.fact']._get_query(),
                company=scenario.company_id.id,
                begins=begins,
                ends=ends,
                scope=self._get_scope(scenario, SQL("fact.warehouse_id")),
                times=GIANT_TIMES,
                share=GIANT_SHARE,
                most=MOST_GIANTS,
            )
        )
        rows = self.env.cr.fetchall()
        return {
            'shipped': rows[0][0] or 0.0,
            'returned': rows[0][1] or 0.0,
            'lines': rows[0][2] or 0,
            'giants': [row[3:] for row in rows if row[3]],
        }

    @api.model
    def _read(self, scenario, scope, zone, last):
        """Return the flows of goods, what was in quarantine before, and the flows of money.

        :return: `(values of Move, (units, volume), values of Credit)`, see `tools/scenario.py`.
        :rtype: tuple
        """
        cr = self.env.cr
        # sudo: what is counted does not depend on the rights of the manager in Inventory.
        warehouses = self.env['stock.warehouse'].sudo().with_context(active_test=False)
        roots = warehouses.search([('company_id', '=', scenario.company_id.id)]).sale_return_loc_id
        quarantines = roots.search([('id', 'child_of', roots.ids)])
        # As `stock.location._is_outgoing`.
        transit = self.env.ref('stock.stock_location_inter_company', raise_if_not_found=False)
        customers = roots.search(
            ['|', ('usage', '=', 'customer'), ('id', 'child_of', transit.ids if transit else [])]
        )
        values = {'company': scenario.company_id.id, 'scope': scope, 'zone': zone}
        values['credited'] = SQL(CREDITED, start=scenario.date_from, end=last, **values)
        places = SQL(
            PLACES,
            quarantines=quarantines.ids,
            customers=customers.ids,
        )
        cr.execute("DROP TABLE IF EXISTS sale_return_scenario_move, sale_return_scenario_line")
        ends = self._get_moment(last + timedelta(days=1), zone)
        cr.execute(SQL(MOVES, places=places, ends=ends, **values))
        cr.execute(SQL(LINES, **values))
        cr.execute("ANALYZE sale_return_scenario_move, sale_return_scenario_line")
        back = {
            'start': scenario.date_from,
            'end': last,
            'request_back': max(-scenario.days_request, 0),
            'receipt_back': max(-scenario.days_receipt, 0),
        }
        rooms = SQL(ROOMS, **{name: back[name] for name in back if name != 'end'})
        cr.execute(SQL(GOODS, rooms=rooms, start=back['start'], end=back['end']))
        rows = cr.fetchall()
        moves = [row for row in rows if row[0]]
        before = [tool.Move(*row) for row in rows if not row[0]]
        opening = tuple(
            sum((1 if move.way == 'in' else -1) * getattr(move, name) for move in before)
            for name in ('units', 'volume')
        )
        column, waits = EVENTS.get(scenario.refund_event, (None, True))
        cr.execute(
            SQL(
                MONEY,
                company=scenario.company_id.id,
                start=back['start'],
                end=back['end'],
                digits=scenario.currency_id.decimal_places,
                event=SQL.identifier('line', column) if column else SQL("NULL::date"),
                event_after=waits,
                credit_back=max(-scenario.days_credit, 0),
                rooms=rooms,
            )
        )
        credits_ = cr.fetchall()
        cr.execute("DROP TABLE sale_return_scenario_move, sale_return_scenario_line")
        return moves, opening, credits_
