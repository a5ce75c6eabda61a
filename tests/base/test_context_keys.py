import ast
from pathlib import Path

from odoo.tests import tagged

from ..common import SaleReturnCommon

LEAN = "calls of clients, the same with few modules"
ADDON = Path(__file__).resolve().parents[2]
READERS = {'get_own', 'get_flag', 'get_ids', 'get_text'}  # tools/context.py
# What clients may send as well, and why that gives them nothing.
OPEN = {
    'active_ids': "the records of a dialog, which are checked as any others",
    'active_picking_id': "takes products out of what they are shown",
    'default_channel_id': "the channel of their own upload",
    'sale_return_ask_serials': "opens a dialog before their own transfer is validated",
    'sale_return_keep': "chooses the fields of a dialog",
    'sale_return_link_followed': "does not prolong a link that they send",
    'sale_return_preview': "takes links out of what they read or send",
    'sale_return_sizes_of': "which products are proposed first",
    'sale_return_template_id': "the text of their own refusal",
    'sale_return_top': "one of the aggregates that they ask for: reads fewer groups",
    'show_return': "what is opened after a dialog",
}
# Keys of Odoo that are compared, and never used as a value.
ODOO_KEYS = {'active_model', 'default_reason_id'}
# What a cache may depend on: Odoo reads each as a value that can be one.
CACHED = {'allowed_company_ids', 'bin_size', 'company', 'lang', 'uid'}
# Contexts that are passed on: without keys of clients, or to an action of theirs.
PASSED = {'clean_context', 'get_service_context'}
# IDs that clients send are read by `sale.return.reader`.
IDS = ('active_ids', 'active_id', 'active_picking_id', 'sale_return_template_id')
ODD = ('abc', 0, -1, 2**63, 1.5, True, None, {}, [None], ['abc'], [[1]], '\x00')


@tagged('post_install', '-at_install')
class TestContextKeys(SaleReturnCommon):
    """What clients send as context decides nothing, and breaks nothing."""

    @classmethod
    def _parse(cls):
        """Return `{path: syntax tree}` of the product, and the keys read: `{key: reader}`."""
        trees, keys = {}, {}
        for folder in ('models', 'wizards', 'report', 'controllers', 'tools'):
            for path in sorted((ADDON / folder).rglob('*.py')):
                tree = ast.parse(path.read_text(encoding='utf-8'))
                trees[path] = tree
                constants = {
                    node.targets[0].id: node.value.value
                    for node in tree.body
                    if isinstance(node, ast.Assign)
                    and isinstance(node.targets[0], ast.Name)
                    and isinstance(node.value, ast.Constant)
                }
                for node in ast.walk(tree):
                    if getattr(getattr(node, 'func', None), 'id', None) in READERS:
                        key = node.args[1]
                        name = constants[key.id] if isinstance(key, ast.Name) else key.value
                        keys.setdefault(name, set()).add(node.func.id)
        return trees, keys

    def _find_reads(self, tree):
        """Return the lines on which a context is used other than by a reader or to pass it on."""
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        found = []
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or node.attr not in ('context', '_context'):
                continue
            parent = parents[node]
            passed = isinstance(parent, ast.Call) and getattr(parent.func, 'id', '') in PASSED
            splat = isinstance(parent, ast.Dict) and parent.keys[parent.values.index(node)] is None
            call = parents.get(parent)
            compared = (
                isinstance(parent, ast.Attribute)
                and parent.attr == 'get'
                and isinstance(call, ast.Call)
                and getattr(call.args[0], 'value', None) in ODOO_KEYS
            )
            if not (passed or splat or compared):
                found.append(node.lineno)
        return found

    def test_contexts_are_read_in_one_place(self):
        trees, keys = self._parse()
        for path, tree in trees.items():
            with self.subTest(path.name):
                found = [] if path.name == 'context.py' else self._find_reads(tree)
                self.assertFalse(found, "Use tools/context.py.")
        shared = {key for key, readers in keys.items() if readers - {'get_own'}}
        self.assertEqual(shared, set(OPEN))
        self.assertFalse([key for key in shared if len(keys[key]) > 1])

    def test_the_finder_finds(self):
        for text in (
            "self.env.context.get('sale_return_x')",
            "env.context['x']",
            "'x' in self.env.context",
            "mine = self.env.context",
            "isinstance(self._context.get('y'), int)",
            "self.env.context.get(KEY)",
        ):
            self.assertTrue(self._find_reads(ast.parse(text)), text)

    def test_no_cache_depends_on_what_clients_send(self):
        for name, model in self.env.registry.items():
            for field in model._fields.values():
                if field._module == 'sale_return' and not field.related:
                    keys = self.env.registry.field_depends_context[field]
                    self.assertLessEqual(set(keys), CACHED, f'{name}.{field.name}')

    def test_odd_values_break_nothing(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 1)
        keys = [*self._parse()[1], 'tz', 'sale_return_past']
        asked = [
            (
                own := records.with_env(self._env_of(self.staff)),
                [
                    name
                    for name, field in own._fields.items()
                    if field._module == 'sale_return' and own._has_field_access(field, 'read')
                ],
            )
            for records in (sale_return, sale_return.line_ids, order, order.invoice_ids)
        ]
        for odd in (*ODD, {'a': 1}):
            context = dict.fromkeys(keys, odd)
            for records, names in asked:
                with self.subTest(odd=odd, model=records._name):
                    self.env.invalidate_all()
                    self._call(self.staff, records, 'read', names, context=context)
            with self.subTest(odd=odd):
                self._call_plain(self.env['product.product'], 'name_search', 'a', context=context)

    def test_odd_ids_get_a_sentence(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 1)
        policy = sale_return.line_ids.policy_id
        policy.approval = 'always'
        waiting = self._create_return(self._create_sale(), 1)
        for odd in ODD:
            context = dict.fromkeys(IDS, odd) | {'active_model': 'sale.return'}
            for model in ('sale.return.inspect', 'sale.return.explain', 'sale.return.decide'):
                with self.subTest(odd=odd, model=model):
                    names = list(self.env[model]._fields)
                    self._call_plain(self.env[model], 'default_get', names, context=context)
            with self.subTest(odd=odd):
                savepoint = self.env.cr.savepoint()
                self._call(self.staff, waiting, 'action_refuse', "No.", context=context)
                self.assertEqual(waiting.state, 'refused')
                savepoint.close(rollback=True)
                self.env.invalidate_all()

    def _call_plain(self, model, method, *args, **kwargs):
        """Call a method of a model itself, as clients do."""
        env = self._env_of(self.staff)
        with self.env.cr.savepoint(flush=False):
            context = kwargs.pop('context')
            return getattr(env[model._name].with_context(**context), method)(*args)
