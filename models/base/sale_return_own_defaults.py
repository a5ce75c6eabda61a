from odoo import api, models


class SaleReturnOwnDefaults(models.AbstractModel):
    """Mixin for records with values that users must not choose, not even by defaults.

    Odoo takes defaults from the context of a request and from what users have set for themselves
    (`ir.default`), in superuser mode, too: they could fill in whatever a service leaves out.
    """

    _name = 'sale.return.own.defaults'
    _inherit = ['sale.return.technical']
    _description = "Record without Defaults of Clients"

    @api.model
    def default_get(self, fields):
        """Override of `base` to give protected fields only their own defaults."""
        defaults = super().default_get(fields)
        for name in self._get_fixed_fields(defaults):
            del defaults[name]
            if (value := self._get_own_default(name)) is not None:
                defaults[name] = value
        return defaults

    @api.model
    def _get_fixed_fields(self, names):
        """Return which of some fields ignore defaults of clients: here all of them.

        :param names: names of fields.
        :rtype: set
        """
        return set(names)

    @api.model
    def _get_own_default(self, name):
        """Return the default that the field itself has, None when it has none."""
        field = self._fields.get(name)
        if not field or not field.default:
            return None
        value = field.convert_to_cache(field.default(self), self, validate=False)
        return field.convert_to_write(value, self)
