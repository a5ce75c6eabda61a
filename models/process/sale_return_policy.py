from odoo import api, models


class SaleReturnPolicy(models.Model):
    _inherit = 'sale.return.policy'

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type='form', **options):
        """Override of `base`: the list depends on the role, see `_get_view`."""
        key = super()._get_view_cache_key(view_id, view_type, **options)
        return (*key, self.env.user.has_group('sale_return.group_manager'))

    @api.model
    def _get_view(self, view_id=None, view_type='form', **options):
        """Override of `base` to show the picture in the header of lists to managers only.

        There nothing but its buttons can have groups, and those of a button are alternatives: it
        could not require the switch and the role.
        """
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == 'list' and not self.env.user.has_group('sale_return.group_manager'):
            for button in arch.findall(".//header/button[@name='action_view_process']"):
                button.getparent().remove(button)
        return arch, view

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
