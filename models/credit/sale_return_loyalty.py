from collections import defaultdict

from odoo import api, models
from odoo.tools import float_compare, float_round

POINT_DIGITS = 2


class SaleReturnLoyalty(models.AbstractModel):
    """Service: take loyalty points back that were given for goods that were returned.

    In proportion to what is credited of the order, tax excluded. It brings the cards to what
    should be taken by now, so it may run as often as anybody likes, and gives points again when a
    note is cancelled or reversed. Does nothing where `sale_loyalty` is not installed.
    """

    _name = 'sale.return.loyalty'
    _description = "Return Loyalty"

    @api.model
    def _sync(self, returns):
        """Take points back, or give them again, so that the cards fit what is credited.

        :param returns: `sale.return` records whose notes were posted, cancelled or reversed.
        """
        if 'loyalty.history' not in self.env or not returns:
            return
        # sudo: cards belong to customers; whoever posts a note may not write on them.
        service = self.sudo()
        returns = returns.with_env(service.env)
        issued = service._get_issued(returns.sale_order_ids)
        if not issued:
            return
        taken = service._get_taken(returns)
        for sale_return in returns:
            due = service._get_due(sale_return, issued)
            cards = due.keys() | {card for rid, card in taken if rid == sale_return.id}
            for card in sorted(cards, key=lambda card: card.id):
                before = taken.get((sale_return.id, card), 0.0)
                service._adjust(sale_return, card, due.get(card, 0.0) - before)

    @api.model
    def _get_issued(self, orders):
        """Return `{order id: {card: points}}` that loyalty programs have given for orders."""
        rows = self.env['loyalty.history'].search(
            [
                ('order_model', '=', 'sale.order'),
                ('order_id', 'in', orders.ids),
                ('issued', '>', 0),
                ('card_id.program_id.program_type', '=', 'loyalty'),
            ]
        )
        issued = defaultdict(lambda: defaultdict(float))
        for row in rows:
            issued[row.order_id][row.card_id] += row.issued
        return issued

    @api.model
    def _get_taken(self, returns):
        """Return `{(return id, card): points}` that were taken back for returns so far."""
        rows = self.env['loyalty.history'].search(
            [('order_model', '=', 'sale.return'), ('order_id', 'in', returns.ids)]
        )
        taken = defaultdict(float)
        for row in rows:
            taken[row.order_id, row.card_id] += row.used - row.issued
        return taken

    @api.model
    def _get_due(self, sale_return, issued):
        """Return `{card: points}` that are to be taken back for a return in all."""
        due = defaultdict(float)
        for order, lines in sale_return.line_ids.grouped('order_id').items():
            ratio = self._get_credited_ratio(order, lines)
            for card, points in issued.get(order.id, {}).items():
                due[card] += float_round(points * ratio, precision_digits=POINT_DIGITS)
        return due

    @api.model
    def _get_credited_ratio(self, order, lines):
        """Return which part of an order posted notes of return lines credit, 0–1.

        Override where points are given by another measure than the price of the goods.
        """
        earning = order.order_line.filtered(
            lambda line: (
                not line.display_type
                and not line.is_downpayment
                and not line.is_reward_line
                and line.price_subtotal > 0
            )
        )
        total = sum(earning.mapped('price_subtotal'))
        if not total:
            return 0.0
        credited = sum(
            line.sale_line_id.price_subtotal
            * line.qty_credited_posted
            / (line.sale_line_id.product_uom_qty or 1.0)
            for line in lines
            if line.sale_line_id in earning
        )
        return min(credited / total, 1.0)

    @api.model
    def _adjust(self, sale_return, card, points):
        """Take points off a card (or give them, if negative), and say so on the return.

        A card never goes below zero: points that were spent already are named in the event.
        """
        if not float_compare(points, 0.0, precision_digits=POINT_DIGITS):
            return
        missing = max(points - max(card.points, 0.0), 0.0)
        moved = float_round(points - missing, precision_digits=POINT_DIGITS)
        if moved:
            card.points -= moved
            self.env['loyalty.history'].create(
                {
                    'card_id': card.id,
                    'description': self.env._("Return %(name)s", name=sale_return.name),
                    'order_model': sale_return._name,
                    'order_id': sale_return.id,
                    'used': max(moved, 0.0),
                    'issued': max(-moved, 0.0),
                }
            )
        self._log(sale_return, card, moved, missing)

    @api.model
    def _log(self, sale_return, card, moved, missing):
        if moved < 0:
            text = self.env._(
                "%(points)s points given again on card %(card)s.", points=-moved, card=card.code
            )
        else:
            text = self.env._(
                "%(points)s points taken back from card %(card)s.", points=moved, card=card.code
            )
        if float_compare(missing, 0.0, precision_digits=POINT_DIGITS) > 0:
            text += " " + self.env._(
                "%(points)s more were spent already and could not be taken back.", points=missing
            )
        self.env['sale.return.event']._log(
            [{'return_id': sale_return.id, 'kind': 'loyalty', 'details': text}]
        )
