from odoo import fields, models
from odoo.tools import SQL

from .refund_sql import IS_NOTE


class SaleReturnRefundReport(models.Model):
    """Money that was paid back on credit notes of returns and goodwill, for accountants.

    One row for each entry that settled a note: by a refund of a return or by hand, and write-backs
    of discounts never received. Amounts are in the currency of the company.
    """

    _name = 'sale.return.refund.report'
    _description = "Refunds Analysis"
    _auto = False
    _rec_name = 'note_id'
    _order = 'date desc, id desc'
    _depends = {
        'account.move': ['state', 'move_type', 'date', 'journal_id', 'partner_id', 'company_id'],
        'account.move.line': ['move_id', 'sale_return_line_id', 'matched_debit_ids'],
        'account.partial.reconcile': ['amount', 'debit_move_id', 'credit_move_id'],
        'account.payment': ['payment_method_line_id', 'move_id'],
        'sale.return.goodwill': ['note_id'],
        'sale.return.refund': ['note_id', 'payment_id', 'method', 'write_back_move_id'],
    }

    note_id = fields.Many2one('account.move', string="Credit Note", readonly=True)
    invoice_id = fields.Many2one('account.move', readonly=True)
    entry_id = fields.Many2one('account.move', readonly=True)
    payment_id = fields.Many2one('account.payment', readonly=True)
    refund_id = fields.Many2one('sale.return.refund', readonly=True)
    company_id = fields.Many2one('res.company', readonly=True)
    currency_id = fields.Many2one('res.currency', string="Company Currency", readonly=True)
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True)
    journal_id = fields.Many2one('account.journal', readonly=True)
    payment_method_line_id = fields.Many2one(
        'account.payment.method.line', string="Payment Method", readonly=True
    )
    date = fields.Date(readonly=True)
    method = fields.Selection(
        [
            ('online', "Online"),
            ('payment', "Prepared payment"),
            ('by_hand', "By hand"),
            ('write_back', "Discount written back"),
        ],
        string="Way",
        readonly=True,
    )
    amount = fields.Monetary(string="Paid Back", readonly=True)
    written_back = fields.Monetary(readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT partial.id,
                   note.id AS note_id,
                   note.reversed_entry_id AS invoice_id,
                   entry.id AS entry_id,
                   payment.id AS payment_id,
                   COALESCE(refund.id, written.id) AS refund_id,
                   note.company_id,
                   credit.company_currency_id AS currency_id,
                   note.commercial_partner_id AS partner_id,
                   entry.journal_id,
                   payment.payment_method_line_id,
                   entry.date,
                   CASE WHEN written.id IS NOT NULL THEN 'write_back'
                        ELSE COALESCE(refund.method, 'by_hand') END AS method,
                   CASE WHEN written.id IS NULL THEN partial.amount ELSE 0 END AS amount,
                   CASE WHEN written.id IS NULL THEN 0 ELSE partial.amount END AS written_back
              FROM account_partial_reconcile partial
              JOIN account_move_line credit ON credit.id = partial.credit_move_id
              JOIN account_move note ON note.id = credit.move_id
              JOIN account_move_line debit ON debit.id = partial.debit_move_id
              JOIN account_move entry ON entry.id = debit.move_id
         LEFT JOIN account_payment payment ON payment.id = entry.origin_payment_id
         LEFT JOIN LATERAL (
                   SELECT id, method
                     FROM sale_return_refund
                    WHERE payment_id = payment.id AND note_id = note.id
                 ORDER BY id
                    LIMIT 1
                 ) refund ON TRUE
         LEFT JOIN LATERAL (
                   SELECT id
                     FROM sale_return_refund
                    WHERE write_back_move_id = entry.id
                 ORDER BY id
                    LIMIT 1
                 ) written ON TRUE
             WHERE note.move_type = 'out_refund'
               AND note.state = 'posted'
               AND %(is_note)s
               AND entry.move_type = 'entry'
               AND entry.reversed_entry_id IS NULL
               AND NOT EXISTS (
                   SELECT
                     FROM account_partial_reconcile difference
                    WHERE difference.exchange_move_id = entry.id)
            """,
            is_note=IS_NOTE,
        )
