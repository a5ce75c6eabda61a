"""Own shops: Shopify (payouts, orders, refunds) and WooCommerce (refunds)."""

from decimal import Decimal

from .payment import get_movements
from .record import (
    CHARGEBACK,
    DONE,
    FAILED,
    OTHER,
    PAYOUT,
    PENDING,
    REFUND,
    SALE,
    BrokenRowError,
    Movement,
    Refund,
    ReturnUnit,
)
from .table import TableFormat
from .value import amount, moment


class ShopifyPayouts(TableFormat):
    """Payment transactions. They have no number, so order, time and amount are the key."""

    name = 'shopify_payouts'
    columns = {
        'at': ('Transaction Date',),
        'type': ('Type',),
        'order': ('Order',),
        'status': ('Payout Status',),
        'amount': ('Amount',),
        'fee': ('Fee',),
        'currency': ('Currency',),
        'payout': ('Payout ID',),
    }
    required = ('at', 'type', 'order', 'status', 'amount', 'currency')
    kinds = {'refund': 'refund', 'chargeback': CHARGEBACK}
    delimiters = ',;\t'

    def parse(self, row, reading):
        value = -row.amount('amount')
        kind = self.kinds.get(row.get('type').casefold())
        if not kind:
            return []
        key = self.get_key(row, value, kind)
        occurrence = row.table.occurrence(key)
        return [
            Refund(
                key=f'{key}/{occurrence}' if occurrence else key,
                order=row.id('order'),
                amount=value,
                currency=row.get('currency'),
                at=row.moment('at'),
                state=PENDING if row.get('status').casefold() == 'pending' else DONE,
                kind=kind,
                reference=row.id('payout'),
                line=row.line,
            )
        ]

    def get_key(self, row, value, kind):
        return f'{row.id("order")}/{row.moment("at"):%Y%m%dT%H%M%S%z}/{value}/{kind}'

    def move(self, row, found, reading):
        payout = row.id('payout')
        if 'fee' not in row.table.columns or not payout:
            return []  # not on the account yet
        value, fee, type_ = row.amount('amount'), row.amount('fee'), row.get('type')
        kind = SALE if type_.casefold() == 'charge' else OTHER
        if found and found[0].kind == 'refund':
            kind = REFUND
        key = f'movement/{self.get_key(row, value, type_)}'
        key = f'{key}/{row.table.occurrence(key)}'
        currency, at = row.get('currency'), row.moment('at')
        return [
            *get_movements(row, key, kind, value, fee, currency, at, type_, found),
            # Each row is paid out with its payout, whatever file shows the others of it.
            Movement(f'{key}/payout', PAYOUT, fee - value, currency, at, payout),
        ]


class ShopifyOrders(TableFormat):
    """Orders: the total refunded of an order so far, without dates, on the first of its rows."""

    name = 'shopify_orders'
    columns = {
        'order': ('Name',),
        'status': ('Financial Status',),
        'currency': ('Currency',),
        'refunded': ('Refunded Amount',),
        'quantity': ('Lineitem quantity',),
        'sku': ('Lineitem sku',),
    }
    required = ('order', 'status', 'currency', 'refunded', 'quantity')
    delimiters = ',;\t'

    def parse(self, row, reading):
        if not row.get('refunded') or not (value := row.amount('refunded')):
            return []
        return [
            Refund(
                key=row.id('order'),
                order=row.id('order'),
                amount=value,
                currency=row.get('currency'),
                label='so far',
                line=row.line,
            )
        ]


class JsonFormat:
    """A format in JSON: a list of things, or one of them."""

    name = ''

    def items(self, data):
        """Return the objects in a document, or None if it is of another format."""
        raise NotImplementedError

    def parse(self, item, line, reading):
        """Return the records of an object.

        :raise BrokenRowError: if it cannot be read
        """
        raise NotImplementedError


