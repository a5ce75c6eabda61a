"""Messages are whole sentences. Reads the sources, needs no database."""

import ast
import re
from pathlib import Path

from odoo.tests import BaseCase, tagged

ADDON = Path(__file__).resolve().parents[1]
FOLDERS = ('models', 'wizards', 'controllers', 'report', 'tools')
WHOLE = ('.', '!', '?')

# `{what is found: why it is right}`
EXCEPTIONS = {
    'inserts “%(quantity)s %(unit)s on %(date)s”': "an entry of a list after a colon",
}


def is_translation(node):
    """Tell whether a node translates a text: `_("…")` or `self.env._("…")`."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    name = getattr(node.func, 'attr', getattr(node.func, 'id', None))
    return name == '_' and isinstance(node.args[0], ast.Constant)


def find_translations(node):
    return [inner for inner in ast.walk(node) if is_translation(inner)]


def is_label_apart(text, name):
    """Tell whether a placeholder is in quotes, in brackets or behind a colon."""
    return re.search(rf'[“(]%\({name}\)s[”)]|: %\({name}\)s|one of %\({name}\)s', text)


def find_fragments(tree):
    """Yield concatenated texts: `(operation, text)`."""
    for node in ast.walk(tree):
        parts = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            parts = [part for part in (node.left, node.right) if is_translation(part)]
        elif isinstance(node, ast.JoinedStr):
            parts = find_translations(node)
        yield from (
            ('adds to', part.args[0].value)
            for part in parts
            if not part.args[0].value.endswith(WHOLE)
        )
        if is_translation(node):
            text = node.args[0].value
            if text[:1].islower():
                yield 'begins small', text
            for value in [*node.args[1:], *(keyword.value for keyword in node.keywords)]:
                for inner in find_translations(value):
                    yield 'inserts', inner.args[0].value
            for keyword in node.keywords:
                source = ast.unparse(keyword.value)
                labels = 'labels' in source or '_description_selection' in source
                if labels and keyword.arg and not is_label_apart(text, keyword.arg):
                    yield f'inserts the label {keyword.arg} into', text


@tagged('post_install', '-at_install')
class TestSentences(BaseCase):
    """Fragments cannot be translated: other languages have other endings and another order."""

    def test_nothing_is_glued(self):
        found = {}
        for folder in FOLDERS:
            for path in sorted((ADDON / folder).rglob('*.py')):
                for what, text in find_fragments(ast.parse(path.read_text(encoding='utf-8'))):
                    found[f'{what} “{text}”'] = path.relative_to(ADDON).as_posix()
        self.assertEqual({k: v for k, v in found.items() if k not in EXCEPTIONS}, {})
        self.assertEqual([known for known in EXCEPTIONS if known not in found], [])

    def test_fragments_are_found(self):
        for source, what in (
            ('_("Return ") + name', 'adds to'),
            ('f"{_(\'Return\')} {name}"', 'adds to'),
            ('_("Return %s cannot be", x) % y', 'adds to'),
            ('_("It is %(what)s.", what=_("a box"))', 'inserts'),
            ('check(_("approved"))', 'begins small'),
            ('_("It is %(state)s now.", state=labels[x])', 'inserts the label state into'),
        ):
            with self.subTest(source=source):
                self.assertIn(what, [found for found, _text in find_fragments(ast.parse(source))])
        for source in ('_("All is well.") + " "', '_("State: %(state)s", state=labels[x])'):
            with self.subTest(source=source):
                self.assertFalse(list(find_fragments(ast.parse(source))))
