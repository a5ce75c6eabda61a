from lxml import etree

from odoo.tests import tagged

from ..common import SaleReturnCommon

OWN = 'sales_team.group_sale_salesman'
BILLING = 'account.group_account_invoice'


@tagged('post_install', '-at_install')
class TestViewsOfRoles(SaleReturnCommon):
    """Lists and forms open for each role, independent of other access rights."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = cls.env['res.users'].union(
            cls._create_user('views_user', 'sale_return.group_user'),
            cls._create_user('views_own', 'sale_return.group_user', OWN),
            cls._create_user('views_billing', 'sale_return.group_user', BILLING),
            cls._create_user('views_inspector', 'sale_return.group_inspector'),
            cls._create_user('views_manager', 'sale_return.group_manager'),
        )
        cls.sale_return = cls._return_goods(cls._create_sale(), 2)

    def _get_specification(self, model, node):
        """Read what the client reads: for related records the name and their own fields."""
        names = {}
        for field in node.xpath('.//field'):
            if next(field.iterancestors('field'), node) is not node:
                continue  # of the list inside another field
            name = field.get('name')
            if not model._fields[name].relational:
                names[name] = {}
                continue
            names[name] = {'fields': {'display_name': {}}}
            for view in field.xpath('./list | ./form | ./kanban'):
                comodel = self.env[model._fields[name].comodel_name]
                names[name]['fields'].update(self._get_specification(comodel, view))
        return names

    def test_lists_and_forms_are_read_by_each_role(self):
        models = [
            name
            for name, model in self.env.items()
            if name.startswith('sale.return') and not model._abstract and not model._transient
        ]
        self.assertIn('sale.return', models)
        for user in self.users:
            env = self._env_of(user)
            for name in models:
                if not env[name].has_access('read'):
                    continue
                for kind in ('list', 'form'):
                    arch = etree.fromstring(env[name].get_view(view_type=kind)['arch'])
                    specification = self._get_specification(env[name], arch)
                    with self.subTest(user=user.login, model=name, kind=kind):
                        self.env.invalidate_all()
                        env[name].search([], limit=80).web_read(specification)

    def test_list_names_the_orders_that_the_user_may_not_read(self):
        user = self.users.filtered(lambda user: user.login == 'views_own')
        self.env.invalidate_all()
        sale_return = self.sale_return.with_env(self._env_of(user))
        self.assertFalse(sale_return.sale_order_ids.has_access('read'))
        self.assertEqual(sale_return.sale_order_names, self.sale_return.sale_order_ids.sudo().name)
