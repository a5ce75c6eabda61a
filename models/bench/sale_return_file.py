from odoo import api, fields, models


class SaleReturnFile(models.Model):
    """Photos taken at the bench: evidence as soon as the parcel is finished."""

    _inherit = 'sale.return.file'

    bench_item_id = fields.Many2one(
        'sale.return.bench.item', index='btree_not_null', ondelete='cascade'
    )
    bench_question = fields.Integer(help="Id of the checklist item that asks for the photo.")

    @api.model
    def _get_target_fields(self):
        return super()._get_target_fields() | {'sale.return.bench.item': 'bench_item_id'}

    @api.model
    def _prepare_file_vals(self, record, file):
        """Extend to allow removing photos of unfinished items."""
        vals, raw = super()._prepare_file_vals(record, file)
        if record._name == 'sale.return.bench.item':
            vals |= {'locked': False, 'bench_question': file.get('question') or 0}
        return vals, raw
