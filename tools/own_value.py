"""The mark of values that only our own code can give."""


class OwnValue:
    """What our code gives a field of ours in values that are created as the user.

    E.g. when Odoo splits a move. Clients send plain data and can never send this.
    """

    __slots__ = ('value',)

    def __init__(self, value):
        self.value = value

    def __bool__(self):
        return bool(self.value)
