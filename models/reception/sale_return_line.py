from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleReturnLine(models.Model):
    """What may still come for a return line: how much, and which lots and serial numbers."""

    _inherit = 'sale.return.line'

    lot_ids = fields.Many2many(
        'stock.lot',
        'sale_return_line_lot_rel',
        string="Lots/Serial Numbers",
        domain="[('id', 'in', possible_lot_ids)]",
        help="Which ones the customer says they send back; the receipt proposes them.",
    )
    possible_lot_ids = fields.Many2many(
        'stock.lot', compute='_compute_possible_lot_ids', compute_sudo=True
    )
    discrepancy_ids = fields.One2many('sale.return.discrepancy', 'line_id', readonly=True)

    @api.depends('sale_line_id')
    def _compute_possible_lot_ids(self):
        sale_lines = self.sale_line_id._origin
        choice = self.env['sale.return.lots']._get_choice(sale_lines)
        for line in self:
            line.possible_lot_ids = choice.get(line.sale_line_id._origin, False)

    def _get_qty_receivable(self):
        """Return what may still be received, in the unit of the product."""
        self.ensure_one()
        left = max(self._get_qty_expected() - self._get_qty_come(), 0.0)
        return self._get_measure().to_stock(left)

    def _get_qty_unplanned(self):
        """Return what is missing and not on any open receipt, in the unit of the product."""
        self.ensure_one()
        if not self.return_expected:
            return 0.0
        uom = self.product_id.uom_id
        planned = sum(
            move.product_qty
            for move in self.move_ids
            if move.state not in ('done', 'cancel') and move._is_sale_return_receipt()
        )
        return max(uom.round(self._get_qty_receivable() - planned), 0.0)

    def _get_qty_surplus(self):
        """Return what came beyond what was asked for and was accepted, in the unit of the line."""
        self.ensure_one()
        # sudo: credits depend on all that came, also where the user may not read transfers.
        moves = self.sudo().move_ids.filtered(
            lambda move: (
                move.state == 'done'
                and move._is_sale_return_receipt()
                and move.sale_return_discrepancy_id.kind == 'over'
            )
        )
        return self._get_measure().from_stock(sum(moves.mapped('product_qty')))

    def _get_default_liability(self):
        """Return who pays unless the inspector says otherwise: the carrier for damaged goods."""
        self.ensure_one()
        if 'damaged' in self.discrepancy_ids.mapped('kind'):
            return 'carrier'
        return self.reason_id.default_liability

    @api.constrains('lot_ids', 'sale_line_id', 'product_id')
    def _check_lots_of_product(self):
        # sudo: users who request a return need not read lots.
        for line in self.sudo():
            wrong = line.lot_ids.filtered(lambda lot, line=line: lot.product_id != line.product_id)
            if wrong:
                raise UserError(
                    self.env._(
                        "%(lots)s is not a lot or serial number of %(product)s.",
                        lots=", ".join(wrong.mapped('name')),
                        product=line.product_id.display_name,
                    )
                )

    def _ensure_lots_at_customer(self):
        """Refuse to expect lots that were not delivered with the order line, or already came back.

        :raise UserError: naming the lots and those that can come back.
        """
        # sudo: users who submit a return need not read lots.
        named = self.sudo().filtered(lambda line: line.lot_ids and line.sale_line_id)
        there = self.env['sale.return.lots']._get_lots_at_customer(named.sale_line_id)
        for line in named:
            left = there[line.sale_line_id, line.product_id]
            wrong = line.lot_ids.filtered(
                lambda lot, left=left: left.get(lot.id, 0.0) <= 0 and left.get(False, 0.0) <= 0
            )
            if wrong:
                lots = line.lot_ids.browse(
                    lot_id for lot_id, quantity in left.items() if lot_id and quantity > 0
                )
                names = {
                    'lots': ", ".join(wrong.mapped('name')),
                    'product': line.product_id.display_name,
                    'order': line.order_id.name,
                }
                if not lots:
                    raise UserError(
                        self.env._(
                            "%(lots)s of %(product)s cannot come back with order %(order)s: not"
                            " delivered with it, or already back. The customer has no others.",
                            **names,
                        )
                    )
                raise UserError(
                    self.env._(
                        "%(lots)s of %(product)s cannot come back with order %(order)s: not "
                        "delivered with it, or already back. The customer has %(possible)s.",
                        # sudo: names of lots of the customer's own order.
                        possible=", ".join(lots.sudo().mapped('name')),
                        **names,
                    )
                )
