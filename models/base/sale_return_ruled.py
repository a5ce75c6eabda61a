from odoo import models


class SaleReturnRuled(models.AbstractModel):
    """Mixin for records with record rules: after a write the user must still have access.

    Odoo checks the rules before it writes, so a record could be moved to another user or company:
    decided in their name, or hidden from those who watch it.
    """

    _name = 'sale.return.ruled'
    _description = "Return Record under Rules"

    def write(self, vals):
        """Override of `base` to check the record rules for the new values, too.

        :raise AccessError: when the user would lose access to the record.
        """
        result = super().write(vals)
        self.check_access('write')
        return result
