"""Record how existing returns were requested.

The ORM would compute it return by return.
"""


def migrate(cr, version):
    """Add and fill `sale.return.door`, as `_compute_door` does."""
    cr.execute("ALTER TABLE sale_return ADD COLUMN IF NOT EXISTS door VARCHAR")
    cr.execute(
        """
        UPDATE sale_return r
           SET door = CASE
                   WHEN u.id = (
                       SELECT res_id FROM ir_model_data
                        WHERE module = 'base' AND name = 'public_user'
                   ) THEN 'link'
                   WHEN u.share THEN 'account'
                   WHEN u.id = 1 THEN 'system'
                   ELSE 'employee'
               END
          FROM res_users u
         WHERE u.id = r.create_uid
           AND r.door IS NULL
        """
    )
