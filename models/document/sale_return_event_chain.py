import hashlib
import json

from odoo import api, fields, models

# What an event says. Its company follows from the return and is not in the chain.
FACTS = ('line_id', 'kind', 'user_id', 'date', 'state_from', 'state_to', 'reason', 'details')

# Returns that are looked at in one go.
BATCH = 500


class SaleReturnEvent(models.Model):
    """The log of each return as a chain: each event is hashed with the one before it.

    Who changes, removes or slips in an event past the database's own guard breaks the chain, which
    `_audit` (and `dev/audit`) finds. The hash of the last event is on the return, so that also the
    end of the log cannot be cut off; and as two transactions cannot both write it, the chain has
    no forks.
    """

    _inherit = 'sale.return.event'

    hash = fields.Char(
        readonly=True, help="Of the event and the one before it: a change of the log shows."
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to chain the events of each return."""
        self.check_access('create')
        # sudo: the end of the chain is nobody's to read or write; whoever logs has done something.
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
            # One write per return: each chain has an end of its own. They are flushed together.
            sale_return._write_facts({'log_hash': heads[sale_return.id]})
        return super().create(chained)

    @api.model
    def _get_hash(self, head, values):
        """Return the hash of an event.

        :param str head: hash of the event before it, '' for the first one.
        :param dict values: of the event, as they are created or stand in the database.
        :rtype: str
        """
        content = {name: values.get(name) or None for name in FACTS}
        content['date'] = fields.Datetime.to_string(content['date'])
        text = json.dumps([head, content], default=str, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @api.model
    def _audit(self, returns=None):
        """Verify the chains of returns.

        :param returns: `sale.return` records, by default all there are.
        :return: list of dicts: `return_id`, `event_id` (None where the end is missing), `problem`.
            Events from before there were chains are not looked at.
        :rtype: list
        """
        # sudo: an audit sees everything, also archived and of all companies.
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
            if row['hash'] != self._get_hash(head, row):
                problems.append(
                    {
                        'return_id': sale_return.id,
                        'event_id': row['id'],
                        'problem': "changed, or an event before it is missing",
                    }
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
