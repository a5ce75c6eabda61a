from odoo import models
from odoo.exceptions import UserError


class ProductProduct(models.Model):
    _inherit = 'product.product'

    def _update_uom(self, to_uom_id):
        """Override of `product` to keep the unit in which goods were returned and credited.

        :raise UserError: naming a return of the product.
        """
        # sudo: returns count, no matter who changes the product.
        line = self.env['sale.return.line'].sudo().search([('product_id', 'in', self.ids)], limit=1)
        if line:
            raise UserError(
                self.env._(
                    "The unit of %(product)s cannot be changed: return %(return)s counts its goods "
                    "in %(unit)s. Archive the product and create a new one with the other unit.",
                    product=line.product_id.display_name,
                    unit=line.product_id.uom_id.display_name,
                    **{'return': line.return_id.name},
                )
            )
        return super()._update_uom(to_uom_id)
