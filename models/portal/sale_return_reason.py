from odoo import fields, models


class SaleReturnReason(models.Model):
    _inherit = 'sale.return.reason'

    portal = fields.Boolean(
        string="Offered to Customers",
        default=True,
        help="Customers can choose it when they request a return themselves.",
    )

    def _get_portal_reasons(self, company):
        """Return the reasons that customers of a company choose from."""
        return self.search(
            [
                ('portal', '=', True),
                ('on_returns', '=', True),
                ('root_cause', '!=', 'fraud'),
                ('company_id', 'in', (company.id, False)),
                # Customers who need not give a reason select it by choosing nothing.
                ('id', '!=', self.env.ref('sale_return.reason_not_stated').id),
            ]
        )
