from odoo import api, models
from odoo.exceptions import UserError

# Fields of a done move that determine what it moved, from where and for whom.
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

# Number of validations under way in the transaction, in the cache of the cursor, which clients
# cannot set, unlike a key of the context.
VALIDATING = 'sale_return_validating'


class StockMove(models.Model):
    """Moves that take goods of returns out of quarantine, or replace them."""

    _inherit = 'stock.move'

    # Moves waiting to leave quarantine, among all that ever left it.
    _sale_return_leaving = models.Index(
        "(sale_return_line_id)"
        " WHERE sale_return_inspection_id IS NOT NULL AND state NOT IN ('done', 'cancel')"
    )

    # === COMPUTE METHODS === #

    def _search_picking_for_assignation_domain(self):
        """Override of `stock` to deliver replacements by separate transfers.

        They leave when the policy releases them; the rest of the order does not wait for that.
        """
        domain = super()._search_picking_for_assignation_domain()
        return [*domain, ('sale_return_id', '=', self._get_sale_return().id)]

    # === CRUD METHODS === #

    def write(self, vals):
        """Override of `base` to protect done moves of returns.

        :raise UserError: naming the moves.
        """
        if not FACTS.isdisjoint(vals) and not self.env.cr.cache.get(VALIDATING):
            self._ensure_validated(vals)
        return super().write(vals)

    # === DISPOSAL === #

    def _is_sale_return_replacement(self):
        """Tell whether the move delivers a replacement to the customer.

        Of a delivery in several steps it is the last one, or the first while it is alone.
        """
        self.ensure_one()
        if (
            not self.sale_return_line_id
            or self.sale_return_inspection_id
            or self.location_id._is_at_customer()
        ):
            return False
        final = self.location_final_id
        return self.location_dest_id._is_at_customer() or bool(
            final and final._is_at_customer() and not self.move_dest_ids
        )

    def _get_sale_return(self):
        """Return the return whose goods are moved, for comparison only, not to be shown."""
        # sudo: users who plan or validate transfers need not be users of Returns.
        return self.sudo().sale_return_line_id.return_id

    def _rollup_move_origs_open(self):
        """Return the preceding moves that are not done, over any number of steps."""
        origins = self.move_orig_ids.filtered(lambda move: move.state not in ('done', 'cancel'))
        return origins | origins._rollup_move_origs_open() if origins else origins

    def _skip_push(self):
        """Override of `stock` to skip push rules for goods that leave quarantine.

        Their disposition determines where they go. Odoo would look up the rules for each move.
        """
        return bool(self.sale_return_inspection_id) or super()._skip_push()

    def _key_assign_picking(self):
        """Override of `stock` to deliver replacements by transfers of their own."""
        return (*super()._key_assign_picking(), self._get_sale_return())

    def _action_done_of_returns(self, cancel_backorder=False):
        """Override of `stock` to deliver replacements only once the policy has released them.

        :raise UserError: when a replacement leaves too early.
        """
        replacing = self.filtered(
            lambda move: (
                move._is_sale_return_replacement() and move.location_dest_id._is_at_customer()
            )
        )
        if not replacing:
            return super()._action_done(cancel_backorder=cancel_backorder)  # pylint: disable=super-method-mismatch
        # sudo: users who validate deliveries need not be users of Returns.
        lines = replacing.sudo().sale_return_line_id
        lines.sale_line_id._take_return_counter()
        done = super()._action_done(cancel_backorder=cancel_backorder)  # pylint: disable=super-method-mismatch
        replacing._note_kit_quantities()
        lines._check_replaced()
        lines.return_id._after_step()
        return done

    def _action_done(self, cancel_backorder=False):
        """Override of `stock` to distinguish validated moves from those only written as done."""
        cache = self.env.cr.cache
        cache[VALIDATING] = cache.get(VALIDATING, 0) + 1
        try:
            return self._action_done_of_returns(cancel_backorder=cancel_backorder)
        finally:
            cache[VALIDATING] = cache.get(VALIDATING, 1) - 1

    def _action_cancel(self):
        """Override of `stock` to protect moves of inspected goods and replacements.

        :raise UserError: when inspected goods would have nowhere to go, or the customer would get
            no replacement.
        """
        todo = self.filtered(lambda move: move.state not in ('done', 'cancel'))
        leaving = todo.filtered('sale_return_inspection_id')
        replacing = todo.filtered(lambda move: move._is_sale_return_replacement())
        result = super()._action_cancel()
        # sudo: users who cancel transfers need not be users of Returns.
        leaving.sudo().sale_return_inspection_id._ensure_still_leaving()
        replacing.sudo()._ensure_still_replacing()
        return result

    def _ensure_still_replacing(self):
        """Refuse to cancel the delivery of a replacement that is promised.

        :raise UserError: naming the return, the product and what to do.
        """
        for line in self.sale_return_line_id:
            planned = line.qty_replaced + line._get_qty_replacement_planned()
            if line._get_measure().compare(planned, line._get_qty_to_replace()) < 0:
                raise UserError(
                    self.env._(
                        "The delivery replaces %(product)s of return %(return)s and cannot be "
                        "cancelled: the customer would get nothing. It is cancelled with the "
                        "return, or when the goods are rejected.",
                        product=line.product_id.display_name,
                        **{'return': line.return_id.name},
                    )
                )

    # === VALIDATED === #

    # Moves of returns can only be done by Odoo's validation: received goods are worth money.

    def _prepare_create_values(self, vals_list):
        """Override of `base` to refuse moves of returns that were never validated."""
        vals_list = super()._prepare_create_values(vals_list)
        for vals in vals_list:
            if vals.get('state') == 'done' and (
                any(vals.get(name) for name in LINKS) or self._undoes_by_values(vals)
            ):
                self._refuse_unvalidated()
        return vals_list

    def _ensure_validated(self, vals):
        """Refuse to set moves of returns to done, or to change done ones."""
        finishes = vals.get('state') == 'done'
        if finishes:
            changed = self.filtered(lambda move: move.state != 'done')
        else:
            changed = self.filtered(lambda move: move.state == 'done')
        if not changed:
            return
        # sudo: which return a move belongs to does not depend on who writes.
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
        """Tell whether a return counts the move as received, or as an undone receipt."""
        self.ensure_one()
        undone = self.origin_returned_move_id
        return any(self[name] or undone[name] for name in LINKS)

    @api.model
    def _undoes_by_values(self, vals):
        """Tell whether values describe a move that undoes the receipt of a return."""
        # sudo: as above.
        undone = self.sudo().browse(vals.get('origin_returned_move_id') or []).exists()
        return any(undone[name] for name in LINKS)

    def _refuse_unvalidated(self):
        raise UserError(
            self.env._(
                "%(moves)s belongs to a return: only the validation of its transfer records what "
                "was moved. Validate the transfer, or return it if it was wrong.",
                moves=", ".join(self.mapped('display_name')) or self._description,
            )
        )
