"""Real trade: invoices of a web shop and their later cancellations. Needs no Odoo.

Reads "Online Retail" (UCI Machine Learning Repository, D. Chen, CC BY 4.0), whose lines have
InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country; the
number of a cancellation starts with C. Where the file is not at hand, `generate_rows` makes trade
of the same shape.
"""

import bz2
import csv
import gzip
import lzma
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

OPENERS = {'.xz': lzma.open, '.gz': gzip.open, '.bz2': bz2.open}


class Row(NamedTuple):
    """One line of the data."""

    number: str
    code: str
    description: str
    quantity: int
    price: float
    customer: str
    country: str
    date: str = ''

    @property
    def is_cancellation(self):
        return self.number.startswith('C')

    @property
    def is_goods(self):
        """Tell goods from postage, discounts, fees, vouchers and corrections.

        >>> row = Row('536365', '85123A', "Heart", 6, 2.55, '17850', "France")
        >>> row.is_goods, row._replace(code='POST').is_goods, row._replace(code='D').is_goods
        (True, False, False)
        """
        return self.code[:5].isdigit() or self.code.startswith('DCGS')


@dataclass
class InvoiceLine:
    """One line of an invoice, and the quantity not cancelled in the data."""

    code: str
    description: str
    quantity: int
    price: float
    left: int


@dataclass
class Invoice:
    """One invoice of goods."""

    number: str
    customer: str
    country: str
    lines: list = field(default_factory=list)


@dataclass
class Cancellation:
    """One line of a cancellation, matched with the invoice it undoes.

    `parts` are `(position of the invoice line, quantity)`. One that does not fit cancels more than
    the `left` that earlier ones have left of the purchase.
    """

    number: str
    invoice: Invoice
    code: str
    quantity: int
    price: float
    left: int
    parts: list

    @property
    def fits(self):
        return self.quantity <= self.left


@dataclass
class Trade:
    """Invoices with the cancellations that belong to them, and the skipped data."""

    invoices: list = field(default_factory=list)
    cancellations: list = field(default_factory=list)
    codes: Counter = field(default_factory=Counter)
    counts: Counter = field(default_factory=Counter)


def read_rows(path):
    """Read the data line by line.

    :param path: a CSV file, also compressed (.xz, .gz, .bz2).
    :return: iterator of `Row`, in the order of the file, which is that of time.
    """
    with OPENERS.get(Path(path).suffix, open)(
        path, 'rt', encoding='utf-8-sig', errors='replace', newline=''
    ) as lines:
        for values in csv.DictReader(lines):
            yield Row(
                number=values['InvoiceNo'],
                code=values['StockCode'].upper(),
                description=values['Description'].strip() or values['StockCode'],
                quantity=int(float(values['Quantity'])),
                price=float(values['UnitPrice']),
                customer=values['CustomerID'].removesuffix('.0'),
                country=values['Country'],
                date=values['InvoiceDate'],
            )


