from collections import defaultdict
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from .sale_return_refund import PAID_STATES

PAYERS = 'account.group_account_invoice'


class SaleReturnRefund(models.Model):
    """Payouts by two persons: users who prepare more than a limit cannot post it.

    A payment is posted by the second person, an online refund is released by them before the job
    sends it. The limit counts what one person has paid one customer in the period, so that
    splitting does not avoid it.
    """

    _inherit = 'sale.return.refund'

    prepared_by_id = fields.Many2one(
        'res.users',
        string="Prepared by",
        readonly=True,
        ondelete='restrict',
        help="Who prepared it, or last changed payee or amount.",
    )
    released_by_id = fields.Many2one(
        'res.users',
        string="Paid by",
        readonly=True,
        ondelete='restrict',
        help="Who posted the payment, or let the refund be sent.",
    )
    waits_for_release = fields.Boolean(
        readonly=True, help="The job sends it once a second person has released it."
    )
    needs_second_person = fields.Boolean(
        compute='_compute_needs_second_person',
        compute_sudo=True,
        help="Above the limit: another person than the one who prepared it has to pay it.",
    )
    can_pay = fields.Boolean(
        compute='_compute_can_pay', help="It is waiting to be paid, and the user may pay it."
    )
    account_digits = fields.Char(
        string="To Account",
        compute='_compute_account_digits',
        compute_sudo=True,
        help="The last digits of the bank account that the money goes to.",
    )

    trace = fields.Text(
        string="Who Did What",
        compute='_compute_trace',
        compute_sudo=True,
        help="On the returns: who requested, decided, released, posted and paid.",
    )

    # === COMPUTE METHODS === #

    @api.depends('return_ids', 'state', 'released_by_id')
    @api.depends_context('lang', 'uid')
    def _compute_trace(self):
        for refund in self:
            refund.trace = "\n\n".join(
                f"{sale_return.name}\n{sale_return.trace}" for sale_return in refund.return_ids
            )

    @api.depends('state', 'prepared_by_id', 'amount')
    def _compute_needs_second_person(self):
        self.needs_second_person = False
        prepared = self.filtered(lambda refund: refund.state == 'prepared')
        prepared._filter_second_person(together=False).needs_second_person = True

    @api.depends('state', 'needs_second_person', 'waits_for_release', 'prepared_by_id')
    @api.depends_context('uid')
    def _compute_can_pay(self):
        may_pay = self._may_pay()
        for refund in self:
            refund.can_pay = (
                may_pay
                and refund._is_waiting_for_payer()
                and (not refund.needs_second_person or refund.prepared_by_id != self.env.user)
            )

    @api.depends('payment_id.partner_bank_id.acc_number')
    def _compute_account_digits(self):
        for refund in self:
            number = refund.payment_id.partner_bank_id.sanitized_acc_number or ''
            refund.account_digits = f"… {number[-4:]}" if number else False

    # === ACTION METHODS === #

    def action_post(self):
        """Release pending payouts: post prepared payments, have online refunds sent.

        Payouts that need a second person stay as they are, see `_filter_second_person`.

        :return: True
        :raise AccessError: if the user may not refund.
        :raise UserError: when a payment cannot be posted, or would pay more than is open.
        """
        if not (self.env.su or self._may_pay()):
            raise AccessError(
                self.env._(
                    "You are not allowed to pay money back. It requires the role of manager in "
                    "Returns, or rights in Invoicing."
                )
            )
        self.check_access('read')
        # sudo: the role was checked; users who pay back need no rights on the documents.
        todo = self.sudo().filtered(lambda refund: refund._is_waiting_for_payer())
        own = todo.filtered(lambda refund: refund.prepared_by_id == self.env.user)
        todo -= own._filter_second_person()
        payments = todo.filtered(lambda refund: refund.method == 'payment')
        payments.payment_id.action_post()
        (todo - payments)._release()
        return True

    @api.model
    def _may_pay(self):
        user = self.env.user
        return user.has_group('sale_return.group_manager') or user.has_group(PAYERS)

    def _is_waiting_for_payer(self):
        self.ensure_one()
        return self.state == 'prepared' and (self.method == 'payment' or self.waits_for_release)

    def _release(self):
        """Let the job send online refunds that waited for a second person."""
        if not self:
            return
        self.write({'waits_for_release': False, 'released_by_id': self.env.uid})
        self._log('refund_released')
        self.env.ref('sale_return.ir_cron_send_refunds')._trigger()

    # === SECOND PERSON === #

    def _filter_second_person(self, together=True):
        """Return the payouts that need a second person to pay them.

        To be called in superuser mode. Two queries, however many they are.

        :param bool together: True when one person is about to pay all of them in this order, so
            that each counts for the next ones.
        """
        found = self.browse()
        limited = self.filtered('company_id.sale_return_second_person_above')
        for company, refunds in limited.grouped('company_id').items():
            limit = company.sale_return_second_person_above
            without = refunds if together else refunds.browse()
            alone, payers = refunds._get_amounts_alone(company, without), None
            today = company._get_sale_return_day()
            for refund in refunds:
                key = (refund.partner_id.commercial_partner_id.id, refund.prepared_by_id.id)
                amount = alone[key]
                if refund in without or not refund._is_about_to_be_sent():
                    amount += refund.currency_id._convert(
                        refund.amount, company.currency_id, company, today
                    )
                if company.currency_id.compare_amounts(amount, limit) <= 0:
                    alone[key] = amount if together else alone[key]
                    continue
                payers = refund._find_payers() if payers is None else payers
                if payers - refund.prepared_by_id:
                    found += refund
        return found

    def _is_about_to_be_sent(self):
        """Tell whether the job sends an online refund: it counts like those of the period."""
        self.ensure_one()
        return (
            self.state == 'prepared'
            and self.method == 'online'
            and not self.waits_for_release
            and self.released_by_id in (self.prepared_by_id, self.env['res.users'])
            and self.create_date > self._get_alone_since(self.company_id)
        )

    @api.model
    def _get_alone_since(self, company):
        """Return when the period of the limit began, in UTC."""
        return fields.Datetime.now() - timedelta(days=company.sale_return_period_days)

    def _get_amounts_alone(self, company, without):
        """Return what one person alone paid one customer in the period.

        :param company: the `res.company` of the payouts.
        :param without: the payouts that are not counted.
        :return: `{(commercial partner, person): amount in the currency of the company}`, by IDs.
        :rtype: dict
        """
        for name in ('account.partial.reconcile', 'account.move', 'account.payment', self._name):
            self.env[name].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT customer_id, person_id, currency_id, SUM(amount)
                     FROM (%(paid)s) paid
                    WHERE customer_id IN %(customers)s AND person_id IN %(persons)s
                      AND date > %(since)s
                 GROUP BY customer_id, person_id, currency_id""",
                paid=SQL(" UNION ALL ").join(self._get_alone_queries(company, without)),
                customers=tuple(self.partner_id.commercial_partner_id.ids or [0]),
                persons=tuple(self.prepared_by_id.ids or [0]),
                since=self._get_alone_since(company),
            )
        )
        rows = self.env.cr.fetchall()
        today, amounts = company._get_sale_return_day(), defaultdict(float)
        for customer_id, person_id, currency_id, amount in rows:
            currency = self.env['res.currency'].browse(currency_id)
            amounts[customer_id, person_id] += currency._convert(
                float(amount), company.currency_id, company, today
            )
        return amounts

    @api.model
    def _get_alone_queries(self, company, without):
        """Return queries of what one person alone has paid. Override to add others.

        :param without: the payouts that are not counted.
        :return: queries of `customer_id`, `person_id`, `date`, `currency_id` and `amount`.
        :rtype: list
        """
        return [
            SQL(
                """SELECT customer_id, person_id, date, %(currency)s AS currency_id, amount
                     FROM (%(by_hand)s) by_hand""",
                currency=company.currency_id.id,
                by_hand=self._get_by_hand_query(company),
            ),
            # Also what the job is about to send.
            SQL(
                """SELECT partner.commercial_partner_id, payout.prepared_by_id, payout.create_date,
                          payout.currency_id, payout.amount
                     FROM sale_return_refund payout
                     JOIN res_partner partner ON partner.id = payout.partner_id
                    WHERE payout.company_id = %(company)s AND payout.id NOT IN %(without)s
                      AND (payout.released_by_id IS NULL
                           OR payout.released_by_id = payout.prepared_by_id)
                      AND (payout.state IN ('pending', 'unknown', 'done')
                           OR payout.state = 'prepared' AND payout.method = 'online'
                              AND payout.waits_for_release IS NOT TRUE)""",
                company=company.id,
                without=tuple(without.ids or [0]),
            ),
        ]

    def _take_payees(self):
        """Serialize payouts to a customer, where they count together."""
        limited = self.filtered('company_id.sale_return_second_person_above')
        self.env['sale.return.guard']._take_customers(limited.partner_id)

    # === PAID BY HAND === #

    @api.model
    def _get_by_hand_query(self, company):
        """Return what one person alone paid back on notes of returns, other than by payouts.

        By Odoo's own payment dialog, a payment or a bank entry matched with the note. If somebody
        else has matched it with the note, two people have seen it. Entries imported from the bank
        have no person. A bank entry for a payment without its own entry is the same money, which
        counts with the payment.

        :return: a query of `note_id`, `customer_id`, `item_id`, `payment_id`, `person_id`, `date`
            and `amount` (in the currency of the company).
        :rtype: SQL
        """
        return SQL(
            """SELECT note.id AS note_id, note.commercial_partner_id AS customer_id,
                   item.id AS item_id, entry.origin_payment_id AS payment_id,
                   entry.create_uid AS person_id, entry.create_date AS date, part.amount
              FROM account_partial_reconcile part
              JOIN account_move_line due ON due.id = part.credit_move_id
              JOIN account_move note ON note.id = due.move_id
              JOIN account_move_line item ON item.id = part.debit_move_id
              JOIN account_move entry ON entry.id = item.move_id
              JOIN account_journal journal ON journal.id = entry.journal_id
             WHERE note.company_id = %(company)s AND note.move_type = 'out_refund'
               AND entry.move_type = 'entry' AND entry.create_uid <> %(root)s
               AND part.create_uid IN (entry.create_uid, %(root)s)
               AND %(is_money)s
               AND EXISTS (SELECT FROM account_move_line line
                    WHERE line.move_id = note.id AND line.sale_return_line_id IS NOT NULL)
               AND NOT EXISTS (SELECT FROM sale_return_refund refund
                    WHERE refund.payment_id = entry.origin_payment_id)
               AND NOT (entry.origin_payment_id IS NULL AND EXISTS (
                    SELECT FROM account_payment plain
                      JOIN account_move__account_payment rel ON rel.payment_id = plain.id
                     WHERE rel.invoice_id = note.id AND plain.move_id IS NULL
                       AND plain.state IN %(paid)s))
         UNION ALL
            SELECT MIN(note.id), note.commercial_partner_id, NULL, payment.id,
                   payment.create_uid, payment.create_date,
                   ABS(payment.amount_company_currency_signed)
              FROM account_payment payment
              JOIN account_move__account_payment rel ON rel.payment_id = payment.id
              JOIN account_move note ON note.id = rel.invoice_id
             WHERE note.company_id = %(company)s AND note.move_type = 'out_refund'
               AND payment.payment_type = 'outbound' AND payment.move_id IS NULL
               AND payment.state IN %(paid)s AND payment.create_uid <> %(root)s
               AND EXISTS (SELECT FROM account_move_line line
                    WHERE line.move_id = note.id AND line.sale_return_line_id IS NOT NULL)
               AND NOT EXISTS (SELECT FROM sale_return_refund refund
                    WHERE refund.payment_id = payment.id)
          GROUP BY note.commercial_partner_id, payment.id""",
            company=company.id,
            root=SUPERUSER_ID,
            paid=PAID_STATES,
            is_money=self._get_money_condition(),
        )

    @api.model
    def _get_money_condition(self):
        """Return when an `entry` of a `journal` moves money: in its journal, or on its account.

        :rtype: SQL
        """
        return SQL(
            """(journal.type IN ('bank', 'cash', 'credit') OR entry.origin_payment_id > 0
                OR EXISTS (SELECT FROM account_move_line money
                     JOIN account_account account ON account.id = money.account_id
                    WHERE money.move_id = entry.id
                      AND account.account_type IN ('asset_cash', 'liability_credit_card')))"""
        )

    def _find_payers(self):
        """Return two users who may post payments of the company, fewer where there are not two.

        With two, at least one of them has not prepared the payout. Override where others release
        payouts.

        :rtype: res.users
        """
        payers = self.env['ir.model.data']._xmlid_to_res_id(PAYERS)
        # sudo: it is no secret here who has which role.
        return (
            self.env['res.users']
            .sudo()
            .search(
                [
                    ('all_group_ids', 'in', payers),
                    ('company_ids', 'in', self.company_id.ids),
                    ('share', '=', False),
                ],
                limit=2,
            )
        )

    def _find_second_persons(self):
        """Return somebody else who may post payments of the company, empty where nobody is."""
        self.ensure_one()
        return self._find_payers() - self.prepared_by_id

    def _ensure_second_person(self):
        """Do not let users pay payouts above the limit that they prepared themselves.

        To be called in superuser mode.

        :raise UserError: naming the payout and the limit.
        """
        own = self.filtered(lambda refund: refund.prepared_by_id == self.env.user)
        for refund in own._filter_second_person()[:1]:
            company = refund.company_id
            raise UserError(
                self.env._(
                    "%(user)s prepared or changed refund %(refund)s of return %(returns)s. "
                    "Payments of more than %(limit)s to one customer need a second person: "
                    "it waits for them in the list of refunds.",
                    user=self.env.user.name,
                    refund=refund.display_name,
                    returns=", ".join(refund.return_ids.mapped('name')),
                    limit=formatLang(
                        self.env,
                        company.sale_return_second_person_above,
                        currency_obj=company.currency_id,
                    ),
                )
            )

    def _is_seen_by_two(self):
        """Tell whether the user is another person than the one who prepared the payout.

        A manager of Returns counts where nobody else could pay.
        """
        self.ensure_one()
        return self.env.user != self.prepared_by_id or (
            self.env.user.has_group('sale_return.group_manager') and not self._find_second_persons()
        )

    def _hold_for_release(self):
        """Hold online refunds that a second person has to release."""
        online = self.filtered(lambda refund: refund.method == 'online')
        if held := online._filter_second_person():
            held.write({'waits_for_release': True})

    # === PAYEE === #

    def _get_named_partners(self):
        """Return who may be paid by one person: the partners of invoice and note."""
        self.ensure_one()
        documents = self.note_id | self.note_id._get_sale_return_invoices()
        return documents.partner_id | documents.commercial_partner_id

    def _is_customer_as_billed(self):
        """Tell whether the customer still belongs to the partner for whom the note was posted."""
        self.ensure_one()
        billed = self.note_id.sale_return_customer_id or self.partner_id
        return self.note_id._get_sale_return_customer() == billed
