from collections import defaultdict

from odoo import api, models
from odoo.fields import Command

from ...tools.money import QUANTITY_EPSILON, round_to


class SaleReturnCredit(models.AbstractModel):
    """The lines of credit notes: goods, amounts with a label, and cash rounding."""

    _inherit = 'sale.return.credit'

    # === GOODS === #

    @api.model
    def _prepare_goods_line_vals(self, allocation):
        """Prepare one line of a note: a copy of the invoice line for a part of it.

        :param dict allocation: see `_allocate`.
        :return: values for `account.move.line.create`.
        :rtype: dict
        """
        line = allocation['invoice_line']
        if allocation.get('kind'):
            return self._prepare_lump_line_vals(allocation)
        price_unit = self._get_note_price_unit(allocation)
        uom, quantity = self._get_note_quantity(allocation)
        return {
            'name': line.name,
            'product_id': line.product_id.id,
            'product_uom_id': uom.id,
            'quantity': quantity,
            'price_unit': price_unit,
            'sale_return_price': price_unit,
            'discount': line.discount,
            'tax_ids': [Command.set(line.tax_ids.ids)],
            'account_id': line.account_id.id,
            'analytic_distribution': line.analytic_distribution,
            'sale_line_ids': [Command.set(line.sale_line_ids.ids)],
            'sale_return_line_id': allocation['return_line'].id,
            'sale_return_kind': 'goods',
            'sale_return_withheld_qty': allocation.get('withheld', 0.0),
            'credited_line_id': line.id,
            'extra_tax_data': self._prepare_extra_tax_data(allocation, price_unit),
        }

    @api.model
    def _prepare_note_line_vals(self, allocation):
        """Prepare one line of a note, and mark lines that reverse no cost of goods."""
        return self._prepare_goods_line_vals(allocation) | {
            'sale_return_kept': allocation.get('kept', False)
        }

    @api.model
    def _get_note_quantity(self, allocation):
        """Return the unit and the quantity of a note line.

        The unit of the invoice line, where its decimals are enough; else that of the product: of
        12 dozen at 120.00 four pieces are credited as 4 pieces at 10.00, not as 0.33 dozen.

        :return: `(uom.uom, quantity in it)`
        :rtype: tuple
        """
        line, quantity = allocation['invoice_line'], allocation['quantity']
        if allocation.get('kind'):
            return line.product_uom_id, quantity
        measure = line._get_return_measure()
        if abs(abs(line._get_quantity_counted()) - quantity) < QUANTITY_EPSILON:
            return line.product_uom_id, abs(line.quantity)
        if measure.is_shown(quantity):
            return line.product_uom_id, quantity
        return line.product_id.uom_id, measure.to_stock(quantity)

    @api.model
    def _get_note_price_unit(self, allocation):
        """Return the unit price of a note line.

        That of the invoice line, net of price corrections. Untaxed lines get the unrounded share
        per unit where the price of the invoice would round differently, as this is the only way to
        reach their exact share: 7 × (10 / 7) = 10.00.
        """
        line = allocation['invoice_line']
        uom, quantity = self._get_note_quantity(allocation)
        price_unit = line.product_uom_id._compute_price(
            line.price_unit * allocation['price_ratio'], uom
        )
        if line.tax_ids:
            return price_unit
        factor = quantity * (1 - (line.discount or 0.0) / 100)
        amount = allocation['amounts'].get((False, 'total_excluded_currency'), 0.0)
        exact = round_to(price_unit * factor, line.currency_id.rounding) == amount
        return price_unit if exact or not factor else amount / factor

    @api.model
    def _prepare_extra_tax_data(self, allocation, price_unit):
        """Prepare the data with which Odoo's tax computation gives the exact shares of a line.

        Those in company currency apply to untaxed lines, too: exactly what was booked is reversed.

        :return: value of `account.move.line.extra_tax_data`.
        """
        line = allocation['invoice_line']
        taxes = line.tax_ids.flatten_taxes_hierarchy()
        amounts = allocation['amounts']
        # Odoo reads the amounts only if some tax is given, even one that the line does not have.
        tax_amounts = {str(tax.id): {} for tax in taxes} or {'0': {}}
        for (tax_id, name), amount in amounts.items():
            if tax_id:
                tax_amounts.setdefault(str(tax_id), {})[name] = amount
        # At another rate Odoo scales the amounts in company currency by `rate`.
        return {
            'currency_id': line.currency_id.id,
            'price_unit': price_unit,
            'discount': line.discount,
            'quantity': self._get_note_quantity(allocation)[1],
            'rate': line.move_id.invoice_currency_rate,
            'manual_total_excluded_currency': amounts.get((False, 'total_excluded_currency'), 0.0),
            'manual_total_excluded': amounts.get((False, 'total_excluded'), 0.0),
            'manual_tax_amounts': tax_amounts,
        }

    # === LUMPS AND ROUNDING === #

    @api.model
    def _prepare_lump_line_vals(self, allocation):
        """Prepare a line of a note that is not goods: an amount with a label.

        It has no order line, so it neither makes the order billable again nor counts as a return
        of goods.

        :param dict allocation: with `kind` and `label`.
        :return: values for `account.move.line.create`.
        :rtype: dict
        """
        line = allocation['invoice_line']
        price_unit = self._get_lump_price(allocation)
        extra_tax_data = self._prepare_extra_tax_data(allocation, price_unit)
        if extra_tax_data:
            extra_tax_data['discount'] = 0.0
        return {
            'name': allocation['label'],
            'quantity': 1.0,
            'price_unit': price_unit,
            'tax_ids': [Command.set(line.tax_ids.ids)],
            'account_id': self._get_lump_account(allocation).id,
            'analytic_distribution': line.analytic_distribution,
            'sale_return_line_id': allocation['return_line'].id,
            'sale_return_kind': allocation['kind'],
            'sale_return_withheld_qty': allocation.get('withheld', 0.0),
            'credited_line_id': allocation.get('credited_line', line).id,
            'extra_tax_data': extra_tax_data,
        }

    @api.model
    def _get_lump_price(self, allocation):
        """Return the amount of a line that is not goods, with the taxes that its price includes."""
        taxes = allocation['invoice_line'].tax_ids.flatten_taxes_hierarchy()
        included = taxes.filtered('price_include').ids
        amounts = allocation['amounts']
        price = amounts.get((False, 'total_excluded_currency'), 0.0) + sum(
            amount
            for (tax_id, name), amount in amounts.items()
            if tax_id in included and name == 'tax_amount_currency'
        )
        return round_to(price, allocation['invoice_line'].currency_id.rounding)

    @api.model
    def _get_lump_account(self, allocation):
        """Return the account of a line that is not goods: that of the invoice, or that of fees."""
        line = allocation['invoice_line']
        fees = line.company_id.sale_return_fee_account_id
        return (
            fees
            if fees and allocation['kind'] in ('restocking_fee', 'freight')
            else line.account_id
        )

    @api.model
    def _get_due_rounding_lines(self, invoice, allocations):
        """Return the cash rounding lines of an invoice if these allocations complete it.

        The rounding of an invoice is credited with the last note. Odoo would round each note
        separately, which does not add up.

        :return: journal items of the invoice, usually none.
        :rtype: account.move.line
        """
        # A rounding on the biggest tax is already part of that tax.
        rounding_lines = invoice.line_ids.filtered(
            lambda line: line.display_type == 'rounding' and not line.tax_repartition_line_id
        )
        if not rounding_lines:
            return rounding_lines
        products = invoice.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
        balances = self.env['sale.return.ledger']._get_balances(products.sale_line_ids)
        left = defaultdict(float)
        takes_in = self.env['sale.return.order.share']._takes_in
        for line in products.filtered(lambda line: not takes_in(line)):
            left[line] = (
                balances[line].quantity if line in balances else line._get_quantity_counted()
            )
        for allocation in allocations:
            if allocation.get('kind') in (None, 'shipping', 'discount', 'stored_value'):
                left[allocation['invoice_line']] -= allocation['quantity']
        complete = all(quantity <= QUANTITY_EPSILON for quantity in left.values())
        return rounding_lines if complete else rounding_lines.browse()

    @api.model
    def _prepare_rounding_line_vals(self, rounding_line, allocations):
        """Prepare the line of a note that reverses a cash rounding of its invoice.

        :return: values for `account.move.line.create`.
        :rtype: dict
        """
        note_amount = -rounding_line.amount_currency
        return {
            # As on the invoice: e-invoice formats recognize it as a rounding, not as goods.
            'display_type': 'rounding',
            'name': rounding_line.name,
            'quantity': 1,
            'price_unit': note_amount,
            'currency_id': rounding_line.currency_id.id,
            'amount_currency': note_amount,
            'balance': self._get_rounding_balance(rounding_line),
            'tax_ids': [Command.clear()],
            'account_id': rounding_line.account_id.id,
            'sale_return_line_id': allocations[-1]['return_line'].id,
            'sale_return_kind': 'rounding',
            'credited_line_id': rounding_line.id,
        }

    @api.model
    def _get_rounding_balance(self, rounding_line):
        """Return the cash rounding that a note reverses, in the currency of the company."""
        company = rounding_line.company_id
        if company.sale_return_rate == 'original':
            return -rounding_line.balance
        return rounding_line.currency_id._convert(
            -rounding_line.amount_currency,
            company.currency_id,
            company,
            company._get_sale_return_day(),
        )
