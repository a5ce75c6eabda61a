from odoo import fields, models


class SaleReturnLine(models.Model):
    """What was decided on a line, by which rules, and by whom."""

    _inherit = 'sale.return.line'

    file_ids = fields.One2many('sale.return.file', 'line_id', string="Photos and Files")

    # === CRUD METHODS === #

    def unlink(self):
        """Override of `base` to delete the files of draft lines with them."""
        self.check_access('unlink')
        self._ensure_draft()
        self.file_ids.unlink()
        return super().unlink()
