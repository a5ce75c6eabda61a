"""Amounts, quantities, identifiers and times as channels write them."""

import re
import unicodedata
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from .record import BrokenRowError

DOT, COMMA = 'dot', 'comma'
CHINA = ZoneInfo('Asia/Shanghai')

_AMOUNTS = {
    DOT: re.compile(r'[-+]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?|[-+]?\.\d+'),
    COMMA: re.compile(r'[-+]?(\d{1,3}([. \u00a0\u202f]\d{3})+|\d+)(,\d+)?|[-+]?,\d+'),
}
_SCIENTIFIC = re.compile(r'[-+]?\d+([.,]\d+)?[eE][-+]?\d+')
_DIGITS = 40  # more than any amount has, and few enough to count with
_LARGE = 10**13  # above it cents are lost where numbers are stored
_YEARS = range(1970, 2200)  # others are mistakes, which no zone can be counted from
# Hours from UTC. CST is left out: it is China's, Chicago's and Cuba's.
_ZONES = {
    'UTC': 0, 'GMT': 0, 'Z': 0, 'WET': 0, 'BST': 1, 'WEST': 1, 'CET': 1, 'MEZ': 1, 'CEST': 2,
    'MESZ': 2, 'EET': 2, 'EEST': 3, 'MSK': 3, 'HKT': 8, 'SGT': 8, 'JST': 9, 'KST': 9, 'AEST': 10,
    'AEDT': 11, 'EST': -5, 'EDT': -4, 'CDT': -5, 'MST': -7, 'MDT': -6, 'PST': -8, 'PDT': -7,
}  # fmt: skip
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            'jan januar january janv',
            'feb februar february févr',
            'mar mär mrz märz march mars',
            'apr april avr',
            'may mai',
            'jun juni june juin',
            'jul juli july juil',
            'aug august août',
            'sep sept september',
            'oct okt oktober october',
            'nov november',
            'dec dez dezember december déc',
        ),
        1,
    )
    for name in names.split()
}


def clean(text):
    """Return a value without what channels put around it: blanks, tabs, back-ticks, ``="…"``.

    >>> clean("`4200002459202609050832127661"), clean('\\t1 '), clean('="0012"'), clean("'01067")
    ('4200002459202609050832127661', '1', '0012', '01067')
    """
    text = text.strip(' \t\r\n\x1a\u00a0\ufeff`')
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.removeprefix("'")


def header(text):
    """Return the name of a column in the form used for comparison.

    >>> header(' 收入金额（+元）\\t'), header('\\ufeff"Date"')
    ('收入金额(+元)', 'date')
    """
    text = unicodedata.normalize('NFKC', clean(text)).strip('" \t`')
    return ' '.join(text.casefold().split())


def identifier(text, column=''):
    """Return an identifier as text.

    :raise BrokenRowError: if a spreadsheet has rounded it

    >>> identifier('`5129115254892076673')
    '5129115254892076673'
    """
    text = clean(text)
    if _SCIENTIFIC.fullmatch(text):
        raise BrokenRowError(
            f'{column or "identifier"} "{text}" in scientific notation', 'identifier'
        )
    return text


def amount(text, style=DOT, column='amount'):
    """Return an amount exactly as written.

    :raise BrokenRowError: if it is not an amount in this style: ambiguous values are not guessed

    >>> amount('-3,666.78'), amount('1.234,5', COMMA), amount('−2.40')
    (Decimal('-3666.78'), Decimal('1234.5'), Decimal('-2.40'))
    """
    text = clean(text)
    plain = text.replace('\u2212', '-')
    if (
        len(plain) > _DIGITS
        or (not plain.isascii() and style == DOT)
        or not _AMOUNTS[style].fullmatch(plain)
    ):
        raise BrokenRowError(f'{column} "{text[:_DIGITS]}"', 'amount')
    if style == COMMA:
        plain = re.sub('[. \u00a0\u202f]', '', plain).replace(',', '.')
    else:
        plain = plain.replace(',', '')
    if not all(char in '+-.0123456789' for char in plain):
        raise BrokenRowError(f'{column} "{text[:_DIGITS]}"', 'amount')
    value = Decimal(plain)
    if abs(value) >= _LARGE:
        raise BrokenRowError(f'{column} "{text[:_DIGITS]}"', 'amount')
    return value


