from odoo import api, models
from odoo.exceptions import UserError


class SaleReturnEvidence(models.AbstractModel):
    """Mixin of records that are evidence: written once by a service, never changed or deleted."""

    _name = 'sale.return.evidence'
    _inherit = ['sale.return.own.defaults']
    _description = "Return Evidence"

    def write(self, vals):
        """Override of `base` to make evidence read-only for everybody."""
        if not self:
            # Odoo may write on any record, e.g. when merging partners, but not on these.
            return super().write(vals)
        raise UserError(
            self.env._(
                "“%(model)s” is evidence and cannot be changed. Record the right data as a new "
                "one.",
                model=self._description,
            )
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("“%(model)s” is evidence and cannot be deleted.", model=self._description)
        )
