from odoo import api, models

from ...tools.money import QUANTITY_EPSILON, followers_of, part_of, round_to

UNTAXED = (False, 'total_excluded_currency')


class SaleReturnDeduction(models.AbstractModel):
    """Service: deductions from a credit, each as a labelled line on the same note.

    The condition of the goods (`credit_ratio` of the grade), the restocking fee of the policy and
    the freight that the customer owes. A regime that forbids one of them is obeyed, and together
    they never exceed what is credited for the goods.
    """

    _name = 'sale.return.deduction'
    _description = "Return Deduction"

    @api.model
    def _get_deductions(self, allocations):
        """Return the allocations that lower the credits of goods.

        :param list allocations: goods and their order-level shares, all of one call.
        :return: further allocations with negative amounts and `kind` `grade`, `restocking_fee` or
            `freight`; `uncharged` on one is the part that the value of the goods did not cover (tax
            excluded, currency of the invoice).
        :rtype: list
        """
        deductions = []
        fixed = {}  # fixed charges apply once per return, not once per note
        reduced = {}  # one line may be credited by several allocations, e.g. of two invoices
        groups = {}
        for allocation in allocations:
            if allocation.get('kind') not in ('shipping', 'rounding'):
                key = allocation['return_line'].return_id, allocation['invoice_line'].move_id
                groups.setdefault(key, []).append(allocation)
        for (sale_return, _invoice), group in groups.items():
            goods = [a for a in group if not a.get('kind')]
            if not goods:
                continue
            if self._is_kept_back_already(goods):
                self._note_kept_back(goods, reduced)
                continue
            # Card payments are worth as much as money; they are not discounts.
            payments = [a for a in group if a.get('is_payment')]
            group = [a for a in group if not a.get('is_payment')]
            self._set_net_factors(group, goods)
            room = sum(a['amounts'].get(UNTAXED, 0.0) for a in group)
            mine = self._get_grade_deductions(goods, reduced)
            room += sum(a['amounts'][UNTAXED] for a in mine)
            if sale_return not in fixed:
                fixed[sale_return] = self._get_fixed_due(sale_return)
            charges = self._get_charges(sale_return, goods, mine, fixed[sale_return])
            for kind, amount, charged in charges:
                taken = min(amount, max(room, 0.0))
                room -= taken
                mine += self._spread_charge(kind, charged, taken, amount - taken)
            deductions += mine + self._get_kept_of_cards(group + mine, payments)
        return deductions

    @api.model
    def _is_kept_back_already(self, goods):
        """Tell whether an invoice bills goods again after a note of the same return credited them.

        The deductions of that note are on the invoice, too, and follow the goods.

        :param list goods: allocations of one return on one invoice.
        """
        note = goods[0]['invoice_line'].move_id.reversed_entry_id
        returns = note.invoice_line_ids.sale_return_line_id.return_id
        return goods[0]['return_line'].return_id in returns

    @api.model
    def _note_kept_back(self, goods, reduced):
        """Record the units withheld for the condition of goods that were billed again.

        See `_get_grade_deductions` for the parameters.
        """
        for allocation in goods:
            line = allocation['return_line']
            quantity, withheld = self._get_withheld_due(allocation, reduced)
            before, earlier = reduced.get(line, (0.0, 0.0))
            reduced[line] = before + quantity, earlier + withheld
            allocation['withheld'] = withheld

    @api.model
    def _get_kept_of_cards(self, allocations, payments):
        """Return the part of the deductions borne by cards because the money does not cover it.

        Worked example: 200 paid by a wallet, 20 charged: 180 go back to the wallet.

        :param list allocations: goods, what they take along, and deductions, of one return on one
            invoice.
        :param list payments: the shares of cards and wallets there.
        """
        measure = self.env['sale.return.order.share']._get_gross
        total = sum(measure(a['amounts']) for a in allocations + payments)
        kept = []
        for payment in payments:
            currency = payment['invoice_line'].currency_id
            part = currency.round(min(-total, abs(measure(payment['amounts']))))
            if part <= 0:
                continue
            total += part
            amounts = self._round(payment, payment['amounts'], part / measure(payment['amounts']))
            # Taxes may round differently: the part including taxes has to be right.
            amounts[UNTAXED] = currency.round(amounts[UNTAXED] + part - measure(amounts))
            label = self.env._("Deducted from: %(card)s", card=payment['label'])
            kept.append({**payment, 'amounts': amounts, 'label': label})
        return kept

    # === CONDITION === #

    @api.model
    def _get_grade_deductions(self, goods, reduced):
        """Return the deductions for the condition found, line by line.

        Worked example: 4 × 100 credited, 3 of them of a grade with ratio 1.0 and one with 0.6: one
        unit times 0.4 is withheld, -40.

        :param list goods: allocations of one return on one invoice.
        :param dict reduced: `{return line: (quantity, withheld quantity)}` of this call so far;
            updated in place.
        """
        deductions = []
        for allocation in goods:
            line = allocation['return_line']
            if not line.policy_id._is_deduction_allowed('grade'):
                continue
            quantity, withheld = self._get_withheld_due(allocation, reduced)
            before, earlier = reduced.get(line, (0.0, 0.0))
            reduced[line] = before + quantity, earlier + withheld
            if withheld <= QUANTITY_EPSILON:
                continue
            amounts = self._scale(allocation, -withheld / quantity * allocation['net_factor'])
            grades = line.inspection_ids.grade_id.filtered(lambda grade: grade.credit_ratio < 1)
            label = self.env._(
                "%(product)s: reduced for its condition (%(grades)s)",
                product=line.product_id.display_name,
                grades=", ".join(grades.mapped('name')),
            )
            deduction = self._prepare_deduction(allocation, amounts, 'grade', label)
            deductions.append({**deduction, 'withheld': withheld})
        return deductions

    @api.model
    def _get_withheld_due(self, allocation, reduced):
        """Return how many units an allocation credits and how many its condition withholds.

        :param dict reduced: see `_get_grade_deductions`.
        """
        line = allocation['return_line']
        quantity = self._get_quantity(allocation)
        before, earlier = reduced.get(line, (0.0, 0.0))
        withheld = self._get_withheld_quantity(line, line.qty_credited + before + quantity)
        withheld -= line._get_qty_withheld() + earlier
        return quantity, min(max(withheld, 0.0), quantity)

    @api.model
    def _get_quantity(self, allocation):
        """Return the quantity of an allocation in the unit of its return line, unrounded."""
        measure = allocation['invoice_line']._get_return_measure()
        return (
            allocation['return_line']
            ._get_measure()
            .from_stock(measure.to_stock(allocation['quantity']))
        )

    @api.model
    def _get_withheld_quantity(self, line, quantity, end=None):
        """Return what is withheld for the condition of the first `quantity` accepted units.

        Units are assumed to be credited in the order of acceptance. Of 3 as new and 4 with ratio
        0.6, the first 5 withhold 2 × 0.4 = 0.8 units.

        :param line: one `sale.return.line`.
        :param float quantity: in the unit of the line, like the result.
        :param datetime end: ignore what was found from then on.
        """
        withheld, left = 0.0, quantity
        for grade, accepted in self._get_accepted(line, end):
            part = min(accepted, left)
            left -= part
            withheld += part * (1 - (grade.credit_ratio if grade else 1.0))
        return withheld

    @api.model
    def _get_accepted(self, line, end=None):
        """Return `[[grade, accepted quantity]]` in the order of inspection, net of corrections."""
        accepted = []
        rows = line.inspection_ids.filtered('disposition_id.accepts')
        for row in rows.filtered(lambda row: not end or row.date < end).sorted('id'):
            if row.quantity > 0:
                accepted.append([row.grade_id, row.quantity])
                continue
            left = -row.quantity
            for entry in reversed(accepted):
                if entry[0] == row.grade_id:
                    part = min(left, entry[1])
                    entry[1] -= part
                    left -= part
        return accepted

    # === CHARGES === #

    @api.model
    def _get_charges(self, sale_return, goods, deductions, fixed):
        """Return the charges of a return on one invoice, in the order in which they are taken.

        :param sale_return: one `sale.return`.
        :param list goods: its allocations on the invoice.
        :param list deductions: deductions for the condition: no fee is charged on them.
        :param set fixed: kinds of charges per return that are still due; charges made here are
            removed.
        :return: list of `(kind, amount, goods it is for)`, tax excluded, in the currency of the
            invoice.
        """
        invoice = goods[0]['invoice_line'].move_id
        lines = self.env['sale.return.line'].union(*[a['return_line'] for a in goods])
        feeable_lines = self._get_feeable(lines)
        feeable = [a for a in goods if a['return_line'] in feeable_lines]
        percent = sum(
            self._get_net_value(a) * a['return_line'].policy_id.restocking_fee_percent / 100
            for a in feeable
        ) + sum(
            a['amounts'][UNTAXED] * a['return_line'].policy_id.restocking_fee_percent / 100
            for a in deductions
            if a['return_line'] in feeable_lines
        )
        fee = max(percent, 0.0)
        once = max((a['return_line'].policy_id.restocking_fee_fixed for a in feeable), default=0.0)
        if once and 'restocking_fee' in fixed:
            fixed.discard('restocking_fee')
            fee += self._convert(once, invoice)
        # A fee has the taxes of its goods, unless these do not cover it.
        covered = fee <= sum(self._get_net_value(a) for a in feeable)
        charged = feeable if covered else goods
        charges = [('restocking_fee', invoice.currency_id.round(fee), charged)]
        if 'freight' in fixed and self._is_freight_owed(lines):
            fixed.discard('freight')
            freight = self._convert(sale_return.freight_charge, invoice)
            charges.append(('freight', invoice.currency_id.round(freight), goods))
        return [charge for charge in charges if charge[1] > 0]

    @api.model
    def _convert(self, amount, invoice):
        """Convert an amount in company currency to that of an invoice, at the rate of its note."""
        company = invoice.company_id
        if company.sale_return_rate == 'original':
            return amount * invoice.invoice_currency_rate
        return company.currency_id._convert(
            amount, invoice.currency_id, company, company._get_sale_return_day(), round=False
        )

    @api.model
    def _is_freight_owed(self, lines):
        """Tell whether the customer may be charged for the freight of these return lines."""
        return all(line.policy_id._is_deduction_allowed('freight') for line in lines)

    @api.model
    def _get_fixed_due(self, sale_return):
        """Return the kinds of charges per return that are not on any note yet.

        The note that credits the first goods includes the charge; if it is gone from there,
        somebody has waived it. A note with only a percentage has not charged the fixed amount of
        another policy. Freight that the goods did not cover is not charged again.

        :rtype: set
        """
        due = {'restocking_fee', 'freight'}
        lines = sale_return.line_ids.credit_line_ids.filtered(
            lambda line: line.parent_state != 'cancel' and not line.move_id._is_reversed_credit()
        )
        # Notes made by hand have no kind: they have no charges.
        for note in lines.filtered(lambda line: line.sale_return_kind == 'goods').move_id:
            credited = (note.invoice_line_ids & lines).filtered('sale_line_ids').sale_return_line_id
            if any(self._get_feeable(credited).policy_id.mapped('restocking_fee_fixed')):
                due.discard('restocking_fee')
            if self._is_freight_owed(credited):
                due.discard('freight')
        return due

    @api.model
    def _get_feeable(self, lines):
        """Return the return lines that are charged the restocking fee of their policy."""
        return lines.filtered(
            lambda line: (
                line.reason_id.restocking_fee
                # Who has paid nothing is asked for nothing.
                and line.return_id._is_of_buyer()
                and line.policy_id._is_deduction_allowed('restocking_fee')
            )
        )

    @api.model
    def _spread_charge(self, kind, goods, amount, uncharged):
        """Return a charge as one line per combination of taxes and account of the goods.

        As it lowers the price of the goods, it has their taxes.

        :param str kind: `restocking_fee` or `freight`.
        :param list goods: the allocations it is deducted from.
        :param float amount: tax excluded, in the currency of the invoice.
        :param float uncharged: the part that the goods did not cover.
        """
        label = {
            'restocking_fee': self.env._("Restocking fee"),
            'freight': self.env._("Return freight"),
        }[kind]
        groups = {}
        for allocation in goods:
            line = allocation['invoice_line']
            groups.setdefault((line.tax_ids, line.account_id), []).append(allocation)
        left = sum(self._get_net_value(a) for a in goods)
        unit = goods[0]['invoice_line'].currency_id.rounding
        deductions = []
        for group in groups.values():
            value = sum(a['amounts'].get(UNTAXED, 0.0) for a in group)
            net = sum(self._get_net_value(a) for a in group)
            if value <= 0 or net <= 0 or left <= 0:
                continue
            part = part_of(amount, net, max(left, net), unit)
            amount, left = round_to(amount - part, unit), left - net
            if not part and not uncharged:
                continue
            amounts = {}
            for allocation in group:
                for key, share in self._scale(allocation, 1.0, rounded=False).items():
                    amounts[key] = amounts.get(key, 0.0) + share
            amounts = self._round(group[0], amounts, -part / value)
            amounts[UNTAXED] = -part
            deduction = self._prepare_deduction(group[0], amounts, kind, label)
            deductions.append({**deduction, 'uncharged': uncharged})
            uncharged = 0.0
        return deductions

    # === HELPERS === #

    @api.model
    def _set_net_factors(self, group, goods):
        """Set `net_factor` of goods: the part of their price left after the order's discounts.

        A discount only lowers the goods that it was given on.

        :param list group: allocations of one return on one invoice, those of `goods` included.
        """
        gross = [a['amounts'].get(UNTAXED, 0.0) for a in goods]
        net = list(gross)
        lines = self.env['account.move.line'].union(*[a['invoice_line'] for a in goods])
        for share in group:
            if not share.get('kind'):
                continue
            mine = lines
            if share['kind'] == 'discount':
                service = self.env['sale.return.order.share']
                mine = service._get_discounted_lines(
                    share['invoice_line'], share['invoice_line'].move_id.invoice_line_ids
                )
            values = [
                value if a['invoice_line'] in mine else 0.0
                for a, value in zip(goods, gross, strict=True)
            ]
            total = sum(values)
            for position, value in enumerate(values):
                net[position] += share['amounts'].get(UNTAXED, 0.0) * value / (total or 1.0)
        for allocation, before, after in zip(goods, gross, net, strict=True):
            allocation['net_factor'] = after / before if before else 0.0

    @api.model
    def _get_net_value(self, allocation):
        """Return what an allocation of goods credits after the order's discounts, tax excluded."""
        return allocation['amounts'].get(UNTAXED, 0.0) * allocation['net_factor']

    @api.model
    def _scale(self, allocation, factor, rounded=True):
        """Return the amounts of an allocation times a factor."""
        amounts = allocation['amounts']
        if not rounded:
            return {key: amount * factor for key, amount in amounts.items()}
        return self._round(allocation, amounts, factor)

    @api.model
    def _round(self, allocation, amounts, factor):
        """Return amounts times a factor, each rounded in its own currency.

        Those in company currency may follow those in the invoice's, see `tools.money.parts_of`.
        """
        line = allocation['invoice_line']
        units = {True: line.currency_id.rounding, False: line.company_currency_id.rounding}
        pairs = {key: (amount, units['currency' in key[1]]) for key, amount in amounts.items()}
        result = {key: round_to(amount * factor, unit) for key, (amount, unit) in pairs.items()}
        for key, leader in followers_of(pairs):
            result[key] = round_to(amounts[key] * result[leader] / amounts[leader], units[False])
        return result

    @api.model
    def _prepare_deduction(self, allocation, amounts, kind, label):
        """Prepare the allocation of a deduction. Override to add values."""
        return {
            'return_line': allocation['return_line'],
            'invoice_line': allocation['invoice_line'],
            'quantity': 1.0,
            'amounts': amounts,
            'kind': kind,
            'label': label,
        }
