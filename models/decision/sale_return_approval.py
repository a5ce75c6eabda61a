from odoo import fields, models


class SaleReturnApproval(models.Model):
    """One decision of one person (or of the policy) on a return. Written once, never changed."""

    _name = 'sale.return.approval'
    _inherit = ['sale.return.evidence']
    _description = "Return Approval"
    _order = 'id desc'
    _rec_name = 'decision'

    return_id = fields.Many2one('sale.return', required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='return_id.company_id', store=True, index=True)
    decision = fields.Selection([('approved', "Approved"), ('refused', "Refused")], required=True)
    user_id = fields.Many2one(
        'res.users', required=True, default=lambda self: self.env.user, ondelete='restrict'
    )
    date = fields.Datetime(required=True, default=lambda self: self.env.cr.now())
    automatic = fields.Boolean(help="Decided automatically by the policy.")
    comment = fields.Text()
    step_id = fields.Many2one(
        'sale.return.approval.step', string="Level", index='btree_not_null', ondelete='restrict'
    )
    template_id = fields.Many2one(
        'sale.return.refusal.template', index='btree_not_null', ondelete='restrict'
    )
    fingerprint = fields.Char(
        technical=True,
        readonly=True,
        help="The content decided on: a change makes the approval void.",
    )
    own_request = fields.Boolean(
        help=(
            "Decided by the requester of the return: a manager, because the policy has no levels "
            "and nobody else in the company could approve it."
        )
    )
