from odoo import api, fields, models

from ...const import EXCEPTIONS


class SaleReturnConfirmation(models.Model):
    """Proof that the buyer confirmed, when they bought, that something cannot be returned.

    Some laws let a seller refuse such goods only with it. The shop writes it, or whoever took the
    order; it is never changed.
    """

    _name = 'sale.return.confirmation'
    _inherit = ['sale.return.evidence']
    _description = "Confirmation of an Exclusion from Return"
    _order = 'id desc'
    _rec_name = 'exception_code'

    sale_line_id = fields.Many2one(
        'sale.order.line', string="Order Line", required=True, index=True, ondelete='restrict'
    )
    company_id = fields.Many2one(related='sale_line_id.company_id', store=True, index=True)
    exception_code = fields.Selection(EXCEPTIONS, string="Exception", required=True)
    confirmed_text = fields.Text(required=True, help="What the buyer was shown and agreed to.")
    partner_id = fields.Many2one(
        'res.partner', string="Confirmed by", required=True, ondelete='restrict'
    )
    confirmed_on = fields.Datetime(required=True)
    user_id = fields.Many2one(
        'res.users', string="Recorded by", required=True, readonly=True, ondelete='restrict'
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base`: whoever records it is named, whatever a client says."""
        lines = self.env['sale.order.line'].browse(
            [vals['sale_line_id'] for vals in vals_list if vals.get('sale_line_id')]
        )
        lines.check_access('read')
        defaults = {'confirmed_on': fields.Datetime.now()}
        return super().create(
            [
                {
                    'partner_id': lines.browse(vals.get('sale_line_id')).order_id.partner_id.id,
                    **defaults,
                    **vals,
                    'user_id': self.env.uid,
                }
                for vals in vals_list
            ]
        )
