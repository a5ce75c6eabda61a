from odoo import api, models

from ..tools.money import QUANTITY_EPSILON, part_of, round_to

UNTAXED = (False, 'total_excluded_currency')


class SaleReturnDeduction(models.AbstractModel):
    """Service: what is kept back from a credit, each as a line with a label on the same note.

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
            `freight`; `uncharged` on one says how much of it the value of the goods did not cover
            (tax excluded, currency of the invoice).
        :rtype: list
        """
        deductions = []
        charged = set()  # fixed charges are made once per return, not once per note
        groups = {}
        for allocation in allocations:
            if allocation.get('kind') not in ('shipping', 'rounding'):
                key = allocation['return_line'].return_id, allocation['invoice_line'].move_id
                groups.setdefault(key, []).append(allocation)
        for (sale_return, _invoice), group in groups.items():
            goods = [a for a in group if not a.get('kind')]
            if not goods:
                continue
            factor = self._get_net_factor(group, goods)
            room = sum(a['amounts'].get(UNTAXED, 0.0) for a in group)
            mine = self._get_grade_deductions(goods, factor)
            room += sum(a['amounts'][UNTAXED] for a in mine)
            fixed = sale_return not in charged and not self._is_charged(sale_return)
            for kind, amount in self._get_charges(sale_return, goods, mine, factor, fixed):
                taken = min(amount, max(room, 0.0))
                room -= taken
                mine += self._spread_charge(kind, goods, taken, amount - taken)
            charged.add(sale_return)
            deductions += mine
        return deductions

    # === CONDITION === #

    @api.model
    def _get_grade_deductions(self, goods, factor):
        """Return what the condition found takes off, line by line.

        Worked example: 4 × 100 credited, 3 of them of a grade with ratio 1.0 and one with 0.6: one
        unit times 0.4 is kept back, -40.
        """
        deductions = []
        for allocation in goods:
            line = allocation['return_line']
            if not line.policy_id._is_deduction_allowed('grade'):
                continue
            quantity = self._get_quantity(allocation)
            withheld = self._get_withheld_quantity(line, quantity)
            if withheld <= QUANTITY_EPSILON:
                continue
            amounts = self._scale(allocation, -withheld / quantity * factor)
            grades = line.inspection_ids.grade_id.filtered(lambda grade: grade.credit_ratio < 1)
            label = self.env._(
                "%(product)s: reduced for its condition (%(grades)s)",
                product=line.product_id.display_name,
                grades=", ".join(grades.mapped('name')),
            )
            deductions.append(self._prepare_deduction(allocation, amounts, 'grade', label))
        return deductions

    @api.model
    def _get_quantity(self, allocation):
        """Return the quantity of an allocation in the unit of its return line, unrounded."""
        return allocation['invoice_line'].product_uom_id._compute_quantity(
            allocation['quantity'], allocation['return_line'].product_uom_id, round=False
        )

    @api.model
    def _get_withheld_quantity(self, line, quantity):
        """Return the part of a quantity credited now that its condition keeps back.

        What was credited first is taken to be what was accepted first.
        """
        start, end = line.qty_credited, line.qty_credited + quantity
        rows = line.inspection_ids.filtered('disposition_id.accepts').sorted('id')
        withheld = position = 0.0
        # Corrections are rows with the opposite sign, so the rows of a grade are summed up first.
        for grade, graded in rows.grouped('grade_id').items():
            accepted = sum(graded.mapped('quantity'))
            covered = min(end, position + accepted) - max(start, position)
            withheld += max(covered, 0.0) * (1 - (grade.credit_ratio if grade else 1.0))
            position += accepted
        return withheld

    # === CHARGES === #

    @api.model
    def _get_charges(self, sale_return, goods, deductions, factor, fixed):
        """Return the charges of a return on one invoice, in the order in which they are taken.

        :param sale_return: one `sale.return`.
        :param list goods: its allocations on the invoice.
        :param list deductions: what the condition keeps back: no fee is charged on that.
        :param float factor: net part of the price after discounts for the order.
        :param bool fixed: whether the charges per return are due.
        :return: list of `(kind, amount)`, tax excluded, in the currency of the invoice.
        """
        invoice = goods[0]['invoice_line'].move_id
        lines = [a['return_line'] for a in goods]
        feeable = [
            a
            for a in goods
            if a['return_line'].reason_id.restocking_fee
            and a['return_line'].policy_id._is_deduction_allowed('restocking_fee')
        ]
        percent = sum(
            a['amounts'].get(UNTAXED, 0.0)
            * factor
            * a['return_line'].policy_id.restocking_fee_percent
            / 100
            for a in feeable
        ) + sum(
            a['amounts'][UNTAXED] * a['return_line'].policy_id.restocking_fee_percent / 100
            for a in deductions
            if a['return_line'] in [f['return_line'] for f in feeable]
        )
        fee = max(percent, 0.0)
        if fixed and feeable:
            policies = [a['return_line'].policy_id for a in feeable]
            fee += self._convert(max(p.restocking_fee_fixed for p in policies), invoice)
        charges = [('restocking_fee', invoice.currency_id.round(fee))]
        if fixed and all(line.policy_id._is_deduction_allowed('freight') for line in lines):
            freight = self._convert(sale_return.freight_charge, invoice)
            charges.append(('freight', invoice.currency_id.round(freight)))
        return [(kind, amount) for kind, amount in charges if amount > 0]

    @api.model
    def _convert(self, amount, invoice):
        """Convert an amount in company currency to the currency of an invoice, at its rate."""
        return amount * invoice.invoice_currency_rate

    @api.model
    def _is_charged(self, sale_return):
        """Tell whether the charges per return stand on a note already."""
        return any(
            line.sale_return_kind in ('restocking_fee', 'freight')
            and line.parent_state != 'cancel'
            and not line.move_id._is_reversed_credit()
            for line in sale_return.line_ids.credit_line_ids
        )

    @api.model
    def _spread_charge(self, kind, goods, amount, uncharged):
        """Return a charge as one line per combination of taxes and account of the goods.

        Being taken off the price of the goods it has their taxes.

        :param str kind: `restocking_fee` or `freight`.
        :param list goods: the allocations it is taken off.
        :param float amount: tax excluded, in the currency of the invoice.
        :param float uncharged: what the goods did not cover.
        """
        label = {
            'restocking_fee': self.env._("Restocking fee"),
            'freight': self.env._("Return freight"),
        }[kind]
        groups = {}
        for allocation in goods:
            line = allocation['invoice_line']
            groups.setdefault((line.tax_ids, line.account_id), []).append(allocation)
        left = sum(a['amounts'].get(UNTAXED, 0.0) for a in goods)
        unit = goods[0]['invoice_line'].currency_id.rounding
        deductions = []
        for group in groups.values():
            value = sum(a['amounts'].get(UNTAXED, 0.0) for a in group)
            if value <= 0 or left <= 0:
                continue
            part = part_of(amount, value, max(left, value), unit)
            amount, left = round_to(amount - part, unit), left - value
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
    def _get_net_factor(self, group, goods):
        """Return the part of the price that is left after the order's discounts."""
        value = sum(a['amounts'].get(UNTAXED, 0.0) for a in goods)
        return sum(a['amounts'].get(UNTAXED, 0.0) for a in group) / value if value else 0.0

    @api.model
    def _scale(self, allocation, factor, rounded=True):
        """Return the amounts of an allocation times a factor."""
        amounts = allocation['amounts']
        if not rounded:
            return {key: amount * factor for key, amount in amounts.items()}
        return self._round(allocation, amounts, factor)

    @api.model
    def _round(self, allocation, amounts, factor):
        """Return amounts times a factor, each rounded in its own currency."""
        line = allocation['invoice_line']
        units = {True: line.currency_id.rounding, False: line.company_currency_id.rounding}
        return {
            key: round_to(amount * factor, units['currency' in key[1]])
            for key, amount in amounts.items()
        }

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
