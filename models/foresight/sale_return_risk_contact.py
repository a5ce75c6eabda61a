from odoo import fields, models


class SaleReturnRiskContact(models.Model):
    """Hashes of the contact data of customers: who shares a number or an address with whom.

    Written every night by `sale.return.risk.scorer`; nobody reads it.
    """

    _name = 'sale.return.risk.contact'
    _description = "Shared Contact"
    _log_access = False
    _rec_name = 'kind'

    partner_id = fields.Many2one('res.partner', required=True, index=True, ondelete='cascade')
    kind = fields.Char(required=True)
    key = fields.Char(required=True)

    _by_key = models.Index('(kind, key, partner_id)')
