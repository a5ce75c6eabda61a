from datetime import datetime, time

from odoo import api, models
from odoo.tools import format_amount


class SaleReturn(models.Model):
    """What happened to a return, in words for its customer.

    Only events with a method `_tell_<kind>` are told. Whatever is logged besides (reasons of ours,
    overrides, failures, costs) stays with us, also what later versions log.
    """

    _inherit = 'sale.return'

    def _get_portal_timeline(self):
        """Return what happened, the latest first.

        Several events of one kind in one transaction are one entry. Credit notes and payments come
        from the documents themselves.

        :return: `[{'moment' (naive, UTC), 'date', 'title', 'text', 'icon'}]`
        :rtype: list
        """
        self.ensure_one()
        groups = {}
        for event in self.event_ids.sorted('id'):
            # Each change of state is told by itself, also of those that follow at once.
            alone = event.kind == 'state' and event.id
            groups.setdefault((event.kind, event.date, alone), []).append(event)
        entries = []
        for (kind, moment, _alone), events in groups.items():
            tell = getattr(self, f'_tell_{kind}', None)
            told = tell and tell(self.env['sale.return.event'].union(*events))
            if told:
                date = self._format_portal_day(moment)
                entries.append({'moment': moment, 'date': date, 'text': False, **told})
        entries += self._get_portal_money_entries()
        # Sorting keeps the order of what happened at the same moment.
        return sorted(entries, key=lambda entry: entry['moment'])[::-1]

    def _is_told_of_customer(self, events):
        """Tell whether it was the customer who did something, or somebody of his company."""
        return any(e.user_id.share or self._is_customer(e.user_id) for e in events)

    @api.model
    def _join_products(self, events):
        """Return the names of the products that events are about."""
        return ", ".join(events.line_id.product_id.mapped('display_name'))

    # === WORDS === #

    def _tell_state(self, events):
        event = events[-1:]
        mine = self._is_told_of_customer(event)
        if event.state_to == 'submitted' and event.state_from == 'draft':
            title = (
                self.env._("You asked for the return")
                if mine
                else self.env._("We registered the return for you")
            )
            return {'title': title, 'icon': 'fa-pencil-square-o'}
        if event.state_to == 'approved':
            title = (
                self.env._("We opened the return again")
                if event.state_from == 'closed'
                else self.env._("We approved the return")
            )
            return {'title': title, 'icon': 'fa-check'}
        if event.state_to == 'refused':
            # The reason of a refusal is written for the customer.
            title = self.env._("We refused the return")
            return {'title': title, 'text': event.reason, 'icon': 'fa-times'}
        if event.state_to == 'cancelled':
            title = (
                self.env._("You cancelled the return")
                if mine
                else self.env._("The return was cancelled")
            )
            return {'title': title, 'icon': 'fa-ban'}
        if event.state_to == 'closed':
            told = {'title': self.env._("The return is finished"), 'icon': 'fa-flag-checkered'}
            if self.state == 'closed':
                # After the documents of that day, which have no time.
                told['moment'] = datetime.combine(event.date, time(23, 59, 2))
            return told
        return {'title': self.env._("We are working on the request again"), 'icon': 'fa-refresh'}

    def _tell_appealed(self, events):
        return {
            'title': self.env._("You appealed against the refusal"),
            'text': events[-1:].reason,
            'icon': 'fa-gavel',
        }

    def _tell_appeal_decided(self, events):
        # Both are in words for the customer.
        return {
            'title': self.env._(
                "We decided on your appeal: %(outcome)s", outcome=events[-1:].details
            ),
            'text': events[-1:].reason,
            'icon': 'fa-gavel',
        }

    def _tell_dispatched(self, events):
        return {
            'title': self.env._("You sent the goods"),
            'text': events[-1:].details,
            'icon': 'fa-paper-plane',
        }

    def _tell_received(self, events):
        # The log is in the language of whoever received the goods ("2 Units · Lamp · WH/RET/1"),
        # the moves of its transfers are told in the customer's.
        transfers = {(e.line_id, (e.details or '').rpartition(' · ')[2]) for e in events}
        moves = events.line_id.move_ids.filtered(
            lambda move: (
                move.state == 'done'
                and (move.sale_return_line_id, move.picking_id.name) in transfers
            )
        )
        return {
            'title': self.env._("The goods arrived"),
            'text': ", ".join(
                f"{move.quantity:g} {move.product_uom.name} · {move.product_id.display_name}"
                for move in moves.sorted('id')
            ),
            'icon': 'fa-archive',
        }

    def _tell_inspected(self, events):
        return {
            'title': self.env._("We looked at the goods"),
            'text': self._join_products(events),
            'icon': 'fa-search',
        }

    def _tell_corrected(self, events):
        return {
            'title': self.env._("We looked at the goods again"),
            'text': self._join_products(events),
            'icon': 'fa-search',
        }

    def _tell_discrepancy(self, events):
        return {
            'title': self.env._("What arrived differs from what was expected"),
            'text': self._join_products(events),
            'icon': 'fa-exclamation-triangle',
        }

    def _tell_discrepancy_resolved(self, events):
        return {
            'title': self.env._("We settled what differed"),
            'text': self._join_products(events),
            'icon': 'fa-check',
        }

    def _tell_replacement(self, events):
        return {
            'title': self.env._("We prepare your replacement"),
            'text': self._join_products(events),
            'icon': 'fa-truck',
        }

    def _tell_reminded(self, events):
        return {'title': self.env._("We reminded you to send the goods"), 'icon': 'fa-bell-o'}

    def _tell_file_added(self, events):
        mine = events.filtered(self._is_told_of_customer)
        names = [(event.details or '').rsplit(' · ', 1)[0] for event in mine]
        if not mine:
            return None  # ours are shown where they belong, if at all
        return {
            'title': self.env._("You added files"),
            'text': ", ".join(names),
            'icon': 'fa-paperclip',
        }

    # === MONEY === #

    def _get_portal_money_entries(self):
        """Return the entries of posted credit notes and of how they were settled."""
        entries = []
        for row in self._get_portal_notes():
            note = row['note']
            title = self.env._(
                "Credit note %(note)s: %(amount)s",
                note=note.name,
                amount=format_amount(self.env, row['amount'], note.currency_id),
            )
            entries.append(self._prepare_money_entry(note.invoice_date or note.date, title, 0))
            for settled in row['settled']:
                if not settled['date']:
                    continue
                amount = format_amount(self.env, settled['amount'], note.currency_id)
                title = f"{settled['text']}: {amount}"
                entries.append(self._prepare_money_entry(settled['date'], title, 1))
        return entries

    @api.model
    def _prepare_money_entry(self, date, title, order):
        """Return an entry of a document, which has a day and no time: after what happened then.

        :param int order: what comes later on the same day.
        """
        moment = datetime.combine(date, time(23, 59, order))
        return {'moment': moment, 'date': date, 'title': title, 'text': False, 'icon': 'fa-money'}
