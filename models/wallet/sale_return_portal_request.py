from odoo import api, models


class SaleReturnPortalRequest(models.AbstractModel):
    _inherit = 'sale.return.portal.request'

    @api.model
    def _prepare_line_vals(self, choice):
        """Extend to record that the customer has chosen store credit themselves."""
        vals = super()._prepare_line_vals(choice)
        if choice['resolution'] == 'store_credit':
            # sudo: the line is one of an order that the customer may see.
            line = self.env['sale.order.line'].sudo().browse(vals['sale_line_id'])
            offer = self.env['sale.return.portal.offer']
            vals['store_credit_consent'] = self.env._(
                "Chosen by the customer on their page: “%(wish)s”.",
                wish=offer._get_store_credit_label(line.company_id),
            )
        return vals
