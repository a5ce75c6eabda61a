from odoo import api, fields, models


class SaleReturnPolicy(models.Model):
    """What customers are told under a policy, and how they may respond to a refusal."""

    _inherit = 'sale.return.policy'

    follow_up_days = fields.Integer(
        string="Follow up after",
        default=7,
        help="Days after a return is closed until the salesperson is asked to call the customer. "
        "0: never.",
    )
    muted_kind_ids = fields.Many2many(
        'sale.return.message.kind',
        'sale_return_policy_muted_kind_rel',
        'policy_id',
        'kind_id',
        string="Messages Not Sent",
        help="Messages that customers do not get for returns under this policy.",
    )

    _appeal_days_positive = models.Constraint(
        'CHECK (COALESCE(appeal_days, 0) >= 0 AND COALESCE(follow_up_days, 0) >= 0)',
        "The days of a return policy cannot be negative.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to update the messages of returns at once."""
        policies = super().create(vals_list)
        if any('muted_kind_ids' in vals for vals in vals_list):
            self.env.registry.clear_cache()
        return policies

    def write(self, vals):
        """Override of `base` to show the messages of returns at once."""
        result = super().write(vals)
        if 'muted_kind_ids' in vals:
            self.env.registry.clear_cache()
        return result
