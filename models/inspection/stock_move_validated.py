from odoo import api, models
from odoo.exceptions import UserError

# What of a done move decides what it brought, where from and for whom.
FACTS = frozenset(
    {
        'state',
        'product_id',
        'product_uom',
        'location_id',
        'location_dest_id',
        'sale_line_id',
        'origin_returned_move_id',
    }
)
LINKS = frozenset(
    {'sale_return_line_id', 'sale_return_inspection_id', 'sale_return_discrepancy_id'}
)

# How many validations are under way in the transaction, in the cache of the cursor: no client can
# reach it, as it could a key of the context.
VALIDATING = 'sale_return_validating'


class StockMove(models.Model):
    """Moves of returns are done by Odoo's validation alone: what comes in is money."""

    _inherit = 'stock.move'

    def _action_done(self, cancel_backorder=False):
        """Override of `stock` to know moves that are validated from those only said to be done."""
        cache = self.env.cr.cache
        cache[VALIDATING] = cache.get(VALIDATING, 0) + 1
        try:
            return super()._action_done(cancel_backorder=cancel_backorder)
        finally:
            cache[VALIDATING] = cache.get(VALIDATING, 1) - 1

    def _prepare_create_values(self, vals_list):
        """Override of `base` to refuse moves of returns that were never validated."""
        vals_list = super()._prepare_create_values(vals_list)
        for vals in vals_list:
            if vals.get('state') == 'done' and (
                any(vals.get(name) for name in LINKS) or self._undoes_by_values(vals)
            ):
                self._refuse_unvalidated()
        return vals_list

    def write(self, vals):
        """Override of `base` to keep what moves of returns have done as it was validated.

        :raise UserError: naming the moves.
        """
        if not FACTS.isdisjoint(vals) and not self.env.cr.cache.get(VALIDATING):
            self._ensure_validated(vals)
        return super().write(vals)

    def _ensure_validated(self, vals):
        """Refuse to say that moves of returns are done, or to change what they have done."""
        finishes = vals.get('state') == 'done'
        if finishes:
            changed = self.filtered(lambda move: move.state != 'done')
        else:
            changed = self.filtered(lambda move: move.state == 'done')
        if not changed:
            return
        # sudo: whose move it is does not depend on who writes.
        mine = changed.sudo()
        if not self._undoes_by_values(vals):
            mine = mine.filtered(lambda move: move._counts_for_sale_return())
        if not finishes:
            mine = mine.filtered(
                lambda move: any(
                    move._changes_sale_return(name, vals[name]) for name in FACTS.intersection(vals)
                )
            )
        if mine:
            mine._refuse_unvalidated()

    def _counts_for_sale_return(self):
        """Tell whether a return counts the move, or takes back by it what had come."""
        self.ensure_one()
        undone = self.origin_returned_move_id
        return any(self[name] or undone[name] for name in LINKS)

    @api.model
    def _undoes_by_values(self, vals):
        """Tell whether values say that a move takes back what had come for a return."""
        # sudo: as above.
        undone = self.sudo().browse(vals.get('origin_returned_move_id') or []).exists()
        return any(undone[name] for name in LINKS)

    def _refuse_unvalidated(self):
        raise UserError(
            self.env._(
                "%(moves)s belongs to a return: only the validation of its transfer says what came "
                "and went. Validate the transfer, or return it when it was wrong.",
                moves=", ".join(self.mapped('display_name')) or self._description,
            )
        )
