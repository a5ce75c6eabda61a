from odoo import api, models
from odoo.exceptions import UserError


class SaleReturnDisposal(models.AbstractModel):
    """Goods of customers go back to them, repaired or not, and nowhere else."""

    _inherit = 'sale.return.disposal'

    @api.model
    def _ensure_disposition(self, line, disposition):
        """Extend to only send customers' goods back to them.

        :raise UserError: naming the product and what to do.
        """
        result = super()._ensure_disposition(line, disposition)
        values = {'product': line.product_id.display_name, 'return': line.return_id.name}
        if line.resolution != 'repair':
            if disposition.action == 'give_back':
                raise UserError(
                    self.env._(
                        "%(product)s of return %(return)s was not to be repaired, so it cannot be "
                        "given back as repaired. Choose another disposition.",
                        **values,
                    )
                )
            return result
        if disposition.action not in ('give_back', 'send_back'):
            raise UserError(
                self.env._(
                    "%(product)s of return %(return)s belongs to the customer and has to be "
                    "repaired. If it cannot be repaired, record this on the line first.",
                    **values,
                )
            )
        if disposition.action == 'give_back' and not self._is_repaired(line):
            raise UserError(
                self.env._(
                    "The repair of %(product)s of return %(return)s is not done. End the repair "
                    "order first, or send the goods back as they are.",
                    **values,
                )
            )
        return result

    @api.model
    def _is_repaired(self, line):
        """Tell whether a line has repaired goods that were not given back."""
        # sudo: the inspector need not see repair orders.
        repairs = self.env['sale.return.repair'].sudo()._get_repairs(line.sudo())
        done = repairs.move_id.filtered(lambda move: move.state == 'done')
        repaired = line._get_measure().from_stock(sum(done.mapped('product_qty')))
        return line._get_measure().compare(repaired, line.qty_inspected) > 0

    @api.model
    def _apply_rules(self, lines, results):
        """Extend to apply no disposition rules to customers' goods."""
        others = [r for r in results if lines.browse(r['line_id']).resolution != 'repair']
        return super()._apply_rules(lines, others)

    @api.model
    def _is_sheet_free(self, line, result):
        """Extend to give back what is repaired without a checklist: nobody judges it."""
        way = result['disposition']
        return super()._is_sheet_free(line, result) or (way and way.action == 'give_back')

    @api.model
    def _dispose_give_back(self, rows, buckets):
        """Prepare deliveries that take repaired goods back to their customers."""
        return self._dispose_send_back(rows, buckets)

    @api.model
    def _prepare_move_vals(self, row, receipt, parts, picking_type, location_dest, origin):
        """Extend to reserve only the goods owned by the customer."""
        vals = super()._prepare_move_vals(row, receipt, parts, picking_type, location_dest, origin)
        owners = {bucket['owner'] for bucket, _quantity in parts}
        if row.line_id.resolution == 'repair' and len(owners) == 1:
            vals['restrict_partner_id'] = owners.pop().id
        return vals