def generate_rows(invoices=40, seed=19):
    """Generate trade of the same shape: duplicates, postage, cancellations that exceed purchases.

    :param int invoices: how many invoices to generate.
    :param int seed: the same seed gives the same trade.
    :return: iterator of `Row` in the order of time.
    """
    chance = random.Random(seed)
    prices = [0.42, 0.85, 1.25, 1.65, 2.1, 2.55, 2.95, 3.75, 4.95, 8.5, 12.75, 39.95]
    goods = [
        (f'{20000 + n}{chance.choice(["", "A", "B"])}', chance.choice(prices)) for n in range(90)
    ]
    pending = []
    for index in range(invoices):
        number, customer = str(600000 + 2 * index), str(12000 + chance.randrange(invoices // 2))
        bought = []
        for code, price in chance.choices(goods, k=1 + int(chance.expovariate(1 / 12))):
            quantity = chance.choice([1, 1, 2, 3, 4, 6, 6, 8, 10, 12, 12, 24, 25, 36, 48, 144])
            row = Row(number, code, f"Product {code}", quantity, price, customer, "United Kingdom")
            bought.append(row)
            yield row
        if chance.random() < 0.3:
            yield Row(number, 'POST', "POSTAGE", 1, 18.0, customer, "France")
        for row in chance.sample(bought, k=min(len(bought), chance.choice([0, 1, 1, 2, 4]))):
            factor = chance.choice([0.1, 0.34, 0.5, 1, 1, 1, 1.5])
            quantity = -max(round(row.quantity * factor), 1)
            pending.append(row._replace(number=f'C{int(number) + 1}', quantity=quantity))
        if chance.random() < 0.1:
            pending.append(Row(f'C{number}', 'D', "Discount", -1, 9.9, customer, "France"))
        while len(pending) > 12:
            yield pending.pop(0)
    yield from pending


def collect(rows, limit):
    """Match cancellations with the purchases they undo, and take the first invoices that have any.

    A cancellation belongs to the same customer's latest earlier invoice that has enough left of
    the same product at the same price, else at any price. Where none has, it exceeds the purchase
    and belongs to the latest one.

    :param rows: iterator of `Row` in the order of time.
    :param int limit: how many invoices to take.
    :rtype: Trade

    >>> def row(number, quantity, code='22139', price=2.5):
    ...     return Row(number, code, "Tea set", quantity, price, '17850', "France")
    >>> trade = collect([row('1', 6), row('2', 4), row('C3', -5), row('C4', -2), row('C5', -3),
    ...                  row('C6', -1, code='POST')], limit=9)
    >>> [(c.number, c.invoice.number, c.parts, c.fits) for c in trade.cancellations]
    [('C3', '1', [(0, 5)], True), ('C4', '2', [(0, 2)], True), ('C5', '2', [(0, 3)], False)]
    >>> dict(trade.codes), [line.left for line in trade.invoices[0].lines]
    ({'POST': 1}, [1])
    """
    trade = Trade()
    invoices, bought, cancelled, aside = {}, defaultdict(dict), [], defaultdict(list)
    for row in rows:
        trade.counts['lines'] += 1
        if row.is_cancellation:
            trade.counts['cancellations'] += 1
            aside_reason = _get_reason_aside(row, bought)
            if aside_reason:
                trade.counts[aside_reason] += 1
                aside[row.customer].append(row)
            else:
                cancelled.append(_match(row, list(bought[row.customer, row.code].values())))
        elif row.customer and row.quantity > 0 and row.price >= 0:
            if not row.is_goods:
                aside[row.number].append(row)
                continue
            invoice = invoices.get(row.number)
            if not invoice:
                invoice = invoices[row.number] = Invoice(row.number, row.customer, row.country)
            line = InvoiceLine(row.code, row.description, row.quantity, row.price, row.quantity)
            invoice.lines.append(line)
            bought[row.customer, row.code][row.number] = invoice
    with_cancellation = {cancellation.invoice.number for cancellation in cancelled}
    chosen = [number for number in invoices if number in with_cancellation][:limit]
    trade.invoices = [invoices[number] for number in chosen]
    trade.cancellations = [c for c in cancelled if c.invoice.number in set(chosen)]
    for key in {*chosen, *(invoice.customer for invoice in trade.invoices)}:
        trade.codes.update(row.code for row in aside[key] if not row.is_goods)
    return trade


def _get_reason_aside(row, bought):
    """Return why a cancellation cannot be matched with a purchase, None if it can."""
    if not row.is_goods:
        return 'cancellations of codes that are no goods'
    if not row.customer:
        return 'cancellations without customer'
    if (row.customer, row.code) not in bought:
        return 'cancellations without purchase in the data'
    return None


def _match(row, invoices):
    """Match one cancellation with an invoice, and take the quantity from its lines."""
    wanted = -row.quantity
    for same_price in (True, False):
        for invoice in reversed(invoices):
            lines = [
                (position, line)
                for position, line in enumerate(invoice.lines)
                if line.code == row.code and (line.price == row.price or not same_price)
            ]
            left = sum(line.left for _position, line in lines)
            if left >= wanted:
                parts = _take(lines, wanted)
                return Cancellation(row.number, invoice, row.code, wanted, row.price, left, parts)
    # `lines` and `left` are now those of the oldest invoice; but the latest one is exceeded.
    invoice = invoices[-1]
    lines = [(i, line) for i, line in enumerate(invoice.lines) if line.code == row.code]
    left = sum(line.left for _position, line in lines)
    parts = [(lines[0][0], wanted)]
    return Cancellation(row.number, invoice, row.code, wanted, row.price, left, parts)


def _take(lines, quantity):
    """Take a quantity from invoice lines, the first ones first; return `(position, quantity)`s."""
    parts = []
    for position, line in lines:
        taken = min(line.left, quantity)
        if taken:
            parts.append((position, taken))
            line.left -= taken
            quantity -= taken
    return parts
