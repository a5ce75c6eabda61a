"""Channel files: a round trip of real trade, and how long large files take. Run by dev/channels.

Orders of "Online Retail" are sold and partly credited in Odoo. Their refunds are written as three
channels write them, by code independent of the readers, with planted differences. Reading
them back has to find these and nothing else; once more after an import that was killed.
"""

import base64
import gc
import io
import random
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

# What is planted into every fortieth order or so, and what is to be found.
PLANTED = {
    'cent': 'difference',
    'no note': 'no_return',
    'no refund': 'lone',
    'twice': 'twice',
    'unknown': 'unknown_order',
    'chargeback': 'chargeback',
}
# Harmless: one refund in two parts, one refund for two notes.
HARMLESS = ('two parts', 'two notes')
START = datetime(2026, 9, 1, 8, 0)


def run(env, path='', orders='5000', rows='60000', seed='1'):
    """Make the round trip, then measure; a number of 0 leaves one of them out.

    :return: whether found is what was planted, and the bounds are kept.
    :rtype: bool
    """
    good = True
    if int(orders):
        good = round_trip(env, read_trade(path, int(orders)), random.Random(int(seed)))
    for count in filter(None, map(int, rows.split(','))):
        good = measure(env, count) and good
    return good


# --- round trip ----------------------------------------------------------------------------------


@dataclass
class Sale:
    """An order of the data, what comes back of it, and what is wrong with its refund."""

    number: str
    lines: list
    planted: str = ''
    notes: list = field(default_factory=list)
    refunds: list = field(default_factory=list)


def read_trade(path, count):
    """Return the first orders of the data: `{number: [(quantity, price)]}`."""
    from odoo.addons.sale_return.benchmarks import trade

    found = defaultdict(list)
    for row in trade.read_rows(path):
        if not row.is_cancellation and row.is_goods and row.quantity > 0 and row.price > 0:
            if row.number not in found and len(found) == count:
                break
            if len(found[row.number]) < 5:
                found[row.number].append((row.quantity, Decimal(str(row.price))))
    return found


def plant(found, chance):
    """Return sales with notes and refunds, with differences between them."""
    sales = []
    for number, lines in found.items():
        sale = Sale(number, lines)
        share = lines[: chance.randint(1, len(lines))]
        total = sum((quantity * price for quantity, price in share), Decimal(0))
        total = total.quantize(Decimal('0.01'))
        sale.notes, sale.refunds = [total], [('refund', total)]
        what = chance.randint(0, 39)
        kinds = (*PLANTED, *HARMLESS)
        if what < len(kinds) and total > Decimal('1.00'):
            spoil(sale, kinds[what], total)
        sales.append(sale)
    return sales


def spoil(sale, kind, total):
    """Plant one difference, or what only looks like one."""
    sale.planted = kind
    part = (total / 3).quantize(Decimal('0.01'))
    if kind == 'cent':
        sale.refunds = [('refund', total + Decimal('0.01'))]
    elif kind == 'no note':
        sale.notes = []
    elif kind == 'no refund':
        sale.notes, sale.refunds = [part, total - part], [('refund', part)]
    elif kind == 'twice':
        sale.refunds *= 2
    elif kind == 'chargeback':
        sale.notes, sale.refunds = [], [('chargeback', total)]
    elif kind == 'two parts':
        sale.refunds = [('refund', part), ('refund', total - part)]
    elif kind == 'two notes':
        sale.notes = [part, total - part]


def sell(env, sales, currency, size=250):
    """Make confirmed orders and posted credit notes, without deliveries and invoices."""
    product = env['product.product'].create(
        {'name': "Sold on a channel", 'type': 'service', 'taxes_id': [(5,)]}
    )
    partner = env['res.partner'].create({'name': "Buyer"})
    for start in range(0, len(sales), size):
        batch = [sale for sale in sales[start : start + size] if sale.planted != 'unknown']
        orders = env['sale.order'].create(
            [
                {
                    'partner_id': partner.id,
                    'client_order_ref': sale.number,
                    'currency_id': currency.id,
                    'order_line': [
                        (
                            0,
                            0,
                            {
                                'product_id': product.id,
                                'product_uom_qty': quantity,
                                'price_unit': float(price),
                                'tax_ids': [(5,)],
                            },
                        )
                        for quantity, price in sale.lines
                    ],
                }
                for sale in batch
            ]
        )
        orders.write({'state': 'sale'})
        notes = env['account.move'].create(
            [
                {
                    'move_type': 'out_refund',
                    'partner_id': partner.id,
                    'currency_id': currency.id,
                    'invoice_line_ids': [
                        (
                            0,
                            0,
                            {
                                'name': "Credit",
                                'quantity': 1,
                                'price_unit': float(amount),
                                'tax_ids': [(5,)],
                                'sale_line_ids': [(6, 0, order.order_line[:1].ids)],
                            },
                        )
                    ],
                }
                for sale, order in zip(batch, orders, strict=True)
                for amount in sale.notes
            ]
        )
        notes.action_post()
        env.flush_all()
        env.invalidate_all()


