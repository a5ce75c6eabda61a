import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools import advice
from .sale_return_suggestion import AGE, RULES, SPAN, SUBJECTS

_logger = logging.getLogger(__name__)

# Orders that are delivered later than this are not judged: facts are found by the day of the sale.
SLACK = timedelta(days=182)
# Days at the end of a window that count as its last, and the shortest window in which they do.
LAST_DAYS, LEAST_WINDOW = 2, 7
DAMAGE_CLAIMS = ('damaged', 'defective')
# Columns of goods: `{rule: (member, class of reasons)}`
GOODS = {
    'size': ("template_id::text", 'size'),
    'description': ("template_id::text", 'description'),
    'packing': ("template_id::text", 'damaged'),
    'carrier': ("carrier", 'damaged'),
    'supplier': ("supplier_id::text", 'defective'),
}
# What the rules read of the facts, once.
FACTS = """
    fact AS MATERIALIZED (
        SELECT fact.kind, fact.company_id, fact.sale_line_id, fact.return_id, fact.return_line_id,
               fact.supplier_id, fact.policy_id, fact.reason_id, fact.stage, fact.date_request,
               fact.date_inspection, fact.hours_total, fact.qty_shipped, fact.qty_returned,
               fact.qty_rejected, fact.amount_credited,
               COALESCE(fact.date_delivery, fact.date_sale) AS day,
               product.product_tmpl_id AS template_id, %(carrier)s AS carrier,
               fact.date_return < COALESCE(fact.date_delivery, fact.date_sale) + %(age)s AS is_early
          FROM (%(facts)s) AS fact
     LEFT JOIN product_product AS product ON product.id = fact.product_id
               %(joins)s
         WHERE fact.company_id IN %(companies)s AND fact.date_sale >= %(since)s AND %(only)s
    )
"""
# One row for each rule and order line: what was shipped, and came back for reasons of the rule.
LINES = """
    SELECT line.company_id, sample.rule, sample.member, line.day, FALSE AS is_rest,
           LEAST(GREATEST(COALESCE(sample.count, 0), 0), line.shipped) AS count,
           LEAST(COALESCE(sample.part, 0), line.shipped) AS part, line.shipped AS total,
           line.shipped * line.shipped AS squares, COALESCE(sample.money, 0) AS money,
           NULL::float8 AS expected
      FROM (
            SELECT company_id, MAX(template_id) AS template_id, %(sums)s,
                   MAX(supplier_id) FILTER (WHERE kind = 'shipped') AS supplier_id,
                   MAX(carrier) FILTER (WHERE kind = 'shipped') AS carrier,
                   MIN(day) FILTER (WHERE kind = 'shipped') AS day,
                   SUM(qty_shipped) AS shipped,
                   SUM(qty_returned) FILTER (WHERE is_early AND reason_id = ANY(%(small)s)) AS small
              FROM fact WHERE sale_line_id IS NOT NULL
          GROUP BY company_id, sale_line_id
            HAVING SUM(qty_shipped) > 0
           ) AS line
CROSS JOIN LATERAL (VALUES %(goods)s) AS sample (rule, member, count, part, money)
     WHERE sample.member IS NOT NULL
"""
# One row for each return line that was requested, and what became of it within the same time.
CLAIMS = """
    claim AS MATERIALIZED (
        SELECT fact.company_id, fact.return_line_id, MAX(fact.return_id) AS return_id,
               MAX(fact.policy_id) AS policy_id, MAX(fact.reason_id) AS reason_id,
               MIN(fact.date_request) AS day, MAX(policy.window_days) AS window_days,
               MAX(fact.date_request::date - fact.day::date - COALESCE(policy.transit_days, 0))
                   AS age_days,
               BOOL_OR(fact.stage = 'refused') AS is_refused,
               BOOL_OR(
                   fact.qty_rejected > 0 AND fact.date_inspection < fact.date_request + %(age)s
               ) AS is_rejected,
               BOOL_OR(appeal.date < fact.date_request + %(age)s) AS is_appealed,
               BOOL_OR(
                   appeal.state = 'overturned'
                   AND appeal.date_decided < fact.date_request + %(age)s
               ) AS is_overturned,
               BOOL_OR(photo.id IS NOT NULL) AS has_photo
          FROM fact
     LEFT JOIN sale_return_policy AS policy ON policy.id = fact.policy_id
     LEFT JOIN sale_return_appeal AS appeal ON appeal.return_id = fact.return_id
     LEFT JOIN LATERAL (
               SELECT MIN(file.id) AS id FROM sale_return_file AS file
                WHERE file.return_id = fact.return_id AND file.inspection_id IS NULL
                  AND (file.line_id IS NULL OR file.line_id = fact.return_line_id)
                  AND (file.mimetype LIKE 'image/%%' OR file.mimetype LIKE 'video/%%')
               ) AS photo ON TRUE
         WHERE fact.kind = 'returned' AND fact.date_request IS NOT NULL
      GROUP BY fact.company_id, fact.return_line_id
    ),
    request AS MATERIALIZED (
        SELECT claim.company_id, sample.rule, sample.member, claim.day, sample.is_rest,
               COALESCE(sample.is_case, FALSE)::int::float8 AS count, 0::float8 AS part,
               1::float8 AS total,
               COUNT(*) OVER (PARTITION BY sample.rule, claim.return_id)::float8 AS squares,
               0::float8 AS money, sample.expected, claim.return_id, claim.return_line_id
          FROM claim
    CROSS JOIN LATERAL (VALUES
                   ('appeal', policy_id::text, FALSE, is_overturned, NULL::float8,
                    is_refused OR is_appealed),
                   ('window', policy_id::text, FALSE, age_days > window_days - %(last)s,
                    %(last)s::float8 / NULLIF(window_days, 0),
                    window_days >= %(least_window)s AND age_days BETWEEN 1 AND window_days),
                   ('photo', reason_id::text, has_photo,
                    is_refused OR is_rejected OR is_appealed, NULL,
                    reason_id = ANY(%(claims)s))
               ) AS sample (rule, member, is_rest, is_case, expected, is_counted)
         WHERE sample.is_counted AND sample.member IS NOT NULL
    )
"""
SAMPLES = """
    sample AS (
        %(lines)s
     UNION ALL
        SELECT company_id, rule, member, day, is_rest, count, part, total, squares, money, expected
          FROM request
    )
"""
# One row for each rule and part of a return: cases of it, and requests that are none.
CASES = """
    case_ AS (
        SELECT fact.company_id, found.rule, found.member, fact.day, FALSE AS is_rest,
               TRUE AS is_case, fact.return_id, fact.date_request, fact.hours_total
          FROM fact
    CROSS JOIN LATERAL (VALUES %(found)s) AS found (rule, member, is_case)
         WHERE fact.kind = 'returned' AND fact.is_early AND fact.qty_returned > 0
           AND fact.sale_line_id IS NOT NULL AND found.is_case
     UNION ALL
        SELECT request.company_id, request.rule, request.member, request.day, request.is_rest,
               request.count > 0 AS is_case, fact.return_id, fact.date_request, fact.hours_total
          FROM request
          JOIN fact ON fact.return_line_id = request.return_line_id AND fact.kind = 'returned'
    )
"""
SUMS = """
    WITH %(with_samples)s
    SELECT company_id, rule, member, is_rest, SUM(count), SUM(part), SUM(total), SUM(squares),
           SUM(money), AVG(expected)
      FROM sample WHERE day >= %(start)s AND day < %(end)s
  GROUP BY company_id, rule, member, is_rest
"""
ITEM = """
    item (id, company_id, rule, member, start, middle, "end") AS (VALUES %(items)s)
"""
FIGURES = """
    WITH %(with_samples)s, %(with_items)s
    SELECT item.id, (sample.day >= item.middle)::int, SUM(count), SUM(total), SUM(squares)
      FROM item
      JOIN sample ON sample.company_id = item.company_id AND sample.rule = item.rule
       AND sample.member = item.member
       AND sample.day >= item.start AND sample.day < LEAST(item."end", %(mature)s)
  GROUP BY 1, 2
"""
TIMES = """
    WITH %(with_cases)s, %(with_items)s
    SELECT id, since,
           (PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY hours / 24)
               FILTER (WHERE hours <= %(age_hours)s AND requested < %(mature)s))::float8,
           AVG(rating.value)::float8
      FROM (
            SELECT item.id, (case_.day >= item.middle)::int AS since, case_.return_id,
                   MAX(case_.hours_total) AS hours, MIN(case_.date_request) AS requested
              FROM item
              JOIN case_ ON case_.company_id = item.company_id AND case_.rule = item.rule
               AND case_.member = item.member AND case_.is_case
               AND case_.day >= item.start AND case_.day < LEAST(item."end", %(mature)s)
          GROUP BY 1, 2, 3
           ) AS found
 LEFT JOIN LATERAL (
            SELECT AVG(rating) AS value FROM rating_rating
             WHERE res_model = 'sale.return' AND res_id = found.return_id
               AND consumed AND rating > 0
           ) AS rating ON TRUE
  GROUP BY 1, 2
"""
RETURNS = """
    WITH %(with_cases)s
    SELECT DISTINCT return_id FROM case_
     WHERE company_id = %(company)s AND rule = %(rule)s AND member = %(member)s
       AND day >= %(start)s AND day < LEAST(%(end)s, %(mature)s) AND return_id IS NOT NULL
       AND (is_case OR %(with_others)s) AND (NOT is_rest OR %(with_rest)s)
"""


