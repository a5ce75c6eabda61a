"""Formats that are tables: rows under a header, found by the names of their columns."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain, islice

from .record import Broken, BrokenRowError, FormatError
from .text import FIELD, UNMARKED, Rows, encodings_of, lines_of, sheets_of
from .value import DOT, amount, clean, header, identifier, moment

SCANNED = 40  # lines searched for a header


@dataclass(slots=True)
class Table:
    """A table being read: what a format needs to know besides the row."""

    columns: dict
    names: list
    style: str = DOT
    zone: object = None
    month_first: bool = False
    currency: str = ''
    seen: Counter = field(default_factory=Counter)
    totals: dict = field(default_factory=dict)
    later: list = field(default_factory=list)

    def occurrence(self, *values):
        """Return how many rows with these values were read before this one."""
        self.seen[values] += 1
        return self.seen[values] - 1


class Row:
    """A row, accessed by the names of its format."""

    __slots__ = ('line', 'table', 'values')

    def __init__(self, table, line, values):
        self.table = table
        self.line = line
        self.values = values

    def get(self, name):
        """Return the text of a column, or None if the file does not have it."""
        position = self.table.columns.get(name)
        return '' if position is None else clean(self.values[position])

    def id(self, name):
        """Return an identifier."""
        return identifier(self.get(name), name)

    def amount(self, name):
        """Return an amount; 0 if empty."""
        text = self.get(name)
        return amount(text, self.table.style, name) if text else amount('0')

    def moment(self, name):
        """Return a time, or None if empty."""
        text = self.get(name)
        return moment(text, self.table.zone, self.table.month_first, name) if text else None


class TableFormat:
    """A format of a channel. A format defines its required columns and the meaning of a row.

    ``columns`` are our names and the names that files use, ``required`` those without which the
    file has another format. Names are compared without case, blanks and punctuation.
    """

    name = ''
    columns = {}
    required = ()
    delimiters = ','
    quoted = True
    mark = ''  # what each value begins with
    legacy = ('cp1252',)
    empty = ()  # values that count as empty

    def find(self, names):
        """Return the positions of the columns, by our names.

        :raise FormatError: if a column of the format is there twice
        """
        places = {}
        for ours, theirs in self.columns.items():
            wanted = {header(name) for name in theirs}
            found = [position for position, name in enumerate(names) if name in wanted]
            if len(found) > 1:
                raise FormatError(
                    f'The column “{names[found[0]]}” stands there twice. Export the file again.',
                    'doubled',
                    column=names[found[0]],
                )
            if found:
                places[ours] = found[0]
        return places

    def score(self, names):
        """Return how many of the required columns are in a line, and which are missing."""
        names = set(names)
        missing = [
            ours
            for ours in self.required
            if not names.intersection(header(name) for name in self.columns[ours])
        ]
        return len(self.required) - len(missing), missing

    def open(self, table, before):
        """Process the lines before the header and the header itself."""

    def is_end(self, values):
        """Return whether the rows of the table end here (totals follow)."""
        return False

    def after(self, table, values, reading):
        """Process a line after the table."""

    def parse(self, row, reading):
        """Return the records of a row.

        :raise BrokenRowError: if it cannot be read
        """
        raise NotImplementedError

    def close(self, table, reading):
        """Return the records that are only known at the end of the table."""
        return []

    def move(self, row, found, reading):
        """Return the movements of money of a row: see :class:`~.record.Movement`.

        Nothing for formats (or layouts) that do not show the whole account.

        :param list found: the records of the row, from :meth:`parse`
        """
        return []


def read_table(data, formats, reading):
    """Yield the records of a table, by the format whose columns it has.

    :raise FormatError: if it has none of the formats
    """
    known, before, names, rows = _open_table(data, formats, reading)
    table = Table(known.find(names), names)
    known.open(table, before)
    reading.format, reading.currency = known.name, table.currency
    ended = False
    for line, values in rows:
        if not any(clean(value) for value in values):
            continue
        ended = ended or known.is_end(values)
        if ended:
            yield from _read_end(known, table, line, values, reading)
        else:
            reading.rows += 1
            yield from _read_row(known, Row(table, line, values), reading)
    yield from known.close(table, reading)


def _read_end(known, table, line, values, reading):
    try:
        known.after(table, [clean(value) for value in values], reading)
    except BrokenRowError as error:
        yield Broken(line, str(error), error.code, ' | '.join(values)[:500])


def _read_row(known, row, reading):
    values = row.values
    if known.empty:
        row.values = ['' if clean(value) in known.empty else value for value in values]
    text = ' | '.join(values)[:500]
    if len(values) != len(row.table.names):
        yield Broken(row.line, f'{len(values)} of {len(row.table.names)} columns', 'width', text)
        return
    try:
        found = list(known.parse(row, reading))
        if reading.money:
            found += known.move(row, found, reading)
        yield from found
    except BrokenRowError as error:
        yield Broken(row.line, str(error), error.code, text)


def _open_table(data, formats, reading):
    """Return the format, the rows before its header, the names in it, and the rows after it."""
    if data.startswith(b'PK\x03\x04'):
        return _open_sheet(data, formats, reading)
    best = None
    for encoding in encodings_of(
        data, dict.fromkeys(name for each in formats for name in each.legacy)
    ):
        # A header is never longer than the limit of a value.
        head = [line[:FIELD] for line in islice(lines_of(data, encoding), SCANNED)]
        for known in formats:
            if encoding in UNMARKED and encoding not in known.legacy:
                continue
            for delimiter in known.delimiters:
                rows = [line.split(delimiter) for line in head]
                best = _get_better(best, known, rows, (encoding, delimiter))
        if best and not best.missing:
            break
    best = _check_found(best)
    reading.encoding, delimiter = best.how
    rows = Rows(lines_of(data, reading.encoding), delimiter, best.known.quoted, best.known.mark)
    before = [next(rows)[1] for _position in range(best.position)]
    names = [header(value) for value in next(rows)[1]]
    rows.width = len(names)
    return best.known, before, names, rows


def _open_sheet(data, formats, reading):
    reading.encoding = 'xlsx'
    best = None
    for rows in sheets_of(data):
        head = list(islice(rows, SCANNED))
        for known in formats:
            best = _get_better(best, known, [values for _number, values in head], (head, rows))
    best = _check_found(best)
    head, rows = best.how
    names = [header(value) for value in head[best.position][1]]
    while names and not names[-1]:
        names.pop()
    before = [values for _number, values in head[: best.position]]
    return best.known, before, names, _cut(chain(head[best.position + 1 :], rows), len(names))


def _cut(rows, width):
    """Yield rows of a sheet as wide as its header, or wider if there is something beside it."""
    for number, values in rows:
        values = values + [''] * (width - len(values))
        yield number, values if any(values[width:]) else values[:width]


@dataclass(slots=True)
class _Found:
    known: TableFormat
    position: int
    found: int
    missing: list
    how: tuple | None

    @property
    def rank(self):
        return not self.missing, self.found - len(self.missing)


def _get_better(best, known, rows, how):
    """Return the better of the previous and the most likely header among rows."""
    for position, values in enumerate(rows):
        found, missing = known.score([header(value) for value in values])
        candidate = _Found(known, position, found, missing, how)
        if found and (best is None or candidate.rank > best.rank):
            best = candidate
    return best


def _check_found(best):
    if best is None or best.found < 2 * len(best.missing):
        raise FormatError(
            'The file is of no format that is known: no line has the columns of one. '
            'Choose the file as its channel exports it.',
            'unknown',
        )
    if best.missing:
        column = best.known.columns[best.missing[0]][0]
        raise FormatError(
            f'The file looks like {best.known.name}, but the column “{column}” is missing. '
            'Export it with all columns.',
            'missing',
            format=best.known.name,
            column=column,
        )
    return best
