from odoo import api, models

# Maximum per product, to keep the page short.
MAX_VARIANTS = 200


class SaleReturnPortalOffer(models.AbstractModel):
    """The other sizes and colours that customers can choose on their pages."""

    _inherit = 'sale.return.portal.offer'

    @api.model
    def _get_offer(self, order):
        """Extend to include what each product can be exchanged for."""
        rows = super()._get_offer(order)
        if not self._may_exchange(order):
            return rows
        offers = self._get_variants(order, [row['line'] for row in rows if row['may_ask']])
        for row in rows:
            row['variants'] = offers.get(row['line'], [])
            if any(variant['may_choose'] for variant in row['variants']):
                row['resolutions'] = [
                    *row['resolutions'],
                    ('exchange', self.env._("Another size or variant")),
                ]
        return rows

    @api.model
    def _may_exchange(self, order):
        return self.env['sale.return.exchange']._is_on() and not order.exchange_return_id

    @api.model
    def _get_variants(self, order, sale_lines):
        """Return the variants that products of an order can be exchanged for, and their stock.

        :param order: one `sale.order` in superuser mode.
        :param list sale_lines: of this order.
        :return: `{order line: [{'product', 'label', 'free' (None: always), 'may_choose'}]}`
        :rtype: dict
        """
        service = self.env['sale.return.exchange']
        counted = [
            line
            for line in sale_lines
            if line.qty_delivered_method == 'stock_move' and not line._is_return_kit()
        ]
        by_line = {
            line: (line.product_id.product_tmpl_id.product_variant_ids - line.product_id).filtered(
                lambda product: product.active and self._is_shown_variant(product)
            )[:MAX_VARIANTS]
            for line in counted
        }
        products = self.env['product.product'].union(*by_line.values())
        free = service._get_free(products, order.warehouse_id)
        return {
            line: [
                {
                    'product': product,
                    'label': product.product_template_attribute_value_ids._get_combination_name()
                    or product.display_name,
                    'free': free[product],
                    'may_choose': free[product] is None or free[product] > 0,
                }
                for product in variants
            ]
            for line, variants in by_line.items()
        }

    @api.model
    def _is_shown_variant(self, product):
        """Tell whether customers may choose a variant. Override to change it."""
        if 'is_published' in product._fields and not product.is_published:
            return False
        kit = 'is_kits' in product._fields and product.is_kits
        return product.sale_ok and product.type == 'consu' and not kit
