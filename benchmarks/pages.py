"""What pages cost on a database with a million return lines of the past.

Each page is read as the web client does: the fields of its view, its filter, its count, under the
rules of a user. Run by `dev/bench --pages` on a database of its own.
"""

import json
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

from odoo import fields

ROUNDS = 3
LIMIT = 2.0
OPEN = 40
# Where the returns that are measured are noted, for the next run on the same database.
MEASURED = 'sale_return.bench_pages'


def run(env, lines='1000000', results='', loaded='', only=''):
    """Load, measure, print.

    :param str lines: how many return lines of the past there shall be.
    :param str results: file for all numbers, as JSON.
    :param str loaded: whether the database was loaded and kept by a run before.
    :param str only: read only the pages whose name contains this.
    :return: whether every page took less than two seconds.
    :rtype: bool
    """
    from odoo.addons.sale_return.benchmarks import real_pages

    past, work = find_returns(env) if loaded else load(env, int(lines))
    # sudo off: pages are read under the rules of a user.
    user = env(su=False)
    pages = get_pages(user, past, work) | get_year_pages(user)
    pages |= {
        f'analysis of all times, {name}': read
        for name, read in real_pages.get_pages(real_pages._Pages(user)).items()
    }
    print(f"\n{'Page':45} {'first ms':>9} {'ms':>7} {'computing':>10} {'queries':>8}")
    measured = {}
    for name, read in pages.items():
        if only not in name:
            continue
        measured[name] = first, seconds, cpu, queries = measure(env, read)
        # As they come: one that takes minutes is to be seen, too.
        slow = "" if seconds < LIMIT else "  SLOW"
        figures = f"{1000 * first:9.0f} {1000 * seconds:7.0f} {1000 * cpu:10.0f} {queries:8}"
        print(f"{name:45} {figures}{slow}", flush=True)
    if results:
        Path(results).write_text(json.dumps({'pages': measured}), encoding='utf-8')
    return all(seconds < LIMIT for _first, seconds, _cpu, _queries in measured.values())


