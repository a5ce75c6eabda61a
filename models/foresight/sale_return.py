from odoo import fields, models


class SaleReturn(models.Model):
    _inherit = 'sale.return'

    risk_id = fields.Many2one(
        'sale.return.risk',
        string="Risk of the Return",
        compute='_compute_risk_id',
        search='_search_risk_id',
        groups='sale_return.group_approver',
    )
    risk_score = fields.Integer(related='risk_id.score', groups='sale_return.group_approver')
    risk_tier = fields.Selection(
        related='risk_id.tier', string="Risk Tier", groups='sale_return.group_approver'
    )
    risk_explanation = fields.Text(
        related='risk_id.explanation', string="Why Risky", groups='sale_return.group_approver'
    )

    def _compute_risk_id(self):
        risks = self.env['sale.return.risk'].search([('return_id', 'in', self.ids)])
        risks = {risk.return_id.id: risk for risk in risks}
        for sale_return in self:
            sale_return.risk_id = risks.get(sale_return._origin.id, False)

    def _search_risk_id(self, operator, value):
        risks = self.env['sale.return.risk'].search([('id', operator, value)])
        return [('id', 'in', risks.return_id.ids)]

    def action_open_risk(self):
        """Open the risk of the return, for approvers.

        :rtype: dict
        """
        self.ensure_one()
        self._ensure_group('group_approver')
        return self.risk_id._get_records_action()
