from odoo import fields, models
from odoo.exceptions import UserError


class StockReturnPicking(models.TransientModel):
    """Odoo's own return of a delivery: creates a `sale.return`.

    All code about this wizard is in this file, because later versions of Odoo do not have it.
    """

    _inherit = 'stock.return.picking'

    sale_return_reason_id = fields.Many2one(
        'sale.return.reason',
        string="Return Reason",
        check_company=True,
        domain=[('return_expected', '=', True), ('on_returns', '=', True)],
        help="Why the customer returns the goods.",
    )
    # Set by the button "Return for Exchange" for the steps it calls.
    is_exchange = fields.Boolean()
    has_sale_return = fields.Boolean(compute='_compute_has_sale_return')

    def _compute_has_sale_return(self):
        for wizard in self:
            wizard.has_sale_return = bool(
                wizard.picking_id.sale_id
                and wizard.picking_type_code == 'outgoing'
                and wizard.company_id.sale_return_adopt_native
            )

    def _prepare_picking_default_values_based_on(self, picking):
        """Override of `stock` to receive only customers' returns into quarantine.

        Goods of vendors, of other warehouses and of deliveries without order belong to no return:
        they are received into stock as by Odoo itself.
        """
        values = super()._prepare_picking_default_values_based_on(picking)
        warehouse = picking.picking_type_id.warehouse_id
        ours = warehouse.sale_return_type_id
        if not ours or values['picking_type_id'] != ours.id:
            return values
        if any(
            move.location_dest_id._is_at_customer() and move._get_returned_sale_line()
            for move in picking.move_ids
        ):
            # Odoo only uses the location of types that are receipts.
            return values | {'location_dest_id': warehouse.sale_return_loc_id.id}
        native = warehouse.sale_return_native_type_id or warehouse.in_type_id
        return values | {
            'picking_type_id': native.id,
            'location_dest_id': native.default_location_dest_id.id,
        }

    def _create_return(self):
        """Override of `stock` to approve returned goods like any other return.

        :raise UserError: for a reason without goods.
        """
        if self.has_sale_return:
            self._ensure_reason_for_goods()
        picking = super()._create_return()
        self.env['sale.return.reception']._adopt_moves(
            # Goods not delivered yet are checked when they arrive.
            picking.move_ids.filtered(
                lambda move: move.origin_returned_move_id.state in (False, 'done')
            ),
            reason=self.sale_return_reason_id,
            resolution='replace' if self.is_exchange else 'refund',
        )
        if self.is_exchange:
            self._leave_replacements_to_returns(picking)
        return picking

    def _ensure_reason_for_goods(self):
        """Refuse reasons without goods: received goods would never be inspected."""
        reason = self.sale_return_reason_id
        if reason and not reason.return_expected:
            raise UserError(
                self.env._(
                    "“%(reason)s” is for goods that do not come back, but this transfer brings "
                    "goods. Choose another reason, or create the return from the order.",
                    reason=reason.name,
                )
            )

    def action_create_exchanges(self):
        """Override of `stock` to assign the exchange to the return: nothing is credited."""
        self.is_exchange = True
        return super().action_create_exchanges()

    def _leave_replacements_to_returns(self, picking):
        """Skip goods delivered by the approval of the return: Odoo plans them next.

        Components of kits are left to Odoo, which knows which of them are exchanged.
        """
        # sudo: users who return goods in Inventory need not be users of Returns.
        replacing = picking.move_ids.sudo().filtered(
            lambda move: (
                move.sale_return_line_id.resolution == 'replace'
                and move.product_id == move.sale_line_id.product_id
            )
        )
        for line in self.product_return_moves:
            if line.move_id in replacing.origin_returned_move_id:
                line.quantity = 0

    def _get_proc_values(self, line):
        """Override of `stock` to link the replacement to the return line it replaces."""
        values = super()._get_proc_values(line)
        # The receipt was created just before in the same call, so it is the newest one.
        receipts = line.move_id.returned_move_ids.filtered('sale_return_line_id').sorted('id')
        if receipts:
            values['sale_return_line_id'] = receipts[-1].sale_return_line_id.id
        return values
