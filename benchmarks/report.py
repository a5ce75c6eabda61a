"""Plain text for a terminal: tables, checks and a progress line. Needs no Odoo."""

import sys
import time
from pathlib import Path


def format_table(head, rows, right=()):
    """Return rows as text with aligned columns.

    :param list head: titles of the columns.
    :param list rows: lists of values, shown with ``str``.
    :param right: indexes of the columns that are aligned to the right.
    :rtype: str

    >>> print(format_table(['Step', 'Amount'], [['invoice', '12.00'], ['credit', '3.50']], {1}))
    Step     Amount
    -------  ------
    invoice   12.00
    credit     3.50
    """
    lines = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in lines) for column in range(len(head))]
    lines.insert(1, ['-' * width for width in widths])
    return '\n'.join(
        '  '.join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in lines
    )


class Checks:
    """Collects checks, prints them, and remembers whether all passed."""

    def __init__(self):
        self.rows = []

    def add(self, name, passed, details=""):
        """Record one check; ``details`` are the numbers compared."""
        self.rows.append((name, bool(passed), details))

    def equal(self, name, found, expected):
        """Record a check that two values are equal, showing both if they are not."""
        same = found == expected
        self.add(name, same, f"{found}" if same else f"{found} instead of {expected}")

    @property
    def passed(self):
        return all(passed for _name, passed, _details in self.rows)

    @property
    def failed_names(self):
        return [name for name, passed, _details in self.rows if not passed]

    def print(self):
        """Print each check with PASS or FAIL."""
        rows = [['PASS' if passed else 'FAIL', name, info] for name, passed, info in self.rows]
        print(format_table(['', 'Check', 'Found'], rows))


class Progress:
    """A progress line that is rewritten in place; silent without a terminal.

    Used as ``for part in Progress("invoices", parts, weight=len): ...``.
    """

    width = 30

    def __init__(self, title, parts, weight=lambda part: 1):
        self.title = title
        self.parts = parts
        self.weight = weight
        self.total = sum(map(weight, parts))
        self.shown = sys.stdout.isatty()
        self.begin = time.monotonic()

    def __iter__(self):
        done = 0
        self.show(done)
        for part in self.parts:
            yield part
            done += self.weight(part)
            self.show(done)
        if self.shown:
            print()

    def show(self, done):
        if not self.shown:
            return
        filled = self.width * done // (self.total or 1)
        bar = '#' * filled + '.' * (self.width - filled)
        seconds = time.monotonic() - self.begin
        line = f"{self.title:<28} [{bar}] {done}/{self.total} {seconds:5.0f} s"
        print(f"\r{line}", end='', flush=True)


class Phases:
    """Measures the cost of each phase, over many rounds: ``with phases('deliver'): ...``.

    `seconds` are those of the clock. `cpu` is what this process and the PostgreSQL process behind
    its cursor have computed, which other work on the machine changes little; without a PostgreSQL
    on the same machine it is this process alone.
    """

    def __init__(self, cr=None):
        self.cr = cr
        self.seconds = {}
        self.cpu = {}
        self.queries = {}
        self.current = None
        self.backend = None

    def __call__(self, name):
        self.current = name
        return self

    def __enter__(self):
        if self.cr and not self.backend:
            self.cr.execute("SELECT pg_backend_pid()")
            self.backend = Path(f'/proc/{self.cr.fetchone()[0]}/schedstat')
        self.begin = self.read()
        return self

    def __exit__(self, *error):
        name = self.current
        for total, begin, end in zip(
            (self.seconds, self.cpu, self.queries), self.begin, self.read(), strict=True
        ):
            total[name] = total.get(name, 0) + end - begin

    def read(self):
        """Return `(seconds of the clock, seconds of computing, queries)` until now."""
        computing = time.process_time()
        if self.backend and self.backend.exists():
            # Nanoseconds on a processor, to be read for local processes only.
            computing += int(self.backend.read_text(encoding='ascii').split()[0]) / 1e9
        return time.perf_counter(), computing, self.cr.sql_log_count if self.cr else 0