def amount_of_two(text, column='amount'):
    """Return an amount that always has two decimals, with any decimal separator.

    >>> amount_of_two('-55,87'), amount_of_two('1,234.50'), amount_of_two('12')
    (Decimal('-55.87'), Decimal('1234.50'), Decimal('12'))
    """
    return amount(text, COMMA if re.search(r',\d{1,2}$', clean(text)) else DOT, column)


def quantity(text, default=1):
    """Return a quantity, or the default if empty.

    :raise BrokenRowError: if it is not a number
    """
    text = clean(text)
    return amount(text, column='quantity') if text else Decimal(default)


def zone_of(name):
    """Return a zone by the abbreviation used in files, or None if it is ambiguous.

    >>> zone_of('PDT').utcoffset(None).total_seconds() / 3600, zone_of('CST')
    (-7.0, None)
    """
    hours = _ZONES.get(clean(name).upper())
    return None if hours is None else timezone(timedelta(hours=hours))


_ISO = re.compile(
    r'(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?'
    r'\s*(Z|[A-Z]{2,4}|[-+]\d{2}:?\d{2})?'
)
_NUMERIC = re.compile(
    r'(\d{1,2})[./](\d{1,2})[./](\d{4}|\d{2})(?:[ ,-]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?'
    r'\s*([A-Z]{2,4})?'
)
_DAY_FIRST = re.compile(r'(\d{1,2})[. -]+([^\W\d_]+)[. -]+(\d{4})')
_MONTH_FIRST = re.compile(r'([^\W\d_]+)\.? (\d{1,2}),? (\d{4})')


def moment(text, zone=None, month_first=False, column='date'):
    """Return a time with its written zone, else with ``zone`` if given.

    :raise BrokenRowError: if it is not a date

    >>> moment('2026-07-01 07:33:09 +0200').isoformat()
    '2026-07-01T07:33:09+02:00'
    >>> moment('14.03.2023 07:49:55 UTC').isoformat(), moment('18/12/2025 - 18:27:05').isoformat()
    ('2023-03-14T07:49:55+00:00', '2025-12-18T18:27:05')
    >>> {str(moment(text).date()) for text in ('Aug 31, 2026', '31. Aug 2026', '31-Aug-2026')}
    {'2026-08-31'}
    """
    text = clean(text)
    try:
        year, month, day, time, offset = _split_moment(text, month_first)
        value = datetime(int(year), int(month), int(day), *(int(part or 0) for part in time))
        offset = _read_offset(offset)
    except (TypeError, ValueError, KeyError, OverflowError):
        raise BrokenRowError(f'{column} "{text[:_DIGITS]}"', 'date') from None
    if value.year not in _YEARS:
        raise BrokenRowError(f'{column} "{text[:_DIGITS]}"', 'date')
    return value.replace(tzinfo=offset or zone)


def _split_moment(text, month_first):
    """Return year, month, day, time and zone as written, or None."""
    if found := _ISO.fullmatch(text):
        year, month, day, *time, offset = found.groups()
        return year, month, day, time, offset
    if found := _NUMERIC.fullmatch(text):
        day, month, year, *time, offset = found.groups()
        if month_first and '/' in text:
            day, month = month, day
        return (year if len(year) == 4 else f'20{year}'), month, day, time, offset
    if found := _DAY_FIRST.fullmatch(text):
        return found[3], _MONTHS[found[2].casefold()], found[1], (), None
    if found := _MONTH_FIRST.fullmatch(text):
        return found[3], _MONTHS[found[1].casefold()], found[2], (), None
    return None


def _read_offset(text):
    if not text:
        return None
    if text[0] in '+-':
        sign = -1 if text[0] == '-' else 1
        digits = text[1:].replace(':', '')
        return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
    return zone_of(text)
