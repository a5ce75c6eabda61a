from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Domain

from ...const import PROGRESS, progress
from .const import RETURN_STATES

# Fields that a client may still change after the return was submitted.
EDITABLE_AFTER_SUBMIT = frozenset(
    {'user_id', 'team_id', 'warehouse_id', 'carrier_name', 'tracking_ref', 'file_ids'}
)
EDITABLE_PREFIXES = ('message_', 'activity_', 'rating_', 'access_', 'website_message_')


class SaleReturn(models.Model):
    """A customer's return, from the request to the last cent in the ledger.

    Its other parts: `sale_return_steps.py`.
    """

    _name = 'sale.return'

    _description = "Customer Return"
    _inherit = [
        'sale.return.derived',
        'sale.return.ruled',
        'sale.return.dispatch',
        'portal.mixin',
        'rating.mixin',
        'mail.thread',
        'mail.activity.mixin',
    ]

    _order = 'id desc'
    _check_company_auto = True
    _rec_names_search = ['name', 'external_ref', 'partner_id.name', 'tracking_ref']

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
        help=(
            "Number of this return in another system, unique per company. Creating a return with "
            "an existing reference returns the existing one."
        ),
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
        group_expand=True,  # the kanban shows all columns, in the order of the process
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
        string="Sent by the Customer on",
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
        help="Transfers that moved the goods out of quarantine.",
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
    reception_state = fields.Selection(
        [('no', "No goods to come"), *PROGRESS], compute='_compute_progress', store=True
    )
    inspection_state = fields.Selection(
        [('no', "Nothing to inspect"), *PROGRESS], compute='_compute_progress', store=True
    )
    credit_state = fields.Selection(
        [('no', "Nothing to credit"), *PROGRESS],
        compute='_compute_progress',
        store=True,
        index=True,
    )
    is_counted_otherwise = fields.Boolean(compute='_compute_is_counted_otherwise')
    has_to_inspect = fields.Boolean(
        compute='_compute_has_to_inspect', help="Some of the received goods are not inspected yet."
    )

    _external_ref_unique = models.UniqueIndex(
        '(company_id, external_ref) WHERE external_ref IS NOT NULL',
        "There is already a return with this external reference.",
    )
    _credit_queued_index = models.Index('(id) WHERE credit_queued')

    # The end of the chain of a return's log.
    log_hash = fields.Char(
        technical=True,
        readonly=True,
        copy=False,
        help="Hash of the last event: events missing at the end are detected.",
    )

    # Finds the returns that changed since the facts of the analysis were stored.
    _facts_write_date = models.Index('(write_date)')

    # The return slip: what the customer puts into the parcel, and when it is mailed.
    date_send_until = fields.Date(
        string="Last Day to Send",
        compute='_compute_date_send_until',
        store=True,
        help=(
            "Day of the approval plus the days of the policy, inclusive. The line with the fewest"
            " days counts. Empty when no goods are expected."
        ),
    )

    # Differences are few among millions of returns: the nightly check reads these indexes only.
    _refund_open_index = models.Index("(company_id) WHERE refund_state IN ('pending', 'partial')")

    # The bench finds what was scanned by equality. Odoo's own indexes on these columns are for
    # searching parts of them (trigram): they can answer an equality, but read thousands of rows
    # when numbers are similar.
    _bench_name = models.Index('(name)')
    _bench_tracking = models.Index('(tracking_ref) WHERE tracking_ref IS NOT NULL')
    _bench_external_ref = models.Index('(external_ref) WHERE external_ref IS NOT NULL')

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
            # A value that somebody has chosen is kept.
            sale_return.warehouse_id = (
                sale_return.warehouse_id or sale_return._get_shipping_warehouse()
            )

    def _get_shipping_warehouse(self):
        """Return the warehouse that shipped most of the returned order lines."""
        self.ensure_one()
        quantities = defaultdict(float)
        for line in self.line_ids:
            for move in line.sale_line_id.move_ids.filtered(lambda m: m.state == 'done'):
                if move.location_id.warehouse_id.active:
                    quantities[move.location_id.warehouse_id] += move.quantity
        if quantities:
            return max(quantities, key=lambda warehouse: (quantities[warehouse], -warehouse.id))
        ordered_from = self.line_ids.sale_line_id.order_id.warehouse_id.filtered('active')
        return ordered_from[:1] or self.env['stock.warehouse'].search(
            [('company_id', '=', self.company_id.id)], limit=1
        )

    @api.depends('line_ids.sale_line_id.order_id.name')
    def _compute_sale_order_ids(self):
        for sale_return in self:
            sale_return.sale_order_ids = sale_return._get_named_lines().sale_line_id.order_id
            # The names are for lists: a follower of a return may not be allowed to read its order.
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
            lines = sale_return._get_named_lines()
            moves = lines.move_ids
            receipts = moves.filtered(lambda move: move._is_sale_return_receipt()).picking_id
            sale_return.picking_ids = receipts
            sale_return.transfer_ids = moves.picking_id - receipts
            sale_return.delivery_ids = lines.sale_line_id.move_ids.filtered(
                lambda move: move.state == 'done' and move.location_dest_id._is_at_customer()
            ).picking_id
            sale_return.picking_count = len(sale_return.picking_ids)
            sale_return.transfer_count = len(sale_return.transfer_ids)
            sale_return.delivery_count = len(sale_return.delivery_ids)

    @api.depends('line_ids.credit_line_ids.move_id', 'line_ids.sale_line_id.invoice_lines')
    def _compute_credit_note_ids(self):
        for sale_return in self:
            lines = sale_return._get_named_lines()
            sale_return.credit_note_ids = lines.credit_line_ids.move_id
            sale_return.invoice_ids = lines.sale_line_id.invoice_lines.move_id.filtered(
                lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
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

    @api.depends('line_ids.product_uom_id', 'line_ids.product_id')
    def _compute_is_counted_otherwise(self):
        for sale_return in self:
            sale_return.is_counted_otherwise = any(
                sale_return.line_ids.mapped('is_counted_otherwise')
            )

    @api.depends('line_ids.qty_to_inspect')
    def _compute_has_to_inspect(self):
        for sale_return in self:
            sale_return.has_to_inspect = any(
                not line._get_measure().is_zero(line.qty_to_inspect)
                for line in sale_return.line_ids
            )

    def _compare_quantities(self, left, right):
        """Compare two sums of quantities, -1, 0 or 1, to half the smallest step of the lines."""
        self.ensure_one()
        steps = [line._get_measure().rounding for line in self.line_ids]
        if abs(left - right) < min(steps, default=0.0) / 2:
            return 0
        return (left > right) - (left < right)

    def _compute_access_url(self):
        """Override of `portal` to name the page of the return."""
        result = super()._compute_access_url()
        for sale_return in self:
            sale_return.access_url = f'/my/returns/{sale_return.id}'
        return result

    # Does not depend on the days of the policy: what the customer was told stays valid when the
    # policy changes.
    @api.depends(
        'state',
        'approval_ids.decision',
        'approval_ids.date',
        'line_ids.return_expected',
        'line_ids.policy_id',
    )
    def _compute_date_send_until(self):
        for sale_return in self:
            sale_return.date_send_until = sale_return._get_date_send_until()

    def _get_date_send_until(self):
        """Return the last day on which the goods may be sent, in the company's time zone.

        For example: approved at 2026-03-01 23:30 UTC by a company in Shanghai (already 2 March
        there), 30 days: 2026-04-01.

        :return: the last day, inclusive; False when nothing is expected or nothing is approved.
        :rtype: datetime.date | bool
        """
        self.ensure_one()
        approvals = self.approval_ids.filtered(lambda a: a.decision == 'approved')
        # Lines that a person approved without a policy set no limit.
        policies = self.line_ids.filtered('return_expected').policy_id
        if self.state not in ('approved', 'closed') or not approvals or not policies:
            return False
        approved_on = self.company_id._get_sale_return_day(max(approvals.mapped('date')))
        return approved_on + timedelta(days=min(policies.mapped('expiry_days')))

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
        """Override of `base` to protect submitted data.

        :raise UserError: when a derived field is set, or one that is fixed after submission.
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
        if fixed:
            self._ensure_changeable(fixed)
        return super().write(vals)

    def _ensure_changeable(self, names):
        """Refuse to change what was submitted. Override to protect more.

        :param set names: of the fields.
        :raise UserError: naming the returns and the fields.
        """
        if locked := self.filtered(lambda r: r.state != 'draft'):
            raise UserError(
                self.env._(
                    "Return %(returns)s was submitted, so its %(fields)s can no longer be "
                    "changed. Set it back to draft first.",
                    returns=", ".join(locked.mapped('name')),
                    fields=", ".join(self._fields[name].string for name in sorted(names)),
                )
            )

    def _ensure_warehouse_changeable(self):
        if fixed := self.filtered(lambda r: r.state not in ('draft', 'submitted')):
            raise UserError(
                self.env._(
                    "The warehouse of return %(returns)s cannot be changed since its approval.",
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
        """Override of `base`: a return is a fact about certain goods and cannot be duplicated."""
        raise UserError(self.env._("A return cannot be duplicated. Create one from the order."))

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base`: number the returns; return the existing one for a known reference.

        `line_ids` may also be a plain list of dicts, which is what a JSON client writes.

        :raise UserError: when a derived field is set, or a reference already exists for another
            customer or other lines.
        """
        if any((vals.get('state') or 'draft') != 'draft' for vals in vals_list):
            raise UserError(
                self.env._("A new return starts as a draft. Submit it after creating it.")
            )
        vals_list = [dict(self._clean_new(vals)) for vals in vals_list]
        for vals in vals_list:
            vals['line_ids'] = [
                Command.create(line) if isinstance(line, dict) else line
                for line in vals.get('line_ids') or []
            ]
        existing = self._find_by_external_ref(vals_list)
        new_vals = []
        for vals in vals_list:
            if self._get_reference_key(vals) in existing:
                continue
            vals['name'] = self.env['ir.sequence'].next_by_code('sale.return')
            new_vals.append(vals)
            if key := self._get_reference_key(vals):
                existing[key] = None  # the second one in the same call gets the first
        created = super().create(new_vals)
        by_key = {**existing, **self._find_keys(created)}
        for vals in vals_list:
            if key := self._get_reference_key(vals):
                by_key[key]._ensure_same_request(vals)
        rest = iter(created.filtered(lambda r: not r.external_ref))
        return self.browse(
            (by_key[key] if (key := self._get_reference_key(vals)) else next(rest)).id
            for vals in vals_list
        )

    # === INTAKE === #

    # How returns are created: numbered, and once for each external reference.

    def _get_reference_key(self, vals):
        """Return `(company id, reference)` of values, None when there is no reference.

        Override to add what else makes a reference unique, here and in `_find_keys`.
        """
        if not vals.get('external_ref'):
            return None
        company_id = vals.get('company_id')
        if not company_id:
            sale_line_ids = [
                command[2].get('sale_line_id')
                for command in vals['line_ids']
                if command[0] == Command.CREATE
            ]
            # sudo: users who open a return need not be able to read its order; only the company is
            # used.
            sale_lines = self.env['sale.order.line'].sudo().browse(filter(None, sale_line_ids[:1]))
            company_id = sale_lines.company_id.id or self.env.company.id
        return company_id, vals['external_ref']

    def _find_keys(self, returns):
        """Return `{(company id, reference): return}` for the returns that have one."""
        return {
            (sale_return.company_id.id, sale_return.external_ref): sale_return
            for sale_return in returns
            if sale_return.external_ref
        }

    def _find_by_external_ref(self, vals_list):
        """Return the returns that exist for the references in `vals_list`, by key."""
        keys = set(filter(None, map(self._get_reference_key, vals_list)))
        if not keys:
            return {}
        return self._find_keys(
            self.search(
                [
                    ('external_ref', 'in', [key[1] for key in keys]),
                    ('company_id', 'in', [key[0] for key in keys]),
                ]
            )
        )

    # === DOCUMENTS === #

    def action_view_sale_orders(self):
        """Show the orders of the returns."""
        return self._show(self.sale_order_ids, self.env._("Sales Orders"))

    def action_view_receipts(self):
        """Show the receipts of the returns."""
        return self._show(self.picking_ids, self.env._("Receipts"))

    def action_view_transfers(self):
        """Show what moved the goods out of quarantine."""
        return self._show(self.transfer_ids, self.env._("Transfers"))

    def action_view_deliveries(self):
        """Show the deliveries whose goods come back."""
        return self._show(self.delivery_ids, self.env._("Deliveries"))

    def action_view_invoices(self):
        """Show the invoices of the returned order lines."""
        return self._show(self.invoice_ids, self.env._("Invoices"))

    def action_view_credit_notes(self):
        """Show the credit notes of the returns."""
        return self._show(self.credit_note_ids, self.env._("Credit Notes"))

    def _show(self, records, name):
        """Open documents of the returns, or name them to users who may not open them.

        :raise AccessError: for those who may not read the returns; even numbers reveal something.
        """
        self.check_access('read')
        return self.env['sale.return.opening']._open_or_tell(records, name)

    # === OWNER === #

    def _get_delivery_address(self):
        """Return the address to which goods of the return are sent. Override for other owners.

        :rtype: res.partner
        """
        self.ensure_one()
        return self.sale_order_ids[:1].partner_shipping_id or self.partner_id

    def _owns_goods_of(self, order):
        """Tell whether the customer of the return has the goods of an order."""
        self.ensure_one()
        return order.partner_id.commercial_partner_id == self.partner_id.commercial_partner_id

    def _is_of_buyer(self):
        """Tell whether the customer of the return has bought its goods. Override for others.

        Who has not is charged nothing, and gets back neither money nor points.

        :return: True also for no return, as of ordinary orders.
        :rtype: bool
        """
        return True

    def _shows_amounts(self):
        """Tell whether the customer of the return may see what its goods have cost. Override.

        :return: True also for no return.
        :rtype: bool
        """
        return True

    def _get_note_partner(self):
        """Return who gets the credit notes; empty for the customer of the invoice. Override.

        :rtype: res.partner
        """
        return self.partner_id.browse()

    # === SLIP === #

    def _get_slip_lines(self):
        """Return the lines whose goods the customer sends. Override to leave out more."""
        self.ensure_one()
        if self.state in ('refused', 'cancelled'):
            return self.line_ids.browse()
        return self.line_ids.filtered(
            lambda line: (
                line.return_expected
                and line._get_measure().compare(line._get_qty_expected(), 0.0) > 0
            )
        )

    def _get_slip_address(self):
        """Return the partner at whose address the goods are received."""
        self.ensure_one()
        # sudo: users who print the slip of a return need not see warehouses.
        return self.sudo().warehouse_id.partner_id or self.sudo().company_id.partner_id

    @api.model
    def _get_unsent_domain(self):
        """Return the domain of approved returns of which nothing was sent or received."""
        return [
            ('state', '=', 'approved'),
            ('date_dispatched', '=', False),
            ('reception_state', '=', 'pending'),
            ('date_send_until', '!=', False),
        ]

    def _get_today(self):
        """Return the current day in the time zone of the company."""
        self.ensure_one()
        return self.company_id._get_sale_return_day()

    def _is_expired(self):
        """Tell whether the last day to send is over. Override to give more time."""
        self.ensure_one()
        return self._get_today() > self.date_send_until

    # === MAIL === #

    def _is_slip_mail_due(self):
        """Tell whether the customer has to be notified of what to send.

        Override to exclude returns whose customers are informed differently.
        """
        self.ensure_one()
        return bool(
            self.state == 'approved'
            and self.company_id.sale_return_mail_approved
            and any(line._get_qty_missing() for line in self.line_ids)
        )
