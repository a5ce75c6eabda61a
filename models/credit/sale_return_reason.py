from odoo import fields, models


class SaleReturnReason(models.Model):
    """Fields of a reason for credit notes."""

    _inherit = 'sale.return.reason'

    note_code = fields.Char(
        string="Code for Credit Notes",
        help=(
            "The reason code that the e-invoice format of your country requires on credit notes "
            "for this reason, e.g. BR-KSA-17-reason-4 in Saudi Arabia or R1 in Spain. Empty: the "
            "code for returned goods."
        ),
    )
