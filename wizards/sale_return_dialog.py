from odoo import fields, models

from ..tools.context import get_ids


class SaleReturnDialog(models.AbstractModel):
    """Mixin of dialogs that are opened on returns."""

    _name = 'sale.return.dialog'
    _description = "Return Dialog"

    def _default_return_ids(self):
        if self.env.context.get('active_model') != 'sale.return':
            return self.env['sale.return']
        return self.env['sale.return'].browse(get_ids(self.env, 'active_ids'))

    return_ids = fields.Many2many(
        'sale.return', string="Returns", default=lambda self: self._default_return_ids()
    )
