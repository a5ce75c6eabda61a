"""Tell apart returns with the same external reference.

References are unique within a company and a channel. Where the index was missing, or could not be
built, two returns may share one: it would be missing again, and a program that repeats its call
would get either of them.
"""

import logging

from odoo.tools.sql import SQL, column_exists

_logger = logging.getLogger(__name__)


def migrate(cr, version):
    """Leave the reference to the oldest return; the others get their own name behind it."""
    # Where a program has brought returns already, numbers of two channels may be equal.
    channel = SQL('channel_id') if column_exists(cr, 'sale_return', 'channel_id') else SQL('NULL')
    cr.execute(
        SQL(
            """
        UPDATE sale_return r
           SET external_ref = r.external_ref || ' (' || r.name || ')'
          FROM (
              SELECT id,
                     ROW_NUMBER() OVER (
                         PARTITION BY company_id, %s, external_ref ORDER BY id
                     ) AS place
                FROM sale_return
               WHERE external_ref IS NOT NULL
          ) ranked
         WHERE ranked.id = r.id
           AND ranked.place > 1
     RETURNING r.id, r.external_ref
        """,
            channel,
        )
    )
    for return_id, reference in cr.fetchall():
        _logger.info("Return %s shared its external reference: now %s.", return_id, reference)
