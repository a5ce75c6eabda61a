"""Untrusted values: validating what a browser or a remote client has sent.

`take_*` never fail: they are for forms, and return an empty value for invalid input. `Kind`s are
for the arguments of public methods, see `reads`.
"""

import base64
import binascii
import functools
import inspect
import math
import re
from datetime import datetime

# Largest id in PostgreSQL, and a limit far above any quantity or amount of a return.
MAX_ID = 2**31 - 1
MAX_NUMBER = 1e12
MAX_TEXT = 100_000
MAX_FILE = 280_000_000  # 200 MB in base64
# In bytes: safely below the limit of an index.
MAX_LINE = 2_000
MAX_ROWS = 10_000
MAX_COUNT = 1_000_000
MAX_DEPTH = 20
MAX_DIGITS = 64
# The largest integer that JSON represents exactly.
MAX_EXACT = 2**53
# NUL and similar characters have no meaning in a text, and half a surrogate pair is invalid. Line
# breaks are kept.
INTEGER = re.compile(r'\s*[+-]?\d{1,10}\s*', re.ASCII)
UNPRINTABLE = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]')


# === FORMS === #


def take_text(value, limit=MAX_TEXT):
    r"""Return a text without characters that cannot be stored; '' for anything but a text.

    >>> take_text('a\x00b\ud800c\n'), take_text('abcdef', 3), take_text(['a']), take_text(None)
    ('abc\n', 'abc', '', '')
    """
    return UNPRINTABLE.sub('', value)[:limit] if isinstance(value, str) else ''


def take_id(value):
    """Return the id in a text (or number), None if it cannot be one.

    >>> take_id('12'), take_id(12), take_id('0'), take_id('9' * 5000), take_id(2**31), take_id('²')
    (12, 12, None, None, None, None)
    >>> take_id(['12']), take_id(True), take_id(-1)
    (None, None, None)
    """
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 10:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_ID:
        return value
    return None


def take_number(value):
    """Return a typed number, 0 if empty and NaN if it is not a valid quantity.

    >>> take_number('1,5'), take_number(' 2 '), take_number(''), take_number(None), take_number(3)
    (1.5, 2.0, 0.0, 0.0, 3.0)
    >>> [take_number(value) for value in ('inf', 'nan', 'x', {}, ['1'], True)]
    [nan, nan, nan, nan, nan, nan]

    Larger values are limited to the maximum.

    >>> take_number('1e308'), take_number('9' * 5000), take_number('-1e300')
    (1000000000000.0, 1000000000000.0, -1000000000000.0)
    """
    if value is None or value is False:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return math.nan
    text = str(value)[:MAX_DIGITS] if isinstance(value, str) else value
    try:
        number = (
            float(text.strip().replace(',', '.') or 0.0) if isinstance(text, str) else float(text)
        )
    except (ValueError, OverflowError):
        return math.nan
    return max(-MAX_NUMBER, min(number, MAX_NUMBER)) if math.isfinite(number) else math.nan


# === ARGUMENTS === #


class Unreadable(ValueError):
    """A value that the method does not accept. Its text is the code of the expected kind."""


def _is_record(value):
    # Part of the ORM: our own code calls these methods as well.
    return hasattr(value, '_name') and hasattr(value, 'ids')


def text(value):
    r"""Read a text; None and False count as empty.

    >>> text("Broken."), text(None)
    ('Broken.', None)
    >>> [code_of(text, value) for value in (5, ['a'], {}, 'a\x00', '\ud800', 'a' * 100_001)]
    ['text', 'text', 'text', 'text', 'text', 'text']
    """
    if value is None or value is False:
        return value
    if not isinstance(value, str) or len(value) > MAX_TEXT or _has_unprintable(value):
        raise Unreadable('text')
    return value


def file_content(value):
    """Read the content of a file in base64; None and False count as empty.

    >>> file_content('QQ=='), code_of(file_content, 5), code_of(file_content, 'ß')
    ('QQ==', 'text', 'text')
    """
    if value is None or value is False:
        return value
    if isinstance(value, bytes):
        value = value.decode('ascii', 'replace')
    if not isinstance(value, str) or not value.isascii() or len(value) > MAX_FILE:
        raise Unreadable('text')
    return value


def _has_unprintable(value):
    return bool(UNPRINTABLE.search(value))


