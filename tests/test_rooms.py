"""Checks the boundaries between the rooms. Reads the sources, needs no database."""

import ast
import re
from collections import Counter, defaultdict
from functools import cached_property
from pathlib import Path

from odoo.tests import BaseCase, tagged

ADDON = Path(__file__).resolve().parents[1]
MAX_FILES, MAX_LINES, MAX_METHOD = 20, 800, 60
# Files of `sale.return` in a room: the document has its steps in a file of its own.
MAX_PARTS = {'document': 2}

# Rooms of the core, in the order of `models/__init__.py`; all others are wings.
CORE = ('base', 'document', 'decision', 'reception', 'kit', 'inspection', 'credit', 'goodwill')

# `{what is found: why it is right}`. For code older than the rooms; none for new code.
EXCEPTIONS = {
    'R1 base/res_config_settings.py names sale.return.message.kind of message':
        "the settings are one form, which says what is incomplete anywhere",
    'R1 base/res_config_settings.py names sale.return.team of deadline':
        "the settings are one form, which says what is incomplete anywhere",
    'R1 credit/account_move.py names sale_return_write_back_ids of refund':
        "tells money from a discount that a refund writes back",
    'R5 inspection/sale_return_inspection.py imports base.sale_return_evidence':
        "asks for the guard of the mixin by its class, past the model's own",
}  # fmt: skip

# One room has these and no other one extends them: what goes with a change of state or a posting is
# listed there as hooks, and protected fields are marked `readonly`.
SEALED = (
    '_update_state', '_before_state', '_after_state', '_post', '_after_sale_return_posting',
    '_is_derived',
)  # fmt: skip

# Modules a room may import from another one: plain values, no model classes.
IMPORTABLE = ('const', 'exceptions')

# Odoo, or another place of the add-on, has fields of these names as well.
COMMON_NAMES = frozenset(
    {
        '_action_confirm', '_get_query', 'action_confirm', 'categ_id', 'date_done',
        'get_portal_url', 'journal_id', 'kind_id', 'lot_name', 'refund_ids',
        'resource_calendar_id', 'return_line_id', 'rule_id', 'supplier_id', 'tax_ids', 'team_id',
        'user_ids',
    }
)  # fmt: skip


class Source:
    """One file of a room: its classes of models, and the names it uses."""

    def __init__(self, path):
        self.room, self.stem = path.parent.name, path.stem
        self.name = f'{self.room}/{path.name}'
        text = path.read_text(encoding='utf-8')
        self.size = text.count('\n')
        tree = ast.parse(text)
        self.classes = [
            (model, node)
            for node in tree.body
            if isinstance(node, ast.ClassDef) and (model := get_model(node))
        ]
        # Names of attributes, and texts that can name a model or a field.
        self.words, self.functions, self.imports = set(), [], []
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                self.words.add(node.attr)
            elif isinstance(node, ast.Constant):
                if isinstance(node.value, str) and re.fullmatch(r'[\w.]+', node.value):
                    self.words |= {node.value, *node.value.split('.')}
            elif isinstance(node, ast.FunctionDef):
                self.functions.append(node)
            elif isinstance(node, ast.ImportFrom) and node.level > 1:
                self.imports.append(node)


def get_values(node):
    """Return `(name, [inherited models])` of a class."""
    name, inherited = None, []
    for item in node.body:
        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            if item.targets[0].id == '_name':
                name = ast.literal_eval(item.value)
            elif item.targets[0].id == '_inherit':
                value = ast.literal_eval(item.value)
                inherited = [value] if isinstance(value, str) else value
    return name, inherited


def get_model(node):
    """Return the name of the model that a class defines or extends, if it is one."""
    name, inherited = get_values(node)
    return name or (inherited[0] if inherited else None)


def defines_model(node):
    name, inherited = get_values(node)
    return bool(name) and name not in inherited


