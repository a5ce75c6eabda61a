from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import float_compare, float_round

from ...tools.money import cumulative_parts

POINT_DIGITS = 2

# Ratios that differ by less than this are treated as equal.
RATIO_EPSILON = 1e-6

# Programs whose cards pay: with money that was put on them, or with points.
PAYING_PROGRAMS = ('ewallet', 'gift_card', 'loyalty')
# Programs whose cards are sold: their value was paid with money.
SOLD_PROGRAMS = ('ewallet', 'gift_card')


class SaleReturnLoyalty(models.AbstractModel):
    """Service: update cards when their orders are credited.

    Points that an order gave are taken back in proportion to the goods credited, tax excluded.
    Value sold on a card (a gift card, money on a wallet) is withdrawn when its line is credited.
    Amounts paid with a card go back to it, as listed on the notes.

    It computes the balance that cards should have, so it can be run repeatedly, and also undoes its
    changes when a note is cancelled or reversed. Does nothing where `sale_loyalty` is not
    installed.
    """

    _name = 'sale.return.loyalty'
    _description = "Return Loyalty"

    @api.model
    def _sync(self, returns):
        """Update the cards of returns to what is credited.

        :param returns: `sale.return` records whose notes were posted, cancelled or reversed.
        :raise UserError: when value sold on a card is credited although it was used.
        """
        if 'loyalty.history' not in self.env or not returns:
            return
        # sudo: cards belong to customers; users who post a note may not write on them.
        service = self.sudo()
        returns = returns.with_env(service.env)
        movements = service._get_movements(returns.sale_order_ids)
        if not movements:
            return
        # Parts are rounded one after the other, so all returns of an order are needed.
        all_returns = (returns.sale_order_ids.return_ids | returns).sorted('id')
        taken = service._get_taken(all_returns)
        due = service._get_due(service._sort_by_history(all_returns), movements)
        # Buyers keep their points of what others return: they would see it.
        for sale_return in all_returns.filtered(lambda r: r._is_of_buyer()):
            for cards in service._get_card_groups(sale_return, movements, taken):
                service._bring_to(
                    sale_return,
                    cards,
                    sum(due.get((sale_return.id, card), 0.0) for card in cards),
                    taken,
                    strict=sale_return in returns,
                )

    # === WHAT MOVES === #

    @api.model
    def _get_movements(self, orders):
        """Return what orders have moved on cards and returns move back.

        :return: list of dicts `{order, cards, points, ratio, whole}`: points that are to be taken
            from the cards (given to them, if negative) when all is credited, the function that
            gives the credited part for return lines (0–1), and whether they only move as a whole.
        :rtype: list
        """
        return self._get_given_movements(orders) + self._get_paid_movements(orders)

    @api.model
    def _get_given_movements(self, orders):
        """Return what orders have put on cards, see `_get_movements`."""
        rows = self.env['loyalty.history'].search(
            [
                ('order_model', '=', 'sale.order'),
                ('order_id', 'in', orders.ids),
                ('issued', '>', 0),
            ]
        )
        points = defaultdict(lambda: defaultdict(float))
        for row in rows:
            order = orders.browse(row.order_id)
            points[order, row.card_id.program_id][row.card_id] += row.issued
        movements = []
        for (order, program), cards in points.items():
            ratio = self._get_given_ratio(order, program)
            # The cards of a program that sells them are equivalent: unused ones go first.
            sold = program.program_type in SOLD_PROGRAMS
            groups = [cards] if sold else [{card: cards[card]} for card in cards]
            movements += [
                {
                    'order': order,
                    'cards': self.env['loyalty.card'].union(*group),
                    'points': sum(group.values()),
                    'ratio': ratio,
                    # Coupons cannot be split: they go back with the last goods of the order.
                    'whole': program.program_type not in PAYING_PROGRAMS,
                }
                for group in groups
                if ratio
            ]
        return movements

    @api.model
    def _get_given_ratio(self, order, program):
        """Return the function giving the part of a reward that goes back for return lines.

        :return: None where it stays: it was for the order itself.
        """
        if program.program_type in SOLD_PROGRAMS:
            return lambda lines: self._get_sold_ratio(order, program, lines)
        if program.program_type == 'loyalty' or program.applies_on == 'future':
            return lambda lines: self._get_credited_ratio(order, lines)
        return None

    @api.model
    def _get_paid_movements(self, orders):
        """Return what cards have paid of orders, see `_get_movements`."""
        lines = orders.order_line.filtered(self._is_paid_with_card)
        movements = []
        for (card, _code), mine in lines.grouped(
            lambda line: (line.coupon_id, line.reward_identifier_code or line.id)
        ).items():
            points = sum(mine.mapped('points_cost'))
            if points:
                movements.append(
                    {
                        'order': mine.order_id,
                        'cards': card,
                        'points': -points,
                        'ratio': lambda lines, mine=mine: self._get_paid_ratio(mine, lines),
                        'whole': False,
                    }
                )
        return movements

    @api.model
    def _is_paid_with_card(self, sale_line):
        """Tell whether an order line is a payment by gift card, wallet or points."""
        return bool(
            'coupon_id' in sale_line._fields
            and sale_line.coupon_id
            and sale_line.reward_id
            and sale_line.coupon_id.program_id.program_type in PAYING_PROGRAMS
        )

    # === HOW MUCH OF IT === #

    @api.model
    def _get_credited_ratio(self, order, lines):
        """Return which part of an order posted notes of return lines credit, 0–1.

        Override where points do not depend on the price of the goods.
        """
        earning = order.order_line.filtered(
            lambda line: (
                not line.display_type
                and not line.is_downpayment
                and not line.is_reward_line
                and line.price_subtotal > 0
            )
        )
        return self._get_ratio_of(earning, lines)

    @api.model
    def _get_sold_ratio(self, order, program, lines):
        """Return which part of the value an order sold on cards is credited by posted notes."""
        return self._get_ratio_of(self._get_selling_lines(order, program), lines)

    @api.model
    def _get_selling_lines(self, order, program):
        """Return the order lines that loaded the cards of a program."""
        products = program._get_valid_products(order.order_line.product_id)
        sold = self.env['product.product'].union(*products.values())
        return order.order_line.filtered(
            lambda line: (
                line.product_id in sold and not line.is_reward_line and line.price_subtotal > 0
            )
        )

    @api.model
    def _get_ratio_of(self, sale_lines, lines):
        """Return which part of order lines posted notes of return lines credit, by value, 0–1."""
        total = sum(sale_lines.mapped('price_subtotal'))
        if not total:
            return 0.0
        credited = sum(
            line.sale_line_id.price_subtotal
            * line.qty_credited_posted
            / (line.sale_line_id.product_uom_qty or 1.0)
            for line in lines
            if line.sale_line_id in sale_lines
        )
        return min(round(credited / total, 12), 1.0)

    @api.model
    def _get_paid_ratio(self, paying_lines, lines):
        """Return which part of a card payment is credited by posted notes of return lines, 0–1.

        :param paying_lines: the order lines of one use of a card.
        """
        total = abs(sum(paying_lines.mapped('price_total')))
        if not total:
            # Points that bought products go back with these.
            quantity = sum(paying_lines.mapped('product_uom_qty'))
            mine = lines.filtered(lambda line: line.sale_line_id in paying_lines)
            credited = sum(mine.mapped('qty_credited_posted'))
        else:
            quantity = total
            credited = -sum(
                note_line.price_total * note_line._get_share_credited()
                for note_line in lines.credit_line_ids
                if note_line.sale_return_kind == 'stored_value'
                and note_line.parent_state == 'posted'
                and not note_line.move_id._is_reversed_credit()
                and self.env['sale.return.order.share']._get_paying_lines(
                    note_line.credited_line_id
                )
                & paying_lines
            )
        return min(max(round(credited / quantity, 12), 0.0), 1.0) if quantity else 0.0

    @api.model
    def _sort_by_history(self, returns):
        """Return returns in the order in which they first moved points, new ones last."""
        rows = self.env['loyalty.history'].search(
            [('order_model', '=', 'sale.return'), ('order_id', 'in', returns.ids)], order='id'
        )
        ids = list(dict.fromkeys([*rows.mapped('order_id'), *returns.ids]))
        return returns.browse(ids)

    @api.model
    def _get_due(self, returns, movements):
        """Return `{(return id, card): points}` that are to be taken for returns in all.

        Negative ones are given back. Three thirds of 10 points are 3.33, 3.34 and 3.33. For a
        movement with several cards the points are listed on the first one.

        :param returns: in the order in which parts are rounded.
        """
        due = defaultdict(float)
        for movement in movements:
            ratios = []
            for sale_return in returns:
                lines = sale_return.line_ids.filtered(
                    lambda line, order=movement['order']: line.order_id == order
                )
                ratios.append(movement['ratio'](lines) if lines else 0.0)
            card = movement['cards'][0]
            if movement['whole']:
                ratios = self._get_whole_ratios(ratios)
            parts = cumulative_parts(movement['points'], ratios, self._get_unit(card))
            for sale_return, part in zip(returns, parts, strict=True):
                due[sale_return.id, card] += part
        return due

    @api.model
    def _get_whole_ratios(self, ratios):
        """Return 1 for the ratio that completes the whole, 0 for the others."""
        total, result = 0.0, []
        for ratio in ratios:
            complete = total < 1.0 - RATIO_EPSILON <= total + ratio
            result.append(float(complete))
            total += ratio
        return result

    @api.model
    def _get_unit(self, card):
        """Return the smallest part of a point that a card may have."""
        if card.program_id.program_type in SOLD_PROGRAMS:
            return card.currency_id.rounding
        return 10**-POINT_DIGITS

    @api.model
    def _get_taken(self, returns):
        """Return `{(return id, card): points}` that were taken back for returns so far."""
        rows = self.env['loyalty.history'].search(
            [('order_model', '=', 'sale.return'), ('order_id', 'in', returns.ids)]
        )
        taken = defaultdict(float)
        get_root = self.env['sale.return.card.successor']._get_root
        roots = {card: get_root(card) for card in rows.card_id}
        for row in rows:
            taken[row.order_id, roots[row.card_id]] += row.used - row.issued
        return taken

    # === MERGED CUSTOMERS === #

    @api.model
    def _get_cards_of(self, partners):
        """Return the cards of customers that may be merged with them, and their points.

        :return: `{loyalty.card: points}`, without archived cards.
        :rtype: dict
        """
        if 'loyalty.card' not in self.env:
            return {}
        cards = self.env['loyalty.card'].search([('partner_id', 'in', partners.ids)])
        return {card: card.points for card in cards}

    @api.model
    def _get_merged_cards(self, cards, partner):
        """Return which cards Odoo has merged into another one, and archived.

        :param dict cards: as returned by `_get_cards_of` before.
        :param partner: the customer who is kept.
        :return: list of `(cards merged, card that has their points)`
        :rtype: list
        """
        if not cards:
            return []
        merged = self.env['loyalty.card'].union(*(card for card in cards if not card.active))
        found = []
        for program, old in merged.grouped('program_id').items():
            left = [
                card
                for card in cards
                if card.active and card.program_id == program and card.partner_id == partner
            ]
            if left:
                kept = max(left, key=lambda card: (card.points - cards[card], -card.id))
                # What an expired card had before came from cards that are merged as well.
                roots = self.env['sale.return.card.successor']._get_roots(old)
                found.append((roots - kept, kept))
        return found

    # === CARDS === #

    @api.model
    def _get_card_groups(self, sale_return, movements, taken):
        """Return the cards that a return may move points on; those of a group count as one."""
        groups = []
        for movement in movements:
            if movement['order'] in sale_return.sale_order_ids:
                cards = movement['cards']
                for group in [group for group in groups if group & cards]:
                    groups.remove(group)
                    cards = group | cards
                groups.append(cards)
        seen = self.env['loyalty.card'].union(*groups)
        others = {card for rid, card in taken if rid == sale_return.id and card not in seen}
        return groups + sorted(others, key=lambda card: card.id)

    @api.model
    def _bring_to(self, sale_return, cards, due, taken, strict=True):
        """Bring what a return has taken from cards to what is due; negative is given to them.

        :param dict taken: see `_get_taken`.
        :param bool strict: False for a return that nobody has requested.
        :raise UserError: when strict, see `_sync`.
        """
        digits = {'precision_rounding': self._get_unit(cards[0])}
        left = due - sum(taken.get((sale_return.id, card), 0.0) for card in cards)
        if not float_compare(left, 0.0, **digits):
            return
        texts, pool = [], cards
        if left > 0:
            # What took the place of an expired card has the points that go with it.
            families = map(self.env['sale.return.card.successor']._get_family, cards)
            pool = cards.union(*families)
        for card in self._sort_cards(sale_return, pool, taken, left):
            moved = left
            if left > 0:
                moved = min(left, max(card.points, 0.0))
            elif len(cards) > 1:
                moved = max(left, -max(taken.get((sale_return.id, card), 0.0), 0.0))
            moved = float_round(moved, **digits)
            if moved:
                texts.append(self._move(sale_return, card, moved))
                left -= moved
        if float_compare(left, 0.0, **digits) > 0 and strict:
            # Points that went back to a card and were spent again do not prevent undoing the note.
            if due > 0 and cards.program_id.program_type in SOLD_PROGRAMS:
                self._refuse_used(sale_return.sale_order_ids, cards, left)
            texts.append(
                self.env._(
                    "%(points)s more points were already spent and could not be taken back.",
                    points=float_round(left, **digits),
                )
            )
        if texts:
            self._log(sale_return, " ".join(texts))

    @api.model
    def _sort_cards(self, sale_return, cards, taken, points):
        """Return cards in the order in which points are taken from them, or given to them again."""
        if points > 0:
            return cards.sorted(lambda card: (-card.points, card.id))
        return cards.sorted(lambda card: (-taken.get((sale_return.id, card), 0.0), card.id))

    @api.model
    def _move(self, sale_return, card, points):
        """Take points off a card, or give them, if negative.

        :return: what to say about it on the return.
        :rtype: str
        """
        old = card
        if points < 0:
            card = self.env['sale.return.card.successor']._get_usable(card)
        card.points -= points
        self.env['loyalty.history'].create(
            {
                'card_id': card.id,
                'description': self.env._("Return %(name)s", name=sale_return.name),
                'order_model': sale_return._name,
                'order_id': sale_return.id,
                'used': max(points, 0.0),
                'issued': max(-points, 0.0),
            }
        )
        if points > 0:
            return self.env._(
                "%(points)s points taken back from card %(card)s.", points=points, card=card.code
            )
        return self._get_given_text(card, -points, old)

    @api.model
    def _get_given_text(self, card, points, old):
        """Return what to say about points that were given to a card, in place of another one."""
        values = {'points': points, 'card': card.code, 'old': old.code}
        if card == old:
            return self.env._("%(points)s points restored on card %(card)s.", **values)
        return self.env._(
            "%(points)s points given again on the new card %(card)s, because card %(old)s cannot "
            "be used any more.",
            **values,
        )

    @api.model
    def _ensure_unused(self, lines):
        """Refuse to return value sold on a card that was already used.

        :param lines: `sale.return.line` records, with what is requested.
        :raise UserError: naming the cards and what is left of them.
        """
        if 'loyalty.history' not in self.env:
            return
        # sudo: the balance of a card decides, no matter who asks.
        service, lines = self.sudo(), lines.sudo()
        for movement in service._get_given_movements(lines.order_id):
            cards = movement['cards']
            program = cards.program_id
            if program.program_type not in SOLD_PROGRAMS:
                continue
            sold = service._get_selling_lines(movement['order'], program)
            total = sum(sold.mapped('price_subtotal'))
            returned = sum(
                line.sale_line_id.price_subtotal
                * line.qty_requested
                / (line.sale_line_id.product_uom_qty or 1.0)
                for line in lines
                if line.sale_line_id in sold
            )
            wanted = movement['points'] * returned / total if total else 0.0
            left = sum(max(card.points, 0.0) for card in cards)
            if float_compare(wanted, left, precision_rounding=service._get_unit(cards[0])) > 0:
                service._refuse_used(movement['order'], cards, wanted - left)

    @api.model
    def _refuse_used(self, orders, cards, missing):
        """Refuse to credit value sold on cards that was already used.

        :raise UserError: always.
        """
        card = cards[0]
        raise UserError(
            self.env._(
                "%(cards)s: sold with %(orders)s and used since. %(left)s is left, and %(missing)s "
                "more would be credited. What was used cannot be credited: return less.",
                cards=", ".join(cards.mapped('display_name')),
                orders=", ".join(orders.mapped('name')),
                left=card._format_points(sum(max(each.points, 0.0) for each in cards)),
                missing=card._format_points(missing),
            )
        )

    # === GOODS THAT WERE NOT BILLED === #

    @api.model
    def _release_unbilled(self, returns):
        """Give back card payments for goods that came back before they were billed.

        There is no invoice and no note for these. The order is lowered instead, as Odoo does while
        it is a quotation: a card pays at most what is left to be billed. Repeating it does nothing.

        :param returns: `sale.return` records that have just been closed.
        """
        if 'loyalty.history' not in self.env:
            return
        # sudo: as in `_sync`; the order is lowered for the customer, no matter who closes the
        # return.
        service = self.sudo()
        for sale_return in returns.with_env(service.env):
            texts = [
                text
                for order in sale_return.sale_order_ids
                for text in service._lower_payments(order, sale_return.line_ids)
            ]
            if texts:
                service._log(sale_return, " ".join(texts))

    @api.model
    def _lower_payments(self, order, return_lines):
        """Limit card payments of an order to its remaining total; return the texts for the log."""
        payments = order.order_line.filtered(
            lambda line: (
                self._is_paid_with_card(line)
                and line.reward_id.program_id.is_payment_program
                and line.price_total < 0
                and not line.invoice_lines.filtered(lambda l: l.parent_state != 'cancel')
            )
        )
        if not payments:
            return []
        left = self._get_amount_to_bill(order, payments, return_lines)
        excess = order.currency_id.round(-sum(payments.mapped('price_total')) - left)
        texts = []
        for line in payments.sorted('id', reverse=True):
            part = min(excess, -line.price_total)
            if order.currency_id.compare_amounts(part, 0.0) > 0:
                excess -= part
                texts.append(self._lower_payment(line, part / -line.price_total))
        return texts

    @api.model
    def _get_amount_to_bill(self, order, payments, return_lines):
        """Return the total of an order without card payments and returns, tax included."""
        lines = order.order_line.filtered(lambda line: not line.display_type) - payments
        mine = order.return_ids.line_ids.filtered(lambda line: line.sale_line_id in lines)
        quantities = self.env['sale.return.credit']._get_quantities(
            mine, self.env['sale.return.line']._get_qty_released
        )
        back = defaultdict(float)
        for line, (_due, unbilled, _by_hand) in quantities.items():
            back[line.sale_line_id] += unbilled
        share = self.env['sale.return.order.share']
        left = {
            line: line.product_uom_qty - back[line]
            for line in lines
            if not line.is_downpayment and not share._is_order_level(line)
        }
        refunds = {policy._get_refund_shipping() for policy in return_lines.policy_id}
        if refunds & {'always', 'full_return'} and not any(
            line._get_return_measure().compare(quantity, 0.0) > 0 for line, quantity in left.items()
        ):
            return 0.0
        return max(
            sum(
                line.price_total * left.get(line, line.product_uom_qty) / line.product_uom_qty
                for line in lines
                if line.product_uom_qty and not line.is_downpayment
            ),
            0.0,
        )

    @api.model
    def _lower_payment(self, line, ratio):
        """Reduce a card payment by a part of it (0–1); return the text for the log."""
        card, order = line.coupon_id, line.order_id
        points = float_round(line.points_cost * ratio, precision_rounding=self._get_unit(card))
        price = line.price_unit * (1.0 - ratio)
        locked = order.locked
        if locked:
            order.locked = False
        vals = {
            'points_cost': line.points_cost - points,
            'price_unit': price,
            'technical_price_unit': price,
        }
        if order.currency_id.is_zero(price):
            vals['product_uom_qty'] = 0.0
        # Odoo itself gives the points to the card.
        line.write(vals)
        if locked:
            order.locked = True
        order._update_loyalty_history(card, -points)
        usable = self.env['sale.return.card.successor']._get_usable(card)
        if usable != card:
            self._pass_on(card, usable, points)
        return self._get_given_text(usable, points, card)

    @api.model
    def _pass_on(self, card, successor, points):
        """Move points from a card to the one that took its place."""
        card.points -= points
        successor.points += points
        text = self.env._("Passed on to card %(card)s", card=successor.code)
        self.env['loyalty.history'].create(
            [
                {'card_id': card.id, 'description': text, 'used': points},
                {'card_id': successor.id, 'description': text, 'issued': points},
            ]
        )

    # === PREVIEW === #

    @api.model
    def _describe(self, allocations):
        """Return what a note gives back to cards: `[{card_id, card, program, amount}]`.

        :param list allocations: those of one note, see `sale.return.credit`.
        :return: amounts tax included, in the currency of the invoice.
        :rtype: list
        """
        share = self.env['sale.return.order.share']
        amounts = defaultdict(float)
        for allocation in allocations:
            if allocation.get('kind') == 'stored_value':
                card = share._get_paying_lines(allocation['invoice_line']).coupon_id[:1]
                amounts[card] -= share._get_gross(allocation['amounts'])
        return [
            {
                'card_id': card.id,
                'card': card.code,
                'program': card.program_id.name,
                'amount': round(amount, 6),
            }
            for card, amount in amounts.items()
        ]

    # === LOG === #

    @api.model
    def _log(self, sale_return, text):
        self.env['sale.return.event']._log(
            [{'return_id': sale_return.id, 'kind': 'loyalty', 'details': text}]
        )
