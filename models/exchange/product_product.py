from odoo import api, models
from odoo.fields import Domain


class ProductProduct(models.Model):
    _inherit = 'product.product'

    @api.model
    def name_search(self, name='', domain=None, operator='ilike', limit=100):
        """Override of `product` to propose the other sizes of returned goods first.

        The goods are in the context, as `sale_return_sizes_of`.
        """
        goods_id = self.env.context.get('sale_return_sizes_of')
        if not isinstance(goods_id, int) or not goods_id or operator != 'ilike':
            return super().name_search(name, domain, operator, limit)
        domain = Domain(domain or Domain.TRUE)
        sizes = self.search_fetch(
            domain & Domain('product_tmpl_id.product_variant_ids', 'in', [goods_id]),
            ['display_name'],
            limit=limit,
        )
        # The size is in the display name only, which cannot be searched.
        found = [
            (size.id, size.display_name)
            for size in sizes
            if not name or name.lower() in size.display_name.lower()
        ]
        if limit is not None and len(found) >= limit:
            return found
        others = domain & Domain('id', 'not in', sizes.ids)
        left = None if limit is None else limit - len(found)
        return found + super().name_search(name, others, operator, left)
