from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import clean_context

from ...const import LIABILITIES
from ...tools.reader import reads, text
from .const import DISCREPANCY_KINDS, DISCREPANCY_RESOLUTIONS, FOREIGN_KINDS

# Fields that users may change on a discrepancy until it is resolved.
EDITABLE_WHILE_OPEN = frozenset({'sale_line_id', 'liability'})

# Possible resolutions by kind.
RESOLUTIONS_BY_KIND = {
    'short': ('accept', 'write_off', 'claim'),
    'empty': ('accept', 'write_off', 'claim'),
    'damaged': ('accept', 'claim'),
    **dict.fromkeys(FOREIGN_KINDS, ('accept', 'write_off', 'send_back', 'claim')),
}


class SaleReturnDiscrepancy(models.Model):
    """A difference between what was expected and what came (or did not come).

    Goods that do not belong to the return have a separate move into quarantine, without order line
    and origin. They stay the customer's, so they are not valued:

        Customers ──► Quarantine (owner: customer)

    Only the resolution changes that, see `sale_return_discrepancy_steps`.
    """

    _name = 'sale.return.discrepancy'

    _inherit = [
        'sale.return.derived',
        'sale.return.ruled',
        'mail.thread',
        'mail.activity.mixin',
    ]

    _description = "Return Discrepancy"
    _order = 'id desc'
    _check_company_auto = True

    # Identity and links
    name = fields.Char(string="Number", required=True, readonly=True, copy=False, index='trigram')
    kind = fields.Selection(
        DISCREPANCY_KINDS, required=True, index=True, tracking=True, readonly=True
    )
    return_id = fields.Many2one(
        'sale.return', required=True, index=True, ondelete='restrict', readonly=True
    )
    line_id = fields.Many2one(
        'sale.return.line',
        string="Return Line",
        index='btree_not_null',
        ondelete='restrict',
        help="The return line concerned. Unrequested goods have none.",
        readonly=True,
    )
    company_id = fields.Many2one(related='return_id.company_id', store=True, index=True)
    partner_id = fields.Many2one(related='return_id.partner_id', store=True, index=True)
    user_id = fields.Many2one(
        'res.users',
        string="Responsible",
        index=True,
        tracking=True,
        help="The user who has to decide what happens to it.",
    )
    picking_id = fields.Many2one(
        'stock.picking',
        string="Receipt",
        index='btree_not_null',
        ondelete='restrict',
        readonly=True,
    )
    move_ids = fields.One2many('stock.move', 'sale_return_discrepancy_id', readonly=True)

    # What was found
    product_id = fields.Many2one(
        'product.product', required=True, index=True, ondelete='restrict', readonly=True
    )
    lot_id = fields.Many2one(
        'stock.lot',
        string="Lot/Serial Number",
        index='btree_not_null',
        ondelete='restrict',
        readonly=True,
    )
    quantity = fields.Float(
        digits=False, min_display_digits='Product Unit', required=True, readonly=True
    )
    product_uom_id = fields.Many2one(
        'uom.uom', string="Unit", required=True, ondelete='restrict', readonly=True
    )
    note = fields.Text(help="What was found, as described by the finder.")
    file_ids = fields.One2many(
        'sale.return.file',
        'discrepancy_id',
        string="Photos",
        help="Photos can be added; they are evidence and stay.",
    )
    qty_here = fields.Float(
        string="Here",
        digits='Product Unit',
        compute='_compute_qty_here',
        store=True,
        help="Quantity of the customer's property in quarantine, in the unit of the product.",
    )
    location_id = fields.Many2one(
        'stock.location',
        string="Place",
        compute='_compute_location_id',
        compute_sudo=True,
        help="Where the goods are.",
    )

    # Its outcome
    state = fields.Selection(
        [('open', "Open"), ('resolved', "Resolved")],
        string="Status",
        required=True,
        default='open',
        index=True,
        tracking=True,
        group_expand=True,
        readonly=True,
    )
    resolution = fields.Selection(DISCREPANCY_RESOLUTIONS, tracking=True, index=True, readonly=True)
    liability = fields.Selection(
        LIABILITIES, string="Whose Fault", help="Whose fault it is.", tracking=True
    )
    reason = fields.Text(
        string="Resolved because", help="Why it was resolved this way.", readonly=True
    )
    resolved_by_id = fields.Many2one('res.users', ondelete='restrict', readonly=True)
    date_resolved = fields.Datetime(string="Resolved on", readonly=True)
    sale_line_id = fields.Many2one(
        'sale.order.line',
        string="Accept for Order Line",
        index='btree_not_null',
        ondelete='restrict',
        help=(
            "If goods are accepted they count as returned of this order line, and are credited "
            "by it. Without one they become our property at no cost."
        ),
    )

    _quantity_positive = models.Constraint(
        'CHECK (quantity > 0)', "The quantity of a discrepancy must be more than zero."
    )
    _open_by_return = models.Index("(return_id) WHERE state = 'open'")

    # === COMPUTE METHODS === #

    @api.depends('name', 'kind', 'product_id')
    def _compute_display_name(self):
        labels = dict(self._fields['kind']._description_selection(self.env))
        for record in self:
            record.display_name = (
                f"{record.name} {labels.get(record.kind, '')}: {record.product_id.display_name}"
            )

    @api.depends('move_ids.state', 'move_ids.quantity', 'move_ids.sale_return_line_id')
    def _compute_qty_here(self):
        for record in self:
            quantity = 0.0
            for move in record.move_ids:
                # Goods that belong to a return line are not the customer's property any more.
                if move.state != 'done' or move.sale_return_line_id:
                    continue
                done = move.product_uom._compute_quantity(
                    move.quantity, record.product_id.uom_id, rounding_method='HALF-UP'
                )
                if move.location_id._is_at_customer():
                    quantity += done
                elif move.location_dest_id.usage in ('customer', 'inventory', 'transit'):
                    quantity -= done
            record.qty_here = quantity

    @api.depends('qty_here', 'kind', 'line_id.qty_to_inspect')
    def _compute_location_id(self):
        for record in self:
            intake = record.move_ids.filtered(
                lambda move: move.state == 'done' and move.location_id._is_at_customer()
            )
            location = intake[:1].location_dest_id if record.qty_here else False
            if record.kind == 'damaged' and record.line_id.qty_to_inspect:
                location = record.return_id.warehouse_id.sale_return_loc_id
            record.location_id = location

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to number the discrepancies; the services create them."""
        for vals in vals_list:
            vals['name'] = self.env['ir.sequence'].next_by_code('sale.return.discrepancy')
        return super().create(vals_list)

    @api.model
    def _get_fixed_fields(self, names):
        """Override of `sale.return.derived`: services set all values of what was found."""
        return set(names)

    def write(self, vals):
        """Override of `base` to protect findings and decisions.

        :raise UserError: when a derived field is set.
        """
        fixed = {name for name in vals if self._is_derived(name)}
        if any(record.state != 'open' for record in self):
            fixed |= vals.keys() & EDITABLE_WHILE_OPEN
        if fixed:
            raise UserError(
                self.env._(
                    "%(fields)s of discrepancy %(names)s cannot be changed: it is evidence. "
                    "Resolve it, and register the right data as a new one.",
                    fields=", ".join(
                        self._fields[name].string for name in sorted(fixed) if name in self._fields
                    ),
                    names=", ".join(self.mapped('name')),
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._(
                "Discrepancy %(names)s is evidence and cannot be deleted. Resolve it.",
                names=", ".join(self.mapped('name')),
            )
        )

    def copy(self, default=None):  # pylint: disable=method-required-super
        """Override of `base`: a discrepancy is a fact about certain goods."""
        raise UserError(self.env._("A discrepancy cannot be duplicated. Register a new one."))

    # === QUANTITIES === #

    def _is_foreign(self):
        """Tell whether it concerns goods that came although they do not belong to the return."""
        self.ensure_one()
        return self.kind in FOREIGN_KINDS

    def _get_line_quantity(self):
        """Return the quantity in the unit of the return line."""
        self.ensure_one()
        line = self.line_id
        if self.product_uom_id == line.product_uom_id:
            return self.quantity
        return line._get_measure().from_stock(
            self.product_uom_id._compute_quantity(
                self.quantity, line.product_id.uom_id, rounding_method='HALF-UP'
            )
        )

    def _check_moved(self):
        """Refuse a record that contradicts the moves of its goods.

        :raise UserError: naming the discrepancy.
        """
        for record in self.filtered(lambda r: r._is_foreign()):
            uom = record.product_id.uom_id
            recorded = record.product_uom_id._compute_quantity(
                record.quantity, uom, rounding_method='HALF-UP'
            )
            intake = record.move_ids.filtered(
                lambda move: (
                    move.state == 'done'
                    and not move.sale_return_line_id
                    and move.location_id._is_at_customer()
                )
            )
            came = sum(
                move.product_uom._compute_quantity(move.quantity, uom, rounding_method='HALF-UP')
                for move in intake
            )
            owned = all(line.owner_id for line in intake.move_line_ids if line.quantity)
            if (
                uom.compare(came, recorded)
                or uom.compare(record.qty_here, 0.0) < 0
                or uom.compare(record.qty_here, recorded) > 0
                or not owned
            ):
                raise UserError(
                    self.env._(
                        "%(quantity)s %(unit)s of %(product)s were recorded in discrepancy "
                        "%(name)s as the customer's property. Its transfers cannot be changed; "
                        "resolve it, and register the right data as a new one.",
                        quantity=recorded,
                        unit=uom._get_name_after(recorded),
                        product=record.product_id.display_name,
                        name=record.name,
                    )
                )

    # === BUTTONS === #

    def action_view_transfers(self):
        """Show the transfers that moved the goods."""
        return self.env['sale.return.opening']._open_transfers(self)

    def action_open_resolution(self):
        """Open the dialog that asks for the resolution."""
        self.env['sale.return']._ensure_group('group_inspector')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Resolve"),
            'res_model': 'sale.return.discrepancy.resolve',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_discrepancy_ids': self.ids},
        }

    # === REGISTER === #

    # The steps of a discrepancy: registered, then resolved.
    #
    #   accept, for an order line   Quarantine ──► Customers ──► Quarantine (ours, origin linked)
    #   accept, without             Quarantine ──► Customers; Scrapped Returns ──► Quarantine (0.00)
    #   send_back                   Quarantine ──► Customers   ready, done when the parcel leaves
    #   write_off                   Quarantine ──► Scrapped Returns
    #
    # All but the goods that become ours are the customer's, and not valued.

    @api.model
    def _create_found(self, vals_list, with_activity=True):
        """Create discrepancies, log them, and give their owners an activity.

        :param list vals_list: values for `create`.
        :param bool with_activity: False for discrepancies that are resolved at once.
        :return: the new discrepancies.
        :rtype: sale.return.discrepancy
        """
        # sudo: nobody writes evidence directly; the caller has found something.
        records = self.sudo().create(vals_list)
        records._log_event('discrepancy', [record.note for record in records])
        for user, group in (records if with_activity else self).grouped('user_id').items():
            owner = user or self.env.user
            speaker = self.with_context(lang=owner.lang)
            group.activity_schedule(
                'mail.mail_activity_data_todo',
                summary=speaker.env._("Decide what happens to it"),
                user_id=owner.id,
            )
        return records

    def _log_event(self, kind, reasons):
        """Log one event for each discrepancy on its return."""
        kinds = dict(self._fields['kind']._description_selection(self.env))
        resolutions = dict(self._fields['resolution']._description_selection(self.env))
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': record.return_id.id,
                    'line_id': record.line_id.id,
                    'kind': kind,
                    'reason': reason,
                    'details': " · ".join(
                        filter(
                            None,
                            [
                                record.name,
                                kinds[record.kind],
                                record.product_uom_id._say(record.quantity),
                                record.product_id.display_name,
                                record.lot_id.name,
                                resolutions.get(record.resolution),
                            ],
                        )
                    ),
                }
                for record, reason in zip(self, reasons, strict=True)
            ]
        )

    # === RESOLVE === #

    @reads(resolution=text, reason=text, liability=text)
    def action_resolve(self, resolution, reason=None, liability=None):
        """Resolve the discrepancies, and move the goods accordingly.

        Claimed goods may be resolved again as long as they are here: the claim stays in the
        history.

        :param str resolution: `accept`, `write_off`, `send_back` or `claim`.
        :param str reason: why; required where something is written off.
        :param str liability: who pays for it, required for a claim (`carrier`, `supplier`, ...).
        :return: True
        :raise AccessError: without the role of inspector; accepting goods, and writing off credited
            ones, needs an approver.
        :raise UserError: when it is already resolved, or cannot be resolved that way.
        """
        returns = self.env['sale.return']
        foreign = self.filtered(lambda record: record._is_foreign())
        accepts = resolution == 'accept' and foreign
        returns._ensure_group('group_approver' if accepts else 'group_inspector')
        self.check_access('read')
        self._ensure_resolvable(resolution, reason, liability)
        if resolution in ('write_off', 'claim'):
            self._ensure_may_write_off()
        # sudo: moving the goods is part of the resolution and needs no rights in Inventory; the
        # group was checked.
        records = self.sudo().with_context(clean_context(self.env.context))
        records._settle(resolution, reason, liability)
        getattr(records, f'_resolve_{resolution}')()
        records.return_id._after_step()
        return True

    def _ensure_may_write_off(self):
        """Only let approvers stop expecting goods that are already credited.

        :raise AccessError: without the role of approver.
        :raise UserError: when the user requested the return.
        """
        lines = self.filtered(lambda record: record.kind in ('short', 'empty')).line_id
        early = lines.filtered(lambda line: line._is_credited_before_it_came())
        self.env['sale.return.disposal']._ensure_may_leave(early)

    def _settle(self, resolution, reason, liability=None):
        """Record what was decided, by whom and why."""
        self._write_facts(
            {
                'state': 'resolved',
                'resolution': resolution,
                'reason': reason,
                'resolved_by_id': self.env.uid,
                'date_resolved': fields.Datetime.now(),
                **({'liability': liability} if liability else {}),
            }
        )
        self._log_event('discrepancy_resolved', [reason] * len(self))
        self.activity_feedback(['mail.mail_activity_data_todo'], feedback=reason)

    def _ensure_resolvable(self, resolution, reason, liability):
        """Refuse a resolution that makes no sense for the kind.

        :raise UserError: naming the discrepancy and what is possible.
        """
        labels = dict(self._fields['resolution']._description_selection(self.env))
        for record in self:
            if record.state == 'resolved' and not (
                record.resolution == 'claim' and record._is_foreign() and record.qty_here
            ):
                raise UserError(
                    self.env._("Discrepancy %(name)s is already resolved.", name=record.name)
                )
            possible = RESOLUTIONS_BY_KIND[record.kind]
            if resolution not in possible:
                raise UserError(
                    self.env._(
                        "“%(resolution)s” is not a resolution for %(name)s. Choose one of "
                        "%(possible)s.",
                        resolution=labels.get(resolution, resolution),
                        name=record.display_name,
                        possible=", ".join(labels[value] for value in possible),
                    )
                )
        if resolution == 'write_off' and not (reason or "").strip():
            raise UserError(self.env._("Enter why it is written off."))
        if liability and liability not in dict(LIABILITIES):
            raise UserError(
                self.env._(
                    "“%(liability)s” cannot be liable. Choose one of %(choices)s.",
                    liability=liability,
                    choices=", ".join(dict(LIABILITIES)),
                )
            )
        if resolution == 'claim' and not all(liability or record.liability for record in self):
            raise UserError(self.env._("Enter who is liable for the claim."))

    def _resolve_accept(self):
        """Surplus goods become part of the return; missing goods are expected again."""
        foreign = self.filtered(lambda record: record._is_foreign())
        missing = self.filtered(lambda record: record.kind in ('short', 'empty'))
        self.env['sale.return.reception']._create_receipts(
            missing.return_id.filtered(lambda r: r.state == 'approved')
        )
        self.env['sale.return.custody']._accept(foreign)

    def _resolve_write_off(self):
        """Missing goods are not expected any more; foreign goods are scrapped."""
        self._write_off_missing()
        foreign = self.filtered(lambda record: record._is_foreign())
        self.env['sale.return.custody']._scrap(foreign)

    def _resolve_send_back(self):
        """Foreign goods go back to the customer."""
        self.env['sale.return.custody']._send_back(self)

    def _resolve_claim(self):
        """The record is the basis of a claim. Goods stay where they are."""
        self._write_off_missing()

    def _write_off_missing(self):
        """Stop expecting missing goods."""
        # sudo: the callers have checked the user's rights.
        lines = self.env['sale.return.line'].sudo()
        early = {}
        for record in self.filtered(lambda r: r.kind in ('short', 'empty') and r.line_id):
            line = record.line_id
            quantity = min(record._get_line_quantity(), line._get_qty_missing())
            if line._is_credited_before_it_came():
                early[line] = early.get(line, 0.0) + quantity
            # One write per line: each has its own missing quantity.
            line._write_facts({'qty_written_off': line.qty_written_off + quantity})
            lines |= line
        self.env['sale.return.unbacked']._note_written_off(early)
        self.env['sale.return.reception']._cancel_unexpected(lines)

    def _reopen(self):
        """Reopen discrepancies whose goods did not go where they should."""
        # sudo: cancelling a transfer reopens it, no matter who cancels.
        records = self.sudo().filtered(lambda r: r.state == 'resolved' and r.qty_here)
        records._write_facts({'state': 'open', 'resolution': False})
        records._log_event(
            'discrepancy', [self.env._("Its transfer was cancelled.")] * len(records)
        )
        records.return_id._close_or_reopen()

    # === GUARD === #

    def _ensure_none_open(self):
        """Refuse to finish returns with open discrepancies.

        :raise UserError: naming them.
        """
        if opened := self.filtered(lambda record: record.state == 'open'):
            raise UserError(
                self.env._(
                    "Return %(returns)s cannot be closed: decide first what happens to "
                    "%(discrepancies)s.",
                    returns=", ".join(opened.return_id.mapped('name')),
                    discrepancies=", ".join(opened.mapped('display_name')),
                )
            )