def round_trip(env, found, chance):
    """Sell, write, read back and compare, for each of the three formats."""
    currencies = env['res.currency'].with_context(active_test=False)
    good = True
    for place, (platform, (code, write)) in enumerate(WRITERS.items()):
        numbers = [number for at, number in enumerate(found) if at % len(WRITERS) == place]
        sales = plant({number: found[number] for number in numbers}, chance)
        currency = currencies.search([('name', '=', code)])
        currency.active = True
        sell(env, sales, currency)
        channel = env['sale.return.channel'].create(
            {'name': f"Round trip {platform}", 'platform': platform, 'currency_id': currency.id}
        )
        data = write(sales)
        kill(channel, data)
        result = channel._import('round.trip', data)[0]
        wanted = get_wanted(sales, platform)
        outcome = get_outcome(env, channel)
        again = channel._import('round.trip', data + b'\n')[0]
        same = get_outcome(env, channel) == outcome
        ok = outcome == wanted and same and not (again['new'] or again['changed'])
        good = good and ok and not result['broken']
        counts = Counter(sale.planted for sale in sales if sale.planted in PLANTED)
        false = sum(len(outcome[state] ^ wanted[state]) for state in outcome.keys() | wanted)
        print(
            f"{platform}: {len(sales)} orders, {result['refunds']} refunds; planted "
            f"{sum(counts.values())} ({dict(counts)}); false or not found {false}; "
            f"replayed {'the same' if same else 'OTHERWISE'}"
        )
    return good


class KilledError(Exception):
    """Stands for a worker that ends in the middle."""


def kill(channel, data):
    """Import until the end is near, and lose it all."""
    importer = type(channel.env['sale.return.channel.importer'])

    def die(*args):
        raise KilledError

    importer._finish = die
    try:
        with channel.env.cr.savepoint():
            channel._import('round.trip', data)
    except KilledError:
        pass
    finally:
        del importer._finish
    refunds = channel.env['sale.return.channel.refund']
    if channel.file_ids or refunds.search_count([('channel_id', '=', channel.id)]):
        raise AssertionError("Something was left of an import that was killed.")


def get_wanted(sales, platform):
    """Return `{state: numbers of orders}` that has to be found, without what matches."""
    wanted = defaultdict(set)
    for sale in sales:
        if sale.planted in PLANTED:
            state = PLANTED[sale.planted]
            # The others name it a refund.
            state = 'no_return' if state == 'chargeback' and platform != 'stripe' else state
            wanted[state].add(sale.number)
    return wanted


def get_outcome(env, channel):
    """Return `{state: numbers of orders}` that was found."""
    outcome = defaultdict(set)
    matcher = env['sale.return.channel.matcher']
    for _source, order_id in matcher._match_channel(channel):
        outcome['lone'].add(order_id)
    for refund in env['sale.return.channel.refund'].search([('channel_id', '=', channel.id)]):
        if refund.state != 'match':
            outcome[refund.state].add(refund.order_ref)
    orders = env['sale.order'].browse(outcome['lone'])
    if orders:
        outcome['lone'] = set(orders.mapped('client_order_ref'))
    # Chargebacks and refunds without a note leave no note over.
    return defaultdict(set, {state: numbers for state, numbers in outcome.items() if numbers})


# --- writers: what channels write, from what can be seen of their files ---------------------------


def write_stripe(sales):
    """Return an itemised balance report."""
    out = io.StringIO()
    out.write(
        'balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,'
        'charge_id,description\n'
    )
    for number, (sale, kind, amount) in enumerate(get_refunds(sales)):
        when = START + timedelta(minutes=7 * number)
        category = 'dispute' if kind == 'chargeback' else 'refund'
        out.write(
            f'txn_{number:08d},{when:%Y-%m-%d %H:%M:%S},eur,-{amount},0.00,-{amount},{category},'
            f'ch_{sale.number},REFUND FOR CHARGE (Order {sale.number})\n'
        )
    return out.getvalue().encode()


