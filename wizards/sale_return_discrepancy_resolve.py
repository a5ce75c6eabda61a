from odoo import api, fields, models
from odoo.tools import clean_context

from ..const import LIABILITIES
from ..models.reception.const import DISCREPANCY_RESOLUTIONS


class SaleReturnDiscrepancyResolve(models.TransientModel):
    """Dialog: resolve discrepancies."""

    _name = 'sale.return.discrepancy.resolve'
    _description = "Resolve Discrepancy"

    discrepancy_ids = fields.Many2many('sale.return.discrepancy', string="Discrepancies")
    resolution = fields.Selection(DISCREPANCY_RESOLUTIONS, required=True)
    liability = fields.Selection(
        LIABILITIES,
        string="Whose Fault",
        compute='_compute_liability',
        store=True,
        readonly=False,
        help="Whose fault it is; a claim is made against them.",
    )
    reason = fields.Text()

    @api.depends('discrepancy_ids')
    def _compute_liability(self):
        for wizard in self:
            wizard.liability = wizard.discrepancy_ids[:1].liability

    def action_confirm(self):
        """Resolve the discrepancies."""
        self.ensure_one()
        # The context of the dialog must not affect the documents that are created.
        records = self.discrepancy_ids.with_context(clean_context(self.env.context))
        records.action_resolve(self.resolution, reason=self.reason, liability=self.liability)
        return {'type': 'ir.actions.act_window_close'}
