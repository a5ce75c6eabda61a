from odoo import fields, models


class SaleReturn(models.Model):
    _inherit = 'sale.return'

    open_repair_names = fields.Char(
        string="Open Repairs",
        compute='_compute_open_repair_names',
        compute_sudo=True,
        help="Ending a repair prepares the delivery back to the customer.",
    )

    def _compute_open_repair_names(self):
        service = self.env['sale.return.repair']
        lines = self.line_ids.filtered(lambda line: line.resolution == 'repair')
        repairs = service._get_repairs(lines) if lines and service._is_on() else ()
        names = {}
        for repair in repairs:
            if repair.state != 'done':
                names.setdefault(service._find_line(repair).return_id, []).append(repair.name)
        for sale_return in self:
            sale_return.open_repair_names = ", ".join(names.get(sale_return._origin, ())) or False

    def _describe_next(self):
        """Extend to name the open repairs."""
        sentences = super()._describe_next()
        if names := self.open_repair_names:
            sentences.append(
                self.env._(
                    "Next: repair the goods of %(customer)s (%(repairs)s).",
                    customer=self.partner_id.display_name,
                    repairs=names,
                )
            )
        return sentences

    def action_view_repairs(self):
        """Show the repair orders of the returns, by the rights of the user on repairs."""
        lines = self.line_ids.filtered(lambda line: line.resolution == 'repair')
        return lines.action_view_repairs()
