from odoo import api, models
from odoo.fields import Domain

from ...tools.context import get_ids


class ProductProduct(models.Model):
    _inherit = 'product.product'

    @api.model
    def name_search(self, name='', domain=None, operator='ilike', limit=100):
        """Override of `product` to propose the other sizes of returned goods first.

        The goods are in the context, as `sale_return_sizes_of`.
        """
        goods_ids = get_ids(self.env, 'sale_return_sizes_of')
        if not goods_ids or operator != 'ilike':
            return super().name_search(name, domain, operator, limit)
        domain = Domain(domain or Domain.TRUE)
        sizes = self.search_fetch(
            domain & Domain('product_tmpl_id.product_variant_ids', 'in', goods_ids),
            ['display_name'],
            # The size is in the display name only, which cannot be searched.
            limit=None if name else limit,
        )
        found = [
            (size.id, size.display_name)
            for size in sizes
            if not name or name.lower() in size.display_name.lower()
        ][:limit]
        if limit is not None and len(found) >= limit:
            return found
        # Others of them may be meant by their reference or barcode.
        others = domain & Domain('id', 'not in', [product_id for product_id, _name in found])
        left = None if limit is None else limit - len(found)
        return found + super().name_search(name, others, operator, left)
