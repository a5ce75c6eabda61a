from odoo import models


class ResPartner(models.Model):
    _name = 'res.partner'
    _inherit = ['res.partner', 'sale.return.card']

    _card_member = 'account.commercial_partner_id'
    _card_joins = 'JOIN res_partner AS account ON account.id = sale_order.partner_id'
    _card_path = 'return_id.partner_id.commercial_partner_id'
