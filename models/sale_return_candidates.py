from odoo import api, models


class SaleReturnCandidates(models.AbstractModel):
    """Service: whose parcel may this be? Ranks returns and orders for what a label says."""

    _name = 'sale.return.candidates'
    _description = "Candidates for a Parcel"

    @api.model
    def _find(self, text, company, limit=10):
        return []
