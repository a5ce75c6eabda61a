from collections import defaultdict

from odoo import api, models

from ...const import OPEN_STATES


class SaleReturnLots(models.AbstractModel):
    """Service: which lots and serial numbers customers have, and which returns they are in."""

    _name = 'sale.return.lots'
    _description = "Returned Lots and Serial Numbers"

    @api.model
    def _get_lots_at_customer(self, sale_lines, products=None):
        """Return which lots of order lines were delivered and are not back yet.

        :param sale_lines: `sale.order.line` records.
        :param products: the products to consider, by default all (a kit has several).
        :return: `{(order line, product): {lot id: quantity in the unit of the product}}`, in the
            order of delivery; the id False means goods delivered without a lot.
        :rtype: dict
        """
        result = defaultdict(dict)
        if not sale_lines:
            return result
        domain = [('move_id.sale_line_id', 'in', sale_lines.ids), ('state', '=', 'done')]
        if products is not None:
            domain.append(('product_id', 'in', products.ids))
        # sudo: what was delivered is the same for all users; nothing else is read.
        groups = (
            self.env['stock.move.line']
            .sudo()
            ._read_group(
                domain,
                ['move_id', 'lot_id'],
                ['quantity_product_uom:sum', 'id:min'],
                order='id:min',
            )
        )
        for move, lot, quantity, _first in groups:
            from_customer = move.location_id._is_at_customer()
            if from_customer == move.location_dest_id._is_at_customer():
                continue
            there = result[move.sale_line_id.with_env(self.env), move.product_id]
            there.setdefault(lot.id, 0.0)
            there[lot.id] += -quantity if from_customer else quantity
        return result

    @api.model
    def _get_choice(self, sale_lines):
        """Return the lots and serial numbers that may come back, for people who say which.

        :param sale_lines: `sale.order.line` records.
        :return: `{order line: stock.lot records of its own product}`, in the order of delivery;
            empty for products without lots.
        :rtype: dict
        """
        tracked = sale_lines.filtered(lambda line: line.product_id.tracking != 'none')
        there = self._get_lots_at_customer(tracked, tracked.product_id)
        lots = self.env['stock.lot']
        return {
            line: lots.browse(
                lot_id
                for lot_id, quantity in there.get((line, line.product_id), {}).items()
                if lot_id and quantity > 0
            )
            for line in sale_lines
        }

    @api.model
    def _propose(self, moves):
        """Propose on open receipts only lots that were delivered and are not yet back.

        Odoo proposes the first ones delivered. For serial numbers that is a guess, unless all come
        back or the customer has named them; otherwise they are left to be scanned.

        :param moves: receipt moves that Odoo has just reserved.
        """
        tracked = moves.filtered(
            lambda move: (
                move.product_id.tracking != 'none'
                and move.sale_return_line_id
                and move.state not in ('done', 'cancel')
            )
        )
        if not tracked:
            return
        left = self._get_lots_at_customer(tracked.sale_line_id, tracked.product_id)
        groups = tracked.sorted('id').grouped(lambda move: (move.sale_line_id, move.product_id))
        for key, group in groups.items():
            there = {lot_id: qty for lot_id, qty in left[key].items() if lot_id and qty > 0}
            named = group.sale_return_line_id.lot_ids
            wanted = sum(group.mapped('product_qty'))
            sure = key[1].tracking == 'lot' or wanted >= sum(there.values())
            for move in group:
                mine = move.sale_return_line_id.lot_ids & named
                self._propose_for_move(move, there, mine, sure)

    @api.model
    def _propose_for_move(self, move, there, named, sure):
        """Give the lines of one move its lots, the named ones first.

        :param dict there: `{lot id: quantity}` with the customer; what is proposed is subtracted.
        :param named: lots the customer has named for it.
        :param bool sure: True when lots they have not named may be proposed, too.
        """
        delivered = move.origin_returned_move_id.move_line_ids.lot_id.ids
        lot_ids = [lot_id for lot_id in there if lot_id in named.ids]
        if sure or not named:
            # Lots of the delivery it undoes come before those of others.
            rest = sorted(set(there) - set(lot_ids), key=lambda i: (i not in delivered, i))
            lot_ids += rest if sure else []
        wanted, vals_list = move.product_qty, []
        serial = move.product_id.tracking == 'serial'
        for lot_id in lot_ids:
            part = min(wanted, there[lot_id])
            if move.product_id.uom_id.compare(part, 0.0) > 0:
                there[lot_id] -= part
                wanted -= part
                vals_list.append(self._prepare_line_vals(move, part, lot_id))
        while move.product_id.uom_id.compare(wanted, 0.0) > 0:
            part = 1.0 if serial else wanted
            wanted -= part
            vals_list.append(self._prepare_line_vals(move, part, False))
        old = move.move_line_ids
        if [(l.lot_id.id, l.quantity) for l in old] != [
            (v['lot_id'], v['quantity']) for v in vals_list
        ]:
            old.unlink()
            self.env['stock.move.line'].create(vals_list)

    @api.model
    def _prepare_line_vals(self, move, quantity, lot_id):
        """Prepare a line of a receipt move, with its lot or with one to be scanned."""
        origin = move.origin_returned_move_id.move_line_ids.filtered(
            lambda line: line.lot_id.id == lot_id
        )[:1]
        return move._prepare_move_line_vals(quantity) | {
            'lot_id': lot_id,
            'owner_id': origin.owner_id.id,
            'package_id': origin.result_package_id.id,
        }

    @api.model
    def _find_lots_by_name(self, moves):
        """Give move lines on which a lot was typed the lot of that name.

        An unknown name gets a new lot: the goods are here and have to be booked somewhere.
        """
        for line in moves.move_line_ids.filtered(lambda ml: ml.lot_name and not ml.lot_id):
            line.lot_id = self._get_or_create_lot(line.product_id, line.lot_name, line.company_id)

    @api.model
    def _get_or_create_lot(self, product, name, company):
        """Return the lot of a name, a new one if there is none."""
        # sudo: users who receive goods have to be able to record the number on them.
        lots = self.env['stock.lot'].sudo().with_context(active_picking_id=False)
        return self._find_lot(product, name, company) or lots.create(
            {'name': name, 'product_id': product.id}
        )

    @api.model
    def _find_lot(self, product, name, company):
        """Return the lot of a product by its name, in a company or shared."""
        # sudo: users of Returns may name lots that they cannot read.
        return (
            self.env['stock.lot']
            .sudo()
            .search(
                [
                    ('product_id', '=', product.id),
                    ('name', '=', name),
                    ('company_id', 'in', [company.id, False]),
                ],
                limit=1,
            )
        )

    # === LOOK UP === #

    @api.model
    def _get_returns(self, lots):
        """Return the returns in which lots came, should come, or came by mistake.

        :param lots: `stock.lot` records.
        :return: `{lot: returns the user may read}`
        :rtype: dict
        """
        result = dict.fromkeys(lots, self.env['sale.return'])
        # sudo: the returns themselves are filtered by what the user may read, below.
        service = self.sudo()
        pairs = set()
        for lot, line in service.env['stock.move.line']._read_group(
            [('lot_id', 'in', lots.ids), ('move_id.sale_return_line_id', '!=', False)],
            ['lot_id', 'move_id'],
        ):
            pairs.add((lot.id, line.sale_return_line_id.return_id.id))
        for line in service.env['sale.return.line'].search([('lot_ids', 'in', lots.ids)]):
            pairs.update((lot.id, line.return_id.id) for lot in line.lot_ids & lots.sudo())
        for record in service.env['sale.return.discrepancy'].search([('lot_id', 'in', lots.ids)]):
            pairs.add((record.lot_id.id, record.return_id.id))
        returns = self.env['sale.return'].search([('id', 'in', [pair[1] for pair in pairs])])
        for lot in lots:
            result[lot] = returns.filtered(lambda r, lot=lot: (lot.id, r.id) in pairs)
        return result

    @api.model
    def _get_candidates(self, name, companies):
        """Return the deliveries that a lot or serial number may come back from, the latest first.

        :param str name: the number on the goods.
        :param companies: `res.company` records to look in.
        :return: dicts `{lot_id, product_id, sale_line_id, order_id, partner_id, delivered_on,
            quantity (left with the customer, in the unit of the product), return_line_id (an open
            return that waits for it), return_ids}`
        :rtype: list
        """
        # sudo: the caller has checked the group; only documents of these companies are read.
        service = self.sudo()
        lots = service.env['stock.lot'].search(
            [('name', '=', name), ('company_id', 'in', [*companies.ids, False])]
        )
        deliveries = service.env['stock.move.line'].search(
            [
                ('lot_id', 'in', lots.ids),
                ('state', '=', 'done'),
                ('move_id.sale_line_id', '!=', False),
                ('company_id', 'in', companies.ids),
            ],
            order='date desc, id desc',
        )
        deliveries = deliveries.filtered(lambda line: line.location_dest_id._is_at_customer())
        sale_lines = deliveries.move_id.sale_line_id
        left = service._get_lots_at_customer(sale_lines)
        returns = service._get_returns(lots)
        candidates, seen = [], set()
        for delivery in deliveries:
            sale_line, lot = delivery.move_id.sale_line_id, delivery.lot_id
            if (sale_line, lot) in seen:
                continue
            seen.add((sale_line, lot))
            opened = sale_line.return_line_ids.filtered(
                lambda line: line.state in OPEN_STATES and line.qty_held > 0
            )
            candidates.append(
                {
                    'lot_id': lot.id,
                    'product_id': delivery.product_id.id,
                    'sale_line_id': sale_line.id,
                    'order_id': sale_line.order_id.id,
                    'partner_id': sale_line.order_id.partner_id.id,
                    'delivered_on': delivery.date,
                    'quantity': left[sale_line, delivery.product_id].get(lot.id, 0.0),
                    'return_line_id': opened.sorted('id')[:1].id,
                    'return_ids': returns[lot].ids,
                }
            )
        return candidates
