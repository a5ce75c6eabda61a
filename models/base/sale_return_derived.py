from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SaleReturnDerived(models.AbstractModel):
    """Mixin for documents with mostly derived fields.

    Odoo lets users with write access also write computed fields, and keeps what was written. Here
    nobody can: they are facts on which money depends. `readonly=True` on a field is not only for
    views: only services write it, by `_write_facts`.
    """

    _name = 'sale.return.derived'
    _inherit = ['sale.return.own.defaults']
    _description = "Return Document with Derived Fields"

    @api.model
    def _get_fixed_fields(self, names):
        """Override of `sale.return.own.defaults`: derived fields take no defaults of clients."""
        return {name for name in names if self._is_derived(name)}

    @api.model
    def _clean_new(self, vals):
        """Return the values of a new record without empty derived fields.

        Clients send all fields of a form, including read-only ones.

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
        """Tell whether a value of a new record is empty or equals the default."""
        if not value or (name in defaults and value == defaults[name]):
            return True
        is_x2many = self._fields[name].type in ('one2many', 'many2many')
        # How a form sends an empty list of rows.
        return is_x2many and value in ([[Command.SET, 0, []]], [Command.set([])])

    def _clean_changes(self, vals):
        """Return the values of a change without unchanged derived fields.

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
        """Tell whether all records already have a value."""
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
            return False  # not even a valid value of the field

    @api.model
    def _leave_out(self, vals, names):
        """Return values without some of them; refuse the remaining derived fields.

        :raise UserError: naming the fields.
        """
        vals = {name: value for name, value in vals.items() if name not in names}
        self._refuse_derived(vals)
        return vals

    def _refuse_derived(self, names):
        """Refuse to set derived fields.

        :param names: names of the fields to be set.
        :raise UserError: naming the fields.
        """
        protected = [name for name in names if self._is_derived(name)]
        if protected:
            raise UserError(
                self.env._(
                    "%(fields)s of “%(model)s” cannot be set by hand, as it is derived from "
                    "what was done.",
                    fields=", ".join(self._fields[name].string for name in sorted(protected)),
                    model=self._description,
                )
            )

    def _write_facts(self, vals):
        """Write derived fields; `write` refuses them to everybody.

        Being private it cannot be called by RPC, whatever the rights or the context.
        """
        # Bypasses the `write` of the documents and calls those of the parent classes.
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _is_derived(self, name):
        """Tell whether a field is derived."""
        field = self._fields.get(name)
        return bool(
            field and field.readonly and not field.inverse and name not in models.MAGIC_COLUMNS
        )
