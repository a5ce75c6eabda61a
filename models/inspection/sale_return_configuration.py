from odoo import api, models


class SaleReturnConfiguration(models.Model):
    _inherit = 'sale.return.configuration'

    @api.model
    def _get_sections(self):
        """Override to add what is proposed for goods."""
        return {**super()._get_sections(), 'disposition_rules': 'sale.return.disposition.rule'}

    @api.model
    def _get_keys(self):
        """Override: rules are identified by their conditions on goods."""
        conditions = ('product_categ_ids', 'reason_ids', 'grade_ids')
        return {**super()._get_keys(), 'sale.return.disposition.rule': conditions}
