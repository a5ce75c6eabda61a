"""The content of a returns desk in memory: what is expected, what was counted. Without Odoo."""

PRECISION = 6


class Desk:
    """One session during a call.

    :param session: the record; the desk only uses fields that the caller has read.
    :param dict works: `{return id: {'id', 'facts', 'since'}}`
    :param list items: dicts with the fields of the items that were not undone.
    """

    def __init__(self, session, works, items, values):
        self.session = session
        self.works = works
        self.items = {item['id']: item for item in items}
        self.company = values.get('company')
        self.user = values.get('user')
        self.steps = values.get('steps') or 0
        self.parcel = values.get('parcel')
        self.parcel_id = values.get('parcel_id')
        self.current = values.get('current')
        self.question = values.get('question')
        self.notice = values.get('notice')
        self.answer = values.get('answer')
        # The step that an undo reverts: `{'id', 'label', 'journal'}`.
        self.last_step = values.get('last_step')
        # Changes of the session by the call, and the data to undo them.
        self.changes = {}
        self.journal = []
        self.label = None

    # --- what is expected

    @property
    def lines(self):
        """All lines (and components of kits) of the returns on the desk."""
        return [line for work in self.works.values() for line in work['facts']['lines']]

    def get_line(self, key):
        """Return a line by its key, None when its return left the desk."""
        return next((line for line in self.lines if line['key'] == key), None)

    def get_return_id(self, key):
        """Return the return to which a line belongs."""
        for return_id, work in self.works.items():
            if any(line['key'] == key for line in work['facts']['lines']):
                return return_id
        return None

    def get_codes(self):
        """Return the codes of everything expected."""
        return {code for line in self.lines for code in (*line['codes'], *line['serials'])}

    def find_lines(self, codes):
        """Return the lines with a unit or packaging among the codes, `[(line, quantity)]`."""
        return [
            (line, line['codes'][code])
            for line in self.lines
            for code in codes
            if code in line['codes']
        ]

    def find_lots(self, codes):
        """Return the lines of which a code is a lot, `[(line, name)]`."""
        return [(line, code) for line in self.lines for code in codes if code in line['serials']]

    # --- what was counted

    def counted(self, key, kinds=('expected',)):
        """Return how much of a line was counted, in the unit of the product."""
        return round(
            sum(
                item['quantity']
                for item in self.items.values()
                if item['line_key'] == key and item['kind'] in kinds
            ),
            PRECISION,
        )

    def left(self, line):
        """Return how much of a line is still to be counted."""
        return round(max(line['expected'] - self.counted(line['key']), 0.0), PRECISION)

    def find_item(self, key, lot, kind='expected'):
        """Return the item that a scan adds to: the same goods, without result yet."""
        return next(
            (
                item
                for item in reversed(list(self.items.values()))
                if item['line_key'] == key
                and (item['lot_name'] or None) == (lot or None)
                and item['kind'] == kind
                and not item['grade_id']
                and not item['disposition_id']
            ),
            None,
        )

    def find_serial(self, product_id, lot):
        """Return the item of a lot or serial number, None when it was not counted."""
        return next(
            (
                item
                for item in self.items.values()
                if item['product_id'] == product_id and item['lot_name'] == lot
            ),
            None,
        )

    # --- changes of the session

    def set(self, name, value):
        """Change a value of the session, so that it is saved and can be undone."""
        old = getattr(self, name)
        if old == value:
            return
        if name in ('current', 'parcel', 'parcel_id'):
            self.journal.append(['session', name, old])
        self.changes[name] = value
        setattr(self, name, value)
