from odoo import models


class SaleReturnLine(models.Model):
    _inherit = 'sale.return.line'

    def _ensure_submittable(self, returns):
        """Extend to check gifts that clerks have entered like those of the pages.

        :raise UserError: naming the order, or the product.
        """
        result = super()._ensure_submittable(returns)
        # sudo: as when it became the return of a gift.
        returns.sudo()._ensure_gifts_open()
        return result
