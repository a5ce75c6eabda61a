from odoo import fields, models


class SaleReturn(models.Model):
    """Who has to decide on a return, and who has."""

    _inherit = 'sale.return'

    file_ids = fields.One2many('sale.return.file', 'return_id', string="Photos and Files")

    # === CRUD METHODS === #

    def unlink(self):
        """Override of `base` to delete the files of drafts with them."""
        self.check_access('unlink')
        self._unlink_except_started()
        self.file_ids.unlink()
        return super().unlink()
