from odoo import models


class SaleReturnPolicy(models.Model):
    _inherit = 'sale.return.policy'

    def action_view_process(self):
        """Show how the returns of the last months went through the policy; through all without one.

        :return: the action that draws the picture.
        :rtype: dict
        :raise AccessError: without the role of manager.
        :raise UserError: when the part is switched off.
        """
        self.env['sale.return.process']._ensure_may_see()
        action = self.env['ir.actions.client']._for_xml_id('sale_return.sale_return_process_action')
        # A version has had no returns of its own: they are those of the policy in force.
        policy = self[:1].draft_of_id or self[:1]
        return {**action, 'params': {'policy_id': policy.id}}
