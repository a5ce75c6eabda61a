"""Scanner input: clean it, find errors, and split it.

Uses only the check digits of Odoo, which need no database.
"""

import unicodedata

from odoo.tools.barcode import get_barcode_check_digit

COMMAND_PREFIX = 'SRB-'
# Verbs that take an argument, e.g. SRB-GRADE-A.
ARGUMENT_VERBS = {
    'GRADE': 'grade',
    'WAY': 'disposition',
    'LIABLE': 'liability',
    'QTY': 'quantity',
}
PLAIN_VERBS = {
    'UNDO': 'undo',
    'FINISH': 'finish',
    'NEXT': 'next',
    'PARK': 'park',
    'DISCARD': 'discard',
    'YES': 'yes',
    'NO': 'no',
}
MIN_LENGTH = 3
MAX_LENGTH = 120
# Group separator of GS1 codes: the only meaningful control character.
FNC1 = '\x1d'
# What scanners put before a code to name its symbology (]C1: GS1-128, ]E0: EAN, …).
AIM_LENGTH = 3
GTIN_LENGTHS = (8, 12, 13, 14)


def clean(text):
    """Return a scan without characters that are on no label: line ends, blanks, control characters.

    >>> clean('  RMA/2026/00012\\r\\n')
    'RMA/2026/00012'
    >>> clean(']E05901234123457')
    '5901234123457'
    >>> clean(None)
    ''
    """
    text = unicodedata.normalize('NFKC', text if isinstance(text, str) else '')
    text = ''.join(c for c in text if c == FNC1 or unicodedata.category(c) not in ('Cc', 'Cf'))
    text = ' '.join(text.split(' ')).strip(' \t')
    if len(text) > AIM_LENGTH and text[0] == ']' and text[1].isalpha() and text[2].isdigit():
        text = text[AIM_LENGTH:]
    return text.strip()


def is_unreadable(text):
    """Tell whether a cleaned scan cannot be a code: garbled, too long, or only punctuation.

    >>> [is_unreadable(text) for text in ('', '??', '\\ufffd12345', 'S00012', 'x' * 500)]
    [True, True, True, False, True]
    """
    return (
        not any(c.isalnum() for c in text)
        or '\ufffd' in text
        or len(text) > MAX_LENGTH
        or len(text) < MIN_LENGTH
    )


def is_gtin(text):
    """Tell whether a code is a complete EAN, UPC or GTIN.

    >>> is_gtin('5901234123457'), is_gtin('5901234123458'), is_gtin('590123412345')
    (True, False, False)
    """
    return (
        text.isascii()
        and text.isdigit()
        and len(text) in GTIN_LENGTHS
        and get_barcode_check_digit(text) == int(text[-1])
    )


def has_wrong_check_digit(text):
    """Tell whether a code looks like an EAN or GTIN that was misread.

    >>> has_wrong_check_digit('5901234123458'), has_wrong_check_digit('S00012')
    (True, False)
    """
    digits = text.isascii() and text.isdigit() and len(text) in (13, 14)
    return bool(digits and not is_gtin(text))


def spellings(text):
    """Return the spellings that a code may have in the database, the scanned one first.

    Letters may be lower case, numbers may have leading zeros (UPC, EAN, GTIN), and a scanner set to
    an American keyboard sends other characters on a German one.

    >>> spellings('s00012')
    ['s00012', 'S00012']
    >>> spellings('RMA-2026-00012')
    ['RMA-2026-00012', 'RMA/2026/00012']
    >>> spellings('036000291452')
    ['036000291452', '36000291452', '0036000291452', '00036000291452']
    """
    found = [text, text.upper(), text.replace('-', '/'), text.replace('-', '/').upper()]
    if 'ß' in text:
        found.append(text.replace('-', '/').replace('ß', '-'))
    if text.isascii() and text.isdigit():
        short = text.lstrip('0')
        found += [short] + [short.zfill(n) for n in GTIN_LENGTHS if len(short) <= n]
        if len(short) < 8:
            found = [text]  # a short number stays as it is
    return list(dict.fromkeys(found))


def cuts(text):
    """Return all ways to cut a text in two codes, `[(left, right)]`.

    >>> cuts('ABCDEFG')
    [('ABC', 'DEFG'), ('ABCD', 'EFG')]
    """
    return [(text[:i], text[i:]) for i in range(MIN_LENGTH, len(text) - MIN_LENGTH + 1)]


def find_glued(text, known):
    """Return the two codes that came without an end key between them, None if it is one.

    :param known: set of known codes.
    :return: `(left, right)`; where several cuts are possible the one with the longest left part.

    >>> find_glued('59012341234575901234123457', {'5901234123457'})
    ('5901234123457', '5901234123457')
    >>> find_glued('S00012S00013', {'S00012', 'S00013', 'S0001'})
    ('S00012', 'S00013')
    >>> find_glued('59012341234575901234123457', set())
    ('5901234123457', '5901234123457')
    >>> find_glued('SOMETHING', {'SOME'})
    """
    for left, right in reversed(cuts(text)):
        if (left in known or is_gtin(left)) and (right in known or is_gtin(right)):
            if left in known or right in known or len(left) == len(right) == 13:
                return left, right
    return None


def find_beginning(text, known):
    """Return the code of which the scan is only a part, None if there is none.

    >>> find_beginning('59012341', {'5901234123457'})
    '5901234123457'
    >>> find_beginning('1234', {'5901234123457'})
    """
    if len(text) < 4:
        return None
    return next(
        (
            code
            for code in sorted(known)
            if code != text
            and len(code) > len(text)
            and (code.startswith(text) or code.endswith(text))
            and len(text) * 2 >= len(code)
        ),
        None,
    )


def parse_command(text):
    """Return `(verb, argument)` of a command, None for anything else.

    >>> parse_command('SRB-UNDO'), parse_command('srb-grade-A'), parse_command('S00012')
    (('undo', ''), ('grade', 'A'), None)
    """
    if not text.upper().startswith(COMMAND_PREFIX):
        return None
    verb, _dash, argument = text[len(COMMAND_PREFIX) :].partition('-')
    verb = verb.upper()
    if argument:
        return (ARGUMENT_VERBS[verb], argument) if verb in ARGUMENT_VERBS else ('', text)
    return (PLAIN_VERBS[verb], '') if verb in PLAIN_VERBS else ('', text)


def get_commands():
    """Return what to print on a sheet of commands, `{verb: code or prefix}`."""
    plain = {verb: COMMAND_PREFIX + code for code, verb in PLAIN_VERBS.items()}
    return plain | {verb: f'{COMMAND_PREFIX}{code}-' for code, verb in ARGUMENT_VERBS.items()}


def is_gs1(text):
    """Tell whether a code may be a GS1 element string: it begins with an application identifier.

    >>> is_gs1('0105901234123457' + '21SN-1'), is_gs1('5901234123457')
    (True, False)
    """
    return FNC1 in text or (len(text) >= 16 and text[:2] in ('00', '01', '02', '10', '21'))
