"""What the docs promise is tested by tests that exist. Reads the sources, needs no database."""

import re
from pathlib import Path

from odoo.tests import BaseCase, tagged

ADDON = Path(__file__).resolve().parents[1]
# Tables whose rows each name a test, a file of tests, or why there is none.
TABLES = {
    'docs/security.md': ('Promises', 'Money', 'What controls cost'),
    'docs/asvs.md': (),
    'docs/money.md': ('Errors that tests prevent',),
}
PATHS = re.compile(r'`((?:tests|tools|models|dev)/[\w./]+)`')
TESTS = re.compile(r'`(test_\w+)`')


def read_rows(text):
    """Yield `(heading, cells)` of the rows of the tables of a text, without their heads."""
    heading, rows = '', 0
    for line in text.splitlines():
        rows = rows + 1 if line.startswith('|') else 0
        if line.startswith('## '):
            heading = line[3:]
        elif rows > 2:
            yield heading, [cell.strip() for cell in line.strip('|').split('|')]


@tagged('post_install', '-at_install')
class TestPromises(BaseCase):
    def test_what_is_named_exists(self):
        defined = {
            name
            for path in (ADDON / 'tests').rglob('*.py')
            for name in re.findall(r'def (test_\w+)\(', path.read_text(encoding='utf-8'))
        }
        for path in sorted((ADDON / 'docs').glob('*.md')):
            text = path.read_text(encoding='utf-8')
            with self.subTest(path.name):
                self.assertFalse(set(TESTS.findall(text)) - defined)
                self.assertFalse({n for n in PATHS.findall(text) if not (ADDON / n).exists()})

    def test_each_row_names_its_test(self):
        for path, headings in TABLES.items():
            rows = list(read_rows((ADDON / path).read_text(encoding='utf-8')))
            widths = {}
            for heading, cells in rows:
                # A row apart from its table is shown as plain text.
                self.assertEqual(len(cells), widths.setdefault(heading, len(cells)), cells[0])
                if heading in headings:
                    with self.subTest(cells[0]):
                        self.assertRegex(cells[-1], r'`(test_\w+|t(est|ool)s/[\w./]+)`|^see there$')
            self.assertLessEqual(set(headings), {heading for heading, _cells in rows})

    def test_rows_belong_to_a_table(self):
        for path in sorted((ADDON / 'docs').glob('*.md')):
            lines = path.read_text(encoding='utf-8').splitlines()
            for above, line, below in zip(lines, lines[1:], lines[2:], strict=False):
                if line.startswith('|') and not above.startswith('|'):
                    with self.subTest(path.name, line=line[:60]):
                        self.assertRegex(below, r'^\|[ |:-]+$')
