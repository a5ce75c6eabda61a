from odoo import models


class SaleReturnRuled(models.AbstractModel):
    """Mixin of records that rules give to some: what is written must still be one of theirs.

    Odoo asks the rules before it writes, so that a row could be handed to somebody else, or to
    another company: decided in their name, or away from those who watch it.
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
