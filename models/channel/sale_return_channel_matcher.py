import json
from collections import defaultdict
from decimal import Decimal

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.channels.matching import match

CHUNK = 1000
# Fields of the refunds that are fetched together.
COMPARED = (
    'source',
    'kind',
    'channel_state',
    'order_ref',
    'order_id',
    'currency_id',
    'amount',
    'amount_credited',
    'amount_difference',
    'note_data',
    'state',
)

# What Odoo has of some orders: a row for each with its number, one without it for an order with a
# return, and one for each posted note.
FACTS = """
    WITH orders AS (
            SELECT id, %(ref)s::text AS ref FROM sale_order
             WHERE id = ANY(%(known)s) OR (%(condition)s)),
        mine AS (
            SELECT rel.invoice_line_id AS id, sold.order_id
              FROM sale_order_line_invoice_rel rel
              JOIN sale_order_line sold ON sold.id = rel.order_line_id
             WHERE sold.order_id IN (SELECT id FROM orders)),
        bills AS (
            SELECT DISTINCT item.move_id, mine.order_id
              FROM mine JOIN account_move_line item ON item.id = mine.id),
        candidates AS (
            SELECT move_id AS id FROM bills
             UNION
            SELECT note.id FROM account_move note
              JOIN bills ON bills.move_id = note.reversed_entry_id),
        notes AS (
            SELECT note.id, note.currency_id, note.amount_total,
                   note.reversed_entry_id
              FROM account_move note JOIN candidates ON candidates.id = note.id
             WHERE note.move_type = 'out_refund' AND note.state = 'posted'
               AND note.payment_state <> 'reversed'),
        shares AS (
            SELECT notes.id, sold.order_id, SUM(item.price_total) AS amount
              FROM notes
              JOIN account_move_line item ON item.move_id = notes.id
              JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = item.id
              JOIN sale_order_line sold ON sold.id = rel.order_line_id
             WHERE item.display_type = 'product'
          GROUP BY notes.id, sold.order_id),
        counted AS (
            SELECT id, order_id, amount, COUNT(*) OVER (PARTITION BY id) AS orders
              FROM shares)
        SELECT id AS order_id, COALESCE(ref, '') AS ref, NULL::int AS note_id,
               NULL::int AS currency_id, NULL::numeric AS amount
          FROM orders
         UNION ALL
        SELECT id, NULL, NULL, NULL, NULL FROM orders
         WHERE EXISTS (
            SELECT FROM sale_return_line line
             WHERE line.order_id = orders.id AND line.state <> 'cancelled')
         UNION ALL
        SELECT counted.order_id, NULL, notes.id, notes.currency_id,
               CASE WHEN counted.orders = 1 THEN notes.amount_total
                    ELSE counted.amount END
          FROM notes JOIN counted ON counted.id = notes.id
         WHERE counted.order_id IN (SELECT id FROM orders)
         UNION ALL
        SELECT bills.order_id, NULL, notes.id, notes.currency_id, notes.amount_total
          FROM notes JOIN bills ON bills.move_id = notes.reversed_entry_id
         WHERE NOT EXISTS (SELECT FROM counted WHERE counted.id = notes.id)
      ORDER BY 3
"""


