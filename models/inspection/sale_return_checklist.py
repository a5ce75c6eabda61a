from collections import defaultdict

from odoo import api, fields, models, tools

from ...tools.context import in_force


class SaleReturnChecklist(models.Model):
    """What has to be checked when goods of a product category are inspected."""

    _name = 'sale.return.checklist'
    _inherit = ['sale.return.cached', 'sale.return.shared']
    _description = "Return Checklist"
    _order = 'sequence, id'
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one('res.company', index=True, help="Empty: for all companies.")
    product_categ_id = fields.Many2one(
        'product.category',
        string="Product Category",
        index=True,
        ondelete='restrict',
        help="Categories below it inherit the checklist and may add their own. Empty: all goods.",
    )
    item_ids = fields.One2many('sale.return.checklist.item', 'checklist_id', copy=True)

    @api.model
    def _get_items(self, lines):
        """Return the checklist items for goods, those of parent categories first.

        :param lines: `sale.return.line` records.
        :return: `{line: items}`
        :rtype: dict
        """
        # sudo: checklists are not secret; companies are separated below.
        checklists = in_force(self.sudo()).search([])
        by_goods = defaultdict(self.env['sale.return.checklist.item'].sudo().browse)
        result = {}
        for line in lines:
            key = (line.company_id, line.product_id.categ_id)
            if key not in by_goods:
                by_goods[key] = self._get_items_of_goods(checklists, *key)
            result[line] = by_goods[key]
        return result

    @api.model
    def _get_items_of_goods(self, checklists, company, category):
        """Return the checklist items that apply to goods of a category."""
        path = [int(part) for part in (category.parent_path or '').split('/') if part]
        depth = {category_id: level for level, category_id in enumerate(path, start=1)}
        mine = checklists.filtered(
            lambda checklist: (
                checklist.company_id.id in (False, company.id)
                and checklist.product_categ_id.id in (False, *depth)
            )
        )
        return mine.sorted(lambda checklist: depth.get(checklist.product_categ_id.id, 0)).item_ids

    # === BENCH === #

    @api.model
    @tools.ormcache('company_id', 'category_id', 'path', 'self.env.lang')
    def _get_questions(self, company_id, category_id, path):
        """Return the questions about goods of a category as returned to clients of the bench.

        Cached, because each scan needs them: changes of checklists clear it.

        :param int company_id: company of the return.
        :param int category_id: product category of the goods.
        :param str path: its `parent_path`: with it, moving a category is noticed.
        :return: dicts `{id, code, name, kind, required, unit}`
        :rtype: list
        """
        # sudo: checklists and the tree of categories are not secret.
        checklists = in_force(self.sudo()).search([])
        items = self._get_items_of_goods(
            checklists,
            checklists.env['res.company'].browse(company_id),
            checklists.env['product.category'].browse(category_id),
        )
        return [
            {
                'id': item.id,
                'code': item.code or None,
                'name': item.name,
                'kind': item.kind,
                'required': item.required,
                'unit': item.unit or None,
            }
            for item in items
        ]
