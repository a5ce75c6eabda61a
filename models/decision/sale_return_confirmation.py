from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .const import EXCEPTIONS

# Clocks of clients and of the server differ, and a form is filled in before it is saved.
CLOCK_SKEW = timedelta(minutes=15)


class SaleReturnConfirmation(models.Model):
    """Proof that the buyer confirmed, when they bought, that something cannot be returned.

    Some laws let a seller refuse such goods only with it. The shop or the person who took the order
    records it; it is never changed.
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
        """Override of `base`: author and time are set by our code, the buyer by the order.

        :raise UserError: when the confirmation is not by the buyer, or not dated today.
        """
        lines = self.env['sale.order.line'].browse(
            [vals['sale_line_id'] for vals in vals_list if vals.get('sale_line_id')]
        )
        lines.check_access('read')
        now = fields.Datetime.now()
        return super().create(
            [
                {
                    **vals,
                    'partner_id': self._get_buyer(vals).id,
                    'confirmed_on': self._get_moment(vals, now),
                    'user_id': self.env.uid,
                }
                for vals in vals_list
            ]
        )

    @api.model
    def _get_buyer(self, vals):
        """Return who confirmed: the buyer of the order, or a contact of theirs.

        :raise UserError: naming the order.
        """
        order = self.env['sale.order.line'].browse(vals.get('sale_line_id')).order_id
        # sudo: whether a contact belongs to the buyer does not depend on who may read it.
        partners = self.env['res.partner'].sudo()
        partner = partners.browse(vals.get('partner_id') or order.partner_id.id)
        if partner.commercial_partner_id != order.sudo().partner_id.commercial_partner_id:
            raise UserError(
                self.env._(
                    "Only the buyer of order %(order)s, or a contact of theirs, can confirm it."
                    " Leave the customer empty.",
                    order=order.name,
                )
            )
        return partner

    @api.model
    def _get_moment(self, vals, now):
        """Return when it was confirmed: the time of recording, which no client can choose.

        :raise UserError: when another time is given.
        """
        given = fields.Datetime.to_datetime(vals.get('confirmed_on'))
        if given and abs(given - now) > CLOCK_SKEW and not self.env.su:
            raise UserError(
                self.env._(
                    "A confirmation is dated when it is recorded. Leave its date empty, and write "
                    "into the text when and how the buyer confirmed it."
                )
            )
        return given if given and self.env.su else now
