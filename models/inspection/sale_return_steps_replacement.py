from odoo import api, fields, models


class SaleReturn(models.Model):
    """How far the replacements of a return are."""

    _inherit = 'sale.return'

    replacement_state = fields.Selection(
        [
            ('no', "No replacement"),
            ('waiting', "Waiting for stock"),
            ('reserved', "Reserved"),
            ('ready', "Ready to ship"),
            ('partial', "Partially delivered"),
            ('full', "Delivered"),
        ],
        string="Replacement",
        compute='_compute_replacement_state',
        compute_sudo=True,
        help="Reserved: it leaves as soon as the policy releases it.",
    )

    @api.depends(
        'state',
        'line_ids.resolution',
        'line_ids.qty_replaced',
        'line_ids.qty_rejected',
        'line_ids.move_ids.state',
    )
    def _compute_replacement_state(self):
        for sale_return in self:
            lines = sale_return.line_ids.filtered(lambda line: line._get_qty_to_replace())
            waiting = lines.filtered(lambda line: line._has_open_replacement())
            if not lines:
                state = 'no'
            elif not waiting:
                state = 'full'
            elif any(lines.mapped('qty_replaced')):
                state = 'partial'
            elif any(move.state != 'assigned' for move in waiting._get_replacement_moves()):
                state = 'waiting'
            else:
                ready = all(
                    line._get_qty_released_by_event(line) > line.qty_replaced for line in waiting
                )
                state = 'ready' if ready else 'reserved'
            sale_return.replacement_state = state

    def _update_state(self, state, reason=None):
        """Extend to cancel the replacements of returns that come to nothing."""
        result = super()._update_state(state, reason=reason)
        if state != 'approved':  # the approval plans them after the receipts
            lines = self.line_ids.filtered(lambda line: line.resolution == 'replace')
            lines._resolve_replace(lines)
        return result

    def _is_finished(self):
        """Extend to wait for the replacements."""
        return super()._is_finished() and not any(
            line._has_open_replacement() for line in self.line_ids
        )
