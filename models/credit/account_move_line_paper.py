from odoo import models


class AccountMoveLine(models.Model):
    """The lots that a line of a credit note credits."""

    _inherit = 'account.move.line'

    def _get_sale_return_lots(self):
        """Return the lots and serial numbers that came back for a line of a credit note.

        Accepted lots of the return line in the order of their inspection (else of their receipt);
        what earlier notes have credited comes first.

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
                        'uom': product.uom_id.name,
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
        return self.product_uom_id._compute_quantity(
            self.quantity, self.product_id.uom_id, round=False, raise_if_failure=False
        )
