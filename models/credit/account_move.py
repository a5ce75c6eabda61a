from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.context import get_own


class AccountMove(models.Model):
    """Invoices and credit notes of returns: reasons, later changes, printing and sending.

    Its other part, checks and effects of posting: `account_move_posting.py`.
    """

    _name = 'account.move'

    _inherit = ['account.move', 'sale.return.owned']

    sale_return_ids = fields.Many2many(
        'sale.return',
        string="Returns",
        compute='_compute_sale_return_ids',
        compute_sudo=True,
        search='_search_sale_return_ids',
    )
    sale_return_count = fields.Integer(compute='_compute_sale_return_ids', compute_sudo=True)
    sale_return_override_reason = fields.Text(
        string="Reason to credit held goods",
        copy=False,
        help=(
            "A manager of Returns who credits goods that a return is still waiting for has to "
            "give a reason."
        ),
        groups='base.group_user',
    )
    # Digest of the documents for which a note was last found correct, see `sale.return.note.check`.
    sale_return_proof = fields.Char(readonly=True, copy=False, groups='base.group_user')
    sale_return_override_by_id = fields.Many2one(
        'res.users',
        string="Override by",
        readonly=True,
        copy=False,
        ondelete='restrict',
        help="Who wrote the reason above.",
        groups='base.group_user',
    )
    sale_return_override_on = fields.Datetime(
        string="Override on", readonly=True, copy=False, groups='base.group_user'
    )
    sale_return_posted_by_id = fields.Many2one(
        'res.users',
        string="Posted by",
        readonly=True,
        copy=False,
        ondelete='restrict',
        help="Who posted the credit note of a return.",
        groups='base.group_user',
    )
    sale_return_customer_id = fields.Many2one(
        'res.partner',
        string="Customer when Posted",
        readonly=True,
        copy=False,
        ondelete='restrict',
        help="Who was billed when the note of a return was posted. Odoo moves documents along when "
        "a customer becomes a contact of somebody else; this stays.",
        groups='base.group_user',
    )
    sale_return_trace = fields.Text(
        string="Who Did What",
        compute='_compute_sale_return_trace',
        compute_sudo=True,
        groups='base.group_user',
    )

    # === COMPUTE METHODS === #

    @api.depends('sale_return_ids', 'state')
    @api.depends_context('lang', 'uid')
    def _compute_sale_return_trace(self):
        for move in self:
            note = move.move_type == 'out_refund'
            move.sale_return_trace = note and "\n\n".join(
                f"{sale_return.name}\n{sale_return.trace}" for sale_return in move.sale_return_ids
            )

    @api.depends('line_ids.sale_return_line_id', 'line_ids.sale_line_ids')
    def _compute_sale_return_ids(self):
        for move in self:
            returns = move.line_ids.sale_return_line_id.return_id
            if move.move_type == 'out_invoice':
                returns |= move.line_ids.sale_line_ids.return_line_ids.return_id
            move.sale_return_ids = returns
            move.sale_return_count = len(returns)

    def _search_sale_return_ids(self, operator, value):
        return [('line_ids.sale_return_line_id.return_id', operator, value)]

    def _compute_invoice_currency_rate(self):
        """Override of `account` to keep the rate of the invoice on the notes of returns.

        Otherwise writing a date would give the note the rate of that day, and crediting an
        invoice would leave an exchange difference.
        """
        result = super()._compute_invoice_currency_rate()
        for move in self:
            invoice = move.reversed_entry_id
            if (
                move.move_type == 'out_refund'
                and invoice.currency_id == move.currency_id
                and move.company_id.sale_return_rate == 'original'
                and move.invoice_line_ids.sale_return_line_id
            ):
                move.invoice_currency_rate = invoice.invoice_currency_rate
        return result

    # === BUSINESS METHODS === #

    @api.model
    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: managers enter why they override a return."""
        return super()._get_sale_return_writers() | {
            'sale_return_override_reason': 'sale_return.group_manager'
        }

    def _recompute_cash_rounding_lines(self):
        """Override of `account` to keep the reversed rounding of notes of returns.

        Odoo would round each note separately, which does not add up to the invoice.
        """
        self.ensure_one()
        if any(line.display_type == 'rounding' and line.sale_return_kind for line in self.line_ids):
            return None
        return super()._recompute_cash_rounding_lines()

    def _admit_sale_return(self, vals):
        """Override of `sale.return.owned` to store who enters the reason, and when."""
        admitted = super()._admit_sale_return(vals)
        name = 'sale_return_override_reason'
        if name in vals and self._changes_sale_return(name, vals[name]):
            given = bool(vals[name])
            admitted['sale_return_override_by_id'] = given and self.env.uid
            admitted['sale_return_override_on'] = given and fields.Datetime.now()
        return admitted

    # === REVERSALS === #

    def _is_reversed_credit(self, until=None):
        """Tell whether a credit note was reversed as a whole, so that it credits nothing.

        :param date until: ignore what was reversed after this day.
        """
        self.ensure_one()
        return self.move_type == 'out_refund' and any(
            move._is_credit_reversal()
            for move in self.reversal_move_ids
            if not until or move.date <= until
        )

    def _is_credit_reversal(self):
        """Tell whether an invoice reverses a credit note as a whole: it bills nothing new."""
        self.ensure_one()
        note = self.reversed_entry_id
        return (
            self.move_type == 'out_invoice'
            and self.state == 'posted'
            and note.move_type == 'out_refund'
            and self.currency_id == note.currency_id
            and not self.currency_id.compare_amounts(self.amount_total, note.amount_total)
        )

    def _bills_note_again(self):
        """Tell whether an invoice reverses a credit note, as a whole or in part."""
        return self.move_type == 'out_invoice' and self.reversed_entry_id.move_type == 'out_refund'

    # === CHANGES AFTERWARDS === #

    def button_draft(self):
        """Override of `account` to protect invoices credited by a return."""
        self._ensure_not_credited_by_return()
        result = super().button_draft()
        self._ensure_not_credited_again()
        self._refresh_sale_returns()
        return result

    def button_cancel(self):
        """Override of `account` to update returns whose note is cancelled."""
        self._ensure_not_credited_by_return()
        result = super().button_cancel()
        self._refresh_sale_returns()
        return result

    def unlink(self):
        """Override of `account` to update returns whose draft note is deleted."""
        returns = self._get_returns_to_refresh()
        by_hand = returns - self._get_returns_of_notes()
        result = super().unlink()
        returns._close_or_reopen()
        by_hand._queue_due_credit()
        return result

    def _ensure_not_credited_by_return(self):
        self.line_ids._ensure_not_credited_by_return()

    def _ensure_not_credited_again(self):
        """Refuse to undo invoices that reverse notes whose goods were credited again since.

        The notes credit their goods from now on: together with the later ones that is too much.

        :raise UserError: naming the invoices and the returns.
        """
        # sudo: what is credited does not depend on who changes an invoice.
        bills = self.sudo().filtered(lambda move: move._bills_note_again())
        if not bills:
            return
        lines = bills.reversed_entry_id.line_ids
        again = lines.sale_return_line_id.filtered(
            lambda line: any(
                item.move_id.id > min(bills.ids) and item.parent_state != 'cancel'
                for item in line.credit_line_ids
            )
        )
        over = again._filter_credited_above(again._get_qty_released)
        ledger = self.env['sale.return.ledger']
        sale_lines = ledger._get_credited_sale_lines(lines)
        balances = ledger._get_balances(sale_lines) if sale_lines._get_return_lines() else {}
        twice = ledger._find_overcredited(balances)
        if over or twice:
            raise UserError(
                self.env._(
                    "Invoice %(invoices)s cannot be reset to draft: it reverses a credit note "
                    "whose goods have since been credited again in return %(returns)s. Cancel or "
                    "reverse the later credit note first.",
                    invoices=", ".join(bills.mapped('name')),
                    returns=", ".join(
                        (over or sale_lines._get_return_lines()).return_id.mapped('name')
                    ),
                )
            )

    def _get_returns_to_refresh(self):
        """Return the returns that these notes credit, or the notes that these invoices reverse."""
        # sudo: returns follow their notes even if the accountant is not a user of Returns.
        moves = self.sudo()
        lines = (
            (moves | moves.reversed_entry_id)
            .filtered(lambda move: move.move_type == 'out_refund')
            .line_ids
        )
        # Notes made by hand count, too: without them more could be credited.
        sale_lines = self.env['sale.return.ledger']._get_credited_sale_lines(lines)
        return (lines.sale_return_line_id | sale_lines._get_return_lines()).return_id

    def _refresh_sale_returns(self):
        (self | self.reversed_entry_id).line_ids._refigure_sale_returns()
        returns = self._get_returns_to_refresh()
        returns._close_or_reopen()
        # A note of a return that somebody has cancelled is not created again automatically.
        (returns - self._get_returns_of_notes())._queue_due_credit()
        # Restore points when a note is reset or cancelled.
        self._sync_sale_return_points()

    def _sync_sale_return_points(self):
        """Take back or restore the points of the orders that these notes credit."""
        # sudo: points follow notes even if the accountant is not a user of Returns.
        self.env['sale.return.loyalty']._sync(
            self.filtered(lambda move: move.move_type == 'out_refund').sudo().sale_return_ids
        )

    def _get_returns_of_notes(self):
        """Return the returns that these notes were made for."""
        # sudo: returns follow their notes even if the accountant is not a user of Returns.
        return self.sudo().line_ids.sale_return_line_id.return_id

    def _invoice_paid_hook(self):
        """Override of `account` to close returns whose credit notes are paid back."""
        result = super()._invoice_paid_hook()
        if not get_own(self.env, 'sale_return_posting'):
            self._refresh_sale_returns()
        return result

    def _get_sale_return_paid_residual(self):
        """Return the open amount of a credit note whose invoice the customer has paid.

        The unpaid part of the invoice is settled by the note and never paid back.

        :return: tax included, in the currency of the note.
        :rtype: float
        """
        self.ensure_one()
        invoice = self.reversed_entry_id
        if invoice.payment_state not in ('paid', 'in_payment', 'partial'):
            return 0.0
        return self.currency_id.round(max(self.amount_residual - invoice.amount_residual, 0.0))

    def _get_amount_paid_back(self):
        """Return what was paid back on a credit note, tax included, in its currency.

        What was matched with invoices is settled, not paid back.
        """
        self.ensure_one()
        receivable = self.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        return sum(
            partial.credit_amount_currency
            for partial in receivable.matched_debit_ids
            if partial.debit_move_id.move_id.move_type == 'entry'
            and not partial.debit_move_id.move_id.reversed_entry_id
            # sudo: what was paid back is the same for everybody.
            and not partial.debit_move_id.move_id.sudo().sale_return_write_back_ids
        )

    def _get_amount_to_pay_back(self):
        """Return the open amount of a credit note, in its currency. Override.

        :rtype: float
        """
        self.ensure_one()
        return self.amount_residual

    # === BUTTONS === #

    def action_view_sale_returns(self):
        """Show the returns of an invoice or credit note."""
        returns = self.env['sale.return'].search([('id', 'in', self.sale_return_ids.ids)])
        return returns._get_records_action(name=self.env._("Returns"))

    def action_create_return(self):
        """Open the dialog that creates a return of the invoiced order lines.

        :return: the action of the wizard `sale.return.create`.
        :rtype: dict
        """
        return self.invoice_line_ids.sale_line_ids._get_return_wizard_action()

    # === PRINT === #

    # Printing and sending of credit notes.

    def _get_sale_return_references(self):
        """Return what a credit note prints about its invoice and returns. Override to add more.

        :return: `{'invoice': account.move, 'returns': names, 'lots': list}`; a lot is
            `{'product', 'lot', 'quantity', 'uom'}`.
        :rtype: dict
        """
        self.ensure_one()
        # sudo: everybody who may print the note, portal users included, sees this; only names are
        # shown.
        note = self.sudo()
        if note.move_type != 'out_refund':
            return {'invoice': note.browse(), 'returns': "", 'lots': []}
        return {
            'invoice': note.reversed_entry_id,
            'returns': ", ".join(note.sale_return_ids.mapped('name')),
            'lots': [
                lot
                for line in note.invoice_line_ids
                if line.sale_return_line_id and line.sale_line_ids
                for lot in line._get_sale_return_lots()
            ],
        }

    def _get_invoiced_lot_values(self):
        """Override of `stock_account`: notes of returns print the returned lots.

        Odoo takes them from the deliveries of the order, which need not be the ones returned.
        """
        # sudo: users who print a note need not be users of Returns.
        if self.move_type == 'out_refund' and self.sudo().sale_return_ids:
            return []
        return super()._get_invoiced_lot_values()

    # === SEND === #

    def _is_for_another(self):
        """Tell whether a note is for somebody else than the buyer. In superuser mode."""
        return bool(self.invoice_line_ids.sale_return_line_id.return_id._get_note_partner())

    def _is_sale_return_sent(self):
        """Tell whether a note is sent automatically: the company wants it and its invoice was sent.

        Override to decide differently.
        """
        self.ensure_one()
        # sudo: users who post a note need not be allowed to read its invoice and lines.
        note = self.sudo()
        return (
            note.move_type == 'out_refund'
            and not note._is_for_another()  # it names what the buyer has paid
            and note.company_id.sale_return_send_notes
            and note.reversed_entry_id.is_move_sent
            and not note.is_move_sent
            and any(line.credited_line_id for line in note.invoice_line_ids)
        )

    def _queue_sale_return_sending(self):
        """Have Odoo's job render and send notes the way their invoices are sent.

        Rendering a PDF takes seconds and a mail server may be down, so this is not done in a
        request. The channel (mail, e-invoice network, manual) is the one set on the customer.
        """
        if not self:
            return
        # sudo: inspectors trigger notes without rights in Accounting.
        self.sudo().sending_data = {
            'author_user_id': self.env.uid,
            'author_partner_id': self.env.user.partner_id.id,
        }
        self.env.ref('account.ir_cron_account_move_send').sudo()._trigger()
