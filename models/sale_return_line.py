from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..const import OPEN_STATES

# What may change after the return was submitted.
EDITABLE_AFTER_SUBMIT = frozenset({'customer_note'})
PROTECTED_FIELDS = frozenset({'qty_authorized', 'qty_written_off', 'policy_id'})


class SaleReturnLine(models.Model):
    """One order line of a return, and the ledger of its quantities.

    All quantities are in `product_uom_id`, the unit of the order line.
    """

    _name = 'sale.return.line'
    _description = "Return Line"
    _order = 'return_id desc, id'
    _check_company_auto = True
    _rec_name = 'product_id'

    # Identity and links
    return_id = fields.Many2one('sale.return', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='return_id.company_id', store=True, index=True)
    partner_id = fields.Many2one(related='return_id.partner_id', store=True, index=True)
    state = fields.Selection(related='return_id.state', store=True, index=True)
    sale_line_id = fields.Many2one(
        'sale.order.line',
        string="Order Line",
        index='btree_not_null',
        ondelete='restrict',
        help="Unknown goods may start without one; the approval needs it.",
    )
    order_id = fields.Many2one(
        related='sale_line_id.order_id', store=True, index='btree_not_null'
    )
    product_id = fields.Many2one(
        'product.product',
        required=True,
        index=True,
        compute='_compute_product_id',
        store=True,
        readonly=False,
        precompute=True,
        ondelete='restrict',
    )
    product_uom_id = fields.Many2one(
        'uom.uom',
        string="Unit",
        compute='_compute_product_id',
        store=True,
        precompute=True,
        help="Unit of the order line; all quantities of the line are in it.",
    )
    currency_id = fields.Many2one(related='return_id.currency_id')
    move_ids = fields.One2many('stock.move', 'sale_return_line_id', readonly=True)
    inspection_ids = fields.One2many('sale.return.inspection', 'line_id', readonly=True)
    credit_line_ids = fields.One2many('account.move.line', 'sale_return_line_id', readonly=True)

    # What the customer says
    reason_id = fields.Many2one('sale.return.reason', required=True, index=True)
    resolution = fields.Selection(
        [('refund', "Refund"), ('replace', "Replacement"), ('none', "None")],
        required=True,
        default='refund',
    )
    customer_note = fields.Text(help="What the customer says, in his words.")
    return_expected = fields.Boolean(
        compute='_compute_return_expected',
        store=True,
        help="Goods come back. Not for services, nor for reasons such as a short delivery.",
    )
    delivered_on = fields.Datetime(
        compute='_compute_delivered_on', store=True, help="When the goods were delivered."
    )
    policy_id = fields.Many2one(
        'sale.return.policy',
        compute='_compute_policy_id',
        store=True,
        readonly=True,
        index=True,
        ondelete='restrict',
        help="The policy that applies; fixed when the return is submitted.",
    )

    # Ledger of quantities
    qty_requested = fields.Float(string="Requested", digits='Product Unit', required=True)
    qty_authorized = fields.Float(
        string="Authorized", digits='Product Unit', readonly=True, copy=False
    )
    qty_written_off = fields.Float(
        string="Written off",
        digits='Product Unit',
        readonly=True,
        copy=False,
        help="Authorized, but has not come and is not expected any more.",
    )
    qty_received = fields.Float(
        string="Received", digits='Product Unit', compute='_compute_qty_received', store=True
    )
    qty_inspected = fields.Float(
        string="Inspected", digits='Product Unit', compute='_compute_qty_inspected', store=True
    )
    qty_accepted = fields.Float(
        string="Accepted", digits='Product Unit', compute='_compute_qty_inspected', store=True
    )
    qty_rejected = fields.Float(
        string="Rejected", digits='Product Unit', compute='_compute_qty_inspected', store=True
    )
    qty_sent_back = fields.Float(
        string="Sent back",
        digits='Product Unit',
        compute='_compute_qty_received',
        store=True,
        help="Rejected and at the customer's again.",
    )
    qty_held = fields.Float(
        string="Held",
        digits='Product Unit',
        compute='_compute_qty_held',
        store=True,
        help="Kept for this return, so that no other return can take it.",
    )
    qty_credited = fields.Float(
        string="Credited",
        digits='Product Unit',
        compute='_compute_qty_credited',
        store=True,
        help="On credit notes that are not cancelled, drafts included.",
    )
    qty_credited_posted = fields.Float(
        string="Credited (posted)",
        digits='Product Unit',
        compute='_compute_qty_credited',
        store=True,
    )
    qty_uninvoiced = fields.Float(
        string="Not invoiced",
        digits='Product Unit',
        compute='_compute_qty_to_credit',
        store=True,
        help="Was never invoiced, so there is nothing to credit.",
    )
    qty_to_credit = fields.Float(
        string="To credit",
        digits='Product Unit',
        compute='_compute_qty_to_credit',
        store=True,
        help="Released by the policy and not credited yet.",
    )
    qty_to_credit_expected = fields.Float(
        string="Expected to be credited",
        digits='Product Unit',
        compute='_compute_qty_to_credit',
        store=True,
        help="Credited in the end if everything not yet refused is accepted.",
    )

    # NULL sale lines (unknown goods) never collide in a unique index, as it should be.
    _sale_line_reason_unique = models.UniqueIndex(
        '(return_id, sale_line_id, reason_id, resolution)',
        "An order line can be in a return only once for the same reason and resolution. "
        "Change the quantity of the line that is there.",
    )
    _qty_requested_positive = models.Constraint(
        'CHECK (qty_requested > 0)', "The quantity to return must be more than zero."
    )
    _qty_authorized_range = models.Constraint(
        'CHECK (qty_authorized >= 0 AND qty_authorized <= qty_requested)',
        "The authorized quantity cannot exceed the requested one.",
    )
    _open_by_sale_line = models.Index('(sale_line_id) WHERE qty_held > 0')
    _to_credit = models.Index('(return_id) WHERE qty_to_credit > 0')

    # === COMPUTE METHODS === #

    @api.depends('sale_line_id')
    def _compute_product_id(self):
        for line in self:
            if line.sale_line_id:
                line.product_id = line.sale_line_id.product_id
                line.product_uom_id = line.sale_line_id.product_uom_id
            else:
                line.product_id = line.product_id
                line.product_uom_id = line.product_id.uom_id

    @api.depends('reason_id.return_expected', 'sale_line_id.qty_delivered_method', 'product_id')
    def _compute_return_expected(self):
        for line in self:
            if line.state not in (False, 'draft') and line._origin:
                line.return_expected = line.return_expected  # fixed with the submission
            else:
                line.return_expected = line.reason_id.return_expected and line._is_stock_line()

    @api.depends('sale_line_id')
    def _compute_delivered_on(self):
        for line in self:
            moves = line.sale_line_id.move_ids.filtered(
                lambda move: move.state == 'done' and move._is_outgoing()
            )
            line.delivered_on = max(moves.mapped('date'), default=False)

    @api.depends('sale_line_id', 'reason_id', 'return_id.partner_id', 'return_id.company_id')
    def _compute_policy_id(self):
        free = self.filtered(lambda line: line.return_id.state in (False, 'draft'))
        policies = self.env['sale.return.policy']._match(free)
        for line in self:
            line.policy_id = policies.get(line, line.policy_id)

    @api.depends(
        'move_ids.state',
        'move_ids.quantity',
        'move_ids.product_uom',
        'move_ids.returned_move_ids.state',
        'move_ids.returned_move_ids.quantity',
    )
    def _compute_qty_received(self):
        for line in self:
            receipts = line.move_ids.filtered(lambda move: move._is_sale_return_receipt())
            undone = receipts.returned_move_ids.filtered(
                lambda move: not move.sale_return_inspection_id
            )
            sent_back = line.move_ids.filtered(
                lambda move: move.sale_return_inspection_id and move.location_dest_id._is_outgoing()
            )
            line.qty_received = line._get_done_quantity(receipts) - line._get_done_quantity(undone)
            line.qty_sent_back = line._get_done_quantity(sent_back)

    def _get_done_quantity(self, moves):
        """Sum the done quantity of moves, in the unit of the line."""
        self.ensure_one()
        return sum(
            move.product_uom._compute_quantity(
                move.quantity, self.product_uom_id, rounding_method='HALF-UP'
            )
            for move in moves
            if move.state == 'done'
        )

    @api.depends(
        'inspection_ids.quantity',
        'inspection_ids.disposition_id.accepts',
        'qty_authorized',
        'return_expected',
    )
    def _compute_qty_inspected(self):
        for line in self:
            rows = line.inspection_ids
            accepted = sum(rows.filtered('disposition_id.accepts').mapped('quantity'))
            inspected = sum(rows.mapped('quantity'))
            line.qty_inspected = inspected
            line.qty_rejected = inspected - accepted
            # Where nothing comes back there is nothing to inspect: approval is acceptance.
            line.qty_accepted = accepted if line.return_expected else line.qty_authorized

    @api.depends(
        'return_id.state',
        'qty_requested',
        'qty_authorized',
        'qty_received',
        'qty_credited',
        'return_expected',
    )
    def _compute_qty_held(self):
        for line in self:
            state = line.return_id.state
            wanted = line.qty_authorized if state == 'approved' else line.qty_requested
            came = line.qty_received if line.return_expected else line.qty_credited
            line.qty_held = max(wanted - came, 0.0) if state in OPEN_STATES else 0.0

    @api.depends(
        'credit_line_ids.quantity', 'credit_line_ids.product_uom_id', 'credit_line_ids.parent_state'
    )
    def _compute_qty_credited(self):
        for line in self:
            line.qty_credited = line._get_credited_quantity(('draft', 'posted'))
            line.qty_credited_posted = line._get_credited_quantity(('posted',))

    def _get_credited_quantity(self, states):
        """Sum what credit notes in these states credit, in the unit of the line."""
        self.ensure_one()
        return sum(
            note_line.product_uom_id._compute_quantity(
                note_line.quantity, self.product_uom_id, rounding_method='HALF-UP'
            )
            for note_line in self.credit_line_ids
            if note_line.parent_state in states and note_line.sale_line_ids
        )

    @api.depends(
        'return_id.state',
        'return_id.date_dispatched',
        'resolution',
        'policy_id.release_event',
        'qty_requested',
        'qty_authorized',
        'qty_written_off',
        'qty_received',
        'qty_accepted',
        'qty_rejected',
        'qty_credited',
        'sale_line_id.qty_delivered',
        'sale_line_id.invoice_lines.quantity',
        'sale_line_id.invoice_lines.parent_state',
    )
    def _compute_qty_to_credit(self):
        credit = self.env['sale.return.credit']
        released = credit._get_quantities(self, self._get_qty_released)
        expected = credit._get_quantities(self, self._get_qty_creditable)
        for line in self:
            due, line.qty_uninvoiced = released[line]
            line.qty_to_credit = due
            line.qty_to_credit_expected = line.qty_credited + expected[line][0]

    # === QUANTITIES === #

    def _is_stock_line(self):
        """Tell whether the goods of the line move through the warehouse."""
        self.ensure_one()
        if self.sale_line_id:
            return self.sale_line_id.qty_delivered_method == 'stock_move'
        return self.product_id.type == 'consu'

    def _get_qty_expected(self):
        """Return what should come in all: authorized (or requested) without what is written off."""
        self.ensure_one()
        approved = self.return_id.state in ('approved', 'closed')
        return (self.qty_authorized if approved else self.qty_requested) - self.qty_written_off

    def _get_qty_missing(self):
        """Return what is authorized, has not come and is not written off."""
        self.ensure_one()
        if not self.return_expected:
            return 0.0
        return max(self._get_qty_expected() - self.qty_received, 0.0)

    def _get_qty_to_inspect(self):
        """Return what was received and not inspected."""
        self.ensure_one()
        return max(self.qty_received - self.qty_inspected, 0.0)

    @api.model
    def _get_qty_released(self, line):
        """Return what the policy lets us credit by now, credited or not.

        Override to add release events. `rejected` is never released.
        """
        if line.return_id.state not in ('approved', 'closed') or line.resolution != 'refund':
            return 0.0
        if not line.return_expected:
            return line.qty_accepted
        event = line.policy_id.release_event
        expected = line._get_qty_expected()
        dispatched = expected if line.return_id.date_dispatched else 0.0
        released = {
            'approval': expected,
            'dispatch_proof': max(dispatched, line.qty_received),
            'receipt': line.qty_received,
        }
        if event in released:
            return max(released[event] - line.qty_rejected, line.qty_accepted)
        return line.qty_accepted

    @api.model
    def _get_qty_creditable(self, line):
        """Return what is credited in the end if everything not yet refused is accepted."""
        if line.return_id.state in ('refused', 'cancelled') or line.resolution != 'refund':
            return 0.0
        return max(line._get_qty_expected() - line.qty_rejected, 0.0)

    def _has_effects(self):
        """Tell whether anything was received or credited on the line."""
        self.ensure_one()
        return bool(self.qty_received or self.qty_credited or self.inspection_ids)

    def _has_open_credit(self):
        """Tell whether a credit of the line is due, or waits in a draft to be posted."""
        self.ensure_one()
        compare = self.product_uom_id.compare
        return (
            compare(self.qty_to_credit, 0.0) > 0
            or compare(self.qty_credited, self.qty_credited_posted) > 0
        )

    # === CONSTRAINT METHODS === #

    @api.constrains('sale_line_id', 'return_id')
    def _check_fits_return(self):
        for line in self.filtered('sale_line_id'):
            sale_return, order = line.return_id, line.sale_line_id.order_id
            if line.sale_line_id.company_id != sale_return.company_id:
                raise ValidationError(
                    self.env._(
                        "Order %(order)s belongs to %(company)s, return %(return)s to another "
                        "company. A return never mixes companies.",
                        order=order.name,
                        company=order.company_id.name,
                        **{'return': sale_return.name},
                    )
                )
            if order.partner_id.commercial_partner_id != (
                sale_return.partner_id.commercial_partner_id
            ):
                raise ValidationError(
                    self.env._(
                        "Order %(order)s is of another customer than return %(return)s. Make a "
                        "return of its own for it.",
                        order=order.name,
                        **{'return': sale_return.name},
                    )
                )
            if line.sale_line_id.display_type or line.sale_line_id.is_downpayment:
                raise ValidationError(
                    self.env._(
                        "“%(line)s” of order %(order)s is no product that could be returned.",
                        line=line.sale_line_id.name,
                        order=order.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base`: lines are added to drafts only, and say only what was asked.

        :raise UserError: when a line is added to a submitted return, or sets what follows.
        """
        for vals in vals_list:
            if protected := PROTECTED_FIELDS & vals.keys():
                self._refuse_protected(protected)
        lines = super().create(vals_list)
        lines._ensure_draft()
        return lines

    def write(self, vals):
        """Override of `base` to keep what was submitted as it was submitted."""
        if protected := PROTECTED_FIELDS & vals.keys():
            self._refuse_protected(protected)
        if vals.keys() - EDITABLE_AFTER_SUBMIT:
            self._ensure_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        self._ensure_draft()

    def _refuse_protected(self, names):
        raise UserError(
            self.env._(
                "%(fields)s of a return line cannot be set by hand; it follows from the decision.",
                fields=", ".join(self._fields[name].string for name in sorted(names)),
            )
        )

    def _ensure_draft(self):
        if fixed := self.filtered(lambda line: line.return_id.state != 'draft'):
            raise UserError(
                self.env._(
                    "The lines of return %(returns)s are fixed since it was submitted. Set it "
                    "back to draft first.",
                    returns=", ".join(fixed.return_id.mapped('name')),
                )
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
                        "Return %(return)s has no lines. Add what is to be returned.",
                        **{'return': sale_return.name},
                    )
                )
        for line in self.filtered('sale_line_id'):
            order = line.sale_line_id.order_id
            if order.state != 'sale':
                raise UserError(
                    self.env._(
                        "Order %(order)s is not confirmed (or cancelled), so nothing of it can be "
                        "returned.",
                        order=order.name,
                    )
                )
            line._ensure_whole_units()
            line._ensure_no_kit()

    def _ensure_whole_units(self):
        """Refuse a quantity that the unit in which the goods move cannot express."""
        self.ensure_one()
        stock_uom = self.product_id.uom_id
        in_stock = self.product_uom_id._compute_quantity(
            self.qty_requested, stock_uom, rounding_method='HALF-UP'
        )
        back = stock_uom._compute_quantity(in_stock, self.product_uom_id, round=False)
        exact = self.product_uom_id._compute_quantity(self.qty_requested, stock_uom, round=False)
        if self.return_expected and (
            stock_uom.is_zero(in_stock) or self._is_fraction(exact, stock_uom, in_stock)
        ):
            raise UserError(
                self.env._(
                    "%(quantity)s %(unit)s of %(product)s is no whole quantity of %(stock_unit)s. "
                    "Enter %(proposal)s instead.",
                    quantity=self.qty_requested,
                    unit=self.product_uom_id.name,
                    product=self.product_id.display_name,
                    stock_unit=stock_uom.name,
                    proposal=back,
                )
            )

    @api.model
    def _is_fraction(self, exact, stock_uom, in_stock):
        """Tell whether a quantity differs from the one that can be moved, beyond rounding."""
        return abs(exact - in_stock) > stock_uom.rounding

    def _ensure_no_kit(self):
        """Refuse kits: their components move one by one, which this version cannot follow."""
        self.ensure_one()
        delivered = self.sale_line_id.move_ids.filtered(lambda move: move.state == 'done')
        if delivered and not delivered.filtered(lambda m: m.product_id == self.product_id):
            raise UserError(
                self.env._(
                    "%(product)s of order %(order)s is a kit and cannot be returned with this "
                    "document yet. Use the return of its delivery.",
                    product=self.product_id.display_name,
                    order=self.order_id.name,
                )
            )

    def _ensure_approvable(self, returns):
        """Refuse to approve lines without order line, or returns without warehouse."""
        for line in self:
            if not line.sale_line_id:
                raise UserError(
                    self.env._(
                        "%(product)s in return %(return)s belongs to no order line yet. Set the "
                        "return back to draft and find its order first.",
                        product=line.product_id.display_name,
                        **{'return': line.return_id.name},
                    )
                )
        for sale_return in returns:
            if not sale_return.warehouse_id.sale_return_type_id and any(
                sale_return.line_ids.mapped('return_expected')
            ):
                raise UserError(
                    self.env._(
                        "Say in which warehouse return %(return)s is received.",
                        **{'return': sale_return.name},
                    )
                )

    def _ensure_closable(self):
        """Refuse to close while goods wait for inspection or money for its credit note."""
        for line in self:
            if line.return_expected and not line.product_uom_id.is_zero(line._get_qty_to_inspect()):
                raise UserError(
                    self.env._(
                        "%(quantity)s %(unit)s of %(product)s in return %(return)s wait for "
                        "inspection. Inspect them before you close the return.",
                        quantity=line._get_qty_to_inspect(),
                        unit=line.product_uom_id.name,
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
        """Refuse that more is received than authorized, or less than was inspected already.

        :raise UserError: naming the return and the product.
        """
        for line in self.filtered('return_expected'):
            compare = line.product_uom_id.compare
            expected = line._get_qty_expected()
            values = {
                'received': line.qty_received,
                'unit': line.product_uom_id.name,
                'product': line.product_id.display_name,
                'return': line.return_id.name,
            }
            if line.state != 'draft' and compare(line.qty_received, expected) > 0:
                raise UserError(
                    self.env._(
                        "%(received)s %(unit)s of %(product)s cannot be received for return "
                        "%(return)s: only %(expected)s are authorized. Receive these and make a "
                        "return of its own for the rest.",
                        expected=expected,
                        **values,
                    )
                )
            if compare(line.qty_received, line.qty_inspected) < 0:
                raise UserError(
                    self.env._(
                        "%(inspected)s %(unit)s of %(product)s in return %(return)s were inspected "
                        "already, so %(received)s cannot be what was received.",
                        inspected=line.qty_inspected,
                        **values,
                    )
                )

    # === BUSINESS METHODS === #

    def _authorize(self):
        """Authorize what was requested."""
        for quantity, lines in self.grouped('qty_requested').items():
            # super(): our own `write` refuses the field to everybody.
            super(SaleReturnLine, lines).write({'qty_authorized': quantity})

    def _write_off_missing(self):
        """Stop expecting what has not come."""
        for line in self:
            if missing := line._get_qty_missing():
                # One write per line: each misses its own quantity, and there are few of them.
                super(SaleReturnLine, line).write(
                    {'qty_written_off': line.qty_written_off + missing}
                )

    def register_inspection(self, results):
        """Record what was found, move the goods, and credit what is released by it.

        :param list results: dicts `{quantity, disposition, grade=None, lot=None, liability=None,
            note=None, line_id=None}`. `quantity` is in the unit of the line; `line_id` is needed
            when called on several lines; `disposition` and `grade` are a code or an id, `lot` a
            name or an id (demanded for tracked products).
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
        compare = self.product_uom_id.compare
        if compare(quantity, 0.0) <= 0 or compare(quantity, self.qty_requested) >= 0:
            raise UserError(
                self.env._(
                    "Only a part of the %(quantity)s %(unit)s of %(product)s can be split off.",
                    quantity=self.qty_requested,
                    unit=self.product_uom_id.name,
                    product=self.product_id.display_name,
                )
            )
        self.qty_requested -= quantity
        return self.copy(
            {
                'return_id': self.return_id.id,
                'qty_requested': quantity,
                'reason_id': self._get_free_reason().id,
            }
        )

    def _get_free_reason(self):
        """Return a reason under which the order line is not in the return yet."""
        self.ensure_one()
        siblings = self.return_id.line_ids.filtered(
            lambda line: line.sale_line_id == self.sale_line_id
            and line.resolution == self.resolution
        )
        other = self.env.ref('sale_return.reason_other', raise_if_not_found=False)
        reasons = (other or self.env['sale.return.reason']) | self.env['sale.return.reason'].search(
            [('company_id', 'in', [self.company_id.id, False])]
        )
        free = reasons - siblings.reason_id
        if not free:
            raise UserError(
                self.env._(
                    "%(product)s is in return %(return)s for every reason there is already.",
                    product=self.product_id.display_name,
                    **{'return': self.return_id.name},
                )
            )
        return free[:1]
