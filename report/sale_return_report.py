from odoo import api, fields, models
from odoo.tools import SQL

from ..const import LIABILITIES
from ..models.document.const import RETURN_STATES
from ..tools.context import get_text

# Measures that are ratios: of sums, never a mean of ratios. `{field: (over, under)}`
RATIOS = {
    'rate_units': ('qty_returned', 'qty_shipped'),
    # Charts write no percent signs.
    'percent_units': ('qty_returned', 'qty_shipped'),
    'rate_value': ('value_returned', 'value_shipped'),
    'rate_ppm': ('qty_returned', 'qty_shipped'),
    'rate_recovery': ('cost_recovered', 'cost_returned'),
    'rate_authorized': ('qty_authorized', 'qty_requested'),
    # Inspected less rejected: goods accepted without inspection are on neither side.
    'rate_accepted': ('qty_inspected', 'qty_inspected'),
}
# Subtracted from the numerator.
LESS = {'rate_accepted': 'qty_rejected'}
SCALES = {'rate_ppm': 1000000, 'percent_units': 100}
# Measures of time: `{field: (hours, quantile)}`
QUANTILES = {
    f'{name}_{suffix}': (name, share)
    for name in ('hours_decision', 'hours_receipt', 'hours_inspection', 'hours_credit')
    for suffix, share in (('median', 0.5), ('p90', 0.9))
} | {
    'hours_total_median': ('hours_total', 0.5),
    'hours_total_p90': ('hours_total', 0.9),
    'days_since_sale_median': ('days_since_sale', 0.5),
}
# Quantiles sort the values of each group; a million hours fit into this much memory; with
# PostgreSQL's default of 4 MB they would be sorted on disk.
SORT_MEMORY = '32MB'
# Groupings with many groups.
MANY = frozenset(
    {
        'product_id',
        'product_tmpl_id',
        'lot_id',
        'partner_id',
        'commercial_partner_id',
        'order_id',
        'sale_line_id',
        'picking_id',
        'return_id',
        'return_line_id',
        'inspection_id',
    }
)

# Rows of a table on a dashboard.
TOP = 10


def get_rate(over, under, scale=1):
    """Return the SQL of a rate as `tools.stats.rate` counts it: never above all, never below none.

    :param SQL over: the sum above the line; nothing (NULL) counts as 0.
    :param SQL under: the sum below the line; without any there is no rate.
    :param scale: what all is shown as, e.g. 100.
    :rtype: odoo.tools.SQL
    """
    return SQL(
        "LEAST(GREATEST(%(over)s, 0), %(under)s) / NULLIF(GREATEST(%(under)s, 0), 0) * %(scale)s",
        over=over,
        under=under,
        scale=scale,
    )


def _ratio(string, help_text):
    return fields.Float(string, readonly=True, aggregator='avg', help=help_text)


def _hours(string, help_text):
    return fields.Float(string, readonly=True, aggregator='avg', help=help_text)


