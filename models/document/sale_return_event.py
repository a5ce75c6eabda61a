import hashlib
import hmac
import json
import os
import re

from odoo import api, fields, models
from odoo.tools import SQL

from .const import RETURN_STATES

# The content of an event. Its company follows from the return and is not in the chain.
FACTS = ('line_id', 'kind', 'user_id', 'date', 'state_from', 'state_to', 'reason', 'details')

# Somebody who can write the whole database could also rewrite a chain, unless the hashes use a key
# that is kept elsewhere, in the environment of the server. Hashes made with the key are marked as
# such.
KEY_VARIABLE = 'SALE_RETURN_LOG_KEY'
KEYED = 'hmac:'

# Number of returns verified in one batch.
BATCH = 500

# The guard in the database: it also stops changes that bypass the ORM (SQL in a server action, a
# script, another add-on).
FUNCTION = 'sale_return_event_keep'

# Never changed, not even from empty to a value. Other columns are never changed either, except that
# a new column may be filled once for existing rows.
GUARD_FACTS = (
    'id',
    'return_id',
    'line_id',
    'kind',
    'user_id',
    'date',
    'state_from',
    'state_to',
    'reason',
    'details',
)

# Follow from other records and are kept up to date by Odoo itself: the company is the one of the
# return, and PostgreSQL empties `create_uid` when the user is deleted.
FOLLOWING = ('company_id', 'create_uid', 'write_uid', 'write_date')


