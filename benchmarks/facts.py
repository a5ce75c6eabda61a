"""Facts of returns that nobody sold: any trade, without its documents.

What reads `sale.return.fact._get_query` reads a temporary table instead, as long as `given` lasts.
"""

import io
from contextlib import contextmanager
from unittest.mock import patch

from odoo.tools import SQL

TABLE = 'sale_return_given_fact'


@contextmanager
def given(env, rows=()):
    """Have the facts be these rows, and nothing else.

    :param rows: iterable of `{column: value}`; empty columns may be left out. More are added with
        `add`, or in SQL to the table `TABLE`.
    """
    env.cr.execute(f"CREATE TEMPORARY TABLE {TABLE} (LIKE sale_return_fact) ON COMMIT DROP")
    env.cr.execute(f"ALTER TABLE {TABLE} ALTER COLUMN id DROP NOT NULL")
    env.cr.execute(f"ALTER TABLE {TABLE} ALTER COLUMN kind DROP NOT NULL")
    model = env.registry['sale.return.fact']

    def get_query(self):
        return SQL("SELECT %s FROM %s", self._get_column_list(), SQL.identifier(TABLE))

    add(env, rows)
    try:
        with patch.object(model, '_get_query', get_query):
            yield
    finally:
        env.cr.execute(f"DROP TABLE {TABLE}")


def add(env, rows):
    """Add rows to the facts that are `given`."""
    rows = list(rows)
    columns = sorted({name for row in rows for name in row})
    if not columns:
        return
    lines = '\n'.join(
        '\t'.join('\\N' if row.get(name) is None else str(row[name]) for name in columns)
        for row in rows
    )
    env.cr.copy_expert(f"COPY {TABLE} ({', '.join(columns)}) FROM STDIN", io.StringIO(lines))


def empty(env):
    """Take all facts away that are `given`."""
    env.cr.execute(f"TRUNCATE {TABLE}")
