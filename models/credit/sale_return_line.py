from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError


class SaleReturnLine(models.Model):
    """What credits add to a return line."""

    _inherit = 'sale.return.line'

    # === GUARDS === #

    def _ensure_submittable(self, returns):
        """Override to refuse used value that was sold on a card."""
        result = super()._ensure_submittable(returns)
        self.env['sale.return.loyalty']._ensure_unused(self)
        return result

    # === FIGURES === #

    def _filter_credited_above(self, get_quantity):
        """Return the lines that credit more than a quantity, drafts included.

        :param get_quantity: method that returns the quantity of a line, in its unit.
        """
        return self.filtered(
            lambda line: line._get_measure().compare(line.qty_credited, get_quantity(line)) > 0
        )

    def _refigure_credits(self):
        """Compute again what is to be credited."""
        names = [
            'qty_to_credit',
            'qty_to_credit_expected',
            'qty_uninvoiced',
            'qty_credited_otherwise',
        ]
        for name in names:
            self.env.add_to_compute(self._fields[name], self)
        self.modified(names)

    # === WITHHELD === #

    # Amounts withheld from the credits of a return line for the condition of the goods.

    def _get_qty_withheld(self):
        """Return what notes withhold for the condition of the goods, drafts included.

        :return: a quantity in the unit of the line; for 5 units at a ratio of 0.6 it is 2.
        :rtype: float
        """
        self.ensure_one()
        return sum(
            note_line.sale_return_withheld_qty * note_line._get_share_credited()
            for note_line in self.credit_line_ids
            if note_line.sale_return_withheld_qty
            and note_line.parent_state != 'cancel'
            and not note_line.move_id._is_reversed_credit()
        )

    def _get_condition_of_credit(self):
        """Return `{line: quantity}` withheld for the condition of the goods credited so far.

        Only where the inspection releases the credit; else its condition was not known.
        """
        service = self.env['sale.return.deduction']
        return {
            line: service._get_withheld_quantity(line, line.qty_credited)
            for line in self
            if line.policy_id.release_event == 'inspection'
            and line.policy_id._is_deduction_allowed('grade')
        }

    def _ensure_condition_of_credit(self, before):
        """Refuse to change the condition of credited goods: the credit would be wrong.

        :param dict before: `_get_condition_of_credit` before the change.
        :raise UserError: naming the product, the return and what to do.
        """
        after = self._get_condition_of_credit()
        for line, quantity in before.items():
            if line._get_measure().compare(after.get(line, quantity), quantity) != 0:
                raise UserError(
                    self.env._(
                        "%(product)s in return %(return)s is credited at the condition found "
                        "before. Cancel or reverse the credit note first, then correct the "
                        "condition: the next credit note takes it into account.",
                        product=line.product_id.display_name,
                        **{'return': line.return_id.name},
                    )
                )

    # === CREDITED LOTS === #

    # The lots that came back on a return line.

    def _get_credited_lots(self):
        """Return the lots that are credited, in the order in which they were found.

        :return: list of `(lot, quantity in the unit of the product)`.
        :rtype: list
        """
        self.ensure_one()
        rows = self.inspection_ids.filtered(
            lambda row: row.lot_id and row.disposition_id.accepts
        ).sorted('id')
        quantities = defaultdict(float)
        if rows:
            for row in rows:
                # A correction is a row with the opposite sign.
                quantities[row.lot_id] += self._get_measure().to_stock(row.quantity)
        else:
            receipts = self.move_ids.filtered(
                lambda move: move.state == 'done' and move._is_sale_return_receipt()
            )
            for move_line in receipts.move_line_ids.filtered('lot_id').sorted('id'):
                quantities[move_line.lot_id] += move_line.quantity_product_uom
        return [(lot, quantity) for lot, quantity in quantities.items() if quantity > 0]