class ShopifyRefunds(JsonFormat):
    """Refunds of the REST interface, or the body of a web hook. Amounts come from transactions."""

    name = 'shopify_refunds'
    states = {'success': DONE, 'pending': PENDING, 'failure': FAILED, 'error': FAILED}

    def items(self, data):
        if isinstance(data, dict) and isinstance(data.get('refunds'), list) and len(data) == 1:
            return data['refunds']
        things = data if isinstance(data, list) else [data]
        if things and all(
            isinstance(each, dict) and 'refund_line_items' in each for each in things
        ):
            return things
        return None

    def parse(self, item, line, reading):
        order, key = text_of(item, 'order_id'), text_of(item, 'id', needed=True)
        at = moment(text_of(item, 'processed_at') or text_of(item, 'created_at', needed=True))
        found = []
        for transaction in list_of(item, 'transactions'):
            if text_of(transaction, 'kind') != 'refund' or transaction.get('test') is True:
                continue
            found.append(
                Refund(
                    key=key,
                    order=order,
                    amount=amount(text_of(transaction, 'amount', needed=True)),
                    currency=text_of(transaction, 'currency'),
                    at=at,
                    part=text_of(transaction, 'id'),
                    state=self.states.get(text_of(transaction, 'status'), PENDING),
                    reference=text_of(item.get('return') or {}, 'id'),
                    reason=text_of(item, 'note'),
                    line=line,
                )
            )
        for each in list_of(item, 'refund_line_items'):
            sold = each.get('line_item') or {}
            found.append(
                ReturnUnit(
                    key=f'{key}/{text_of(each, "id")}',
                    order=order,
                    sku=text_of(sold, 'sku'),
                    quantity=amount(text_of(each, 'quantity') or '0'),
                    at=at,
                    item=text_of(each, 'line_item_id'),
                    name=text_of(sold, 'name'),
                    status=text_of(each, 'restock_type'),
                    reference=text_of(item.get('return') or {}, 'id'),
                    document=key,
                    line=line,
                )
            )
        return found


class WooRefunds(JsonFormat):
    """Refunds of WooCommerce: positive amounts, negative lines, no currency."""

    name = 'woocommerce_refunds'

    def items(self, data):
        things = data if isinstance(data, list) else [data]
        needed = {'amount', 'refunded_by', 'line_items'}
        # WooCommerce returns an empty list if nothing was refunded.
        if all(isinstance(each, dict) and needed <= set(each) for each in things):
            return things
        return None

    def parse(self, item, line, reading):
        key = text_of(item, 'id', needed=True)
        order = text_of(item, 'parent_id') or self._get_linked_order(item)
        utc = text_of(item, 'date_created_gmt')
        at = moment(f'{utc}Z') if utc else moment(text_of(item, 'date_created', needed=True))
        refund = Refund(
            key=key,
            order=order,
            amount=amount(text_of(item, 'amount', needed=True)),
            at=at,
            reason=text_of(item, 'reason'),
            line=line,
        )
        units = []
        for each in list_of(item, 'line_items'):
            sold = [
                text_of(meta, 'value')
                for meta in list_of(each, 'meta_data')
                if text_of(meta, 'key') == '_refunded_item_id'
            ]
            how_many = -amount(text_of(each, 'quantity') or '0')
            if how_many > 0:
                units.append(
                    ReturnUnit(
                        key=f'{key}/{text_of(each, "id")}',
                        order=order,
                        sku=text_of(each, 'sku'),
                        quantity=how_many,
                        at=at,
                        item=sold[0] if sold else '',
                        name=text_of(each, 'name'),
                        document=key,
                        line=line,
                    )
                )
        return [refund, *units]

    def _get_linked_order(self, item):
        links = list_of(item.get('_links') or {}, 'up')
        return text_of(links[0], 'href').rstrip('/').rpartition('/')[2] if links else ''


def text_of(item, name, needed=False):
    """Return a value of a JSON object as text.

    :raise BrokenRowError: if it is not text, or missing although required
    """
    value = item.get(name) if isinstance(item, dict) else None
    if isinstance(value, (dict, list)) or (needed and value in (None, '')):
        raise BrokenRowError(f'{name} is missing', 'missing')
    if value is None or value is False:
        return ''
    if isinstance(value, Decimal):
        return format(value, 'f')
    return str(value)


def list_of(item, name):
    """Return a list of JSON objects.

    :raise BrokenRowError: if it is not one
    """
    value = item.get(name) if isinstance(item, dict) else None
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise BrokenRowError(f'{name} is no list', 'missing')
    return value


TABLES = (ShopifyPayouts(), ShopifyOrders())
DOCUMENTS = (ShopifyRefunds(), WooRefunds())
