from odoo import api, models
from odoo.tools.misc import formatLang

from ...tools.html import as_html
from ...tools.money import QUANTITY_EPSILON, part_of, parts_of, round_to

UNTAXED = (False, 'total_excluded_currency')
TAX_AMOUNT = 'tax_amount_currency'


class SaleReturnOrderShare(models.AbstractModel):
    """Service: shares of order-level lines that are credited with the goods.

    Discounts and rewards are taken off in proportion to the goods, shipping is refunded as the
    policy says, free products are spread over what was paid for, and what a gift card or wallet has
    paid goes back there. Each is a line of its own on the note, so that the price of the goods
    stays the one that was invoiced.
    """

    _name = 'sale.return.order.share'
    _description = "Return Share of Order Lines"

    @api.model
    def _get_shares(self, allocations):
        """Return the allocations credited along with goods.

        :param list allocations: as returned by `sale.return.credit._allocate`, all of one call.
        :return: further allocations, with `kind` `shipping`, `discount`, `free_product` or
            `stored_value`; their amounts have the sign of the invoice line, discounts are negative.
        :rtype: list
        """
        invoice_lines = self._get_invoice_lines(allocations)
        orders = invoice_lines.sale_line_ids.order_id
        if not (
            any(self._is_order_level(line) for line in orders.order_line)
            or any(move._bills_note_again() for move in invoice_lines.move_id)
        ):
            return []
        # sudo of the caller; all goods of the orders count, not only what comes back.
        balances = self.env['sale.return.ledger']._get_balances(orders.order_line)
        payments = self._get_payments(balances)
        shares = self._get_shipping_shares(allocations, balances)
        shares += self._get_discount_shares(allocations + shares, balances)
        shares += self._get_free_product_shares(allocations, balances)
        return shares + self._get_payment_shares(allocations + shares, balances, payments)

    # === WHICH LINES === #

    @api.model
    def _get_invoice_lines(self, allocations):
        return self.env['account.move.line'].union(*[a['invoice_line'] for a in allocations])

    @api.model
    def _is_order_level(self, sale_line):
        """Tell whether an order line belongs to the order as a whole."""
        return not sale_line.display_type and (
            self._is_shipping(sale_line)
            or self._is_discount(sale_line)
            or self._is_free_product(sale_line)
        )

    @api.model
    def _is_shipping(self, sale_line):
        """Tell whether an order line is the charge for its delivery (`delivery` is optional)."""
        return bool('is_delivery' in sale_line._fields and sale_line.is_delivery)

    @api.model
    def _is_discount(self, sale_line):
        """Tell whether an order line is a discount or reward for the order. Override to add kinds.

        Discounts may be entered by hand, too: any line with a negative amount that is neither a
        down payment nor a trade-in is one.
        """
        return (
            not sale_line.is_downpayment
            and sale_line.price_subtotal < 0
            and not self._is_trade_in(sale_line)
        )

    @api.model
    def _is_trade_in(self, sale_line):
        """Tell whether an order line takes goods in part exchange: an article at a negative amount.

        It is a payment in goods, so it does not lower any credit. Override where articles are used
        as discounts.
        """
        is_reward = 'reward_id' in sale_line._fields and sale_line.reward_id
        return (
            sale_line.price_subtotal < 0
            and sale_line.product_id.type == 'consu'
            and not sale_line.is_downpayment
            and sale_line.product_id not in sale_line.company_id.sale_discount_product_id
            and not is_reward
        )

    @api.model
    def _takes_in(self, invoice_line):
        """Tell whether an invoice line takes goods in part exchange, see `_is_trade_in`."""
        return any(self._is_trade_in(sale_line) for sale_line in invoice_line.sale_line_ids)

    @api.model
    def _get_paying_lines(self, invoice_line):
        """Return the order lines of stored value that an invoice line belongs to, if any.

        Gift cards, wallets and points spent (`sale_loyalty` is optional). An invoice that bills a
        part of a note again names no order line: then they are those of the note.
        """
        lines = invoice_line.sale_line_ids
        if 'reward_id' not in lines._fields:
            return lines.browse()
        if not lines and invoice_line.move_id._bills_note_again():
            note = invoice_line.move_id.reversed_entry_id
            lines = note.invoice_line_ids.filtered(
                lambda line: (
                    line.sale_return_kind == 'stored_value' and line.name == invoice_line.name
                )
            ).credited_line_id.sale_line_ids
        return lines.filtered(self.env['sale.return.loyalty']._is_paid_with_card)

    @api.model
    def _is_payment(self, invoice_line):
        """Tell whether an invoice line is a payment by gift card or wallet.

        Points that bought a discount do not count: they are treated like a discount.
        """
        return any(
            line.reward_id.program_id.is_payment_program
            for line in self._get_paying_lines(invoice_line)
        )

    @api.model
    def _is_free_product(self, sale_line):
        """Tell whether an order line is a product given away (`sale_loyalty` is optional)."""
        return bool(
            'reward_id' in sale_line._fields
            and sale_line.reward_id.reward_type == 'product'
            and sale_line.price_unit
            and sale_line.discount == 100
            # Products bought with points were not given away: their points go back.
            and not self.env['sale.return.loyalty']._is_paid_with_card(sale_line)
        )

    @api.model
    def _get_goods_lines(self, invoice_lines):
        """Return the invoice lines paid for, without discounts, rewards and shipping."""
        return invoice_lines.filtered(
            lambda line: (
                not line.is_downpayment
                and not self._takes_in(line)
                and not any(self._is_order_level(sale_line) for sale_line in line.sale_line_ids)
            )
        )

    @api.model
    def _get_discounted_lines(self, discount_line, invoice_lines):
        """Return the invoice lines that a discount was given on. Override for other rewards.

        Odoo makes one discount line per combination of taxes. A reward for certain products is
        spread over these, any other over all goods with its taxes, on the same invoice and order.

        :param discount_line: one negative `account.move.line`.
        :param invoice_lines: the `account.move.line` records to choose from.
        """
        ledger = self.env['sale.return.ledger']
        order = (discount_line.sale_line_ids or invoice_lines.sale_line_ids).order_id
        lines = invoice_lines.filtered(
            lambda line: (
                line.move_id == discount_line.move_id
                and ledger._get_billed_subtotal(line) > 0
                and not line.is_downpayment
                and line.sale_line_ids.order_id & order
            )
        )
        reward = self._get_reward(discount_line)
        if reward and reward.reward_type == 'shipping':
            # It made the delivery free, so it is credited with the refund of the delivery.
            return lines.filtered(
                lambda line: any(self._is_shipping(sol) for sol in line.sale_line_ids)
            )
        if reward:
            lines = lines.filtered(
                lambda line: not any(self._is_shipping(sol) for sol in line.sale_line_ids)
            )
            if reward.discount_applicability != 'order':
                domain = reward._get_discount_product_domain()
                lines = (
                    lines.filtered(lambda line: line.product_id.filtered_domain(domain)) or lines
                )
        taxes = self._get_proportional_taxes(discount_line)
        same_taxes = lines.filtered(lambda line: self._get_proportional_taxes(line) == taxes)
        # The first of several invoices has the whole discount but only a part of the goods.
        covered = sum(map(ledger._get_billed_subtotal, same_taxes | discount_line))
        return same_taxes if discount_line.currency_id.compare_amounts(covered, 0) >= 0 else lines

    @api.model
    def _get_reward(self, invoice_line):
        sale_lines = invoice_line.sale_line_ids
        return sale_lines.reward_id[:1] if 'reward_id' in sale_lines._fields else None

    @api.model
    def _get_proportional_taxes(self, line):
        """Return the taxes of a line that discounts share: not the fixed ones per unit."""
        return line.tax_ids.filtered(lambda tax: tax.amount_type != 'fixed')

    # === SHIPPING === #

    @api.model
    def _get_shipping_shares(self, allocations, balances):
        """Return the allocations of shipping charges that the policies refund.

        `always`: the part that belongs to the goods credited, by their value. `full_return`: the
        whole charge with the note that credits the last goods of the order.
        """
        shares = []
        shipping_lines = [
            line for line in balances if any(self._is_shipping(sol) for sol in line.sale_line_ids)
        ]
        for line in shipping_lines:
            order = line.sale_line_ids.order_id
            goods = self._get_goods_lines(self.env['account.move.line'].union(*balances))
            goods = goods.filtered(lambda good, order=order: good.sale_line_ids.order_id & order)
            mine = [a for a in allocations if a['invoice_line'] in goods]
            if not mine:
                continue
            left = {good: balances[good].amount(UNTAXED) for good in goods}
            complete = self._is_all_back(order, goods, mine, balances)
            credited = sum(
                a['amounts'].get(UNTAXED, 0.0)
                for a in mine
                if self._get_refund_shipping(a['return_line']) == 'always'
            )
            entitled = {self._get_refund_shipping(a['return_line']) for a in mine}
            if complete and entitled & {'always', 'full_return'}:
                credited = total = 1.0
            elif credited:
                total = max(sum(left.values()), credited)
            else:
                continue
            amounts = self._limit_shipping(
                self._part(balances[line], credited, total), line, mine[0]['return_line'].policy_id
            )
            if amounts.get(UNTAXED):
                shares.append(self._prepare_share(mine[0], line, amounts, 'shipping'))
        return shares

    @api.model
    def _get_refund_shipping(self, line):
        """Return when the shipping of an order is refunded with a line: only to who has paid it."""
        of_buyer = line.return_id._is_of_buyer()
        return line.policy_id._get_refund_shipping() if of_buyer else 'never'

    @api.model
    def _is_all_back(self, order, goods, allocations, balances):
        """Tell whether these allocations credit the last goods of an order.

        Goods that are still to be delivered, or with the customer and not invoiced yet, keep the
        shipping charge.
        """
        left = {good: balances[good].quantity for good in goods}
        for allocation in allocations:
            left[allocation['invoice_line']] -= allocation['quantity']
        waiting = order.order_line.move_ids.filtered(
            lambda move: (
                move.state not in ('done', 'cancel')
                and move.location_dest_id._is_at_customer()
                and not move.sale_return_line_id
            )
        )
        to_bill = any(
            line._get_return_measure().compare(line.qty_to_invoice, 0.0) > 0
            and not self._is_order_level(line)
            for line in order.order_line
        )
        return (
            not waiting
            and not to_bill
            and all(quantity <= QUANTITY_EPSILON for quantity in left.values())
        )

    @api.model
    def _limit_shipping(self, amounts, line, policy):
        """Lower a refund of shipping to the price of the standard delivery, where the law says so.

        :param dict amounts: the refund by key of the ledger.
        :param line: the invoice line of the shipping charge.
        :param policy: the `sale.return.policy` of the goods.
        """
        limit = policy._get_shipping_limit()
        if limit is None:
            return amounts
        limit = line.company_currency_id._convert(
            limit, line.currency_id, line.company_id, line.move_id.invoice_date
        )
        earlier = sum(
            note_line.price_subtotal
            for note_line in line.credited_line_ids
            if note_line.parent_state != 'cancel' and not note_line.move_id._is_reversed_credit()
        )
        wanted = amounts.get(UNTAXED, 0.0)
        room = max(limit - earlier, 0.0)
        if wanted <= room:
            return amounts
        units = {True: line.currency_id.rounding, False: line.company_currency_id.rounding}
        return parts_of(
            {key: (amount, units['currency' in key[1]]) for key, amount in amounts.items()},
            room,
            wanted,
        )

    # === DISCOUNTS === #

    @api.model
    def _get_discount_shares(self, allocations, balances):
        """Return the allocations of discounts: round(R · b / B) of each of their amounts.

        R is what is left of the discount, B what is left of the goods it was given on, b the part
        of them credited now. Worked example: 10 × 100 less 10 % (-100); four come back: -100 · 400
        / 1000 = -40, then the other six: -60 · 600 / 600 = -60.

        Where a discount has other taxes than its goods, B and b are with taxes: an untaxed one of
        111 on goods of 100 plus 21 % lowers each half by 55.50.
        """
        shares = []
        lines = self.env['account.move.line'].union(*balances)
        ledger = self.env['sale.return.ledger']
        for line in lines.filtered(lambda line: ledger._get_billed_subtotal(line) < 0):
            if line.is_downpayment or self._takes_in(line) or self._is_payment(line):
                continue
            kind = 'stored_value' if self._get_paying_lines(line) else 'discount'
            discounted = self._get_discounted_lines(line, lines)
            measure = self._get_measure(line, discounted)
            left = sum(measure(balances[good].left) for good in discounted)
            for group in self._group_by_return(allocations, discounted):
                credited = sum(measure(a['amounts']) for a in group)
                # A manual note may have credited goods without their share of the discount: the
                # discount never exceeds the credit.
                total = max(left, credited, abs(measure(balances[line].left)))
                amounts = self._part(balances[line], credited, total)
                left -= credited
                balances[line].reduce(0.0, amounts)
                if amounts.get(UNTAXED):
                    shares.append(self._prepare_share(group[0], line, amounts, kind))
        return shares

    @api.model
    def _get_measure(self, discount_line, discounted):
        """Return the function that gives the value of amounts of goods relative to a discount."""
        taxes = self._get_proportional_taxes(discount_line)
        same = all(self._get_proportional_taxes(line) == taxes for line in discounted)
        return self._get_untaxed if same else self._get_gross

    @api.model
    def _get_untaxed(self, amounts):
        """Return the value of amounts by key of the ledger, tax excluded."""
        return amounts.get(UNTAXED, 0.0)

    @api.model
    def _get_gross(self, amounts):
        """Return the value of amounts by key of the ledger, tax included."""
        taxes = sum(amount for (tax, name), amount in amounts.items() if tax and name == TAX_AMOUNT)
        return round(amounts.get(UNTAXED, 0.0) + taxes, 9)

    # === GIFT CARDS AND WALLETS === #

    @api.model
    def _get_payments(self, balances):
        """Return card and wallet payments with the lines they paid: `{line: (lines, left)}`.

        They pay the total of the order: goods and shipping, less discounts, with taxes. The
        remaining value is that before this call.
        """
        lines = self.env['account.move.line'].union(*balances)
        payments = {}
        ledger = self.env['sale.return.ledger']
        for line in lines.filtered(lambda line: ledger._get_billed_subtotal(line) < 0):
            if not self._is_payment(line):
                continue
            order = (line.sale_line_ids or lines.sale_line_ids).order_id
            paid = lines.filtered(
                lambda other, line=line, order=order: (
                    other.move_id == line.move_id
                    and not other.is_downpayment
                    and not self._takes_in(other)
                    and not self._is_payment(other)
                    and (not other.sale_line_ids or other.sale_line_ids.order_id & order)
                )
            )
            payments[line] = paid, sum(self._get_gross(balances[other].left) for other in paid)
        return payments

    @api.model
    def _get_payment_shares(self, allocations, balances, payments):
        """Return the allocations of what goes back to gift cards and wallets: round(R · b / B).

        All with taxes: R is the rest of the card payment, B the rest of what it paid for, b the
        part credited now. Each card pays what the ones before have left. Worked example: goods of
        100, 30 by a gift card: for half of them, 15 of the 50 go to the card and 35 are money.
        """
        shares = []
        taken = {}  # {(return, invoice): what previous cards have used of it}
        ahead = {}  # {invoice: what previous cards have paid of the rest}
        for line, (paid, left) in payments.items():
            rest = left - ahead.get(line.move_id, 0.0)
            ahead[line.move_id] = ahead.get(line.move_id, 0.0) + abs(
                self._get_gross(balances[line].left)
            )
            for group in self._group_by_return(allocations, paid):
                key = group[0]['return_line'].return_id, line.move_id
                credited = sum(self._get_gross(a['amounts']) for a in group) - taken.get(key, 0.0)
                if line.currency_id.compare_amounts(credited, 0.0) <= 0:
                    continue
                amounts = self._get_payment_part(line, balances[line], credited, rest)
                rest -= credited
                balances[line].reduce(0.0, amounts)
                taken[key] = taken.get(key, 0.0) + abs(self._get_gross(amounts))
                if amounts.get(UNTAXED):
                    share = self._prepare_share(group[0], line, amounts, 'stored_value')
                    shares.append({**share, 'is_payment': True})
        return shares

    @api.model
    def _get_payment_part(self, line, balance, credited, left):
        """Return the part of a card's line for `credited` out of `left`, tax included.

        The part is exact with its taxes; where these round otherwise, the amount before them
        follows.
        """
        whole = self._get_gross(balance.left)
        total = max(left, credited, abs(whole))
        amounts = self._part(balance, credited, total)
        unit = line.currency_id.rounding
        dust = part_of(whole, credited, total, unit) - self._get_gross(amounts)
        return {**amounts, UNTAXED: round_to(amounts.get(UNTAXED, 0.0) + dust, unit)}

    # === FREE PRODUCTS === #

    @api.model
    def _get_free_product_shares(self, allocations, balances):
        """Return the allocations that spread the price paid over all goods, free ones included.

        Two at 90 and a third one free: 180 were paid for goods worth 270, so each is worth 60. The
        note has 90 for a paid one and a share of -30, or 0 for the free one and a share of 60.
        """
        shares = []
        lines = self.env['account.move.line'].union(*balances)
        for free in lines:
            if any(self._is_free_product(sale_line) for sale_line in free.sale_line_ids):
                paid = self._get_paid_lines(free, lines)
                shares += self._spread_free_product(free, paid, allocations, balances)
        return shares

    @api.model
    def _get_paid_lines(self, free, invoice_lines):
        """Return the invoice lines that a free product was given for, on its invoice and order."""
        goods = self._get_goods_lines(invoice_lines).filtered(
            lambda line: (
                line.move_id == free.move_id
                and self.env['sale.return.ledger']._get_billed_subtotal(line) > 0
                and line.sale_line_ids.order_id & free.sale_line_ids.order_id
            )
        )
        rules = self._get_reward(free).program_id.rule_ids
        required = goods.filtered(
            lambda line: any(
                line.product_id.filtered_domain(rule._get_valid_product_domain()) for rule in rules
            )
        )
        return required or goods

    @api.model
    def _get_list_value(self, line):
        """Return what a line would have cost without its discount, untaxed, in its currency."""
        return line.tax_ids.compute_all(line.price_unit, line.currency_id, line.quantity)[
            'total_excluded'
        ]

    @api.model
    def _spread_free_product(self, free, paid, allocations, balances):
        """Return the allocations needed for one free product.

        A return is entitled to round(R · b / B) of what was paid: R the rest of it after all
        credits, including those without goods, B the value of the goods not credited yet, b of
        those credited now. The share is the difference from the goods' own lines; when everything
        is back the shares add up to zero.
        """
        values = {line: self.env['sale.return.ledger']._get_billed_subtotal(line) for line in paid}
        values[free] = self._get_list_value(free)
        total = sum(values.values())
        if not paid or not total:
            return []
        shares = []
        left_value = sum(
            value * balances[line].quantity / line._get_quantity_counted()
            for line, value in values.items()
        )
        left = {
            taxes: self._get_left(free, same, balances)
            for taxes, same in paid.grouped('tax_ids').items()
        }
        for group in self._group_by_return(allocations, paid | free):
            value = sum(
                values[line] * a['quantity'] / line._get_quantity_counted()
                for a in group
                for line in a['invoice_line']
            )
            for taxes, same in paid.grouped('tax_ids').items():
                entitled = parts_of(left[taxes], value, max(left_value, value))
                left[taxes] = {
                    key: (round_to(amount - entitled[key], unit), unit)
                    for key, (amount, unit) in left[taxes].items()
                }
                for allocation in group:
                    if allocation['invoice_line'] in same:
                        self._add(entitled, allocation['amounts'], sign=-1)
                if not same.currency_id.is_zero(entitled[UNTAXED]):
                    share = self._prepare_share(group[0], same[0], entitled, 'free_product')
                    shares.append({**share, 'label': free.name, 'credited_line': free})
            left_value -= value
        return shares

    @api.model
    def _get_left(self, free, paid, balances):
        """Return the rest of paid lines with the same taxes: `{key: (amount, unit)}`."""
        given = self._get_given(free, paid, balances)
        left, units = {}, {}
        for line in paid:
            for key, (_amount, unit) in balances[line].amounts.items():
                self._add(left, {key: balances[line].whole(key)})
                units[key] = unit
        self._add(left, given, sign=-1)
        return {key: (round_to(left[key], unit), unit) for key, unit in units.items()}

    @api.model
    def _get_given(self, free, paid, balances):
        """Return what was credited of paid lines with the same taxes so far, shares included."""
        given = {}
        for line in paid:
            for key in balances[line].amounts:
                amount = balances[line].whole(key) - balances[line].amount(key)
                self._add(given, {key: amount})
        for note_line in free.credited_line_ids:
            if (
                note_line.sale_return_kind == 'free_product'
                and note_line.parent_state != 'cancel'
                and note_line.tax_ids == paid.tax_ids
                and not note_line.move_id._is_reversed_credit()
            ):
                ledger = self.env['sale.return.ledger']
                base_lines = ledger._get_base_lines(note_line.move_id)
                amounts = ledger._get_amounts(base_lines.get(note_line.id), note_line)
                self._add(given, ledger._at_rate_of(free, note_line, amounts))
        return given

    # === TRADE-INS === #

    @api.model
    def _ask_about_trade_ins(self, allocations):
        """Ask a person to decide on articles taken in part exchange for credited goods.

        The new article is credited in full and the old one stays ours, so nobody loses anything. To
        give the old one back, somebody has to charge for it, or lower the credit.

        :param list allocations: those that became notes.
        """
        by_return = {}
        for allocation in allocations:
            lines = allocation['invoice_line'].move_id.invoice_line_ids.filtered(self._takes_in)
            order = allocation['invoice_line'].sale_line_ids.order_id
            lines = lines.filtered(lambda line, o=order: line.sale_line_ids.order_id & o)
            if lines:
                sale_return = allocation['return_line'].return_id
                by_return[sale_return] = by_return.get(sale_return, lines) | lines
        articles = {
            sale_return: ", ".join(
                f"{line.product_id.display_name} "
                f"({formatLang(self.env, line.price_total, currency_obj=line.currency_id)})"
                for line in lines
            )
            for sale_return, lines in by_return.items()
            if 'trade_in' not in sale_return.event_ids.mapped('kind')
        }
        self.env['sale.return.event']._log(
            [
                {'return_id': sale_return.id, 'kind': 'trade_in', 'details': details}
                for sale_return, details in articles.items()
            ]
        )
        for sale_return, details in articles.items():
            user = sale_return.user_id
            if user.active and not user.share:
                # One by one: each in the language of its reader.
                speaker = self.with_context(lang=user.lang)
                sale_return.activity_schedule(
                    'mail.mail_activity_data_todo',
                    summary=speaker.env._("Decide what happens to the article taken in exchange"),
                    note=as_html(
                        speaker.env._(
                            "The return is credited in full. Taken in part exchange: "
                            "%(articles)s. Keep it, or give it back and charge for it.",
                            articles=details,
                        )
                    ),
                    user_id=user.id,
                )

    # === HELPERS === #

    @api.model
    def _add(self, amounts, others, sign=1):
        """Add amounts to others, key by key, in place."""
        for key, amount in others.items():
            # The summands are already rounded; this only removes floating-point noise.
            amounts[key] = round(amounts.get(key, 0.0) + sign * amount, 9)

    @api.model
    def _group_by_return(self, allocations, invoice_lines):
        """Return lists of the allocations of these invoice lines, one list per return."""
        groups = {}
        for allocation in allocations:
            if allocation['invoice_line'] in invoice_lines:
                key = allocation['return_line'].return_id
                groups.setdefault(key, []).append(allocation)
        return list(groups.values())

    @api.model
    def _part(self, balance, credited, total):
        """Return the part of each remaining amount for `credited` out of `total`."""
        return parts_of(balance.amounts, credited, total)

    @api.model
    def _prepare_share(self, allocation, line, amounts, kind):
        """Prepare the allocation of an order-level line credited along with goods."""
        return {
            'return_line': allocation['return_line'],
            'invoice_line': line,
            'quantity': 1.0,
            'amounts': amounts,
            'kind': kind,
            'label': line.name,
        }
