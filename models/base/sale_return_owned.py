from odoo import api, models, tools
from odoo.exceptions import AccessError

from ...tools.own_value import OwnValue


class SaleReturnOwned(models.AbstractModel):
    """Mixin of Odoo's own models: only our services write our fields on them.

    Odoo's rights decide who may write its documents, but not who may record that goods came back or
    that something was credited. So nobody may write our fields, unless the model lists the group
    that may. Services write as superuser (`sudo`).
    """

    _name = 'sale.return.owned'
    _inherit = ['sale.return.own.defaults']
    _description = "Document with Return Fields"

    # === WHICH === #

    @api.model
    @tools.ormcache()
    def _get_sale_return_owned(self):
        """Return the names of the fields that this add-on adds to the model.

        :rtype: frozenset
        """
        return frozenset(
            name
            for name, field in self._fields.items()
            if field._modules[:1] == ('sale_return',) and not field.inherited
        )

    @api.model
    def _get_sale_return_writers(self):
        """Return who may set our fields; the others are for services only.

        Override to allow defaults for a field that users fill in.

        :return: `{field name: external id of a group}`
        :rtype: dict
        """
        return {}

    @api.model
    def _may_set_sale_return(self, name):
        group = self._get_sale_return_writers().get(name)
        return self.env.su or bool(group and self.env.user.has_group(group))

    # === GUARD === #

    @api.model
    def _get_fixed_fields(self, names):
        """Override of `sale.return.own.defaults`: our fields take no defaults of clients.

        In superuser mode, too: Odoo itself creates documents in it with the context of the user,
        e.g. the transfers of an order.
        """
        writers = self._get_sale_return_writers()
        return {
            name
            for name in self._get_sale_return_owned().intersection(names)
            if name not in writers or not self._may_set_sale_return(name)
        }

    def _prepare_create_values(self, vals_list):
        """Override of `base` to refuse values for our fields, however they are passed."""
        owned = self._get_sale_return_owned()
        vals_list = [
            vals if owned.isdisjoint(vals) else self._admit_sale_return(vals) for vals in vals_list
        ]
        return super()._prepare_create_values(vals_list)

    def write(self, vals):
        """Override of `base` to refuse changes of our fields."""
        if not self._get_sale_return_owned().isdisjoint(vals):
            vals = self._admit_sale_return(vals)
        return super().write(vals)

    def _admit_sale_return(self, vals):
        """Refuse values for fields of ours that the user may not set.

        Unchanged values pass: programs send back what they have read.

        :param dict vals: values of a new record, or changes of existing ones.
        :return: the values to write.
        :rtype: dict
        :raise AccessError: naming the fields.
        """
        owned = self._get_sale_return_owned().intersection(vals)
        refused, admitted = [], dict(vals)
        if not self.env.su:
            reader = self.env['sale.return.reader']
            plain = {name: vals[name] for name in owned if not isinstance(vals[name], OwnValue)}
            admitted |= reader._read_vals(self, plain)
        for name in owned:
            value = vals[name]
            if isinstance(value, OwnValue):
                admitted[name] = value.value
            elif not self._may_set_sale_return(name) and self._changes_sale_return(name, value):
                refused.append(name)
        if refused:
            raise AccessError(self._get_sale_return_refusal(sorted(refused)))
        return admitted

    @api.model
    def _sets_computed(self, vals):
        """Tell whether values replace figures that Odoo computes and stores, like what is billed.

        Odoo refuses them in forms only.
        """
        fields = filter(None, map(self._fields.get, vals))
        return any(field.compute and field.store and field.readonly for field in fields)

    def _changes_sale_return(self, name, value):
        """Tell whether a value differs from that of the records, or of new ones."""
        field = self._fields[name]
        if field.type in ('one2many', 'many2many'):
            return bool(value)
        if not self:
            return bool(value) and value != self._get_own_default(name)
        # sudo: whether it changes does not depend on what the user may read.
        return any(
            field.convert_to_cache(value, record, validate=False)
            != field.convert_to_cache(record[name], record, validate=False)
            for record in self.sudo()
        )

    def _get_sale_return_refusal(self, names):
        """Return an error naming the fields that cannot be set, the record, and what to do."""
        values = {
            'fields': ", ".join(self._fields[name].string for name in names),
            'model': self._description,
        }
        if self._ids:
            # sudo: only the name of a record the user already sees.
            values['model'] += f" {', '.join(self.sudo()[:3].mapped('display_name'))}"
        groups = {self._get_sale_return_writers().get(name) for name in names}
        if None in groups:
            return self.env._(
                "“%(fields)s” of %(model)s cannot be set by hand: it follows from the steps of a "
                "return. Leave it as it is, and do the step in Returns.",
                **values,
            )
        # sudo: everybody may know whom to ask.
        roles = [self.env.ref(group).sudo().full_name for group in sorted(groups)]
        return self.env._(
            "You may not set “%(fields)s” of %(model)s. Ask somebody with the role %(roles)s.",
            roles=", ".join(roles),
            **values,
        )
