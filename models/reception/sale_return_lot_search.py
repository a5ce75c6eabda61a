from odoo import api, fields, models
from odoo.fields import Domain


class SaleReturn(models.Model):
    """From a lot or serial number to its orders and returns, in one look-up."""

    _inherit = 'sale.return'

    lot_ids = fields.Many2many(
        'stock.lot',
        string="Lots/Serial Numbers",
        compute='_compute_lot_ids',
        compute_sudo=True,
        search='_search_lot_ids',
        help="What came or should come with the return, foreign things included.",
    )

    @api.depends('line_ids.lot_ids', 'line_ids.move_ids.move_line_ids.lot_id', 'discrepancy_ids')
    def _compute_lot_ids(self):
        for sale_return in self:
            lines = sale_return.line_ids
            sale_return.lot_ids = (
                lines.lot_ids
                | lines.move_ids.move_line_ids.lot_id
                | sale_return.discrepancy_ids.lot_id
            )

    def _search_lot_ids(self, operator, value):
        domain = Domain.OR(
            Domain(path, operator, value)
            for path in (
                'line_ids.move_ids.move_line_ids.lot_id',
                'line_ids.lot_ids',
                'discrepancy_ids.lot_id',
            )
        )
        # sudo: the transfers need not be readable; which returns are is checked as always.
        return Domain('id', 'in', self.sudo().with_context(active_test=False)._search(domain))

    @api.model
    def find_by_serial(self, name):
        """Say which sales and returns a lot or serial number belongs to, the latest first.

        :param str name: what is written on the thing.
        :return: dicts `{lot_id, product_id, sale_line_id, order_id, partner_id, delivered_on,
            quantity (still with the customer, in the unit of the product), return_line_id (the
            open return line that waits for it, or False), return_ids}`
        :rtype: list
        :raise AccessError: without a role in Returns.
        """
        self._ensure_group('group_user')
        return self.env['sale.return.lots']._get_candidates(name, self.env.companies)
