import math
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleOrderLine(models.Model):
    """Kits: their components, and the share of each component.

    A kit is sold as one product and moves as its components. All its quantities in a return are
    in the unit of the order line: a component that comes back is its *share* of a kit.
    """

    _inherit = 'sale.order.line'

    # {product id: [quantity in one kit (unit of the component), share of it (0 to 1)]} Must not
    # change: credits depend on it.
    sale_return_kit = fields.Json(copy=False, readonly=True, groups=fields.NO_ACCESS)

    # === WHAT A KIT IS MADE OF === #

    def _is_return_kit(self):
        """Tell whether the line was delivered by its components."""
        self.ensure_one()
        # sudo: the order's salesman need not see the transfers.
        line = self.sudo()
        return bool(line.sale_return_kit) or (
            line.qty_delivered_method == 'stock_move'
            and any(move._is_kit_component() for move in line.move_ids)
        )

    def _get_return_kit(self):
        """Return the components of one kit of the line, empty when it is not a kit.

        Fixed since the first return was submitted, before that as of now.

        :return: `{component: (quantity in one unit of the line, share of it)}`; quantities are in
            the unit of the component, the shares of all components add up to 1.
        :rtype: dict
        """
        self.ensure_one()
        # sudo: the components decide what users without access to orders may return.
        kit = self.sudo().sale_return_kit or self._prepare_return_kit()
        products = self.env['product.product']
        return {products.browse(int(key)): tuple(values) for key, values in kit.items()}

    def _fix_return_kits(self):
        """Store the components of kits as of now, and what came back of each before."""
        # sudo: users who submit a return need not be allowed to write orders.
        for line in self.sudo():
            if line.sale_return_kit or not line._is_return_kit():
                continue
            # One write per line: kits are few and each has other components.
            line.sale_return_kit = line._prepare_return_kit()
            line.move_ids._note_kit_quantities()

    def _prepare_return_kit(self):
        """Prepare the result of `_get_return_kit`.

        The share of a component is computed from the first of these that every component has:

        1. the cost shares of the bill of materials,
        2. the stock value of the delivered components (their cost, where they have no value),
        3. the sales prices of the components,
        4. equal shares.

        Worked example: a kit of 2 A and 1 B, where A cost 60.00 and B 30.00: 120 of 150, so the
        two A are 0.80 of a kit, one A is 0.40, and B is 0.20. For a kit sold at 300.00 the return
        of one A credits 120.00, of the B 60.00, of all three exactly 300.00.

        :return: `{component id: [quantity, share]}`, empty when it is not a kit.
        :rtype: dict
        """
        self.ensure_one()
        # sudo: the shares follow from bills of materials and costs for all users.
        line = self.sudo()
        quantities = line._get_kit_quantities()
        weights = next(
            weights
            for weights in (
                line._get_kit_cost_shares(),
                line._get_kit_costs(quantities),
                {product: quantity * product.lst_price for product, quantity in quantities.items()},
                dict.fromkeys(quantities, 1.0),
            )
            if all(weights.get(product, 0.0) > 0 for product in quantities)
        )
        total = sum(weights[product] for product in quantities)
        return {
            str(product.id): [quantity, weights[product] / total]
            for product, quantity in quantities.items()
        }

    def _get_kit_quantities(self):
        """Return `{component: quantity in one unit of the line}`.

        Taken from the bill of materials, limited to what was planned for delivery: it may have
        been changed since, and components that are no longer delivered were still part of the kit.
        """
        self.ensure_one()
        planned, cancelled = self._get_kit_demand()
        listed = self._get_kit_listed()
        result = {}
        for product in planned | cancelled:
            lower = planned.get(product, 0.0) / (self.product_uom_qty or 1.0)
            upper = lower + cancelled.get(product, 0.0) / (self.product_uom_qty or 1.0)
            quantity = min(max(listed.get(product, 0.0), lower), upper)
            if quantity > 0:
                result[product] = quantity
        return result

    def _get_kit_demand(self):
        """Return what is (and was) to be delivered of each component for the whole line.

        A delivery in several steps moves the same goods several times; the step that moves most
        counts.

        :return: `{component: quantity}` delivered or planned, and cancelled.
        :rtype: tuple
        """
        steps = defaultdict(float)
        for move in self.move_ids.filtered(lambda move: move._is_kit_delivery_step()):
            quantity = move.quantity if move.state == 'done' else move.product_uom_qty
            # Without backorder, Odoo keeps the planned quantity on the done move.
            dropped = max(move.product_uom_qty - quantity, 0.0)
            is_cancelled = move.state == 'cancel'
            for part, is_off in ((quantity, is_cancelled), (dropped, True)):
                key = (is_off, move.product_id, move.warehouse_id, move.picking_type_id)
                steps[key] += move.product_uom._compute_quantity(
                    part, move.product_id.uom_id, round=False
                )
        highest = defaultdict(float)
        for (is_cancelled, product, warehouse, _type), quantity in steps.items():
            key = (is_cancelled, product, warehouse)
            highest[key] = max(highest[key], quantity)
        planned, cancelled = defaultdict(float), defaultdict(float)
        for (is_cancelled, product, _warehouse), quantity in highest.items():
            (cancelled if is_cancelled else planned)[product] += quantity
        return planned, cancelled

    def _explode_kit(self):
        """Return the lines of the bill of materials of one unit of the line, as it is today.

        :return: list of `(bill of materials line, values)` as Odoo's `explode` gives them.
        """
        if 'mrp.bom' not in self.env:
            return []
        bom = self.env['mrp.bom']._bom_find(
            self.product_id, company_id=self.company_id.id, bom_type='phantom'
        )[self.product_id]
        if not bom:
            return []
        kits = self.product_uom_id._compute_quantity(1.0, bom.product_uom_id, round=False)
        return bom.explode(self.product_id, kits / bom.product_qty)[1]

    def _get_kit_listed(self):
        """Return `{component: quantity in one unit of the line}` of the bill of materials today."""
        result = defaultdict(float)
        for bom_line, data in self._explode_kit():
            result[bom_line.product_id] += bom_line.product_uom_id._compute_quantity(
                data['qty'], bom_line.product_id.uom_id, round=False
            )
        return result

    def _get_kit_cost_shares(self):
        """Return the cost share of each component, empty when nobody has set any."""
        lines = self._explode_kit()
        result = defaultdict(float)
        if any('cost_share' in bom_line and bom_line.cost_share for bom_line, _data in lines):
            for bom_line, data in lines:
                result[bom_line.product_id] += data.get('line_cost_share', 0.0)
        return result

    def _get_kit_costs(self, quantities):
        """Return the value of each component of one kit when it was delivered."""
        result = {}
        for product, quantity in quantities.items():
            moves = self.move_ids.filtered(
                lambda move, product=product: (
                    move.product_id == product and move.is_out and move._is_kit_delivery()
                )
            )
            moved = sum(move._get_product_quantity() for move in moves)
            cost = product.with_company(self.company_id).standard_price
            result[product] = quantity * (sum(moves.mapped('value')) / moved if moved else cost)
        return result

    # === WHAT MOVED === #

    def _get_kit_share(self, product, quantity):
        """Return which part of the line a quantity of a component represents, unrounded.

        :param product: `product.product`, the component.
        :param float quantity: in the unit of the component.
        :return: a quantity in the unit of the line.
        :rtype: float
        """
        in_one, share = self._get_return_kit().get(product, (0.0, 0.0))
        return quantity / in_one * share if in_one else 0.0

    def _get_kit_delivered(self):
        """Return `{component: quantity}` of the first deliveries, without goods delivered again."""
        self.ensure_one()
        delivered = defaultdict(float)
        # sudo: all deliveries of the order line count, no matter who asks.
        for move in self.sudo().move_ids:
            if move.state == 'done' and move._is_kit_delivery():
                delivered[move.product_id.sudo(False)] += move._get_product_quantity()
        return delivered

    def _get_kit_moved(self, refunded_only=False):
        """Return the kits that went to the customer and came back, in the unit of the line.

        :param bool refunded_only: True to leave out moves that do not change what Odoo counts as
            delivered.
        :return: `(delivered at first, went out again, came back)`.
        :rtype: tuple
        """
        self.ensure_one()
        kit = self._get_return_kit()
        delivered = sum(
            quantity / kit[product][0] * kit[product][1]
            for product, quantity in self._get_kit_delivered().items()
            if product in kit
        )
        # sudo: all moves of the order line count, no matter who asks.
        counted = self.sudo().move_ids.filtered(
            lambda move: (
                move.state == 'done'
                and move._is_kit_return_move()
                and (move.to_refund or not refunded_only)
            )
        )
        again = back = 0.0
        for move in counted:
            part = move.sale_return_kit_qty
            if not self.sudo().sale_return_kit:  # nobody has counted yet
                part = self._get_kit_share(move.product_id, move._get_product_quantity())
            if move.location_id._is_at_customer():
                back += part
            else:
                again += part
        return delivered, again, back

    def _get_kits_complete(self, quantities):
        """Return how many whole kits components make, in the unit of the line.

        :param dict quantities: `{component: quantity in its unit}`.
        """
        self.ensure_one()
        kit = self._get_return_kit()
        kits = min((quantities.get(p, 0.0) / in_one for p, (in_one, _s) in kit.items()), default=0)
        return self._get_whole_kits(kits)

    def _get_whole_kits(self, quantity):
        """Return the whole kits in a quantity, both in the unit of the line.

        A line in dozens may have 7 kits, which is not a whole number of dozens.
        """
        self.ensure_one()
        measure = self._get_return_measure()
        return measure.from_stock(max(math.floor(measure.to_stock(quantity)), 0))

    # === GUARD === #

    def _check_return_components(self):
        """Refuse that more of a component comes back than was delivered.

        :raise UserError: naming the order, the kit and the component.
        """
        # sudo: all moves of the order line count, no matter who validates the transfer.
        for line in self.filtered(lambda line: line.sudo().sale_return_kit):
            left = line._get_kit_delivered()
            for move in line.sudo().move_ids:
                if move.state == 'done' and move._is_kit_return_move():
                    sign = -1 if move.location_id._is_at_customer() else 1
                    left[move.product_id.sudo(False)] += sign * move._get_product_quantity()
            for product, quantity in left.items():
                if product.uom_id.compare(quantity, 0.0) < 0:
                    raise UserError(
                        self.env._(
                            "%(component)s of %(kit)s in order %(order)s: %(excess)s %(unit)s more "
                            "would come back than were delivered.",
                            component=product.display_name,
                            kit=line.product_id.display_name,
                            order=line.order_id.name,
                            excess=product.uom_id.round(-quantity),
                            unit=product.uom_id._get_name_after(product.uom_id.round(-quantity)),
                        )
                    )

    # === OVERRIDES === #

    @api.depends('move_ids.sale_return_kit_qty')
    def _compute_qty_delivered(self):
        """Override of `sale` to follow components that come back, see `_prepare_qty_delivered`."""
        return super()._compute_qty_delivered()

    def _prepare_qty_delivered(self):
        """Override of `sale_mrp`: a returned component counts as its share of the kit.

        Odoo counts whole kits and drops one when its first component comes back. Returned and
        delivered quantities would then not add up to what was shipped, and the difference could be
        credited or billed twice.
        """
        result = super()._prepare_qty_delivered()
        for line in self:
            # sudo: a computed quantity is the same for all users.
            if not line.sudo().sale_return_kit:
                continue
            delivered, again, back = line._get_kit_moved(refunded_only=True)
            if again or back:
                complete = line._get_kits_complete(line._get_kit_delivered())
                at_customer = line._get_return_measure().round(delivered + again - back)
                # Components that do not make up a whole kit are not billed, so they are taken
                # first.
                result[line] = min(complete + max(again - back, 0.0), at_customer)
        return result

    def _get_qty_planned(self):
        """Override to count shipped kits, regardless of the quantity ordered now.

        Odoo finds none once the order is lowered to zero.
        """
        if self._is_return_kit():
            return self._get_kits_complete(self._get_kit_demand()[0])
        return super()._get_qty_planned()

    @api.model
    def _get_incoming_outgoing_moves_filter(self):
        """Override of `sale_mrp` to plan no new delivery because of a return."""
        filters = super()._get_incoming_outgoing_moves_filter()

        def without_returns(is_counted):
            return lambda move: not move.sale_return_line_id and is_counted(move)

        return {key: without_returns(is_counted) for key, is_counted in filters.items()}