def get_members(node):
    """Return the names of the methods and fields of a class."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            yield item.name
        elif (
            isinstance(item, ast.Assign)
            and isinstance(item.value, ast.Call)
            and isinstance(item.value.func, ast.Attribute)
            and getattr(item.value.func.value, 'id', '') == 'fields'
        ):
            yield item.targets[0].id


def get_supers(node):
    """Return the names of the methods that a class calls by `super()`."""
    return {
        call.func.attr
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Call)
        and getattr(call.func.value.func, 'id', '') == 'super'
    }


class House:
    """All rooms of an add-on's `models/`."""

    def __init__(self, addon):
        self.addon = addon
        init = ast.parse((addon / 'models' / '__init__.py').read_text(encoding='utf-8'))
        self.rooms = [node.names[0].name for node in init.body if isinstance(node, ast.ImportFrom)]
        self.wings = [room for room in self.rooms if room not in CORE]
        self.sources = [
            Source(path)
            for room in self.rooms
            for path in sorted((addon / 'models' / room).glob('*.py'))
            if path.stem != '__init__'
        ]

    @cached_property
    def owners(self):
        """`{name of a model, method or field: rooms that have it}`."""
        found = defaultdict(set)
        for source in self.sources:
            for model, node in source.classes:
                if defines_model(node):
                    found[model].add(source.room)
                for name in get_members(node):
                    found[name].add(source.room)
        # A single word is too unspecific.
        return {
            name: rooms
            for name, rooms in found.items()
            if ('_' in name or '.' in name) and name not in COMMON_NAMES
        }

    def get_uses(self, room):
        """Return the wings that a wing says it uses."""
        path = self.addon / 'models' / room / '__init__.py'
        for node in ast.parse(path.read_text(encoding='utf-8')).body:
            if isinstance(node, ast.Assign) and node.targets[0].id == 'USES':
                return ast.literal_eval(node.value)
        return ()

    @cached_property
    def hooks(self):
        """Names in docs/extending.md."""
        text = (self.addon / 'docs' / 'extending.md').read_text(encoding='utf-8')
        return set(re.findall(r'`(?:[\w.]*\.)?(\w+)`', text))

    def find_named(self, source, rooms):
        """Yield names in a file that only other rooms have, with these rooms."""
        for word in sorted(source.words):
            owners = self.owners.get(word, set())
            if owners and source.room not in owners and owners <= set(rooms):
                yield word, owners

    # === RULES === #

    def find_core_naming_wings(self):
        for source in self.sources:
            if source.room in CORE:
                for word, owners in self.find_named(source, self.wings):
                    yield f'R1 {source.name} names {word} of {", ".join(sorted(owners))}'

    def find_wings_naming_wings(self):
        for source in self.sources:
            if source.room in self.wings:
                uses = self.get_uses(source.room)
                for word, owners in self.find_named(source, self.wings):
                    if not owners & set(uses):
                        yield f'R2 {source.name} names {word} of {", ".join(sorted(owners))}'

    def find_circles(self):
        for room in self.wings:
            todo, seen = list(self.get_uses(room)), set()
            while todo:
                used = todo.pop()
                if used == room:
                    yield f'R2 {room} uses itself by way of {", ".join(sorted(seen))}'
                    break
                if used not in seen:
                    seen.add(used)
                    todo += self.get_uses(used)

    def find_extensions(self):
        chains = defaultdict(list)
        for source in self.sources:
            for model, node in source.classes:
                for item in node.body:
                    if isinstance(item, ast.FunctionDef):
                        chains[model, item.name].append((source, node))
        for (model, name), chain in sorted(chains.items(), key=lambda item: item[0]):
            rooms = [source.room for source, _node in chain]
            for room in sorted({room for room in rooms if rooms.count(room) > 1}):
                yield f'R3 {model}.{name} is there {rooms.count(room)} times in {room}'
            if len(chain) > 1 and name in SEALED:
                yield f'R3 {model}.{name} is extended by {", ".join(rooms[1:])}'
            if len(set(rooms)) > 2 and name not in self.hooks:
                yield f'R3 {model}.{name} is extended by {len(set(rooms))} rooms, no hook'
            chain.sort(key=lambda item: self.rooms.index(item[0].room))
            for source, node in chain[1:]:
                if name not in self.hooks and name not in get_supers(node):
                    yield f'R3 {source.name} replaces {model}.{name}'

    def find_misnamed(self):
        firsts = {}
        for source in self.sources:
            if len(source.classes) > 1:
                yield f'R4 {source.name} has {len(source.classes)} classes of models'
            for model, node in source.classes:
                if source.stem == model.replace('.', '_'):
                    firsts[source.room, model] = ast.get_docstring(node) or ''
        for source in self.sources:
            for model, _node in source.classes:
                stem = model.replace('.', '_')
                if source.stem == stem:
                    continue
                if not source.stem.startswith(f'{stem}_'):
                    yield f'R4 {source.name} is not named after {model}'
                elif source.stem not in firsts.get((source.room, model), source.stem):
                    yield f'R4 {source.name} is not named in the first file of {model}'
                elif (source.room, model) not in firsts:
                    yield f'R4 {source.name} is a part of {model} without a first file'

    def find_imports(self):
        for source in self.sources:
            for node in source.imports:
                path = (node.module or '').split('.')
                shared = path[0] in (*IMPORTABLE, 'tools')
                if not (shared if node.level > 2 else path[-1] in IMPORTABLE):
                    yield f'R5 {source.name} imports {node.module}'

    def find_large(self):
        for room in self.rooms:
            count = sum(s.room == room and s.stem not in IMPORTABLE for s in self.sources)
            if count > MAX_FILES:
                yield f'R6 {room} has {count} files'
        parts = Counter(
            s.room for s in self.sources for model, _node in s.classes if model == 'sale.return'
        )
        for room, count in parts.items():
            if count > MAX_PARTS.get(room, 1):
                yield f'R6 sale.return has {count} files in {room}'
        for source in self.sources:
            if source.size > MAX_LINES:
                yield f'R6 {source.name} has {source.size} lines'
            for node in source.functions:
                size = node.end_lineno - node.lineno + 1
                if size > MAX_METHOD:
                    yield f'R6 {source.name} {node.name} has {size} lines'

    def find_long_elsewhere(self):
        """What is no room keeps to the length of methods, too."""
        for folder in ('tools', 'wizards', 'controllers', 'dev', 'benchmarks', 'tests'):
            for path in sorted((self.addon / folder).rglob('*.py')):
                for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
                    if isinstance(node, ast.FunctionDef):
                        size = node.end_lineno - node.lineno + 1
                        if size > MAX_METHOD:
                            yield f'R6 {path.relative_to(self.addon)} {node.name} has {size} lines'

    def find_all(self):
        for find in (
            self.find_core_naming_wings,
            self.find_wings_naming_wings,
            self.find_circles,
            self.find_extensions,
            self.find_misnamed,
            self.find_imports,
            self.find_large,
            self.find_long_elsewhere,
        ):
            yield from find()


@tagged('post_install', '-at_install')
class TestRooms(BaseCase):
    """See "Rooms" in docs/architecture.md."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.house = House(ADDON)
        cls.found = sorted(set(cls.house.find_all()))

    def test_walls_hold(self):
        """A broken rule is named, with the file and the violation."""
        self.assertEqual([f for f in self.found if f not in EXCEPTIONS], [])

    def test_exceptions_are_needed(self):
        """Fixed exceptions are removed, and there are few of them."""
        self.assertEqual([known for known in EXCEPTIONS if known not in self.found], [])
        self.assertLessEqual(len(EXCEPTIONS), 10)

    def test_rooms_are_known(self):
        """Every folder of `models/` is imported, the core before the wings."""
        folders = {path.parent.name for path in (ADDON / 'models').glob('*/__init__.py')}
        self.assertEqual(set(self.house.rooms), folders)
        self.assertEqual(tuple(self.house.rooms[: len(CORE)]), CORE)
