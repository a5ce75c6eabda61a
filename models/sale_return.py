from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain

from ..const import OPEN_STATES, PROGRESS, RETURN_STATES, TRANSITIONS, progress

# What a client may not set by itself: these fields follow from what was done.
PROTECTED_FIELDS = frozenset(
    {'state', 'name', 'event_ids', 'approval_ids', 'date_dispatched', 'credit_queued', 'credit_error'}
)
# What a client may still change after the return was submitted.
EDITABLE_AFTER_SUBMIT = frozenset({'user_id', 'warehouse_id', 'carrier_name', 'tracking_ref'})
EDITABLE_PREFIXES = ('message_', 'activity_', 'rating_', 'access_', 'website_message_')


class SaleReturn(models.Model):
    """A customer's return, from the request to the last cent in the ledger."""

    _name = 'sale.return'
    _description = "Customer Return"
    _inherit = ['portal.mixin', 'rating.mixin', 'mail.thread', 'mail.activity.mixin']
    _order = 'id desc'
    _check_company_auto = True
    _rec_names_search = ['name', 'external_ref', 'partner_id.name', 'tracking_ref']

    # Identity
    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, index='trigram', default="/"
    )
    external_ref = fields.Char(
        string="External Reference",
        copy=False,
        help="Number of this return in another system, unique per company. Creating a return "
        "with a reference that exists already gives that return.",
    )
    state = fields.Selection(
        RETURN_STATES,
        required=True,
        readonly=True,
        copy=False,
        default='draft',
        index=True,
        tracking=True,
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
        string="Dispatched on", copy=False, help="When the customer sent the goods."
    )

    # Links
    line_ids = fields.One2many('sale.return.line', 'return_id', copy=True)
    event_ids = fields.One2many('sale.return.event', 'return_id', readonly=True)
    approval_ids = fields.One2many('sale.return.approval', 'return_id', readonly=True)
    inspection_ids = fields.One2many('sale.return.inspection', 'return_id', readonly=True)
    sale_order_ids = fields.Many2many(
        'sale.order', compute='_compute_sale_order_ids', search='_search_sale_order_ids'
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
    sale_order_count = fields.Integer(compute='_compute_sale_order_ids')
    picking_count = fields.Integer(compute='_compute_picking_ids', compute_sudo=True)
    transfer_count = fields.Integer(compute='_compute_picking_ids', compute_sudo=True)
    delivery_count = fields.Integer(compute='_compute_picking_ids', compute_sudo=True)
    credit_note_count = fields.Integer(compute='_compute_credit_note_ids', compute_sudo=True)
    invoice_count = fields.Integer(compute='_compute_credit_note_ids', compute_sudo=True)

    # Money
    amount_to_credit = fields.Monetary(
        compute='_compute_amount_to_credit',
        compute_sudo=True,
        help="Tax included. What a credit note made now would come to.",
    )
    amount_credited = fields.Monetary(
        compute='_compute_refund',
        store=True,
        help="Tax included. Posted credit notes of this return.",
    )
    amount_refunded = fields.Monetary(
        compute='_compute_refund',
        store=True,
        help="Tax included. Paid back on the credit notes of this return.",
    )
    credit_queued = fields.Boolean(
        readonly=True, copy=False, help="Waits for the scheduled job that creates credit notes."
    )
    credit_error = fields.Text(
        readonly=True, copy=False, help="Why the last credit note could not be made."
    )

    # Progress
    reception_state = fields.Selection(PROGRESS, compute='_compute_progress', store=True)
    inspection_state = fields.Selection(PROGRESS, compute='_compute_progress', store=True)
    credit_state = fields.Selection(PROGRESS, compute='_compute_progress', store=True, index=True)
    refund_state = fields.Selection(PROGRESS, compute='_compute_refund', store=True)

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
            sale_return.company_id = orders[:1].company_id or sale_return.company_id or (
                self.env.company
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

    @api.depends('line_ids.sale_line_id')
    def _compute_sale_order_ids(self):
        for sale_return in self:
            sale_return.sale_order_ids = sale_return.line_ids.sale_line_id.order_id
            sale_return.sale_order_count = len(sale_return.sale_order_ids)

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
                lambda move: move.state == 'done' and move._is_outgoing()
            ).picking_id
            sale_return.picking_count = len(sale_return.picking_ids)
            sale_return.transfer_count = len(sale_return.transfer_ids)
            sale_return.delivery_count = len(sale_return.delivery_ids)

    @api.depends('line_ids.credit_line_ids.move_id', 'line_ids.sale_line_id.invoice_lines')
    def _compute_credit_note_ids(self):
        for sale_return in self:
            sale_return.credit_note_ids = sale_return.line_ids.credit_line_ids.move_id
            sale_return.invoice_ids = sale_return.line_ids.sale_line_id.invoice_lines.move_id.filtered(
                lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
            )
            sale_return.credit_note_count = len(sale_return.credit_note_ids)
            sale_return.invoice_count = len(sale_return.invoice_ids)

    @api.depends('line_ids.qty_to_credit', 'line_ids.qty_credited')
    def _compute_amount_to_credit(self):
        previews = self.preview_credit() if self.ids else {}
        for sale_return in self:
            sale_return.amount_to_credit = sum(
                sale_return._convert_from_note(note, note['total'])
                for note in previews.get(sale_return.id, {}).get('due', [])
            )

    def _convert_from_note(self, note, amount):
        """Convert an amount of a note of `preview_credit` to the currency of the return."""
        currency = self.env['res.currency'].search([('name', '=', note['currency'])])
        return currency._convert(
            amount, self.currency_id, self.company_id, fields.Date.context_today(self)
        )

    @api.depends(
        'state',
        'line_ids.qty_requested',
        'line_ids.qty_authorized',
        'line_ids.qty_written_off',
        'line_ids.qty_received',
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
                sum(arriving.mapped('qty_received')), expected, compare
            )
            sale_return.inspection_state = progress(
                sum(arriving.mapped('qty_inspected')), expected, compare
            )
            sale_return.credit_state = progress(
                sum(lines.mapped('qty_credited_posted')),
                sum(lines.mapped('qty_to_credit_expected')),
                compare,
            )

    def _compare_quantities(self, left, right):
        """Compare two sums of quantities, -1, 0 or 1, to the precision of product units."""
        self.ensure_one()
        uom = self.line_ids.product_uom_id[:1]
        return uom.compare(left, right) if uom else (left > right) - (left < right)

    @api.depends(
        'line_ids.policy_id',
        'line_ids.credit_line_ids.parent_state',
        'line_ids.credit_line_ids.price_total',
        'line_ids.credit_line_ids.move_id.amount_residual',
        'line_ids.credit_line_ids.move_id.payment_state',
    )
    def _compute_refund(self):
        today = fields.Date.context_today(self)
        for sale_return in self:
            lines = sale_return.line_ids.credit_line_ids.filtered(
                lambda line: line.parent_state == 'posted'
            )
            credited = refunded = residual = 0.0
            for note, note_lines in lines.grouped('move_id').items():
                rate_date = note.invoice_date or today

                def convert(amount, note=note, rate_date=rate_date):
                    return note.currency_id._convert(
                        amount, sale_return.currency_id, note.company_id, rate_date
                    )

                credited += convert(sum(note_lines.mapped('price_total')))
                refunded += convert(note._get_amount_paid_back())
                residual += convert(note.amount_residual)
            sale_return.amount_credited = credited
            sale_return.amount_refunded = refunded
            # Only a policy that pays back expects money; what was paid anyway is shown.
            pays_back = 'refund' in sale_return.line_ids.policy_id.mapped('settlement')
            expected = refunded + residual if pays_back else refunded
            sale_return.refund_state = progress(
                refunded, expected, sale_return.currency_id.compare_amounts
            )

    def _compute_access_url(self):
        """Override of `portal` to name the page of the return."""
        super()._compute_access_url()
        for sale_return in self:
            sale_return.access_url = f'/my/returns/{sale_return.id}'

    # === CONSTRAINT METHODS === #

    @api.constrains('line_ids', 'partner_id', 'company_id')
    def _check_one_customer_and_company(self):
        for sale_return in self:
            sale_return.line_ids._check_fits_return()

    @api.constrains('warehouse_id')
    def _check_warehouse(self):
        for sale_return in self:
            if sale_return.warehouse_id and sale_return.state == 'closed':
                continue
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

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base`: number the returns; give an existing one for a known reference.

        `line_ids` may also be a plain list of dicts, which is what a JSON client writes.

        :raise UserError: when a field is set that only follows from what was done.
        """
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            if vals.get('state', 'draft') != 'draft':
                raise UserError(
                    self.env._("A new return starts as a draft. Submit it after creating it.")
                )
            vals.pop('state', None)
            vals['line_ids'] = [
                Command.create(line) if isinstance(line, dict) else line
                for line in vals.get('line_ids') or []
            ]
        existing = self._find_by_external_ref(vals_list)
        new_vals = []
        for vals in vals_list:
            if self._get_reference_key(vals) in existing:
                continue
            vals['name'] = self.env['ir.sequence'].next_by_code('sale.return') or "/"
            new_vals.append(vals)
            if key := self._get_reference_key(vals):
                existing[key] = None  # the second one in the same call gets the first
        created = super().create(new_vals)
        by_key = {**existing, **self._find_keys(created)}
        rest = iter(created.filtered(lambda r: not r.external_ref))
        return self.browse(
            (by_key[key] if (key := self._get_reference_key(vals)) else next(rest)).id
            for vals in vals_list
        )

    def _get_reference_key(self, vals):
        """Return `(company id, reference)` of values, None when there is no reference."""
        if not vals.get('external_ref'):
            return None
        company_id = vals.get('company_id')
        if not company_id:
            sale_line_ids = [
                command[2].get('sale_line_id')
                for command in vals['line_ids']
                if command[0] == Command.CREATE
            ]
            sale_lines = self.env['sale.order.line'].browse(filter(None, sale_line_ids[:1]))
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
                    ('external_ref', 'in', [reference for _company, reference in keys]),
                    ('company_id', 'in', [company for company, _reference in keys]),
                ]
            )
        )

    def write(self, vals):
        """Override of `base` to keep what was submitted as it was submitted.

        :raise UserError: when a field is set that follows from what was done, or one that is
            fixed since the return was submitted.
        """
        if protected := PROTECTED_FIELDS & vals.keys():
            raise UserError(
                self.env._(
                    "%(fields)s of a return cannot be set by hand; use its actions.",
                    fields=", ".join(self._fields[name].string for name in sorted(protected)),
                )
            )
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

    def copy(self, default=None):
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
        return super().write(vals)

    def _ensure_group(self, group):
        """Refuse to go on unless the user has one of our groups (superuser mode passes).

        :param str group: one of `group_user`, `group_inspector`, `group_approver`,
            `group_manager`.
        :raise AccessError: when he does not have it.
        """
        if self.env.su or self.env.user.has_group(f'sale_return.{group}'):
            return
        raise AccessError(
            self.env._(
                "You are not allowed to do this. It takes the role “%(group)s” of Returns.",
                group=self.env.ref(f'sale_return.{group}').sudo().name,
            )
        )

    def _ensure_state(self, states, action):
        """Refuse an action on returns that are in none of the states.

        :param tuple states: the states in which the action makes sense.
        :param str action: what is to be done, translated, as in "cannot be …".
        :raise UserError: naming each return.
        """
        labels = dict(self._fields['state']._description_selection(self.env))
        if wrong := self.filtered(lambda r: r.state not in states):
            raise UserError(
                self.env._(
                    "Return %(returns)s cannot be %(action)s.",
                    returns=", ".join(f"{r.name} ({labels[r.state]})" for r in wrong),
                    action=action,
                )
            )

    def _ensure_explained(self, reason, text):
        if not (reason and reason.strip()):
            raise UserError(text)

    # === ACTION METHODS === #

    def action_submit(self):
        """Submit drafts: take the hold on their quantities and have them decided on.

        Returns that are submitted or approved already stay as they are.

        :return: True
        :raise UserError: when something is missing, or more is requested than can be returned.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        drafts = self.filtered(lambda r: r.state == 'draft')
        (self - drafts)._ensure_state(OPEN_STATES, self.env._("submitted"))
        drafts.line_ids._ensure_submittable(drafts)
        sale_lines = drafts.line_ids.sale_line_id
        sale_lines._take_return_counter()
        drafts._update_state('submitted')
        sale_lines._check_return_quantities()
        self.env['sale.return.decision']._decide(drafts)
        return True

    def action_approve(self):
        """Approve submitted returns: exactly one receipt each, where goods come back.

        Returns that are approved already stay as they are.

        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: when a return was not submitted, or a line names no order line.
        """
        self._ensure_group('group_approver')
        self.check_access('write')
        self.filtered(lambda r: r.state != 'approved')._approve()
        return True

    @api.private
    def _approve(self, automatic=False):
        """Approve returns, create their receipts, and credit what is released by it.

        :param bool automatic: True when the policy decided and nobody was asked.
        """
        self._ensure_state(('submitted',), self.env._("approved"))
        self.line_ids._ensure_approvable(self)
        self.line_ids._authorize()
        self._update_state('approved')
        # sudo: nobody writes decisions by himself; the group was checked by the caller.
        self.env['sale.return.approval'].sudo().create(
            [
                {
                    'return_id': sale_return.id,
                    'decision': 'approved',
                    'automatic': automatic,
                    'user_id': self.env.uid,
                }
                for sale_return in self
            ]
        )
        self.env['sale.return.reception']._create_receipts(self)
        self._after_step()

    def action_refuse(self, reason=None):
        """Refuse submitted returns; their quantities are free again.

        :param str reason: why, demanded.
        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: without a reason, or when a return is not submitted.
        """
        self._ensure_group('group_approver')
        self.check_access('write')
        self._ensure_explained(reason, self.env._("Say why the return is refused."))
        refused = self.filtered(lambda r: r.state != 'refused')
        refused._ensure_state(('submitted',), self.env._("refused"))
        refused._update_state('refused', reason=reason)
        # sudo: nobody writes decisions by himself; the group was checked above.
        self.env['sale.return.approval'].sudo().create(
            [
                {
                    'return_id': sale_return.id,
                    'decision': 'refused',
                    'comment': reason,
                    'user_id': self.env.uid,
                }
                for sale_return in refused
            ]
        )
        return True

    def action_cancel(self):
        """Cancel returns of which nothing was received or credited; their receipts go with them.

        :return: True
        :raise UserError: when something was received or credited already.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        todo = self.filtered(lambda r: r.state != 'cancelled')
        todo._ensure_state(('draft', *OPEN_STATES), self.env._("cancelled"))
        for line in todo.line_ids:
            if line._has_effects():
                raise UserError(
                    self.env._(
                        "Return %(return)s cannot be cancelled: %(product)s was received or "
                        "credited already. Close it instead.",
                        product=line.product_id.display_name,
                        **{'return': line.return_id.name},
                    )
                )
        self.env['sale.return.reception']._cancel_open_receipts(todo)
        todo._update_state('cancelled')
        return True

    def action_draft(self):
        """Set submitted, refused or cancelled returns back to draft.

        :return: True
        :raise UserError: when a return is approved or closed.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        todo = self.filtered(lambda r: r.state != 'draft')
        todo._ensure_state(
            ('submitted', 'refused', 'cancelled'), self.env._("set back to draft")
        )
        todo._update_state('draft')
        return True

    def action_close(self, reason=None):
        """Close approved returns; what has not come is written off and no longer expected.

        :param str reason: why, demanded where something is written off.
        :return: True
        :raise UserError: when received goods still wait for inspection or for their credit
            note, or when a reason is missing.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        todo = self.filtered(lambda r: r.state != 'closed')
        todo._ensure_state(('approved',), self.env._("closed"))
        todo.line_ids._ensure_closable()
        if not todo:
            return True
        if any(line._get_qty_missing() for line in todo.line_ids):
            self._ensure_explained(
                reason, self.env._("Say why the rest of the return is written off.")
            )
        self.env['sale.return.reception']._cancel_open_receipts(todo)
        todo.line_ids._write_off_missing()
        todo._update_state('closed', reason=reason)
        return True

    def action_register_dispatch(self, tracking_ref=None, carrier_name=None):
        """Note that the customer has sent the goods. Proof of dispatch may release the credit.

        :param str tracking_ref: number of the parcel, demanded unless it is known already.
        :param str carrier_name: who carries it.
        :return: True
        :raise UserError: when a return is not under way, or has no tracking reference.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._ensure_state(OPEN_STATES, self.env._("registered as dispatched"))
        for sale_return in self:
            if not (tracking_ref or sale_return.tracking_ref):
                raise UserError(
                    self.env._(
                        "Give the tracking reference of the parcel for return %(return)s.",
                        **{'return': sale_return.name},
                    )
                )
        vals = {'tracking_ref': tracking_ref, 'carrier_name': carrier_name}
        vals = {name: value for name, value in vals.items() if value}
        new = self.filtered(
            lambda r: not r.date_dispatched or any(r[name] != vals[name] for name in vals)
        )
        new._write_facts(vals)
        new.filtered(lambda r: not r.date_dispatched)._write_facts(
            {'date_dispatched': fields.Datetime.now()}
        )
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': sale_return.id,
                    'kind': 'dispatched',
                    'details': " ".join(
                        filter(None, [sale_return.carrier_name, sale_return.tracking_ref])
                    ),
                }
                for sale_return in new
            ]
        )
        self._after_step()
        return True

    def action_inspect_all(self, disposition, grade=None):
        """Inspect everything that was received and not inspected yet, in one batch.

        :param disposition: code or id of the disposition.
        :param grade: code or id of the grade, if any.
        :return: the new inspection rows.
        :rtype: sale.return.inspection
        :raise AccessError: without the role of inspector.
        :raise UserError: when there is nothing to inspect or the goods cannot be moved.
        """
        self._ensure_group('group_inspector')
        self._ensure_state(('approved', 'closed'), self.env._("inspected"))
        open_quantities = self.env['sale.return.disposal']._get_open_quantities(self.line_ids)
        results = [
            {
                'line_id': line.id,
                'quantity': quantity,
                'lot': lot.id,
                'disposition': disposition,
                'grade': grade,
            }
            for line, by_lot in open_quantities.items()
            for lot, quantity in by_lot.items()
        ]
        return self.line_ids.register_inspection(results) if results else (
            self.env['sale.return.inspection']
        )

    def action_create_credit_notes(self):
        """Create and (policy) post the credit notes that are due now. Repeating it adds nothing.

        :return: the credit notes created by this call.
        :rtype: account.move
        :raise AccessError: without a role in Returns.
        :raise UserError: when a credit note cannot be created or posted.
        """
        self._ensure_group('group_user')
        self.check_access('read')
        notes = self.env['sale.return.credit']._create_credit_notes(self)
        self._close_or_reopen()
        return notes

    def preview_credit(self):
        """Say what would be credited, on the same path that credits. Writes nothing.

        :return: `{return id: {'due': [note], 'estimate': [note]}}`. `due` is what
            `action_create_credit_notes` would create now; `estimate` is as if everything not yet
            refused were accepted. A note is `{'invoice_id', 'currency' (code), 'lines',
            'untaxed', 'tax', 'total'}` in the currency of the invoice; a line is
            `{'return_line_id', 'invoice_line_id', 'quantity' (unit of the invoice line),
            'untaxed', 'taxes' ({tax id: amount}), 'kind'}`.
        :rtype: dict
        """
        self.check_access('read')
        return self.env['sale.return.credit']._preview(self)

    # === BUSINESS METHODS === #

    @api.private
    def _after_step(self):
        """Do what a step has made possible: credit what is due, then close what is finished.

        Failures to credit are kept on the return and tried again by the scheduled job: the step
        itself (goods received, inspected) has happened whatever the ledger says.
        """
        self.env['sale.return.credit']._credit_after_step(self)
        self._close_or_reopen()

    @api.private
    def _close_or_reopen(self):
        """Close approved returns with nothing left to do; reopen closed ones that have.

        `_after_step` and the hooks on notes, payments and receipts call it.
        """
        finished = self.filtered(lambda r: r.state == 'approved' and r._is_finished())
        if finished:
            finished._update_state('closed')
        unfinished = self.filtered(lambda r: r.state == 'closed' and not r._is_finished())
        if unfinished:
            unfinished._update_state(
                'approved', reason=self.env._("There is something to do again.")
            )

    def _is_finished(self):
        """Tell whether nothing is left to receive, inspect, credit or pay back.

        Override to add what has to be done before a return is closed.
        """
        self.ensure_one()
        done = ('no', 'full')
        return (
            self.reception_state in done
            and self.inspection_state in done
            and self.credit_state in done
            and self.refund_state in done
            and not any(line._has_open_credit() for line in self.line_ids)
        )

    @api.model
    def _find_configuration(self, model, reference, company):
        """Return the grade or disposition that a client names by code or id.

        :param str model: `sale.return.grade` or `sale.return.disposition`.
        :param reference: code (str), id (int), record, or nothing.
        :param record company: `res.company`; its own codes win over shared ones.
        :return: one record, or an empty one for an empty reference.
        :raise UserError: when there is no such record for the company.
        """
        records = self.env[model]
        if not reference:
            return records
        if isinstance(reference, models.BaseModel):
            reference = reference.id
        field = 'code' if isinstance(reference, str) else 'id'
        found = records.search(
            [(field, '=', reference), ('company_id', 'in', [company.id, False])],
            order='company_id, sequence, id',
            limit=1,
        )
        if not found:
            raise UserError(
                self.env._(
                    "There is no %(model)s “%(reference)s” for company %(company)s.",
                    model=records._description,
                    reference=reference,
                    company=company.name,
                )
            )
        return found

    # === CRON === #

    def _queue_credit(self, error=None):
        """Leave the credit of returns to the scheduled job.

        :param str error: why it could not be made at once, shown on the return.
        """
        self._write_facts({'credit_queued': True, 'credit_error': error or False})
        if error:
            self.env['sale.return.event']._log(
                [
                    {'return_id': sale_return.id, 'kind': 'credit_failed', 'reason': error}
                    for sale_return in self
                ]
            )
        elif self:
            # sudo: whoever inspects may not start jobs by himself.
            self.env.ref('sale_return.ir_cron_create_credit_notes').sudo()._trigger()

    def _queue_due_credit(self):
        """Queue the returns of which something is due, e.g. because its invoice was posted."""
        self.filtered(lambda r: any(line.qty_to_credit > 0 for line in r.line_ids))._queue_credit()

    def _dequeue_credit(self):
        """Forget that returns were queued: their credit notes were made."""
        self.filtered('credit_queued')._write_facts({'credit_queued': False, 'credit_error': False})

    @api.model
    def _cron_create_credit_notes(self, limit=100):
        """Scheduled job: create the credit notes that a step has left to it.

        :param int limit: returns per transaction.
        """
        domain = [('credit_queued', '=', True)]
        ids = self.sudo().search(domain, order='id').ids
        remaining = len(ids)
        cron = self.env['ir.cron']
        cron._commit_progress(remaining=remaining)
        for start in range(0, len(ids), limit):
            batch = self.sudo().browse(ids[start : start + limit]).try_lock_for_update()
            batch = batch.filtered_domain(domain)
            self.env['sale.return.credit']._credit_isolated(batch)
            batch._close_or_reopen()
            remaining = len(ids) - start - limit
            if not cron._commit_progress(min(limit, len(ids) - start), remaining=max(remaining, 0)):
                break

    # === BUTTONS === #

    def _get_records_action(self, records, name):
        """Return the action that shows records: a form for one, a list for several."""
        action = {
            'type': 'ir.actions.act_window',
            'name': name,
            'res_model': records._name,
            'view_mode': 'list,form',
            'domain': [('id', 'in', records.ids)],
            'context': {'create': False},
        }
        if len(records) == 1:
            action.update(view_mode='form', res_id=records.id)
        return action

    def action_view_sale_orders(self):
        """Show the orders of the returns."""
        return self._get_records_action(self.sale_order_ids, self.env._("Sales Orders"))

    def action_view_receipts(self):
        """Show the receipts of the returns."""
        return self._get_records_action(self.picking_ids, self.env._("Receipts"))

    def action_view_transfers(self):
        """Show what moved the goods out of quarantine."""
        return self._get_records_action(self.transfer_ids, self.env._("Transfers"))

    def action_view_deliveries(self):
        """Show the deliveries whose goods come back."""
        return self._get_records_action(self.delivery_ids, self.env._("Deliveries"))

    def action_view_invoices(self):
        """Show the invoices of the returned order lines."""
        return self._get_records_action(self.invoice_ids, self.env._("Invoices"))

    def action_view_credit_notes(self):
        """Show the credit notes of the returns."""
        return self._get_records_action(self.credit_note_ids, self.env._("Credit Notes"))

    def _get_wizard_action(self, model, name, **context):
        return {
            'type': 'ir.actions.act_window',
            'name': name,
            'res_model': model,
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_return_ids': [Command.set(self.ids)], **context},
        }

    def action_open_inspection(self):
        """Open the dialog that inspects the received goods."""
        self._ensure_group('group_inspector')
        return self._get_wizard_action('sale.return.inspect', self.env._("Inspect"))

    def action_open_refusal(self):
        """Open the dialog that asks why the returns are refused."""
        self._ensure_group('group_approver')
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Refuse"), default_action='refuse'
        )

    def action_open_close(self):
        """Close the returns, after asking why if something is written off by it."""
        self._ensure_group('group_user')
        if not any(line._get_qty_missing() for line in self.line_ids):
            return self.action_close()
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Close"), default_action='close'
        )
