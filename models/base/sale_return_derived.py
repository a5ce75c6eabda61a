from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SaleReturnDerived(models.AbstractModel):
    """Mixin of documents most fields of which follow from what was done.

    Odoo lets whoever may write a record write its computed fields, too, and keeps what was
    written. Here nobody can: they are facts, on which money depends. `readonly=True` on a field is
    not only for views: services write it by `_write_facts`, and nobody else does.
    """

    _name = 'sale.return.derived'
    _inherit = ['sale.return.own.defaults']
    _description = "Return Document with Derived Fields"

    @api.model
    def _get_fixed_fields(self, names):
        """Override of `sale.return.own.defaults`: what follows from what was done is fixed."""
        return {name for name in names if self._is_derived(name)}

    @api.model
    def _clean_new(self, vals):
        """Return the values of a new record without derived fields that say nothing.

        A client sends each field of its form, also those that nobody can fill in.

        :param dict vals: values of `create`.
        :rtype: dict
        :raise UserError: naming the derived fields that are set to something.
        """
        derived = [name for name in vals if self._is_derived(name)]
        if not derived:
            return vals
        defaults = self.default_get(derived)
        return self._leave_out(
            vals, [name for name in derived if self._says_nothing(name, vals[name], defaults)]
        )

    @api.model
    def _says_nothing(self, name, value, defaults):
        """Tell whether a value of a new record is empty, or what it is anyway."""
        if not value or (name in defaults and value == defaults[name]):
            return True
        is_x2many = self._fields[name].type in ('one2many', 'many2many')
        # As a form sends that no row is in it.
        return is_x2many and value in ([[Command.SET, 0, []]], [Command.set([])])

    def _clean_changes(self, vals):
        """Return the values of a change without derived fields that stay as they are.

        :param dict vals: values of `write`.
        :rtype: dict
        :raise UserError: naming the derived fields that would change.
        """
        derived = [name for name in vals if self._is_derived(name)]
        if not derived:
            return vals
        return self._leave_out(
            vals, [name for name in derived if self._is_unchanged(name, vals[name])]
        )

    def _is_unchanged(self, name, value):
        """Tell whether all records have a value already."""
        field = self._fields[name]
        if field.type in ('one2many', 'many2many'):
            return not value
        try:
            return all(
                field.convert_to_cache(value, record)
                == field.convert_to_cache(record[name], record)
                for record in self
            )
        except (TypeError, ValueError):
            return False  # not even a value of this kind

    @api.model
    def _leave_out(self, vals, names):
        """Return values without some of them; refuse the derived fields that are left.

        :raise UserError: naming the fields.
        """
        vals = {name: value for name, value in vals.items() if name not in names}
        self._refuse_derived(vals)
        return vals

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

    def _write_facts(self, vals):
        """Write fields that follow from what was done; `write` refuses them to everybody.

        Being private it cannot be called by RPC, whatever the rights or the context.
        """
        # Past `write` of the documents, to those of the models below them.
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _is_derived(self, name):
        """Tell whether a field follows from what was done."""
        field = self._fields.get(name)
        return bool(
            field and field.readonly and not field.inverse and name not in models.MAGIC_COLUMNS
        )
