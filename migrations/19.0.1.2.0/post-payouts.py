"""Record who prepared existing payouts, and for whom their notes were posted."""


def migrate(cr, version):
    """Fill `sale.return.refund.prepared_by_id` and `account.move.sale_return_customer_id`."""
    cr.execute(
        "UPDATE sale_return_refund SET prepared_by_id = create_uid WHERE prepared_by_id IS NULL"
    )
    cr.execute(
        """
        UPDATE account_move note
           SET sale_return_customer_id = note.commercial_partner_id
         WHERE note.move_type = 'out_refund'
           AND note.state = 'posted'
           AND note.sale_return_customer_id IS NULL
           AND EXISTS (
               SELECT FROM account_move_line line
                WHERE line.move_id = note.id AND line.sale_return_line_id IS NOT NULL
           )
        """
    )
