"""Amazon: settlements (both layouts), returns of its warehouses and of sellers, reimbursements."""

from dataclasses import replace

from .record import (
    FEE,
    OTHER,
    PAYOUT,
    REFUND,
    SALE,
    STATED,
    Control,
    Movement,
    Refund,
    Reimbursement,
    ReturnUnit,
)
from .table import TableFormat
from .value import amount, amount_of_two, quantity, zone_of

UTC = zone_of('UTC')
REFUNDS = {'refund', 'chargeback refund', 'a-to-z guarantee refund'}
WITHHELD = 'MarketplaceFacilitatorTax'


class Settlement(TableFormat):
    """Common to both layouts: a summary in the first row, then one amount per row.

    A refund is what the buyer gets: prices, shipping, tax and promotions. Tax that the marketplace
    itself pays to the state is excluded: the order in the seller's books has none. Fees are left
    out.
    """

    delimiters = '\t'
    quoted = False
    legacy = ('cp1252', 'cp932')
    common = {
        'settlement': ('settlement-id',),
        'start': ('settlement-start-date',),
        'end': ('settlement-end-date',),
        'deposit': ('deposit-date',),
        'total': ('total-amount',),
        'currency': ('currency',),
        'type': ('transaction-type',),
        'order': ('order-id',),
        'adjustment': ('adjustment-id',),
        'item': ('order-item-code',),
        'sku': ('sku',),
        'promotion': ('promotion-id',),
    }

    def parse(self, row, reading):
        if row.get('total') and not row.get('type'):
            reading.rows -= 1  # the summary
            self.read_summary(row, reading)
            return []
        found = []
        for label, text in self.get_amounts(row):
            value = amount_of_two(text)
            self.add(row.table, value)
            if row.get('type').casefold() in REFUNDS and self.is_of_buyer(label):
                found.append(self.make(row, label, -value))
        if row.table.currency:
            return found
        row.table.later += found
        return []

    def close(self, table, reading):
        # Rows above the summary, which is the first one unless somebody has sorted them.
        return [replace(refund, currency=table.currency) for refund in table.later]

    def read_summary(self, row, reading):
        table = row.table
        table.currency = reading.currency = row.get('currency')
        total = amount_of_two(row.get('total'))
        reading.number = row.id('settlement')
        reading.start, reading.end = row.moment('start'), row.moment('end')
        table.totals['control'] = control = Control('settlement', total, currency=table.currency)
        control.found = table.totals.pop('early', amount('0'))
        reading.controls.append(control)

    def add(self, table, value):
        control = table.totals.get('control')
        if control:
            control.found += value
        else:
            table.totals['early'] = table.totals.get('early', 0) + value

    def get_key(self, row):
        """Return what names the refund of a row."""
        at = self.get_moment(row)
        return '/'.join(
            (
                row.id('order'),
                row.id('adjustment'),
                f'{at:%Y%m%d%H%M%S}' if at else '',
                row.get('type'),
            )
        )

    def move(self, row, found, reading):
        number = row.id('settlement') or reading.number
        if row.get('total') and not row.get('type'):
            at = row.moment('deposit') or row.moment('end')
            total = amount_of_two(row.get('total'))
            return [Movement(f'{number}/payout', PAYOUT, -total, at=at, label=number)]
        moved = []
        for label, text in self.get_amounts(row):
            refund = ''
            if self.is_of_buyer(label):
                is_refund = row.get('type').casefold() in REFUNDS
                kind = REFUND if is_refund else SALE
                refund = self.get_key(row) if is_refund else ''
            else:
                kind = FEE if row.id('order') else OTHER
            name = label.partition('/')[2] or row.get('type')
            key = f'{number}/{self.get_key(row)}/{label}/{row.id("item")}/{text}'
            moved.append(
                Movement(
                    key=f'{key}/{row.table.occurrence("movement", key)}',
                    kind=kind,
                    amount=amount_of_two(text),
                    at=self.get_moment(row),
                    label='' if kind in (REFUND, SALE) else name,
                    refund=refund,
                )
            )
        return moved

    def make(self, row, label, value):
        key, at = self.get_key(row), self.get_moment(row)
        part = f'{label}|{row.id("item")}|{row.get("promotion")}|{value}'
        return Refund(
            key=key,
            order=row.id('order'),
            amount=value,
            currency=row.table.currency,
            at=at,
            part=f'{part}|{row.table.occurrence(key, part)}',
            label=label,
            sku=row.get('sku'),
            item=row.id('item'),
            reason=row.get('type'),
            line=row.line,
        )

    def is_of_buyer(self, label):
        """Return whether an amount is the buyer's, by ``kind/description``."""
        kind, _sep, description = label.partition('/')
        return kind in ('price', 'promotion') or description.startswith(WITHHELD)

    def get_amounts(self, row):
        """Return the amounts of a row as pairs of ``kind/description`` and text."""
        raise NotImplementedError

    def get_moment(self, row):
        """Return when the row was posted, in UTC."""
        raise NotImplementedError


