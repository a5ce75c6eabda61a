from odoo import api, models

from .const import VERSION_FIELDS


class SaleReturnConfiguration(models.Model):
    _inherit = 'sale.return.configuration'

    @api.model
    def _get_field_names(self, model):
        """Override to leave out versions: a file has what is in force."""
        names = super()._get_field_names(model)
        return [name for name in names if name not in VERSION_FIELDS]
