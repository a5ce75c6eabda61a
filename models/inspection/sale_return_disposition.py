from odoo import fields, models


class SaleReturnDisposition(models.Model):
    """What happens to returned goods after their inspection."""

    _name = 'sale.return.disposition'
    _description = "Return Disposition"
    _inherit = ['sale.return.code.mixin']

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

    scrap_reason_tag_ids = fields.Many2many(
        'stock.scrap.reason.tag',
        string="Scrap Reasons",
        help="Reasons set on the scrap orders of these goods.",
    )

    # Guards against concurrent inserts; `_check_code` reports other duplicates in the user's
    # language.
    _code_unique = models.UniqueIndex('(COALESCE(company_id, 0), code) WHERE active')
