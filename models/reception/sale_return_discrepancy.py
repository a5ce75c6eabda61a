from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import DISCREPANCY_KINDS, DISCREPANCY_RESOLUTIONS, FOREIGN_KINDS, LIABILITIES

# What people write on a discrepancy; everything else follows from what was found and decided.
EDITABLE_FIELDS = frozenset({'user_id', 'note', 'file_ids'})
EDITABLE_WHILE_OPEN = frozenset({'sale_line_id', 'liability'})
EDITABLE_PREFIXES = ('message_', 'activity_')


class SaleReturnDiscrepancy(models.Model):
    """What came (or did not come) is not what was expected.

    Goods that do not belong to the return have a move of their own into quarantine, without order
    line and origin. They stay the customer's, so they are not valued:

        Customers ──► Quarantine (owner: customer)

    Only the resolution makes something else of them, see `sale_return_discrepancy_steps`.
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
        help="The line it is about. Goods nobody asked to return belong to none.",
        readonly=True,
    )
    company_id = fields.Many2one(related='return_id.company_id', store=True, index=True)
    partner_id = fields.Many2one(related='return_id.partner_id', store=True, index=True)
    user_id = fields.Many2one(
        'res.users',
        string="Responsible",
        index=True,
        tracking=True,
        help="Has to decide what becomes of it.",
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
    quantity = fields.Float(digits='Product Unit', required=True, readonly=True)
    product_uom_id = fields.Many2one(
        'uom.uom', string="Unit", required=True, ondelete='restrict', readonly=True
    )
    note = fields.Text(help="What was found, in the words of the one who found it.")
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
        help="How much of the customer's property lies in quarantine, in the unit of the product.",
    )
    location_id = fields.Many2one(
        'stock.location',
        string="Place",
        compute='_compute_location_id',
        compute_sudo=True,
        help="Where the thing lies.",
    )

    # What became of it
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
    liability = fields.Selection(LIABILITIES, help="Who pays for it.", tracking=True)
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
        help="If goods are accepted they count as returned of this order line, and are credited by "
        "it. Without one they become our property for nothing.",
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
                # What belongs to a return line is not the customer's property any more.
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
        """Override of `sale.return.derived`: services say all there is to say of what was found."""
        return set(names)

    def write(self, vals):
        """Override of `base` to keep what was found and decided as it was recorded.

        :raise UserError: when a field is set that follows from what was done.
        """
        fixed = {
            name
            for name in vals
            if name not in EDITABLE_FIELDS | EDITABLE_WHILE_OPEN
            and not name.startswith(EDITABLE_PREFIXES)
        }
        if any(record.state != 'open' for record in self):
            fixed |= vals.keys() & EDITABLE_WHILE_OPEN
        if fixed:
            raise UserError(
                self.env._(
                    "%(fields)s of discrepancy %(names)s cannot be changed: it is evidence. "
                    "Resolve it, and register what is right as a new one.",
                    fields=", ".join(
                        self._fields[name].string for name in sorted(fixed) if name in self._fields
                    ),
                    names=", ".join(self.mapped('name')),
                )
            )
        return super().write(vals)

    def _write_facts(self, vals):
        """Write fields that follow from what was done; `write` refuses them to everybody."""
        # Past our own `write`, to those of the models below it.
        return super().write(vals)  # pylint: disable=super-method-mismatch

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
        """Tell whether it is about goods that came although they do not belong to the return."""
        self.ensure_one()
        return self.kind in FOREIGN_KINDS

    def _get_line_quantity(self):
        """Return the quantity in the unit of the return line."""
        self.ensure_one()
        return self.product_uom_id._compute_quantity(
            self.quantity, self.line_id.product_uom_id, rounding_method='HALF-UP'
        )

    def _check_moved(self):
        """Refuse that the record and the moves of its goods say different things.

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
                        "resolve it, and register what is right as a new one.",
                        quantity=recorded,
                        unit=uom.name,
                        product=record.product_id.display_name,
                        name=record.name,
                    )
                )

    # === BUTTONS === #

    def action_view_transfers(self):
        """Show the transfers that moved the goods."""
        self.check_access('read')
        return self.env['sale.return.opening']._open_or_tell(
            # sudo: the numbers of documents only.
            self.sudo().move_ids.picking_id,
            self.env._("Transfers"),
        )

    def action_open_resolution(self):
        """Open the dialog that asks what becomes of it."""
        self.env['sale.return']._ensure_group('group_inspector')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Resolve"),
            'res_model': 'sale.return.discrepancy.resolve',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_discrepancy_ids': self.ids},
        }
