"""A format described by the user: the meaning of its columns."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from .record import DONE, FAILED, PENDING, REFUND, BrokenRowError, FormatError, Refund
from .table import TableFormat
from .value import COMMA, DOT

FIELDS = (
    'key',
    'order',
    'amount',
    'currency',
    'at',
    'status',
    'sku',
    'item',
    'reason',
    'reference',
)
NEEDED = ('key', 'order', 'amount')


@dataclass(frozen=True)
class Profile:
    """Description of the files of a channel without a reader.

    ``columns`` names the column of the file for each of ``FIELDS`` (``NEEDED`` are needed);
    ``done``, ``pending`` and ``failed`` are the values of the status, rows with other values are
    skipped; without a status all rows are refunds. ``negative`` means that refunds have a minus
    sign.
    """

    name: str
    columns: dict
    delimiter: str = ','
    encoding: str = 'cp1252'
    style: str = DOT
    month_first: bool = False
    zone: str = 'UTC'
    currency: str = ''
    negative: bool = False
    done: tuple = ()
    pending: tuple = ()
    failed: tuple = ()
    values: dict = field(default_factory=dict)


class Mapped(TableFormat):
    """Reads a table by a profile."""

    def __init__(self, profile):
        missing = [name for name in NEEDED if not profile.columns.get(name)]
        if missing:
            raise FormatError(
                f'Say which column is the {missing[0]}.', 'profile', column=missing[0]
            )
        if profile.style not in (DOT, COMMA) or len(profile.delimiter) != 1:
            raise FormatError('Say how numbers are written, and what separates columns.', 'profile')
        self.profile = profile
        self.name = profile.name
        self.columns = {
            ours: (theirs,) for ours, theirs in profile.columns.items() if ours in FIELDS and theirs
        }
        self.required = tuple(self.columns)
        self.delimiters = profile.delimiter
        self.legacy = (profile.encoding,)
        self.zone = ZoneInfo(profile.zone)

    def open(self, table, before):
        table.style, table.month_first = self.profile.style, self.profile.month_first
        table.zone, table.currency = self.zone, self.profile.currency

    def parse(self, row, reading):
        state = self.get_state(row.get('status'))
        if state is None:
            return []
        if not row.id('key') or not row.get('amount'):
            raise BrokenRowError('key or amount is missing', 'missing')
        value = row.amount('amount')
        if self.profile.negative:
            if value > 0:
                return []  # a payment
            value = -value
        reason = row.get('reason')
        return [
            Refund(
                key=row.id('key'),
                order=row.id('order'),
                amount=value,
                currency=row.get('currency') or self.profile.currency,
                at=row.moment('at'),
                state=state,
                kind=REFUND,
                sku=row.get('sku'),
                item=row.id('item'),
                reason=self.profile.values.get(reason, reason),
                reference=row.id('reference'),
                line=row.line,
            )
        ]

    def get_state(self, status):
        """Return the state of a refund by the value in the file, or None if no money moved."""
        profile = self.profile
        if 'status' not in self.columns or not (profile.done or profile.pending or profile.failed):
            return DONE
        words = {DONE: profile.done, PENDING: profile.pending, FAILED: profile.failed}
        return next((state for state, known in words.items() if status in known), None)


# Based on descriptions by shops. No real file was available: check it against one of yours.
PINDUODUO = Profile(
    name='pinduoduo_aftersales',
    columns={
        'key': '售后编号',
        'order': '订单编号',
        'amount': '退款金额（元）',
        'at': '退款成功时间',
        'status': '售后状态',
        'sku': '商家编码-SKU维度',
        'reason': '售后原因',
    },
    encoding='gb18030',
    zone='Asia/Shanghai',
    currency='CNY',
    done=('退款成功',),
    pending=('待退款', '退款中'),
    failed=('退款关闭', '已撤销'),
)