class SaleReturnEvent(models.Model):
    """An event of a return: who, when and why, old and new state. Written once, never changed."""

    _name = 'sale.return.event'

    _inherit = ['sale.return.evidence']

    _description = "Return Event"
    _order = 'id desc'
    _rec_name = 'kind'

    return_id = fields.Many2one('sale.return', required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='return_id.company_id', store=True, index=True)
    line_id = fields.Many2one('sale.return.line', ondelete='restrict', index='btree_not_null')
    kind = fields.Selection(
        [
            ('state', "State changed"),
            ('decision', "Decided"),
            ('receipt_created', "Receipt created"),
            ('received', "Goods received"),
            ('dispatched', "Sent by the customer"),
            ('dispatch_confirmed', "Dispatch confirmed"),
            ('discrepancy', "Discrepancy found"),
            ('discrepancy_resolved', "Discrepancy resolved"),
            ('inspected', "Inspected"),
            ('corrected', "Inspection corrected"),
            ('inspection_failed', "Automatic inspection failed"),
            ('replacement', "Replacement planned"),
            ('credited', "Credit note created"),
            ('credit_failed', "Credit note failed"),
            ('not_charged', "Not charged"),
            ('refund_prepared', "Refund prepared"),
            ('refund_released', "Refund released"),
            ('refunded', "Paid back"),
            ('refund_failed', "Refund failed"),
            ('on_account', "Left on account"),
            ('goodwill', "Goodwill granted"),
            ('loyalty', "Loyalty points"),
            ('trade_in', "Trade-in to decide"),
            ('override', "Overridden"),
            ('file_added', "File added"),
            ('file_erased', "File erased"),
            ('line_decided', "Line decided"),
            ('approval_void', "Approval void"),
            ('reminded', "Reminded"),
            ('appealed', "Appealed"),
            ('appeal_decided', "Appeal decided"),
            ('followed_up', "Followed up"),
            ('assigned', "Assigned"),
            ('due_soon', "Due soon"),
            ('late', "Late"),
            ('escalated', "Escalated"),
            ('waiting', "Waiting for the customer"),
            ('resumed', "Resumed"),
            ('link_copied', "Link of the customer copied"),
            ('message_changed', "Message changed"),
            ('message_deleted', "Message deleted"),
        ],
        required=True,
        index=True,
    )
    user_id = fields.Many2one(
        'res.users', required=True, default=lambda self: self.env.user, ondelete='restrict'
    )
    date = fields.Datetime(required=True, default=lambda self: self.env.cr.now())
    state_from = fields.Selection(RETURN_STATES, string="From")
    state_to = fields.Selection(RETURN_STATES, string="To")
    reason = fields.Text(help="The reason, as given by the person who did it.")
    details = fields.Text(help="Details: figures or names of documents.")

    shown_details = fields.Text(compute='_compute_shown_details')

    # The log of each return as a chain: each event is hashed with the one before it.
    hash = fields.Char(
        technical=True,
        readonly=True,
        help="Hash of the event and the one before it: changes to the log are detected.",
    )

    # === COMPUTE METHODS === #

    @api.depends('details')
    def _compute_shown_details(self):
        """Leave out the hash of a file: it is for audits."""
        for event in self:
            event.shown_details = re.sub(r" · SHA-\d+ \w+", "", event.details or '') or False

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to chain the events of each return."""
        self.check_access('create')
        # sudo: nobody may read or write the end of the chain; users who cause an event have to
        # update it.
        returns = self.env['sale.return'].sudo().browse([v['return_id'] for v in vals_list])
        heads = {sale_return.id: sale_return.log_hash or '' for sale_return in returns}
        chained = []
        for vals in vals_list:
            event = {'user_id': self.env.uid, 'date': self.env.cr.now(), **vals}
            event['date'] = fields.Datetime.to_datetime(event['date'])
            head = self._get_hash(heads[vals['return_id']], event)
            heads[vals['return_id']] = event['hash'] = head
            chained.append(event)
        for sale_return in returns.browse(heads):
            # One write per return: each chain has its own end. They are flushed together.
            sale_return._write_facts({'log_hash': heads[sale_return.id]})
        return super().create(chained)

    def init(self):
        """Override of `base` to set the guard, on installation and after every upgrade."""
        result = super().init()
        self._create_guard()
        return result

    # === BUSINESS METHODS === #

    @api.model
    def _log(self, vals_list):
        """Write events.

        :param list vals_list: values, without user and date (they are taken from now).
        :return: the new events.
        :rtype: sale.return.event
        """
        # sudo: nobody may write the log directly; the caller has done something that has to be
        # logged. `env.user` stays the user who did it.
        return self.sudo().create([{'user_id': self.env.uid, **vals} for vals in vals_list])

    @api.model
    def _log_on(self, model, res_id, kind, details):
        """Write an event about a document of ours, to the log of its return.

        Drafts, and documents of no return, have no log: they get a note.

        :param str model: name of the model of the document.
        :param int res_id: ID of the document.
        """
        # sudo: whoever changed a message or a file is logged, whatever they may read.
        document = self.env[model].sudo().browse(res_id).exists()
        sale_return = document if model == 'sale.return' else self.env['sale.return']
        if 'return_id' in document._fields:
            sale_return = document.return_id
        if sale_return and sale_return.state != 'draft':
            self._log([{'return_id': sale_return.id, 'kind': kind, 'details': details}])
        elif document and 'message_ids' in document._fields:
            label = dict(self._fields['kind']._description_selection(self.env))[kind]
            document._message_log(body=f"{label}: {details}")

    # === CHAIN === #

    # Changing, removing or inserting an event past the guard of the database breaks the chain,
    # which `_audit` (and `dev/audit`) detects. The hash of the last event is stored on the return,
    # so that the end of the log cannot be cut off either; and as two transactions cannot both write
    # it, the chain has no forks.

    @api.model
    def _get_hash(self, head, values, keyed=None):
        """Return the hash of an event.

        :param str head: hash of the event before it, '' for the first one.
        :param dict values: of the event, as they are created or stored in the database.
        :param bool keyed: whether to use the key; by default if there is one.
        :return: the hash; None if a key is needed and missing.
        :rtype: str | None
        """
        content = {name: values.get(name) or None for name in FACTS}
        content['date'] = fields.Datetime.to_string(content['date'])
        text = json.dumps([head, content], default=str, ensure_ascii=False, sort_keys=True)
        key = os.environ.get(KEY_VARIABLE, '')
        if keyed is False or (keyed is None and not key):
            return hashlib.sha256(text.encode()).hexdigest()
        return key and KEYED + hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()

    @api.model
    def _audit(self, returns=None):
        """Verify the chains of returns.

        :param returns: `sale.return` records, by default all returns.
        :return: list of dicts: `return_id`, `event_id` (None where the end is missing), `problem`.
            Events older than the chains are not checked.
        :rtype: list
        """
        # sudo: an audit covers everything, including archived records and all companies.
        returns = (returns or self.env['sale.return'].search([], order='id')).sudo()
        self.env.flush_all()
        problems = []
        for start in range(0, len(returns), BATCH):
            batch = returns[start : start + BATCH]
            self.env.cr.execute(
                'SELECT id, return_id, line_id, kind, user_id, date, state_from, state_to, reason,'
                ' details, hash FROM sale_return_event WHERE return_id = ANY(%s) ORDER BY id',
                (batch.ids,),
            )
            rows = {}
            for row in self.env.cr.dictfetchall():
                rows.setdefault(row['return_id'], []).append(row)
            for sale_return in batch:
                problems += self._audit_chain(sale_return, rows.get(sale_return.id, []))
        return problems

    @api.model
    def _audit_chain(self, sale_return, rows):
        """Verify the chain of one return; see `_audit`."""
        head, problems = '', []
        for row in rows:
            if not row['hash'] and not head:
                continue
            if problem := self._audit_event(head, row):
                problems.append(
                    {'return_id': sale_return.id, 'event_id': row['id'], 'problem': problem}
                )
            head = row['hash'] or head
        if head != (sale_return.log_hash or ''):
            problems.append(
                {
                    'return_id': sale_return.id,
                    'event_id': None,
                    'problem': "the last events are missing",
                }
            )
        return problems

    @api.model
    def _audit_event(self, head, row):
        """Return what is wrong with an event, None where nothing is."""
        keyed = (row['hash'] or '').startswith(KEYED)
        if head.startswith(KEYED) and not keyed:
            return "hashed without the key, after events that were hashed with it"
        expected = self._get_hash(head, row, keyed=keyed)
        if not expected:
            return f"cannot be verified: {KEY_VARIABLE} is not set"
        if row['hash'] != expected:
            return "changed, or an event before it is missing"
        return None

    # The ends of all chains, to be kept elsewhere: changes to events older than such a copy are
    # detected, even if somebody has both the database and the key.

    @api.model
    def _export_heads(self):
        """Return the end of each chain: `[[return id, number of events, hash]]`."""
        self.env.flush_all()
        self.env.cr.execute(
            'SELECT return_id, COUNT(*), (ARRAY_AGG(hash ORDER BY id DESC))[1]'
            ' FROM sale_return_event GROUP BY return_id ORDER BY return_id'
        )
        return [list(row) for row in self.env.cr.fetchall()]

    @api.model
    def _audit_heads(self, heads):
        """Verify that chains continue from where they ended when `_export_heads` was called.

        :param list heads: what it returned.
        :return: problems, as of `_audit`.
        :rtype: list
        """
        self.env.flush_all()
        problems = []
        for return_id, count, head in heads:
            # One by one: the log may be larger than the memory.
            self.env.cr.execute(
                'SELECT id, hash FROM sale_return_event WHERE return_id = %s'
                ' ORDER BY id OFFSET %s LIMIT 1',
                (return_id, count - 1),
            )
            row = self.env.cr.fetchone()
            if not row or row[1] != head:
                problems.append(
                    {
                        'return_id': return_id,
                        'event_id': row and row[0],
                        'problem': "not as it was when the ends of the logs were exported",
                    }
                )
        return problems

    # === GUARD === #

    # The guard of the database on the log: rows can only be added.

    @api.model
    def _create_guard(self):
        """Have PostgreSQL refuse to change or remove rows of the log."""
        self._drop_guard()
        table = SQL.identifier(self._table)
        function = SQL.identifier(FUNCTION)
        self.env.cr.execute(
            SQL(
                """
                CREATE FUNCTION %(function)s() RETURNS trigger LANGUAGE plpgsql AS $guard$
                BEGIN
                    IF TG_OP = 'UPDATE' THEN
                        IF NOT EXISTS (
                            SELECT 1
                              FROM jsonb_each(to_jsonb(OLD)) AS was
                             WHERE to_jsonb(NEW) -> was.key IS DISTINCT FROM was.value
                               AND was.key <> ALL (%(following)s)
                               AND (was.key = ANY (%(facts)s) OR was.value <> 'null'::jsonb)
                        ) THEN
                            RETURN NEW;
                        END IF;
                    END IF;
                    RAISE EXCEPTION 'The log of returns is only added to: no row of it is changed '
                        'or removed.'
                        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
                END
                $guard$
                """,
                function=function,
                following=list(FOLLOWING),
                facts=list(GUARD_FACTS),
            )
        )
        for moment, scope in (
            (SQL("UPDATE OR DELETE"), SQL("ROW")),
            (SQL("TRUNCATE"), SQL("STATEMENT")),
        ):
            self.env.cr.execute(
                SQL(
                    "CREATE TRIGGER %s BEFORE %s ON %s FOR EACH %s EXECUTE FUNCTION %s()",
                    SQL.identifier(f'{FUNCTION}_{scope.code.lower()}'),
                    moment,
                    table,
                    scope,
                    function,
                )
            )

    @api.model
    def _drop_guard(self):
        """Remove the guard and its function, for an upgrade or an uninstallation."""
        self.env.cr.execute(SQL("DROP FUNCTION IF EXISTS %s() CASCADE", SQL.identifier(FUNCTION)))
