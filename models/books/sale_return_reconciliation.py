from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_datetime, html_sanitize

from ...tools.html import as_html
from ...tools.reader import reads, text
from .const import RECONCILIATION_KINDS

MONEY_KINDS = (
    'note_difference',
    'payout_difference',
    'customer_difference',
    'document_difference',
)

# What makes goods and money differ, or agree.
DEEDS = frozenset(
    {
        'corrected',
        'credited',
        'decision',
        'discrepancy_resolved',
        'dispatch_confirmed',
        'goodwill',
        'inspected',
        'line_decided',
        'not_charged',
        'on_account',
        'override',
        'received',
        'state',
    }
)
# Who may acknowledge a difference, see `_may_acknowledge`.
ACKNOWLEDGERS = ('sale_return.group_manager', 'account.group_account_manager')


class SaleReturnReconciliation(models.Model):
    """A difference between what came back, what was credited and what was paid back.

    Rows are written by the service `sale.return.reconciler` only. A row is settled when the next
    check no longer finds it; its key makes sure that the same difference always has the same row.
    """

    _name = 'sale.return.reconciliation'
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _description = "Return Difference"
    _order = 'company_id, kind, id desc'
    _rec_name = 'kind'
    # Users who may read the list may record that they have dealt with a row.
    _mail_post_access = 'read'

    key = fields.Char(
        required=True, readonly=True, help="Identifies the difference: its kind and its documents."
    )
    kind = fields.Selection(RECONCILIATION_KINDS, required=True, readonly=True, index=True)
    state = fields.Selection(
        [('open', "Open"), ('acknowledged', "Acknowledged"), ('settled', "Settled")],
        string="Status",
        required=True,
        readonly=True,
        default='open',
        help="Acknowledged differences return when their figures change. Settled ones are gone.",
    )
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True)
    compared_on = fields.Datetime(
        string="Compared on", related='company_id.sale_return_reconciled_on'
    )
    company_currency_id = fields.Many2one(
        related='company_id.currency_id', string="Company Currency"
    )

    # Documents
    return_id = fields.Many2one(
        'sale.return', readonly=True, index='btree_not_null', ondelete='cascade'
    )
    return_name = fields.Char(string="Return Number", compute='_compute_return_name')
    return_line_id = fields.Many2one(
        'sale.return.line', readonly=True, index='btree_not_null', ondelete='cascade'
    )
    user_id = fields.Many2one(
        'res.users', string="Responsible", readonly=True, help="Responsible user of the return."
    )
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True, index=True)
    product_id = fields.Many2one('product.product', readonly=True, index='btree_not_null')
    note_id = fields.Many2one(
        'account.move',
        string="Credit Note",
        readonly=True,
        index='btree_not_null',
        ondelete='cascade',
        help="The credit note that the difference is about.",
    )
    payment_id = fields.Many2one(
        'account.payment',
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
        help="The payment that the difference is about.",
    )

    # Quantities, in the unit of the order line
    product_uom_id = fields.Many2one('uom.uom', string="Unit", readonly=True)
    qty_received = fields.Float(
        string="Received Qty", digits=False, min_display_digits='Product Unit', readonly=True
    )
    qty_accepted = fields.Float(
        string="Accepted Qty", digits=False, min_display_digits='Product Unit', readonly=True
    )
    qty_credited = fields.Float(
        string="Credited Qty", digits=False, min_display_digits='Product Unit', readonly=True
    )
    qty_difference = fields.Float(
        string="Difference Qty", digits=False, min_display_digits='Product Unit', readonly=True
    )

    # Amounts, tax included, in `currency_id`
    currency_id = fields.Many2one('res.currency', required=True, readonly=True)
    amount_accepted = fields.Monetary(
        string="Accepted",
        readonly=True,
        help="Invoiced value of goods that are accepted, or may still be.",
    )
    amount_credited = fields.Monetary(
        string="Credited", readonly=True, help="On posted credit notes."
    )
    amount_refunded = fields.Monetary(
        string="Paid back", readonly=True, help="Paid back on credit notes."
    )
    amount_difference = fields.Monetary(string="Difference", readonly=True)
    amount_company = fields.Monetary(
        string="Difference (Company Currency)",
        currency_field='company_currency_id',
        readonly=True,
        help="The difference at the rate of the day when it was last checked.",
    )
    # Cost of goods, in the currency of the company
    cost_moved = fields.Monetary(
        string="Value of Goods",
        currency_field='company_currency_id',
        readonly=True,
        help="Value that the transfers of the return brought into stock, less what left again.",
    )
    cost_reversed = fields.Monetary(
        currency_field='company_currency_id',
        readonly=True,
        help="Cost of goods that its credit notes have put back on the stock account.",
    )
    explanation = fields.Text(
        compute='_compute_explanation', help="What is different and why, in a sentence."
    )
    cause = fields.Char(readonly=True, help="Code of the cause, see the explanation.")

    # What was done about the difference
    date_found = fields.Datetime(string="Found on", readonly=True)
    date_settled = fields.Datetime(string="Settled on", readonly=True)
    announced = fields.Boolean(readonly=True, help="An activity was created for it.")
    acknowledged_reason = fields.Text(string="Why Acknowledged", readonly=True)
    acknowledged_by_id = fields.Many2one('res.users', string="Acknowledged by", readonly=True)
    acknowledged_on = fields.Datetime(readonly=True)
    acknowledged_figures = fields.Char(
        readonly=True, help="The acknowledged figures; if they change, the row is reopened."
    )

    # Second check, of the whole product
    product_value = fields.Monetary(
        string="Product Value in Stock",
        currency_field='company_currency_id',
        compute='_compute_product_values',
        help="Total value of the product according to Inventory.",
    )
    product_ledger = fields.Monetary(
        string="Product Value in the Ledger",
        currency_field='company_currency_id',
        compute='_compute_product_values',
        help=(
            "Total of the stock account for the product. Delivered but uninvoiced goods and "
            "closing entries cause differences that do not come from returns."
        ),
    )

    _key_unique = models.UniqueIndex(
        '(company_id, key)', "The list of differences is already being refreshed. Try again."
    )
    _open_index = models.Index("(company_id, kind) WHERE state != 'settled'")

    # === COMPUTE METHODS === #

    @api.depends('kind', 'return_id', 'note_id', 'product_id')
    def _compute_display_name(self):
        kinds = dict(self._fields['kind']._description_selection(self.env))
        for row in self:
            # sudo: accountants may read what a row is about without being users of Returns.
            row_sudo = row.sudo()
            parts = [
                row_sudo.return_id.name or row_sudo.note_id.name,
                row_sudo.product_id.display_name,
                kinds.get(row.kind),
            ]
            row.display_name = " · ".join(part for part in parts if part)

    @api.depends('return_id')
    def _compute_return_name(self):
        for row in self:
            row.return_name = row.sudo().return_id.name  # sudo: as above

    @api.depends('kind', 'cause', 'qty_difference', 'amount_difference')
    def _compute_explanation(self):
        explainer = self.env['sale.return.explainer']
        for row in self:
            row.explanation = explainer._explain(row)

    @api.depends('kind', 'product_id')
    def _compute_product_values(self):
        self.product_value = self.product_ledger = 0.0
        costs = self.filtered(lambda row: row.kind == 'cost_difference' and row.product_id)
        # sudo: an accountant need not be a user of Inventory, nor vice versa.
        for company, rows in costs.sudo().grouped('company_id').items():
            tie_out = self.env['sale.return.tie.out'].sudo()
            values = tie_out._get_product_values(company, rows.product_id)
            for row in rows:
                product_value, product_ledger = values[row.product_id]
                row.with_env(self.env).product_value = product_value
                row.with_env(self.env).product_ledger = product_ledger

    # === ACTION METHODS === #

    def action_refresh(self):
        """Check all returns of the user's companies now, instead of tonight.

        :return: an action that shows the list again.
        :rtype: dict
        :raise AccessError: without the right to read the list.
        """
        self.check_access('read')
        for company in self.env.companies:
            self.env['sale.return.reconciler']._reconcile(company)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}

    @api.model
    def get_empty_list_help(self, help_message):
        """Override to show when the books were last compared."""
        # sudo: those who may read the list may know when it was compared.
        companies = self.env.companies.sudo()
        if new := companies.filtered(lambda company: not company.sale_return_reconciled_on):
            return Markup('<p class="o_view_nocontent_smiling_face">%s</p><p>%s</p>') % (
                self.env._("Not compared yet"),
                self.env._(
                    "The returns of %(companies)s have never been compared with their goods and"
                    " money. Use “Compare Now”; after that it is done every night.",
                    companies=", ".join(new.mapped('name')),
                ),
            )
        first = min(companies.mapped('sale_return_reconciled_on'))
        message = super().get_empty_list_help(help_message) or ""
        return Markup('%s<p>%s</p>') % (
            # Set and shown by a client.
            html_sanitize(message),
            self.env._("Compared on %(date)s.", date=format_datetime(self.env, first)),
        )

    def action_open_acknowledge(self):
        """Open the dialog that acknowledges differences with a reason.

        :return: the action of the dialog.
        :rtype: dict
        """
        self._ensure_may_acknowledge()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Acknowledge"),
            'res_model': 'sale.return.acknowledge',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_row_ids': self.ids},
        }

    @reads(reason=text)
    def action_acknowledge(self, reason=None):
        """Acknowledge differences with a reason; they reopen if their figures change.

        :param str reason: why the difference may stay, stored on the row.
        :return: True
        :raise AccessError: unless the user manages Returns or Accounting.
        :raise UserError: without a reason, or for a difference that is settled.
        """
        self._ensure_may_acknowledge()
        self.check_access('read')
        reason = (reason or "").strip()
        if not reason:
            raise UserError(
                self.env._(
                    "Enter why the difference is acceptable: acknowledging it requires a "
                    "written reason."
                )
            )
        if settled := self.filtered(lambda row: row.state == 'settled'):
            raise UserError(
                self.env._(
                    "%(rows)s: the difference is settled, there is nothing to acknowledge.",
                    rows=", ".join(settled.mapped('display_name')),
                )
            )
        # sudo: nobody may write rows directly; the group was checked.
        self.sudo()._ensure_second_person()
        for row in self.sudo():
            # One write per row: each keeps the figures it had.
            row.write(
                {
                    'state': 'acknowledged',
                    'acknowledged_reason': reason,
                    'acknowledged_by_id': self.env.uid,
                    'acknowledged_on': self.env.cr.now(),
                    'acknowledged_figures': row._get_figures(),
                }
            )
            row._message_log(body=self.env._("Acknowledged: %(reason)s", reason=reason))
        # sudo: activities of other users are passed on, too.
        self.sudo()._pass_on_activities()
        return True

    def _get_authors(self):
        """Return who worked on the documents of a difference. Override to add documents.

        To be called in superuser mode.

        :rtype: res.users
        """
        self.ensure_one()
        notes = self.note_id | self.return_line_id.credit_line_ids.move_id
        returns = self.return_line_id.return_id | self.note_id.sale_return_ids
        deeds = returns.event_ids.filtered(lambda event: event.kind in DEEDS)
        refunds = self.note_id.sale_return_refund_ids
        payers = refunds.prepared_by_id | refunds.released_by_id | self.payment_id.create_uid
        # Also by hand: somebody entered whatever settles a note.
        entries = self.note_id.line_ids.matched_debit_ids.debit_move_id.move_id
        return (
            notes.create_uid
            | notes.sale_return_posted_by_id
            | deeds.user_id
            | payers
            | entries.create_uid
        )

    def _ensure_second_person(self):
        """Do not let users acknowledge what they have caused, if somebody else could.

        To be called in superuser mode.

        :raise UserError: naming the difference.
        """
        user = self.env.user
        for row in self:
            # One by one: each has its own documents, and few are acknowledged at a time.
            if user not in row._get_authors():
                continue
            others = self.env['res.users'].search(
                [
                    ('id', '!=', user.id),
                    ('share', '=', False),
                    ('company_ids', 'in', row.company_id.ids),
                    (
                        'all_group_ids',
                        'in',
                        [self.env.ref(group).id for group in ACKNOWLEDGERS],
                    ),
                ],
                limit=1,
            )
            if others:
                raise UserError(
                    self.env._(
                        "%(user)s created a document of the difference %(row)s, so somebody "
                        "else has to acknowledge it, e.g. %(other)s.",
                        user=user.name,
                        row=row.display_name,
                        other=others.name,
                    )
                )

    def action_reopen(self):
        """Reopen acknowledged differences.

        :return: True
        :raise AccessError: unless the user manages Returns or Accounting.
        """
        self._ensure_may_acknowledge()
        self.check_access('read')
        rows = self.sudo().filtered(lambda row: row.state == 'acknowledged')  # sudo: as above
        rows.write({'state': 'open', 'acknowledged_figures': False})
        rows._message_log_batch(bodies=dict.fromkeys(rows.ids, self.env._("Reopened")))
        return True

    def action_view_return(self):
        """Show the return of the row."""
        return self.return_id._get_records_action(name=self.env._("Return"))

    def action_view_receipts(self):
        """Show the receipts of the row's return."""
        return self._get_document_action('picking_ids', self.env._("Receipts"))

    def action_view_transfers(self):
        """Show the transfers that moved the goods of the row's return out of quarantine."""
        return self._get_document_action('transfer_ids', self.env._("Transfers"))

    def action_view_credit_notes(self):
        """Show the credit notes of the row: its own, or those of its return."""
        # sudo: the numbers of documents only; opening them uses the user's own rights.
        notes = self.sudo().note_id or self.sudo().return_id.credit_note_ids
        return self._show(notes, self.env._("Credit Notes"))

    def action_view_payments(self):
        """Show the payment of the row."""
        return self._show(self.sudo().payment_id, self.env._("Payments"))  # sudo: as above

    def action_view_invoices(self):
        """Show the invoices of the goods of the row."""
        row = self.sudo()  # as above
        invoices = row.note_id.reversed_entry_id or row.return_id.invoice_ids
        return self._show(invoices, self.env._("Invoices"))

    def _get_document_action(self, name, title):
        return self._show(self.sudo().return_id[name], title)  # sudo: as above

    def _show(self, records, title):
        self.check_access('read')
        return self.env['sale.return.opening']._open_or_tell(records, title)

    # === RIGHTS === #

    @api.model
    def _may_acknowledge(self):
        """Tell whether the user may acknowledge differences."""
        user = self.env.user
        return (
            self.env.su
            or user.has_group('sale_return.group_manager')
            or user.has_group('account.group_account_manager')
        )

    def _ensure_may_acknowledge(self):
        """Raise unless the user manages Returns or Accounting.

        :raise AccessError: naming the required role.
        """
        if not self._may_acknowledge():
            raise AccessError(
                self.env._(
                    "Differences are acknowledged by a manager of Returns or by an accounting "
                    "administrator."
                )
            )

    # === BUSINESS METHODS === #

    def _get_figures(self):
        """Return the figures of a row as text; a decision is valid while they are unchanged."""
        self.ensure_one()
        places = self.currency_id.decimal_places
        company_places = self.company_currency_id.decimal_places
        # A different cause on the same document is a different difference.
        cause = [self.cause or ""] if self.kind in MONEY_KINDS else []
        return "|".join(
            [
                *cause,
                *(
                    f"{quantity:.6f}"
                    for quantity in (self.qty_accepted, self.qty_credited, self.qty_difference)
                ),
                self.currency_id.name,
                *(
                    f"{amount:.{places}f}"
                    for amount in (
                        self.amount_credited,
                        self.amount_refunded,
                        self.amount_difference,
                    )
                ),
                f"{self.cost_moved:.{company_places}f}",
                f"{self.cost_reversed:.{company_places}f}",
            ]
        )

    @api.model
    def _apply(self, company, kinds, found):
        """Update the rows of some kinds to those found, and settle the others.

        :param company: `res.company`.
        :param list kinds: the kinds that were checked completely.
        :param dict found: `{key: values of the row}`.
        """
        rows = self.search([('company_id', '=', company.id), ('kind', 'in', kinds)])
        present = {row.key: row for row in rows if row.state != 'settled' or row.key in found}
        now = self.env.cr.now()
        self._settle(rows.filtered(lambda r: r.state != 'settled' and r.key not in found), now)
        new = []
        for key, vals in found.items():
            if row := present.get(key):
                row._update(vals, now)
            else:
                new.append({'company_id': company.id, 'date_found': now, 'key': key, **vals})
        return self.with_context(mail_create_nolog=True, mail_create_nosubscribe=True).create(new)

    def _settle(self, rows, now):
        rows.write({'state': 'settled', 'date_settled': now, 'announced': False})
        rows._pass_on_activities()

    def _update(self, vals, now):
        """Update the figures of a row; write only what differs."""
        self.ensure_one()
        current = self._convert_to_write({name: self[name] for name in vals})
        changed = {
            name: value
            for name, value in vals.items()
            if (value or False) != (current[name] or False)
        }
        if self.state == 'settled':
            changed.update(state='open', date_found=now, date_settled=False, announced=False)
        if not changed:
            return
        self.write(changed)
        if self.state == 'acknowledged' and self._get_figures() != self.acknowledged_figures:
            self.write({'state': 'open', 'announced': False})
            self._message_log(
                body=self.env._("Open again: the figures have changed since it was acknowledged.")
            )

    # === ACTIVITIES === #

    @api.model
    def _announce(self, company):
        """Create one activity for new differences without one.

        :param company: `res.company`.
        :return: the activity, empty when there is nothing new or nobody to notify.
        :rtype: mail.activity
        """
        new = self.search(
            [('company_id', '=', company.id), ('state', '=', 'open'), ('announced', '=', False)]
        )
        user = company._get_sale_return_reconciliation_user()
        if not new:
            return self.env['mail.activity']
        new.announced = True
        if not user:
            return self.env['mail.activity']
        speaker = self.with_context(lang=user.lang)
        kinds = dict(self._fields['kind']._description_selection(speaker.env))
        lines = [
            f"{kinds[kind]}: {len(rows)}" for kind, rows in new.sorted('id').grouped('kind').items()
        ]
        return new[0].activity_schedule(
            'mail.mail_activity_data_todo',
            summary=speaker.env._("%(count)s new return differences", count=len(new)),
            note=as_html(" · ".join(lines)),
            user_id=user.id,
        )

    def _pass_on_activities(self):
        """Move activities from rows no longer open to one that still is."""
        for company, rows in self.filtered('activity_ids').grouped('company_id').items():
            other = self.search(
                [
                    ('company_id', '=', company.id),
                    ('state', '=', 'open'),
                    ('id', 'not in', rows.ids),
                ],
                limit=1,
            )
            if other:
                rows.activity_ids.write({'res_id': other.id})
            else:
                rows.activity_ids.unlink()

    # === SCHEDULED JOB === #

    @api.model
    def _cron_reconcile(self):
        """Scheduled job: check all companies, longest waiting first."""
        # sudo: the job works for all companies.
        companies = self.env['res.company'].sudo().search([])
        companies = companies.sorted(
            lambda company: (company.sale_return_reconciled_on or company.create_date, company.id)
        )
        cron = self.env['ir.cron']
        cron._commit_progress(remaining=len(companies))
        reconciler = self.env['sale.return.reconciler']
        for company in companies:
            checks = reconciler._get_service(company).env['sale.return.note.check']
            if not checks._prove(company.with_env(checks.env)):
                break
            reconciler._reconcile(company)
            self.sudo()._announce(company)
            if not cron._commit_progress(1):
                break
