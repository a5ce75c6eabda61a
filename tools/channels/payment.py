"""Payment providers: Adyen, PayPal, Stripe."""

import re
from dataclasses import replace

from .record import (
    CHARGEBACK,
    DONE,
    FAILED,
    FEE,
    OTHER,
    PAYOUT,
    PENDING,
    REFUND,
    SALE,
    Movement,
    Refund,
)
from .table import TableFormat
from .value import COMMA, moment, zone_of


class Adyen(TableFormat):
    """Settlement details: debit and credit without signs; a reversed refund keeps its reference."""

    name = 'adyen_settlement'
    columns = {
        'order': ('Merchant Reference',),
        'payment': ('Psp Reference',),
        'at': ('Creation Date',),
        'zone': ('TimeZone',),
        'type': ('Type',),
        'reference': ('Modification Reference',),
        'currency': ('Gross Currency',),
        'debit': ('Gross Debit (GC)',),
        'credit': ('Gross Credit (GC)',),
        'net_currency': ('Net Currency',),
        'net_debit': ('Net Debit (NC)',),
        'net_credit': ('Net Credit (NC)',),
        'commission': ('Commission (NC)',),
        'markup': ('Markup (NC)',),
        'scheme': ('Scheme Fees (NC)',),
        'interchange': ('Interchange (NC)',),
    }
    required = ('order', 'payment', 'at', 'type', 'reference', 'currency', 'debit', 'credit')
    delimiters = ',;\t'
    # For each type: its kind, and whether the money finally went to the buyer.
    types = {
        'refunded': ('refund', DONE),
        'refundedexternally': ('refund', DONE),
        'refundedreversed': ('refund', FAILED),
        'chargeback': (CHARGEBACK, DONE),
        'secondchargeback': (CHARGEBACK, DONE),
        'chargebackreversed': (CHARGEBACK, FAILED),
    }
    fees = ('commission', 'markup', 'scheme', 'interchange')
    moved = {'settled': SALE, 'fee': FEE, 'merchantpayout': PAYOUT}

    def move(self, row, found, reading):
        if 'net_credit' not in row.table.columns or 'net_debit' not in row.table.columns:
            return []
        type_ = row.get('type')
        kind = self.moved.get(type_.casefold(), REFUND if found and is_refund(found[0]) else OTHER)
        key = '/'.join((row.id('payment'), row.id('reference'), type_, row.get('at')))
        fees = sum(row.amount(name) for name in self.fees)
        row.table.zone = zone_of(row.get('zone'))
        return get_movements(
            row,
            f'{key}/{row.table.occurrence("movement", key)}',
            kind,
            row.amount('net_credit') - row.amount('net_debit') + fees,
            fees,
            row.get('net_currency'),
            row.moment('at'),
            type_,
            found,
        )

    def parse(self, row, reading):
        kind, state = self.types.get(row.get('type').casefold(), (None, None))
        if not kind:
            return []
        value = row.amount('debit') - row.amount('credit')
        row.table.zone = zone_of(row.get('zone'))
        reference = row.id('reference') or f'{row.id("payment")}/{row.get("at")}'
        return [
            Refund(
                key=reference,
                order=row.id('order'),
                amount=value,
                currency=row.get('currency'),
                at=row.moment('at'),
                part=row.get('type'),
                state=state,
                kind=kind,
                reference=row.id('payment'),
                line=row.line,
            )
        ]


class Paypal(TableFormat):
    """Activity report, in the language of the account. Rows of impact *Memo* move no money."""

    name = 'paypal_activity'
    columns = {
        'date': ('Date', 'Datum'),
        'time': ('Time', 'Uhrzeit'),
        'zone': ('TimeZone', 'Time Zone', 'Zeitzone'),
        'type': ('Type', 'Typ'),
        'status': ('Status',),
        'currency': ('Currency', 'Währung'),
        'gross': ('Gross', 'Brutto'),
        'fee': ('Fee', 'Gebühr', 'Entgelt'),
        'number': ('Transaction ID', 'Transaktionscode'),
        'payment': ('Reference Txn ID', 'Reference Transaction ID', 'Zugehöriger Transaktionscode'),
        'order': ('Invoice Number', 'Invoice ID', 'Rechnungsnummer'),
        'impact': ('Balance Impact', 'Auswirkung auf Guthaben'),
    }
    required = ('date', 'time', 'type', 'status', 'currency', 'gross', 'number', 'payment', 'order')
    delimiters = ',;\t'
    refunds = {'payment refund', 'refund', 'partial refund', 'rückzahlung', 'teilrückzahlung'}
    chargebacks = {'payment reversal', 'chargeback', 'stornierung einer zahlung', 'rückbuchung'}
    pending = {'pending', 'ausstehend', 'uncleared', 'unverrechnet', 'on hold', 'zurückgestellt'}
    american = {'PST', 'PDT', 'MST', 'MDT', 'CST', 'CDT', 'EST', 'EDT'}
    payouts = {
        'general withdrawal',
        'user initiated withdrawal',
        'withdrawal',
        'allgemeine abbuchung',
        'abbuchung',
        'von nutzer eingeleitete abbuchung',
    }
    failed = {'denied', 'canceled', 'cancelled', 'reversed', 'failed', 'abgelehnt', 'storniert'}

    def open(self, table, before):
        if 'datum' in table.names:
            table.style = COMMA

    def parse(self, row, reading):
        kind = self.get_kind(row)
        if not kind:
            return []
        status = row.get('status').casefold()
        state = PENDING if status in self.pending else FAILED if status in self.failed else DONE
        return [
            Refund(
                key=row.id('number'),
                order=row.id('order'),
                amount=-row.amount('gross'),
                currency=row.get('currency'),
                at=self.get_moment(row),
                state=state,
                kind=kind,
                reference=row.id('payment'),
                reason=row.get('type'),
                line=row.line,
            )
        ]

    def move(self, row, found, reading):
        status, impact = row.get('status').casefold(), row.get('impact').casefold()
        columns = row.table.columns
        if 'fee' not in columns or 'impact' not in columns or impact == 'memo':
            return []
        if status in self.pending or status in self.failed:
            return []
        type_, gross = row.get('type'), row.amount('gross')
        kind = REFUND if found and is_refund(found[0]) else OTHER
        if not found:
            is_sale = gross > 0 and row.id('order')
            kind = PAYOUT if type_.casefold() in self.payouts else SALE if is_sale else OTHER
        return get_movements(
            row,
            row.id('number'),
            kind,
            gross,
            -row.amount('fee'),
            row.get('currency'),
            self.get_moment(row),
            type_,
            found,
        )

    def get_kind(self, row):
        """Return the kind of a row, or None if no money of a buyer moved."""
        if row.get('impact').casefold() == 'memo':
            return None
        type_ = row.get('type').casefold()
        return (
            'refund' if type_ in self.refunds else CHARGEBACK if type_ in self.chargebacks else None
        )

    def get_moment(self, row):
        """Return the time: American accounts write the month first."""
        zone = row.get('zone')
        row.table.zone = zone_of(zone)
        return moment(
            f'{row.get("date")} {row.get("time")}',
            row.table.zone,
            zone.upper() in self.american or not zone,
        )


