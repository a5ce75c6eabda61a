"""Notes of many records that are logged together instead of one by one."""


class Notes(list):
    """What records would have posted: `(record, body)`.

    A type of its own: no client can send one in its context, and so keep a note from being posted.

    >>> Notes([('order', 'Paid'), ('order', 'Sent'), ('delivery', 'Made')]).in_rounds()
    [{'order': 'Paid', 'delivery': 'Made'}, {'order': 'Sent'}]

    Environments with equal contexts are one, which would mix the notes of two callers: no two
    collections are equal, not even empty ones.

    >>> Notes() == Notes()
    False
    """

    __hash__ = object.__hash__

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return self is not other

    def in_rounds(self):
        """Return the notes as dicts `{record: body}`, each record once in each."""
        rounds = []
        for record, body in self:
            free = next((found for found in rounds if record not in found), None)
            if free is None:
                rounds.append(free := {})
            free[record] = body
        return rounds
