"""Text of strangers never becomes part of our HTML. Reads the sources, needs no database."""

import ast
import re
from pathlib import Path

from odoo.tests import BaseCase, tagged

ADDON = Path(__file__).resolve().parents[2]
FOLDERS = ('models', 'wizards', 'controllers', 'report', 'tools')

# Functions that return HTML with escaped texts.
ESCAPING = ('as_html', '_get_follow_up_note')
# Methods whose `note` is HTML. Bodies of messages are texts, which Odoo escapes.
WITH_NOTE = ('activity_schedule', '_activity_schedule_with_view')
# Keys of HTML fields in values of records.
HTML_KEYS = ('body_html', 'body')


def get_name(node):
    """Return the last name of a call."""
    if isinstance(node, ast.Call):
        return getattr(node.func, 'attr', None) or getattr(node.func, 'id', None)
    return None


def is_escaped(node):
    """Tell whether an expression can only be our own HTML, with untrusted texts escaped."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Call) and get_name(node) == 'join':
        return is_escaped(node.func.value) and get_name(node.func.value) == 'Markup'
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return get_name(node.left) == 'Markup' and is_escaped(node.left)
    if get_name(node) == 'Markup':
        return len(node.args) == 1 and isinstance(node.args[0], ast.Constant)
    return get_name(node) in ESCAPING


def find_unescaped(source):
    """Yield the lines of a source in which a text may become HTML."""
    for node in ast.walk(ast.parse(source)):
        if get_name(node) == 'Markup' and not is_escaped(node):
            yield node.lineno, "Markup() of something that was put together"
        elif get_name(node) in WITH_NOTE:
            for keyword in node.keywords:
                if keyword.arg == 'note' and not is_escaped(keyword.value):
                    yield keyword.value.lineno, "note of an activity"
        elif isinstance(node, ast.Dict):
            values = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            is_activity = 'activity_type_id' in values
            for key, value in values.items():
                html = key in HTML_KEYS or (key == 'note' and is_activity)
                if html and not is_escaped(value):
                    yield value.lineno, f"{key} of a record"


@tagged('post_install', '-at_install')
class TestHtmlOfOthers(BaseCase):
    def test_notes_and_markup_are_escaped(self):
        found = [
            f'{path.relative_to(ADDON)}:{line}: {what}'
            for folder in FOLDERS
            for path in sorted((ADDON / folder).rglob('*.py'))
            for line, what in find_unescaped(path.read_text(encoding='utf-8'))
        ]
        self.assertEqual(found, [], "Take as_html() of tools/html.py.")

    def test_finds_what_it_looks_for(self):
        for source in (
            "Markup(text)",
            "Markup(f'<b>{text}</b>')",
            "Markup('<b>%s</b>' % text)",
            "Markup('<b>') + Markup(a + b)",
            "order.activity_schedule(x, note=appeal.comment)",
            "order.activity_schedule(x, note=f'{name}')",
            "order.activity_schedule(x, note=self.env._('By %s', name))",
            "create({'activity_type_id': 1, 'note': text})",
            "create({'body_html': text})",
        ):
            with self.subTest(source=source):
                self.assertTrue(list(find_unescaped(source)))
        for source in (
            "Markup('<br/>')",
            "Markup('<b>%s</b>') % text",
            "Markup('<br/>').join(lines)",
            "order.activity_schedule(x, note=as_html(appeal.comment))",
            "order.activity_schedule(x, summary=text)",
            "create({'note': text})",
        ):
            with self.subTest(source=source):
                self.assertFalse(list(find_unescaped(source)))


@tagged('post_install', '-at_install')
class TestPromises(BaseCase):
    """Tests named in the security documents exist."""

    def test_promises_name_tests_that_exist(self):
        tests = {
            path: path.read_text(encoding='utf-8') for path in sorted(ADDON.glob('tests/**/*.py'))
        }
        names = {n for source in tests.values() for n in re.findall(r'def (test_\w+)', source)}
        files = {str(path.relative_to(ADDON)) for path in tests}
        for document in ('security.md', 'asvs.md'):
            text = (ADDON / 'docs' / document).read_text(encoding='utf-8')
            with self.subTest(document=document):
                self.assertEqual(set(re.findall(r'`(test_\w+)`', text)) - names, set())
                self.assertEqual(set(re.findall(r'`(tests/[\w/]+\.py)`', text)) - files, set())
