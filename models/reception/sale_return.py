import math

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...tools.reader import list_of, needed, number, reads, record_id, row, text
from .const import DISCREPANCY_KINDS, FOREIGN_KINDS

DISCREPANCY_KEYS = frozenset(
    {
        'kind',
        'line_id',
        'product_id',
        'quantity',
        'lot',
        'note',
        'user_id',
        'files',
        'attachment_ids',
    }
)

# Kinds of what `register_discrepancies` takes.
DISCREPANCY = {
    'quantity': number,
    'liability': text,
    'note': text,
    'line_id': record_id,
    'user_id': record_id,
    'kind': text,
}


class SaleReturn(models.Model):
    """What the reception adds to a return: discrepancies and lots."""

    _inherit = 'sale.return'

    # The discrepancies of returns: what came is not what was expected.
    discrepancy_ids = fields.One2many('sale.return.discrepancy', 'return_id', readonly=True)
    discrepancy_count = fields.Integer(compute='_compute_discrepancy_count')
    open_discrepancy_count = fields.Integer(compute='_compute_discrepancy_count')
    is_receipt_missing = fields.Boolean(
        compute='_compute_is_receipt_missing',
        compute_sudo=True,
        help="Goods are expected, but not all of them are on an open receipt any more.",
    )

    # From a lot or serial number to its orders and returns, in one look-up.
    lot_ids = fields.Many2many(
        'stock.lot',
        string="Lots/Serial Numbers",
        compute='_compute_lot_ids',
        compute_sudo=True,
        search='_search_lot_ids',
        help="Lots that came or should come with the return, including foreign ones.",
    )

    is_tracked = fields.Boolean(
        compute='_compute_is_tracked', help="Some of the goods have lots or serial numbers."
    )

    # === COMPUTE METHODS === #

    @api.depends('line_ids.product_id.tracking')
    def _compute_is_tracked(self):
        for sale_return in self:
            products = sale_return.line_ids.product_id
            sale_return.is_tracked = any(product.tracking != 'none' for product in products)

    @api.depends('discrepancy_ids.state')
    def _compute_discrepancy_count(self):
        for sale_return in self:
            records = sale_return.discrepancy_ids
            sale_return.discrepancy_count = len(records)
            sale_return.open_discrepancy_count = len(records.filtered(lambda d: d.state == 'open'))

    @api.depends('state', 'line_ids.qty_received', 'line_ids.move_ids.state')
    def _compute_is_receipt_missing(self):
        for sale_return in self:
            sale_return.is_receipt_missing = sale_return.state == 'approved' and any(
                line._get_qty_unplanned() > 0 for line in sale_return.line_ids
            )

    @api.depends('line_ids.lot_ids', 'line_ids.move_ids.move_line_ids.lot_id', 'discrepancy_ids')
    def _compute_lot_ids(self):
        for sale_return in self:
            lines = sale_return.line_ids
            sale_return.lot_ids = (
                lines.lot_ids
                | lines.move_ids.move_line_ids.lot_id
                | sale_return.discrepancy_ids.lot_id
            )

    def _search_lot_ids(self, operator, value):
        domain = Domain.OR(
            Domain(path, operator, value)
            for path in (
                'line_ids.move_ids.move_line_ids.lot_id',
                'line_ids.lot_ids',
                'discrepancy_ids.lot_id',
            )
        )
        # sudo: the transfers need not be readable; access to the returns is checked as usual.
        return Domain('id', 'in', self.sudo().with_context(active_test=False)._search(domain))

    # === REGISTER === #

    @reads(values=needed(list_of(row(DISCREPANCY))))
    def register_discrepancies(self, values):
        """Record discrepancies, and receive goods that do not belong to the return.

        Goods of the kinds `over`, `wrong_product` and `wrong_lot` are received into quarantine by a
        separate transfer, as the customer's property.

        :param list values: dicts `{kind, quantity, line_id=None, product_id=None, lot=None,
            note=None, user_id=None, files=None, attachment_ids=None}`; files as for
            `register_inspection`. `kind` is one of `short`, `over`, `wrong_product`, `wrong_lot`,
            `damaged`, `empty`; `line_id` is required except for `wrong_product`, which requires
            `product_id`; `quantity` is in the unit of the line, or of the product without a line;
            `lot` is the name of a lot or serial number.
        :return: the new discrepancies, in the order of `values`.
        :rtype: sale.return.discrepancy
        :raise AccessError: without the role of inspector.
        :raise UserError: when something is missing or makes no sense. Nothing is recorded then.
        """
        self._ensure_group('group_inspector')
        self.ensure_one()
        self.check_access('read')
        self._ensure_state(
            ('submitted', 'approved', 'closed'),
            self.env._("No discrepancy can be registered for return %(returns)s."),
        )
        vals_list = [self._prepare_discrepancy_vals(value) for value in values]
        # sudo: evidence is written by services only, and receiving goods that are here needs no
        # rights in Inventory; the group was checked.
        records = self.env['sale.return.discrepancy'].sudo()._create_found(vals_list)
        self.env['sale.return.file']._keep_results(records.with_env(self.env), values)
        self.env['sale.return.custody'].sudo()._receive(
            records.filtered(lambda record: record._is_foreign())
        )
        records.return_id._close_or_reopen()
        return records.with_env(self.env)

    def _prepare_discrepancy_vals(self, value):
        """Check one discrepancy and turn it into values. Override to add values.

        :raise UserError: naming the problem.
        """
        if not isinstance(value, dict) or set(value) - DISCREPANCY_KEYS:
            raise UserError(
                self.env._(
                    "A discrepancy has the entries %(keys)s.",
                    keys=", ".join(sorted(DISCREPANCY_KEYS)),
                )
            )
        kind = value.get('kind')
        if kind not in dict(DISCREPANCY_KINDS):
            raise UserError(
                self.env._(
                    "Enter what is wrong: one of %(kinds)s.",
                    kinds=", ".join(dict(DISCREPANCY_KINDS)),
                )
            )
        line = self.line_ids.filtered(lambda line: line.id == value.get('line_id'))
        product = line.product_id
        if kind == 'wrong_product':
            product = self.env['product.product'].browse(value.get('product_id')).exists()
        if not product or (kind != 'wrong_product' and not line):
            raise UserError(
                self.env._(
                    "Choose which product of return %(return)s this is about.",
                    **{'return': self.name},
                )
            )
        uom = product.uom_id if kind == 'wrong_product' else line.product_uom_id
        measure = uom._get_measure(uom) if kind == 'wrong_product' else line._get_measure()
        self._ensure_discrepancy_quantity(kind, line, product, measure, value.get('quantity'))
        lot = self._get_discrepancy_lot(kind, product, value.get('lot'))
        return {
            'kind': kind,
            'return_id': self.id,
            'line_id': line.id,
            'product_id': product.id,
            'product_uom_id': uom.id,
            'quantity': measure.interpret(value['quantity']),
            'lot_id': lot.id,
            'sale_line_id': line.sale_line_id.id if kind == 'over' else False,
            'liability': 'carrier' if kind in ('damaged', 'empty') else False,
            'note': value.get('note'),
            'user_id': value.get('user_id') or self._get_user_in_charge().id,
        }

    def _get_user_in_charge(self):
        """Return the responsible user, or the current one where they have left."""
        return self.user_id.filtered('active') or self.env.user

    def _ensure_discrepancy_quantity(self, kind, line, product, measure, quantity):
        """Refuse impossible quantities: zero, not a number, more missing than expected."""
        number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
        if not number or not math.isfinite(quantity) or measure.compare(quantity, 0.0) <= 0:
            raise UserError(
                self.env._(
                    "The quantity of %(product)s must be more than zero.",
                    product=product.display_name,
                )
            )
        limits = {
            'short': line._get_qty_missing,
            'empty': line._get_qty_missing,
            'damaged': line._get_qty_expected,
        }
        quantity = measure.interpret(quantity)
        if kind in limits and measure.compare(quantity, limits[kind]()) > 0:
            raise UserError(
                self.env._(
                    "%(quantity)s %(unit)s of %(product)s are more than return %(return)s expects.",
                    quantity=quantity,
                    unit=line.product_uom_id._get_name_after(quantity),
                    product=product.display_name,
                    **{'return': self.name},
                )
            )

    def _get_discrepancy_lot(self, kind, product, name):
        """Return the lot of a name, a new one if it is unknown; foreign goods need one."""
        # sudo: a lot number on a parcel may be unknown, or belong to somebody else's order.
        lots = self.env['sale.return.lots'].sudo()
        if product.tracking == 'none' or not name:
            if product.tracking != 'none' and kind in FOREIGN_KINDS:
                raise UserError(
                    self.env._(
                        "%(product)s is tracked: enter the lot or serial number on it.",
                        product=product.display_name,
                    )
                )
            return self.env['stock.lot'].sudo()
        if kind in FOREIGN_KINDS:
            return lots._get_or_create_lot(product, name, self.company_id)
        return lots._find_lot(product, name, self.company_id)

    # === GUARDS === #

    def _has_open_discrepancy(self):
        """Tell whether the return has open discrepancies."""
        self.ensure_one()
        # sudo: open discrepancies keep a return open, no matter who looks at it.
        return 'open' in self.sudo().discrepancy_ids.mapped('state')

    def _ensure_discrepancies_resolved(self):
        """Refuse to close returns with open discrepancies, except for missing goods.

        Closing writes those off.

        :raise UserError: naming them.
        """
        # sudo: open discrepancies keep a return open, no matter who closes it.
        self.sudo().discrepancy_ids.filtered(lambda d: d.kind != 'short')._ensure_none_open()

    def _resolve_missing(self, reason):
        """Resolve discrepancies of missing goods: the return is closed without them.

        Missing goods of a parcel are recorded, too, if nobody has done so.
        """
        # sudo: users who may close a return (checked by `action_close`) also settle its missing
        # goods.
        records = self.sudo().discrepancy_ids.filtered(
            lambda d: d.kind == 'short' and d.state == 'open'
        )
        reception = self.env['sale.return.reception']
        records |= records._create_found(
            [
                reception._prepare_missing_vals(
                    line, line._get_qty_missing(), line.move_ids.picking_id[:1]
                )
                for line in self.sudo().line_ids - records.line_id
                if line._get_qty_missing() and line.return_id._has_arrived()
            ],
            with_activity=False,
        )
        if records:
            records.sudo()._settle('write_off', reason)

    def _has_arrived(self):
        """Tell whether anything of the return has come."""
        self.ensure_one()
        return any(line.qty_received for line in self.line_ids)

    # === RECEIPT === #

    def action_expect_again(self):
        """Expect authorized goods that have not come again, where the receipt was cancelled.

        :return: True
        :raise UserError: when a return is not approved.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._ensure_state(
            ('approved',), self.env._("The goods of return %(returns)s cannot be expected again.")
        )
        self.env['sale.return.reception']._create_receipts(self)
        return True

    # === BUTTONS === #

    def action_view_discrepancies(self):
        """Show the discrepancies."""
        return self.discrepancy_ids._get_records_action(name=self.env._("Discrepancies"))

    def action_open_discrepancy(self):
        """Open the dialog that registers a discrepancy."""
        self._ensure_group('group_inspector')
        self.env['sale.return.reader']._ensure_one(self)
        self._ensure_state(
            ('submitted', 'approved', 'closed'),
            self.env._("No discrepancy can be registered for return %(returns)s."),
        )
        return self._get_wizard_action(
            'sale.return.discrepancy.register',
            self.env._("Register Discrepancy"),
            default_return_id=self.id,
        )
