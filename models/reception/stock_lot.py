from odoo import fields, models
from odoo.exceptions import UserError

from ...tools.context import get_ids


class StockLot(models.Model):
    _name = 'stock.lot'

    _inherit = ['stock.lot', 'sale.return.owned']

    # Limited to what the user may read: users without a role in Returns read lots without these
    # fields.
    sale_return_ids = fields.Many2many(
        'sale.return',
        string="Customer Returns",
        compute='_compute_sale_return_ids',
        groups='sale_return.group_user',
    )
    sale_return_count = fields.Integer(
        compute='_compute_sale_return_ids', groups='sale_return.group_user'
    )

    # For the returns desk, see the indexes of `sale.return`.
    _sale_return_bench_name = models.Index('(name)')

    # === COMPUTE METHODS === #

    def _compute_sale_return_ids(self):
        returns_by_lot = self.env['sale.return.lots']._get_returns(self)
        for lot in self:
            lot.sale_return_ids = returns_by_lot[lot]
            lot.sale_return_count = len(lot.sale_return_ids)

    # === CONSTRAINT METHODS === #

    def _check_create(self):
        """Override of `stock` to explain what to do with unknown serial numbers.

        :raise UserError: when a lot is typed on the receipt of a return that does not exist.
        """
        ids = get_ids(self.env, 'active_picking_id')
        picking = self.env['stock.picking'].browse(ids[:1])
        if picking.sale_return_id and not picking.picking_type_id.use_create_lots:
            raise UserError(
                self.env._(
                    "There is no such lot or serial number, so it was not delivered. Leave it off "
                    "the receipt and use “Register Discrepancy”: the goods are then kept as the "
                    "customer's property."
                )
            )
        return super()._check_create()

    # === ACTION METHODS === #

    def action_view_sale_returns(self):
        """Show the returns of the lots."""
        return self.sale_return_ids._get_records_action(name=self.env._("Customer Returns"))