class SaleReturnReport(models.Model):
    """What was shipped and what came back of it, for pivots, graphs, dashboards and exports.

    One row for each lot of each delivery (kind *Shipped*), and one for each inspection result of a
    return line and for the part of the line that has none yet (kind *Returned*). Every unit is in
    one row of its kind, so sums equal those of the documents.
    """

    _name = 'sale.return.report'
    _description = "Returns Analysis"
    _auto = False
    _rec_name = 'product_id'
    _order = 'date_sale desc, id desc'
    # Fields to be flushed to the database before reading.
    _depends = {
        'sale.order': ['company_id', 'partner_id', 'date_order', 'currency_rate', 'warehouse_id'],
        'sale.order.line': [
            'order_id',
            'product_id',
            'product_uom_id',
            'product_uom_qty',
            'price_subtotal',
            'qty_delivered',
            'qty_returned',
            'invoice_lines',
        ],
        'stock.move': [
            'state',
            'date',
            'quantity',
            'product_uom',
            'product_id',
            'picking_id',
            'location_id',
            'location_dest_id',
            'value',
            'is_in',
            'sale_line_id',
            'sale_return_line_id',
            'sale_return_inspection_id',
        ],
        'stock.move.line': ['move_id', 'lot_id', 'quantity_product_uom', 'state', 'date'],
        'account.move': ['state', 'move_type', 'reversed_entry_id', 'amount_total'],
        'account.move.line': [
            'move_id',
            'balance',
            'quantity',
            'product_uom_id',
            'display_type',
            'sale_return_line_id',
            'sale_return_kind',
        ],
        'sale.return': ['state', 'partner_id', 'company_id', 'warehouse_id', 'user_id'],
        'sale.return.line': [
            'return_id',
            'sale_line_id',
            'product_id',
            'product_uom_id',
            'reason_id',
            'resolution',
            'policy_id',
            'return_expected',
            'delivered_on',
            'qty_requested',
            'qty_authorized',
            'qty_received',
            'qty_accepted',
            'qty_credited_posted',
        ],
        'sale.return.inspection': ['line_id', 'quantity', 'disposition_id', 'grade_id', 'lot_id'],
        'sale.return.approval': ['return_id', 'date', 'automatic', 'user_id'],
        'sale.return.event': ['return_id', 'kind', 'date', 'state_to'],
    }

    kind = fields.Selection(
        [('shipped', "Shipped"), ('returned', "Returned")],
        readonly=True,
        help="Shipped: delivered goods, which rates are measured against. Returned: a return line, "
        "by inspection result.",
    )
    # Documents
    company_id = fields.Many2one('res.company', readonly=True)
    currency_id = fields.Many2one('res.currency', readonly=True, help="Currency of the company.")
    order_id = fields.Many2one('sale.order', string="Sales Order", readonly=True)
    sale_line_id = fields.Many2one('sale.order.line', string="Order Line", readonly=True)
    picking_id = fields.Many2one(
        'stock.picking',
        string="Delivery",
        readonly=True,
        help="The last delivery of the order line.",
    )
    return_id = fields.Many2one('sale.return', readonly=True)
    return_line_id = fields.Many2one('sale.return.line', readonly=True)
    inspection_id = fields.Many2one('sale.return.inspection', string="Result", readonly=True)
    # What was sold, to whom, by whom
    product_id = fields.Many2one('product.product', readonly=True)
    product_tmpl_id = fields.Many2one('product.template', string="Product Template", readonly=True)
    categ_id = fields.Many2one('product.category', string="Product Category", readonly=True)
    uom_id = fields.Many2one(
        'uom.uom', string="Unit", readonly=True, help="The product's own; quantities are in it."
    )
    lot_id = fields.Many2one('stock.lot', string="Lot/Serial Number", readonly=True)
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True)
    commercial_partner_id = fields.Many2one('res.partner', string="Customer Company", readonly=True)
    country_id = fields.Many2one('res.country', string="Customer Country", readonly=True)
    team_id = fields.Many2one('crm.team', string="Sales Team", readonly=True)
    salesperson_id = fields.Many2one('res.users', readonly=True)
    source_id = fields.Many2one('utm.source', readonly=True)
    medium_id = fields.Many2one('utm.medium', readonly=True)
    campaign_id = fields.Many2one('utm.campaign', readonly=True)
    warehouse_id = fields.Many2one(
        'stock.warehouse',
        readonly=True,
        help="Shipped: where it left. Returned: where it is received.",
    )
    carrier = fields.Char(
        readonly=True, help="Who delivered the goods to the customer (delivery methods of Odoo)."
    )
    return_carrier = fields.Char(readonly=True, help="Who transports the goods back.")
    supplier_id = fields.Many2one('res.partner', readonly=True, help="Whose goods they are.")
    supplier_source = fields.Selection(
        [('lot', "By lot"), ('vendor', "Main vendor")],
        readonly=True,
        help=(
            "By lot: who delivered this lot or serial number. Main vendor: the first one of the "
            "product, who may not have delivered these goods."
        ),
    )
    # What came back and why
    state = fields.Selection(RETURN_STATES, string="Return Status", readonly=True)
    stage = fields.Selection(
        [
            ('to_decide', "To decide"),
            ('expected', "Expected"),
            ('quarantine', "In quarantine"),
            ('inspected', "Inspected"),
            ('written_off', "Not coming"),
            ('refused', "Refused"),
        ],
        readonly=True,
        help="Stage of this part of the return line.",
    )
    reason_id = fields.Many2one('sale.return.reason', readonly=True)
    root_cause = fields.Selection(
        selection=lambda self: (
            self.env['sale.return.reason']._fields['root_cause']._description_selection(self.env)
        ),
        readonly=True,
        help="Where the reason comes from.",
    )
    resolution = fields.Selection(
        selection=lambda self: (
            self.env['sale.return.line']._fields['resolution']._description_selection(self.env)
        ),
        readonly=True,
    )
    policy_id = fields.Many2one('sale.return.policy', readonly=True)
    grade_id = fields.Many2one('sale.return.grade', string="Condition", readonly=True)
    disposition_id = fields.Many2one(
        'sale.return.disposition', string="What Happens to It", readonly=True
    )
    liability = fields.Selection(LIABILITIES, string="Whose Fault", readonly=True)
    user_id = fields.Many2one(
        'res.users', string="Responsible", readonly=True, help="Who handles the return."
    )
    decided_by_id = fields.Many2one('res.users', string="Decided by", readonly=True)
    inspector_id = fields.Many2one('res.users', readonly=True)
    is_returnless = fields.Boolean(
        string="Returnless", readonly=True, help="Credited without goods: they count as returned."
    )
    is_touchless = fields.Boolean(
        string="Without a Touch",
        readonly=True,
        help="Decided by the policy, credited and posted by the system, nothing failed and nothing "
        "overridden. Receiving and inspecting goods is not counted as a touch.",
    )
    # When
    date_sale = fields.Datetime(string="Sale Date", readonly=True)
    date_delivery = fields.Datetime(string="Delivery Date", readonly=True)
    date_request = fields.Datetime(string="Request Date", readonly=True)
    date_decision = fields.Datetime(string="Decision Date", readonly=True)
    date_return = fields.Datetime(
        string="Return Date",
        readonly=True,
        help="When the goods came; without goods, when they were granted.",
    )
    date_inspection = fields.Datetime(string="Inspection Date", readonly=True)
    date_credit = fields.Datetime(
        string="Credit Date", readonly=True, help="When the last posted credit note was created."
    )
    # Quantities, in the product's own unit
    qty_shipped = fields.Float("Shipped Qty", digits='Product Unit', readonly=True)
    qty_requested = fields.Float("Requested Qty", digits='Product Unit', readonly=True)
    qty_authorized = fields.Float("Authorized Qty", digits='Product Unit', readonly=True)
    qty_received = fields.Float("Received Qty", digits='Product Unit', readonly=True)
    qty_returned = fields.Float(
        "Returned Qty",
        digits='Product Unit',
        readonly=True,
        help="Received, or credited without goods. Rejected goods came back, too. Services do not "
        "count.",
    )
    qty_inspected = fields.Float("Inspected Qty", digits='Product Unit', readonly=True)
    qty_accepted = fields.Float("Accepted Qty", digits='Product Unit', readonly=True)
    qty_rejected = fields.Float("Rejected Qty", digits='Product Unit', readonly=True)
    qty_credited = fields.Float(
        "Credited Qty", digits='Product Unit', readonly=True, help="On posted credit notes."
    )
    # Money, in the company's currency, untaxed
    value_shipped = fields.Monetary(
        "Shipped Value",
        readonly=True,
        help=(
            "Net amount of the invoice, or of the order while not invoiced, at the rate of that "
            "document."
        ),
    )
    value_returned = fields.Monetary(
        "Returned Value", readonly=True, help="Net sales value of the returned goods."
    )
    amount_credited = fields.Monetary(
        "Credited", readonly=True, help="Posted credit notes without taxes, less deductions."
    )
    amount_deducted = fields.Monetary(
        "Deductions", readonly=True, help="Deducted on posted credit notes, e.g. fees."
    )
    cost_shipped = fields.Monetary(
        "Shipped Cost", readonly=True, help="Stock value of the delivered goods."
    )
    cost_returned = fields.Monetary(
        "Returned Cost",
        readonly=True,
        help=(
            "Stock value of goods that came back and were not rejected. It is recovered, lost, or"
            " still at risk."
        ),
    )
    cost_recovered = fields.Monetary(
        "Recovered",
        readonly=True,
        help="Cost of goods that went back to stock or to refurbishment.",
    )
    cost_at_risk = fields.Monetary(
        "At Risk", readonly=True, help="Cost of goods waiting for inspection."
    )
    cost_lost = fields.Monetary(
        "Lost", readonly=True, help="Cost of goods scrapped, given away or sent to the vendor."
    )
    margin_before_return_costs = fields.Monetary(
        "Margin before Return Costs",
        readonly=True,
        help=(
            "Shipped value − shipped cost − credited + recovered. Freight, handling and repair of"
            " returns are not included."
        ),
    )
    # Time
    days_since_sale = fields.Float(
        "Days since Sale", readonly=True, aggregator='avg', help="From the sale to the return."
    )
    days_since_delivery = fields.Float(
        "Days since Delivery", readonly=True, aggregator='avg', help="From delivery to return."
    )
    hours_decision = _hours("Hours to Decision", "From the request to the decision (mean).")
    hours_receipt = _hours("Hours to Receipt", "From the decision to the first receipt (mean).")
    hours_inspection = _hours("Hours to Inspection", "From receipt to disposition (mean).")
    hours_credit = _hours("Hours to Credit", "From acceptance to the credit note (mean).")
    hours_total = _hours("Hours in All", "From the request to the credit note (mean).")
    hours_decision_median = _hours("Hours to Decision (median)", "Median: half took no longer.")
    hours_receipt_median = _hours("Hours to Receipt (median)", "Median: half took no longer.")
    hours_inspection_median = _hours("Hours to Inspection (median)", "Median: half took no longer.")
    hours_credit_median = _hours("Hours to Credit (median)", "Median: half took no longer.")
    hours_total_median = _hours("Hours in All (median)", "Median: half took no longer.")
    hours_decision_p90 = _hours(
        "Hours to Decision (nine of ten)", "90th percentile: nine of ten took no longer."
    )
    hours_receipt_p90 = _hours(
        "Hours to Receipt (nine of ten)", "90th percentile: nine of ten took no longer."
    )
    hours_inspection_p90 = _hours(
        "Hours to Inspection (nine of ten)", "90th percentile: nine of ten took no longer."
    )
    hours_credit_p90 = _hours(
        "Hours to Credit (nine of ten)", "90th percentile: nine of ten took no longer."
    )
    hours_total_p90 = _hours(
        "Hours in All (nine of ten)", "90th percentile: nine of ten took no longer."
    )
    days_since_sale_median = _hours("Days since Sale (median)", "Median: half came back sooner.")
    # Ratios
    rate_units = _ratio(
        "Return Rate (units)",
        "Returned ÷ shipped quantity of the selection. By sale date it is a cohort rate; by "
        "other dates the two kinds of rows cannot be compared.",
    )
    percent_units = _ratio(
        "Return Rate in %", "Returned units per hundred shipped units of the selection."
    )
    rate_value = _ratio("Return Rate (value)", "Returned ÷ shipped value of the selection.")
    rate_ppm = _ratio("Returned per Million", "Returned units per million shipped.")
    rate_recovery = _ratio("Recovery Rate", "Recovered ÷ returned cost.")
    rate_authorized = _ratio("Authorization Rate", "Authorized ÷ requested quantity.")
    rate_accepted = _ratio("Acceptance Rate", "Accepted ÷ inspected quantity.")

    @property
    def _table_query(self):
        return SQL(
            "SELECT %s FROM (%s) AS fact %s",
            self._get_select(),
            self.env['sale.return.fact']._get_query(),
            self._get_joins(),
        )

    @api.model
    def _get_joined_columns(self):
        """Return `{field: SQL}` for fields that are not in the facts.

        Links to records that may be deleted are joined, so that none is dangling. PostgreSQL skips
        joins that a query does not need.
        """
        columns = {
            'currency_id': "company.currency_id",
            'product_tmpl_id': "product.product_tmpl_id",
            'categ_id': "template.categ_id",
            'uom_id': "template.uom_id",
            'commercial_partner_id': "customer.commercial_partner_id",
            'country_id': "customer.country_id",
            'team_id': "sale_order.team_id",
            'salesperson_id': "sale_order.user_id",
            'source_id': "sale_order.source_id",
            'medium_id': "sale_order.medium_id",
            'campaign_id': "sale_order.campaign_id",
            'warehouse_id': "warehouse.id",
            'supplier_id': "supplier.id",
            'lot_id': "lot.id",
            'return_carrier': "sale_return.carrier_name",
            'state': "sale_return.state",
            'user_id': "sale_return.user_id",
            'root_cause': "reason.root_cause",
            'margin_before_return_costs': """
                COALESCE(fact.value_shipped, 0) - COALESCE(fact.cost_shipped, 0)
                - COALESCE(fact.amount_credited, 0) + COALESCE(fact.cost_recovered, 0)
            """,
            'carrier': "NULL::varchar",
            **{name: f"fact.{hours}" for name, (hours, _share) in QUANTILES.items()},
            # For one row; a group has its own, see `_read_group_select`.
            **dict.fromkeys(RATIOS, "NULL::float8"),
        }
        if 'carrier_id' in self.env['stock.picking']._fields:
            columns['carrier'] = "carrier.name->>'en_US'"
        return {name: SQL(column) for name, column in columns.items()}

    @api.model
    def _get_select(self):
        joined = self._get_joined_columns()
        return SQL(", ").join(
            SQL("%s AS %s", joined.get(name, SQL.identifier('fact', name)), SQL.identifier(name))
            for name, field in self._fields.items()
            if field.store
        )

    @api.model
    def _get_joins(self):
        joins = """
            LEFT JOIN res_company AS company ON company.id = fact.company_id
            LEFT JOIN product_product AS product ON product.id = fact.product_id
            LEFT JOIN product_template AS template ON template.id = product.product_tmpl_id
            LEFT JOIN res_partner AS customer ON customer.id = fact.partner_id
            LEFT JOIN res_partner AS supplier ON supplier.id = fact.supplier_id
            LEFT JOIN stock_warehouse AS warehouse ON warehouse.id = fact.warehouse_id
            LEFT JOIN stock_lot AS lot ON lot.id = fact.lot_id
            LEFT JOIN sale_order ON sale_order.id = fact.order_id
            LEFT JOIN sale_return ON sale_return.id = fact.return_id
            LEFT JOIN sale_return_reason AS reason ON reason.id = fact.reason_id
        """
        if 'carrier_id' in self.env['stock.picking']._fields:
            joins += """
            LEFT JOIN stock_picking AS picking ON picking.id = fact.picking_id
            LEFT JOIN delivery_carrier AS carrier ON carrier.id = picking.carrier_id
            """
        return SQL(joins)

    @api.model
    def _read_group(self, domain, groupby=(), aggregates=(), *args, **kwargs):
        """Override of `base` to provide enough memory for quantiles."""
        self._set_sort_memory(aggregates)
        return super()._read_group(domain, groupby, aggregates, *args, **kwargs)

    @api.model
    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), *args, **kwargs):
        """Override of `base` to give quantiles the memory they need."""
        self._set_sort_memory(aggregates)
        return super()._read_grouping_sets(domain, grouping_sets, aggregates, *args, **kwargs)

    @api.model
    @api.readonly
    def formatted_read_grouping_sets(self, domain, grouping_sets, aggregates=(), *, order=None):
        """Override of `web` to read no more groups than the table of a dashboard shows.

        A pivot of a spreadsheet asks for all of them, fifty thousand customers with their names, to
        show the ten with the largest `sale_return_top` (an aggregate, in the context).
        """
        top = get_text(self.env, 'sale_return_top')
        if top not in aggregates or any(len(groupby) > 1 for groupby in grouping_sets):
            return super().formatted_read_grouping_sets(
                domain, grouping_sets, aggregates, order=order
            )
        return [
            self.formatted_read_group(
                domain,
                groupby,
                aggregates,
                limit=TOP if groupby else None,
                order=f'{top} desc nulls last' if groupby else None,
            )
            for groupby in grouping_sets
        ]

    @api.model
    def _set_sort_memory(self, aggregates):
        if any(aggregate.partition(':')[0] in QUANTILES for aggregate in aggregates):
            self.env.cr.execute(
                SQL(
                    "SELECT SET_CONFIG('work_mem', %(enough)s, TRUE)"
                    " WHERE PG_SIZE_BYTES(CURRENT_SETTING('work_mem')) < PG_SIZE_BYTES(%(enough)s)",
                    enough=SORT_MEMORY,
                )
            )

    def _read_group_orderby(self, order, groupby_terms, query):
        """Override of `base` to sort products, customers and documents by their ids.

        Ordering by name, as clients request, would sort a million rows before grouping, which takes
        ten times as long as the rest.
        """
        terms = [term.strip() for term in (order or '').split(',')]
        if MANY.intersection(terms) and all(term in groupby_terms for term in terms):
            order = ''
        return super()._read_group_orderby(order, groupby_terms, query)

    def _read_group_select(self, aggregate_spec, query):
        """Override of `base`: ratios are of the sums of a group, quantiles of its values."""
        name, _colon, aggregate = aggregate_spec.partition(':')
        if aggregate and name in RATIOS:
            over, under = RATIOS[name]
            total = SQL("SUM(%s)", self._field_to_sql(self._table, over, query))
            if name in LESS:
                less = self._field_to_sql(self._table, LESS[name], query)
                total = SQL("(%s - COALESCE(SUM(%s), 0))", total, less)
            return get_rate(
                total,
                SQL("SUM(%s)", self._field_to_sql(self._table, under, query)),
                SCALES.get(name, 1),
            )
        if aggregate and name in QUANTILES:
            hours, share = QUANTILES[name]
            return SQL(
                "PERCENTILE_CONT(%s) WITHIN GROUP (ORDER BY %s)",
                share,
                self._field_to_sql(self._table, hours, query),
            )
        return super()._read_group_select(aggregate_spec, query)

    # === ACTION METHODS === #

    def action_open_document(self):
        """Open the document of a row: the return, or the order of shipped goods."""
        self.ensure_one()
        return (self.return_id or self.order_id)._get_records_action()
