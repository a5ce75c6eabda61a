from odoo import api, fields, models


class SaleReturnFile(models.Model):
    """Photos of discrepancies: evidence like all files of returns."""

    _inherit = 'sale.return.file'

    discrepancy_id = fields.Many2one(
        'sale.return.discrepancy', index='btree_not_null', ondelete='restrict'
    )

    @api.model
    def _get_target_fields(self):
        return super()._get_target_fields() | {'sale.return.discrepancy': 'discrepancy_id'}
