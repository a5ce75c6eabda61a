"""From the bytes of a file to rows of text, for files of any program."""

import codecs
import csv
import io
import zipfile
from contextlib import contextmanager
from decimal import Decimal

from .record import FormatError

LIMIT = 200 * 2**20  # bytes of a file
UNPACKED = 400 * 2**20  # bytes of an archive when unpacked
RATIO = 200  # an archive of text shrinks to a tenth; one that shrinks more is a bomb
MEMBERS = 200  # files of an archive
SMALL = 2**20  # below this unpacked size the ratio does not matter
LINES = 50  # a value in quotes runs over no more lines than these
FIELD = 131_072  # characters of a value
COLUMNS = 500  # more than any export has; a cell far out would make each row as wide

# These encodings cannot be told apart by the bytes: the format decides.
UNMARKED = frozenset({'cp1252', 'cp932', 'gb18030'})
_BOMS = (
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)


def encodings_of(data, legacy=('cp1252',)):
    """Return the possible encodings of a text, the most likely first.

    Decided by its byte order mark, else strict UTF-8, else those of ``legacy``. No statistics: for
    short files they suggest unlikely encodings.

    :raise FormatError: if none matches

    >>> encodings_of('ß'.encode('cp1252')), encodings_of('ß'.encode()), encodings_of(b'ab')
    (['cp1252'], ['utf-8'], ['ascii'])
    """
    for mark, name in _BOMS:
        if data.startswith(mark) and _fits(data, name):
            return [name]
    if data.isascii():
        return ['ascii']
    if _fits(data, 'utf-8'):
        return ['utf-8']
    found = [name for name in legacy if _fits(data, name)]
    if not found:
        raise FormatError('The file is no text in an encoding that its channel uses.', 'encoding')
    return found


def _fits(data, name):
    decoder = codecs.getincrementaldecoder(name)()
    view = memoryview(data)
    try:
        for start in range(0, len(data), SMALL):
            decoder.decode(view[start : start + SMALL])
        decoder.decode(b'', final=True)
    except UnicodeDecodeError:
        return False
    return True


def lines_of(data, encoding):
    """Yield the lines of a text without their ends."""
    with io.TextIOWrapper(io.BytesIO(data), encoding, newline=None) as stream:
        for line in stream:
            yield line.removesuffix('\n')


class Rows:
    """Rows of a table in text: pairs of line number and values.

    A value in quotes may run over several lines. Where that makes a row of the wrong width, the
    quote was never meant to open: the row is given back line by line, so that it spoils no other.
    Where each value begins with a mark, a separator without it belongs to a value.

    >>> [values for _number, values in Rows(iter(['`a\\\\,b,`c,d', '`1']), ',', False, '`')]
    [['a,b', 'c,d'], ['1']]
    >>> rows = Rows(iter(['a,b', '1,"x', 'y"', '2,"z', '3,4']), ',')
    >>> rows.width = 2
    >>> list(rows)
    [(1, ['a', 'b']), (2, ['1', 'x\\ny']), (4, ['2', '"z']), (5, ['3', '4'])]
    """

    def __init__(self, lines, delimiter, quoted=True, mark=''):
        self.lines = lines
        self.delimiter = delimiter
        self.quoted = quoted
        self.mark = mark
        self.width = None
        self.number = 0
        self.waiting = []

    def __iter__(self):
        return self

    def __next__(self):
        line = self._take()
        first = self.number
        if not self.quoted or line.count('"') % 2 == 0:
            return first, self._split(line)
        taken = [line]
        while len(taken) < LINES:
            try:
                taken.append(self._take())
            except StopIteration:
                break
            if taken[-1].count('"') % 2:
                values = self._split('\n'.join(taken))
                if self.width is None or len(values) == self.width:
                    return first, values
                break
        self.waiting = taken[1:] + self.waiting
        self.number = first
        return first, line.split(self.delimiter)

    def _take(self):
        line = self.waiting.pop(0) if self.waiting else next(self.lines)
        self.number += 1
        return line

    def _split(self, line):
        if self.mark and line.startswith(self.mark):
            values = line.removeprefix(self.mark).split(self.delimiter + self.mark)
            if self.width is None or len(values) == self.width:
                return [value.replace(f'\\{self.delimiter}', self.delimiter) for value in values]
        if not self.quoted or '"' not in line:
            return line.split(self.delimiter)
        try:
            return next(csv.reader([line], delimiter=self.delimiter), [''])
        except csv.Error:
            return line.split(self.delimiter)


