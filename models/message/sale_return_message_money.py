from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_date
from odoo.tools.misc import formatLang


class SaleReturnMessageMoney(models.AbstractModel):
    """Service: what customers are told about their money: how much, how, and by when.

    The amounts are those of the documents; nothing internal is included. Called in superuser mode,
    in the language of the customer.
    """

    _name = 'sale.return.message.money'
    _description = "Money in Messages to Customers"

    @api.model
    def _get_sentences(self, sale_return):
        """Return what a customer should know of the money of a return now.

        :param sale_return: one `sale.return` in superuser mode.
        :return: whole sentences, tax included; none where there is nothing to say.
        :rtype: list
        """
        sale_return.ensure_one()
        if sale_return.state not in ('approved', 'closed'):
            return []
        expected = self._tell_expected(sale_return)
        coming = self._tell_on_way(sale_return) + self._tell_open(sale_return)
        sentences = self._tell_settled(sale_return) + coming + expected
        if coming or sale_return.amount_refunded:
            sentences.append(self.env._("It may take some days until the bank shows it."))
        return sentences

    @api.model
    def _tell_gift(self, sale_return):
        """Return what the recipient of a gift should know: never what it has cost. Override.

        :rtype: list
        """
        return []

    # === WHAT IS TO COME === #

    @api.model
    def _tell_expected(self, sale_return):
        """State what is credited if everything is accepted, and after which step."""
        try:
            previews = self.env['sale.return.credit']._preview(sale_return, kinds=('promised',))
        except UserError:
            return []  # what cannot be credited yet is our own problem
        sums = {}
        for note in previews[sale_return.id]['promised']:
            sums[note['currency']] = sums.get(note['currency'], 0.0) + note['total']
        currencies = self.env['res.currency'].search([('name', 'in', list(sums))])
        amounts = ", ".join(
            formatLang(self.env, sums[currency.name], currency_obj=currency)
            for currency in currencies
            if currency.compare_amounts(sums[currency.name], 0.0) > 0
        )
        if not amounts:
            return []
        return [self._get_expected_sentence(sale_return, amounts), *self._tell_way(sale_return)]

    @api.model
    def _get_expected_sentence(self, sale_return, amounts):
        """State after which step the customer gets the expected amount."""
        values = {'amount': amounts}
        events = {
            'approval' if line._is_without_goods() else line.policy_id.release_event
            for line in sale_return.line_ids
        }
        sentences = {
            'approval': self.env._("You will get %(amount)s, as the return is approved.", **values),
            'dispatch_proof': self.env._(
                "You get %(amount)s once it is confirmed that the goods are on their way.", **values
            ),
            'receipt': self.env._("You get %(amount)s once the goods are here.", **values),
            'inspection': self.env._(
                "You get %(amount)s once the goods are inspected and accepted.", **values
            ),
        }
        general = self.env._("You will get %(amount)s once everything is accepted.", **values)
        return sentences.get(events.pop(), general) if len(events) == 1 else general

    @api.model
    def _tell_way(self, sale_return):
        """State how the customer gets the expected amount."""
        invoices = sale_return.line_ids.sale_line_id.invoice_lines.move_id.filtered(
            lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
        )
        unpaid = invoices.filtered(
            lambda move: move.currency_id.compare_amounts(move.amount_residual, 0.0) > 0
        )
        if unpaid:
            return [
                self.env._(
                    "It is set off against %(invoices)s, which you have not paid yet.",
                    invoices=", ".join(unpaid.mapped('name')),
                )
            ]
        if set(sale_return.line_ids.policy_id.mapped('settlement')) == {'on_account'}:
            return [self.env._("It stays on your account and lowers your next invoice.")]
        return self._tell_ways_back(invoices)

    @api.model
    def _tell_ways_back(self, invoices):
        payback = self.env['sale.return.payback']
        sources = payback._get_sources(payback._get_paid_invoices(invoices) | invoices)
        ways = [self._get_way(source['journal'], bool(source['transaction'])) for source in sources]
        if not ways:
            return []
        return [
            self.env._(
                "The money goes back the way you paid: %(ways)s.",
                ways=", ".join(dict.fromkeys(ways)),
            )
        ]

    @api.model
    def _get_way(self, journal, online=False):
        """Describe for the customer how money is paid through a journal.

        :param journal: `account.journal`
        :param bool online: whether a payment provider pays it.
        :rtype: str
        """
        if online:
            return self.env._(
                "To the card or account that you paid with (%(provider)s)", provider=journal.name
            )
        ways = {
            'bank': self.env._("Bank transfer"),
            'cash': self.env._("Cash"),
            'credit': self.env._("Credit card"),
        }
        return ways.get(journal.type, journal.name)

    # === WHAT IS CREDITED === #

    @api.model
    def _tell_open(self, sale_return):
        """State whether open amounts of posted credit notes are paid back, and by when."""
        if not sale_return.has_to_refund:
            credit = sale_return._format_own_money(sale_return.amount_open)
            on_account = any(
                note.sale_return_on_account
                and note.state == 'posted'
                and note.currency_id.compare_amounts(note.amount_residual, 0.0) > 0
                for note in sale_return.credit_note_ids
            )
            return [self._get_on_account_sentence(credit)] if on_account else []
        amount = sale_return._format_own_money(sale_return._get_amount_to_pay_back())
        if sale_return.refund_state not in ('pending', 'partial'):
            return [self._get_on_account_sentence(amount)]
        if day := self._get_refund_day(sale_return):
            sentence = self.env._(
                "We will pay back %(amount)s by %(day)s at the latest.", amount=amount, day=day
            )
        else:
            sentence = self.env._("We will pay back %(amount)s.", amount=amount)
        return [sentence, *self._tell_ways_back(sale_return.credit_note_ids.reversed_entry_id)]

    @api.model
    def _get_on_account_sentence(self, amount):
        return self.env._(
            "%(amount)s is on your account and lowers your next invoice.", amount=amount
        )

    @api.model
    def _get_refund_day(self, sale_return):
        """Return the day by which the money is paid back, '' without a future date.

        The legal deadline or that of the team, else the day on which the credit note is due.
        """
        company = sale_return.company_id
        today = company._get_sale_return_day()
        step = sale_return._get_next_step()[sale_return]
        if step['step'] == 'refund' and step['due']:
            day = company._get_sale_return_day(step['due'])
            return format_date(self.env, day) if day >= today else ''
        notes = sale_return.credit_note_ids.filtered(
            lambda note: note.state == 'posted' and note.amount_residual
        )
        days = [note.invoice_date_due for note in notes if note.invoice_date_due]
        return format_date(self.env, min(days)) if days and min(days) > today else ''

    @api.model
    def _tell_on_way(self, sale_return):
        """State what was sent and is not in the books yet."""
        refunds = sale_return.refund_ids.filtered(
            lambda refund: refund.state in ('prepared', 'pending', 'unknown')
        )
        return [
            self.env._(
                "%(amount)s is on its way back to you (%(way)s).",
                amount=formatLang(
                    self.env, sum(group.mapped('amount')), currency_obj=group.currency_id
                ),
                way=self._get_way(journal, method == 'online'),
            )
            for (journal, method, _currency), group in refunds.grouped(
                lambda refund: (refund.journal_id, refund.method, refund.currency_id)
            ).items()
        ]

    @api.model
    def _tell_settled(self, sale_return):
        """State what was paid back, and what was set off against invoices."""
        sentences = []
        refunded = sale_return.amount_refunded
        if refunded:
            values = {'amount': sale_return._format_own_money(refunded)}
            done = sale_return.refund_ids.filtered(lambda refund: refund.state == 'done')
            ways = dict.fromkeys(
                self._get_way(refund.journal_id, refund.method == 'online') for refund in done
            )
            if ways:
                sentence = self.env._(
                    "We have paid back %(amount)s (%(ways)s).", ways=", ".join(ways), **values
                )
            else:
                sentence = self.env._("We have paid back %(amount)s.", **values)
            sentences.append(sentence)
        used = sale_return.amount_credited - refunded - sale_return.amount_open
        bills = sale_return.credit_note_ids.line_ids.matched_debit_ids.debit_move_id.move_id
        bills = bills.filtered(lambda move: move.move_type == 'out_invoice')
        if bills and sale_return.currency_id.compare_amounts(used, 0.0) > 0:
            sentences.append(
                self.env._(
                    "%(amount)s is set off against %(invoices)s.",
                    amount=sale_return._format_own_money(used),
                    invoices=", ".join(bills.mapped('name')),
                )
            )
        return sentences
