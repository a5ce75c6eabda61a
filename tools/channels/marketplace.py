"""Marketplaces of Europe and America: eBay, Mirakl."""

import re

from .record import CHARGEBACK, Refund
from .table import TableFormat
from .value import COMMA, quantity, zone_of


class Ebay(TableFormat):
    """Transaction report, in English or German. The gross of a refund is the buyer's money."""

    name = 'ebay_transactions'
    columns = {
        'at': ('Transaction creation date', 'Datum der Transaktionserstellung'),
        'type': ('Type', 'Typ'),
        'order': ('Order number', 'Bestellnummer'),
        'gross': ('Gross transaction amount', 'Transaktionsbetrag (inkl. Kosten)'),
        'currency': ('Transaction currency', 'Transaktionswährung'),
        'reference': ('Reference ID', 'Referenznummer'),
        'title': ('Item title', 'Angebotstitel'),
        'item': ('Item ID', 'Artikelnummer'),
        'sku': ('Custom label', 'Bestandseinheit'),
        'quantity': ('Quantity', 'Anzahl'),
        'description': ('Description', 'Beschreibung'),
    }
    required = ('at', 'type', 'order', 'gross', 'currency', 'reference')
    delimiters = ',;'
    empty = ('--',)
    refunds = {'refund', 'rückerstattung'}
    chargebacks = {'payment dispute', 'zahlungsanfechtung'}

    def open(self, table, before):
        if 'typ' in table.names:
            table.style = COMMA
        for values in before:
            # A single value if the separator of this part differs from that of the table.
            label, _sep, value = (
                values[0].partition(';') if len(values) == 1 else (values[0], '', values[1])
            )
            if label.strip().casefold() in ('time zone', 'zeitzone'):
                table.zone = zone_of(value)

    def parse(self, row, reading):
        type_ = row.get('type').casefold()
        kind = (
            'refund' if type_ in self.refunds else CHARGEBACK if type_ in self.chargebacks else None
        )
        if not kind:
            return []
        value = -row.amount('gross')
        key = '/'.join((row.id('order'), row.id('reference'), kind))
        part = f'{row.get("title")}|{value}'
        return [
            Refund(
                key=key,
                order=row.id('order'),
                amount=value,
                currency=row.get('currency'),
                at=row.moment('at'),
                part=f'{part}|{row.table.occurrence(key, part)}',
                kind=kind,
                sku=row.get('sku'),
                item=row.id('item'),
                quantity=quantity(row.get('quantity')) if row.get('quantity') else None,
                reference=row.id('reference'),
                reason=row.get('description'),
                line=row.line,
            )
        ]


class Mirakl(TableFormat):
    """Transaction journal, one row for each kind of amount; the refund's number joins its rows."""

    name = 'mirakl_transactions'
    columns = {
        'at': ('Date de création', 'Date created'),
        'order': ('Numéro de commande', 'Order number'),
        'sku': ('SKU Offre', 'Offer SKU'),
        'type': ('Type',),
        'amount': ('Montant', 'Amount'),
        'currency': ('Devise', 'Currency'),
        'item': ('ID de la ligne de commande', 'Order line ID'),
        'refund': ('ID du remboursement', 'Refund ID'),
        'description': ('Description',),
    }
    required = ('at', 'order', 'type', 'amount', 'currency', 'item', 'refund')
    delimiters = ';,\t'
    _of_buyer = re.compile(r'remboursement|refund')
    _of_channel = re.compile(r'commission|frais de gestion|fee')

    def parse(self, row, reading):
        type_ = row.get('type').casefold()
        if not self._of_buyer.match(type_) or self._of_channel.search(type_):
            return []
        value = -row.amount('amount')
        key = row.id('refund')
        part = f'{row.get("type")}|{row.id("item")}|{value}'
        return [
            Refund(
                key=key,
                order=row.id('order'),
                amount=value,
                currency=row.get('currency'),
                at=row.moment('at'),
                part=f'{part}|{row.table.occurrence(key, part)}',
                label=row.get('type'),
                sku=row.get('sku'),
                item=row.id('item'),
                reason=row.get('description'),
                line=row.line,
            )
        ]


FORMATS = (Ebay(), Mirakl())
