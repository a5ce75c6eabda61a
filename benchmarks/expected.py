"""Expected amounts of credit notes, computed from the invoices alone.

Kept apart from the add-on's own arithmetic on purpose: the stories and tests compare the two.
"""

from decimal import ROUND_HALF_UP, Decimal


def _exact(number):
    return Decimal(repr(float(number)))


class ExpectedCredit:
    """Takes parts of invoice lines and returns the expected amount of a credit note for each.

    A part of what is left gives that part of each amount left, rounded; the last part gives the
    rest. Amounts are in the currency of the invoice.

    :param invoices: posted `account.move` records of which nothing is credited.
    """

    def __init__(self, invoices):
        self.quantity = {}
        self.untaxed = {}
        self.taxes = {}
        for invoice in invoices:
            # Odoo's own computation, because with globally rounded taxes only it knows the cents
            # that each line has in the ledger.
            for base_line in invoice._get_rounded_base_and_tax_lines()[0]:
                line, details = base_line['record'], base_line['tax_details']
                self.quantity[line] = _exact(line.quantity)
                self.untaxed[line] = _exact(details['total_excluded_currency']) + _exact(
                    details['delta_total_excluded_currency']
                )
                self.taxes[line] = [
                    _exact(tax_data['tax_amount_currency']) for tax_data in details['taxes_data']
                ]

    def take(self, line, quantity):
        """Return `(untaxed, tax)` of crediting a quantity, in the unit of the invoice line.

        :param line: `account.move.line` of one of the invoices.
        :param float quantity: not more than is left.
        :rtype: tuple[Decimal, Decimal]
        """
        part, left = _exact(quantity), self.quantity[line]
        unit = _exact(line.currency_id.rounding)

        def share(amount):
            exact = amount * part / left
            return (exact / unit).quantize(Decimal(1), rounding=ROUND_HALF_UP) * unit

        untaxed = share(self.untaxed[line])
        taxes = [share(amount) for amount in self.taxes[line]]
        self.quantity[line] = left - part
        self.untaxed[line] -= untaxed
        self.taxes[line] = [
            amount - taken for amount, taken in zip(self.taxes[line], taxes, strict=True)
        ]
        return untaxed, sum(taxes, Decimal(0))
