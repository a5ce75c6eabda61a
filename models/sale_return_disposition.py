from odoo import fields, models


class SaleReturnDisposition(models.Model):
    """What happens to returned goods after their inspection."""

    _name = 'sale.return.disposition'
    _description = "Return Disposition"
    _order = 'sequence, id'
    _rec_names_search = ['name', 'code']

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Short code, unique per company.")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one('res.company', index=True, help="Empty: for all companies.")
    action = fields.Selection(
        [
            ('restock', "Back to stock"),
            ('refurbish', "Refurbish"),
            ('scrap', "Scrap"),
            ('vendor', "Return to vendor"),
            ('send_back', "Send back to the customer"),
            ('keep', "Customer keeps the goods"),
        ],
        required=True,
    )
    accepts = fields.Boolean(
        default=True,
        help="Ticked: the customer is credited. Unticked: the return of these goods is rejected.",
    )

    _code_unique = models.UniqueIndex(
        '(COALESCE(company_id, 0), code)',
        "The code of a disposition must be unique per company.",
    )
