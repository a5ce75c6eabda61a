"""Amounts of money are shown with their currency."""

import re

from lxml import etree

from odoo.tests import tagged

from ..common import SaleReturnCommon

# Words in the help of a number that is an amount of money.
MONEY = re.compile(r"\bcurrency\b|\btax (included|excluded)\b", re.IGNORECASE)
PERCENT = re.compile(r"percent|share|rate", re.IGNORECASE)


@tagged('post_install', '-at_install')
class TestMoneyInViews(SaleReturnCommon):
    def _find_bare(self):
        env = self.env(su=True)
        views = env['ir.ui.view'].search([('type', 'in', ('list', 'form', 'kanban'))])
        names = views._get_external_ids()
        ours = views.filtered(
            lambda view: any(name.startswith('sale_return.') for name in names[view.id])
        )
        for view in ours:
            root = view
            while root.inherit_id and root.mode != 'primary':
                root = root.inherit_id
            if root.model not in env:
                continue
            arch = etree.fromstring(env[root.model].get_view(root.id, root.type)['arch'])
            for node in arch.iter('field'):
                model = env[root.model]
                path = [outer.get('name') for outer in node.iterancestors('field')]
                for name in reversed(path):
                    model = env[model._fields[name].comodel_name]
                field = model._fields.get(node.get('name'))
                if (
                    field is None
                    or field.type not in ('float', 'integer')
                    or not str(field._module).startswith('sale_return')
                    or node.get('invisible') in ('1', 'True')
                    or node.get('column_invisible') in ('1', 'True')
                    or node.get('widget') == 'monetary'
                ):
                    continue
                said = f"{field.help or ''}"
                if MONEY.search(said) and not PERCENT.search(said):
                    yield f"{model._name}.{field.name}"

    def test_amounts_have_their_currency(self):
        self.assertEqual(sorted(set(self._find_bare())), [])