def number(value):
    """Read a finite number of a realistic size; None and False count as empty.

    >>> number(2), number(0.5), number(None)
    (2, 0.5, None)
    >>> [code_of(number, v) for v in ('2', True, float('nan'), 1e308, 10**400, [], {})]
    ['number', 'number', 'number', 'number', 'number', 'number', 'number']
    """
    if value is None or value is False:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unreadable('number')
    if not abs(value) <= MAX_NUMBER:
        raise Unreadable('number')
    return value


def count(value):
    """Read a whole number; None and False count as empty.

    >>> count(20), count(None), [code_of(count, v) for v in (-1, 0.5, '2', 10**7, True)]
    (20, None, ['number', 'number', 'number', 'number', 'number'])
    """
    value = number(value)
    if value and (value != int(value) or not 0 <= value <= MAX_COUNT):
        raise Unreadable('number')
    return value


def record_id(value):
    """Read the id of a record; None, False and 0 count as empty.

    >>> record_id(7), record_id(False), record_id(0)
    (7, False, 0)
    >>> [code_of(record_id, v) for v in ('7', -1, 2**31, 7.0, True, [7], {})]
    ['id', 'id', 'id', 'id', 'id', 'id', 'id']
    """
    if value is None or value is False or _is_record(value):
        return value
    if isinstance(value, int) and (value == 0 or take_id(value)):
        return value
    raise Unreadable('id')


def code_or_id(value):
    """Read a reference to a record: its id, or a text such as its code.

    >>> code_or_id('restock'), code_or_id(3), code_or_id(None)
    ('restock', 3, None)
    >>> [code_of(code_or_id, v) for v in (2**40, ['restock'], {}, 1.5)]
    ['code or id', 'code or id', 'code or id', 'code or id']
    """
    try:
        return text(value) if isinstance(value, str) else record_id(value)
    except Unreadable as error:
        raise Unreadable('code or id') from error


def flag(value):
    """Read a boolean.

    >>> flag(True), flag(None), code_of(flag, 'yes'), code_of(flag, [])
    (True, None, 'yes or no', 'yes or no')
    """
    if value is None or isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return value
    raise Unreadable('yes or no')


def anything(value):
    """Read any structure, e.g. a domain, checking that its texts and numbers can be stored.

    >>> anything([('name', '=', 'a'), {'b': [1.5, None]}])
    [('name', '=', 'a'), {'b': [1.5, None]}]
    >>> odd = ('\\x00', [[float('nan')]], {'a': {'b': 10**400}}, {None: 2})
    >>> [code_of(anything, value) for value in odd]
    ['value', 'value', 'value', 'value']
    """
    return _walk(value, depth=0)