class Stripe(TableFormat):
    """Balance change from activity, itemised; the user chooses the columns.

    The refund's own number joins a refund with its failure; without that column, rows stand alone.
    """

    name = 'stripe_balance'
    columns = {
        'number': ('balance_transaction_id',),
        'at': ('created_utc', 'created'),
        'currency': ('currency',),
        'gross': ('gross',),
        'fee': ('fee',),
        'category': ('reporting_category',),
        'source': ('source_id',),
        'charge': ('charge_id',),
        'description': ('description',),
        'order': (
            'payment_metadata[order_id]',
            'payment_metadata[order]',
            'metadata[order_id]',
            'charge_metadata[order_id]',
        ),
    }
    required = ('number', 'at', 'currency', 'gross', 'category')
    delimiters = ',;\t'
    categories = {
        'refund': ('refund', DONE),
        'refund_failure': ('refund', FAILED),
        'dispute': (CHARGEBACK, DONE),
        'dispute_reversal': (CHARGEBACK, FAILED),
    }
    moved = {
        'charge': SALE,
        'payment': SALE,
        'fee': FEE,
        'network_cost': FEE,
        'payout': PAYOUT,
        'payout_reversal': PAYOUT,
    }
    _order = re.compile(r'(?:order|bestellung|commande)\s*[:#]?\s*([^\s()]+)', re.IGNORECASE)

    def open(self, table, before):
        table.zone = zone_of('UTC')

    def parse(self, row, reading):
        kind, state = self.categories.get(row.get('category').casefold(), (None, None))
        found = self._order.search(row.get('description'))
        order, charge = row.get('order') or (found[1] if found else ''), row.id('charge')
        if order and charge:
            row.table.totals[charge] = order
        if not kind:
            return []
        refund = Refund(
            key=row.id('source') or row.id('number'),
            order=order,
            amount=-row.amount('gross'),
            currency=row.get('currency').upper(),
            at=row.moment('at'),
            part=row.id('number'),
            state=state,
            kind=kind,
            reference=charge,
            reason=row.get('description'),
            line=row.line,
        )
        if order:
            return [refund]
        row.table.later.append(refund)
        return []

    def move(self, row, found, reading):
        if 'fee' not in row.table.columns:
            return []
        category = row.get('category')
        kind = self.moved.get(category.casefold(), OTHER)
        if self.categories.get(category.casefold(), (None,))[0] == REFUND:
            kind = REFUND
        return get_movements(
            row,
            row.id('number'),
            kind,
            row.amount('gross'),
            row.amount('fee'),
            row.get('currency').upper(),
            row.moment('at'),
            category,
            [Refund(row.id('source') or row.id('number'), '', row.amount('gross'))],
        )

    def close(self, table, reading):
        # A dispute names the charge only; the charge may stand above or below it.
        return [
            replace(refund, order=table.totals.get(refund.reference, '')) for refund in table.later
        ]


def is_refund(item):
    """Return whether a record is a refund that its channel paid or will pay."""
    return isinstance(item, Refund) and item.kind == REFUND


def get_movements(row, key, kind, value, fee, currency, at, label, found):
    """Return the movements of a row with one amount and the fee for it."""
    refund = found[0].key if kind == REFUND else ''
    name = '' if kind in (SALE, REFUND) else label
    moved = [Movement(key, kind, value, currency, at, name, refund)] if value else []
    if fee:
        moved.append(Movement(f'{key}/fee', FEE, -fee, currency, at, label))
    return moved


FORMATS = (Adyen(), Paypal(), Stripe())
