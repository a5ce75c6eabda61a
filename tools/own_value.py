"""Marker for values that only our own code can set."""


class OwnValue:
    """A value that our code sets on one of our fields when creating as the user.

    E.g. when Odoo splits a move. Clients send plain data and can never send this.
    """

    __slots__ = ('value',)

    def __init__(self, value):
        self.value = value

    def __bool__(self):
        return bool(self.value)
