import math

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...const import OPEN_STATES

# Fields that may change after the return was submitted.
EDITABLE_AFTER_SUBMIT = frozenset({'customer_note'})

# Quantities that are also given in the unit of the product, as `product_qty_…`.
COUNTED_QUANTITIES = (
    'requested',
    'authorized',
    'received',
    'inspected',
    'accepted',
    'rejected',
    'credited',
    'to_credit',
)


class SaleReturnLine(models.Model):
    """One order line of a return, with all its quantities.

    All quantities are in `product_uom_id`, the unit of the order line, and correspond to a whole
    number of steps of the product's unit (see `_get_measure`): they are not rounded any further, or
    a third of a dozen would not be four pieces.

    Its other parts: `sale_return_line_steps.py`.
    """

    _name = 'sale.return.line'

    _inherit = ['sale.return.derived', 'sale.return.ruled']

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
    order_id = fields.Many2one(related='sale_line_id.order_id', store=True, index='btree_not_null')
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
        help="Unit of the order line; used for all quantities of the line.",
    )
    currency_id = fields.Many2one(related='return_id.currency_id')
    move_ids = fields.One2many('stock.move', 'sale_return_line_id', readonly=True)
    inspection_ids = fields.One2many('sale.return.inspection', 'line_id', readonly=True)
    credit_line_ids = fields.One2many('account.move.line', 'sale_return_line_id', readonly=True)

    # What the customer says
    reason_id = fields.Many2one(
        'sale.return.reason',
        required=True,
        index=True,
        check_company=True,
        domain=[('on_returns', '=', True)],
        ondelete='restrict',
    )
    resolution = fields.Selection(
        [('refund', "Refund"), ('replace', "Replacement"), ('none', "None")],
        required=True,
        compute='_compute_resolution',
        store=True,
        readonly=False,
        precompute=True,
    )
    customer_note = fields.Text(help="Comment of the customer, in their own words.")
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
    qty_requested = fields.Float(
        string="Requested", digits=False, min_display_digits='Product Unit', required=True
    )
    qty_authorized = fields.Float(
        string="Authorized",
        digits=False,
        min_display_digits='Product Unit',
        readonly=True,
        copy=False,
    )
    qty_written_off = fields.Float(
        string="Written off",
        digits=False,
        min_display_digits='Product Unit',
        readonly=True,
        copy=False,
        help="Authorized, but did not arrive and is no longer expected.",
    )
    qty_received_uninvoiced = fields.Float(
        string="Received, not invoiced",
        digits=False,
        min_display_digits='Product Unit',
        readonly=True,
        copy=False,
        help=(
            "Quantity of the received goods that was not invoiced at receipt. Goods shipped and "
            "invoiced later do not count."
        ),
    )
    qty_received = fields.Float(
        string="Received",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_received',
        store=True,
    )
    qty_inspected = fields.Float(
        string="Inspected",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_inspected',
        store=True,
    )
    qty_to_inspect = fields.Float(
        string="To inspect",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_to_inspect',
        store=True,
        help="Received and not inspected yet.",
    )
    qty_accepted = fields.Float(
        string="Accepted",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_inspected',
        store=True,
    )
    qty_rejected = fields.Float(
        string="Rejected",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_inspected',
        store=True,
    )
    qty_kept = fields.Float(
        string="Kept",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_inspected',
        store=True,
        help="Did not arrive and stays with the customer, who is credited anyway.",
    )
    qty_sent_back = fields.Float(
        string="Sent back",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_received',
        store=True,
        help="Rejected and back with the customer.",
    )
    qty_replaced = fields.Float(
        string="Replaced",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_received',
        store=True,
        help="Delivered in exchange for the returned goods.",
    )
    qty_held = fields.Float(
        string="Held",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_held',
        store=True,
        help="Held for this return, so that no other return can use it.",
    )
    qty_credited = fields.Float(
        string="Credited",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_credited',
        store=True,
        help="On credit notes that are not cancelled, drafts included.",
    )
    qty_credited_posted = fields.Float(
        string="Credited (posted)",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_credited',
        store=True,
    )
    qty_uninvoiced = fields.Float(
        string="Not invoiced",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_to_credit',
        store=True,
        help="Was never invoiced, so there is nothing to credit.",
    )
    qty_credited_otherwise = fields.Float(
        string="Credited by hand",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_to_credit',
        store=True,
        help=(
            "Released, but already credited by manual credit notes: nothing is left to credit "
            "on the invoices."
        ),
    )
    qty_to_credit = fields.Float(
        string="To credit",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_to_credit',
        store=True,
        help="Released by the policy and not credited yet.",
    )
    qty_to_credit_expected = fields.Float(
        string="Expected to be credited",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_to_credit',
        store=True,
        help="Final credit if everything not yet refused is accepted.",
    )

    # The same quantities as people count them
    stock_uom_id = fields.Many2one(related='product_id.uom_id', string="Counted in")
    is_counted_otherwise = fields.Boolean(compute='_compute_product_qty')
    counted_text = fields.Char(
        string="Counted As",
        compute='_compute_product_qty',
        help="Requested quantity in the unit in which the goods are counted.",
    )
    product_qty_requested = fields.Float(
        string="Requested (counted)", digits='Product Unit', compute='_compute_product_qty'
    )
    product_qty_authorized = fields.Float(
        string="Authorized (counted)", digits='Product Unit', compute='_compute_product_qty'
    )
    product_qty_received = fields.Float(
        string="Received (counted)", digits='Product Unit', compute='_compute_product_qty'
    )
    product_qty_inspected = fields.Float(
        string="Inspected (counted)", digits='Product Unit', compute='_compute_product_qty'
    )
    product_qty_accepted = fields.Float(
        string="Accepted (counted)", digits='Product Unit', compute='_compute_product_qty'
    )
    product_qty_rejected = fields.Float(
        string="Rejected (counted)", digits='Product Unit', compute='_compute_product_qty'
    )
    product_qty_credited = fields.Float(
        string="Credited (counted)", digits='Product Unit', compute='_compute_product_qty'
    )
    product_qty_to_credit = fields.Float(
        string="To credit (counted)", digits='Product Unit', compute='_compute_product_qty'
    )

    # NULL sale lines (unknown goods) never collide in a unique index, which is intended.
    _sale_line_reason_unique = models.UniqueIndex(
        '(return_id, sale_line_id, reason_id, resolution)',
        "An order line can be in a return only once for the same reason and resolution. Change "
        "the quantity of the existing line.",
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
    _to_inspect = models.Index('(return_id) WHERE qty_to_inspect > 0')

    # Finds the return lines that changed since the facts of the analysis were stored.
    _facts_write_date = models.Index('(write_date)')

    # See `sale.return.reconciler._get_candidate_lines`, which has the same condition.
    _difference_index = models.Index(
        "(company_id) WHERE state IN ('submitted', 'approved', 'closed')"
        " AND (resolution NOT IN ('replace', 'none') OR qty_credited_posted <> 0)"
        " AND qty_credited_posted <> CASE WHEN return_expected"
        " THEN qty_received + qty_kept - qty_rejected - qty_uninvoiced"
        " ELSE qty_accepted - qty_uninvoiced END"
    )

    # For the returns desk, see the indexes of `sale.return`.
    _bench_waiting = models.Index('(product_id) WHERE qty_held > 0 OR qty_to_inspect > 0')

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

    @api.depends('reason_id')
    def _compute_resolution(self):
        for line in self:
            # Only old lines have “None”; it is no longer offered.
            proposed = line.reason_id.default_resolution
            proposed = proposed if proposed != 'none' else False
            line.resolution = proposed or line.resolution or 'refund'

    @api.depends('reason_id.return_expected', 'sale_line_id.qty_delivered_method', 'product_id')
    def _compute_return_expected(self):
        for line in self:
            if line.state not in (False, 'draft') and line._origin:
                line.return_expected = line.return_expected  # fixed at submission
            else:
                line.return_expected = line.reason_id.return_expected and line._is_stock_line()

    @api.depends('sale_line_id')
    def _compute_delivered_on(self):
        for line in self:
            moves = line.sale_line_id.move_ids.filtered(
                lambda move: (
                    move.state == 'done'
                    and move.location_dest_id._is_at_customer()
                    # What goes back to the customer was delivered before: guarantees run on.
                    and not move.sale_return_inspection_id
                )
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
        'move_ids.sale_return_kit_qty',
        'move_ids.returned_move_ids.state',
        'move_ids.returned_move_ids.quantity',
        'move_ids.returned_move_ids.sale_return_kit_qty',
    )
    def _compute_qty_received(self):
        undoing = self.move_ids.returned_move_ids.filtered(
            lambda move: not move.sale_return_inspection_id
        )
        for line in self:
            receipts = line.move_ids.filtered(lambda move: move._is_sale_return_receipt())
            undone = undoing.filtered(
                lambda move, receipts=receipts: move.origin_returned_move_id in receipts
            )
            to_customer = line.move_ids.filtered(
                lambda move: move.location_dest_id._is_at_customer()
            )
            sent_back = to_customer.filtered('sale_return_inspection_id')
            line.qty_received = line._get_measure().round(
                line._get_done_quantity(receipts) - line._get_done_quantity(undone)
            )
            line.qty_sent_back = line._get_done_quantity(sent_back)
            line.qty_replaced = line._get_done_quantity(to_customer - sent_back)

    def _get_done_quantity(self, moves):
        """Sum the done quantity of moves, in the unit of the line."""
        self.ensure_one()
        return self._get_measure().round(
            sum(
                move._get_sale_quantity(self.sale_line_id) for move in moves if move.state == 'done'
            )
        )

    @api.depends(
        'inspection_ids.quantity',
        'inspection_ids.disposition_id.accepts',
        'inspection_ids.disposition_id.action',
        'qty_authorized',
        'return_expected',
    )
    def _compute_qty_inspected(self):
        for line in self:
            rows = line.inspection_ids
            accepted = sum(rows.filtered('disposition_id.accepts').mapped('quantity'))
            inspected = sum(rows.mapped('quantity'))
            kept = rows.filtered(lambda row: row.disposition_id.action == 'keep')
            in_steps = line._get_measure().round
            line.qty_kept = in_steps(sum(kept.mapped('quantity')))
            line.qty_inspected = in_steps(inspected)
            line.qty_rejected = in_steps(inspected - accepted)
            # Where nothing comes back there is nothing to inspect: approval is acceptance.
            line.qty_accepted = in_steps(accepted) if line.return_expected else line.qty_authorized

    @api.depends(
        'qty_received',
        'qty_inspected',
        'qty_kept',
        'move_ids.state',
        'inspection_ids.component_qty',
    )
    def _compute_qty_to_inspect(self):
        for line in self:
            line.qty_to_inspect = line._get_qty_to_inspect()

    @api.depends(
        'return_id.state',
        'decision',
        'qty_requested',
        'qty_authorized',
        'qty_received',
        'qty_credited',
        'return_expected',
    )
    def _compute_qty_held(self):
        for line in self:
            came = line.qty_received if line.return_expected else line.qty_credited
            held = max(line._get_measure().round(line._get_qty_wanted() - came), 0.0)
            line.qty_held = held if line.return_id.state in OPEN_STATES else 0.0

    @api.depends(
        'credit_line_ids.quantity',
        'credit_line_ids.product_uom_id',
        'credit_line_ids.parent_state',
        'credit_line_ids.move_id.reversal_move_ids.state',
    )
    def _compute_qty_credited(self):
        for line in self:
            line.qty_credited = line._get_credited_quantity(('draft', 'posted'))
            line.qty_credited_posted = line._get_credited_quantity(('posted',))

    def _get_credited_quantity(self, states):
        """Sum what credit notes in these states credit, in the unit of the line."""
        self.ensure_one()
        measure = self._get_measure()
        return measure.round(
            sum(
                note_line._get_qty_credited_in(measure)
                for note_line in self.credit_line_ids
                if note_line.parent_state in states
                and note_line.sale_line_ids
                and not note_line.move_id._is_reversed_credit()
            )
        )

    @api.depends(
        'return_id.state',
        'return_id.date_dispatch_proved',
        'resolution',
        'decision',
        'policy_id.release_event',
        'qty_requested',
        'qty_authorized',
        'qty_written_off',
        'qty_received',
        'qty_received_uninvoiced',
        'qty_accepted',
        'qty_rejected',
        'qty_kept',
        'qty_credited',
        'sale_line_id.product_uom_qty',
        'sale_line_id.qty_delivered',
        'sale_line_id.invoice_lines.quantity',
        'sale_line_id.invoice_lines.parent_state',
    )
    def _compute_qty_to_credit(self):
        credit = self.env['sale.return.credit']
        released = credit._get_quantities(self, self._get_qty_released)
        expected = credit._get_quantities(self, self._get_qty_creditable)
        for line in self:
            line.qty_to_credit, line.qty_uninvoiced, line.qty_credited_otherwise = released[line]
            line.qty_to_credit_expected = line._get_measure().round(
                line.qty_credited + expected[line][0]
            )

    @api.depends('product_id', 'product_uom_id', *[f'qty_{name}' for name in COUNTED_QUANTITIES])
    def _compute_product_qty(self):
        for line in self:
            measure = line._get_measure()
            line.is_counted_otherwise = line.product_uom_id != line.stock_uom_id
            for name in COUNTED_QUANTITIES:
                line[f'product_qty_{name}'] = measure.to_stock(line[f'qty_{name}'])
            line.counted_text = line.is_counted_otherwise and (
                line.stock_uom_id._say(line.product_qty_requested)
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
            if not sale_return._owns_goods_of(order):
                raise ValidationError(
                    self.env._(
                        "Order %(order)s belongs to another customer than return %(return)s. "
                        "Create a separate return for it.",
                        order=order.name,
                        **{'return': sale_return.name},
                    )
                )
            if line.product_id.type == 'combo':
                raise ValidationError(
                    self.env._(
                        "“%(line)s” of order %(order)s is the heading of a combo. Return its "
                        "items, each of which has its own price.",
                        line=line.sale_line_id.name,
                        order=order.name,
                    )
                )
            if line.sale_line_id.display_type or line.sale_line_id.is_downpayment:
                raise ValidationError(
                    self.env._(
                        "“%(line)s” of order %(order)s is not a product that could be returned.",
                        line=line.sale_line_id.name,
                        order=order.name,
                    )
                )

    @api.constrains('qty_requested')
    def _check_qty_requested(self):
        # PostgreSQL treats NaN and infinity as greater than zero.
        if any(not math.isfinite(line.qty_requested) for line in self):
            raise ValidationError(self.env._("The quantity to return must be a number."))

    # === FIELDS === #

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Override of `base` to offer no resolution that is switched off."""
        result = super().fields_get(allfields, attributes)
        options = result.get('resolution', {}).get('selection')
        if options:
            hidden = self._get_hidden_resolutions()
            result['resolution']['selection'] = [o for o in options if o[0] not in hidden]
        return result

    @api.model
    def _get_hidden_resolutions(self):
        """Return the resolutions that are not offered, because they are switched off. Override.

        :rtype: set
        """
        return set()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base`: lines are only added to drafts, with requested values only.

        :raise UserError: when a line is added to a submitted return, or sets derived fields.
        """
        vals_list = [self._clean_new(vals) for vals in vals_list]
        for vals in vals_list:
            self._ensure_something_is_given(vals)
        # sudo: figures of order lines, no matter who asks.
        sale_lines = self.env['sale.order.line'].sudo()
        sale_lines = sale_lines.browse(filter(None, {v.get('sale_line_id') for v in vals_list}))
        with sale_lines._keep_return_figures():
            lines = super().create(vals_list)
        lines._ensure_draft()
        lines._count_requested()
        return lines

    def write(self, vals):
        """Override of `base` to keep what was submitted as it was submitted."""
        vals = self._clean_changes(vals)
        if vals.keys() - EDITABLE_AFTER_SUBMIT:
            self._ensure_draft()
        if 'customer_note' in vals:
            self._ensure_own_words(vals['customer_note'])
        self._ensure_something_is_given(vals)
        result = super().write(vals)
        if 'return_id' in vals:
            self._ensure_draft()
        if vals.keys() & {'qty_requested', 'sale_line_id', 'product_id'}:
            self._count_requested()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        self._ensure_draft()

    def _ensure_own_words(self, note):
        """Refuse to change what customers have written themselves (room `portal`)."""

    @api.model
    def _ensure_something_is_given(self, vals):
        """Refuse goods that come back without any resolution: they would stay with us unnoticed.

        :raise UserError: when the resolution is “None”, which only old lines have.
        """
        if vals.get('resolution') == 'none':
            raise UserError(
                self.env._(
                    "Choose what the customer gets for the returned goods, e.g. a refund or a "
                    "replacement. If they get nothing, refuse the line, or send the goods back "
                    "when they are inspected."
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

    def _count_requested(self):
        """Round what was requested to the nearest quantity that can be counted in stock.

        Once and for all, on input: 0.33 of a dozen are four pieces.
        """
        for line in self.filtered(lambda line: line.qty_requested > 0):
            measure = line._get_measure()
            quantity = line.qty_requested
            if measure.round(quantity) == quantity and measure.ratio == 1:
                continue
            counted = measure.interpret(quantity, whole=line.sudo().sale_line_id.qty_returnable)
            # Quantities below the smallest step are refused, see `_ensure_whole_units`.
            if counted and counted != quantity:
                line._write_facts({'qty_requested': counted})
