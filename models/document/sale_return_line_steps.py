from odoo import api, models
from odoo.exceptions import UserError

from ...tools.reader import RESULTS, needed, number, reads


class SaleReturnLine(models.Model):
    """The steps of a return line: their conditions and effects."""

    _inherit = 'sale.return.line'

    # === QUANTITIES === #

    def _is_stock_line(self):
        """Tell whether the goods of the line move through the warehouse."""
        self.ensure_one()
        if self.sale_line_id:
            return self.sale_line_id.qty_delivered_method == 'stock_move'
        return self.product_id.type == 'consu'

    def _get_measure(self):
        """Return how quantities of the line convert to quantities in the unit of the product.

        Quantities are always added up, compared and checked in that unit, never as plain numbers.

        :rtype: odoo.addons.sale_return.tools.measure.Measure
        """
        self.ensure_one()
        # sudo: units are not secret, and users who receive goods need not read orders.
        line = self.sudo()
        return line.product_uom_id._get_measure(
            line.product_id.uom_id,
            counted=line._is_stock_line(),
            sold=line.sale_line_id.product_uom_qty,
        )

    def _get_readable(self, quantity):
        """Return a quantity of the line as people read it: 4 pieces, not 0.33 dozen.

        :param float quantity: in the unit of the line.
        :return: `(quantity, uom.uom)` in the unit of the line, or in that of the product where the
            decimals of the first are not enough.
        :rtype: tuple
        """
        self.ensure_one()
        measure = self._get_measure()
        if measure.is_shown(quantity):
            return quantity, self.product_uom_id
        # sudo: units are not secret, and users who read the page of a return need not read
        # products.
        return measure.to_stock(quantity), self.sudo().product_id.uom_id

    def _get_qty_expected(self):
        """Return the total that should come: authorized (or requested) less what is written off."""
        self.ensure_one()
        return self._get_measure().round(self._get_qty_wanted() - self.qty_written_off)

    def _get_qty_missing(self):
        """Return what is authorized, has not come and is not written off."""
        self.ensure_one()
        if not self.return_expected:
            return 0.0
        missing = self._get_qty_expected() - self._get_qty_come()
        return max(self._get_measure().round(missing), 0.0)

    def _get_qty_come(self):
        """Return what need not be waited for: received, or left with the customer."""
        self.ensure_one()
        return self._get_measure().round(self.qty_received + self.qty_kept)

    def _get_qty_to_inspect(self):
        """Return what was received and not inspected."""
        self.ensure_one()
        waiting = self._get_qty_come() - self.qty_inspected
        quantity = max(self._get_measure().round(waiting), 0.0)
        # sudo: users who follow or decide on returns need not have rights on transfers and orders.
        line = self.sudo()
        if not quantity and line.move_ids and line.sale_line_id._is_return_kit():
            # Small parts of a kit are less than the smallest quantity of the kit, but are in
            # quarantine, too.
            if line.env['sale.return.quarantine']._get_buckets(line)[line]:
                return self._get_measure().rounding
        return quantity

    def _is_credited(self):
        """Tell whether what comes back is credited. Override for resolutions that credit, too.

        The index of the list of differences has the same condition in SQL, excluding the two
        resolutions that are not credited.
        """
        self.ensure_one()
        return self.resolution == 'refund'

    @api.model
    def _get_qty_released(self, line):
        """Return what the policy lets us credit so far, credited or not.

        Override to add release events. `rejected` is never released.
        """
        return self._get_qty_released_by_event(line) if line._is_credited() else 0.0

    @api.model
    def _get_qty_released_by_event(self, line):
        """Return what the event of the policy has released so far, to be credited or replaced."""
        if line.return_id.state not in ('approved', 'closed'):
            return 0.0
        if not line.return_expected:
            return line.qty_accepted
        event = line.policy_id.release_event
        expected = line._get_qty_expected()
        dispatched = expected if line.return_id.date_dispatch_proved else 0.0
        released = {
            'approval': expected,
            'dispatch_proof': max(dispatched, line._get_qty_come()),
            'receipt': line._get_qty_come(),
        }
        if event in released:
            return max(released[event] - line.qty_rejected, line.qty_accepted)
        return line.qty_accepted

    @api.model
    def _get_qty_creditable(self, line):
        """Return what is credited in the end if everything not yet refused is accepted."""
        if line.return_id.state in ('refused', 'cancelled') or not line._is_credited():
            return 0.0
        return max(line._get_qty_expected() - line.qty_rejected, 0.0)

    @api.model
    def _get_qty_here(self, line):
        """Return what has come back and was not refused: what is credited sooner or later."""
        if not line._is_credited():
            return 0.0
        return max(line.qty_received - line.qty_rejected, 0.0)

    def _get_qty_uninvoiced_limit(self):
        """Return how much of the line can be goods that were never invoiced, at most.

        For goods that have come this was stored at receipt; goods still to come may be any.
        """
        self.ensure_one()
        known = self._get_qty_uninvoiced_here()
        return known + max(self._get_qty_expected() - self._get_qty_come(), 0.0)

    def _get_qty_uninvoiced_here(self):
        """Return how many goods came back uninvoiced and were not sent to the customer again."""
        self.ensure_one()
        here = self.qty_received - self.qty_sent_back - self.qty_replaced
        return max(min(self.qty_received_uninvoiced, here), 0.0)

    def _note_uninvoiced(self, quantities):
        """Store which part of the goods just received was not invoiced.

        :param dict quantities: `{line: quantity just received}` in the unit of the line.
        """
        ledger = self.env['sale.return.ledger']
        for line, quantity in quantities.items():
            sale_line = line.sale_line_id
            invoiced = ledger._get_invoiced(sale_line, posted_only=True)[0]
            known = sum(sibling._get_qty_uninvoiced_here() for sibling in sale_line.return_line_ids)
            uninvoiced = min(quantity, sale_line._get_qty_uninvoiced(invoiced) - known)
            if line._get_measure().compare(uninvoiced, 0.0) > 0:
                # One write per line: only goods that come back before their invoice get here.
                total = line.qty_received_uninvoiced + uninvoiced
                line._write_facts({'qty_received_uninvoiced': line._get_measure().round(total)})

    def _get_qty_credited_in_advance(self):
        """Return what was credited for goods that never came and are written off."""
        self.ensure_one()
        if not self.return_expected or not self.qty_written_off:
            return 0.0
        return max(self.qty_credited - max(self._get_qty_come() - self.qty_rejected, 0.0), 0.0)

    def _get_qty_credited_without_goods(self):
        """Return what was credited where nothing was to come back, missing goods for example."""
        self.ensure_one()
        return 0.0 if self.return_expected else self.qty_credited

    def _is_credited_before_it_came(self):
        """Tell whether something was credited that has not come and is still expected."""
        self.ensure_one()
        compare = self._get_measure().compare
        here = max(self._get_qty_come() - self.qty_rejected, 0.0)
        return compare(self._get_qty_missing(), 0.0) > 0 and compare(self.qty_credited, here) > 0

    def _has_effects(self):
        """Tell whether anything was received or credited on the line."""
        self.ensure_one()
        return bool(self.qty_received or self.qty_credited or self.inspection_ids)

    def _has_open_credit(self):
        """Tell whether a credit of the line is due, or is still a draft."""
        self.ensure_one()
        compare = self._get_measure().compare
        return (
            compare(self.qty_to_credit, 0.0) > 0
            or compare(self.qty_credited, self.qty_credited_posted) > 0
        )

    # === GUARDS === #

    def _ensure_submittable(self, returns):
        """Refuse to submit returns with lines that cannot be returned.

        :raise UserError: naming the return, the product and what to do.
        """
        for sale_return in returns:
            if not sale_return.line_ids:
                raise UserError(
                    self.env._(
                        "Return %(return)s has no lines. Add the products to return.",
                        **{'return': sale_return.name},
                    )
                )
        for line in self.filtered('sale_line_id'):
            # sudo: users who decide on a return need not read orders.
            sale_line = line.sudo().sale_line_id
            order = sale_line.order_id
            # What was delivered before an order was cancelled comes back like anything else.
            delivered = sale_line.qty_delivered or sale_line.qty_returned
            if order.state != 'sale' and not (order.state == 'cancel' and delivered):
                raise UserError(
                    self.env._(
                        "Order %(order)s is not confirmed (or was cancelled before its "
                        "delivery), so nothing can be returned from it.",
                        order=order.name,
                    )
                )
            line._ensure_whole_units()
            line._ensure_one_composition()
            line._ensure_replaceable()
        # The components of a kit must not change any more, or credits would not add up.
        self.sale_line_id._fix_return_kits()

    def _ensure_whole_units(self):
        """Refuse a quantity that the unit in which the goods move cannot express."""
        self.ensure_one()
        if self.sale_line_id._is_return_kit():
            return  # a component of a kit counts as its share of it
        measure = self._get_measure()
        if self.return_expected and measure.is_zero(self.qty_requested):
            raise UserError(
                self.env._(
                    "%(quantity)s %(unit)s of %(product)s is not a whole quantity of "
                    "%(stock_unit)s. Enter %(proposal)s instead.",
                    quantity=self.qty_requested,
                    unit=self.product_uom_id._get_name_after(self.qty_requested),
                    product=self.product_id.display_name,
                    stock_unit=self.product_id.uom_id.name,
                    proposal=measure.rounding,
                )
            )

    def _ensure_one_composition(self):
        """Refuse lines that were delivered partly as a product and partly as its components."""
        self.ensure_one()
        delivered = self.sale_line_id.move_ids.filtered(
            lambda move: move.state == 'done' and move.location_dest_id._is_at_customer()
        )
        whole = delivered.filtered(lambda move: move.product_id == self.product_id)
        if whole and whole != delivered:
            raise UserError(
                self.env._(
                    "%(product)s of order %(order)s was delivered partly as such and partly as "
                    "the components of a kit, so it is not known what came back. Credit it by "
                    "hand.",
                    product=self.product_id.display_name,
                    order=self.order_id.name,
                )
            )

    def _ensure_approvable(self, returns):
        """Refuse to approve lines without order line, or returns without warehouse."""
        for line in self:
            if not line.sale_line_id and line.decision != 'refused':
                raise UserError(
                    self.env._(
                        "%(product)s in return %(return)s belongs to no order line yet. Set the "
                        "return back to draft and find its order first.",
                        product=line.product_id.display_name,
                        **{'return': line.return_id.name},
                    )
                )
        for sale_return in returns:
            warehouse = sale_return.warehouse_id
            usable = warehouse.active and warehouse.sale_return_type_id
            if not usable and any(sale_return.line_ids.mapped('return_expected')):
                raise UserError(
                    self.env._(
                        "Choose the warehouse in which return %(return)s is received.",
                        **{'return': sale_return.name},
                    )
                )

    def _ensure_closable(self):
        """Refuse to close while goods wait for inspection or money for its credit note."""
        for line in self:
            if line.return_expected and not line._get_measure().is_zero(line._get_qty_to_inspect()):
                raise UserError(
                    self.env._(
                        "%(quantity)s %(unit)s of %(product)s in return %(return)s wait for "
                        "inspection. Inspect them before you close the return.",
                        quantity=line._get_qty_to_inspect(),
                        unit=line.product_uom_id._get_name_after(line._get_qty_to_inspect()),
                        product=line.product_id.display_name,
                        **{'return': line.return_id.name},
                    )
                )
            if line._has_open_credit():
                raise UserError(
                    self.env._(
                        "%(product)s in return %(return)s is still to be credited. Create or post "
                        "the credit note before you close the return.",
                        product=line.product_id.display_name,
                        **{'return': line.return_id.name},
                    )
                )

    def _check_received(self):
        """Refuse that more is received than authorized, or less than was already inspected.

        :raise UserError: naming the return and the product.
        """
        for line in self.filtered('return_expected'):
            compare = line._get_measure().compare
            expected = line._get_qty_expected()
            values = {
                'received': line.qty_received,
                'product': line.product_id.display_name,
                'return': line.return_id.name,
            }
            expected_here = expected - line.qty_kept
            if line.sale_line_id._is_return_kit():
                # The parts of a kit are rounded in the order in which they come.
                expected_here += line._get_measure().rounding
            if line.state != 'draft' and compare(line.qty_received, expected_here) > 0:
                raise UserError(
                    self.env._(
                        "%(received)s %(unit)s of %(product)s cannot be received for return "
                        "%(return)s: only %(expected)s are authorized. Receive these and create"
                        " a separate return for the rest.",
                        expected=expected,
                        unit=line.product_uom_id._get_name_after(line.qty_received),
                        **values,
                    )
                )
            if compare(line._get_qty_come(), line.qty_inspected) < 0:
                raise UserError(
                    self.env._(
                        "%(inspected)s %(unit)s of %(product)s in return %(return)s have "
                        "already been inspected, so the received quantity cannot be "
                        "%(received)s.",
                        inspected=line.qty_inspected,
                        unit=line.product_uom_id._get_name_after(line.qty_inspected),
                        **values,
                    )
                )

    # === BUSINESS METHODS === #

    def _authorize(self):
        """Authorize what was requested, on lines on which nobody has decided otherwise."""
        undecided = self.filtered(lambda line: line.decision == 'pending')
        for quantity, lines in undecided.grouped('qty_requested').items():
            lines._write_facts({'qty_authorized': quantity, 'decision': 'approved'})

    def _write_off_missing(self):
        """Stop expecting what has not come."""
        for line in self:
            if missing := line._get_qty_missing():
                # One write per line: each misses its own quantity, and there are few of them.
                total = line._get_measure().round(line.qty_written_off + missing)
                line._write_facts({'qty_written_off': total})

    @reads(results=needed(RESULTS))
    def register_inspection(self, results):
        """Record what was found, move the goods, and credit what is released by it.

        :param list results: dicts `{quantity, disposition=None, grade=None, lot=None,
            liability=None, note=None, line_id=None, product=None, answers=None, files=None}`.
            `quantity` is in the unit of the line; `line_id` is needed when called on several lines;
            `disposition` and `grade` are a code or an id, `lot` a name or an id (required for
            tracked products). For kits `product` names a component by id, internal reference,
            barcode or name, and `quantity` is in the unit of that component. Without `product` it
            is a number of kits: whole ones, or all that are waiting; each of them gives one row per
            component (and lot). `answers` are those of the checklist, `{code or id of the item:
            answer}`: true or false, a number, or files; without `grade` they propose it. Without
            `disposition` the disposition rules decide; a disposition that differs from theirs
            requires a `note`.
        :return: the new inspection rows, in the order of `results`.
        :rtype: sale.return.inspection
        :raise AccessError: without the role of inspector.
        :raise UserError: when more is inspected than was received, or goods cannot be moved.
            Nothing is recorded then.
        """
        self.env['sale.return']._ensure_group('group_inspector')
        self.check_access('read')
        rows = self.env['sale.return.disposal']._register_results(self, results)
        rows.line_id.return_id._after_step()
        return rows

    @reads(quantity=needed(number))
    def action_split(self, quantity):
        """Split a draft line: `quantity` goes to a new line, to be given its own reason.

        The new line takes `reason_other`, or the first reason that is free, because a
        return cannot hold the same order line twice for one reason.

        :param float quantity: what the new line gets, less than what is requested.
        :return: the new line.
        :rtype: sale.return.line
        :raise UserError: when nothing would be left on one of the two lines.
        """
        self.ensure_one()
        self._ensure_draft()
        measure = self._get_measure()
        quantity = measure.interpret(quantity)
        if measure.compare(quantity, 0.0) <= 0 or (
            measure.compare(quantity, self.qty_requested) >= 0
        ):
            raise UserError(
                self.env._(
                    "Only a part of the %(quantity)s %(unit)s of %(product)s can be split off, "
                    "not all of it.",
                    quantity=self.qty_requested,
                    unit=self.product_uom_id._get_name_after(self.qty_requested),
                    product=self.product_id.display_name,
                )
            )
        self.qty_requested = measure.round(self.qty_requested - quantity)
        return self.copy(
            {
                'return_id': self.return_id.id,
                'qty_requested': quantity,
                'reason_id': self._get_free_reason().id,
            }
        )

    def _get_free_reason(self):
        """Return a reason for which the order line is not in the return yet."""
        self.ensure_one()
        siblings = self.return_id.line_ids.filtered(
            lambda line: (
                line.sale_line_id == self.sale_line_id and line.resolution == self.resolution
            )
        )
        other = self.env.ref('sale_return.reason_other', raise_if_not_found=False)
        reasons = (other or self.env['sale.return.reason']) | self.env['sale.return.reason'].search(
            [('on_returns', '=', True), ('company_id', 'in', [self.company_id.id, False])]
        )
        free = reasons - siblings.reason_id
        if not free:
            raise UserError(
                self.env._(
                    "%(product)s is already in return %(return)s for every available reason.",
                    product=self.product_id.display_name,
                    **{'return': self.return_id.name},
                )
            )
        return free[:1]
