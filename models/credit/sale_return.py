import logging
from datetime import timedelta
from functools import partial

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import retrying
from odoo.tools import SQL, format_datetime
from odoo.tools.sql import escape_psql

from ...const import PROGRESS, progress

_logger = logging.getLogger(__name__)

# Failures are retried after half an hour, then after twice the time, finally once a day.
FIRST_RETRY = timedelta(minutes=30)
LAST_RETRY = timedelta(days=1)


class SaleReturn(models.Model):
    """Fields that credits add to a return: its value and the queue."""

    _inherit = 'sale.return'

    # Amounts of a return: to be credited, credited, and paid back.
    amount_to_credit = fields.Monetary(
        string="To Credit",
        compute='_compute_amount_to_credit',
        compute_sudo=True,
        help="Tax included. Total of a credit note created now.",
    )
    amount_credited = fields.Monetary(
        string="Credited",
        compute='_compute_refund',
        store=True,
        help="Tax included. Posted credit notes of this return.",
    )
    amount_refunded = fields.Monetary(
        string="Paid Back",
        compute='_compute_refund',
        store=True,
        help="Tax included. Paid back on the credit notes of this return.",
    )
    amount_open = fields.Monetary(
        string="Open Credit",
        compute='_compute_refund',
        store=True,
        help=(
            "Tax included. Open amount of the credit notes of this return: neither paid back nor "
            "used for an invoice."
        ),
    )
    amount_to_cards = fields.Monetary(
        string="Back on Cards",
        compute='_compute_amount_to_cards',
        compute_sudo=True,
        help=(
            "Tax included. Amount that posted credit notes of this return gave back to gift cards"
            " and wallets; it is not included in the amount credited, which is money."
        ),
    )
    company_currency_id = fields.Many2one(
        related='company_id.currency_id', string="Company Currency"
    )
    freight_charge = fields.Monetary(
        currency_field='company_currency_id',
        compute='_compute_freight_charge',
        store=True,
        readonly=False,
        help=(
            "Return freight that the customer owes, tax excluded: deducted from the first credit "
            "note. Proposed by the policy, fixed when the return is submitted."
        ),
    )
    search_text = fields.Char(
        string="Return",
        compute='_compute_search_text',
        search='_search_search_text',
        help="Finds returns by number, customer, e-mail, telephone, order, invoice or credit note, "
        "tracking reference, lot or serial number, and product.",
    )
    credit_queued = fields.Boolean(
        readonly=True, copy=False, help="Waits for the scheduled job that creates credit notes."
    )
    credit_error = fields.Text(
        readonly=True, copy=False, help="Why the last credit note could not be created."
    )
    refund_state = fields.Selection(
        [('no', "Nothing to pay back"), *PROGRESS], compute='_compute_refund', store=True
    )

    # Who did what
    door = fields.Selection(
        [
            ('employee', "Employee"),
            ('account', "Customer, logged in"),
            ('link', "Link, without login"),
            ('system', "Scheduled job or another system"),
        ],
        string="Asked through",
        compute='_compute_door',
        compute_sudo=True,
        store=True,
        help="How the return was requested. With a link, the person's identity is not certain.",
    )
    trace = fields.Text(
        string="Who Did What",
        compute='_compute_trace',
        compute_sudo=True,
        help="Who requested, decided, released, posted and paid, and when.",
    )

    # The queue of returns whose credit notes are left to the scheduled job.
    credit_attempts = fields.Integer(
        technical=True,
        string="Attempts",
        readonly=True,
        copy=False,
        help="Number of failed attempts to create the credit note.",
    )
    credit_retry_at = fields.Datetime(
        string="Next Attempt",
        readonly=True,
        copy=False,
        help="When the scheduled job tries again. After each failure it waits twice as long, at "
        "most a day.",
    )

    # === COMPUTE METHODS === #

    @api.depends('line_ids.policy_id', 'line_ids.reason_id', 'line_ids.return_expected')
    def _compute_freight_charge(self):
        for sale_return in self:
            if sale_return.state not in (False, 'draft') and sale_return._origin:
                sale_return.freight_charge = sale_return.freight_charge  # fixed at submission
                continue
            owed = sale_return.line_ids.filtered(
                lambda line: (
                    line.return_expected
                    and line.return_id._is_of_buyer()
                    and line.reason_id.restocking_fee
                    and line.policy_id
                    and line.policy_id._is_deduction_allowed('freight')
                )
            )
            sale_return.freight_charge = max(owed.policy_id.mapped('return_freight'), default=0.0)

    def _get_freight_payer(self):
        """Return who pays for the return shipping. Override where more is known about it.

        Where the policy names a return freight we pay the carrier; the customer's share is
        `freight_charge`. Otherwise customers pay if all lines come back for reasons on their side
        and no law makes us pay: one parcel is paid by one side.

        :return: `customer` or `company`; `company` where nothing comes back.
        :rtype: str
        """
        self.ensure_one()
        lines = self.line_ids.filtered('return_expected')
        if not lines or any(lines.policy_id.mapped('return_freight')):
            return 'company'
        theirs = all(
            line.reason_id.default_liability == 'customer'
            and line.policy_id._get_regime().return_shipping != 'company'
            for line in lines
        )
        return 'customer' if theirs else 'company'

    @api.depends('line_ids.qty_to_credit', 'line_ids.qty_credited')
    def _compute_amount_to_credit(self):
        due = self.filtered(lambda r: any(line.qty_to_credit > 0 for line in r.line_ids))
        # sudo: the amount follows from invoices that users of Returns need not read.
        previews = self.env['sale.return.credit'].sudo()._preview(due.sudo(), kinds=('due',))
        for sale_return in self:
            sale_return.amount_to_credit = sum(
                sale_return._convert_from_note(note, note['total'])
                for note in previews.get(sale_return.id, {}).get('due', [])
            )

    def _fix_proposals(self):
        """Hook of `_before_state`: the freight is proposed for a draft only."""
        result = super()._fix_proposals()
        self._recompute_recordset(['freight_charge'])
        return result

    def _refigure_orders(self, state):
        """Hook of `_after_state`: what a note made by hand credits is not billed again."""
        result = super()._refigure_orders(state)
        # sudo: what is to be billed depends on all notes, and few users of Returns may read them.
        sale_lines = self.sudo().line_ids.sale_line_id
        billed = sale_lines.invoice_lines
        if billed:
            # Lines without such a credit are not written: two workers on one order would wait. By
            # IDs, which have indexes each: the paths together would read the lines of all notes.
            credits = billed.search(
                Domain('sale_return_line_id', '=', False)
                & Domain('move_id.move_type', '=', 'out_refund')
                & Domain('parent_state', '!=', 'cancel')
                & Domain('display_type', '=', 'product')
                & (
                    Domain('id', 'in', billed.ids)
                    | Domain('credited_line_id', 'in', billed.ids)
                    | Domain('move_id', 'in', billed.move_id.reversal_move_ids.ids)
                )
            )
            credited = self.env['sale.return.ledger']._get_credited_sale_lines(credits)
            (credited & sale_lines)._refigure_returns()
        return result

    def _release_stored_value(self, state):
        """Hook of `_after_state`."""
        result = super()._release_stored_value(state)
        if state == 'closed':
            self.env['sale.return.loyalty']._release_unbilled(self)
        return result

    @api.depends('create_uid')
    def _compute_door(self):
        strangers = self.env.ref('base.public_user')
        robot = self.env.ref('base.user_root')
        for sale_return in self:
            user = sale_return.create_uid or self.env.user
            if user == strangers:
                sale_return.door = 'link'
            elif user.share:
                sale_return.door = 'account'
            else:
                sale_return.door = 'system' if user == robot else 'employee'

    @api.depends('state', 'line_ids.qty_inspected', 'line_ids.qty_credited_posted')
    @api.depends_context('lang', 'uid')
    def _compute_trace(self):
        for sale_return in self:
            sale_return.trace = "\n".join(
                f"{label}: {text}" for label, text in sale_return._get_trace() if text
            )

    def _convert_from_note(self, note, amount):
        """Convert an amount of a note of `preview_credit` to the currency of the return."""
        currency = self.env['res.currency'].search([('name', '=', note['currency'])])
        return currency._convert(
            amount, self.currency_id, self.company_id, self.company_id._get_sale_return_day()
        )

    @api.depends(
        'line_ids.policy_id',
        'line_ids.qty_credited_posted',
        'line_ids.credit_line_ids.parent_state',
        'line_ids.credit_line_ids.price_total',
        'line_ids.credit_line_ids.move_id.amount_residual',
        'line_ids.credit_line_ids.move_id.payment_state',
        'line_ids.credit_line_ids.move_id.reversed_entry_id.amount_residual',
    )
    def _compute_refund(self):
        for sale_return in self:
            lines = sale_return.line_ids.credit_line_ids.filtered(
                lambda line: line.parent_state == 'posted'
            )
            credited = refunded = residual = payable = owed = 0.0
            for note, note_lines in lines.grouped('move_id').items():
                convert = sale_return._get_converter(note)
                credited += convert(sum(line._get_amount_credited() for line in note_lines))
                refunded += convert(note._get_amount_paid_back())
                residual += convert(note.amount_residual)
                due = note._get_amount_to_pay_back()
                payable += convert(due)
                owed += convert(min(note._get_sale_return_paid_residual(), due))
            sale_return.amount_credited = credited
            sale_return.amount_refunded = refunded
            sale_return.amount_open = residual
            # What stays on account is not expected to be settled; what was paid anyway is shown.
            expected = {'refund': payable, 'on_account': 0.0}
            settlements = sale_return.line_ids.policy_id.mapped('settlement')
            due = max((expected.get(settlement, owed) for settlement in settlements), default=0.0)
            sale_return.refund_state = progress(
                refunded, refunded + due, sale_return.currency_id.compare_amounts
            )

    @api.depends('amount_credited', 'line_ids.credit_line_ids.parent_state')
    def _compute_amount_to_cards(self):
        for sale_return in self:
            lines = sale_return.line_ids.credit_line_ids.filtered(
                lambda line: (
                    line.parent_state == 'posted' and line.sale_return_kind == 'stored_value'
                )
            )
            sale_return.amount_to_cards = -sum(
                sale_return._get_converter(line.move_id)(line._get_amount_credited())
                for line in lines
            )

    def _get_converter(self, note):
        """Return a function that converts amounts of a note to the currency of the return."""
        self.ensure_one()
        date = note.invoice_date or note.company_id._get_sale_return_day()
        return lambda amount: note.currency_id._convert(
            amount, self.currency_id, note.company_id, date
        )

    # === SEARCH === #

    # One search box for whatever a customer says on the telephone. A return is found even if the
    # user may not open its documents: the form shows their names, and access rights decide which
    # returns are found.

    _search_external_ref_part = models.Index(
        lambda registry: (
            'USING gin (external_ref gin_trgm_ops) WHERE external_ref IS NOT NULL'
            if registry.has_trigram
            else ''
        )
    )

    @api.depends('name')
    def _compute_search_text(self):
        for sale_return in self:
            sale_return.search_text = sale_return.name

    def _search_search_text(self, operator, value):
        text = value.strip() if isinstance(value, str) else ''
        if operator != 'ilike':
            return NotImplemented
        if not text:
            return Domain.TRUE
        # A union instead of OR conditions: each part has its own index.
        union = SQL(" UNION ").join(self._get_search_queries(text))
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL("%s IN (%s)", SQL.identifier(alias, 'id'), union)
        )

    @api.model
    def _get_search_queries(self, text):
        """Return queries for the ids of returns that a text may refer to. Override to add some.

        :param str text: what was typed, not empty.
        :rtype: list
        """
        # sudo: see above.
        returns = self.sudo().with_context(active_test=False)
        own = [
            returns._search([(name, 'ilike', text)]).subselect()
            for name in ('name', 'external_ref', 'tracking_ref')
        ]
        partners = SQL(" UNION ").join(self._get_partner_search_queries(text))
        customers = SQL("SELECT id FROM sale_return WHERE partner_id IN (%s)", partners)
        models = {
            'order_id': ('sale.order', ('name', 'client_order_ref')),
            'product_id': ('product.product', ('name', 'default_code', 'barcode')),
        }
        by_line = [
            SQL(
                "SELECT return_id FROM sale_return_line WHERE %s IN (%s)",
                SQL.identifier(field),
                returns.env[model]
                ._search(Domain.OR(Domain(name, 'ilike', text) for name in names))
                .subselect(),
            )
            for field, (model, names) in models.items()
        ]
        return [
            *own,
            customers,
            *by_line,
            *self._get_bill_search_queries(text),
            *self._get_lot_search_queries(text),
        ]

    @api.model
    def _get_partner_search_queries(self, text):
        """Return queries of the ids of customers by name, e-mail and telephone."""
        partners = self.env['res.partner'].sudo().with_context(active_test=False)
        pattern = f'%{escape_psql(text)}%'
        # Built like the indexes of customers, see `res.partner`.
        queries = [SQL("SELECT id FROM res_partner WHERE complete_name ILIKE %s", pattern)]
        if '@' in text:
            queries.append(partners._search([('email_normalized', 'ilike', text)]).subselect())
        digits = ''.join(character for character in text if character.isdigit())
        if len(digits) > 4 and not any(character.isalpha() for character in text):
            # The way a number is written differs: with a country code, or with a leading 0.
            part = digits.removeprefix('00').removeprefix('0')
            queries.append(
                SQL(
                    "SELECT id FROM res_partner WHERE phone IS NOT NULL AND %s LIKE %s",
                    SQL(r"regexp_replace(phone, '\D', '', 'g')"),
                    f'%{part}%',
                )
            )
        return queries

    @api.model
    def _get_bill_search_queries(self, text):
        """Return queries of the ids of returns by invoice and credit note.

        For an invoice: returns credited on it, and uncredited returns of its order lines.
        """
        moves = self.env['account.move'].sudo()
        # The number of a credit note contains that of an invoice: INV/1, RINV/1.
        whole = [('name', '=', text), ('move_type', 'in', ('out_invoice', 'out_refund'))]
        part = [('name', 'ilike', text), ('move_type', 'in', ('out_invoice', 'out_refund'))]
        bills = moves._search(whole if moves.search_count(whole, limit=1) else part).subselect()
        return [
            SQL(
                """SELECT line.return_id
                      FROM account_move_line item
                      JOIN sale_return_line line ON line.id = item.sale_return_line_id
                     WHERE item.move_id IN (%s)""",
                bills,
            ),
            SQL(
                """SELECT line.return_id
                      FROM account_move_line billed
                      JOIN account_move_line item ON item.credited_line_id = billed.id
                      JOIN sale_return_line line ON line.id = item.sale_return_line_id
                     WHERE billed.move_id IN (%s)""",
                bills,
            ),
            SQL(
                """SELECT line.return_id
                      FROM account_move_line billed
                      JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = billed.id
                      JOIN sale_return_line line ON line.sale_line_id = rel.order_line_id
                     WHERE billed.move_id IN (%s)
                       AND NOT EXISTS (
                           SELECT FROM account_move_line item
                            WHERE item.sale_return_line_id = line.id
                       )""",
                bills,
            ),
        ]

    @api.model
    def _get_lot_search_queries(self, text):
        """Return queries of the ids of returns by lot and serial number.

        By those named or received; if neither is known, by those delivered.
        """
        lots = self.env['stock.lot'].sudo()._search([('name', 'ilike', text)]).subselect()
        return [
            SQL(
                """SELECT line.return_id
                      FROM sale_return_line_lot_rel rel
                      JOIN sale_return_line line ON line.id = rel.sale_return_line_id
                     WHERE rel.stock_lot_id IN (%s)""",
                lots,
            ),
            SQL(
                """SELECT line.return_id
                      FROM stock_move_line detail
                      JOIN stock_move move ON move.id = detail.move_id
                      JOIN sale_return_line line ON line.id = move.sale_return_line_id
                     WHERE detail.lot_id IN (%s)""",
                lots,
            ),
            SQL(
                """SELECT line.return_id
                      FROM stock_move_line detail
                      JOIN stock_move move ON move.id = detail.move_id
                      JOIN sale_return_line line ON line.sale_line_id = move.sale_line_id
                     WHERE detail.lot_id IN (%s)
                       AND NOT EXISTS (
                           SELECT FROM sale_return_line_lot_rel rel
                            WHERE rel.sale_return_line_id = line.id
                       )
                       AND NOT EXISTS (
                           SELECT FROM stock_move_line own
                             JOIN stock_move back ON back.id = own.move_id
                            WHERE back.sale_return_line_id = line.id AND own.lot_id IS NOT NULL
                       )""",
                lots,
            ),
        ]

    # === TRACE === #

    def _get_trace(self):
        """Return who did what with the return, in the order of the process. Override to add steps.

        To be called in superuser mode.

        :return: list of `(step, who and when)`, in the language of the environment.
        :rtype: list
        """
        self.ensure_one()
        doors = dict(self._fields['door']._description_selection(self.env))
        return [
            (
                self.env._("Asked by"),
                self._describe_act(self.requested_by_id or self.create_uid, self.create_date),
            ),
            (self.env._("Asked through"), doors.get(self.door)),
            *self._get_decision_trace(),
            *self._get_release_trace(),
        ]

    def _get_decision_trace(self):
        labels = {
            'approved': self.env._("Approved by"),
            'refused': self.env._("Refused by"),
        }
        return [
            (
                labels[approval.decision],
                self._describe_rules()
                if approval.automatic
                else self._describe_act(approval.user_id, approval.date),
            )
            for approval in self.approval_ids.sorted('id')
        ]

    def _get_release_trace(self):
        labels = {
            'dispatch_confirmed': self.env._("Dispatch confirmed by"),
            'received': self.env._("Received by"),
            'inspected': self.env._("Inspected by"),
        }
        trace = [
            (labels[event.kind], self._describe_act(event.user_id, event.date))
            for event in self.event_ids.sorted('id')
            if event.kind in labels
        ]
        for note in self.credit_note_ids.filtered('sale_return_posted_by_id').sorted('id'):
            label = self.env._("%(note)s posted by", note=note.name)
            trace.append((label, self._describe_act(note.sale_return_posted_by_id)))
        return trace

    def _describe_rules(self):
        return self.env._(
            "The rules of policy %(policies)s; no person was involved.",
            policies=", ".join(self.line_ids.policy_id.mapped('name')),
        )

    @api.model
    def _describe_act(self, user, moment=None):
        """Return who did something and when, in words; empty where nobody did.

        :param user: `res.users`
        :param moment: naive, in UTC.
        :rtype: str
        """
        day = moment and format_datetime(self.env, moment, dt_format='short')
        return ", ".join(filter(None, [user.name, day])) if user else ""

    def _get_paper_trace(self):
        """Return the reason printed on a credit note, in the language of the environment.

        To be called in superuser mode.

        :return: list of sentences.
        :rtype: list
        """
        self.ensure_one()
        receipts = self.picking_ids.filtered(lambda picking: picking.state == 'done')
        approval = self.approval_ids.filtered(lambda a: a.decision == 'approved')[:1]
        approved_by = self._describe_rules() if approval.automatic else approval.user_id.name
        parts = [
            (self.env._("Return"), self.name),
            (self.env._("Reason"), ", ".join(self.line_ids.reason_id.mapped('name'))),
            (self.env._("Receipt"), ", ".join(receipts.mapped('name'))),
            (self.env._("Approved by"), approved_by),
        ]
        return [f"{label}: {text}" for label, text in parts if text]

    # === ACTION METHODS === #

    def action_retry_credit(self):
        """Retry at once the credit notes that could not be created.

        Each return is handled separately, so a failure does not stop the others. Lines beyond the
        limit of one call are left to the scheduled job, which starts at once.

        :return: a message for the user.
        :rtype: dict
        :raise AccessError: without a role in Returns.
        """
        self._ensure_group('group_user')
        self.check_access('read')
        queued = self.filtered('credit_queued')
        credit = self.env['sale.return.credit']
        if len(queued.line_ids) > credit._get_sync_limit():
            queued._queue_credit()
        else:
            credit._credit_isolated(queued)
            queued._close_or_reopen()
        failed = queued.filtered('credit_error')
        waiting = queued.filtered('credit_queued') - failed
        message = self.env._(
            "%(made)s created, %(failed)s failed again, %(waiting)s left to the scheduled job.",
            made=len(queued - failed - waiting),
            failed=len(failed),
            waiting=len(waiting),
        )
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'title': self.env._("Credit notes"),
                'message': message,
                'type': 'warning' if failed else 'success',
                'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'},
            },
        }

    def action_open_goodwill(self):
        """Open the dialog that grants goodwill on an invoice of a return."""
        self._ensure_group('group_user')
        return self.env['sale.return.goodwill.grant']._get_action(self)

    # === QUEUE === #

    def _queue_credit(self, error=None):
        """Leave the credit of returns to the scheduled job.

        :param str error: why it could not be created at once, shown on the return.
        """
        if not self:
            return
        if not error:
            self._write_facts(
                {
                    'credit_queued': True,
                    'credit_error': False,
                    'credit_attempts': 0,
                    'credit_retry_at': False,
                }
            )
            # sudo: users who inspect may not start jobs directly.
            self.env.ref('sale_return.ir_cron_create_credit_notes').sudo()._trigger()
            return
        # The job retries many times; the same failure is reported once.
        news = self.filtered(lambda r: r.credit_error != error)
        for attempts, returns in self.grouped('credit_attempts').items():
            returns._write_facts(
                {
                    'credit_queued': True,
                    'credit_error': error,
                    'credit_attempts': attempts + 1,
                    'credit_retry_at': fields.Datetime.now() + self._get_retry_delay(attempts),
                }
            )
        self.env['sale.return.event']._log(
            [
                {'return_id': sale_return.id, 'kind': 'credit_failed', 'reason': error}
                for sale_return in news
            ]
        )

    @api.model
    def _get_retry_delay(self, attempts):
        """Return how long to wait after a failure. Override to change the delays.

        :param int attempts: how many failures there were before.
        :rtype: datetime.timedelta
        """
        return min(FIRST_RETRY * 2 ** min(attempts, 10), LAST_RETRY)

    def _queue_due_credit(self):
        """Queue the returns with something due, e.g. because its invoice was posted."""
        self.filtered(
            lambda r: (
                r.company_id.sale_return_auto_credit
                and any(line.qty_to_credit > 0 for line in r.line_ids)
            )
        )._queue_credit()

    def _dequeue_credit(self):
        """Remove returns from the queue: their credit notes were created."""
        self.filtered('credit_queued')._write_facts(
            {
                'credit_queued': False,
                'credit_error': False,
                'credit_attempts': 0,
                'credit_retry_at': False,
            }
        )

    # === SCHEDULED JOB === #

    @api.model
    def _get_credit_job_domain(self):
        """Return which returns the scheduled job takes now."""
        return Domain('credit_queued', '=', True) & (
            Domain('credit_retry_at', '=', False)
            | Domain('credit_retry_at', '<=', fields.Datetime.now())
        )

    @api.model
    def _cron_create_credit_notes(self, limit=30):
        """Scheduled job: create the credit notes that a step has left to it.

        Any number of workers may run it at once: each takes returns that no other worker has.

        :param int limit: returns per transaction. The numbers of the journal are locked from the
            first note that is posted until its end.
        """
        # sudo: the job works for all companies.
        ids = self.sudo().search(self._get_credit_job_domain(), order='id').ids
        cron = self.env['ir.cron']
        cron._commit_progress(remaining=len(ids))
        for start in range(0, len(ids), limit):
            batch = ids[start : start + limit]
            try:
                # Users take precedence: where one of them was quicker, the job repeats its work.
                retrying(partial(self._credit_batch, batch), self.env)
            except OperationalError as error:
                self.env.cr.rollback()
                _logger.info("Returns %s are busy and wait for the next run: %s", batch, error)
            if not cron._commit_progress(len(batch), remaining=len(ids) - start - len(batch)):
                break

    @api.model
    def _credit_batch(self, ids):
        """Credit those returns of a batch that are still queued and that nobody else works on."""
        # sudo: the job works for all companies.
        batch = self.sudo().browse(ids).try_lock_for_update(allow_referencing=True)
        # Another worker may have processed them since the search.
        batch = batch.filtered_domain(self._get_credit_job_domain())
        self.env['sale.return.credit']._credit_isolated(batch)
        batch._close_or_reopen()

    # === MERGED CARDS === #

    @api.model
    def _follow_merged_cards(self, merged, kept):
        """Let what names merged cards by their number name the card that is kept. Override.

        :param merged: `loyalty.card` records that Odoo has merged with their customers.
        :param kept: the `loyalty.card` that has their points.
        """
        # By SQL, as Odoo merges: who had what does not change, so it is no change of evidence.
        self.env.cr.execute(
            SQL("DELETE FROM sale_return_card_successor WHERE card_id IN %s", tuple(merged.ids))
        )
        self.env['sale.return.card.successor'].invalidate_model()