def load(env, lines):
    """Make a past of so many return lines and some open returns.

    :return: `(a closed return, open returns)`.
    :rtype: tuple
    """
    from odoo.addons.sale_return.benchmarks import history, report, ways

    begin = time.monotonic()
    shop = ways.Shop(env, 4)
    past = ways.Ours(env, shop.sell(1), report.Phases(env.cr))
    past.run()
    rows = history.load(env, past.returns, lines // 4)
    work = open_returns(ways.Ours, shop, report.Phases(env.cr))
    print(f"Loaded in {time.monotonic() - begin:.0f} s", flush=True)
    begin = time.monotonic()
    env['sale.return.fact']._refresh(everything=True)
    env.cr.execute("ANALYZE")
    env.cr.commit()
    print(f"Facts stored in {time.monotonic() - begin:.0f} s", flush=True)
    print(report.format_table(["Table", "Rows"], [[t, f"{n:,}"] for t, n in rows.items()], {1}))
    ids = [*past.returns.ids, *work.ids]
    env['ir.config_parameter'].set_param(MEASURED, ','.join(map(str, ids)))
    env.cr.commit()
    return past.returns, work


def find_returns(env):
    """Return what `load` returned, in a database that it loaded before."""
    ids = env['ir.config_parameter'].get_param(MEASURED).split(',')
    returns = env['sale.return'].browse(map(int, ids))
    return returns[0], returns[1:]


def open_returns(way, shop, phases):
    """Return some returns of today: submitted, approved, received, each a third."""
    work = way(shop.env, shop.sell(3 * OPEN), phases)
    work.request()
    work.returns[OPEN:].action_approve()
    received = work.returns[2 * OPEN :]
    from odoo.addons.sale_return.benchmarks.shop import validate

    validate(received.picking_ids)
    shop.env.cr.commit()
    return work.returns


def measure(env, read):
    """Read a page some times, nothing being cached.

    :return: `(seconds of the clock the first time, median of them, of the seconds of computing, of
        the queries)`.
    :rtype: tuple
    """
    from odoo.addons.sale_return.benchmarks.report import Phases

    runs = []
    for _round in range(ROUNDS):
        env.cr.commit()
        env.invalidate_all()
        phases = Phases(env.cr)
        with phases('page'):
            read()
        runs.append((phases.seconds['page'], phases.cpu['page'], phases.queries['page']))
        if runs[-1][0] > 10 * LIMIT:
            break  # once is enough
    return runs[0][0], *(median(values) for values in zip(*runs, strict=True))


# === PAGES === #


def get_pages(env, past, work):
    """Return `{page: function that reads it}`.

    :param past: a closed return.
    :param work: open returns.
    """
    Return, filters = env['sale.return'], get_filters(env)
    pages = {'list of returns': get_list(env, 'sale.return', [])}
    pages |= {
        f'list of returns, {name}': get_list(env, 'sale.return', domain)
        for name, domain in filters.items()
    }
    pages['list of returns, page 1000'] = get_list(env, 'sale.return', [], offset=80_000)
    for name, text in (
        ('a number', past.name),
        ('a customer', past.partner_id.name),
        ('a parcel', "1Z999"),
    ):
        domain = [('display_name', 'ilike', text)] if name != 'a parcel' else []
        domain = domain or [('tracking_ref', 'ilike', text)]
        pages[f'search for {name}'] = get_list(env, 'sale.return', domain)
    for field in ('state', 'partner_id', 'create_date:month'):
        pages[f'list of returns by {field}'] = lambda field=field: Return.web_read_group(
            [], [field], ['__count'], limit=80
        )
    pages['kanban of returns'] = get_list(env, 'sale.return', [], 'kanban')
    pages['kanban of returns by state'] = lambda: Return.web_read_group(
        [],
        ['state'],
        ['__count'],
        auto_unfold=True,
        unfold_read_specification=get_specification(env, 'sale.return', 'kanban'),
        unfold_read_default_limit=40,
    )
    for name, record in (('past', past), ('submitted', work[0]), ('received', work[-1])):
        pages[f'form of a return, {name}'] = lambda record=record: Return.browse(
            record.id
        ).web_read(get_specification(env, 'sale.return', 'form'))
    pages['form of its order'] = lambda: (
        env['sale.order']
        .browse(past.sale_order_ids.ids)
        .web_read(get_specification(env, 'sale.order', 'form'))
    )
    for model in ('sale.return.line', 'sale.return.inspection', 'sale.return.event'):
        pages[f'list of {model}'] = get_list(env, model, [])
    for model in ('sale.return.quarantine.report', 'sale.return.reconciliation'):
        if model in env:
            pages[f'list of {model}'] = get_list(env, model, [])
    return pages


def get_year_pages(env):
    """Return `{page: function that reads it}` of the analysis as its menus open it: of a year."""
    since = fields.Datetime.to_string(fields.Datetime.now() - timedelta(days=365))
    sold = [('date_sale', '>', since)]
    requested = [('kind', '=', 'returned'), ('date_request', '>', since)]
    quantities = ('qty_shipped:sum', 'qty_returned:sum', 'rate_units:avg')
    rates = (*quantities, 'value_returned:sum', 'amount_credited:sum')
    money = ('value_shipped:sum', 'amount_credited:sum', 'cost_lost:sum')
    hours = [f'hours_{step}_median:avg' for step in ('decision', 'receipt', 'credit', 'total')]
    pages = {
        'returns, pivot by category': (sold, ['categ_id'], rates),
        'returns, by month of sale': (sold, ['date_sale:month'], quantities),
        'returns, by customer, first 80': (sold, ['commercial_partner_id'], rates),
        'reasons': (requested, ['reason_id'], ('qty_returned:sum',)),
        'reasons, pivot': (requested, ['root_cause', 'reason_id'], ('qty_returned:sum',)),
        'suppliers': (sold, ['supplier_id', 'supplier_source'], (*quantities, 'rate_ppm:avg')),
        'times': (requested, ['user_id'], (*hours, 'hours_total_p90:avg')),
        'money': (sold, ['categ_id'], (*money, 'margin_before_return_costs:sum')),
    }
    report = env['sale.return.report']
    return {
        f'analysis of a year, {name}': lambda domain=domain, by=by, measures=measures: (
            report.formatted_read_group(domain, by, ['__count', *measures], limit=80)
        )
        for name, (domain, by, measures) in pages.items()
    } | {'analysis of a year, list': get_list(env, 'sale.return.report', sold)}


def get_filters(env):
    """Return `{filter: domain}` of the filters of returns that depend on nothing but themselves."""
    from lxml import etree

    from odoo.tools.safe_eval import safe_eval

    arch = env['sale.return'].get_views([(False, 'search')])['views']['search']['arch']
    filters = {}
    for node in etree.fromstring(arch).iter('filter'):
        domain = node.get('domain') or '[]'
        if node.get('name') and domain != '[]' and 'context_today' not in domain:
            filters[node.get('string') or node.get('name')] = safe_eval(domain, {'uid': env.uid})
    return filters


def get_list(env, model, domain, kind='list', offset=0):
    """Return a function that reads a list or kanban as the web client does."""
    specification = get_specification(env, model, kind)
    order = get_arch(env, model, kind).get('default_order')

    def read():
        env[model].web_search_read(
            domain, specification, offset=offset, limit=80, order=order, count_limit=10_001
        )

    return read


def get_specification(env, model, kind):
    """Return which fields the default view of a model reads."""
    return _read_node(env, model, get_arch(env, model, kind))


def get_arch(env, model, kind):
    """Return the default view of a model as a node."""
    from lxml import etree

    return etree.fromstring(env[model].get_views([(False, kind)])['views'][kind]['arch'])


def _read_node(env, model, node):
    specification = {}
    for child in node:
        if child.tag == 'field' and child.get('name') in env[model]._fields:
            field = env[model]._fields[child.get('name')]
            specification[field.name] = {}
            if field.type in ('many2one', 'many2many', 'one2many'):
                specification[field.name] = {'fields': {'display_name': {}}, 'limit': 40}
            sub = next((view for view in child if view.tag in ('list', 'kanban')), None)
            if sub is not None and field.type != 'many2one':
                specification[field.name]['fields'] = _read_node(env, field.comodel_name, sub)
            if field.type == 'many2one':
                specification[field.name].pop('limit')
        elif not isinstance(child.tag, str):
            continue
        else:
            specification |= _read_node(env, model, child)
    return specification
