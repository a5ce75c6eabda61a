import inspect
import re

from lxml import etree

from odoo.tests import tagged

from ..common import SaleReturnCommon

ROLE = re.compile(r"_ensure_group\(\s*'(\w+)'")
CALL = re.compile(r"self(?:\.env\['([\w.]+)'\])?\.(_ensure_\w+|_check_\w+)\(")


@tagged('post_install', '-at_install')
class TestButtonsOfRoles(SaleReturnCommon):
    """No role sees a button that refuses whoever has only that role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in cls.env['res.config.settings']._fields:
            if name.startswith('group_sale_return_'):
                cls.env['res.config.settings'].sudo().create({name: True}).execute()
        cls.env.registry.clear_cache('groups')
        cls.users = cls.env['res.users'].union(
            *(
                cls._create_user(f'buttons_{role}', f'sale_return.group_{role}')
                for role in ('user', 'inspector', 'approver', 'manager')
            )
        )

    def _get_asked_roles(self, model, name, depth=2):
        """Return the roles that a method asks for first, itself or by a guard that it calls."""
        method = getattr(type(model), name, None)
        if not method:
            return set()
        roles = set()
        for owner in type(model).__mro__:
            if name not in vars(owner) or not owner.__module__.startswith(
                'odoo.addons.sale_return'
            ):
                continue
            source = inspect.getsource(vars(owner)[name])
            roles.update(ROLE.findall(source))
            if depth:
                for other, guard in CALL.findall(source):
                    target = self.env[other] if other else model
                    if guard != '_ensure_group':
                        roles |= self._get_asked_roles(target, guard, depth - 1)
        return roles

    def _find_refusing(self, user):
        views = (
            self.env['ir.ui.view']
            .sudo()
            .search([('type', 'in', ('list', 'form', 'kanban')), ('mode', '=', 'primary')])
        )
        names = views._get_external_ids()
        env = self._env_of(user)
        for view in views:
            model = env.get(view.model)
            if model is None or not any(n.startswith('sale_return.') for n in names[view.id]):
                continue
            if not model._abstract and not model.has_access('read'):
                continue
            arch = etree.fromstring(model.get_view(view.id, view.type)['arch'])
            for button in arch.iter('button'):
                if button.get('type') != 'object' or button.get('invisible') in ('1', 'True'):
                    continue
                owner = model
                path = [node.get('name') for node in button.iterancestors('field')]
                for field in reversed(path):
                    owner = env[owner._fields[field].comodel_name]
                for role in self._get_asked_roles(owner, button.get('name')):
                    if not user.has_group(f'sale_return.{role}'):
                        yield f"{view.xml_id}: {button.get('name')} asks for {role}"

    def test_no_role_sees_a_button_that_asks_for_another_role(self):
        for user in self.users:
            with self.subTest(user=user.login):
                self.assertEqual(sorted(set(self._find_refusing(user))), [])
