from collections import defaultdict
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ...tools.channels.matching import match

CHUNK = 1000


class SaleReturnChannelMatcher(models.AbstractModel):
    """Service: compare what channels paid back with the credit notes of the orders.

    Only amounts in the same currency decide, to the cent, order by order: see
    `tools.channels.matching`. Two lists of a channel show the same money: each is compared alone.
    """

    _name = 'sale.return.channel.matcher'
    _description = "Matcher of Channel Refunds"

    @api.model
    def _match_channel(self, channel):
        """Compare all refunds of a channel again; callers have checked that the user may.

        :return: `{(source, order id): [credit note ids]}` of notes that no refund stands against.
        :rtype: dict
        """
        # sudo: notes and orders are compared as a whole, whoever asks.
        refunds = self.env['sale.return.channel.refund'].sudo()
        ids = refunds.search([('channel_id', '=', channel.id)], order='id').ids
        lone = {}
        for start in range(0, len(ids), CHUNK):
            lone.update(self._match(channel, refunds.browse(ids[start : start + CHUNK])))
            self.env.flush_all()
            self.env.invalidate_all()
        return lone

    @api.model
    def _match(self, channel, refunds):
        """Compare the orders of some refunds; see `_match_channel`."""
        channel, refunds = channel.sudo(), refunds.sudo()  # sudo: as above
        self._find_orders(channel, refunds.filtered(lambda r: not r.order_id and r.order_ref))
        orders = refunds.order_id
        lone = {}
        if orders:
            together = refunds.search(
                [('channel_id', '=', channel.id), ('order_id', 'in', orders.ids)], order='date, id'
            )
            notes, returned = self._get_notes(orders), self._get_returned(orders)
            for (source, order), group in together.grouped(
                lambda refund: (refund.source, refund.order_id)
            ).items():
                left = self._match_order(group, notes[order.id], order.id in returned)
                if left:
                    lone[source, order.id] = left
        for refund in refunds.filtered(lambda r: not r.order_id):
            self._store(refund, self._get_own_state(refund) or 'unknown_order')
        return lone

    @api.model
    def _find_orders(self, channel, refunds):
        """Give refunds the orders that their numbers name; a number of two orders names none."""
        by_ref = defaultdict(list)
        for refund in refunds:
            by_ref[channel._to_order_ref(refund.order_ref)].append(refund)
        if not by_ref:
            return
        name = channel._get_order_field()
        field = self.env['sale.order']._fields.get(name)
        if not field or not field.store:
            return  # the module that brought the field is gone
        refs = list(by_ref)
        if field.type == 'integer':
            refs = [int(ref) for ref in refs if ref.isascii() and ref.isdecimal() and len(ref) < 10]
        found = defaultdict(list)
        orders = self.env['sale.order'].sudo()  # sudo: as in `_match_channel`
        for order in orders.search(
            [
                (name, 'in', refs),
                ('company_id', '=', channel.company_id.id),
                ('state', 'in', ('sale', 'done')),
            ]
        ):
            found[str(order[name])].append(order)
        for ref, matches in found.items():
            if len(matches) == 1:
                for refund in by_ref[ref]:
                    refund.order_id = matches[0]

    @api.model
    def _get_notes(self, orders):
        """Return the posted credit notes of orders: `{order id: [(id, currency id, amount)]}`.

        A note of one order counts with its total; one of several with the lines of each. A note
        without lines of an order belongs to the orders of the invoice that it reverses.
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """WITH mine AS (
                       SELECT rel.invoice_line_id AS id, sold.order_id
                         FROM sale_order_line_invoice_rel rel
                         JOIN sale_order_line sold ON sold.id = rel.order_line_id
                        WHERE sold.order_id = ANY(%(orders)s)),
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
                   SELECT counted.order_id, notes.id, notes.currency_id,
                          CASE WHEN counted.orders = 1 THEN notes.amount_total
                               ELSE counted.amount END
                     FROM notes JOIN counted ON counted.id = notes.id
                    WHERE counted.order_id = ANY(%(orders)s)
                    UNION ALL
                   SELECT bills.order_id, notes.id, notes.currency_id, notes.amount_total
                     FROM notes JOIN bills ON bills.move_id = notes.reversed_entry_id
                    WHERE NOT EXISTS (SELECT FROM counted WHERE counted.id = notes.id)
                 ORDER BY 2""",
                orders=orders.ids,
            )
        )
        notes = defaultdict(list)
        for order_id, note_id, currency_id, amount in self.env.cr.fetchall():
            notes[order_id].append((note_id, currency_id, amount))
        return notes

    @api.model
    def _get_returned(self, orders):
        """Return the ids of the orders that have a return that was not cancelled."""
        lines = self.env['sale.return.line'].sudo()  # sudo: as in `_match_channel`
        found = lines._read_group(
            [('order_id', 'in', orders.ids), ('state', '!=', 'cancelled')], ['order_id']
        )
        return {order.id for (order,) in found}

    @api.model
    def _match_order(self, group, notes, has_return):
        """Compare the refunds of one list and order with the notes of the order.

        :return: ids of notes that no refund stands against.
        :rtype: list
        """
        left = []
        compared = group.filtered(lambda refund: not self._get_own_state(refund, unmatched=False))
        for refund in group - compared:
            self._store(refund, self._get_own_state(refund, unmatched=False))
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
                    state = self._get_state(refund, pair.state, mine, compared, has_return)
                    # One note for several refunds: each shows its own part of it.
                    amount = refund.amount if pair.state == 'match' else float(pair.credited)
                    self._store(refund, state, amount, ids)
        failed = group.filtered(lambda refund: refund.channel_state == 'failed')
        if failed and not compared:
            left += [note[0] for note in notes]
        return left

    @api.model
    def _get_own_state(self, refund, unmatched=True):
        """Return the state of a refund that is not compared with notes, or nothing."""
        if refund.kind == 'chargeback':
            return 'failed' if refund.channel_state == 'failed' else 'chargeback'
        if refund.channel_state == 'failed':
            return 'failed'
        if refund.kind == 'stated':
            return 'pending'
        return None

    @api.model
    def _get_state(self, refund, state, mine, compared, has_return):
        """Return the state of a refund after its comparison."""
        if state != 'no_credit_note':
            return state
        if refund.channel_state == 'pending':
            return 'pending'
        twins = [other for other in compared - refund if other.amount == refund.amount]
        if any(other.state == 'match' for other in twins):
            return 'twice'
        return 'no_credit_note' if has_return else 'no_return'

    @api.model
    def _store(self, refund, state, credited=0.0, note_ids=()):
        vals = {'state': state, 'amount_credited': credited, 'note_data': sorted(note_ids)}
        if any((refund[name] or False) != (value or False) for name, value in vals.items()):
            refund.write(vals)
