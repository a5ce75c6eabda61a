from odoo import fields, models


class SaleReturnPolicy(models.Model):
    """What customers are told under a policy, and what they may answer to a refusal."""

    _inherit = 'sale.return.policy'

    appeal_days = fields.Integer(
        string="Appeal within",
        default=14,
        help="Days after a refusal within which the customer may appeal against it once; somebody "
        "else than who refused it decides. 0: refusals are final.",
    )

    _appeal_days_positive = models.Constraint(
        'CHECK (COALESCE(appeal_days, 0) >= 0)',
        "The days of a return policy cannot be negative.",
    )
