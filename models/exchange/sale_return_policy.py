from odoo import fields, models


class SaleReturnPolicy(models.Model):
    _inherit = 'sale.return.policy'

    hold_days = fields.Integer(
        string="Hold Exchanges for",
        default=14,
        help="Days for which the goods that a customer wishes for are kept for them, from the "
        "request. Then they are set free, and the return goes on as a refund. 0: not at all.",
    )
    exchange_payment = fields.Selection(
        [('first', "Before it ships"), ('account', "On account")],
        string="Exchange Costs More",
        required=True,
        default='first',
        help="When the customer pays what an exchange costs more than what comes back.",
    )

    _hold_days_positive = models.Constraint(
        'CHECK (hold_days >= 0)', "The days of a return policy cannot be negative."
    )