class SaleReturnAdviser(models.AbstractModel):
    """Service: find by written rules what should be changed, and what came of it.

    Each rule compares a subject with the others of its kind in the company. Goods are counted in
    units, by the day they were shipped; requests by the day they were made.
    """

    _name = 'sale.return.adviser'
    _description = "Adviser on Returns"

    @api.model
    def _is_on(self):
        """Tell whether the settings have switched this part on."""
        return self.env['res.groups']._is_feature_enabled('sale_return.group_improvement')

    @api.model
    def _cron_advise(self):
        """Renew the suggestions of all companies."""
        if self._is_on():
            companies = self.env['res.company'].search([])
            self.env['sale.return.job']._work_off(companies, self._advise)

    @api.model
    def _advise(self, companies):
        """Find what should be suggested to companies, and keep it."""
        end = self._get_mature()
        start = end - timedelta(days=SPAN)
        # sudo: suggestions are records of this service, about all goods of the company.
        service = self.sudo()
        sums = service._get_sums(companies, start, end)
        for company in companies:
            adviser = service.with_company(company)
            found = adviser._find(sums.get(company.id, {}))
            for vals in found.values():
                vals.update(date_start=start, date_end=end)
            created = adviser.env['sale.return.suggestion']._keep(company, found)
            _logger.info(
                "Company %s: %s suggestions, %s new.", company.id, len(found), len(created)
            )

    def _find(self, rows):
        """Judge the sums of a company.

        :param dict rows: `{(rule, member): sums}`, see `_get_sums`.
        :return: `{(rule, member): values of a suggestion, and its 'sample'}`
        """
        everything = {}
        for (rule, _member), row in rows.items():
            everything.setdefault(rule, []).append(row)
        whole, rest = (
            {rule: advice.add([row[part] for row in of]) for rule, of in everything.items()}
            for part in ('own', 'rest')
        )
        samples = {}
        for (rule, member), row in rows.items():
            if rule == 'window':
                others = row['expected'] or 0.0
            elif rule == 'photo':
                others = rest[rule]
            else:
                others = advice.subtract(whole[rule], row['own'])
            samples[rule, member] = (row['own'], others)
        result = {}
        for key, p_value in advice.find(samples).items():
            own, others = samples[key]
            usual = advice.get_usual(others)
            result[key] = {
                'sample': own,
                'count': own[0],
                'part': rows[key]['part'],
                'total': own[1],
                'value': 100 * own[0] / own[1],
                'usual': 100 * usual,
                'p_value': p_value,
                'saving': advice.saving(rows[key]['money'], own[0], usual * own[1], SPAN),
            }
        return self._add_subjects(result)

    def _add_subjects(self, found):
        """Add to what was found the record that it is about; leave out what is gone or done."""
        result = {}
        for rule, _label in RULES:
            members = [member for of, member in found if of == rule]
            name = SUBJECTS[rule][0]
            field = self.env['sale.return.suggestion']._fields[name]
            if not field.relational:
                subjects = {member: (member, member) for member in members}
            else:
                records = self.env[field.comodel_name].browse(map(int, members)).exists()
                if rule == 'photo':
                    records = records.filtered(lambda reason: not reason.photo_required)
                subjects = {str(record.id): (record.id, record.display_name) for record in records}
            for member, (value, subject) in subjects.items():
                vals = {'rule': rule, 'member': member, 'subject': subject, name: value}
                result[rule, member] = {**found[rule, member], **vals}
        return result

    @api.model
    def _get_mature(self):
        """Return the time before which goods were shipped, or requests made, that count."""
        # Days that are over in every time zone.
        return fields.Datetime.today() - timedelta(days=AGE)

    # === QUERIES === #

    @api.model
    def _get_reasons(self):
        """Return the reasons of each class. Override to add reasons.

        :return: `{'small', 'size', 'description', 'damaged', 'defective': ids}`
        :rtype: dict
        """
        # sudo: classes of reasons, whatever the user may see; archived ones were used before.
        reasons = self.env['sale.return.reason'].sudo().with_context(active_test=False)
        everything = reasons.search([('on_returns', '=', True)])

        def get(cause, *names):
            found = [
                self.env.ref(f'sale_return.{name}', raise_if_not_found=False) for name in names
            ]
            known = reasons.union(*(reason for reason in found if reason))
            return everything.filtered(
                lambda reason: reason.root_cause == cause or reason._is_one_of(known)
            )

        small = get(None, 'reason_too_small')
        size = small | get(None, 'reason_too_large')
        described = get('description', 'reason_not_as_described', 'reason_does_not_suit') - size
        damaged = get('logistics', 'reason_damaged_in_transit')
        defective = get('product', 'reason_defective') - size - described - damaged
        classes = {
            'small': small,
            'size': size,
            'description': described,
            'damaged': damaged,
            'defective': defective.filtered(lambda reason: reason.default_liability == 'supplier'),
        }
        return {name: found.ids for name, found in classes.items()}

    @api.model
    def _get_carrier(self):
        """Return the column of the carrier of a fact, and the joins it needs."""
        if 'carrier_id' not in self.env['stock.picking']._fields:
            return SQL("NULL::varchar"), SQL("")
        return SQL("delivery.name->>'en_US'"), SQL(
            """
            LEFT JOIN stock_picking AS picking ON picking.id = fact.picking_id
            LEFT JOIN delivery_carrier AS delivery ON delivery.id = picking.carrier_id
            """
        )

    def _get_parts(self, companies, since, suggestions=None):
        """Return the parts of the queries: `(samples, cases)`, to be read from a time on.

        :param suggestions: what is read is about these; None: about everything.
        """
        only, reasons = SQL("TRUE"), self._get_reasons()
        if suggestions and all(suggestion.product_template_id for suggestion in suggestions):
            only = SQL("product.product_tmpl_id IN %s", tuple(suggestions.product_template_id.ids))
        carrier, joins = self._get_carrier()
        facts = SQL(
            FACTS,
            facts=self.env['sale.return.fact']._get_query(),
            carrier=carrier,
            joins=joins,
            age=timedelta(days=AGE),
            companies=tuple(companies.ids),
            since=since - SLACK,
            only=only,
        )
        claims = SQL(
            CLAIMS,
            age=timedelta(days=AGE),
            last=LAST_DAYS,
            least_window=LEAST_WINDOW,
            claims=[reason for name in DAMAGE_CLAIMS for reason in reasons[name]],
        )
        classes = sorted({name for _member, name in GOODS.values()})
        sums = SQL(", ").join(
            SQL(
                "SUM(qty_returned) FILTER (WHERE is_early AND reason_id = ANY(%(ids)s))"
                " AS %(name)s,"
                " SUM(amount_credited) FILTER (WHERE is_early AND reason_id = ANY(%(ids)s))"
                " AS %(money)s",
                ids=reasons[name],
                name=SQL.identifier(name),
                money=SQL.identifier(f'money_{name}'),
            )
            for name in classes
        )
        goods = SQL(", ").join(
            SQL(
                "(%s, line.%s, line.%s, %s, line.%s)",
                rule,
                SQL(member),
                SQL.identifier(name),
                SQL("line.small") if rule == 'size' else SQL("0::float8"),
                SQL.identifier(f'money_{name}'),
            )
            for rule, (member, name) in GOODS.items()
        )
        found = SQL(", ").join(
            SQL("(%s, fact.%s, fact.reason_id = ANY(%s))", rule, SQL(member), reasons[name])
            for rule, (member, name) in GOODS.items()
        )
        lines = SQL(LINES, sums=sums, small=reasons['small'], goods=goods)
        base = SQL("%s, %s", facts, claims)
        return (
            SQL("%s, %s", base, SQL(SAMPLES, lines=lines)),
            SQL("%s, %s", base, SQL(CASES, found=found)),
        )

    @api.model
    def _get_sums(self, companies, start, end):
        """Add up what was shipped or requested from a time until another.

        :return: `{company id: {(rule, member): {own, rest, part, money, expected}}}`; `own` and
            `rest` are samples, `rest` of claims with a photo.
        :rtype: dict
        """
        self.env.flush_all()
        samples, _cases = self._get_parts(companies, start)
        rows = self.env.execute_query(SQL(SUMS, with_samples=samples, start=start, end=end))
        result = {}
        for company, rule, member, is_rest, count, part, total, squares, money, expected in rows:
            row = result.setdefault(company, {}).setdefault(
                (rule, member),
                {'own': (0, 0, 0), 'rest': (0, 0, 0), 'part': 0, 'money': 0, 'expected': None},
            )
            row['rest' if is_rest else 'own'] = (count, total, squares)
            if not is_rest:
                row.update(part=part, money=money, expected=expected)
        return result

    @api.model
    def _get_figures(self, improvements):
        """Return what came back before and since improvements, in two queries for all of them.

        :return: `{(id, since): sample}`, and `{(id, since): (median days, average rating)}`; since
            is 0 before the change and 1 from then on.
        :rtype: tuple(dict)
        """
        self.env.flush_all()
        # sudo: sums of the goods of a company, for those who may read the improvement.
        improvements = improvements.sudo()
        spans = {improvement: improvement._get_span() for improvement in improvements}
        first = min(span[0] for span in spans.values())
        samples, cases = self.sudo()._get_parts(
            improvements.company_id, first, improvements.suggestion_id
        )
        items = SQL(
            ITEM,
            items=SQL(", ").join(
                SQL(
                    "(%s, %s, %s, %s, %s::timestamp, %s::timestamp, %s::timestamp)",
                    improvement.id,
                    improvement.company_id.id,
                    improvement.rule,
                    improvement.suggestion_id.member,
                    *span,
                )
                for improvement, span in spans.items()
            ),
        )
        execute = self.env.execute_query
        mature = self._get_mature()
        counted = execute(SQL(FIGURES, with_samples=samples, with_items=items, mature=mature))
        timed = execute(
            SQL(
                TIMES,
                with_cases=cases,
                with_items=items,
                age_hours=24 * AGE,
                mature=mature,
            )
        )
        return (
            {(item, since): tuple(sample) for item, since, *sample in counted},
            {(item, since): (days, rating) for item, since, days, rating in timed},
        )

    @api.model
    def _open_returns(self, suggestion, start, end, with_others=False, with_rest=False):
        """Return the action that opens the returns of a suggestion's cases in a time.

        :param bool with_others: requests that are no cases, too.
        :param bool with_rest: claims with a photo, too.
        """
        suggestion.ensure_one()
        self.env.flush_all()
        _samples, cases = self.sudo()._get_parts(suggestion.company_id, start, suggestion)
        rows = self.env.execute_query(
            SQL(
                RETURNS,
                with_cases=cases,
                company=suggestion.company_id.id,
                rule=suggestion.rule,
                member=suggestion.member,
                start=start,
                end=end,
                mature=self._get_mature(),
                with_others=with_others,
                with_rest=with_rest,
            )
        )
        # Of these the user sees what their record rules allow.
        action = self.env['ir.actions.act_window']._for_xml_id('sale_return.sale_return_action')
        return {
            **action,
            'name': suggestion.subject,
            'domain': [('id', 'in', [return_id for (return_id,) in rows])],
            'context': {},
            'path': False,
        }