class SettlementV2(Settlement):
    """One amount per row; numbers and dates in the style of the marketplace."""

    name = 'amazon_settlement_v2'
    columns = Settlement.common | {
        'amount_type': ('amount-type',),
        'description': ('amount-description',),
        'amount': ('amount',),
        'posted': ('posted-date-time',),
    }
    required = (
        'settlement',
        'total',
        'type',
        'order',
        'adjustment',
        'amount_type',
        'description',
        'amount',
        'posted',
    )
    kinds = {'itemprice': 'price', 'promotion': 'promotion'}

    def open(self, table, before):
        table.zone = UTC

    def get_amounts(self, row):
        kind = self.kinds.get(row.get('amount_type').casefold(), 'other')
        return (
            [(f'{kind}/{row.get("description")}', row.get('amount'))] if row.get('amount') else []
        )

    def get_moment(self, row):
        return row.moment('posted')


class SettlementV1(Settlement):
    """The older layout: a column for each kind of amount, the quantity in a separate row."""

    name = 'amazon_settlement_v1'
    kinds = {
        'shipment_fee': ('other', 'shipment-fee-type', 'shipment-fee-amount'),
        'order_fee': ('other', 'order-fee-type', 'order-fee-amount'),
        'price': ('price', 'price-type', 'price-amount'),
        'item_fee': ('other', 'item-related-fee-type', 'item-related-fee-amount'),
        'misc_fee': ('other', '', 'misc-fee-amount'),
        'other_fee': ('other', 'other-fee-reason-description', 'other-fee-amount'),
        'promotion_amount': ('promotion', 'promotion-type', 'promotion-amount'),
        'direct': ('other', 'direct-payment-type', 'direct-payment-amount'),
        'other': ('other', '', 'other-amount'),
    }
    columns = (
        Settlement.common
        | {'posted': ('posted-date',)}
        | {f'{name}_type': (label,) for name, (_kind, label, _amount) in kinds.items() if label}
        | {name: (value,) for name, (_kind, _label, value) in kinds.items()}
    )
    required = (
        'settlement',
        'total',
        'type',
        'order',
        'adjustment',
        'price_type',
        'price',
        'item_fee',
        'posted',
    )

    def open(self, table, before):
        table.zone = UTC

    def get_amounts(self, row):
        return [
            (f'{kind}/{row.get(f"{name}_type")}', row.get(name))
            for name, (kind, _label, _amount) in self.kinds.items()
            if row.get(name)
        ]

    def get_moment(self, row):
        return row.moment('posted')


