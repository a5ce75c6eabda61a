from odoo import models


class SaleReturnRuled(models.AbstractModel):
    """Mixin for records with record rules: after a write the user must still have access.

    Odoo checks the rules before it writes, so a record could be moved to another user or company:
    decided in their name, or hidden from those who watch it.
    """

    _name = 'sale.return.ruled'
    _description = "Return Record under Rules"

    def write(self, vals):
        """Override of `base` to ask the rules about the new values, too.

        :raise AccessError: when the rules would not give the user what they have written.
        """
        result = super().write(vals)
        self.check_access('write')
        return result
