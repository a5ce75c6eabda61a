from datetime import timedelta

from odoo import api, fields, models

# Goods that wait longer than this clog the quarantine.
PATIENCE = timedelta(days=30)


class SaleReturnHealth(models.AbstractModel):
    _inherit = 'sale.return.health'

    @api.model
    def _get_findings(self, company):
        """Override to check the quarantines."""
        return [
            *super()._get_findings(company),
            *self._get_place_findings(company),
            *self._get_waiting_findings(company),
            *self._get_transfer_findings(company),
        ]

    def _get_incomplete_warehouses(self, company):
        """Return the warehouses that cannot receive returns."""
        # sudo: managers of Returns need not be stock users.
        warehouses = self.env['stock.warehouse'].sudo().search([('company_id', '=', company.id)])
        return warehouses.filtered(
            lambda warehouse: (
                not warehouse.sale_return_type_id.active or not warehouse.sale_return_loc_id.active
            )
        )

    def _get_place_findings(self, company):
        """Name warehouses without a place for returns."""
        return [
            {
                'sentence': self.env._(
                    "Warehouse %(warehouse)s has no quarantine or no operation type for returns: "
                    "nothing can be received there.",
                    warehouse=warehouse.name,
                ),
                'button': self.env._("Create Them"),
                'code': 'quarantine',
            }
            for warehouse in self._get_incomplete_warehouses(company)
        ]

    def _fix_quarantine(self, company):
        """Create what warehouses need for returns, or restore what was archived."""
        warehouses = self._get_incomplete_warehouses(company)
        warehouses.sale_return_type_id.filtered(lambda kind: not kind.active).active = True
        warehouses.sale_return_loc_id.filtered(lambda place: not place.active).active = True
        warehouses._create_sale_return_setup()

    def _get_waiting_findings(self, company):
        """Report how much has been in quarantine for too long."""
        report = self.env['sale.return.quarantine.report']
        if not report.has_access('read'):
            return []
        domain = [
            ('company_id', '=', company.id),
            ('date', '<', fields.Datetime.now() - PATIENCE),
        ]
        count = report.search_count(domain)
        if not count:
            return []
        return [
            {
                'sentence': self.env._(
                    "The quarantine is filling up. Items there for more than %(days)s days: "
                    "%(count)s.",
                    count=count,
                    days=PATIENCE.days,
                ),
                'button': self.env._("Quarantine"),
                'action': 'sale_return.sale_return_quarantine_report_action',
                'domain': [('date', '<', fields.Datetime.to_string(domain[1][2]))],
            }
        ]

    def _get_transfer_findings(self, company):
        """Name inspectors who cannot open transfers because of Odoo's delivery module.

        Its form of transfers reads the postal codes of carriers, which Odoo only lets users read
        who may create contacts.
        """
        if 'delivery.zip.prefix' not in self.env:
            return []
        # sudo: managers of Returns need not see all users.
        operators = self.env.ref('stock.group_stock_user').sudo().all_user_ids
        inspectors = self.env.ref('sale_return.group_inspector').sudo().all_user_ids
        people = (operators & inspectors).filtered(
            lambda user: user.active and company in user.company_ids
        )
        kept = people.filtered(
            lambda user: not self.env['delivery.zip.prefix'].with_user(user).has_access('read')
        )
        return [
            {
                'sentence': self.env._(
                    "%(user)s receives returns but may not open transfers: the delivery module "
                    "reads postal codes, which needs the right to create contacts.",
                    user=user.name,
                ),
                'button': self.env._("Users"),
                'action': 'base.action_res_users',
                'domain': [('id', '=', user.id)],
            }
            for user in kept
        ]