class WarehouseReturns(TableFormat):
    """Units that came back to a warehouse of Amazon. The licence plate is the unit."""

    name = 'amazon_fba_returns'
    delimiters = '\t'
    quoted = False
    columns = {
        'at': ('return-date',),
        'order': ('order-id',),
        'sku': ('sku',),
        'name': ('product-name',),
        'quantity': ('quantity',),
        'condition': ('detailed-disposition',),
        'reason': ('reason',),
        'status': ('status',),
        'plate': ('license-plate-number',),
        'comment': ('customer-comments',),
        'item': ('asin',),
    }
    required = ('at', 'order', 'sku', 'quantity', 'condition', 'reason', 'plate')

    def parse(self, row, reading):
        plate = row.id('plate')
        key = plate or '/'.join((row.id('order'), row.get('sku'), row.get('at')))
        if not plate:
            key = f'{key}/{row.table.occurrence(key)}'
        return [
            ReturnUnit(
                key=key,
                order=row.id('order'),
                sku=row.get('sku'),
                quantity=quantity(row.get('quantity')),
                at=row.moment('at'),
                item=row.get('item'),
                name=row.get('name'),
                reason=row.get('reason'),
                condition=row.get('condition'),
                status=row.get('status'),
                reference=plate,
                comment=row.get('comment'),
                line=row.line,
            )
        ]


class SellerReturns(TableFormat):
    """Returns of buyers to the seller, and what the list states was refunded."""

    name = 'amazon_mfn_returns'
    delimiters = '\t'
    quoted = False
    columns = {
        'order': ('Order ID',),
        'requested': ('Return request date',),
        'status': ('Return request status',),
        'rma': ('Amazon RMA ID',),
        'own_rma': ('Merchant RMA ID',),
        'currency': ('Currency code',),
        'tracking': ('Tracking ID',),
        'sku': ('Merchant SKU',),
        'name': ('Item Name',),
        'quantity': ('Return quantity',),
        'reason': ('Return Reason',),
        'resolution': ('Resolution',),
        'delivered': ('Return delivery date',),
        'refunded': ('Refunded Amount',),
        'item': ('Order Item ID',),
    }
    required = ('order', 'requested', 'rma', 'sku', 'quantity', 'reason', 'refunded')

    def parse(self, row, reading):
        key = '/'.join(filter(None, (row.id('rma'), row.get('sku'), row.id('item'))))
        refunded = amount_of_two(row.get('refunded')) if row.get('refunded') else amount('0')
        unit = ReturnUnit(
            key=key,
            order=row.id('order'),
            sku=row.get('sku'),
            quantity=quantity(row.get('quantity')),
            at=row.moment('requested'),
            item=row.id('item'),
            name=row.get('name'),
            reason=row.get('reason'),
            status=row.get('status'),
            tracking=row.id('tracking'),
            reference=row.get('own_rma'),
            line=row.line,
        )
        stated = Refund(
            key=key,
            order=row.id('order'),
            amount=refunded,
            currency=row.get('currency'),
            at=row.moment('requested'),
            kind=STATED,
            sku=row.get('sku'),
            line=row.line,
        )
        return [unit, stated] if refunded else [unit]


class Reimbursements(TableFormat):
    """Money from Amazon for goods it lost or damaged."""

    name = 'amazon_fba_reimbursements'
    delimiters = '\t'
    quoted = False
    columns = {
        'at': ('approval-date',),
        'number': ('reimbursement-id',),
        'order': ('amazon-order-id',),
        'reason': ('reason',),
        'sku': ('sku',),
        'currency': ('currency-unit',),
        'amount': ('amount-total',),
        'quantity': ('quantity-reimbursed-total',),
        'reverses': ('original-reimbursement-id',),
    }
    required = ('at', 'number', 'reason', 'sku', 'currency', 'amount')

    def parse(self, row, reading):
        number = row.id('number')
        return [
            Reimbursement(
                key=f'{number}/{row.get("sku")}',
                amount=amount_of_two(row.get('amount')),
                currency=row.get('currency'),
                order=row.id('order'),
                sku=row.get('sku'),
                quantity=quantity(row.get('quantity')),
                at=row.moment('at'),
                reason=row.get('reason'),
                reverses=row.id('reverses'),
                line=row.line,
            )
        ]


FORMATS = (SettlementV2(), SettlementV1(), WarehouseReturns(), SellerReturns(), Reimbursements())
