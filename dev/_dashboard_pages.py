"""The dashboards of Returns in short, see dev/_dashboards.py."""
# A table is more readable than the formatter's output.
# ruff: noqa: E501
# fmt: off

REPORT, RESALE = 'sale.return.report', 'sale.return.resale'
RETURNED = [['kind', '=', 'returned']]
PERCENT, NUMBER, MONEY, HOURS = '0.0%', '#,##0', '#,##0.00', '0.0'

# `{page: (title, date of the filter, tiles, charts, tables)}`
# tile: (title, meaning, measure or formula of measures in braces, format, domain)
# chart: (title, kind, group, measure, domain, model)
# table: (title, rows, measures, domain, model)
OPEN = [['state', 'in', ['submitted', 'approved']]]
PAGES = {
    'overview': ('Returns: Overview', 'date_sale', [
        ('Return rate, units', 'Returned ÷ shipped, of goods sold in the period', '{rate_units}', PERCENT, []),
        ('Return rate, value', 'Original value of returned goods ÷ that of shipped goods, by sale date', '{rate_value}', PERCENT, []),
        ('Returns', 'Returns of goods sold in the period', '{return_id}', NUMBER, RETURNED),
        ('Open returns', 'Submitted or approved, not closed', '{return_id}', NUMBER, OPEN),
        ('Late', 'Returns with a step that is due and not done', '{late}', NUMBER, []),
        ('Returned value', 'Original net value, not what was credited', '{value_returned}', MONEY, []),
        ('Credited', 'Posted credit notes, untaxed, less deductions', '{amount_credited}', MONEY, []),
        ('At risk', 'Cost of goods waiting for inspection', '{cost_at_risk}', MONEY, []),
    ], [
        ('Return rate by month of sale, %', 'bar', 'date_sale:month', 'percent_units', [], REPORT),
        ('Returned value by stage', 'bar', 'stage', 'value_returned', RETURNED, REPORT),
    ], [
        ('By product category', ['categ_id'], ['qty_shipped', 'qty_returned', 'rate_units', 'rate_value'], [], REPORT),
    ]),
    'why': ('Returns: Why', 'date_return', [
        ('Returned units', 'Received or credited without goods, by return date', '{qty_returned}', NUMBER, RETURNED),
        ('Returned value', 'Original net value, by return date', '{value_returned}', MONEY, RETURNED),
        ('Acceptance rate', 'Accepted ÷ inspected', '{rate_accepted}', PERCENT, RETURNED),
        ('Lost cost', 'Scrapped, kept by the customer or sent to the vendor', '{cost_lost}', MONEY, RETURNED),
    ], [
        ('Pareto of reasons', 'bar', 'reason_id', 'qty_returned', RETURNED, REPORT),
        ('Root causes', 'pie', 'root_cause', 'qty_returned', RETURNED, REPORT),
    ], [
        ('Reasons', ['reason_id'], ['qty_returned', 'value_returned', 'cost_lost'], RETURNED, REPORT),
        ('Root causes by category', ['root_cause', 'categ_id'], ['qty_returned', 'value_returned'], RETURNED, REPORT),
    ]),
    'what': ('Returns: What', 'date_sale', [
        ('Return rate, units', 'Returned ÷ shipped, of goods sold in the period', '{rate_units}', PERCENT, []),
        ('Products returned', 'Different products with a return', '{product_id}', NUMBER, RETURNED),
        ('Days to return', 'Median from sale to return', '{days_since_sale_median}', HOURS, RETURNED),
        ('Acceptance rate', 'Accepted ÷ inspected', '{rate_accepted}', PERCENT, RETURNED),
    ], [
        ('Products by returned units', 'bar', 'product_id', 'qty_returned', RETURNED, REPORT),
        ('Dispositions', 'pie', 'disposition_id', 'qty_inspected', RETURNED, REPORT),
    ], [
        ('Products', ['product_id'], ['qty_returned', 'qty_shipped', 'rate_units', 'value_returned'], [], REPORT),
        ('Lots', ['lot_id'], ['qty_returned', 'qty_shipped', 'rate_units'], [['lot_id', '!=', False]], REPORT),
    ]),
    'who': ('Returns: Who', 'date_sale', [
        ('Customers', 'Customers who bought', '{commercial_partner_id}', NUMBER, [['kind', '=', 'shipped']]),
        ('Customers with a return', 'Customers with returned goods', '{commercial_partner_id}', NUMBER, RETURNED),
        ('Value kept', 'Shipped less returned value', '{value_shipped}-{value_returned}', MONEY, []),
        ('Authorization rate', 'Authorized ÷ requested units', '{rate_authorized}', PERCENT, RETURNED),
    ], [
        ('Returned value by country', 'bar', 'country_id', 'value_returned', RETURNED, REPORT),
        ('Return rate by sales team, %', 'bar', 'team_id', 'percent_units', [], REPORT),
    ], [
        ('Customers', ['commercial_partner_id'], ['value_returned', 'value_shipped', 'rate_value', 'qty_rejected'], [], REPORT),
    ]),
    'supply': ('Returns: Supply', 'date_sale', [
        ('Returned per million', 'Returned per million shipped units', '{rate_ppm}', NUMBER, [['supplier_id', '!=', False]]),
        ('Traced by lot', 'Returned units whose supplier is known by the lot', '{qty_returned}', NUMBER, [['supplier_source', '=', 'lot']]),
        ('By main vendor', 'Returned units counted with the first vendor', '{qty_returned}', NUMBER, [['supplier_source', '=', 'vendor']]),
        ('Supplier liable', 'Cost of units the supplier pays for', '{cost_returned}', MONEY, [['liability', '=', 'supplier']]),
    ], [
        ('Returned per million by supplier', 'bar', 'supplier_id', 'rate_ppm', [['supplier_id', '!=', False]], REPORT),
        ('Returned units by liability', 'pie', 'liability', 'qty_returned', RETURNED, REPORT),
    ], [
        ('Suppliers', ['supplier_id', 'supplier_source'], ['qty_returned', 'qty_shipped', 'rate_units', 'rate_ppm'], [['supplier_id', '!=', False]], REPORT),
    ]),
    'flow': ('Returns: Flow', 'date_request', [
        ('Without a touch', 'Nobody had to decide, credit or repair ÷ all returns', '{touchless:return_id}/{return_id}', PERCENT, RETURNED),
        ('Hours in all, median', 'From request to posted credit note', '{hours_total_median}', HOURS, RETURNED),
        ('Hours in all, nine of ten', '90th percentile: nine of ten took no longer', '{hours_total_p90}', HOURS, RETURNED),
        ('Slowest step', 'Step with the highest median', 'slowest', '', RETURNED),
        ('Hours to decision', 'Median from request to decision', '{hours_decision_median}', HOURS, RETURNED),
        ('Hours to receipt', 'Median from decision to receipt', '{hours_receipt_median}', HOURS, RETURNED),
        ('Hours to inspection', 'Median from receipt to disposition', '{hours_inspection_median}', HOURS, RETURNED),
        ('Hours to credit', 'Median from acceptance to credit note', '{hours_credit_median}', HOURS, RETURNED),
    ], [
        ('Hours in all by month (median)', 'bar', 'date_request:month', 'hours_total_median', RETURNED, REPORT),
        ('Returns by stage', 'bar', 'stage', 'return_id', RETURNED, REPORT),
    ], [
        ('By person', ['user_id'], ['hours_decision_median', 'hours_receipt_median', 'hours_inspection_median', 'hours_credit_median', 'hours_total_p90'], RETURNED, REPORT),
    ]),
    'money': ('Returns: Money', 'date_sale', [
        ('Credited', 'Posted credit notes, untaxed, less deductions', '{amount_credited}', MONEY, []),
        ('Paid back', 'Money paid back, taxes included (by request date)', '{amount_refunded}', MONEY, []),
        ('Deductions', 'Deducted on credit notes', '{amount_deducted}', MONEY, []),
        ('Recovered cost', 'Back in stock or in refurbishment', '{cost_recovered}', MONEY, []),
        ('Lost cost', 'Scrapped, kept by the customer or sent to the vendor', '{cost_lost}', MONEY, []),
        ('Recovery rate', 'Recovered ÷ returned cost', '{rate_recovery}', PERCENT, []),
        ('Margin before return costs', 'Shipped value − cost − credited + recovered', '{margin_before_return_costs}', MONEY, []),
        ('At risk', 'Cost of goods waiting for inspection', '{cost_at_risk}', MONEY, []),
    ], [
        ('Credited by month of return', 'bar', 'date_return:month', 'amount_credited', [*RETURNED, ['date_return', '!=', False]], REPORT),
        ('Lost cost by disposition', 'bar', 'disposition_id', 'cost_lost', [*RETURNED, ['disposition_id', '!=', False]], REPORT),
    ], [
        ('By product category', ['categ_id'], ['value_shipped', 'amount_credited', 'cost_recovered', 'cost_lost', 'margin_before_return_costs'], [], REPORT),
        ('Life after return', ['product_id'], ['quantity', 'qty_resold', 'days_to_resale_median', 'value_resold'], [], RESALE),
    ]),
    'quarantine': ('Returns: Quarantine', 'date_return', [
        ('Value at risk', 'Cost of goods waiting for inspection', '{cost_at_risk}', MONEY, [['stage', '=', 'quarantine']]),
        ('Units waiting', 'Received and not inspected', '{qty_received}', NUMBER, [['stage', '=', 'quarantine']]),
        ('Returns waiting', 'With something to inspect', '{return_id}', NUMBER, [['stage', '=', 'quarantine']]),
        ('Hours to inspection, nine of ten', '90th percentile: nine of ten took no longer', '{hours_inspection_p90}', HOURS, RETURNED),
    ], [
        ('Value at risk by week of receipt', 'bar', 'date_return:week', 'cost_at_risk', [['stage', '=', 'quarantine']], REPORT),
        ('Value at risk by warehouse', 'pie', 'warehouse_id', 'cost_at_risk', [['stage', '=', 'quarantine']], REPORT),
    ], [
        ('Waiting by product', ['product_id'], ['qty_received', 'cost_at_risk'], [['stage', '=', 'quarantine']], REPORT),
    ]),
}
