from odoo import fields, models


class SaleReturnPolicy(models.Model):
    _inherit = 'sale.return.policy'

    hold_days = fields.Integer(
        string="Hold Exchanges for",
        default=14,
        help=(
            "Days for which the goods chosen in exchange are held for the customer, from the "
            "request. Then they are released, and the return continues as a refund. 0: not at "
            "all."
        ),
    )
    exchange_payment = fields.Selection(
        [('first', "Before it ships"), ('account', "On account")],
        string="Exchange Costs More",
        required=True,
        default='first',
        help="When the customer pays the extra cost of an exchange.",
    )

    _hold_days_positive = models.Constraint(
        'CHECK (hold_days >= 0)', "The days of a return policy cannot be negative."
    )
