import re

from psycopg2 import DataError

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

MAX_EVENTS = 1000
SNAPSHOT = r'\d+:\d+:[\d,]*'
# What was seen: a snapshot of the database, the transaction that took it, its last event; and, in
# the middle of it, the snapshot being reported, its transaction and the last event reported.
CURSOR = re.compile(rf'({SNAPSHOT})?/(\d*)/(\d+)/({SNAPSHOT})?/(\d*)/(\d+)')


class SaleReturnChannelFeed(models.AbstractModel):
    """Service: what has changed since a client last asked.

    Numbers of events cannot be a cursor: of two concurrent transactions, the one with the
    smaller number may end later. So the cursor is a snapshot of PostgreSQL, which knows what
    was not visible yet.
    """

    _name = 'sale.return.channel.feed'
    _description = "Changes of Returns"

    @api.model
    def _query(self, channels, since, limit):
        """Return the returns that have changed; see `query` of the channel."""
        limit = min(limit or MAX_EVENTS, MAX_EVENTS)
        # Flushed first: unwritten changes count as well.
        self.env.flush_all()
        seen = self._parse(since)
        now, own = self._get_snapshot()
        if seen['before'] and int(seen['before'].split(':')[1]) > int(now.split(':')[1]):
            seen = self._parse(None)  # of another database, or of this one before it was restored
        if not seen['target']:
            seen |= {'target': now, 'target_own': own, 'last': 0}
        try:
            with self.env.cr.savepoint(flush=False):
                events = self._find_events(channels, seen, now, own, limit + 1)
        except DataError:
            # Numbers in the right form, which are none of the database.
            raise self._get_bad_cursor(since) from None
        more = len(events) > limit
        events = events[:limit]
        last = events[-1][0] if events else seen['last']
        if more:
            seen['last'] = last
        else:
            same = seen['target_own'] and seen['target_own'] == seen['before_own']
            seen = {
                'before': seen['target'],
                'before_own': seen['target_own'],
                'before_last': max(last, seen['before_last'] if same else 0),
                'target': '',
                'target_own': '',
                'last': 0,
            }
        return {
            'rows': self._get_rows(events),
            'next': '/'.join(str(value) for value in seen.values()),
            'more': more,
        }

    @api.model
    def _parse(self, since):
        found = CURSOR.fullmatch(since or '//0///0')
        if not found:
            raise self._get_bad_cursor(since)
        before, before_own, before_last, target, target_own, last = found.groups()
        return {
            'before': before or '',
            'before_own': before_own,
            'before_last': int(before_last),
            'target': target or '',
            'target_own': target_own,
            'last': int(last),
        }

    @api.model
    def _get_bad_cursor(self, since):
        return UserError(
            self.env._(
                "“%(since)s” is not what a query has returned as “next”. Leave it out to start "
                "from the beginning.",
                since=since,
            )
        )

    @api.model
    def _get_snapshot(self):
        """Return the snapshot of the transaction, and its number if it has written something."""
        self.env.cr.execute(
            'SELECT pg_current_snapshot()::text, pg_current_xact_id_if_assigned()::text'
        )
        snapshot, own = self.env.cr.fetchone()
        return snapshot, own or ''

    @api.model
    def _find_events(self, channels, seen, now, own, limit):
        """Return `[(event id, return id, kind)]` that were not reported."""
        # A number in the future comes from another server: the cursor is outdated.
        xact = SQL(
            'CASE WHEN e.xact < %s::xid8 OR e.xact = %s::xid8 THEN e.xact END',
            now.split(':')[1],
            own or '0',
        )
        told = SQL(
            '(%(xact)s IS NULL OR pg_visible_in_snapshot(%(xact)s, %(target)s::pg_snapshot)'
            ' OR %(xact)s = %(own)s::xid8)',
            xact=xact,
            target=seen['target'],
            own=seen['target_own'] or '0',
        )
        conditions = [SQL('e.id > %s', seen['last']), told]
        if seen['before']:
            conditions += [
                SQL('e.xact >= %s::xid8', seen['before'].split(':')[0]),
                SQL('NOT pg_visible_in_snapshot(%s, %s::pg_snapshot)', xact, seen['before']),
                SQL(
                    'NOT (e.xact = %s::xid8 AND e.id <= %s)',
                    seen['before_own'] or '0',
                    seen['before_last'],
                ),
            ]
        if channels:
            conditions.append(SQL('r.channel_id = ANY(%s)', channels.ids))
        self.env.cr.execute(
            SQL(
                'SELECT e.id, e.return_id, e.kind FROM sale_return_event e'
                ' JOIN sale_return r ON r.id = e.return_id WHERE %s ORDER BY e.id LIMIT %s',
                SQL(' AND ').join(conditions),
                limit,
            ),
            log_exceptions=False,
        )
        return self.env.cr.fetchall()

    @api.model
    def _get_rows(self, events):
        """Return the returns of events, each once, that the user may read."""
        kinds = {}
        for _event_id, return_id, kind in events:
            kinds.setdefault(return_id, []).append(kind)
        returns = self.env['sale.return'].search([('id', 'in', list(kinds))], order='id')
        return [
            {**self._prepare_row(sale_return), 'events': list(dict.fromkeys(kinds[sale_return.id]))}
            for sale_return in returns
        ]

    @api.model
    def _prepare_row(self, sale_return):
        """Prepare what is reported about a return. Override to add values."""
        return {
            'id': sale_return.id,
            'name': sale_return.name,
            'key': sale_return.external_ref or None,
            'channel': sale_return.channel_id.id or None,
            'orders': sale_return.sale_order_names or "",
            'tracking': sale_return.tracking_ref or None,
            'currency': sale_return.currency_id.name,
            **{
                name: sale_return[name]
                for name in (
                    'state',
                    'reception_state',
                    'inspection_state',
                    'credit_state',
                    'refund_state',
                    'amount_credited',
                    'amount_refunded',
                )
            },
        }
