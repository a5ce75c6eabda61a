"""Every public method × roles × invalid arguments: an answer or an error, and nothing half done."""

from odoo.tests import tagged

from ..common import SaleReturnCommon
from ..common_attack import ODD_VALUES, PARTS, PLAIN, AttackMixin, get_public_methods, is_chosen

# What the desk reads itself, to answer in its own words.
TYPED = {
    ('sale.return.bench', 'find_candidates', 'text'),
    ('sale.return.bench', 'scan', 'barcode'),
    ('sale.return.bench', 'set_quantity', 'quantity'),
}


@tagged('post_install', '-at_install')
class TestAttackMethods(AttackMixin, SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.sale_return = cls._create_return(cls.order, 2)
        cls._create_return(cls.order, 1, submit=False)
        cls.received = cls._create_return(cls.order, 2)
        cls._receive(cls.received)
        cls._return_goods(cls.order, 1)
        cls.roles = cls._create_roles()
        bench = cls.env['sale.return.bench'].with_user(cls.roles['inspector'])
        bench.open_session()
        cls.session = cls.env['sale.return.bench.session'].sudo().search([], limit=1).id

    def _get_plain(self, name, model):
        """Return a value that an argument could have."""
        if name == 'session_id':
            return self.session
        if name in PLAIN:
            return PLAIN[name]
        if name.endswith('_ids'):
            return [1]
        return self.received.id if name.endswith('_id') else None

    def _get_targets(self, name):
        """Return the ids of the records that are attacked, one after the other."""
        model = self.env[name]
        if model._abstract or not model._auto:
            return [[]]
        found = model.sudo().search([], limit=3, order='id desc')
        return [[record.id] for record in found] or [[]]

    def _get_cases(self):
        for name, method, arguments in get_public_methods(self.env):
            is_model = getattr(getattr(self.env.registry[name], method), '_api_model', False)
            targets = [None] if is_model else self._get_targets(name)
            for target in targets:
                for argument in arguments:
                    for odd, value in ODD_VALUES.items():
                        for role in self.roles:
                            case = (name, method, argument, odd, role, targets.index(target))
                            if is_chosen(*case):
                                plain = {a: self._get_plain(a, name) for a in arguments}
                                yield case, target, {**plain, argument: value}

    def test_every_argument_has_a_reader(self):
        """Beside those of texts and numbers that people type in at the desk."""
        found = set()
        for name, method, arguments in get_public_methods(self.env):
            kinds = set()
            for cls in self.env.registry[name].mro():
                kinds.update(getattr(vars(cls).get(method), 'kinds', ()))
            found.update((name, method, argument) for argument in set(arguments) - kinds)
        self.assertEqual(found, TYPED)

    def test_odd_arguments_get_a_sentence(self):
        before = self._count_documents()
        wrong, count = {}, 0
        for (name, method, argument, odd, role, _n), target, values in self._get_cases():
            count += 1
            args = [] if target is None else [target]
            if problem := self._attack(self.roles[role], name, method, *args, **values):
                wrong.setdefault(f'{name}.{method}({argument})', set()).add(f'{odd}: {problem}')
        told = [f'{key}\n    ' + '\n    '.join(sorted(found)) for key, found in wrong.items()]
        self.assertFalse(wrong, '\n'.join(told))
        self.assertEqual(self._count_documents(), before)
        self.assertGreater(count, 500 // PARTS)

    def test_no_record_or_several_get_a_sentence(self):
        """By a manager, who gets furthest; with and without arguments."""
        wrong = set()
        for name, method, arguments in get_public_methods(self.env, with_arguments=False):
            if getattr(getattr(self.env.registry[name], method), '_api_model', False):
                continue
            model = self.env[name]
            stored = not model._abstract and model._auto
            several = model.sudo().search([], limit=2, order='id desc').ids if stored else [1, 2]
            plain = {argument: self._get_plain(argument, name) for argument in arguments}
            for ids in ([], several):
                if problem := self._attack(self.roles['manager'], name, method, ids, **plain):
                    wrong.add(f'{name}.{method}({len(ids)}): {problem}')
        self.assertFalse(wrong, '\n'.join(sorted(wrong)))
