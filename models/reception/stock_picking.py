from odoo import api, fields, models

from ...tools.context import get_flag


class StockPicking(models.Model):
    _name = 'stock.picking'
    _inherit = ['stock.picking', 'sale.return.owned']

    sale_return_id = fields.Many2one(
        'sale.return',
        string="Return",
        compute='_compute_sale_return_id',
        store=True,
        index='btree_not_null',
        help="The return whose goods this transfer moves; empty when there are several.",
    )
    sale_return_ids = fields.Many2many(
        'sale.return',
        string="Customer Returns",
        compute='_compute_sale_return_ids',
        compute_sudo=True,
    )
    sale_return_count = fields.Integer(compute='_compute_sale_return_ids', compute_sudo=True)
    sale_return_discrepancy_ids = fields.Many2many(
        'sale.return.discrepancy',
        string="Return Discrepancies",
        compute='_compute_sale_return_discrepancy_ids',
        compute_sudo=True,
        groups='base.group_user',
    )
    sale_return_discrepancy_count = fields.Integer(
        compute='_compute_sale_return_discrepancy_ids', compute_sudo=True, groups='base.group_user'
    )
    is_sale_return_offered = fields.Boolean(
        compute='_compute_is_sale_return_offered', groups='base.group_user'
    )
    # Receiving ends on the transfer, so the next step starts there.
    is_sale_return_to_inspect = fields.Boolean(
        compute='_compute_is_sale_return_to_inspect', compute_sudo=True, groups='base.group_user'
    )
    date_customer_received = fields.Datetime(
        string="Received by customer on",
        copy=False,
        help="When the customer received the goods; return windows start then.",
    )

    @api.model
    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: the desk may record when customers got their goods."""
        return super()._get_sale_return_writers() | {
            'date_customer_received': 'sale_return.group_user'
        }

    @api.depends('move_ids.sale_return_line_id')
    def _compute_sale_return_id(self):
        for picking in self:
            returns = picking.move_ids.sale_return_line_id.return_id
            picking.sale_return_id = returns if len(returns) == 1 else False

    @api.depends('move_ids.sale_return_line_id', 'move_ids.sale_line_id')
    def _compute_sale_return_ids(self):
        for picking in self:
            moves = picking.move_ids
            returns = moves.sale_return_line_id.return_id
            if picking.picking_type_code == 'outgoing':
                returns |= moves.sale_line_id.return_line_ids.return_id
            picking.sale_return_ids = returns
            picking.sale_return_count = len(returns)

    @api.depends('state', 'sale_return_id.has_to_inspect')
    def _compute_is_sale_return_to_inspect(self):
        for picking in self:
            picking.is_sale_return_to_inspect = bool(
                picking.state == 'done'
                and picking.picking_type_code == 'incoming'
                and picking.sale_return_id.has_to_inspect
            )

    @api.depends('state', 'picking_type_code', 'sale_id')
    @api.depends_context('uid')
    def _compute_is_sale_return_offered(self):
        # Goods returned with Odoo's own dialog create a return as well, if the company wants that.
        may_return = self.env.user.has_group('sale_return.group_user')
        for picking in self:
            picking.is_sale_return_offered = bool(
                may_return
                and picking.state == 'done'
                and picking.picking_type_code == 'outgoing'
                and picking.sale_id
                and picking.company_id.sale_return_adopt_native
            )

    @api.depends('move_ids.sale_return_discrepancy_id')
    def _compute_sale_return_discrepancy_ids(self):
        found = (
            self.env['sale.return.discrepancy']
            .search([('picking_id', 'in', self.ids)])
            .grouped('picking_id')
        )
        for picking in self:
            records = picking.move_ids.sale_return_discrepancy_id
            records |= found.get(picking._origin, records)
            picking.sale_return_discrepancy_ids = records
            picking.sale_return_discrepancy_count = len(records)

    def message_post(self, **kwargs):
        """Extend to keep notes of batches: see `sale.return.notes`."""
        if self.env['sale.return.notes']._keep(self, kwargs):
            return self.env['mail.message']
        return super().message_post(**kwargs)

    def button_validate(self):
        """Override of `stock` to let only the warehouse record returned goods.

        :raise AccessError: for users without a role there.
        """
        self.move_ids._ensure_receiver()
        # Only users of the form are asked: programs name their serial numbers.
        if get_flag(self.env, 'sale_return_ask_serials') and self._get_unscanned_serials():
            return {
                'type': 'ir.actions.act_window',
                'name': self.env._("Serial Numbers"),
                'res_model': 'sale.return.serials',
                'view_mode': 'form',
                'target': 'new',
                'context': {**self.env.context, 'default_picking_ids': self.ids},
            }
        return super().button_validate()

    def _get_unscanned_serials(self):
        """Return the move lines of receipts with serial numbers that nobody has checked.

        Odoo processes the reserved quantities where nothing was picked.

        :rtype: stock.move.line
        """
        lines = self.env['stock.move.line']
        for picking in self:
            if any(picking.move_line_ids.mapped('picked')):
                continue
            lines |= picking.move_ids.filtered(
                lambda move: (
                    move.sale_return_line_id
                    and move.location_id._is_at_customer()
                    and move.product_id.tracking == 'serial'
                )
            ).move_line_ids.filtered('lot_id')
        return lines

    def action_view_sale_return_discrepancies(self):
        """Show the discrepancies."""
        records = self.env['sale.return.discrepancy'].search(
            [('id', 'in', self.sale_return_discrepancy_ids.ids)]
        )
        return records._get_records_action(name=self.env._("Discrepancies"))

    def action_open_sale_return_discrepancy(self):
        """Open the dialog that registers a discrepancy of the return that is received."""
        return self.sale_return_id.action_open_discrepancy()

    def action_open_sale_return_inspection(self):
        """Open the dialog that inspects what was received, and show the return afterwards."""
        action = self.sale_return_id.action_open_inspection()
        action['context']['show_return'] = True
        return action

    def action_view_sale_returns(self):
        """Show the returns of the transfer."""
        returns = self.env['sale.return'].search([('id', 'in', self.sale_return_ids.ids)])
        return returns._get_records_action(name=self.env._("Returns"))

    def action_create_return(self):
        """Open the dialog that creates a return from the deliveries' order lines.

        :return: the action of the wizard `sale.return.create`.
        :rtype: dict
        """
        return self.move_ids.sale_line_id._get_return_wizard_action()
