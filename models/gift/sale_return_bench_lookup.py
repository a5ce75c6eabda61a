from odoo import api, models
from odoo.tools import SQL


class SaleReturnBenchLookup(models.AbstractModel):
    """The code on the slip of a gift, which its recipient puts into the parcel."""

    _inherit = 'sale.return.bench.lookup'

    @api.model
    def _get_sources(self, codes, company):
        """Extend to find the return of a gift by its code, or else its delivery."""
        sources = super()._get_sources(codes, company)
        pickings = self.env['stock.picking'].union(
            *(self.env['stock.picking']._find_by_sale_return_gift_code(code) for code in codes)
        )
        if pickings:
            sources.append(
                SQL(
                    """SELECT CASE WHEN gift.id IS NULL THEN 3 ELSE 1 END,
                              CASE WHEN gift.id IS NULL THEN 'delivery' ELSE 'return' END,
                              gift.id, picking.sale_id, NULL::int, NULL::int, NULL::int,
                              NULL::float, picking.company_id
                         FROM stock_picking AS picking
                    LEFT JOIN sale_return AS gift
                           ON gift.gift_picking_id = picking.id AND gift.state != 'draft'
                        WHERE picking.id = ANY(%s)""",
                    pickings.ids,
                )
            )
        return sources
