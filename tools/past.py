"""The past, as of which rules can be evaluated."""


class Past:
    """Facts count as of when a return was requested, not as of now.

    Our code passes it in the context, as `sale_return_past`; clients can only send plain values.

    >>> Past({7: 'noon'}).moments[7]
    'noon'
    """

    def __init__(self, moments=None, verdicts=None):
        # `{id of a return: when it was requested}`; for others it is when they were created.
        self.moments = moments or {}
        # `{id of a return: what the others of its period are worth}`, as far as it was looked up.
        self.amounts = {}
        # What rules said about these facts, by what they say themselves; None: nothing is kept.
        self.verdicts = verdicts
