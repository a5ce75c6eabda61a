from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools.misc import formatLang

from ...tools.context import get_service_context
from ...tools.money import parts_of

BASE = (False, 'total_excluded_currency')


class SaleReturnGoodwillCredit(models.AbstractModel):
    """Service: credit a part of an invoice without goods, on its own lines and taxes.

    The amount is spread over the remaining amounts of the invoice lines, so that each tax gets its
    share. The lines of the note count as deductions (I2): in the amount of the invoice line they
    name, not in its quantity, and the order is not billed again.
    """

    _name = 'sale.return.goodwill.credit'
    _description = "Goodwill Credit Service"

    @api.model
    def _grant(
        self,
        invoice,
        amount,
        reason,
        tax_included=True,
        comment=None,
        sale_return=None,
        product=None,
    ):
        """Create and post a goodwill credit note.

        :param invoice: one posted `account.move`. The caller has checked that the user may see it.
        :param float amount: in the currency of the invoice, above zero.
        :param reason: `sale.return.reason` of the class goodwill.
        :param bool tax_included: whether the amount contains its taxes.
        :param str comment: why, required.
        :param sale_return: the `sale.return` it belongs to, if any.
        :param product: `product.product` whose lines are credited; all by default.
        :return: the posted note.
        :rtype: account.move
        :raise UserError: when the invoice is fully credited, or a limit is reached.
        """
        # sudo: agents have no rights in Accounting; the caller has checked the role. `env.uid`
        # stays the one who grants.
        env = self.env(su=True, context=get_service_context(self.env.context))
        service = self.with_env(env).with_company(invoice.company_id)
        invoice = invoice.with_env(service.env)
        service._ensure_grantable(invoice, amount, reason, comment)
        lines = invoice.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
        self.env['sale.return.credit']._take_credit_counter(lines)
        shares = service._split(invoice, amount, tax_included, product)
        note = service._create_note(invoice, shares, reason, comment)
        if rest := service._get_rest(note, amount, tax_included):
            note = service._create_again(note, shares, rest, reason, comment)
        company_amount = abs(note.amount_total_signed)
        # The limits count in the currency of the company, which only the note knows.
        override = service.env['sale.return.goodwill']._ensure_limits(invoice, company_amount)
        # Dated by the day of the company, not of the user who grants it.
        note.with_context(tz=note.company_id._get_sale_return_timezone())._post(soft=False)
        service._ensure_nothing_taken(note, lines.sale_line_ids)
        granted = service.env['sale.return.goodwill'].create(
            {
                'note_id': note.id,
                'invoice_id': invoice.id,
                'return_id': sale_return.id if sale_return else False,
                'company_id': invoice.company_id.id,
                'partner_id': invoice.commercial_partner_id.id,
                'user_id': self.env.uid,
                'date': invoice.company_id._get_sale_return_day(),
                'reason_id': reason.id,
                'comment': comment,
                'amount': company_amount,
                'is_override': override,
            }
        )
        service.env['sale.return.unbacked']._note_goodwill(granted)
        if sale_return:
            service._log(sale_return, note, comment)
        return note.with_env(self.env)

    @api.model
    def _create_note(self, invoice, shares, reason, comment):
        """Create the draft of the note, see `_prepare_note_vals`."""
        vals = self._prepare_note_vals(invoice, shares, reason)
        vals['sale_return_override_reason'] = comment
        note = self.env['account.move'].create(vals)
        self.env['sale.return.tax.split']._apply(note)
        return note

    @api.model
    def _create_again(self, note, shares, rest, reason, comment):
        """Replace a draft that lacks something of its amount.

        A discount for early payment lowers the tax of the whole note and rounds it again.
        """
        invoice = note.reversed_entry_id
        note.unlink()
        self._add_to_biggest(invoice, shares, rest)
        return self._create_note(invoice, shares, reason, comment)

    @api.model
    def _get_rest(self, note, amount, tax_included):
        """Return the shortfall of a note, in its currency; 0.0 without such a discount."""
        if not (note.invoice_payment_term_id and tax_included):
            return 0.0
        return note.currency_id.round(amount - note.amount_total)

    @api.model
    def _log(self, sale_return, note, comment):
        total = formatLang(self.env, note.amount_total, currency_obj=note.currency_id)
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': sale_return.id,
                    'kind': 'goodwill',
                    'reason': comment,
                    'details': f"{note.name} · {total}",
                }
            ]
        )

    @api.model
    def _ensure_grantable(self, invoice, amount, reason, comment):
        """Refuse invalid input.

        :raise UserError: saying what to do.
        """
        if invoice.move_type != 'out_invoice' or invoice.state != 'posted':
            raise UserError(
                self.env._(
                    "Goodwill is granted on a posted customer invoice, and %(invoice)s is not one.",
                    invoice=invoice.display_name,
                )
            )
        if not reason or reason.return_class != 'goodwill':
            raise UserError(
                self.env._(
                    "Choose a reason of the class “Goodwill”, so that it counts as goodwill."
                )
            )
        if reason.company_id and reason.company_id != invoice.company_id:
            raise UserError(
                self.env._(
                    "Reason “%(reason)s” belongs to another company than %(invoice)s.",
                    reason=reason.name,
                    invoice=invoice.name,
                )
            )
        if not (comment and comment.strip()):
            raise UserError(self.env._("Enter why the goodwill is granted."))
        # Comparisons with NaN are false, so the condition is inverted.
        if not 0 < amount < float('inf') or invoice.currency_id.is_zero(amount):
            raise UserError(self.env._("The amount of the goodwill must be more than zero."))

    @api.model
    def _get_left(self, invoice, product=None):
        """Return `{invoice line: Balance}` of what an invoice, or a product of it, has left."""
        sale_lines = invoice.invoice_line_ids.sale_line_ids
        balances = self.env['sale.return.ledger']._get_balances(sale_lines)
        return {
            line: balance
            for line, balance in balances.items()
            if line.move_id == invoice
            and (balance.quantity > 0 or balance.is_amount_only)
            and (not product or line.product_id == product)
        }

    @api.model
    def _get_lines_left(self, invoice, product=None):
        """Return `{invoice line: Balance}` of what goodwill is spread over.

        Goodwill is money: card and wallet payments lower the limit, and are not refunded.
        """
        is_payment = self.env['sale.return.order.share']._is_payment
        return {
            line: balance
            for line, balance in self._get_left(invoice, product).items()
            if not is_payment(line)
        }

    @api.model
    def _get_total(self, amounts, tax_included):
        """Sum amounts of a line, tax included or not, in the currency of the invoice."""
        return sum(
            amount
            for (tax, name), amount in amounts.items()
            if (tax, name) == BASE or (tax_included and tax and name == 'tax_amount_currency')
        )

    @api.model
    def _get_amount_left(self, invoice, tax_included=True, product=None):
        """Return what can still be granted on an invoice, or a product of it, in its currency."""
        total = sum(
            self._get_total(balance.left, tax_included)
            for balance in self._get_left(invoice, product).values()
        )
        total *= self._get_tax_factor(invoice, tax_included)
        if tax_included and self._get_term(invoice):
            notes = invoice._get_sale_return_notes().filtered(
                lambda move: move.state != 'cancel' and not move._is_reversed_credit()
            )
            credited = sum(note._get_credited_in(invoice.currency_id) for note in notes)
            total = min(total, invoice.amount_total - credited)
        return max(invoice.currency_id.round(total), 0.0)

    @api.model
    def _get_term(self, invoice):
        """Return the payment term of the note, see `sale.return.credit._get_note_payment_term`."""
        return self.env['sale.return.credit']._get_note_payment_term(invoice)

    @api.model
    def _get_tax_factor(self, invoice, tax_included):
        """Return the total of an invoice per unit of its lines' totals, tax included.

        1.0, except where an early payment discount has lowered its tax in advance (`mixed`): 1000
        plus 21 % less 2 % of the tax are 1205.80 instead of 1210.
        """
        if not (tax_included and self._get_term(invoice)):
            return 1.0
        lines = invoice.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
        total = sum(lines.mapped('price_total'))
        return invoice.amount_total / total if total else 1.0

    @api.model
    def _split(self, invoice, amount, tax_included, product=None):
        """Spread an amount over the open amounts of the lines of an invoice.

        The biggest line takes the rounding difference, so that the note has exactly the amount.

        :return: `{invoice line: {key: amount}}`, see `sale.return.ledger`.
        :rtype: dict
        :raise UserError: when less is left.
        """
        currency = invoice.currency_id
        left = self._get_amount_left(invoice, tax_included, product)
        if currency.compare_amounts(amount, left) > 0:
            raise UserError(
                self.env._(
                    "%(amount)s is more than can still be credited on %(invoice)s: %(left)s.",
                    amount=formatLang(self.env, amount, currency_obj=currency),
                    invoice=invoice.name,
                    left=formatLang(self.env, left, currency_obj=currency),
                )
            )
        lines = self._get_lines_left(invoice, product)
        total = sum(self._get_total(balance.left, tax_included) for balance in lines.values())
        amount /= self._get_tax_factor(invoice, tax_included)
        whole = not currency.compare_amounts(amount, total)
        shares = {
            line: parts_of(balance.amounts, 1.0 if whole else amount / total, 1.0)
            for line, balance in lines.items()
        }
        rest = amount - sum(self._get_total(share, tax_included) for share in shares.values())
        if not currency.is_zero(rest):
            self._add_to_biggest(invoice, shares, rest)
        return shares

    @api.model
    def _add_to_biggest(self, invoice, shares, rest):
        """Add the rounding difference to the share of the biggest line, in place."""
        biggest = max(shares, key=lambda line: abs(shares[line].get(BASE, 0.0)))
        shares[biggest][BASE] = invoice.currency_id.round(shares[biggest].get(BASE, 0.0) + rest)
        self._adjust_company_amount(invoice, shares[biggest], rest)

    @api.model
    def _adjust_company_amount(self, invoice, share, rest):
        """Apply the rounding remainder to the amount in company currency as well."""
        rate = invoice.invoice_currency_rate or 1.0
        key = (False, 'total_excluded')
        if key in share:
            share[key] = invoice.company_currency_id.round(share[key] + rest / rate)

    @api.model
    def _prepare_note_vals(self, invoice, shares, reason):
        """Prepare the note. Override to add values.

        :param dict shares: see `_split`.
        :return: values for `account.move.create`.
        :rtype: dict
        """
        return {
            **self.env['sale.return.credit']._prepare_note_header_vals(invoice, reason),
            'invoice_payment_term_id': self._get_term(invoice).id,
            'invoice_line_ids': [
                Command.create(self._prepare_line_vals(line, amounts, reason))
                for line, amounts in shares.items()
                if amounts.get(BASE)
            ],
        }

    @api.model
    def _prepare_line_vals(self, line, amounts, reason):
        """Prepare one line of the note: a share of one invoice line. Override to add values.

        It has no product: no goods come back, so no cost of goods is taken back either.
        """
        included = line.tax_ids.flatten_taxes_hierarchy().filtered('price_include')
        price_unit = amounts[BASE] + sum(
            amounts.get((tax.id, 'tax_amount_currency'), 0.0) for tax in included
        )
        allocation = {'invoice_line': line, 'amounts': amounts, 'quantity': 1.0}
        # The tax data of a credit note line, at no discount: the price is the share itself.
        tax_data = self.env['sale.return.credit']._prepare_extra_tax_data(allocation, price_unit)
        if tax_data:
            tax_data['discount'] = 0.0
        return {
            'name': self.env._(
                "%(reason)s: %(line)s",
                reason=reason.name,
                line=line.product_id.display_name or line.name,
            ),
            'quantity': 1.0,
            'price_unit': price_unit,
            'tax_ids': [Command.set(line.tax_ids.ids)],
            'account_id': line.account_id.id,
            'analytic_distribution': line.analytic_distribution,
            'credited_line_id': line.id,
            'extra_tax_data': tax_data,
        }

    @api.model
    def _ensure_nothing_taken(self, note, sale_lines):
        """Refuse to grant what a return under way is going to credit; a manager may.

        :raise UserError: naming the return.
        """
        balances = self.env['sale.return.ledger']._get_balances(sale_lines)
        if overcredited := self.env['sale.return.ledger']._find_overcredited(balances):
            raise UserError(
                self.env._(
                    "%(invoice)s would be credited for more than is left to credit.",
                    invoice=overcredited[0].move_id.name,
                )
            )
        # No line credits goods: only the remaining amounts count.
        no_goods = note.invoice_line_ids.browse()
        note._check_sale_return_pending(sale_lines, balances, no_goods)
