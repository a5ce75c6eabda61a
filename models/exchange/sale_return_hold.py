from datetime import timedelta

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command, Datetime
from odoo.tools import SQL, groupby

from ...tools.notes import Notes


class SaleReturnHold(models.AbstractModel):
    """Service: hold chosen products in stock until the customer's goods are here.

    WH/Stock ──► Customers, reserved like any delivery, and never validated: when the policy
    releases the exchange order, the move becomes its delivery (`_hand_over`), or a part of the hold
    is replaced by it (`_shrink`); or it is released.

    All methods are called in superuser mode.
    """

    _name = 'sale.return.hold'
    _description = "Hold for Exchanges"

    # === TAKE === #

    @api.model
    def _take(self, lines):
        """Hold the chosen products of lines.

        :param lines: `sale.return.line` records that were just submitted.
        :raise UserError: when there is not enough, naming the product, how many there are, and when
            more come.
        """
        held = lines.filtered(lambda line: line.exchange_product_id.is_storable)
        if not held:
            return
        self._check_limits(held)
        self._lock_stock(held)
        moves = self.env['stock.move'].create([self._prepare_move_vals(line) for line in held])
        moves._action_confirm(merge=False)
        # Odoo searches the stock twice less for each; the rows are locked, so they stay the same.
        quants = moves.env['stock.quant']._get_quants_by_products_locations(
            moves.product_id, moves.location_id
        )
        moves.with_context(quants_cache=quants)._action_assign()
        short = moves.filtered(lambda move: move.state != 'assigned')
        if short:
            move = short[:1]
            warehouse = move.exchange_line_id.exchange_order_id.warehouse_id
            # What this hold has already reserved is available to it, too.
            got = sum(short.filtered(lambda m: m.product_id == move.product_id).mapped('quantity'))
            exchange = self.env['sale.return.exchange']
            free = exchange._get_free(move.product_id, warehouse)[move.product_id]
            raise UserError(
                exchange._describe_shortage(
                    move.product_id, warehouse, move.product_qty, free + got
                )
            )
        now = Datetime.now()
        # Without days only the availability is checked.
        self._free(held.filtered(lambda line: not line.policy_id.hold_days))
        for days, group in held.return_id.grouped(self._get_hold_days).items():
            group._write_facts({'exchange_hold_until': days and now + timedelta(days=days)})

    @api.model
    def _get_hold_days(self, sale_return):
        """Return for how many days a return holds goods; all lines end on one day."""
        days = sale_return.line_ids._filter_exchanged().policy_id.mapped('hold_days')
        return min(filter(None, days), default=0)

    @api.model
    def _lock_stock(self, lines):
        """Serialize transactions that hold the same goods.

        Odoo skips rows locked by others and writes new ones, so two transactions could both get the
        last unit. Writing the rows makes the second one wait and be retried, seeing what the first
        has done.
        """
        locations = lines.exchange_order_id.warehouse_id.lot_stock_id
        quants = self.env['stock.quant'].search(
            [
                ('product_id', 'in', lines.exchange_product_id.ids),
                ('location_id', 'child_of', locations.ids),
            ]
        )
        quants.flush_recordset(['reserved_quantity'])
        if quants:
            # A conflict is not an error worth a log entry: Odoo retries the transaction.
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE stock_quant SET reserved_quantity = reserved_quantity
                     WHERE id IN (SELECT id FROM stock_quant WHERE id IN %(ids)s
                                   ORDER BY id FOR NO KEY UPDATE)
                    """,
                    ids=tuple(quants.ids),
                ),
                log_exceptions=False,
            )

    @api.model
    def _prepare_move_vals(self, line):
        """Prepare the move that holds goods. Override to add values.

        It has no operation type, so that it is not part of a transfer that could be validated.
        """
        order = line.exchange_order_id
        partner = order.partner_shipping_id
        customers = partner.with_company(order.company_id).property_stock_customer
        return {
            'product_id': line.exchange_product_id.id,
            'product_uom': line.exchange_uom_id.id,
            'product_uom_qty': line._get_qty_exchange_open(),
            'location_id': order.warehouse_id.lot_stock_id.id,
            'location_dest_id': customers.id,
            'company_id': order.company_id.id,
            'partner_id': partner.id,
            'warehouse_id': order.warehouse_id.id,
            'origin': line.return_id.name,
            'procure_method': 'make_to_stock',
            'exchange_line_id': line.id,
        }

    @api.model
    def _check_limits(self, lines):
        """Limit what one customer, or one order, may hold to the company's settings.

        :raise UserError: naming the customer or the order.
        """
        customers = lines.partner_id.commercial_partner_id
        # Two requests at once must both be counted.
        self.env['sale.return.guard']._take_counter(customers, 'sale_return_hold_guard')
        for company, group in lines.grouped('company_id').items():
            limits = {
                'customer': company.sale_return_hold_customer_limit,
                'order': company.sale_return_hold_order_limit,
            }
            if limits['customer']:
                for customer in group.partner_id.commercial_partner_id:
                    mine = [('partner_id', 'child_of', customer.id)]
                    asked = group.filtered(
                        lambda line, c=customer: line.partner_id.commercial_partner_id == c
                    )
                    self._check_limit(limits['customer'], customer, mine, asked)
            if limits['order']:
                for order in group.order_id:
                    asked = group.filtered(lambda line, o=order: line.order_id == o)
                    self._check_limit(limits['order'], order, [('order_id', '=', order.id)], asked)

    @api.model
    def _check_limit(self, limit, record, domain, lines):
        holding = self.env['sale.return.line'].search(
            [
                *domain,
                ('company_id', '=', lines.company_id.id),
                ('id', 'not in', lines.ids),
                ('exchange_hold_ids.state', 'in', ('assigned', 'partially_available', 'confirmed')),
            ]
        )
        held = sum(holding.mapped(self._get_units))
        asked = sum(lines.mapped(self._get_units))
        if held + asked > limit:
            raise UserError(
                self.env._(
                    "%(held)s units are already held for %(record)s, and %(asked)s more are "
                    "requested; the limit is %(limit)s. Wait until one of the exchanges is "
                    "done, or choose a refund.",
                    record=record.display_name,
                    held=f"{held:g}",
                    asked=f"{asked:g}",
                    limit=limit,
                )
            )

    @api.model
    def _get_units(self, line):
        """Return the exchange quantity of a line in the unit of the product: a dozen is twelve."""
        return line.exchange_uom_id._compute_quantity(
            line.exchange_quantity, line.exchange_product_id.uom_id, round=False
        )

    # === SET FREE === #

    @api.model
    def _get_moves(self, lines):
        return lines.exchange_hold_ids.filtered(lambda move: move.state not in ('done', 'cancel'))

    @api.model
    def _free(self, lines):
        """Release the holds of lines."""
        self._get_moves(lines)._action_cancel()

    @api.model
    def _shrink(self, quantities):
        """Replace parts of the hold by the deliveries of orders.

        :param dict quantities: `{return line: quantity in the unit of the exchange}`
        """
        ended = self.env['stock.move']
        for line, quantity in quantities.items():
            for move in self._get_moves(line):
                left = move.product_uom.round(move.product_uom_qty - quantity)
                if move.product_uom.compare(left, 0.0) <= 0:
                    ended |= move
                else:
                    move._do_unreserve()
                    move.product_uom_qty = left
                    move._action_assign()
        ended._action_cancel()

    # === HAND OVER === #

    @api.model
    def _prepare_references(self, orders, lines):
        """Create the references of orders and of the moves they take over, all at once.

        Odoo would create them one by one when the orders are confirmed.

        :param lines: `sale.return.line` records whose holds become deliveries as they are.
        """
        by_order = self._get_moves(lines).grouped(lambda m: m.exchange_line_id.exchange_order_id)
        orders.env['stock.reference'].create(
            [
                order.order_line[:1]._prepare_reference_vals()
                | {'move_ids': [Command.set(by_order[order].ids)]}
                for order in orders
                if order in by_order and not order.stock_reference_ids
            ]
        )

    @api.model
    def _is_whole(self, line, quantity):
        """Tell whether one move holds exactly what is ordered, so that it can be delivered."""
        move = self._get_moves(line)
        return len(move) == 1 and move.product_uom.compare(move.product_uom_qty, quantity) == 0

    @api.model
    def _match(self, procurements):
        """Find the holds that deliveries can take over as they are.

        :param list procurements: `[(procurement, rule)]`, as `stock.rule._run_pull` takes them.
        :return: `[(procurement, rule, move)]`
        :rtype: list
        """
        result, taken = [], self.env['stock.move'].sudo()
        for procurement, rule in procurements:
            line_id = procurement.values.get('sale_line_id')
            if not line_id or rule.procure_method == 'make_to_order':
                continue
            # sudo: users who confirm an order need not be users of Returns.
            sale_line = self.env['sale.order.line'].sudo().browse(line_id)
            if not sale_line.order_id.exchange_return_id:
                continue
            move = self._get_moves(sale_line.exchange_return_line_ids)
            if (
                len(move) == 1
                and move not in taken
                and move.product_id == procurement.product_id
                and move.product_uom == procurement.product_uom
                and move.product_uom.compare(move.product_uom_qty, procurement.product_qty) == 0
                # In a delivery of several steps the first one goes elsewhere and does not wait.
                and move.location_id == rule.location_src_id
                and rule.picking_type_id.code == 'outgoing'
            ):
                taken |= move
                result.append((procurement, rule, move))
        return result

    @api.model
    def _hand_over(self, matches):
        """Turn moves that hold goods into deliveries; the goods stay reserved all the time.

        :param list matches: see `_match`.
        """
        if not matches:
            return
        moves = self.env['stock.move'].sudo().union(*[move for _p, _rule, move in matches])
        plan = []
        for procurement, rule, move in matches:
            vals = rule._get_stock_move_values(*procurement)
            for name in ('product_id', 'product_uom', 'product_uom_qty', 'location_id'):
                del vals[name]
            plan.append((move.with_prefetch(moves.ids), vals))
        # Common values are written at once.
        first = plan[0][1]
        common = {
            name: value
            for name, value in first.items()
            if all(name in vals and vals[name] == value for _move, vals in plan)
        }
        moves.write(
            common
            | {'state': 'draft', 'procure_method': 'make_to_stock', 'exchange_line_id': False}
        )
        for move, vals in plan:
            if move.reference_ids.ids == vals['reference_ids'][0][2]:
                del vals['reference_ids']  # see `_prepare_references`
            if own := {name: value for name, value in vals.items() if name not in common}:
                move.write(own)
        for company, group in moves.grouped('company_id').items():
            group = group.with_company(company)
            deliveries = self._create_deliveries(group)
            group._action_confirm(merge=False)
            kept = Notes()
            for some in deliveries:
                # One by one, as Odoo does: each names its order.
                some.with_context(sale_return_notes=kept)._assign_picking_post_process(new=True)
            self.env['sale.return.notes']._log(kept)
        for picking, group in moves.grouped('picking_id').items():
            group.move_line_ids.picking_id = picking

    @api.model
    def _create_deliveries(self, moves):
        """Create the first deliveries of orders at once: Odoo looks for each, and creates each.

        Later ones are left to Odoo, which may add to a delivery that exists.

        :return: the moves of each.
        :rtype: list
        """
        moves = moves.filtered(
            lambda move: move._should_be_assigned() and not move.sale_line_id.order_id.picking_ids
        )
        groups = [
            moves.browse().concat(*group)
            for _key, group in groupby(moves, lambda move: move._key_assign_picking())
        ]
        pickings = moves.env['stock.picking'].create(
            [group._get_new_picking_values() for group in groups]
        )
        for picking, group in zip(pickings, groups, strict=True):
            group.picking_id = picking
        return groups

    # === END === #

    @api.model
    def _get_ended_domain(self):
        """Return the domain of returns whose hold has expired."""
        return [
            ('exchange_hold_until', '<=', Datetime.now()),
            ('state', 'in', ('submitted', 'approved', 'closed')),
        ]

    @api.model
    def _cron_end(self):
        """Scheduled job: release expired holds; the returns continue as refunds."""
        # sudo: the job works for all companies.
        returns = self.env['sale.return'].sudo().search(self._get_ended_domain(), order='id')
        self.env['sale.return.job']._work_off(returns, self.sudo()._end_due)

    @api.model
    def _end_due(self, returns):
        """End the exchanges of returns whose hold has (still) expired."""
        due = returns.filtered_domain(self._get_ended_domain())
        # Goods that are here wait for us, and customers must not lose their exchange by that.
        waiting = due.filtered(lambda r: any(line.qty_to_inspect > 0 for line in r.line_ids))
        waiting._write_facts({'exchange_hold_until': Datetime.now() + timedelta(days=1)})
        for sale_return in due - waiting:
            # One by one: each has its own messages.
            sale_return._end_exchange('exchange_lapsed')
            sale_return._after_step()

    @api.model
    def _end(self, lines, as_refund=True):
        """End the exchange of lines: release the hold, lower the order to what is ordered.

        :param bool as_refund: False where the return itself ends.
        """
        lines = lines.filtered(
            lambda line: (
                line.resolution == 'exchange'
                and not line.exchange_ended
                and (line._get_qty_exchange_open() or self._get_moves(line))
            )
        )
        if not lines:
            return lines
        lines._write_facts({'exchange_ended': True})
        self._free(lines)
        self._lower_orders(lines)
        for line in lines if as_refund else ():
            if line._get_qty_exchange_ordered():
                continue
            twins = line.return_id.line_ids.filtered(
                lambda other, line=line: (
                    other.sale_line_id == line.sale_line_id
                    and other.reason_id == line.reason_id
                    and other.resolution == 'refund'
                )
            )
            # A return can have an order line only once per reason and resolution.
            if not twins:
                line._write_facts({'resolution': 'refund'})
        lines.return_id.filtered(lambda r: not r.line_ids._filter_exchanged())._write_facts(
            {'exchange_hold_until': False}
        )
        return lines

    @api.model
    def _lower_orders(self, lines):
        """Cancel quotations without ordered quantities."""
        orders = lines.exchange_order_id.filtered(lambda order: order.state in ('draft', 'sent'))
        for order in orders:
            if order.exchange_return_id.line_ids._filter_exchanged():
                lines.exchange_sale_line_id.filtered(
                    lambda line, order=order: line.order_id == order
                ).product_uom_qty = 0.0
            else:
                order._action_cancel()
