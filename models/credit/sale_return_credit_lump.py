from collections import defaultdict

from odoo import api, models
from odoo.fields import Command
from odoo.tools.misc import formatLang

from ...tools.money import QUANTITY_EPSILON, round_to


class SaleReturnCredit(models.AbstractModel):
    """Lines of notes that are no goods: amounts with a label, of the order or kept back."""

    _inherit = 'sale.return.credit'

    @api.model
    def _complete(self, allocations):
        """Add to goods what they take along of their orders, and what is kept back of them.

        Both are lines of their own on the notes (see `sale.return.order.share` and
        `sale.return.deduction`), never another price of the goods.
        """
        allocations = allocations + self.env['sale.return.order.share']._get_shares(allocations)
        return allocations + self.env['sale.return.deduction']._get_deductions(allocations)

    @api.model
    def _prepare_lump_line_vals(self, allocation):
        """Prepare a line of a note that is no goods: an amount with a label.

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
        """Return the amount of a line that is no goods, with the taxes that its price includes."""
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
        """Return the account of a line that is no goods: that of the invoice, or that of fees."""
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

        What an invoice was rounded by belongs to the note that credits the last of it. Odoo
        would round each note by itself, which does not add up.

        :return: journal items of the invoice, usually none.
        :rtype: account.move.line
        """
        # A rounding by the biggest tax is in the amount of that tax already.
        rounding_lines = invoice.line_ids.filtered(
            lambda line: line.display_type == 'rounding' and not line.tax_repartition_line_id
        )
        if not rounding_lines:
            return rounding_lines
        products = invoice.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
        balances = self.env['sale.return.ledger']._get_balances(products.sale_line_ids)
        left = defaultdict(float)
        for line in products:
            left[line] = balances[line].quantity if line in balances else line.quantity
        for allocation in allocations:
            if allocation.get('kind') in (None, 'shipping', 'discount'):
                left[allocation['invoice_line']] -= allocation['quantity']
        complete = all(quantity <= QUANTITY_EPSILON for quantity in left.values())
        return rounding_lines if complete else rounding_lines.browse()

    @api.model
    def _prepare_rounding_line_vals(self, rounding_line, allocations):
        """Prepare the line of a note that takes back a cash rounding of its invoice.

        :return: values for `account.move.line.create`.
        :rtype: dict
        """
        return {
            'name': rounding_line.name,
            'quantity': 1,
            'price_unit': -rounding_line.amount_currency,
            'tax_ids': [Command.clear()],
            'account_id': rounding_line.account_id.id,
            'sale_return_line_id': allocations[-1]['return_line'].id,
            'sale_return_kind': 'rounding',
            'credited_line_id': rounding_line.id,
        }

    @api.model
    def _log_uncharged(self, allocations):
        """Write in the log what of a fee the value of the goods did not cover.

        :param list allocations: those that became notes.
        """
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': allocation['return_line'].return_id.id,
                    'kind': 'not_charged',
                    'details': self.env._(
                        "%(charge)s: %(amount)s not charged, the goods are not worth more",
                        charge=allocation['label'],
                        amount=formatLang(
                            self.env,
                            allocation['uncharged'],
                            currency_obj=allocation['invoice_line'].currency_id,
                        ),
                    ),
                }
                for allocation in allocations
                if allocation.get('uncharged')
            ]
        )
