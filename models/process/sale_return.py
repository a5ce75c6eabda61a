from odoo import fields, models
from odoo.fields import Domain


class SaleReturn(models.Model):
    _inherit = 'sale.return'

    process_step = fields.Char(
        technical=True,
        compute='_compute_process_step',
        search='_search_process_step',
        help="Finds the returns that a part of the picture of the process counts.",
    )

    def _compute_process_step(self):
        """Leave it empty: the field is only searched."""
        self.process_step = False

    def _search_process_step(self, operator, value):
        """Find the returns behind parts of the picture, see `sale.return.process`."""
        if operator != 'in':
            return NotImplemented
        process = self.env['sale.return.process']
        return Domain.OR(Domain('id', 'in', process._find(part)) for part in value)
