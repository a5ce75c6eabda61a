"""Quantities of goods: shown and priced in one unit, counted in another.

An order line in dozens moves pieces. Pieces are counted, so two quantities are equal if they are
the same number of pieces; a dozen is only a way to show and price them:

>>> dozen = Measure(12.0)
>>> dozen.to_stock(1 / 3), dozen.from_stock(4.0)
(4.0, 0.3333333333333333)
>>> dozen.is_zero(1 - 3 * dozen.from_stock(4.0)), dozen.compare(0.33, 1 / 3)
(True, -1)
"""

import math
from dataclasses import dataclass

EPSILON = 1e-6


@dataclass(frozen=True)
class Measure:
    """How quantities in the unit of a line convert to quantities in stock.

    ``ratio`` is how many stock units one unit of the line is, ``steps`` in how many steps a stock
    unit is counted, ``digits`` with how many decimals Odoo keeps quantities in the unit of a line.
    ``in_pieces`` is False where parts of a stock unit were sold: 0.33 dozen ribbons of 3.96 metres.

    Kilograms of a line in tonnes, and pieces of a line sold by the piece and stocked by the dozen:

    >>> tonne, piece = Measure(1000.0), Measure(1 / 12)
    >>> tonne.to_stock(0.004), tonne.round(0.0042567), piece.round(4.0)
    (4.0, 0.00426, 3.96)
    """

    ratio: float = 1.0
    steps: float = 100.0
    digits: int = 2
    in_pieces: bool = True

    @property
    def rounding(self):
        """Smallest quantity above zero, in the unit of the line."""
        return 1 / self.steps / self.ratio

    def to_stock(self, quantity):
        """Return the quantity in stock units, to the nearest step (half a step: away from zero)."""
        return self._count(quantity * self.ratio) / self.steps

    def from_stock(self, quantity):
        """Return a quantity of stock units in the unit of the line, not rounded any further."""
        counted = self._count(quantity) / self.steps
        inverse = 1 / self.ratio
        if self.ratio < 1 and abs(inverse - round(inverse)) < EPSILON:
            return counted * round(inverse)  # 0.33 dozen are exactly 3.96 pieces
        return counted / self.ratio

    def round(self, quantity):
        """Return the nearest quantity of the line that is a whole number of steps in stock.

        The same step is always the same number, so that sums leave no remainder:

        >>> dozen = Measure(12.0)
        >>> dozen.round(1 - dozen.from_stock(8.0)) == dozen.from_stock(4.0)
        True
        """
        return self.from_stock(quantity * self.ratio)

    def interpret(self, quantity, whole=None):
        """Return the quantity meant by a rounded one, as typed or stored.

        A third of a dozen cannot be written with two decimals; 0.33 stands for four pieces. A value
        that differs from a whole number of pieces by more than such a rounding is kept.

        :param float quantity: in the unit of the line.
        :param float whole: in the unit of the line, the maximum. Where stock is counted in larger
            steps than the line, a value that differs from it by less than a step means all of it.

        >>> dozen = Measure(12.0)
        >>> meant = [dozen.interpret(quantity) for quantity in (0.33, 0.67, 0.1, 1)]
        >>> [round(dozen.to_stock(quantity), 2) for quantity in meant]
        [4.0, 8.0, 1.2, 12.0]
        >>> Measure().interpret(3.333), Measure(1 / 12).interpret(4.0, whole=4.08)
        (3.33, 4.08)
        """
        if not math.isfinite(quantity):
            return quantity  # refused by the caller
        shown = 10**-self.digits
        if whole and self.ratio < 1 and abs(quantity - whole) < self.rounding * 0.999:
            return self.round(whole)
        exact = quantity * self.ratio
        pieces = float(round(exact))
        is_multiple = self.ratio > 1 and abs(self.ratio - round(self.ratio)) < EPSILON
        is_rounded = abs(quantity - round(quantity, self.digits)) < EPSILON * shown
        near = abs(exact - pieces) <= shown / 2 * self.ratio + EPSILON
        if self.in_pieces and pieces and is_multiple and is_rounded and near:
            return self.from_stock(pieces)
        return self.round(quantity)

    def compare(self, left, right):
        """Return -1, 0 or 1 if ``left`` is less than, the same as or more than ``right``."""
        difference = self._count(left * self.ratio) - self._count(right * self.ratio)
        return (difference > 0) - (difference < 0)

    def is_zero(self, quantity):
        """Tell whether a quantity is less than half a step."""
        return not self._count(quantity * self.ratio)

    def is_shown(self, quantity):
        """Tell whether the unit of the line expresses a quantity with the decimals it has.

        >>> Measure(12.0).is_shown(0.25), Measure(12.0).is_shown(1 / 3)
        (True, False)
        """
        return abs(quantity - round(quantity, self.digits)) < EPSILON

    def _count(self, quantity):
        """Return a quantity of stock units as a number of steps."""
        if not math.isfinite(quantity):
            return quantity
        steps = math.floor(abs(quantity) * self.steps + 0.5 + EPSILON)
        return math.copysign(steps, quantity) if steps else 0.0
