"""The text of a parcel's label: words, numbers, a telephone number. Without Odoo."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

MAX_LENGTH = 500
MAX_CODES = 12
MAX_NAMES = 12
# Shorter ones are on every second label.
MIN_CODE = 4
MIN_PART = 5
MIN_PHONE = 5
# Characters that people and scanners confuse.
ALIKE = {'0': 'OoDQ', '1': 'Il7', '2': 'Z', '5': 'S', '6': 'G', '8': 'B', 'O': '0', 'I': '1'}
ALIKE |= {'S': '5', 'B': '8', 'Z': '2', 'G': '6', 'L': '1', 'Q': '0'}
# Words of an address or a slip that are not names.
NOISE = frozenset(
    {
        'return',
        'retour',
        'returns',
        'order',
        'no',
        'nr',
        'number',
        'tel',
        'phone',
        'mobile',
        'from',
        'to',
        'the',
        'and',
        'von',
        'an',
        'mr',
        'mrs',
        'ms',
        'sender',
        'ref',
        'tracking',
        'street',
        'str',
        'road',
        'avenue',
        'parcel',
        'item',
        'qty',
        'serial',
        'sn',
    }
)


@dataclass
class Label:
    """The parts of a label, each a list without repetitions."""

    codes: list = field(default_factory=list)
    phones: list = field(default_factory=list)
    emails: list = field(default_factory=list)
    names: list = field(default_factory=list)
    words: list = field(default_factory=list)


def read(text):
    """Parse a label.

    >>> label = read("Jane Custmer, tel. +32 (0)478 12 34 56, order S00042")
    >>> label.codes, label.phones, label.names[0]
    (['S00042'], ['32478123456'], 'jane custmer')
    >>> read("RMA/2026/00012").codes
    ['RMA/2026/00012']
    >>> read("jane@example.com").emails
    ['jane@example.com']
    >>> read("").codes
    []
    """
    text = ' '.join((text if isinstance(text, str) else '')[:MAX_LENGTH].split())
    emails = re.findall(r'[^\s,;<>]+@[^\s,;<>]+\.\w+', text)
    rest = text
    for email in emails:
        rest = rest.replace(email, ' ')
    phones = find_phones(rest)
    codes = find_codes(rest)
    words = [
        word.lower()
        for word in re.findall(r"[^\W\d_][^\W\d_'’-]+", rest)
        if word.lower() not in NOISE
    ]
    pairs = [' '.join(pair) for pair in pairwise(words)]
    triples = [' '.join(group) for group in zip(words, words[1:], words[2:], strict=False)]
    names = [*pairs[:2], *triples[:1], *pairs[2:], *triples[1:]] or words[:1]
    unique = {
        'codes': codes[:MAX_CODES],
        'phones': phones,
        'emails': [email.lower() for email in emails],
        'names': names[:MAX_NAMES],
        'words': words,
    }
    return Label(**{name: list(dict.fromkeys(values)) for name, values in unique.items()})


def find_codes(text):
    """Return possible numbers of documents, parcels or goods.

    Carriers print their numbers in groups, which belong together.

    >>> find_codes("order S00042, 1Z 999 AA1 01 2345 6784")
    ['S00042', '2345', '6784', '1Z999AA10123456784']
    >>> find_codes("Ref#AB-12345 (x)")
    ['Ref#AB-12345', 'AB-12345']
    """
    codes, group, groups = [], [], []
    for token in [*re.split(r'[\s,;|<>"]+', text), '']:
        token = token.strip('.:#()[]*+')
        if 0 < len(token) <= 5 and token.isalnum() and any(c.isdigit() for c in token):
            group.append(token)
        else:
            groups.append(''.join(group) if len(group) > 1 else '')
            group = []
        if len(token) < MIN_CODE or not any(c.isdigit() for c in token):
            continue
        if not re.fullmatch(r'[\d()]*[()][\d()]*', token):  # a part of a telephone number
            codes.append(token)
        codes += [p for p in re.split(r'[:#=]', token) if MIN_CODE <= len(p) < len(token)]
    return codes + [joined for joined in groups if len(joined) >= 8]


def find_phones(text):
    """Return the digits of possible telephone numbers, or parts of them.

    >>> find_phones("call 0478/12.34.56 now"), find_phones("…12 34 56"), find_phones("S00042")
    (['0478123456'], ['123456'], [])
    """
    found = []
    for match in re.finditer(r'(?<![\w/-])\+?\(?\d[\d\s()./-]{3,}\d(?![\w])', text):
        digits = re.sub(r'\D', '', re.sub(r'\(0\)', '', match.group()))
        if MIN_PHONE <= len(digits) <= 15:
            found.append(digits)
    return found


def get_phone_part(digits):
    """Return the part of a telephone number that is the same with and without country code.

    >>> get_phone_part('32478123456'), get_phone_part('123456')
    ('78123456', '123456')
    """
    return digits[-8:]


def near(code):
    """Return all spellings of a code with one mistake: a character added, lost, swapped or wrong.

    Equality with all of them uses an index, for tables of any size; a similarity search would read
    all numbers of a shop, which are all similar.

    >>> near('S12')[:4]
    ['12', 'S2', 'S1', '1S2']
    >>> 'S00042' in near('SO0042'), 'S00042' in near('S0042'), 'S00042' in near('S00024')
    (True, True, True)
    """
    signs = '0123456789'
    result = [code[:i] + code[i + 1 :] for i in range(len(code))]
    result += [
        code[:i] + code[i + 1] + code[i] + code[i + 2 :]
        for i in range(len(code) - 1)
        if code[i] != code[i + 1]
    ]
    for i, sign in enumerate(code):
        others = ALIKE.get(sign, '') + (signs if sign.isdigit() else '')
        result += [code[:i] + other + code[i + 1 :] for other in others]
    result += [code[:i] + sign + code[i:] for i in range(len(code) + 1) for sign in signs]
    return [part for part in dict.fromkeys(result) if part and part != code]


def combine(weights):
    """Return the combined confidence of several independent hints, each between 0 and 1.

    >>> round(combine([0.5, 0.5]), 3), combine([])
    (0.75, 0.0)
    """
    unsure = 1.0
    for weight in weights:
        unsure *= 1.0 - weight
    return 1.0 - unsure
