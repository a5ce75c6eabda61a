"""Records read from files of channels, in the same form for all channels."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

# Kinds of refunds in a file: money to the buyer; money the bank took back; refunds stated in a list
# of returns, besides the file with the payments.
REFUND, CHARGEBACK, STATED = 'refund', 'chargeback', 'stated'
DONE, PENDING, FAILED = 'done', 'pending', 'failed'

ANNOUNCED, TRANSIT, DELIVERED, RETURNING, FAILURE = (
    'announced',
    'transit',
    'delivered',
    'returning',
    'failure',
)


class FormatError(ValueError):
    """A file that cannot be read as a whole; ``args[0]`` is a message for the user.

    ``code`` and ``values`` are for callers that translate it.
    """

    def __init__(self, sentence, code='format', **values):
        super().__init__(sentence)
        self.code = code
        self.values = values


class BrokenRowError(ValueError):
    """A row that cannot be read; ``args[0]`` is the reason, ``code`` classifies it."""

    def __init__(self, reason, code):
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Refund:
    """A row about money that the buyer got back.

    Rows with the same ``key`` are parts of one refund and add up; the same ``part`` of a key, in
    whatever file, is the same row. ``amount`` is what the buyer got back in ``currency`` (empty:
    the channel's), with tax and shipping, without the channel's fees: positive, or negative if it
    lowers the refund. ``at`` has a zone, or is in the channel's own time.
    """

    key: str
    order: str
    amount: Decimal
    currency: str = ''
    at: datetime | None = None
    part: str = ''
    state: str = DONE
    kind: str = REFUND
    label: str = ''
    sku: str = ''
    item: str = ''
    quantity: Decimal | None = None
    reference: str = ''
    reason: str = ''
    line: int = 0


@dataclass(frozen=True, slots=True)
class ReturnUnit:
    """Goods that come or came back, as the channel saw them.

    Units with the same ``document`` are one return; by default each is its own.
    """

    key: str
    order: str
    sku: str = ''
    quantity: Decimal = Decimal(1)
    at: datetime | None = None
    item: str = ''
    name: str = ''
    reason: str = ''
    condition: str = ''
    status: str = ''
    tracking: str = ''
    reference: str = ''
    comment: str = ''
    document: str = ''
    line: int = 0


@dataclass(frozen=True, slots=True)
class Tracking:
    """An event of a parcel. ``reference`` is the number given to the carrier at booking."""

    key: str
    number: str
    status: str
    at: datetime | None = None
    reference: str = ''
    code: str = ''
    description: str = ''
    returning: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Reimbursement:
    """Money from the channel to the seller, for goods it lost or damaged: no refund."""

    key: str
    amount: Decimal
    currency: str
    order: str = ''
    sku: str = ''
    quantity: Decimal = Decimal(1)
    at: datetime | None = None
    reason: str = ''
    reverses: str = ''
    line: int = 0


# What moves money on the seller's account with the channel. Of buyers comes and goes what is in the
# seller's books as well; fees are the channel's; a payout goes to the seller's bank.
SALE, FEE, PAYOUT, OTHER = 'sale', 'fee', 'payout', 'other'


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that a row brings the seller's account with the channel (negative: takes from it).

    All movements of a settlement, its payout included, add up to what stays with the channel.
    ``refund`` is the key of the :class:`Refund` whose money it is; ``label`` names a fee or payout.
    """

    key: str
    kind: str
    amount: Decimal
    currency: str = ''
    at: datetime | None = None
    label: str = ''
    refund: str = ''


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that could not be read; the others were."""

    line: int
    reason: str
    code: str
    text: str = ''

    def __str__(self):
        return f'line {self.line}: {self.reason}'


@dataclass(slots=True)
class Control:
    """A total that the file states, and what its readable rows add up to."""

    name: str
    stated: Decimal
    found: Decimal = Decimal(0)
    currency: str = ''

    @property
    def residual(self):
        """The difference not explained by rows: 0 if complete."""
        return self.stated - self.found


@dataclass(slots=True)
class Event:
    """A refund put together from its rows: see :func:`collect`."""

    key: str
    order: str
    currency: str
    kind: str
    state: str
    at: datetime | None
    amount: Decimal = Decimal(0)
    parts: dict = field(default_factory=dict)


def collect(items):
    """Return the refunds composed of rows, by key; other records are ignored.

    A part seen again replaces the earlier one. A failed part fails the refund: the buyer got
    nothing. A refund with a pending part is pending.

    >>> rows = [Refund('R1', 'S1', Decimal('10.00'), 'EUR', part='goods'),
    ...         Refund('R1', 'S1', Decimal('1.90'), 'EUR', part='tax'),
    ...         Refund('R1', 'S1', Decimal('1.90'), 'EUR', part='tax')]
    >>> collect(rows)['R1'].amount
    Decimal('11.90')
    """
    events = {}
    for item in items:
        if not isinstance(item, Refund):
            continue
        event = events.get(item.key)
        if event is None:
            event = events[item.key] = Event(
                item.key, item.order, item.currency, item.kind, item.state, item.at
            )
        event.order = event.order or item.order
        event.parts[item.part] = (item.amount, item.state)
    for event in events.values():
        states = {state for _amount, state in event.parts.values()}
        event.state = FAILED if FAILED in states else PENDING if PENDING in states else DONE
        event.amount = (
            Decimal(0)
            if event.state == FAILED
            else sum((amount for amount, _state in event.parts.values()), Decimal(0))
        )
    return events
