from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.own_value import OwnValue
from .const import CREDIT_KINDS

# Fields that determine the amounts of an invoice line.
AMOUNT_FIELDS = frozenset(
    {'quantity', 'price_unit', 'discount', 'product_id', 'product_uom_id', 'tax_ids'}
)


class AccountMoveLine(models.Model):
    _name = 'account.move.line'

    _inherit = ['account.move.line', 'sale.return.owned']

    # The credit notes of returns, for the reports of accountants.
    _sale_return_notes = models.Index('(move_id) WHERE sale_return_line_id IS NOT NULL')

    # Not copied: a copy does not credit the return.
    sale_return_line_id = fields.Many2one(
        'sale.return.line',
        string="Return Line",
        index='btree_not_null',
        copy=False,
        ondelete='restrict',
        help="The return line that this line of a credit note credits.",
    )
    credited_line_id = fields.Many2one(
        'account.move.line',
        string="Credited Invoice Line",
        index='btree_not_null',
        copy=False,
        help="The invoice line that this line of a credit note credits.",
    )
    sale_return_kept = fields.Boolean(
        "Goods Kept by Customer",
        readonly=True,
        copy=False,
        help="Credits goods that do not come back, so no cost of goods is reversed.",
    )
    sale_return_kind = fields.Selection(
        CREDIT_KINDS,
        string="Return Credit",
        copy=False,
        readonly=True,
        help=(
            "Kind of this credit note line: goods, their share of the order's discounts and "
            "shipping, or a deduction."
        ),
    )
    sale_return_withheld_qty = fields.Float(
        "Quantity Withheld",
        digits=0,
        readonly=True,
        copy=False,
        help=(
            "Quantity withheld for the condition of the goods, in the unit of the return line: 2 "
            "for 5 units at a ratio of 0.6."
        ),
    )
    sale_return_price = fields.Float(
        digits=0,
        readonly=True,
        copy=False,
        help=(
            "The unit price that the return gave to the line; at a lower one somebody has "
            "withheld the difference."
        ),
    )
    credited_line_ids = fields.One2many('account.move.line', 'credited_line_id', readonly=True)
    # Written by every transaction that credits the line, see
    # `sale.return.credit._take_credit_counter`.
    sale_return_credit_guard = fields.Integer(readonly=True, copy=False, groups='base.group_user')

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `account` to count what a note made by hand credits."""
        lines = super().create(vals_list)
        lines._refigure_sale_returns()
        return lines

    def write(self, vals):
        """Override of `account` to protect invoice lines credited by a return.

        Forms do not let users edit posted invoices, but other programs may try.

        :raise UserError: when what a return has credited would change.
        """
        if not vals.keys() & (AMOUNT_FIELDS | {'credited_line_id', 'sale_line_ids'}):
            return super().write(vals)
        if vals.keys() & AMOUNT_FIELDS:
            self._ensure_not_credited_by_return()
        before = self._get_sale_lines_credited_by_hand()
        result = super().write(vals)
        self._refigure_sale_returns(before)
        return result

    def unlink(self):
        """Override of `account` to count no more what a deleted line has credited."""
        sale_lines = self._get_sale_lines_credited_by_hand()
        result = super().unlink()
        self.browse()._refigure_sale_returns(sale_lines)
        return result

    def _get_sale_lines_credited_by_hand(self):
        """Return the order lines with returns whose goods these lines credit without naming them.

        :return: `sale.order.line` records in superuser mode.
        """
        ledger = self.env['sale.return.ledger']
        # sudo: what is credited does not depend on who changes a note.
        lines = self.sudo().filtered(
            lambda line: line.move_id.move_type == 'out_refund' and ledger._is_unlinked(line)
        )
        return ledger._get_credited_sale_lines(lines)._get_return_lines().sale_line_id

    def _refigure_sale_returns(self, before=None):
        """Compute again what is to be billed and credited of goods that are credited by hand.

        Odoo does it for lines of notes that belong to order lines; these do not.

        :param before: `sale.order.line` records whose goods the lines have credited until now.
        """
        sale_lines = self._get_sale_lines_credited_by_hand()
        if before:
            sale_lines |= before
        if sale_lines:
            sale_lines._refigure_returns()
            sale_lines._get_return_lines()._refigure_credits()

    # === BUSINESS METHODS === #

    def _ensure_not_credited_by_return(self):
        """Refuse to change posted invoice lines that returns have credited.

        :raise UserError: naming the invoices and the returns.
        """
        # Goods are billed on credit notes, too, where a down payment is larger.
        lines = self.filtered(
            lambda line: (
                line.parent_state == 'posted'
                and line.move_id.move_type in ('out_invoice', 'out_refund')
            )
        )
        # sudo: the credits of an invoice count, no matter who changes it.
        credited = lines.sudo().credited_line_ids.filtered(
            lambda line: line.sale_return_line_id and line.parent_state != 'cancel'
        )
        if credited:
            raise UserError(
                self.env._(
                    "Invoice %(invoices)s cannot be changed: return %(returns)s has credited it. "
                    "Cancel or reverse the credit note first.",
                    invoices=", ".join(credited.credited_line_id.move_id.mapped('name')),
                    returns=", ".join(credited.sale_return_line_id.return_id.mapped('name')),
                )
            )

    def _compute_totals(self):
        """Override of `account`: a reversed cash rounding is part of the credit.

        Odoo gives such lines no total; returns and reports sum up what lines credit.
        """
        result = super()._compute_totals()
        for line in self:
            if line.display_type == 'rounding' and line.sale_return_kind:
                line.price_subtotal = line.price_total = line.price_unit
        return result

    def _get_qty_reversed(self, until=None):
        """Return the quantity of this note line reversed by posted invoices, in its unit.

        Such an invoice reverses the note in part (as a whole: see `_is_reversed_credit` of the
        note). At a lower unit price it takes back an amount and no quantity.

        :param date until: ignore what was reversed after this day.
        """
        self.ensure_one()
        note = self.move_id
        reversals = note.reversal_move_ids.filtered(
            lambda move: (
                move.move_type == 'out_invoice'
                and move.state == 'posted'
                and (not until or move.date <= until)
            )
        )
        if not reversals or not self.sale_line_ids:
            return 0.0
        ledger = self.env['sale.return.ledger']
        no_goods = self._has_no_goods_back()
        left = sum(
            ledger._convert_quantity(line, self)
            for line in reversals.invoice_line_ids
            if line.sale_line_ids & self.sale_line_ids
            and line._has_no_goods_back() == no_goods
            and line.quantity > 0
            and not ledger._is_cheaper(line, self)
        )
        # An order line may be on a note several times, once for each reason.
        for line in note.invoice_line_ids.sorted('id'):
            if line.sale_line_ids & self.sale_line_ids and line._has_no_goods_back() == no_goods:
                taken = min(left, ledger._convert_quantity(line, self))
                if line == self:
                    return taken
                left -= taken
        return 0.0

    def _get_return_measure(self):
        """Return how the quantity of the line converts to the unit of its product.

        :rtype: odoo.addons.sale_return.tools.measure.Measure
        """
        self.ensure_one()
        # sudo: units are not secret, and users who credit goods need not read orders.
        line = self.sudo()
        sale_line = line.sale_line_ids[:1]
        in_stock = line.product_id.type == 'consu'
        if sale_line:
            in_stock = sale_line.qty_delivered_method == 'stock_move'
        sold = sale_line.product_uom_id._compute_quantity(
            sale_line.product_uom_qty, line.product_uom_id, round=False, raise_if_failure=False
        )
        return line.product_uom_id._get_measure(line.product_id.uom_id, counted=in_stock, sold=sold)

    def _get_quantity_counted(self):
        """Return the quantity of the line in its unit, as it is counted in stock.

        The line stores two decimals; 0.67 dozen billed for 8 pieces are 8 pieces.
        """
        self.ensure_one()
        return self._get_return_measure().interpret(self.quantity)

    def _get_quantity_in(self, measure):
        """Return the quantity of the line in another unit of its product, as it is counted.

        :param measure: `Measure` of the other unit.
        """
        self.ensure_one()
        return measure.from_stock(self._get_return_measure().to_stock(self._get_quantity_counted()))

    def _get_qty_credited_in(self, measure):
        """Return the quantity a note line credits that is not reversed, in another unit.

        :param measure: `Measure` of the other unit.
        """
        self.ensure_one()
        quantity = self._get_quantity_counted() - self._get_qty_reversed()
        return measure.from_stock(self._get_return_measure().to_stock(quantity))

    def _get_cogs_value(self):
        """Override of `stock_account` to reverse the cost of the invoice in any unit.

        Odoo looks for it among lines in the same unit only; it is per unit of the product.
        """
        billed = self.credited_line_id
        if self.sale_return_kind == 'goods' and billed.product_uom_id != self.product_uom_id:
            cost = billed.move_id.line_ids.filtered(
                lambda item: item.cogs_origin_id == billed and item.price_unit >= 0
            )[:1]
            if cost:
                return cost.price_unit
        return super()._get_cogs_value()

    def _get_amount_credited(self):
        """Return what this line of a posted note credits, tax included, in its currency.

        Amounts reversed since do not count; for a note reversed in part, in proportion to the
        quantity.
        """
        self.ensure_one()
        note = self.move_id
        if note._is_reversed_credit():
            return 0.0
        total = self.price_total
        term = note.invoice_payment_term_id
        if term.early_discount and term.early_pay_discount_computation == 'mixed':
            # The discount for an early payment lowers the tax of the note, not that of its lines.
            total *= note.amount_total / (sum(note.invoice_line_ids.mapped('price_total')) or 1.0)
        return self.currency_id.round(total * self._get_share_credited())

    def _get_share_credited(self, until=None):
        """Return the part of this line of a note that was not reversed, 1.0 for all of it.

        Lines that are not goods (discounts, fees) follow the goods of their return line.

        :param date until: ignore what was reversed after this day.
        """
        self.ensure_one()
        goods = self
        if not self.sale_line_ids:
            goods = self.move_id.invoice_line_ids.filtered(
                lambda line: (
                    line.sale_line_ids and line.sale_return_line_id == self.sale_return_line_id
                )
            )
        quantity = sum(goods.mapped('quantity'))
        reversed_quantity = sum(line._get_qty_reversed(until) for line in goods)
        return 1 - reversed_quantity / quantity if quantity else 1.0

    def _eligible_for_stock_account(self):
        """Override of `stock_account`: without moved goods, no cost of goods is booked.

        Namely where goods stay with the customer, and where only a price is corrected.
        """
        return (
            not self._has_no_goods_back()
            and super()._eligible_for_stock_account()
            and not self._changes_price_only()
        )

    def _changes_price_only(self):
        """Tell whether the line lowers or raises the price of goods that stay where they are.

        A note at a lower price may also be for goods that came back: it is, as long as there are
        returned goods whose cost was not reversed yet.
        """
        self.ensure_one()
        # sudo: users who post need not read orders, nor all their invoices and transfers.
        line = self.sudo()
        sale_line = line.sale_line_ids[:1]
        if line.sale_return_line_id or not sale_line or len(sale_line.invoice_lines.move_id) < 2:
            return False
        ledger = self.env['sale.return.ledger'].sudo()  # as above
        if line.move_id._bills_note_again():
            # A price correction that is reversed has reversed no cost either.
            note = line.move_id.reversed_entry_id
            return not any(
                item.display_type == 'cogs' and item.product_id == line.product_id
                for item in note.line_ids
            )
        if line.move_id.move_type == 'out_invoice':
            return line in ledger._get_supplements(sale_line)
        if line.move_id.move_type != 'out_refund' or line.quantity <= 0:
            return False
        invoice_lines = ledger._get_invoice_lines(sale_line) - line
        credited = ledger._get_credited_lines(line, invoice_lines)[:1]
        if not credited:
            return False
        if credited in ledger._get_supplements(sale_line):
            return True
        if not ledger._is_price_correction(line, credited):
            return False
        _invoiced, by_returns, otherwise = ledger._get_invoiced(sale_line, posted_only=True)
        back = sale_line.qty_returned - sum(
            return_line.qty_sent_back + return_line.qty_replaced
            for return_line in sale_line.return_line_ids
        )
        quantity = ledger._convert_to_order(line, sale_line)
        uncredited = back - by_returns - otherwise
        return sale_line._get_return_measure().compare(uncredited, quantity) < 0

    def _copy_data_extend_business_fields(self, values):
        """Override of `account` to bill goods again without cost, if none was reversed."""
        values['sale_return_kept'] = self._has_no_goods_back() and OwnValue(True)
        return super()._copy_data_extend_business_fields(values)

    def _has_no_goods_back(self):
        """Tell whether the line credits goods that do not come back, or bills them again."""
        self.ensure_one()
        # sudo: users who post or reverse a note need not be users of Returns.
        return_line = self.sudo().sale_return_line_id
        return self.sale_return_kept or bool(return_line and not return_line.return_expected)

    # === PAPER === #

    # The lots that a line of a credit note credits.

    def _get_sale_return_lots(self):
        """Return the lots and serial numbers that came back for a line of a credit note.

        Accepted lots of the return line in the order of their inspection (else of their receipt);
        those credited by earlier notes come first.

        :return: list of `{'product', 'lot', 'quantity', 'uom'}`, quantities in the unit of the
            product.
        :rtype: list
        """
        self.ensure_one()
        return_line = self.sale_return_line_id
        product = return_line.product_id
        if product.tracking == 'none':
            return []
        skip = sum(line._get_quantity_in_product_unit() for line in self._get_earlier_credits())
        wanted = self._get_quantity_in_product_unit()
        result = []
        for lot, quantity in return_line._get_credited_lots():
            skipped = min(skip, quantity)
            skip -= skipped
            taken = min(quantity - skipped, wanted)
            wanted -= taken
            if product.uom_id.compare(taken, 0.0) > 0:
                result.append(
                    {
                        'product': product.display_name,
                        'lot': lot.name,
                        'quantity': taken,
                        'uom': product.uom_id._get_name_after(taken),
                    }
                )
        return result

    def _get_earlier_credits(self):
        """Return the lines that credited the same return line before this one."""
        return self.sale_return_line_id.credit_line_ids.filtered(
            lambda line: (
                line.id < self.id
                and line.sale_line_ids
                and line.parent_state == 'posted'
                and not line.move_id._is_reversed_credit()
            )
        )

    def _get_quantity_in_product_unit(self):
        self.ensure_one()
        return self._get_return_measure().to_stock(self._get_quantity_counted())
