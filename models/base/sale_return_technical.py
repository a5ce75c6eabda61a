from odoo import api, models


class SaleReturnTechnical(models.AbstractModel):
    """Mixin for records with fields marked as `technical`, shown to developers only."""

    _name = 'sale.return.technical'
    _description = "Record with Technical Fields"

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Override of `base` to offer `technical` fields only to developers.

        Filters, groupings, sortings and exports of the client leave them out; they can still be
        read by name.
        """
        result = super().fields_get(allfields, attributes)
        if self.env.user.has_group('base.group_no_one'):
            return result
        for name, description in result.items():
            if getattr(self._fields.get(name), 'technical', False):
                for offer in ('groupable', 'searchable', 'sortable', 'exportable'):
                    if offer in description or attributes is None:
                        description[offer] = False
        return result

    def _valid_field_parameter(self, field, name):
        """Override of `base`: fields are marked as `technical`, which only developers see."""
        return name == 'technical' or super()._valid_field_parameter(field, name)