def check_size(data):
    """Refuse files too large to come from a channel."""
    if len(data) > LIMIT:
        raise FormatError(
            f'The file has {len(data) // 2**20} MB. Export a shorter period: '
            f'files of up to {LIMIT // 2**20} MB are read.',
            'size',
        )


def unpack(data, name=''):
    """Return the files of an archive, or the file itself if it is not one: pairs of name and bytes.

    Names are read as GBK where the archive does not say that they are UTF-8.

    :raise FormatError: if the archive is damaged, locked, or too large when unpacked
    """
    check_size(data)
    if not data.startswith(b'PK\x03\x04'):
        return [(name, data)]
    with _open_archive(data) as archive:
        if any(info.filename == '[Content_Types].xml' for info in archive.infolist()):
            return [(name, data)]
        files = []
        for info in archive.infolist():
            if info.is_dir():
                continue
            if info.flag_bits & 0x1:
                raise FormatError('The archive is locked by a password. Unpack it first.', 'locked')
            try:
                files.append((_get_member_name(info), archive.read(info)))
            except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError):
                raise FormatError('The archive is damaged. Fetch it again.', 'damaged') from None
    return files


def _open_archive(data):
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError):
        raise FormatError('The archive is damaged. Fetch it again.', 'damaged') from None
    total = sum(info.file_size for info in archive.infolist())
    packed = sum(info.compress_size for info in archive.infolist()) or 1
    if (
        total > UNPACKED
        or (total > SMALL and total / packed > RATIO)
        or len(archive.infolist()) > MEMBERS
    ):
        archive.close()
        raise FormatError('The archive unpacks to far more than a file of a channel has.', 'bomb')
    return archive


def _get_member_name(info):
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode('cp437').decode('gb18030')
    except (UnicodeEncodeError, UnicodeDecodeError):
        return info.filename


def sheets_of(data):
    """Yield the sheets of a workbook: each gives pairs of row number and values as text.

    :raise FormatError: if it is not one
    """
    import openpyxl

    with _open_archive(data) as archive:
        for info in archive.infolist():
            if info.filename.endswith(('.xml', '.rels')):
                with archive.open(info) as member:
                    refuse_entities(member.read(65_536))
    with _refuse_damaged():
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    for sheet in book.worksheets:
        yield _rows_of(sheet)


def _rows_of(sheet):
    with _refuse_damaged():
        sheet.reset_dimensions()  # what they say is often wrong
        for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=COLUMNS), 1):
            yield number, [_get_cell(value) for value in row]


@contextmanager
def _refuse_damaged():
    try:
        yield
    except (FormatError, GeneratorExit):
        raise
    except Exception:  # noqa: BLE001  the library fails on damaged files in many ways
        raise FormatError(
            'The workbook cannot be read. Save it again, or as CSV.', 'damaged'
        ) from None


def _get_cell(value):
    """Return the text of a cell; a number too long for a spreadsheet shows that it was rounded."""
    if value is None:
        return ''
    if isinstance(value, float):
        if value.is_integer():
            return f'{value:.0f}' if abs(value) < 1e15 else f'{value:.5E}'
        # Digits shown by a spreadsheet; further digits are floating-point noise.
        return format(Decimal(f'{value:.15g}'), 'f')
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**15:
        return f'{value:.5E}'
    return str(value)


def refuse_entities(start):
    """Refuse XML that defines entities: no channel does, and they can unpack without end."""
    if b'<!DOCTYPE' in start or b'<!ENTITY' in start:
        raise FormatError('The file defines XML entities, which no channel does.', 'entities')
