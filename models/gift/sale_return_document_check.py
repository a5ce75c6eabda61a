from odoo import api, models
from odoo.tools import SQL


class SaleReturnDocumentCheck(models.AbstractModel):
    _inherit = 'sale.return.document.check'

    @api.model
    def _get_others_condition(self):
        """Override of `books`: gifts are returned by their recipients."""
        return SQL("%s OR back.is_gift IS TRUE", super()._get_others_condition())
