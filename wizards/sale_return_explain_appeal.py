from odoo import fields, models


class SaleReturnExplain(models.TransientModel):
    """Dialog: give a reason for an appeal, or for the decision on it."""

    _inherit = 'sale.return.explain'

    action = fields.Selection(
        selection_add=[
            ('appeal', "Appeal"),
            ('uphold', "Uphold the refusal"),
            ('overturn', "Overturn the refusal"),
        ],
        ondelete={'appeal': 'cascade', 'uphold': 'cascade', 'overturn': 'cascade'},
    )
    appeal_comment = fields.Text(
        string="The customer says", compute='_compute_appeal_comment', compute_sudo=False
    )

    def _compute_appeal_comment(self):
        for wizard in self:
            wizard.appeal_comment = "\n".join(wizard.return_ids.appeal_ids.mapped('comment'))

    def _confirm_appeal(self):
        self._get_returns().action_appeal(comment=self.reason)

    def _confirm_uphold(self):
        self._get_returns().appeal_ids.action_uphold(reason=self.reason)

    def _confirm_overturn(self):
        self._get_returns().appeal_ids.action_overturn(reason=self.reason)
