"""Files of channels: marketplaces, payment providers, shops and carriers.

``read`` finds the format by the columns or names that a file has, never by its file name, and
returns its records: :class:`Refund`, :class:`ReturnUnit`, :class:`Tracking`,
:class:`Reimbursement`, and :class:`Broken` for rows that cannot be read. Nothing here knows Odoo.

A new format is a class in one of the files, named in its ``FORMATS``, ``TABLES``, ``DOCUMENTS`` or
``XML``.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from lxml import etree

from . import amazon, carrier, china, marketplace, payment, shop
from .mapped import Mapped, Profile
from .matching import match
from .record import (
    Broken,
    BrokenRowError,
    Control,
    Event,
    FormatError,
    Movement,
    Refund,
    Reimbursement,
    ReturnUnit,
    Tracking,
    collect,
)
from .table import read_table
from .text import check_size, encodings_of, refuse_entities, unpack

TABLES = (
    *amazon.FORMATS,
    *payment.FORMATS,
    *marketplace.FORMATS,
    *shop.TABLES,
    *china.FORMATS,
)
DOCUMENTS = (*shop.DOCUMENTS, *carrier.DOCUMENTS)
XML = carrier.XML
NAMES = tuple(sorted({each.name for each in (*TABLES, *DOCUMENTS, *XML)}))
DIGITS = 100  # of a number, before or after its point


@dataclass
class Reading:
    """A file being read: iterate over it once, then the other attributes are known.

    ``rows`` counts what the file holds, broken rows included; ``controls`` are the totals it states
    beside what was read; ``number``, ``start`` and ``end`` are stated in the file.
    """

    data: bytes
    name: str = ''
    profiles: tuple = ()
    format: str = ''
    encoding: str = ''
    currency: str = ''
    number: str = ''
    start: datetime | None = None
    end: datetime | None = None
    money: bool = False
    rows: int = 0
    controls: list = field(default_factory=list)

    def __iter__(self):
        start = self.data[:64].lstrip(b'\xef\xbb\xbf \t\r\n')
        if start[:1] in (b'{', b'['):
            return self._read_json()
        if start[:1] == b'<':
            return self._read_xml()
        return read_table(self.data, (*(Mapped(each) for each in self.profiles), *TABLES), self)

    def _read_json(self):
        self.encoding = encodings_of(self.data)[0]
        try:
            data = json.loads(
                self.data.decode(self.encoding), parse_float=_parse_float, parse_int=_parse_int
            )
        except (ValueError, RecursionError):
            raise FormatError(
                'The file is cut off or damaged: it is no whole JSON.', 'damaged'
            ) from None
        for known in DOCUMENTS:
            things = known.items(data)
            if things is not None:
                yield from self._read_things(known, things)
                return
        raise FormatError('The file is JSON of no channel that is known.', 'unknown')

    def _read_xml(self):
        refuse_entities(self.data)
        self.encoding = 'utf-8'
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        try:
            root = etree.fromstring(self.data, parser)
        except etree.XMLSyntaxError:
            raise FormatError(
                'The file is cut off or damaged: it is no whole XML.', 'damaged'
            ) from None
        for known in XML:
            things = known.items(root)
            if things is not None:
                yield from self._read_things(known, things)
                return
        raise FormatError('The file is XML of no channel that is known.', 'unknown')

    def _read_things(self, known, things):
        self.format = known.name
        for line, item in enumerate(things, 1):
            self.rows += 1
            try:
                yield from known.parse(item, line, self)
            except BrokenRowError as error:
                yield Broken(line, str(error), error.code, str(item)[:500])


def _parse_float(text):
    """Return a number exactly as it is written; as text where it is too large to count with.

    >>> _parse_float('1.50'), _parse_float('1e999999999')
    (Decimal('1.50'), '1e999999999')
    """
    value = Decimal(text)
    return value if abs(value.adjusted()) < DIGITS else text


def _parse_int(text):
    """Return a whole number as text: it is an identifier, not a quantity."""
    return text


def read(data, name='', profiles=(), money=False):
    """Return the records of a file, to be iterated once.

    :param bytes data: one file; :func:`unpack` returns those of an archive
    :param str name: shown in messages; not used to recognise the file
    :param profiles: descriptions of formats without a reader, tried first
    :param bool money: read every :class:`Movement` of the account as well, where the format has all
    :raise FormatError: while iterating, if the file as a whole cannot be read
    :rtype: Reading

    >>> reading = read(b'Transaction Date,Type,Order,Payout Status,Amount,Currency\\n'
    ...                b'2026-09-08 09:15:30 +0200,refund,#2001,paid,-12.90,EUR\\n')
    >>> [(each.order, each.amount, each.currency) for each in reading], reading.format
    ([('#2001', Decimal('12.90'), 'EUR')], 'shopify_payouts')
    """
    check_size(data)
    return Reading(data, name, tuple(profiles), money=money)


__all__ = [
    'NAMES', 'Broken', 'Control', 'Event', 'FormatError', 'Movement', 'Profile', 'Reading',
    'Refund', 'Reimbursement', 'ReturnUnit', 'Tracking', 'collect', 'match', 'read', 'unpack',
]  # fmt: skip
