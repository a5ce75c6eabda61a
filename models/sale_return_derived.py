from odoo import models
from odoo.exceptions import UserError


class SaleReturnDerived(models.AbstractModel):
    """Mixin of documents most fields of which follow from what was done.

    Odoo lets whoever may write a record write its computed fields, too, and keeps what was
    written. Here nobody can: they are facts, on which money depends.
    """

    _name = 'sale.return.derived'
    _description = "Return Document with Derived Fields"

    # Fields that services write by `_write_facts` and nobody else; extended by each model.
    _protected_fields = frozenset()

    def _refuse_derived(self, names):
        """Refuse to set fields that follow from what was done.

        :param names: names of the fields to be set.
        :raise UserError: naming the fields.
        """
        protected = [name for name in names if self._is_derived(name)]
        if protected:
            raise UserError(
                self.env._(
                    "%(fields)s of “%(model)s” cannot be set by hand, it follows from what was "
                    "done.",
                    fields=", ".join(self._fields[name].string for name in sorted(protected)),
                    model=self._description,
                )
            )

    def _is_derived(self, name):
        """Tell whether a field follows from what was done."""
        field = self._fields.get(name)
        return name in self._protected_fields or bool(
            field and field.compute and field.readonly and not field.inverse
        )
