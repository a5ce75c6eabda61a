from collections import defaultdict
from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class SaleOrderLine(models.Model):
    _name = 'sale.order.line'

    _inherit = ['sale.order.line', 'sale.return.owned']

    # Our own code uses `_get_return_lines`: people who sell need not be users of Returns.
    return_line_ids = fields.One2many(
        'sale.return.line',
        'sale_line_id',
        readonly=True,
        groups='sale_return.group_user,base.group_portal',
    )
    qty_returned = fields.Float(
        string="Returned",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_returned',
        store=True,
        help="Came back from the customer, regardless of what happened next.",
    )
    qty_returnable = fields.Float(
        string="Returnable",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_returnable',
        # A quantity is the same for everybody, whatever they may read of transfers and returns.
        compute_sudo=True,
        help="Delivered, not returned and not held by a return under way.",
    )
    # Written by every transaction that changes what can be returned, see `_take_return_counter`.
    sale_return_guard = fields.Integer(readonly=True, copy=False, groups='base.group_user')

    # Finds the order lines that changed since the facts of the analysis were stored.
    _sale_return_write_date = models.Index('(write_date)')

    # === COMPUTE METHODS === #

    @api.depends(
        'move_ids.state',
        'move_ids.quantity',
        'move_ids.product_uom',
        'move_ids.sale_return_kit_qty',
    )
    def _compute_qty_returned(self):
        for line in self:
            line.qty_returned = line._get_return_measure().round(
                sum(
                    move._get_sale_quantity(line)
                    for move in line.move_ids
                    if move.state == 'done'
                    and move.location_id._get_customer_sides(move.location_dest_id) == (True, False)
                )
            )

    @api.depends(
        'qty_returned',
        'qty_delivered',
        'qty_invoiced',
        'return_line_ids.qty_held',
        'return_line_ids.qty_credited',
        'return_line_ids.qty_kept',
    )
    def _compute_qty_returnable(self):
        quantities = self._get_return_quantities()
        for line in self:
            shipped, returned, held = quantities[line]
            left = max(shipped - returned - held, 0.0)
            line.qty_returnable = (
                line._get_return_measure().from_stock(left) if line.product_id else 0.0
            )

    @api.depends(
        'return_line_ids.qty_received',
        'return_line_ids.qty_sent_back',
        'return_line_ids.qty_replaced',
        'return_line_ids.qty_received_uninvoiced',
        'return_line_ids.qty_credited',
    )
    def _compute_qty_to_invoice(self):
        """Override of `sale` to prevent billing because of a return, or twice.

        Credits of returns do not make goods billable again, and goods that are back do not make a
        line negative, whether they are credited, refused or still undecided. Uninvoiced goods that
        came back are simply not billed.
        """
        result = super()._compute_qty_to_invoice()
        for line in self:
            billable = line.state == 'sale' and line.product_id.type != 'combo'
            if billable and line._get_return_lines():
                found = line.qty_to_invoice
                quantity = found + line._get_return_invoice_correction()
                if line.qty_delivered_method != 'stock_move':
                    # Lowering the delivered quantity of a service by hand has the same effect.
                    quantity = max(quantity, min(found, 0.0))
                line.qty_to_invoice = line._get_return_measure().round(quantity)
        return result

    @api.depends('return_line_ids.qty_received', 'return_line_ids.qty_credited')
    def _compute_invoice_status(self):
        """Override of `sale` to keep lines invoiced before a return was credited."""
        result = super()._compute_invoice_status()
        for line in self:
            if line.state == 'sale' and line.invoice_status == 'no' and line._get_return_lines():
                invoiced, credited, _otherwise = self.env['sale.return.ledger']._get_invoiced(line)
                uninvoiced = line._get_qty_returned_uninvoiced(invoiced, credited)
                compare = line._get_return_measure().compare
                if invoiced and compare(invoiced + uninvoiced, line.product_uom_qty) >= 0:
                    line.invoice_status = 'invoiced'
        return result

    @api.depends('return_line_ids.qty_received', 'return_line_ids.qty_credited')
    def _compute_untaxed_amount_to_invoice(self):
        """Override of `sale` to exclude returned goods from expected payments."""
        result = super()._compute_untaxed_amount_to_invoice()
        for line in self.filtered(lambda line: line._get_return_lines()):
            if line.product_uom_qty:
                line.untaxed_amount_to_invoice = line.currency_id.round(
                    line.price_subtotal / line.product_uom_qty * line.qty_to_invoice
                )
        return result

    @api.depends('return_line_ids.qty_received', 'return_line_ids.qty_credited')
    def _compute_amount_to_invoice(self):
        """Override of `sale` to expect no money for what returns have taken back."""
        result = super()._compute_amount_to_invoice()
        for line in self.filtered(lambda line: line._get_return_lines()):
            if line.product_uom_qty:
                # Odoo counts posted documents only; drafts are still to be invoiced (or credited).
                returns = line._get_return_lines()
                drafts = line.qty_invoiced - line.qty_invoiced_posted
                draft_notes = sum(returns.mapped('qty_credited')) - sum(
                    returns.mapped('qty_credited_posted')
                )
                quantity = line.qty_to_invoice + drafts + draft_notes
                line.amount_to_invoice = line.price_total / line.product_uom_qty * quantity
        return result

    def _prepare_qty_delivered(self):
        """Override of `sale_stock` to add up in the unit of the product, and round the sum.

        Of a dozen, Odoo takes three times 0.33 off for three times four pieces.
        """
        result = super()._prepare_qty_delivered()
        for line in self:
            if line._is_counted_in_stock() and line._get_return_lines():
                result[line] = line._get_qty_delivered_counted()
        return result

    def _prepare_qty_invoiced(self):
        """Override of `sale` to add up in the unit of the product, see `_prepare_qty_delivered`.

        Credit notes of returns count pieces where the unit of the order cannot express the
        quantity.
        """
        result = super()._prepare_qty_invoiced()
        for line in self:
            measure = line._get_return_measure()
            if measure.ratio == 1 or not line._get_return_lines():
                continue
            # sudo: what was billed is the same for everybody.
            result[line] = measure.round(
                sum(
                    (-1 if item.move_id.move_type == 'out_refund' else 1)
                    * item._get_quantity_in(measure)
                    for item in line.sudo()._get_invoice_lines()
                    if item.move_id.move_type in ('out_invoice', 'out_refund')
                    and (
                        item.move_id.state != 'cancel'
                        or item.move_id.payment_state == 'invoicing_legacy'
                    )
                )
            )
        return result

    # === QUANTITIES === #

    def _get_return_measure(self):
        """Return how quantities of the line convert to quantities in the unit of the product.

        :rtype: odoo.addons.sale_return.tools.measure.Measure
        """
        self.ensure_one()
        return self.product_uom_id._get_measure(
            self.product_id.uom_id,
            counted=self.qty_delivered_method == 'stock_move',
            sold=self.product_uom_qty,
        )

    def _is_counted_in_stock(self):
        """Tell whether the deliveries are moves of the product in another unit."""
        self.ensure_one()
        return (
            self.qty_delivered_method == 'stock_move'
            and self.product_uom_id != self.product_id.uom_id
            and not self._is_return_kit()
        )

    def _get_qty_delivered_counted(self):
        """Return what Odoo counts as delivered, in the unit of the line and not rounded there."""
        self.ensure_one()
        if not self._is_counted_in_stock():
            return self.qty_delivered
        # sudo: all moves count, no matter who asks.
        outgoing, incoming = self.sudo()._get_outgoing_incoming_moves()
        quantity = sum(
            sign * move._get_product_quantity()
            for sign, moves in ((1, outgoing), (-1, incoming))
            for move in moves
            if move.state == 'done'
        )
        return self._get_return_measure().from_stock(quantity)

    def _get_return_price(self):
        """Return what one unit of the order line cost, tax included, in the order's currency.

        :rtype: float
        """
        self.ensure_one()
        if self.product_uom_qty:
            # Not Odoo's price per unit, which is rounded.
            return self.price_total / self.product_uom_qty
        # Goods delivered without having been ordered: Odoo has no price per unit for them.
        return self.price_unit * (1 - (self.discount or 0.0) / 100)

    def _get_return_lines(self):
        """Return all return lines of the order lines. All extensions of Odoo's documents use this.

        :return: `sale.return.line` records in superuser mode, to count with and not to show.
        """
        # sudo: what is to be billed, delivered or credited depends on all returns, while few of the
        # people who sell, deliver, bill or pay are users of Returns.
        return self.sudo().return_line_ids

    def _get_return_quantities(self):
        """Return what was shipped, came back and is held, for all lines in a few queries.

        Lines without stock moves (services) count what was invoiced and credited instead.
        Discounts, rewards and card payments cannot be returned: they follow the goods.

        :return: `{line: (shipped, returned, held)}` in the unit of the product.
        :rtype: dict
        """
        shipped, returned = self._get_moved_quantities()
        held, gone = self._get_held_quantities()
        ledger = self.env['sale.return.ledger']
        shares = self.env['sale.return.order.share']
        result = {}
        for line in self:
            measure = line._get_return_measure()
            origin = line._origin
            if line.qty_delivered_method == 'stock_move':
                out, back = shipped[origin], returned[origin]
                back += measure.to_stock(gone.get(origin, 0.0))
            elif (
                line.product_id
                and not line.is_downpayment
                and not line.display_type
                and not shares._is_discount(line)
            ):
                invoiced, by_returns, otherwise = ledger._get_invoiced(line)
                out = measure.to_stock(invoiced)
                back = measure.to_stock(by_returns + otherwise)
            else:
                out = back = 0.0
            result[line] = (out, back, measure.to_stock(held.get(origin, 0.0)))
        return result

    def _get_held_quantities(self):
        """Sum what returns hold of the lines, and what they have credited without goods.

        The latter never reached the customer, or stays with them for good, so it cannot be
        returned.

        :return: two dicts `{line: quantity in the unit of the line}`.
        :rtype: tuple
        """
        held, gone = defaultdict(float), defaultdict(float)
        groups = (
            self.env['sale.return.line']
            .sudo()  # all returns of an order line count, no matter who asks
            ._read_group(
                Domain('sale_line_id', 'in', self.ids)
                & (
                    Domain('qty_held', '>', 0)
                    | Domain('qty_credited', '>', 0)
                    & (Domain('return_expected', '=', False) | Domain('qty_kept', '>', 0))
                ),
                ['sale_line_id', 'return_expected'],
                ['qty_held:sum', 'qty_credited:sum', 'qty_kept:sum'],
            )
        )
        for line, return_expected, quantity, credited, kept in groups:
            held[line] += quantity
            gone[line] += min(credited, kept) if return_expected else credited
        return held, gone

    def _get_moved_quantities(self):
        """Sum done moves of the lines to and from the customer.

        :return: two dicts `{line: quantity in the unit of the product}`: shipped (send-backs and
            replacements included) and returned.
        :rtype: tuple
        """
        shipped, returned = defaultdict(float), defaultdict(float)
        kits = self.browse()
        # sudo: see `_get_return_quantities`.
        groups = (
            self.env['stock.move']
            .sudo()
            ._read_group(
                [('sale_line_id', 'in', self.ids), ('state', '=', 'done')],
                ['sale_line_id', 'product_id', 'product_uom', 'location_id', 'location_dest_id'],
                ['quantity:sum'],
            )
        )
        for line, product, uom, source, destination, quantity in groups:
            from_customer, to_customer = source._get_customer_sides(destination)
            if product != line.product_id and from_customer != to_customer:
                kits |= line.with_env(self.env)
            if product != line.product_id or from_customer == to_customer:
                continue
            quantities = returned if from_customer else shipped
            quantities[line.with_env(self.env)] += uom._compute_quantity(
                quantity, product.uom_id, rounding_method='HALF-UP'
            )
        for line in kits:
            delivered, again, back = line._get_kit_moved()
            ratio = line._get_return_measure().ratio
            shipped[line] = (delivered + again) * ratio
            returned[line] = back * ratio
        return shipped, returned

    def _get_qty_back(self):
        """Return what returns have brought back and neither sent back nor replaced."""
        self.ensure_one()
        return sum(
            line.qty_received - line.qty_sent_back - line.qty_replaced
            for line in self._get_return_lines()
        )

    def _get_qty_claimed(self):
        """Return what returns have credited, and will if all that they wait for is accepted."""
        self.ensure_one()
        return sum(
            max(line._get_qty_creditable(line), line.qty_credited)
            for line in self._get_return_lines()
            if line.state != 'draft'
        )

    def _get_qty_uninvoiced(self, invoiced):
        """Return what was shipped and never invoiced, in the unit of the line.

        Shipped excludes goods that returns sent back or replaced: the customer already had them.

        :param float invoiced: what was invoiced, in the unit of the line, credits not deducted.
        """
        self.ensure_one()
        if self.qty_delivered_method != 'stock_move':
            return 0.0
        quantity = self._get_qty_delivered_counted() + self._get_qty_back() - invoiced
        return max(self._get_return_measure().round(quantity), 0.0)

    def _get_qty_returned_uninvoiced(self, invoiced, credited):
        """Return what is back and was never invoiced, in the unit of the line.

        :param float invoiced: what was invoiced, credits not deducted.
        :param float credited: what returns have credited: that was invoiced.
        """
        self.ensure_one()
        known = sum(line._get_qty_uninvoiced_here() for line in self._get_return_lines())
        back = self._get_qty_back() - credited
        return max(min(known, back, self._get_qty_uninvoiced(invoiced)), 0.0)

    def _get_return_invoice_correction(self):
        """Return what returns add to the quantity that Odoo finds to invoice.

        Worked example, policy "delivered", 10 delivered and invoiced: after 3 are received Odoo
        finds 7 - 10 = -3 to invoice, corrected by +3 to 0; after their credit note it finds
        7 - 7 = 0, corrected by 3 - 3 = 0. Policy "ordered": after the credit note Odoo finds
        10 - 7 = 3, corrected by -3.

        :return: a quantity in the unit of the line.
        :rtype: float
        """
        self.ensure_one()
        invoiced, by_returns, otherwise = self.env['sale.return.ledger']._get_invoiced(self)
        back = self._get_qty_back()
        # What was billed again after such a note, e.g. beyond the goods, is what the note credits.
        again = self._get_qty_billed_again(invoiced, otherwise)
        uninvoiced = self._get_qty_returned_uninvoiced(invoiced - again, by_returns)
        # A note made by hand counts like one of the return for goods that are back, and for goods
        # still to come as far as it leaves nothing of the invoice for their return to credit.
        wanted = back - uninvoiced - by_returns
        expected = self._get_qty_claimed() - self._get_qty_uninvoiced(invoiced - again)
        by_hand = min(otherwise - again, max(wanted, expected - (invoiced - otherwise), 0.0))
        # Odoo counts all notes, price corrections included; only notes made by hand without a
        # return make something billable again.
        correction = self.qty_invoiced - (invoiced - otherwise + by_hand) - uninvoiced
        if self.product_id.invoice_policy == 'order' or self.qty_delivered_method != 'stock_move':
            return correction + self._get_qty_taken_off(self.product_uom_qty)
        # Odoo has rounded what is delivered: of a pack of three with a piece back, 0.67 + 1/3 would
        # be more than the pack.
        return correction + back + self._get_qty_delivered_counted() - self.qty_delivered

    def _get_qty_billable(self):
        """Return what can be billed in all, goods that came back included, in its own unit."""
        self.ensure_one()
        shipped = self._get_qty_delivered_counted() + self._get_qty_back()
        if self.product_id.invoice_policy == 'order' or self.qty_delivered_method != 'stock_move':
            return max(self.product_uom_qty, shipped)
        return shipped

    def _get_qty_billed_again(self, invoiced, otherwise):
        """Return what was billed a second time after a note made by hand, in the unit of the line.

        That is what was invoiced beyond the goods that can be billed at all: goods that came back
        before their invoice never are. Worked example: 4 are shipped and 2 billed, of which 1 is
        credited by hand. Then 3 come back, 2 of them never billed, and the 1 that is kept is
        billed: 3 were invoiced and 4 - 2 can be, so 1 was billed again.

        :param float invoiced: what was invoiced, credits not deducted.
        :param float otherwise: what notes made by hand have credited of it.
        """
        self.ensure_one()
        if otherwise <= 0:
            return 0.0
        known = sum(line._get_qty_uninvoiced_here() for line in self._get_return_lines())
        never = max(min(known, self._get_qty_back()), 0.0)
        return min(max(invoiced - (self._get_qty_billable() - never), 0.0), otherwise)

    def _get_qty_taken_off(self, ordered):
        """Return by how much the order is lowered because goods came back, in the unit of the line.

        That is what was shipped, or is planned to be, beyond the order, as far as it came back: 10
        shipped, 4 back and the order lowered to 6.

        :param float ordered: the quantity ordered.
        """
        self.ensure_one()
        back = self._get_qty_back()
        if back <= 0 or self.qty_delivered_method != 'stock_move':
            return 0.0
        return min(max(self._get_qty_planned() - ordered, 0.0), back)

    def _get_qty_planned(self):
        """Return what was shipped and is planned to be, returns not deducted.

        :return: a quantity in the unit of the line.
        :rtype: float
        """
        self.ensure_one()
        # Bypasses our own override below, which calls this.
        return super()._get_qty_procurement()  # pylint: disable=super-method-mismatch

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        """Override of `sale_stock` to plan nothing when an order is lowered to the kept quantity.

        Returns are not counted here (see `_get_outgoing_incoming_moves`), so goods that came back
        would be requested a second time. An order that is raised again is raised from there.
        """
        quantity = super()._get_qty_procurement(previous_product_uom_qty)
        previous = (previous_product_uom_qty or {}).get(self.id, self.product_uom_qty)
        return quantity - max(
            self._get_qty_taken_off(self.product_uom_qty), self._get_qty_taken_off(previous)
        )

    # === GUARD === #

    @contextmanager
    def _keep_return_figures(self):
        """Skip recomputation for new return lines: they have brought nothing back yet.

        Recomputed values are written even if they are unchanged. Of two transactions that create
        returns of one order at the same time, one would have to be retried.
        """
        kept = [(field, self.env.not_to_compute(field, self)) for field in self._get_figures()]
        yield
        for field, lines in kept:
            self.env.remove_to_compute(field, lines)

    def _refigure_returns(self):
        """Compute again what is to be billed, and the state of the orders that follows from it."""
        figures = self._get_figures()
        for field in figures:
            self.env.add_to_compute(field, self)
        self.modified([field.name for field in figures])

    def _get_figures(self):
        """Return the stored fields that say what is to be billed."""
        names = ('qty_to_invoice', 'invoice_status', 'untaxed_amount_to_invoice')
        return [field for name in names if (field := self._fields[name]).store]

    def _take_return_counter(self):
        """Make sure that no other transaction changes what can be returned of these lines."""
        self.env['sale.return.guard']._take_counter(self, 'sale_return_guard')

    def _is_trade_in(self):
        """Tell whether the line takes in goods that the order never delivered.

        This is the meaning of a negative quantity. Odoo plans a receipt into stock for them.
        """
        return bool(
            self
            and self._get_return_measure().compare(self.product_uom_qty, 0.0) < 0
            and not any(
                move.state == 'done' and move.location_dest_id._is_at_customer()
                for move in self.move_ids
            )
        )

    def _check_return_quantities(self, held=True):
        """Refuse that more is returned or held than was delivered (or invoiced, for services).

        :param bool held: False to count only what was really returned.
        :raise UserError: naming the order, the product and what can still be returned.
        """
        for line, (shipped, returned, waiting) in self._get_return_quantities().items():
            uom = line.product_id.uom_id
            reserved = waiting if held else 0.0
            if not uom or uom.compare(shipped - returned - reserved, 0.0) >= 0:
                continue
            raise UserError(
                self.env._(
                    "%(product)s of order %(order)s: %(shipped)s %(unit)s were delivered (or "
                    "invoiced, for services), but %(wanted)s would be returned or held by "
                    "returns. Lower the quantity by %(excess)s.",
                    product=line.product_id.display_name,
                    order=line.order_id.name,
                    shipped=uom.round(shipped),
                    unit=uom._get_name_after(uom.round(shipped)),
                    wanted=uom.round(returned + reserved),
                    excess=uom.round(returned + reserved - shipped),
                )
            )
        self._check_return_components()

    def _get_outgoing_incoming_moves(self, strict=True):
        """Override of `sale_stock` to plan no new delivery because of a return.

        Goods that a return brought back or sent out again were delivered once: procurement
        (`strict=False`) ignores them, the delivered quantity does not.
        """
        outgoing, incoming = super()._get_outgoing_incoming_moves(strict=strict)
        if strict:
            return outgoing, incoming

        def is_of_order(move):
            # An undone receipt of a return: neither of the two moves belongs to the order.
            undone = move.origin_returned_move_id.sale_return_line_id
            return not move.sale_return_line_id and not undone

        return outgoing.filtered(is_of_order), incoming.filtered(is_of_order)

    # === BUTTONS === #

    def _get_return_wizard_action(self):
        """Return the action of the dialog that creates a return of these lines.

        :raise UserError: when none of them can be returned.
        """
        self.env['sale.return']._ensure_group('group_user')
        returnable = self.filtered(lambda line: line._is_returnable())
        if not returnable:
            if not self.order_id:
                raise UserError(
                    self.env._(
                        "Nothing on this document can be returned: it does not belong to an order."
                    )
                )
            raise UserError(
                self.env._(
                    "Nothing in %(orders)s can be returned: nothing was delivered yet, or "
                    "everything is already returned or held by a return under way.",
                    orders=", ".join(self.order_id.mapped('name')),
                )
            )
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Return"),
            'res_model': 'sale.return.create',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_sale_line_ids': returnable.ids, 'dialog_size': 'extra-large'},
        }

    def _is_returnable(self):
        """Tell whether anything of the line can be returned now."""
        self.ensure_one()
        return (
            self.state in ('sale', 'cancel')
            and not self.display_type
            and not self.is_downpayment
            and self._get_return_measure().compare(self.qty_returnable, 0.0) > 0
        )