class SaleReturnChannelMatcher(models.AbstractModel):
    """Service: compare what channels paid back with the credit notes of the orders.

    Only amounts in the same currency decide, to the cent, order by order: see
    `tools.channels.matching`. Two lists of a channel may show the same money, so each is compared
    separately.
    """

    _name = 'sale.return.channel.matcher'
    _description = "Matcher of Channel Refunds"

    @api.model
    def _match_channel(self, channel):
        """Compare all refunds of a channel again; callers have checked that the user may.

        :return: `{(source, order id): [credit note ids]}` of notes without a matching refund.
        :rtype: dict
        """
        return self._match_found(
            channel,
            SQL(
                'SELECT id, order_ref FROM sale_return_channel_refund WHERE channel_id = %s',
                channel.id,
            ),
        )

    @api.model
    def _match_file(self, channel, file):
        """Compare the refunds that a file shows; see `_match_channel`."""
        relation = self.env['sale.return.channel.refund']._fields['file_ids']
        return self._match_found(
            channel,
            SQL(
                'SELECT refund.id, order_ref FROM sale_return_channel_refund refund'
                ' JOIN %s shown ON shown.%s = refund.id WHERE shown.%s = %s',
                SQL.identifier(relation.relation),
                SQL.identifier(relation.column1),
                SQL.identifier(relation.column2),
                file.id,
            ),
        )

    @api.model
    def _match_found(self, channel, query):
        """Compare refunds in batches; refunds of one number are in one batch."""
        # sudo: notes and orders are compared as a whole, no matter who asks.
        refunds = self.env['sale.return.channel.refund'].sudo()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                'SELECT array_agg(id) FROM (SELECT id, dense_rank() OVER (ORDER BY'
                " COALESCE(NULLIF(order_ref, ''), id::text)) / %s AS part FROM (%s) AS found)"
                ' AS parted GROUP BY part ORDER BY part',
                CHUNK,
                query,
            )
        )
        lone = {}
        for (ids,) in self.env.cr.fetchall():
            lone.update(self._match(channel, refunds.browse(ids)))
            self.env.invalidate_all()
        return lone

    @api.model
    def _match(self, channel, refunds):
        """Compare the orders of some refunds; see `_match_channel`.

        Three queries, however many refunds: all refunds of the orders, what Odoo has of the
        orders, and what has changed.
        """
        channel, refunds = channel.sudo(), refunds.sudo()  # sudo: as above
        if not refunds:
            return {}
        domain = Domain('channel_id', '=', channel.id) & Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "(%(id)s = ANY(%(ids)s) OR %(ref)s IN (SELECT order_ref FROM"
                " sale_return_channel_refund WHERE id = ANY(%(ids)s) AND order_ref <> ''))",
                id=SQL.identifier(alias, 'id'),
                ref=SQL.identifier(alias, 'order_ref'),
                ids=refunds.ids,
            )
        )
        together = refunds.search_fetch(domain, COMPARED, order='date, id')
        orders, notes, returned = self._get_facts(channel, together)
        found, lone = {}, {}
        for (source, order_id), group in together.grouped(
            lambda refund: (refund.source, refund.order_id.id or orders.get(refund.order_ref))
        ).items():
            if order_id:
                left = self._match_order(group, notes[order_id], order_id in returned, found)
                if left:
                    lone[source, order_id] = left
            else:
                for refund in group:
                    self._store(found, refund, self._get_own_state(refund) or 'unknown_order')
        self._write_found(found, orders)
        return lone

    @api.model
    def _get_facts(self, channel, refunds):
        """Return what Odoo has of the orders that refunds name.

        :return: `{number: order id}`, `{order id: [(note id, currency id, amount)]}`, and the ids
            of the orders that have a return.
        :rtype: tuple
        """
        known = refunds.order_id.ids
        open_ = refunds.filtered(lambda refund: refund.order_ref and not refund.order_id)
        numbers, condition = channel._get_order_condition(open_.mapped('order_ref'))
        if not known and not numbers:
            return {}, defaultdict(list), set()
        found, notes, returned = defaultdict(set), defaultdict(list), set()
        for order_id, ref, note_id, currency_id, amount in self._query_facts(known, condition):
            if note_id:
                notes[order_id].append((note_id, currency_id, amount))
            elif ref is None:
                returned.add(order_id)
            else:
                found[ref].add(order_id)
        orders = {
            number: min(matches)
            for ref, matches in found.items()
            if len(matches) == 1
            for number in numbers.get(ref, ())
        }
        return orders, notes, returned

    @api.model
    def _query_facts(self, known, condition):
        """Return `[(order id, number, note id, currency id, amount)]` of orders.

        A row for each order with its number, one without it for an order with a return, and one
        for each posted note. A note of one order counts with its total; one of several with the
        lines of each. A note without lines of an order belongs to the orders of the invoice that
        it reverses.
        """
        field, condition = condition
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                FACTS,
                ref=field,
                known=known,
                condition=condition,
            )
        )
        return self.env.cr.fetchall()

    @api.model
    def _match_order(self, group, notes, has_return, found):
        """Compare the refunds of one list and order with the notes of the order.

        :param dict found: the results by refund, extended in place.
        :return: ids of notes without a matching refund.
        :rtype: list
        """
        left = []
        compared = group.filtered(lambda refund: not self._get_own_state(refund, unmatched=False))
        for refund in group - compared:
            self._store(found, refund, self._get_own_state(refund, unmatched=False))
        for currency, refunds in compared.grouped('currency_id').items():
            ours = [note for note in notes if note[1] == currency.id]
            amounts = [Decimal(str(currency.round(refund.amount))) for refund in refunds]
            credited = [Decimal(str(currency.round(float(note[2])))) for note in ours]
            for pair in match(amounts, credited):
                ids = [ours[place][0] for place in pair.notes]
                if pair.state == 'no_refund':
                    left += ids
                    continue
                mine = [refunds[place] for place in pair.refunds]
                for refund in mine:
                    twins = [other for other in compared - refund if other.amount == refund.amount]
                    is_twin = any(found.get(each, {}).get('state') == 'match' for each in twins)
                    state = self._get_state(refund, pair.state, is_twin, has_return)
                    # One note for several refunds: each shows its own part of it.
                    amount = refund.amount if pair.state == 'match' else float(pair.credited)
                    self._store(found, refund, state, amount, ids)
        failed = group.filtered(lambda refund: refund.channel_state == 'failed')
        if failed and not compared:
            left += [note[0] for note in notes]
        return left

    @api.model
    def _get_own_state(self, refund, unmatched=True):
        """Return the state of a refund that is not compared with notes, or None."""
        if refund.kind == 'chargeback':
            return 'failed' if refund.channel_state == 'failed' else 'chargeback'
        if refund.channel_state == 'failed':
            return 'failed'
        if refund.kind == 'stated':
            return 'pending'
        return None

    @api.model
    def _get_state(self, refund, state, is_twin, has_return):
        """Return the state of a refund after its comparison.

        :param str state: result of the comparison, see `tools.channels.matching`.
        :param bool is_twin: an equal refund of the order has a note.
        """
        if state != 'no_credit_note':
            return state
        if refund.channel_state == 'pending':
            return 'pending'
        if is_twin:
            return 'twice'
        return 'no_credit_note' if has_return else 'no_return'

    @api.model
    def _store(self, found, refund, state, credited=0.0, note_ids=()):
        difference = Decimal(0)
        if state not in ('pending', 'failed'):
            difference = Decimal(str(refund.amount)) - Decimal(str(credited))
        found[refund] = {
            'state': state,
            'amount_credited': credited,
            'amount_difference': float(difference),
            'note_data': sorted(note_ids),
        }

    @api.model
    def _write_found(self, found, orders):
        """Write the changes in one query: the ORM would need one for each hundred rows."""
        rows = []
        for refund, vals in found.items():
            order_id = refund.order_id.id or orders.get(refund.order_ref) or None
            vals['order_id'] = order_id
            same = (refund.order_id.id or None) == order_id and all(
                (refund[name] or False) == (vals[name] or False)
                for name in ('state', 'amount_credited', 'amount_difference', 'note_data')
            )
            if not same:
                notes = json.dumps(vals['note_data']) if vals['note_data'] else None
                credited, difference = vals['amount_credited'], vals['amount_difference']
                rows.append((refund.id, order_id, vals['state'], credited, difference, notes))
        if not rows:
            return
        ids, order_ids, states, credited, differences, notes = map(list, zip(*rows, strict=True))
        self.env.cr.execute(
            SQL(
                """UPDATE sale_return_channel_refund refund
                      SET order_id = found.order_id, state = found.state,
                          amount_credited = found.credited, amount_difference = found.difference,
                          note_data = found.notes::jsonb, write_uid = %s, write_date = %s
                     FROM UNNEST(%s::int[], %s::int[], %s::text[], %s::numeric[], %s::numeric[],
                                 %s::text[])
                       AS found(id, order_id, state, credited, difference, notes)
                    WHERE refund.id = found.id""",
                self.env.uid,
                self.env.cr.now(),
                ids,
                order_ids,
                states,
                credited,
                differences,
                notes,
            )
        )
        self.env['sale.return.channel.refund'].browse(ids).invalidate_recordset(flush=False)
