"""The headers of lists fit into their columns, in each language."""

import unicodedata

from lxml import etree

from odoo.tests import tagged

from ..common import SaleReturnCommon

# Pixels of the columns whose width Odoo fixes (web/static/src/views/list/column_width_hook.js);
# other columns share the rest of the screen.
WIDTHS = {'boolean': 100, 'integer': 71, 'float': 93, 'monetary': 105}
LATIN, WIDE = 7.6, 14.0  # of a letter in a header
LANGUAGES = ('en_US', 'zh_CN')


def find_cut_headers(env):
    """Return what is too long, as `(view, field, header, width)`, and widgets that cut values.

    :param env: environment of a user with all roles.
    """
    env['res.lang']._activate_lang('zh_CN')
    views = env['ir.ui.view'].sudo().search([('type', 'in', ('list', 'form'))])
    names = views._get_external_ids()
    found = set()
    for view in views.filtered(lambda v: v.mode == 'primary'):
        own = [name for name in names[view.id] if name.startswith('sale_return.')]
        if own and view.model in env:
            for lang in LANGUAGES:
                found.update(_check_view(env(context={'lang': lang}), view, own[0]))
    return sorted(found)


def _check_view(env, view, name):
    arch = env[view.model].get_view(view.id, view.type)['arch']
    root = etree.fromstring(arch)
    lists = [root] if root.tag == 'list' else root.iter('list')
    for node in lists:
        outer = next(node.iterancestors('field'), None)
        model = env[view.model]
        if outer is not None:
            path = [n.get('name') for n in node.iterancestors('field')]
            for field in reversed(path):
                model = env[model._fields[field].comodel_name]
        for column in node.iterchildren('field'):
            field = model._fields[column.get('name')]
            if field.type == 'datetime' and column.get('widget') == 'date':
                yield name, field.name, "shows the time in the width of a date", 0
            hidden = column.get('column_invisible') in ('1', 'True')
            if hidden or column.get('optional') == 'hide':
                continue
            if column.get('nolabel') == '1':
                continue
            width = WIDTHS.get(field.type) if not column.get('widget') else None
            if column.get('width'):
                width = int(column.get('width').removesuffix('px'))
            label = column.get('string') or field._description_string(env)
            needed = sum(
                WIDE if unicodedata.east_asian_width(letter) in 'WF' else LATIN for letter in label
            )
            if width and needed > width:
                yield name, field.name, label, width


@tagged('post_install', '-at_install')
class TestListHeaders(SaleReturnCommon):
    maxDiff = None

    def test_headers_fit_into_their_columns(self):
        """Odoo ends a header that is too long with dots, whatever the size of the screen."""
        self.assertEqual(find_cut_headers(self.env), [])
