from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ...const import PROGRESS, RETURN_STATES, TRANSITIONS, progress

# What a client may still change after the return was submitted.
EDITABLE_AFTER_SUBMIT = frozenset(
    {'user_id', 'team_id', 'warehouse_id', 'carrier_name', 'tracking_ref', 'file_ids'}
)
EDITABLE_PREFIXES = ('message_', 'activity_', 'rating_', 'access_', 'website_message_')


class SaleReturn(models.Model):
    """A customer's return, from the request to the last cent in the ledger."""

    _name = 'sale.return'
    _description = "Customer Return"
    _inherit = [
        'sale.return.derived',
        'sale.return.ruled',
        'portal.mixin',
        'rating.mixin',
        'mail.thread',
        'mail.activity.mixin',
    ]
    _order = 'id desc'
    _check_company_auto = True
    _rec_names_search = ['name', 'external_ref', 'partner_id.name', 'tracking_ref']

    _protected_fields = frozenset(
        {
            'state',
            'name',
            'event_ids',
            'approval_ids',
            'inspection_ids',
            'date_dispatched',
            'credit_queued',
            'credit_error',
            'credit_attempts',
            'credit_retry_at',
        }
    )

    # Identity
    name = fields.Char(
        string="Number",
        required=True,
        readonly=True,
        copy=False,
        index='trigram',
        default=lambda self: self.env._("New"),
    )
    external_ref = fields.Char(
        string="External Reference",
        copy=False,
        help="Number of this return in another system, unique per company. Creating a return "
        "with a reference that exists already gives that return.",
    )
    state = fields.Selection(
        RETURN_STATES,
        string="Status",
        required=True,
        readonly=True,
        copy=False,
        default='draft',
        index=True,
        tracking=True,
        group_expand=True,  # the kanban shows all columns, in the order of the way
    )
    partner_id = fields.Many2one(
        'res.partner',
        string="Customer",
        required=True,
        index=True,
        compute='_compute_partner_id',
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
    )
    commercial_partner_id = fields.Many2one(related='partner_id.commercial_partner_id')
    company_id = fields.Many2one(
        'res.company',
        required=True,
        index=True,
        compute='_compute_company_id',
        store=True,
        readonly=False,
        precompute=True,
    )
    currency_id = fields.Many2one('res.currency', compute='_compute_currency_id', store=True)
    warehouse_id = fields.Many2one(
        'stock.warehouse',
        check_company=True,
        compute='_compute_warehouse_id',
        store=True,
        readonly=False,
        index='btree_not_null',
        help="Where the goods are received. By default the one that shipped most of them.",
    )
    user_id = fields.Many2one(
        'res.users', string="Responsible", default=lambda self: self.env.user, tracking=True
    )
    color = fields.Integer()

    # Parcel
    carrier_name = fields.Char(string="Carrier")
    tracking_ref = fields.Char(string="Tracking Reference", index='trigram', copy=False)
    date_dispatched = fields.Datetime(
        string="Dispatched on",
        readonly=True,
        copy=False,
        help="When the customer sent the goods, as far as we know or were told.",
    )

    # Links
    line_ids = fields.One2many('sale.return.line', 'return_id', copy=True)
    event_ids = fields.One2many('sale.return.event', 'return_id', readonly=True)
    approval_ids = fields.One2many('sale.return.approval', 'return_id', readonly=True)
    inspection_ids = fields.One2many('sale.return.inspection', 'return_id', readonly=True)
    reason_ids = fields.Many2many(
        'sale.return.reason',
        string="Reasons",
        compute='_compute_reason_ids',
        search='_search_reason_ids',
    )
    sale_order_ids = fields.Many2many(
        'sale.order',
        compute='_compute_sale_order_ids',
        compute_sudo=True,
        search='_search_sale_order_ids',
    )
    sale_order_names = fields.Char(
        string="Orders", compute='_compute_sale_order_ids', compute_sudo=True
    )
    picking_ids = fields.Many2many(
        'stock.picking',
        string="Receipts",
        compute='_compute_picking_ids',
        compute_sudo=True,
    )
    transfer_ids = fields.Many2many(
        'stock.picking',
        string="Transfers",
        compute='_compute_picking_ids',
        compute_sudo=True,
        help="What moved the goods out of quarantine.",
    )
    delivery_ids = fields.Many2many(
        'stock.picking', string="Deliveries", compute='_compute_picking_ids', compute_sudo=True
    )
    credit_note_ids = fields.Many2many(
        'account.move', compute='_compute_credit_note_ids', compute_sudo=True
    )
    invoice_ids = fields.Many2many(
        'account.move', compute='_compute_credit_note_ids', compute_sudo=True
    )
    sale_order_count = fields.Integer(compute='_compute_sale_order_ids', compute_sudo=True)
    picking_count = fields.Integer(compute='_compute_picking_ids', compute_sudo=True)
    transfer_count = fields.Integer(compute='_compute_picking_ids', compute_sudo=True)
    delivery_count = fields.Integer(compute='_compute_picking_ids', compute_sudo=True)
    credit_note_count = fields.Integer(compute='_compute_credit_note_ids', compute_sudo=True)
    invoice_count = fields.Integer(compute='_compute_credit_note_ids', compute_sudo=True)

    # Progress
    reception_state = fields.Selection(PROGRESS, compute='_compute_progress', store=True)
    inspection_state = fields.Selection(PROGRESS, compute='_compute_progress', store=True)
    credit_state = fields.Selection(PROGRESS, compute='_compute_progress', store=True, index=True)
    has_to_inspect = fields.Boolean(
        compute='_compute_has_to_inspect', help="Something was received and not inspected yet."
    )

    _external_ref_unique = models.UniqueIndex(
        '(company_id, external_ref) WHERE external_ref IS NOT NULL',
        "There is a return with this external reference already.",
    )
    _credit_queued_index = models.Index('(id) WHERE credit_queued')

    # === COMPUTE METHODS === #

    @api.depends('line_ids.sale_line_id')
    def _compute_partner_id(self):
        for sale_return in self:
            orders = sale_return.line_ids.sale_line_id.order_id
            sale_return.partner_id = sale_return.partner_id or orders[:1].partner_id

    @api.depends('line_ids.sale_line_id')
    def _compute_company_id(self):
        for sale_return in self:
            orders = sale_return.line_ids.sale_line_id.order_id
            sale_return.company_id = (
                orders[:1].company_id or sale_return.company_id or (self.env.company)
            )

    @api.depends('line_ids.sale_line_id.currency_id', 'company_id')
    def _compute_currency_id(self):
        for sale_return in self:
            currencies = sale_return.line_ids.sale_line_id.currency_id
            sale_return.currency_id = (
                currencies if len(currencies) == 1 else sale_return.company_id.currency_id
            )

    @api.depends('line_ids.sale_line_id', 'company_id')
    def _compute_warehouse_id(self):
        for sale_return in self:
            # What somebody has chosen stays.
            sale_return.warehouse_id = (
                sale_return.warehouse_id or sale_return._get_shipping_warehouse()
            )

    def _get_shipping_warehouse(self):
        """Return the warehouse that shipped most of the returned order lines."""
        self.ensure_one()
        quantities = defaultdict(float)
        for line in self.line_ids:
            for move in line.sale_line_id.move_ids.filtered(lambda m: m.state == 'done'):
                quantities[move.location_id.warehouse_id] += move.quantity
        quantities.pop(self.env['stock.warehouse'], None)
        if quantities:
            return max(quantities, key=lambda warehouse: (quantities[warehouse], -warehouse.id))
        orders = self.line_ids.sale_line_id.order_id
        return orders[:1].warehouse_id or self.env['stock.warehouse'].search(
            [('company_id', '=', self.company_id.id)], limit=1
        )

    @api.depends('line_ids.sale_line_id.order_id.name')
    def _compute_sale_order_ids(self):
        for sale_return in self:
            sale_return.sale_order_ids = sale_return.line_ids.sale_line_id.order_id
            # The names are for lists: who follows a return may not be allowed to read its order.
            sale_return.sale_order_names = ', '.join(
                order.name for order in sale_return.sale_order_ids if order.name
            )
            sale_return.sale_order_count = len(sale_return.sale_order_ids)

    @api.depends('line_ids.reason_id')
    def _compute_reason_ids(self):
        for sale_return in self:
            sale_return.reason_ids = sale_return.line_ids.reason_id

    def _search_reason_ids(self, operator, value):
        return Domain('line_ids.reason_id', operator, value)

    def _search_sale_order_ids(self, operator, value):
        return Domain('line_ids.order_id', operator, value)

    @api.depends('line_ids.move_ids.picking_id', 'line_ids.sale_line_id.move_ids')
    def _compute_picking_ids(self):
        for sale_return in self:
            moves = sale_return.line_ids.move_ids
            receipts = moves.filtered(lambda move: move._is_sale_return_receipt()).picking_id
            sale_return.picking_ids = receipts
            sale_return.transfer_ids = moves.picking_id - receipts
            sale_return.delivery_ids = sale_return.line_ids.sale_line_id.move_ids.filtered(
                lambda move: move.state == 'done' and move.location_dest_id._is_at_customer()
            ).picking_id
            sale_return.picking_count = len(sale_return.picking_ids)
            sale_return.transfer_count = len(sale_return.transfer_ids)
            sale_return.delivery_count = len(sale_return.delivery_ids)

    @api.depends('line_ids.credit_line_ids.move_id', 'line_ids.sale_line_id.invoice_lines')
    def _compute_credit_note_ids(self):
        for sale_return in self:
            sale_return.credit_note_ids = sale_return.line_ids.credit_line_ids.move_id
            sale_return.invoice_ids = (
                sale_return.line_ids.sale_line_id.invoice_lines.move_id.filtered(
                    lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
                )
            )
            sale_return.credit_note_count = len(sale_return.credit_note_ids)
            sale_return.invoice_count = len(sale_return.invoice_ids)

    @api.depends(
        'state',
        'line_ids.qty_requested',
        'line_ids.qty_authorized',
        'line_ids.qty_written_off',
        'line_ids.qty_received',
        'line_ids.qty_kept',
        'line_ids.qty_inspected',
        'line_ids.qty_rejected',
        'line_ids.qty_credited_posted',
        'line_ids.qty_to_credit_expected',
        'line_ids.return_expected',
    )
    def _compute_progress(self):
        for sale_return in self:
            lines = sale_return.line_ids
            if sale_return.state in ('refused', 'cancelled'):
                lines = lines.browse()
            arriving = lines.filtered('return_expected')
            expected = sum(line._get_qty_expected() for line in arriving)
            compare = sale_return._compare_quantities
            sale_return.reception_state = progress(
                sum(arriving.mapped('qty_received')),
                expected - sum(arriving.mapped('qty_kept')),
                compare,
            )
            sale_return.inspection_state = progress(
                sum(arriving.mapped('qty_inspected')), expected, compare
            )
            sale_return.credit_state = progress(
                sum(lines.mapped('qty_credited_posted')),
                sum(lines.mapped('qty_to_credit_expected')),
                compare,
            )

    @api.depends('line_ids.qty_to_inspect')
    def _compute_has_to_inspect(self):
        for sale_return in self:
            sale_return.has_to_inspect = any(
                not line.product_uom_id.is_zero(line.qty_to_inspect)
                for line in sale_return.line_ids
            )

    def _compare_quantities(self, left, right):
        """Compare two sums of quantities, -1, 0 or 1, to the precision of product units."""
        self.ensure_one()
        uom = self.line_ids.product_uom_id[:1]
        return uom.compare(left, right) if uom else (left > right) - (left < right)

    def _compute_access_url(self):
        """Override of `portal` to name the page of the return."""
        result = super()._compute_access_url()
        for sale_return in self:
            sale_return.access_url = f'/my/returns/{sale_return.id}'
        return result

    # === CONSTRAINT METHODS === #

    @api.constrains('line_ids', 'partner_id', 'company_id')
    def _check_one_customer_and_company(self):
        for sale_return in self:
            sale_return.line_ids._check_fits_return()

    @api.constrains('warehouse_id')
    def _check_warehouse(self):
        for sale_return in self:
            warehouse = sale_return.warehouse_id
            if warehouse and warehouse.company_id != sale_return.company_id:
                raise ValidationError(
                    self.env._(
                        "Warehouse %(warehouse)s belongs to another company than return "
                        "%(return)s. Choose a warehouse of %(company)s.",
                        warehouse=warehouse.name,
                        company=sale_return.company_id.name,
                        **{'return': sale_return.name},
                    )
                )

    # === CRUD METHODS === #

    def write(self, vals):
        """Override of `base` to keep what was submitted as it was submitted.

        :raise UserError: when a field is set that follows from what was done, or one that is
            fixed since the return was submitted.
        """
        vals = self._clean_changes(vals)
        fixed = {
            name
            for name in vals
            if name not in EDITABLE_AFTER_SUBMIT
            and name != 'color'
            and not name.startswith(EDITABLE_PREFIXES)
        }
        if 'warehouse_id' in vals:
            self._ensure_warehouse_changeable()
        if fixed and (locked := self.filtered(lambda r: r.state != 'draft')):
            raise UserError(
                self.env._(
                    "Return %(returns)s was submitted, so its %(fields)s cannot be changed any "
                    "more. Set it back to draft first.",
                    returns=", ".join(locked.mapped('name')),
                    fields=", ".join(self._fields[name].string for name in sorted(fixed)),
                )
            )
        return super().write(vals)

    def _ensure_warehouse_changeable(self):
        if fixed := self.filtered(lambda r: r.state not in ('draft', 'submitted')):
            raise UserError(
                self.env._(
                    "The warehouse of return %(returns)s is fixed since its approval.",
                    returns=", ".join(fixed.mapped('name')),
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        for sale_return in self:
            if sale_return.state != 'draft' or sale_return.event_ids:
                raise UserError(
                    self.env._(
                        "Return %(return)s has a history and cannot be deleted. Cancel it instead.",
                        **{'return': sale_return.name},
                    )
                )

    def copy(self, default=None):  # pylint: disable=method-required-super
        """Override of `base`: a return is a fact about certain goods and cannot be doubled."""
        raise UserError(self.env._("A return cannot be duplicated. Create one from the order."))

    # === STATE === #

    def _update_state(self, state, reason=None):
        """Change the state of returns: the only way there is.

        :param str state: the new state.
        :param str reason: why, for the event log.
        :raise UserError: when a return cannot go from its state to the new one.
        """
        labels = dict(self._fields['state']._description_selection(self.env))
        for sale_return in self:
            if (sale_return.state, state) not in TRANSITIONS:
                raise UserError(
                    self.env._(
                        "Return %(return)s is %(state)s and cannot become %(new_state)s.",
                        state=labels[sale_return.state],
                        new_state=labels[state],
                        **{'return': sale_return.name},
                    )
                )
        events = [
            {
                'return_id': sale_return.id,
                'kind': 'state',
                'state_from': sale_return.state,
                'state_to': state,
                'reason': reason,
            }
            for sale_return in self
        ]
        self._write_facts({'state': state})
        self.env['sale.return.event']._log(events)

    def _write_facts(self, vals):
        """Write fields that follow from what was done; `write` refuses them to everybody.

        Being private it cannot be called by RPC, whatever the rights or the context.
        """
        # Past our own `write`, to those of the models below it.
        return super().write(vals)  # pylint: disable=super-method-mismatch
