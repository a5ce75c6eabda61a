"""Output of `benchmarks/real.py`: matches, return rates, speed of pages."""

import time
from datetime import date

# The loaded data, and the time of its last cancellations.
LOADED = [('date_sale', '<', '2012-01-01')]
AS_OF = '2011-12-10'
ROUNDS = 3


def percent(value):
    return "" if value is None else f"{100 * value:.2f} %"


def print_matched(report, found):
    counts, units = found.counts, found.units
    goods = counts['cancellations'] - counts['cancellations of no goods']
    matched = counts['matched wholly'] + counts['matched in part']
    rows = [
        ["Lines in the data", f"{counts['lines']:,}", ""],
        ["  sold", f"{len(found.sales):,}", ""],
        *(
            [f"  {name}", f"{counts[name]:,}", ""]
            for name in ('no goods (postage, fees, vouchers)', 'stock corrections')
        ),
        ["  cancellations", f"{counts['cancellations']:,}", ""],
        ["    of goods", f"{goods:,}", percent(1.0)],
        *(
            [f"      {name}", f"{counts[name]:,}", percent(counts[name] / goods)]
            for name in (
                'matched wholly',
                'matched in part',
                'exceeding',
                'cancellations without purchase in the data',
                'cancellations without customer',
            )
        ),
        ["Matched cancellations of goods", f"{matched:,}", percent(matched / goods)],
        [
            "Matched units",
            f"{units['matched']:,} of {units['cancelled']:,}",
            percent(units['matched'] / units['cancelled']),
        ],
    ]
    print("\n" + report.format_table(["Data", "Number", "Share"], rows, right={1, 2}))


def print_rates(report, env):
    metric = env['sale.return.metric']
    cohorts = metric.get_cohort_rates(domain=LOADED, age=30, as_of=AS_OF)
    periods = {row['period']: row for row in metric.get_period_rates(domain=LOADED)}
    rows = [
        [
            row['period'][:7],
            f"{row['shipped']:,.0f}",
            percent(row['rate']),
            f"{percent(row['low'])} – {percent(row['high'])}",
            "" if row['mature'] else "young",
            percent(row['completed']),
            percent(periods.get(row['period'], {}).get('rate')),
        ]
        for row in cohorts
    ]
    head = ["Month", "Units sold", "Cohort, 30 d", "Wilson 95 %", "", "Completed, 180 d", "Period"]
    print("\n" + report.format_table(head, rows, right={1, 2, 3, 5, 6}))
    days = metric.get_days_to_return(domain=LOADED)
    rows = env['sale.return.report'].formatted_read_group(
        [*LOADED, ('kind', '=', 'returned')], [], ['days_since_sale_median:avg']
    )
    print(
        f"\nDays to return: median of units {days['median']}, P90 {days['p90']}; median of lines"
        f" {rows[0]['days_since_sale_median:avg']:.1f}"
    )


def print_ranking(report, env):
    rows = [
        [
            row['name'][:40],
            f"{row['shipped']:,.0f}",
            f"{row['returned']:,.0f}",
            percent(row['rate']),
            f"{percent(row['low'])} – {percent(row['high'])}",
            percent(row['shrunk']),
        ]
        for row in env['sale.return.metric'].get_ranking('product_id', domain=LOADED, limit=10)
    ]
    head = ["Product", "Sold", "Returned", "Rate", "Wilson 95 %", "Shrunk"]
    print("\n" + report.format_table(head, rows, right={1, 2, 3, 4, 5}))


def get_pages(env):
    """Return `{page: function that reads what it shows}`."""
    Report = env['sale.return.report']

    def group(groupby, *measures, domain=(), **options):
        return lambda: Report.formatted_read_group(
            list(domain), groupby, ['__count', *measures], **options
        )

    returned = [('kind', '=', 'returned')]
    rates = ('qty_shipped:sum', 'qty_returned:sum', 'rate_units:avg', 'value_returned:sum')
    return {
        'overview: totals': group([], *rates, 'amount_credited:sum', 'return_id:count_distinct'),
        'overview: rate by month of sale': group(['date_sale:month'], *rates),
        'why: reasons': group(['reason_id'], 'qty_returned:sum', domain=returned),
        'what: pivot by category': group(['categ_id'], *rates, 'amount_credited:sum'),
        'what: by product, first 80': group(['product_id'], *rates, limit=80),
        'what: one product by month': group(
            ['date_sale:month'], *rates, domain=[('product_id', '=', env.product_id)]
        ),
        'who: by customer, first 80': group(['commercial_partner_id'], *rates, limit=80),
        'who: by country': group(['country_id'], *rates),
        'supply: by supplier': group(['supplier_id', 'supplier_source'], *rates, 'rate_ppm:avg'),
        'flow: times by person': group(
            ['user_id'],
            *(
                f'hours_{step}_{suffix}:avg'
                for step in ('decision', 'receipt', 'inspection', 'credit', 'total')
                for suffix in ('median', 'p90')
            ),
            domain=returned,
        ),
        'money: by category': group(
            ['categ_id'],
            'value_shipped:sum',
            'amount_credited:sum',
            'amount_deducted:sum',
            'cost_recovered:sum',
            'cost_lost:sum',
            'margin_before_return_costs:sum',
        ),
        'quarantine: at risk': group(
            ['product_id'], 'cost_at_risk:sum', domain=[('stage', '=', 'quarantine')]
        ),
        'by sales team': group(['team_id'], *rates),
        'list: first 80': lambda: Report.search_read([], ['product_id', 'qty_shipped'], limit=80),
        'list: returned, first 80': lambda: Report.search_read(
            returned, ['product_id', 'qty_returned', 'return_id', 'stage'], limit=80
        ),
        'list: number': lambda: Report.search_count([]),
        'what: products by fair rate, first 80': lambda: env['sale.return.ranking'].search_read(
            [('dimension', '=', 'product')], limit=80
        ),
        'life after return, first 80': lambda: env['sale.return.resale'].search_read([], limit=80),
        'ranking of products': lambda: env['sale.return.metric'].get_ranking('product_id'),
    }


class _Pages:
    """Environment with the product that is viewed."""

    def __init__(self, env):
        self.env = env
        self.product_id = env['product.product'].search([], order='id desc', limit=1).id

    def __getitem__(self, model):
        return self.env[model]


def print_pages(report, env):
    # sudo off: pages are read under the rules of a user.
    rows = []
    for name, read in get_pages(_Pages(env(su=False))).items():
        seconds = []
        for _round in range(ROUNDS):
            env.invalidate_all()
            begin = time.perf_counter()
            read()
            seconds.append(time.perf_counter() - begin)
        rows.append([name, f"{1000 * sorted(seconds)[ROUNDS // 2]:.0f}"])
    number = env['sale.return.report'].search_count([])
    today = date.today().isoformat()
    print(f"\nPages on {number:,} facts ({today}), median of {ROUNDS}\n")
    print(report.format_table(["Page", "ms"], rows, right={1}))
    return rows
