from odoo import fields, models


class SaleReturn(models.Model):
    """The end of the chain of a return's log."""

    _inherit = 'sale.return'

    log_hash = fields.Char(
        readonly=True, copy=False, help="Of the last event: what is missing at the end shows."
    )

    def _is_derived(self, name):
        """Override of `sale.return.derived` to protect the chain of the log."""
        return name == 'log_hash' or super()._is_derived(name)
