from odoo import api, fields, models
from odoo.fields import Command

from ..tools.verdict import strongest


class SaleReturnCreateLine(models.TransientModel):
    """One order line of the dialog that creates a return."""

    _name = 'sale.return.create.line'
    _description = "Create Return Line"

    wizard_id = fields.Many2one('sale.return.create', required=True, ondelete='cascade')
    company_id = fields.Many2one(related='wizard_id.company_id')
    sale_line_id = fields.Many2one(
        'sale.order.line', string="Order Line", required=True, ondelete='cascade'
    )
    order_id = fields.Many2one(related='sale_line_id.order_id')
    product_id = fields.Many2one(related='sale_line_id.product_id')
    product_uom_id = fields.Many2one(related='sale_line_id.product_uom_id')
    qty_delivered = fields.Float(related='sale_line_id.qty_delivered')
    qty_returnable = fields.Float(related='sale_line_id.qty_returnable')
    quantity = fields.Float(string="Return", digits=False, min_display_digits='Product Unit')
    counted_text = fields.Char(
        string="Counted As",
        compute='_compute_counted_text',
        help="Returned quantity in the unit in which the goods are counted.",
    )
    reason_id = fields.Many2one(
        'sale.return.reason', check_company=True, domain=[('on_returns', '=', True)]
    )
    resolution = fields.Selection(
        selection=lambda self: self.env['sale.return.reason']._selection_resolution(),
        required=True,
        default='refund',
    )

    # Which ones come back, of goods that have numbers.
    tracking = fields.Selection(related='product_id.tracking')
    possible_lot_ids = fields.Many2many(
        'stock.lot',
        'sale_return_create_line_possible_lot_rel',
        compute='_compute_possible_lot_ids',
        compute_sudo=True,
    )
    lot_ids = fields.Many2many(
        'stock.lot',
        'sale_return_create_line_lot_rel',
        string="Lots/Serial Numbers",
        domain="[('id', 'in', possible_lot_ids)]",
        help="Which ones the customer says they send back; the receipt proposes them.",
    )

    exchange_product_id = fields.Many2one(
        'product.product',
        string="Exchange For",
        compute='_compute_exchange_product_id',
        store=True,
        readonly=False,
        help="Another variant costs what was paid, another product its current price.",
    )
    exchange_text = fields.Char(
        string="In Stock", compute='_compute_exchange_text', help="Quantity available."
    )

    # The verdicts of the rules on the input, in words for the user.
    note = fields.Text(string="Rules Say", compute='_compute_note')
    outcome = fields.Selection(
        [
            ('authorize', "Approve"),
            ('review', "Ask a person"),
            ('refuse', "Refuse"),
            ('excess', "Too much"),
        ],
        compute='_compute_note',
    )

    @api.depends('sale_line_id')
    def _compute_possible_lot_ids(self):
        choice = self.env['sale.return.lots']._get_choice(self.sale_line_id._origin)
        for row in self:
            row.possible_lot_ids = choice.get(row.sale_line_id._origin, False)

    @api.onchange('lot_ids')
    def _onchange_lot_ids(self):
        if self.tracking == 'serial' and self.lot_ids:
            # One unit each.
            self.quantity = self.sale_line_id._get_return_measure().from_stock(len(self.lot_ids))

    @api.depends('resolution')
    def _compute_exchange_product_id(self):
        for row in self.filtered(lambda row: row.resolution != 'exchange'):
            row.exchange_product_id = False

    @api.depends('exchange_product_id')
    def _compute_exchange_text(self):
        service = self.env['sale.return.exchange']
        self.exchange_text = False
        wishes = self.filtered('exchange_product_id')
        # sudo: the quantities are the same for all users.
        for warehouse, rows in wishes.grouped(lambda r: r.sudo().order_id.warehouse_id).items():
            free = service._get_free(rows.exchange_product_id, warehouse)
            for row in rows:
                quantity = free[row.exchange_product_id]
                row.exchange_text = self.env._("Always") if quantity is None else f"{quantity:g}"

    @api.depends('quantity', 'reason_id', 'wizard_id.reason_id', 'qty_returnable')
    def _compute_note(self):
        for row in self:
            row.note = row.outcome = False
            if row._is_too_much():
                row.outcome = 'excess'
                row.note = self.env._(
                    "At most %(quantity)s", quantity=row._format_quantity(row.qty_returnable)
                )
        for wizard in self.wizard_id:
            rows = self.filtered(lambda row, wizard=wizard: row.wizard_id == wizard)
            for row, verdicts in wizard._get_verdicts(rows).items():
                telling = [v for v in verdicts if v['outcome'] != 'authorize']
                outcome = strongest(v['outcome'] for v in telling)
                row.outcome = 'refuse' if outcome.startswith('refuse') else outcome
                sentences = [
                    self.env['sale.return.rule']._get_sentence(v['code'], v['facts'])
                    for v in telling
                ]
                row.note = " ".join(filter(None, sentences)) or False

    def _is_too_much(self):
        """Tell whether more is entered than can be returned."""
        self.ensure_one()
        measure = self.sale_line_id._get_return_measure()
        typed = measure.interpret(self.quantity, whole=self.qty_returnable)
        return measure.compare(typed, self.qty_returnable) > 0

    def _format_quantity(self, quantity):
        """Return a formatted quantity of the line, without trailing zeros."""
        self.ensure_one()
        measure = self.sale_line_id._get_return_measure()
        if not measure.is_shown(quantity):
            return self.product_id.uom_id._say(measure.to_stock(quantity))
        return self.product_uom_id._say(measure.round(quantity))

    @api.depends('sale_line_id', 'quantity')
    def _compute_counted_text(self):
        for row in self:
            measure = row.sale_line_id._get_return_measure()
            stock_uom = row.product_id.uom_id
            counted = measure.to_stock(measure.interpret(row.quantity))
            row.counted_text = row.product_uom_id != stock_uom and stock_uom._say(counted)

    def _is_without_goods(self):
        """Tell whether no goods of the line will come back, as far as the dialog knows."""
        self.ensure_one()
        reason = self.reason_id or self.wizard_id.reason_id
        is_stock = self.sale_line_id.qty_delivered_method == 'stock_move'
        return not is_stock or bool(reason and not reason.return_expected)

    def _prepare_return_line_vals(self):
        """Prepare the return line. Override to add values.

        :return: values for `sale.return.line.create`, without the return.
        :rtype: dict
        """
        self.ensure_one()
        return {
            'sale_line_id': self.sale_line_id.id,
            'qty_requested': self.quantity,
            'reason_id': (self.reason_id or self.wizard_id.reason_id).id,
            'resolution': self.resolution,
            'lot_ids': [Command.set(self.lot_ids.ids)],
            'exchange_product_id': self.exchange_product_id.id,
            'customer_note': self.wizard_id.customer_note,
            'store_credit_consent': (
                self.resolution == 'store_credit' and self.wizard_id.store_credit_consent
            ),
        }
