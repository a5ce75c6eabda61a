from odoo import api, models
from odoo.fields import Command

from ...tools.money import round_to

FIELDS = ('amount_currency', 'balance')


class SaleReturnTaxSplit(models.AbstractModel):
    """Service: split a tax that is booked on several accounts.

    Odoo splits the tax of each document separately, so the parts of several notes would not add up
    to the invoice. Therefore each note takes its share of the rest on each account.
    """

    _name = 'sale.return.tax.split'
    _description = "Return Tax Split"

    @api.model
    def _apply(self, notes):
        """Split the taxes of draft notes by the rest of their invoices.

        :param notes: draft `account.move` records that name their invoices, as made.
        """
        for note in notes:
            commands = [
                Command.update(line.id, values)
                for tax, lines in self._get_tax_lines(note).items()
                for line, values in self._get_parts(note, tax, lines).items()
            ]
            if commands:
                note.write({'line_ids': commands})

    @api.model
    def _get_tax_lines(self, move):
        """Return `{tax: journal items}` of the taxes that a document books on several accounts."""
        lines = move.line_ids.filtered('tax_repartition_line_id')
        return {
            tax: mine
            for tax, mine in lines.grouped('tax_line_id').items()
            if len(mine.account_id) > 1
        }

    @api.model
    def _get_position(self, line):
        """Return which part of its tax a journal item is, the same for invoices and notes."""
        part = line.tax_repartition_line_id
        parts = (
            part.tax_id.invoice_repartition_line_ids
            if part.document_type == 'invoice'
            else part.tax_id.refund_repartition_line_ids
        ).filtered(lambda other: other.repartition_type == 'tax')
        return parts.ids.index(part.id)

    @api.model
    def _get_left(self, note, tax):
        """Return the rest of a tax on each account: `{(position, field): amount}`.

        Signs are those of a note.
        """
        invoice = note.reversed_entry_id
        others = invoice.reversal_move_ids.filtered(
            lambda move: move != note and move.state != 'cancel' and not move._is_reversed_credit()
        )
        left = {}
        for line in (invoice | others).line_ids.filtered(lambda line: line.tax_line_id == tax):
            for name in FIELDS:
                key = self._get_position(line), name
                left[key] = left.get(key, 0.0) - line[name]
        return left

    @api.model
    def _get_parts(self, note, tax, lines):
        """Return `{journal item: values}` for items whose part differs.

        Worked example: 7.01 of 21.02 on two accounts of 10.51, of which 7.00 is credited as 3.50
        and 3.50: 7.01 · 7.01 / 14.02 = 3.51 and the rest, 3.50.
        """
        lines = lines.sorted(self._get_position)
        left = self._get_left(note, tax)
        positions = lines.mapped(self._get_position)
        values = {line: {} for line in lines}
        if len(set(positions)) != len(positions):
            return {}  # the tax is split for other reasons, too, e.g. analytic ones
        for name in FIELDS:
            currency = lines.currency_id if name == 'amount_currency' else lines.company_currency_id
            total = sum(lines.mapped(name))
            whole = sum(left.get((position, name), 0.0) for position in positions)
            for line, position in zip(lines, positions, strict=True):
                mine = left.get((position, name), 0.0)
                if whole <= 0 or mine < 0:
                    return {}  # a reverse charge, or more was credited by hand
                part = round_to(total * mine / whole, currency.rounding)
                values[line][name] = part
                total, whole = currency.round(total - part), currency.round(whole - mine)
        return {
            line: mine
            for line, mine in values.items()
            if any(line.currency_id.compare_amounts(line[name], mine[name]) for name in FIELDS)
        }
