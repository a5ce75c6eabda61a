from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SaleReturn(models.Model):
    """How returns come into the system: numbered, and once for each external reference."""

    _inherit = 'sale.return'

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base`: number the returns; give an existing one for a known reference.

        `line_ids` may also be a plain list of dicts, which is what a JSON client writes.

        :raise UserError: when a field is set that only follows from what was done.
        """
        if any((vals.get('state') or 'draft') != 'draft' for vals in vals_list):
            raise UserError(
                self.env._("A new return starts as a draft. Submit it after creating it.")
            )
        vals_list = [dict(self._clean_new(vals)) for vals in vals_list]
        for vals in vals_list:
            vals['line_ids'] = [
                Command.create(line) if isinstance(line, dict) else line
                for line in vals.get('line_ids') or []
            ]
        existing = self._find_by_external_ref(vals_list)
        new_vals = []
        for vals in vals_list:
            if self._get_reference_key(vals) in existing:
                continue
            vals['name'] = self.env['ir.sequence'].next_by_code('sale.return')
            new_vals.append(vals)
            if key := self._get_reference_key(vals):
                existing[key] = None  # the second one in the same call gets the first
        created = super().create(new_vals)
        by_key = {**existing, **self._find_keys(created)}
        rest = iter(created.filtered(lambda r: not r.external_ref))
        return self.browse(
            (by_key[key] if (key := self._get_reference_key(vals)) else next(rest)).id
            for vals in vals_list
        )

    def _get_reference_key(self, vals):
        """Return `(company id, reference)` of values, None when there is no reference."""
        if not vals.get('external_ref'):
            return None
        company_id = vals.get('company_id')
        if not company_id:
            sale_line_ids = [
                command[2].get('sale_line_id')
                for command in vals['line_ids']
                if command[0] == Command.CREATE
            ]
            sale_lines = self.env['sale.order.line'].browse(filter(None, sale_line_ids[:1]))
            company_id = sale_lines.company_id.id or self.env.company.id
        return company_id, vals['external_ref']

    def _find_keys(self, returns):
        """Return `{(company id, reference): return}` for the returns that have one."""
        return {
            (sale_return.company_id.id, sale_return.external_ref): sale_return
            for sale_return in returns
            if sale_return.external_ref
        }

    def _find_by_external_ref(self, vals_list):
        """Return the returns that exist for the references in `vals_list`, by key."""
        keys = set(filter(None, map(self._get_reference_key, vals_list)))
        if not keys:
            return {}
        return self._find_keys(
            self.search(
                [
                    ('external_ref', 'in', [reference for _company, reference in keys]),
                    ('company_id', 'in', [company for company, _reference in keys]),
                ]
            )
        )
