from collections import defaultdict

from odoo import api, fields, models


class SaleReturnChecklist(models.Model):
    """What has to be looked at when goods of a product category are inspected."""

    _name = 'sale.return.checklist'
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
        """Return the items to be answered for goods, those of parent categories first.

        :param lines: `sale.return.line` records.
        :return: `{line: items}`
        :rtype: dict
        """
        # sudo: checklists are no secret; below, companies are kept apart.
        checklists = self.sudo().search([])
        by_goods = defaultdict(self.env['sale.return.checklist.item'].sudo().browse)
        result = {}
        for line in lines:
            key = (line.company_id, line.product_id.categ_id)
            if key not in by_goods:
                path = [int(part) for part in (key[1].parent_path or '').split('/') if part]
                depth = {category_id: level for level, category_id in enumerate(path, start=1)}
                mine = checklists.filtered(
                    lambda checklist, key=key, depth=depth: (
                        checklist.company_id.id in (False, key[0].id)
                        and checklist.product_categ_id.id in (False, *depth)
                    )
                )
                mine = mine.sorted(
                    lambda checklist, depth=depth: depth.get(checklist.product_categ_id.id, 0)
                )
                by_goods[key] = mine.item_ids
            result[line] = by_goods[key]
        return result