def _walk(value, depth):
    if depth > MAX_DEPTH or not _is_plain(value):
        raise Unreadable('value')
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, (str, int)):
                raise Unreadable('value')
            _walk(key, depth + 1)
            _walk(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _walk(item, depth + 1)
    return value


def _is_plain(value):
    """Tell whether a text or a number can be stored; other values are checked separately."""
    if isinstance(value, str):
        return not _has_unprintable(value)
    if isinstance(value, (int, float)):
        return abs(value) <= MAX_EXACT
    return True


def iso_day(value):
    """Read a date, as a text or an object; None and False count as empty.

    >>> iso_day('2026-05-04'), iso_day(None), code_of(iso_day, '4 May'), code_of(iso_day, 5)
    ('2026-05-04', None, 'day', 'day')
    """
    if value is None or value is False or hasattr(value, 'isoformat'):
        return value
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Unreadable('day') from error
    return value


def domain(value):
    """Read a domain: conditions of three parts, and operators between them.

    >>> domain([('name', '=', 'a'), '|', ['id', 'in', [1]]]), domain(None)
    ([('name', '=', 'a'), '|', ['id', 'in', [1]]], None)
    >>> odd = ('x', {}, [1], [('a', 'b')], [(1, '=', 2)], [('a', '=', 1e308)])
    >>> [code_of(domain, value) for value in odd]
    ['domain', 'domain', 'domain', 'domain', 'domain', 'domain']
    """
    if value is None or value is False or hasattr(value, 'optimize'):
        return value  # empty, or an object of Odoo
    if not isinstance(value, (list, tuple)) or not all(map(_is_condition, value)):
        raise Unreadable('domain')
    if code_of(anything, value):
        raise Unreadable('domain')
    return value


def _is_condition(item):
    if isinstance(item, str):
        return item in ('&', '|', '!')
    return (
        isinstance(item, (list, tuple))
        and len(item) == 3
        and (isinstance(item[0], str) or tuple(item) in ((0, '=', 1), (1, '=', 1)))
        and isinstance(item[1], str)
    )


EXPECTED = {
    text: 'text',
    number: 'number',
    count: 'number',
    record_id: 'id',
    code_or_id: 'code or id',
}


def needed(kind, expected='list'):
    """Return a kind: like another one, but required.

    >>> needed(number)(2), code_of(needed(number), None), code_of(needed(text), False)
    (2, 'number', 'text')
    >>> code_of(RESULT, None), code_of(needed(RESULTS), None)
    ('values', 'list')
    """

    def read(value):
        if value is None or value is False:
            raise Unreadable(EXPECTED.get(kind, expected))
        return kind(value)

    return read


def list_of(kind):
    """Return a kind: a list of values of another one; None counts as empty.

    >>> list_of(record_id)([1, 2]), code_of(list_of(record_id), 5), code_of(list_of(text), [5])
    ([1, 2], 'list', 'text')
    """

    def read(value):
        if value is None or value is False or _is_record(value):
            return value
        if not isinstance(value, (list, tuple)) or len(value) > MAX_ROWS:
            raise Unreadable('list')
        return [kind(item) for item in value]

    return read


def pair_of(kind):
    """Return a kind: two values of another one.

    >>> pair_of(number)([1, 2]), code_of(pair_of(number), [1]), code_of(pair_of(number), None)
    ([1, 2], 'list', 'list')
    """

    def read(value):
        values = needed(list_of(kind))(value)
        if len(values) != 2 or None in values or False in values:
            raise Unreadable('list')
        return values

    return read


def row(kinds=(), /):
    """Return a kind: a dict whose known keys have values of their kinds; others are `anything`.

    >>> row({'quantity': number})({'quantity': 1, 'note': "x"})
    {'quantity': 1, 'note': 'x'}
    >>> code_of(row({'quantity': number}), {'quantity': 'x'}), code_of(row(), ['quantity'])
    ('quantity: number', 'values')
    """

    def read(value):
        if value is None or value is False:
            return value
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise Unreadable('values')
        result = {}
        for key, item in value.items():
            try:
                result[key] = dict(kinds).get(key, anything)(item)
            except Unreadable as error:
                raise Unreadable(f'{key}: {error}') from error
        return result

    return read


# === VALUES OF FIELDS === #

# As tolerant as Odoo, which accepts '5' for 5, but with an error message where Odoo would fail.


def written(value):
    r"""Read the value of a text field, of any length.

    >>> written("Broken."), written(5), written(None)
    ('Broken.', '5', None)
    >>> [code_of(written, v) for v in (['a'], {}, 'a\x00', '\ud800', True, b'a', 1e308)]
    ['text', 'text', 'text', 'text', 'text', 'text', 'text']
    """
    odd = isinstance(value, (list, tuple, dict, set, bytes)) or value is True
    if odd or (isinstance(value, (int, float)) and not abs(value) <= MAX_EXACT):
        raise Unreadable('text')
    if value is None or value is False:
        return value
    if _has_unprintable(str(value)):
        raise Unreadable('text')
    return value if isinstance(value, str) else str(value)


def line(value):
    """Read the value of a char field: not too long for an index.

    >>> line("x" * 2000) == "x" * 2000, line(5), line(None)
    (True, '5', None)
    >>> [code_of(line, value) for value in ("x" * 2001, "中" * 667, ['a'])]
    ['line', 'line', 'line']
    """
    try:
        value = written(value)
    except Unreadable as error:
        raise Unreadable('line') from error
    if len((value or '').encode()) > MAX_LINE:
        raise Unreadable('line')
    return value


def figure(value):
    """Read the value of a float field; empty is zero.

    >>> figure(2), figure('2.5'), figure(False), figure('')
    (2, 2.5, False, 0.0)
    >>> [code_of(figure, v) for v in ('x', True, 'nan', '1e308', 10**400, [], {}, '9' * 5000)]
    ['number', 'number', 'number', 'number', 'number', 'number', 'number', 'number']
    """
    if isinstance(value, str) and len(value) <= MAX_DIGITS:
        try:
            value = float(value or 0.0)
        except ValueError as error:
            raise Unreadable('number') from error
    return number(value)


def integer(value):
    """Read the value of an integer field.

    >>> integer(-3), integer('7'), integer(None)
    (-3, 7, None)
    >>> [code_of(integer, v) for v in (2**31, '7.5', '9' * 5000, 0.5, [1], [])]
    ['number', 'number', 'number', 'number', 'number', 'number']
    """
    if isinstance(value, str) and (not value or INTEGER.fullmatch(value)):
        value = int(value or 0)
    result = number(value) or 0
    if result != int(result) or abs(result) > MAX_ID:
        raise Unreadable('number')
    return value


def content(value):
    """Read a file in base64.

    >>> content('YQ=='), content(False), [code_of(content, v) for v in ('a', 'é', 5, ['YQ=='])]
    ('YQ==', False, ['file', 'file', 'file', 'file'])
    """
    if value is None or value is False or value == '':
        return value
    try:
        base64.b64decode(value)
    except (TypeError, ValueError, binascii.Error) as error:
        raise Unreadable('file') from error
    return value


def commands(value):
    """Read the value of an x2many field: IDs, rows of values, or commands of Odoo.

    >>> commands([1, 2]), commands([{'name': 'a'}]), commands(None)
    ([1, 2], [(0, 0, {'name': 'a'})], None)
    >>> commands([[6, 0, [1]], (0, 0, {}), [5], (3, 7), (1, 7, {'name': 'a'})])
    [[6, 0, [1]], (0, 0, {}), [5], (3, 7), (1, 7, {'name': 'a'})]
    >>> odd = (5, 'a', {}, [[[]]], [(99, 1)], [(6, 0, [2**40])], [(0, 0, [])], [(4, 'a')], [1, {}])
    >>> [code_of(commands, v) for v in odd]
    ['list', 'list', 'list', 'list', 'list', 'list', 'list', 'list', 'list']
    """
    if value is None or value is False or _is_record(value):
        return value
    if not isinstance(value, (list, tuple)) or len(value) > MAX_ROWS:
        raise Unreadable('list')
    if value and all(take_id(item) and not isinstance(item, str) for item in value):
        return value
    rows = [(0, 0, item) if isinstance(item, dict) else item for item in value]
    if not all(_is_command(item) for item in rows):
        raise Unreadable('list')
    return rows


def _is_command(item):
    if not isinstance(item, (list, tuple)) or not 1 <= len(item) <= 3:
        return False
    code, target, values = (*item, None, None)[:3]
    if isinstance(code, bool) or not isinstance(code, int):
        return False
    if code in (0, 1):
        keys = values.keys() if isinstance(values, dict) else [None]
        return all(isinstance(key, str) for key in keys) and (code == 0 or _is_target(target))
    if code == 6:
        return _is_record(values) or (
            isinstance(values, (list, tuple)) and all(map(_is_target, values))
        )
    return code == 5 or (code in (2, 3, 4) and _is_target(target))


def _is_target(value):
    return not isinstance(value, str) and bool(take_id(value))


# By the type of the field; for other types see `sale.return.reader`.
FIELD_KINDS = {
    'char': line,
    'text': written,
    'html': written,
    'integer': integer,
    'float': figure,
    'monetary': figure,
    'boolean': flag,
    'many2one': record_id,
    'many2one_reference': record_id,
    'one2many': commands,
    'many2many': commands,
    'binary': content,
    'image': content,
}


def unread(value):
    """Accept any value: the method reads it itself, and ignores invalid parts."""
    return value


# Arguments of `register_inspection` and similar methods.
RESULT = needed(
    row(
        {
            'quantity': number,
            'disposition': code_or_id,
            'grade': code_or_id,
            'lot': code_or_id,
            'liability': text,
            'note': text,
            'line_id': record_id,
            'product': code_or_id,
        }
    ),
    'values',
)
RESULTS = list_of(RESULT)


def code_of(kind, value):
    """Return what a kind expects if it refuses a value, None if it accepts it."""
    try:
        kind(value)
    except Unreadable as error:
        return str(error)
    return None


def reads(**kinds):
    """Decorator: validate the arguments of a public method.

    Remote clients can send anything. Values of a wrong kind are refused with an error message, by
    `_refuse_argument` of the model `sale.return.reader`, before anything is done.

    :param kinds: kind of each argument, by its name.
    """

    def decorate(method):
        parameters = inspect.signature(method)

        @functools.wraps(method)
        def read(self, *args, **kwargs):
            try:
                bound = parameters.bind(self, *args, **kwargs)
            except TypeError:
                self.env['sale.return.reader']._refuse_call(method.__name__, list(kinds))
            for name, kind in kinds.items():
                if name in bound.arguments:
                    try:
                        bound.arguments[name] = kind(bound.arguments[name])
                    except Unreadable as error:
                        reader = self.env['sale.return.reader']
                        reader._refuse_argument(method.__name__, name, str(error))
            return method(*bound.args, **bound.kwargs)

        read.kinds = frozenset(kinds)
        return read

    return decorate
