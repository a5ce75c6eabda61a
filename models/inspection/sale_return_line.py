from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleReturnLine(models.Model):
    """Goods that are delivered in exchange for what comes back.

    receipt                        Customers ──► Quarantine replacement   WH/Stock ──► Customers
    reserved at the approval, leaves when the
                                                  policy releases it, costs the customer nothing

    The replacement is an ordinary delivery of the order line, planned by Odoo's own rules. What is
    ordered and invoiced stays as it is; nothing is credited.
    """

    _inherit = 'sale.return.line'

    # === QUANTITIES === #

    def _get_replacement_moves(self):
        """Return the open moves that deliver replacements to the customer.

        Of a delivery in several steps only the last one counts, or the first while the others are
        not planned.
        """
        return self.move_ids.filtered(
            lambda move: move.state not in ('done', 'cancel') and move._is_sale_return_replacement()
        )

    def _get_qty_to_replace(self):
        """Return the total to be replaced: everything expected and not rejected."""
        self.ensure_one()
        if self.resolution != 'replace' or self.return_id.state not in ('approved', 'closed'):
            return 0.0
        return max(self._get_measure().round(self._get_qty_expected() - self.qty_rejected), 0.0)

    def _get_qty_replacement_planned(self):
        """Return the quantity of replacements under way, in the unit of the line."""
        self.ensure_one()
        return self._get_measure().from_stock(
            sum(self._get_replacement_moves().mapped('product_qty'))
        )

    def _has_open_replacement(self):
        """Tell whether something is still to be replaced."""
        self.ensure_one()
        return self._get_measure().compare(self.qty_replaced, self._get_qty_to_replace()) < 0

    # === RESOLVE === #

    def _resolve(self):
        """Carry out the resolutions of lines as far as they are due. Repeating it adds nothing."""
        for resolution, lines in self.grouped('resolution').items():
            getattr(self, f'_resolve_{resolution}')(lines)

    @api.model
    def _resolve_refund(self, lines):
        """Credit what is due."""
        self.env['sale.return.credit']._credit_after_step(lines.return_id)

    @api.model
    def _resolve_none(self, lines):
        """Do nothing: the goods only come back."""

    @api.model
    def _resolve_replace(self, lines):
        """Plan missing replacements, and cancel excess ones.

        :param lines: `sale.return.line` records with this resolution.
        """
        # sudo: users who approve or inspect need no rights in Inventory to plan deliveries; the
        # callers have checked the group.
        for line in lines.sudo().filtered('sale_line_id'):
            if line.sale_line_id._is_return_kit():
                # Exchanged components were planned by Odoo's dialog, which knows them.
                if not line._get_qty_to_replace():
                    line._get_replacement_moves()._action_cancel()
                continue
            open_quantity = line._get_qty_replacement_planned()
            missing = line._get_qty_to_replace() - line.qty_replaced - open_quantity
            if line._get_measure().compare(missing, 0.0) > 0:
                line._plan_replacement(missing)
            elif line._get_measure().compare(missing, 0.0) < 0:
                line._cancel_replacement(min(-missing, open_quantity))

    def _plan_replacement(self, quantity):
        """Plan the delivery of a replacement and reserve it, by the rules of the order line.

        :param float quantity: in the unit of the line.
        """
        self.ensure_one()
        # Line by line: replacements are rare, and each has the rules and references of its order.
        sale_line = self.sale_line_id.with_company(self.company_id)
        # sudo: approved replacements are delivered, no matter who approved them.
        if not sale_line.order_id.stock_reference_ids:
            self.env['stock.reference'].sudo().create(sale_line._prepare_reference_vals())
        procured, uom = sale_line.product_id.uom_id._adjust_uom_quantities(
            self._get_measure().to_stock(quantity), sale_line.product_id.uom_id
        )
        self.env['stock.rule'].sudo().with_company(self.company_id).run(
            sale_line._create_procurements(procured, uom, self._prepare_replacement_values())
        )
        moves = self._get_replacement_moves()
        moves.picking_id.filtered(lambda picking: picking.state == 'draft').action_confirm()
        moves.filtered(lambda move: move.state != 'assigned')._action_assign()
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': self.return_id.id,
                    'line_id': self.id,
                    'kind': 'replacement',
                    'details': f"{self.product_uom_id._say(quantity)} · "
                    f"{self.product_id.display_name} · "
                    f"{', '.join(moves.picking_id.mapped('name'))}",
                }
            ]
        )

    def _prepare_replacement_values(self):
        """Prepare the values of the procurement of a replacement. Override to add values."""
        self.ensure_one()
        return self.sale_line_id._prepare_procurement_values() | {
            'sale_return_line_id': self.id,
            'origin': self.return_id.name,
            'date_planned': fields.Datetime.now(),
            'date_deadline': False,
        }

    def _cancel_replacement(self, quantity):
        """Cancel a part of the planned replacements (in the unit of the line), the newest first."""
        self.ensure_one()
        for move in self._get_replacement_moves().sorted('id', reverse=True):
            planned = self._get_measure().from_stock(move.product_qty)
            part = min(quantity, planned)
            if self._get_measure().compare(part, 0.0) <= 0:
                continue
            quantity -= part
            if self._get_measure().compare(part, planned) >= 0:
                # Previous steps (pick, pack) have nothing to move any more.
                (move | move._rollup_move_origs_open())._action_cancel()
            else:
                move.product_uom_qty = self.product_id.uom_id._compute_quantity(
                    self._get_measure().to_stock(planned - part),
                    move.product_uom,
                    rounding_method='HALF-UP',
                )

    def _give_up_replacements(self, quantity):
        """Credit goods that were to be replaced, where the order is lowered by them.

        :param float quantity: what the customer would get beyond the order, in the unit of the
            order line. The latest replacements are cancelled first, each as a whole.
        :raise UserError: when only a part of a replacement would be left.
        """
        waiting = self.filtered(
            lambda line: line._has_open_replacement() and not line.sale_line_id._is_return_kit()
        )
        given_up = self.browse()
        for line in waiting.sorted('id', reverse=True):
            if line._get_measure().compare(quantity, 0.0) <= 0:
                break
            wanted = line._get_qty_to_replace()
            if line.qty_replaced or line._get_measure().compare(quantity, wanted) < 0:
                line._refuse_part_of_replacement(quantity)
            quantity -= wanted
            given_up |= line
        if not given_up:
            return
        given_up._write_facts({'resolution': 'refund'})
        self._resolve_replace(given_up)
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': line.return_id.id,
                    'line_id': line.id,
                    'kind': 'replacement',
                    'reason': line.env._("No longer wanted: the order was lowered."),
                    'details': line.product_id.display_name,
                }
                for line in given_up
            ]
        )
        given_up.return_id._after_step()

    # === GUARDS === #

    def _refuse_part_of_replacement(self, quantity):
        """Refuse to lower an order so that only a part of a replacement would remain.

        :raise UserError: naming the return, the product and what to do.
        """
        raise UserError(
            self.env._(
                "Return %(return)s replaces %(replaced)s %(unit)s of %(product)s, of which "
                "%(excess)s would then exceed the order. Lower the order by everything still to"
                " be replaced, or not at all.",
                replaced=self._get_qty_to_replace(),
                unit=self.product_uom_id._get_name_after(self._get_qty_to_replace()),
                product=self.product_id.display_name,
                excess=quantity,
                **{'return': self.return_id.name},
            )
        )

    def _check_replaced(self):
        """Refuse to deliver a replacement that the policy has not released.

        :raise UserError: naming the return, the product and what has to happen first.
        """
        labels = dict(
            self.env['sale.return.policy']._fields['release_event']._description_selection(self.env)
        )
        for line in self:
            if line.resolution != 'replace' or line.sale_line_id._is_return_kit():
                continue  # an exchange made by hand or by Odoo's dialog
            released = line._get_qty_released_by_event(line)
            if line._get_measure().compare(line.qty_replaced, released) > 0:
                raise UserError(
                    self.env._(
                        "The replacement of %(product)s cannot leave yet: %(released)s %(unit)s "
                        "of return %(return)s are released. The policy waits for: %(event)s.",
                        product=line.product_id.display_name,
                        released=released,
                        unit=line.product_uom_id._get_name_after(released),
                        event=labels[line.policy_id.release_event or 'approval'],
                        **{'return': line.return_id.name},
                    )
                )

    def _ensure_replaceable(self):
        """Override to refuse replacements of products that cannot be delivered.

        :raise UserError: naming the product.
        """
        self.ensure_one()
        if self.resolution != 'replace':
            return
        if self.move_ids and self.sale_line_id._is_return_kit():
            return  # exchanged by Odoo's dialog, which plans the components
        delivered = self.sale_line_id.move_ids.filtered(lambda move: move.state == 'done')
        if not self._is_stock_line() or self.product_id not in delivered.product_id:
            raise UserError(
                self.env._(
                    "%(product)s cannot be replaced by a delivery: it is a service or a kit. "
                    "Choose a refund.",
                    product=self.product_id.display_name,
                )
            )

    def _has_effects(self):
        """Extend to count delivered replacements."""
        return super()._has_effects() or bool(self.qty_replaced)

    def _ensure_closable(self):
        """Extend to refuse to close before the replacement of received goods is delivered."""
        result = super()._ensure_closable()
        for line in self:
            here = line._get_qty_to_replace() - line._get_qty_missing()
            if line._get_measure().compare(line.qty_replaced, here) < 0:
                raise UserError(
                    self.env._(
                        "The replacement of %(product)s in return %(return)s was not delivered "
                        "yet. Deliver it before you close the return.",
                        product=line.product_id.display_name,
                        **{'return': line.return_id.name},
                    )
                )
        return result
