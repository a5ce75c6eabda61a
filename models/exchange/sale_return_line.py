import math

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

# Fields of the exchange; fixed at submission, or when the goods are under way.
WISH = frozenset({'resolution', 'exchange_product_id', 'exchange_quantity', 'exchange_price'})


class SaleReturnLine(models.Model):
    """Other goods instead of money: the chosen product and its price.

    The line is credited like a refund. The chosen product is on a separate order, whose invoice is
    settled with the credit note.
    """

    _inherit = 'sale.return.line'

    resolution = fields.Selection(
        selection_add=[('exchange', "Exchange")],
        ondelete={'exchange': lambda lines: lines._write_facts({'resolution': 'refund'})},
    )
    exchange_product_id = fields.Many2one(
        'product.product',
        string="Exchange For",
        index='btree_not_null',
        ondelete='restrict',
        help=(
            "What the customer gets instead: another variant, at the price they paid, or another "
            "product at their current price."
        ),
    )
    exchange_uom_id = fields.Many2one(
        'uom.uom',
        string="Unit of the Exchange",
        compute='_compute_exchange_uom_id',
        store=True,
    )
    exchange_quantity = fields.Float(
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_exchange_quantity',
        store=True,
        readonly=False,
        precompute=True,
        help="How many the customer gets, if everything sent back is accepted.",
    )
    exchange_price = fields.Float(
        min_display_digits='Product Price',
        compute='_compute_exchange_price',
        store=True,
        readonly=False,
        help=(
            "Unit price, discount deducted, like the prices of the order. A price below the "
            "proposal needs an approver."
        ),
    )
    exchange_sale_line_id = fields.Many2one(
        'sale.order.line',
        string="Exchange Order Line",
        readonly=True,
        copy=False,
        index='btree_not_null',
        ondelete='set null',
    )
    exchange_order_id = fields.Many2one(
        related='exchange_sale_line_id.order_id', string="Exchange Order", store=True
    )
    exchange_hold_ids = fields.One2many(
        'stock.move', 'exchange_line_id', string="Held Goods", readonly=True
    )
    exchange_ended = fields.Boolean(
        readonly=True,
        copy=False,
        help=(
            "The exchange has ended: the hold has expired, or somebody ended it. Returned goods "
            "are still credited."
        ),
    )
    # Shows which size runs small; kept even if the exchange ends.
    size_had_id = fields.Many2one(
        'product.attribute.value',
        compute='_compute_size_had_id',
        store=True,
        index='btree_not_null',
        help=(
            "The first attribute in which the two variants differ. Without an exchange, if the "
            "reason is about the size, the first attribute of which the product has several "
            "values."
        ),
    )
    size_wanted_id = fields.Many2one(
        'product.attribute.value',
        compute='_compute_size_had_id',
        store=True,
        index='btree_not_null',
    )

    # === COMPUTE METHODS === #

    @api.depends('exchange_product_id', 'product_uom_id')
    def _compute_exchange_uom_id(self):
        for line in self:
            product = line.exchange_product_id
            unit = line.product_uom_id
            # The unit of the order, if it is of the same kind: a dozen for a dozen.
            same = product and unit._has_common_reference(product.uom_id)
            line.exchange_uom_id = unit if same else product.uom_id

    @api.depends('resolution', 'qty_requested', 'exchange_product_id')
    def _compute_exchange_quantity(self):
        for line in self:
            wished = line.resolution == 'exchange' and line.exchange_product_id
            default = line.qty_requested if wished else 0.0
            line.exchange_quantity = line.exchange_quantity if line._is_submitted() else default

    @api.depends('resolution', 'exchange_product_id', 'exchange_quantity', 'sale_line_id')
    def _compute_exchange_price(self):
        wishes = self.filtered(
            lambda line: (
                line.resolution == 'exchange' and line.exchange_product_id and line.sale_line_id
            )
        )
        # sudo: users who enter a return need not read orders and pricelists.
        prices = self.env['sale.return.exchange'].sudo()._get_proposed_prices(wishes.sudo())
        for line in self:
            submitted = line._is_submitted()
            line.exchange_price = line.exchange_price if submitted else prices.get(line, 0.0)

    def _is_submitted(self):
        """Tell whether the exchange can no longer be changed."""
        self.ensure_one()
        return bool(self._origin) and self.return_id.state not in (False, 'draft')

    @api.depends('product_id', 'exchange_product_id', 'reason_id')
    def _compute_size_had_id(self):
        service = self.env['sale.return.exchange']
        for line in self:
            # sudo: names of sizes, no matter who enters the return.
            had, wanted = line.product_id.sudo(), line.exchange_product_id.sudo()
            sizes = service._get_sizes(had, wanted)
            if not sizes[0] and line.reason_id.about_size:
                sizes = (service._get_size(had), sizes[1])
            line.size_had_id, line.size_wanted_id = sizes

    # === CONSTRAINT METHODS === #

    @api.constrains('exchange_quantity', 'exchange_price')
    def _check_exchange(self):
        for line in self:
            # NaN and infinity cannot be ordered.
            if not all(
                math.isfinite(number) and number >= 0
                for number in (line.exchange_quantity, line.exchange_price)
            ):
                raise ValidationError(
                    self.env._(
                        "The quantity and the price of what %(product)s is exchanged for cannot"
                        " be below zero.",
                        product=line.product_id.display_name,
                    )
                )

    # === CRUD METHODS === #

    def _count_requested(self):
        """Extend to separate the exchange from the returned goods."""
        wished = {
            line: line.exchange_quantity
            for line in self
            if line.exchange_quantity and line.exchange_quantity != line.qty_requested
        }
        result = super()._count_requested()
        for line, quantity in wished.items():
            if line.exchange_quantity != quantity:
                line._write_facts({'exchange_quantity': quantity})
        return result

    def write(self, vals):
        """Extend to protect the exchange once the goods are under way.

        :raise UserError: naming the return.
        """
        if WISH.intersection(vals):
            for line in self.filtered('return_id.date_dispatched'):
                if any(line._changes_wish(name, vals[name]) for name in WISH.intersection(vals)):
                    raise UserError(
                        self.env._(
                            "The goods of return %(return)s are under way, so what the customer "
                            "gets for %(product)s cannot be changed any more. Receive and inspect "
                            "them first.",
                            product=line.product_id.display_name,
                            **{'return': line.return_id.name},
                        )
                    )
        return super().write(vals)

    def _changes_wish(self, name, value):
        field = self._fields[name]
        return field.convert_to_cache(value, self) != field.convert_to_cache(self[name], self)

    @api.model
    def _get_hidden_resolutions(self):
        """Extend to hide it where it is switched off."""
        hidden = super()._get_hidden_resolutions()
        return hidden if self.env['sale.return.exchange']._is_on() else hidden | {'exchange'}

    def _get_customer_wish(self):
        """Extend to name the product they get instead."""
        if self.resolution != 'exchange':
            return super()._get_customer_wish()
        # sudo: customers see what they chose, also where it is not published.
        product = self.sudo().exchange_product_id
        if not product:
            return self.env._("Another size or variant")
        return self.env._("Exchange for %(product)s", product=product.display_name)

    # === QUANTITIES === #

    def _is_credited(self):
        """Extend to credit exchanged goods: the credit settles the exchange."""
        return self.resolution == 'exchange' or super()._is_credited()

    def _filter_exchanged(self):
        """Return the lines that may still be exchanged."""
        return self.filtered(
            lambda line: (
                line.resolution == 'exchange'
                and not line.exchange_ended
                and line.decision != 'refused'
            )
        )

    def _get_qty_exchanged(self, quantity):
        """Return how many the customer gets for a returned quantity, in proportion.

        :param float quantity: in the unit of the line.
        :return: in the unit of the exchange, whole pieces if it is counted in pieces.
        :rtype: float
        """
        self.ensure_one()
        measure = self._get_measure()
        asked = measure.to_stock(self.qty_requested)
        back = min(measure.to_stock(quantity), asked)
        wished = self.exchange_quantity
        if not asked or back <= 0:
            return 0.0
        if back >= asked:
            return wished
        part = wished * back / asked
        pieces = self.exchange_uom_id == self.env.ref('uom.product_uom_unit')
        if pieces and wished == round(wished):
            return float(int(part + 1e-6))  # nobody gets half a shirt
        return self.exchange_uom_id.round(part, rounding_method='DOWN')

    def _get_qty_exchange_ordered(self):
        """Return the confirmed order quantity, in the unit of the exchange."""
        self.ensure_one()
        sale_line = self.exchange_sale_line_id
        return sale_line.product_uom_qty if sale_line.state == 'sale' else 0.0

    def _get_qty_exchange_given(self):
        """Return what is ordered, or had left before its order was cancelled.

        :return: in the unit of the exchange.
        :rtype: float
        """
        return max(self._get_qty_exchange_ordered(), self.exchange_sale_line_id.qty_delivered)

    def _get_qty_exchange_open(self):
        """Return the quantity promised and not ordered yet, in the unit of the exchange."""
        self.ensure_one()
        if not self._filter_exchanged():
            return 0.0
        promised = self._get_qty_exchanged(self._get_qty_wanted())
        return max(promised - self._get_qty_exchange_ordered(), 0.0)

    def _get_qty_exchange_billed(self):
        """Return the quantity on invoices, drafts included, in the unit of the exchange.

        What is credited of them is billed nevertheless: nobody bills it again.
        """
        self.ensure_one()
        sale_line = self.exchange_sale_line_id
        return sum(
            item.product_uom_id._compute_quantity(item.quantity, sale_line.product_uom_id)
            for item in sale_line.invoice_lines
            if item.move_id.move_type == 'out_invoice' and item.parent_state != 'cancel'
        )

    def _has_effects(self):
        """Extend to count what is ordered for the customer."""
        return super()._has_effects() or bool(self._get_qty_exchange_ordered())

    # === GUARDS === #

    def _ensure_submittable(self, returns):
        """Extend to refuse exchanges that cannot be carried out.

        :raise UserError: naming the product and what to do.
        """
        result = super()._ensure_submittable(returns)
        # sudo: whether it can be done does not depend on what the clerk may read.
        wishes = self.filtered(lambda line: line.resolution == 'exchange').sudo()
        wishes._ensure_exchangeable()
        self.filtered(lambda line: line.resolution == 'exchange')._ensure_price_allowed()
        return result

    def _ensure_exchangeable(self):
        """Refuse exchanges that cannot be carried out. To be called in superuser mode.

        :raise UserError: naming the product and what to do.
        """
        if not self:
            return
        service = self.env['sale.return.exchange']
        service._ensure_on()
        for line in self:
            if problem := service._find_problem(line):
                raise UserError(problem)
        for lines in self.grouped('return_id').values():
            service._ensure_one_deal(lines)

    def _get_lowered_prices(self):
        """Return `{line: (proposed price, price)}` of lines below the proposed price."""
        wishes = self.filtered(lambda line: line.resolution == 'exchange')
        # sudo: as for the proposal.
        proposed = self.env['sale.return.exchange'].sudo()._get_proposed_prices(wishes.sudo())
        return {
            line: (proposed[line], line.exchange_price)
            for line in wishes
            if line.sudo().sale_line_id.currency_id.compare_amounts(
                line.exchange_price, proposed[line]
            )
            < 0
        }

    def _ensure_price_allowed(self):
        """Refuse a lower price than proposed, unless the user is an approver.

        :raise AccessError: naming the product and both prices.
        """
        if not self or self.env.su or self.env.user.has_group('sale_return.group_approver'):
            return
        for line, (proposed, price) in self._get_lowered_prices().items():
            currency = line.sudo().sale_line_id.currency_id  # sudo: as above
            raise AccessError(
                self.env._(
                    "%(product)s costs %(proposed)s in this exchange, not %(price)s. Only an "
                    "approver of Returns may lower the price.",
                    product=line.exchange_product_id.display_name,
                    proposed=currency.format(proposed),
                    price=currency.format(price),
                )
            )

    def _note_lowered_prices(self):
        """Record what lower prices give away, within the budget of credits without goods.

        :raise UserError: when it exceeds the limits and needs a manager.
        """
        lowered = {} if self.env.su else self._get_lowered_prices()
        if not lowered:
            return
        unbacked = self.env['sale.return.unbacked']
        # sudo: the list is evidence, which nobody reads to decide; submitted again it counts once.
        noted = dict(
            unbacked.sudo()._read_group(
                [('line_id', 'in', [line.id for line in lowered]), ('kind', '=', 'goodwill')],
                ['line_id'],
                ['amount:sum'],
            )
        )
        vals_list = []
        for line, (proposed, price) in lowered.items():
            vals = unbacked._prepare_line_vals(line, 'goodwill', line.exchange_quantity)
            vals['amount'] = line.sudo()._get_given_away(proposed - price) - noted.get(line, 0.0)
            if vals['amount'] > 0:
                vals_list.append(vals)
        unbacked._spend(vals_list)

    def _get_given_away(self, difference):
        """Return what a lower price gives away, tax included, in the currency of the company.

        :param float difference: per unit, like the prices of the order.
        :rtype: float
        """
        self.ensure_one()
        order = self.sale_line_id.order_id
        taxes = (
            self.env['sale.return.exchange']
            ._get_terms(self)['tax_ids']
            .compute_all(
                difference, order.currency_id, self.exchange_quantity, self.exchange_product_id
            )
        )
        company = self.company_id
        return order.currency_id._convert(
            taxes['total_included'], company.currency_id, company, company._get_sale_return_day()
        )

    # === RESOLVE === #

    @api.model
    def _resolve_exchange(self, lines):
        """Credit what is due, order what is released, and settle one with the other.

        :param lines: `sale.return.line` records with this resolution.
        """
        returns = lines.return_id
        self.env['sale.return.credit']._credit_after_step(returns)
        self.env['sale.return.exchange.order']._follow(returns)