def write_amazon(sales):
    """Return a settlement of Amazon.de: tabs, decimal comma, Windows."""
    names = [
        'settlement-id', 'settlement-start-date', 'settlement-end-date', 'deposit-date',
        'total-amount', 'currency', 'transaction-type', 'order-id', 'merchant-order-id',
        'adjustment-id', 'shipment-id', 'marketplace-name', 'amount-type',
        'amount-description', 'amount', 'fulfillment-id', 'posted-date', 'posted-date-time',
        'order-item-code', 'merchant-order-item-id', 'merchant-adjustment-item-id', 'sku',
        'quantity-purchased', 'promotion-id',
    ]  # fmt: skip
    rows, total = [], Decimal(0)
    for number, (sale, kind, amount) in enumerate(get_refunds(sales)):
        when = START + timedelta(minutes=7 * number)
        shipping = (amount / 10).quantize(Decimal('0.01'))
        parts = [('Principal', amount - shipping), ('Shipping', shipping)]
        for description, part in parts:
            total -= part
            rows.append(
                {
                    'settlement-id': '1',
                    'transaction-type': 'Chargeback Refund' if kind == 'chargeback' else 'Refund',
                    'order-id': sale.number,
                    'adjustment-id': str(70_000_000 + number),
                    'amount-type': 'ItemPrice',
                    'amount-description': description,
                    'amount': str(-part).replace('.', ','),
                    'posted-date': f'{when:%d.%m.%Y}',
                    'posted-date-time': f'{when:%d.%m.%Y %H:%M:%S} UTC',
                    'order-item-code': str(60_000_000 + number),
                    'sku': 'GRÖSSE-1',
                }
            )
    first = {
        'settlement-id': '1',
        'settlement-start-date': '01.09.2026 08:00:00 UTC',
        'settlement-end-date': '30.09.2026 08:00:00 UTC',
        'total-amount': str(total).replace('.', ','),
        'currency': 'EUR',
    }
    lines = ['\t'.join(names)]
    lines += ['\t'.join(row.get(name, '') for name in names) for row in [first, *rows]]
    return '\r\n'.join(lines).encode('cp1252') + b'\r\n'


def write_wechat(sales):
    """Return a bill of WeChat Pay: each value behind a back-tick, totals at the end."""
    names = [
        '交易时间', '微信订单号', '商户订单号', '交易状态', '货币种类', '微信退款单号',
        '商户退款单号', '退款金额', '退款状态', '商品名称', '订单金额',
    ]  # fmt: skip
    lines, total, count = [','.join(names)], Decimal(0), 0
    for number, (sale, _kind, amount) in enumerate(get_refunds(sales)):
        when = START + timedelta(minutes=7 * number)
        total += amount
        count += 1
        values = [
            f'{when:%Y-%m-%d %H:%M:%S}', f'42{number:026d}', sale.number, 'REFUND', 'CNY',
            f'50{number:026d}', f'R{number}', str(amount), 'SUCCESS', '商品\\, 一件', '0.00',
        ]  # fmt: skip
        lines.append(','.join(f'`{value}' for value in values).replace('\\,', '\\ '))
    lines += ['总交易单数,退款总金额', f'`{count},`{total}']
    return '\ufeff'.encode() + '\r\n'.join(lines).encode() + b'\r\n'


def get_refunds(sales):
    """Yield `(sale, kind, amount)` of all refunds."""
    for sale in sales:
        for kind, amount in sale.refunds:
            yield sale, kind, amount


WRITERS = {
    'stripe': ('EUR', write_stripe),
    'amazon': ('EUR', write_amazon),
    'wechat': ('CNY', write_wechat),
}

# --- how long, and how much memory ----------------------------------------------------------------


def get_memory(reset=False):
    """Return the largest memory of the process in MB, since the last reset."""
    if reset:
        Path('/proc/self/clear_refs').write_text('5')
    status = Path('/proc/self/status').read_text()
    return int(re.search(r'VmHWM:\s+(\d+)', status)[1]) / 1024


def measure(env, count):
    """Import a file with this many rows, compare it again, and print time, memory and queries."""
    head = b'Transaction Date,Type,Order,Payout Status,Amount,Currency\n'
    data = head + b''.join(
        b'2026-09-08 09:15:30 +0200,refund,#M%d,paid,-1.00,EUR\n' % number
        for number in range(count)
    )
    encoded = base64.b64encode(data).decode()
    channel = env['sale.return.channel'].create({'name': f"{count} rows", 'platform': 'shopify'})
    env.flush_all()
    env.invalidate_all()
    gc.collect()
    idle = get_memory(reset=True)
    begin = time.perf_counter()
    channel.import_file(channel.id, 'large.csv', encoded)
    seconds = time.perf_counter() - begin
    above = get_memory() - idle
    queries, begin = env.cr.sql_log_count, time.perf_counter()
    env['sale.return.channel.matcher']._match_channel(channel)
    queries = (env.cr.sql_log_count - queries) / (count / 1000)
    print(
        f"{count} rows ({len(data) / 1e6:.0f} MB): imported in {seconds:.1f} s, {above:.0f} MB "
        f"above idle; compared again in {time.perf_counter() - begin:.1f} s, {queries:.1f} queries "
        "per 1,000 rows"
    )
    return seconds < 60 * max(count / 60_000, 1) and above <= 200 and queries <= 3
