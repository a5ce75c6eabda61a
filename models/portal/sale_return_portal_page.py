from datetime import datetime, time

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ...const import WITHHELD_KINDS


class SaleReturnPortalPage(models.AbstractModel):
    """Service: the page of a return, what it shows and its timeline.

    Called in superuser mode after checking that the customer may see the return; the result
    contains no costs, internal notes or names.
    """

    _name = 'sale.return.portal.page'
    _description = "Return Portal Page"

    # === GOODS === #

    # Content of the page of a return: goods, money, files.

    @api.model
    def _get_lines(self, sale_return):
        """Return the lines with their quantities, only those that are informative.

        :return: `[{'line', 'quantities': [(label, quantity)], 'decision'}]`; quantities are in the
            unit of the line, `decision` is why less was approved, in words for the customer.
        :rtype: list
        """
        sale_return.ensure_one()
        return [
            {
                'line': line,
                'quantities': self._get_quantities(line),
                'decision': line.decision in ('reduced', 'refused') and line.decision_reason,
            }
            for line in sale_return.line_ids
        ]

    @api.model
    def _get_quantities(self, line):
        """Return `[(label, quantity, unit)]`: what was requested, and what happened to it."""
        decided = line.state not in ('draft', 'submitted', 'cancelled')
        quantities = [
            (self.env._("Requested"), line.qty_requested, True),
            (self.env._("Approved"), line.qty_authorized, decided),
            (self.env._("Received"), line.qty_received, False),
            (self.env._("Accepted"), line.qty_accepted, False),
            (self.env._("Rejected"), line.qty_rejected, False),
            (self.env._("Sent back to you"), line.qty_sent_back, False),
            (self.env._("Replaced"), line.qty_replaced, False),
            (self.env._("On a credit note"), line.qty_credited_posted, False),
        ]
        return [
            (label, *line._get_readable(quantity))
            for label, quantity, shown in quantities
            if shown or not line._get_measure().is_zero(quantity)
        ]

    # === MONEY === #

    @api.model
    def _get_money(self, sale_return):
        """Return what the customer gets: expected, credited, paid back.

        :return: `{'expected': [(currency, amount)], 'deductions': [(label, amount text)], 'notes':
            [see _get_notes], 'unpromised': names of products for which it is not known yet}`;
            amounts include taxes, deductions are negative.
        :rtype: dict
        """
        sale_return.ensure_one()
        if not sale_return._shows_amounts():
            return {'expected': [], 'deductions': [], 'notes': [], 'unpromised': ''}
        expected, deductions = self._get_estimate(sale_return)
        return {
            'expected': expected,
            'deductions': deductions + self._get_deductions(sale_return),
            'notes': self._get_notes(sale_return),
            'unpromised': self._get_unpromised_products(sale_return),
        }

    @api.model
    def _get_unpromised_products(self, sale_return):
        """Return the names of products whose credit without goods a person has to decide on.

        :rtype: str
        """
        sale_return.ensure_one()
        if sale_return.state not in ('draft', 'submitted'):
            return ''
        lines = sale_return.line_ids.filtered(
            lambda line: (
                line._is_credited() and line.decision != 'refused' and line._is_without_goods()
            )
        )
        return ", ".join(lines.product_id.mapped('display_name'))

    @api.model
    def _get_estimate(self, sale_return):
        """Return what is still to be credited if everything is accepted, and the deductions."""
        if sale_return.state not in ('submitted', 'approved'):
            return [], []
        try:
            previews = self.env['sale.return.credit']._preview(sale_return, kinds=('promised',))
        except UserError:
            return [], []  # what cannot be credited yet is our own problem
        notes = previews[sale_return.id]['promised']
        currencies = {
            currency.name: currency
            for currency in self.env['res.currency'].search(
                [('name', 'in', [note['currency'] for note in notes])]
            )
        }
        totals, deductions = {}, []
        kinds = self.env['account.move.line']._fields['sale_return_kind']
        labels = dict(kinds._description_selection(self.env))
        for note in notes:
            currency = currencies[note['currency']]
            totals[currency] = totals.get(currency, 0.0) + note['total']
            for line in note['lines']:
                if line['kind'] in WITHHELD_KINDS:
                    amount = line['untaxed'] + sum(line['taxes'].values())
                    text = format_amount(self.env, amount, currency)
                    deductions.append((labels[line['kind']], text))
        return [(currency, total) for currency, total in totals.items() if total], deductions

    @api.model
    def _get_credit_lines(self, sale_return):
        """Return the lines of posted credit notes that credit this return."""
        return sale_return.line_ids.credit_line_ids.filtered(
            lambda line: line.parent_state == 'posted'
        )

    @api.model
    def _get_deductions(self, sale_return):
        """Return the deductions on posted notes, with the texts of the notes."""
        return [
            (line.name, format_amount(self.env, line.price_total, line.currency_id))
            for line in self._get_credit_lines(sale_return)
            if line.sale_return_kind in WITHHELD_KINDS
        ]

    @api.model
    def _get_notes(self, sale_return):
        """Return the posted credit notes, and how each is settled.

        :return: `[{'note', 'amount' (of this return), 'settled': [{'date', 'amount', 'text'}]}]`,
            the oldest note first.
        :rtype: list
        """
        lines = self._get_credit_lines(sale_return)
        return [
            {
                'note': note,
                'amount': sum(note_lines.mapped('price_total')),
                'settled': self._get_settlements(note),
            }
            for note, note_lines in sorted(
                lines.grouped('move_id').items(), key=lambda item: (item[0].date, item[0].id)
            )
        ]

    @api.model
    def _get_settlements(self, note):
        """Return how a note was settled: paid back, or set off against invoices, and when."""
        receivable = note.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        settled = []
        for partial in receivable.matched_debit_ids.sorted('max_date'):
            other = partial.debit_move_id.move_id
            if other.move_type == 'out_invoice':
                text = self.env._("Set off against %(invoice)s", invoice=other.name)
            elif other.reversed_entry_id or other.sale_return_write_back_ids:
                continue
            else:
                text = self.env._("Paid back")
            settled.append(
                {'date': partial.max_date, 'amount': partial.credit_amount_currency, 'text': text}
            )
        # Payments on their way, but not in the books yet.
        for refund in note.sale_return_refund_ids.filtered(
            lambda refund: refund.state in ('prepared', 'pending', 'unknown')
        ):
            text = self.env._("Being paid back")
            settled.append({'date': False, 'amount': refund.note_amount, 'text': text})
        return settled

    @api.model
    def _get_money_entries(self, sale_return):
        """Return the entries of posted credit notes and of how they were settled."""
        entries = []
        for row in self._get_notes(sale_return) if sale_return._shows_amounts() else ():
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
        """Return an entry of a document, which has a day without time: sorted last on its day.

        :param int order: sequence on the same day.
        """
        moment = datetime.combine(date, time(23, 59, order))
        return {'moment': moment, 'date': date, 'title': title, 'text': False, 'icon': 'fa-money'}

    # === FILES === #

    @api.model
    def _get_files(self, sale_return):
        """Return the files that the customer sees.

        Files of the customer, and photos of inspections that lead to a deduction: a condition
        credited with less, or rejected goods.

        :rtype: sale.return.file
        """
        sale_return.ensure_one()
        return sale_return.file_ids.filtered(
            lambda file: file.attachment_id and not file.erased_on and self._is_shown_file(file)
        )

    @api.model
    def _is_shown_file(self, file):
        """Tell whether the customer sees a file. Override to show more."""
        row = file.inspection_id
        if not row:
            return file.user_id.share
        takes_off = row.grade_id.credit_ratio < 1 if row.grade_id else False
        return row.qty_valid > 0 and (takes_off or not row.disposition_id.accepts)

    # === TIMELINE === #

    # Timeline of a return, in words for its customer.  Only events with a method `_tell_<kind>` are
    # shown. Everything else in the log (internal reasons, overrides, failures, costs) stays
    # internal, including new events of later versions.

    @api.model
    def _get_timeline(self, sale_return):
        """Return what happened, the latest first.

        Several events of one kind in one transaction are one entry. Credit notes and payments come
        from the documents themselves.

        :return: `[{'moment' (naive, UTC), 'date', 'title', 'text', 'icon'}]`
        :rtype: list
        """
        sale_return.ensure_one()
        groups = {}
        for event in sale_return.event_ids.sorted('id'):
            # Each change of state has its own entry, even if several follow at once.
            alone = event.kind == 'state' and event.id
            groups.setdefault((event.kind, event.date, alone), []).append(event)
        entries = []
        for (kind, moment, _alone), events in groups.items():
            tell = getattr(self, f'_tell_{kind}', None)
            told = tell and tell(sale_return, self.env['sale.return.event'].union(*events))
            if told:
                date = sale_return._format_portal_day(moment)
                entries.append({'moment': moment, 'date': date, 'text': False, **told})
        entries += self._get_money_entries(sale_return)
        # Sorting is stable for events at the same time.
        return sorted(entries, key=lambda entry: entry['moment'])[::-1]

    @api.model
    def _is_told_of_customer(self, sale_return, events):
        """Tell whether the customer, or somebody of their company, caused the event."""
        return any(e.user_id.share or sale_return._is_customer(e.user_id) for e in events)

    @api.model
    def _join_products(self, events):
        """Return the names of the products that events are about."""
        return ", ".join(events.line_id.product_id.mapped('display_name'))

    # === WORDS === #

    @api.model
    def _tell_state(self, sale_return, events):
        event = events[-1:]
        mine = self._is_told_of_customer(sale_return, event)
        if event.state_to == 'submitted' and event.state_from == 'draft':
            title = (
                self.env._("You requested the return")
                if mine
                else self.env._("We registered the return for you")
            )
            return {'title': title, 'icon': 'fa-pencil-square-o'}
        if event.state_to == 'approved':
            title = (
                self.env._("We reopened the return")
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
            if sale_return.state == 'closed':
                # Sorted after the documents of that day, which have no time.
                told['moment'] = datetime.combine(event.date, time(23, 59, 2))
            return told
        return {'title': self.env._("We are working on the request again"), 'icon': 'fa-refresh'}

    @api.model
    def _tell_appealed(self, sale_return, events):
        return {
            'title': self.env._("You appealed against the refusal"),
            'text': events[-1:].reason,
            'icon': 'fa-gavel',
        }

    @api.model
    def _tell_appeal_decided(self, sale_return, events):
        # Both texts are meant for the customer.
        return {
            'title': self.env._(
                "We decided on your appeal: %(outcome)s", outcome=events[-1:].details
            ),
            'text': events[-1:].reason,
            'icon': 'fa-gavel',
        }

    @api.model
    def _tell_dispatched(self, sale_return, events):
        return {
            'title': self.env._("You sent the goods"),
            'text': events[-1:].details,
            'icon': 'fa-paper-plane',
        }

    @api.model
    def _tell_received(self, sale_return, events):
        # The log is in the language of the user who received the goods ("2 Units · Lamp ·
        # WH/RET/1"), so the moves are described in the customer's.
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
                f"{move.product_uom._say(move.quantity)} · {move.product_id.display_name}"
                for move in moves.sorted('id')
            ),
            'icon': 'fa-archive',
        }

    @api.model
    def _tell_inspected(self, sale_return, events):
        return {
            'title': self.env._("We inspected the goods"),
            'text': self._join_products(events),
            'icon': 'fa-search',
        }

    @api.model
    def _tell_corrected(self, sale_return, events):
        return {
            'title': self.env._("We inspected the goods again"),
            'text': self._join_products(events),
            'icon': 'fa-search',
        }

    @api.model
    def _tell_discrepancy(self, sale_return, events):
        return {
            'title': self.env._("What arrived differs from what was expected"),
            'text': self._join_products(events),
            'icon': 'fa-exclamation-triangle',
        }

    @api.model
    def _tell_discrepancy_resolved(self, sale_return, events):
        return {
            'title': self.env._("We resolved the discrepancy"),
            'text': self._join_products(events),
            'icon': 'fa-check',
        }

    @api.model
    def _tell_replacement(self, sale_return, events):
        return {
            'title': self.env._("We prepare your replacement"),
            'text': self._join_products(events),
            'icon': 'fa-truck',
        }

    @api.model
    def _tell_reminded(self, sale_return, events):
        return {'title': self.env._("We reminded you to send the goods"), 'icon': 'fa-bell-o'}

    @api.model
    def _tell_file_added(self, sale_return, events):
        mine = events.filtered(lambda e: self._is_told_of_customer(sale_return, e))
        names = [(event.details or '').rsplit(' · ', 1)[0] for event in mine]
        if not mine:
            return None  # our own are shown elsewhere, if at all
        return {
            'title': self.env._("You added files"),
            'text': ", ".join(names),
            'icon': 'fa-paperclip',
        }
