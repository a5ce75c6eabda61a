from odoo import fields, models
from odoo.tools import SQL

from ..models.credit.const import CREDIT_KINDS
from .refund_sql import NOTES


class SaleReturnNoteReport(models.Model):
    """Posted credit notes of returns and goodwill, line by line, for accountants.

    Amounts are those of the ledger, in the currency of the company; deductions are negative. They
    add up to the notes.
    """

    _name = 'sale.return.note.report'
    _description = "Credit Notes Analysis"
    _auto = False
    _rec_name = 'note_id'
    _order = 'date desc, id desc'
    _depends = {
        'account.move': ['state', 'move_type', 'date', 'journal_id', 'partner_id', 'company_id'],
        'account.move.line': [
            'move_id',
            'display_type',
            'balance',
            'amount_currency',
            'price_subtotal',
            'price_total',
            'quantity',
            'tax_ids',
            'sale_line_ids',
            'sale_return_kind',
            'sale_return_line_id',
            'credited_line_id',
        ],
        'sale.return.goodwill': ['note_id', 'reason_id', 'return_id'],
        'sale.return.line': ['reason_id', 'return_id'],
        'sale.return.reason': ['return_class'],
    }

    note_id = fields.Many2one('account.move', string="Credit Note", readonly=True)
    invoice_id = fields.Many2one('account.move', readonly=True)
    return_id = fields.Many2one('sale.return', readonly=True)
    company_id = fields.Many2one('res.company', readonly=True)
    currency_id = fields.Many2one('res.currency', string="Company Currency", readonly=True)
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True)
    journal_id = fields.Many2one('account.journal', readonly=True)
    account_id = fields.Many2one('account.account', readonly=True)
    product_id = fields.Many2one('product.product', readonly=True)
    date = fields.Date(string="Accounting Date", readonly=True)
    reason_id = fields.Many2one('sale.return.reason', readonly=True)
    return_class = fields.Selection(
        [
            ('right_of_return', "Right of return"),
            ('like_for_like', "Exchange like for like"),
            ('warranty', "Warranty"),
            ('goodwill', "Goodwill"),
        ],
        string="Class",
        readonly=True,
    )
    kind = fields.Selection(
        [*CREDIT_KINDS, ('goodwill', "Goodwill"), ('other', "Other")],
        readonly=True,
        help=(
            "Kind of the line: goods, their share of the order's discounts and shipping, a "
            "deduction, or goodwill."
        ),
    )
    taxes = fields.Char(readonly=True, help="The taxes of the line, in the order of their names.")
    untaxed = fields.Monetary(readonly=True)
    tax = fields.Monetary(readonly=True)
    total = fields.Monetary(readonly=True)
    payment_state = fields.Selection(
        [
            ('not_paid', "Open"),
            ('in_payment', "In payment"),
            ('paid', "Settled"),
            ('partial', "Settled in part"),
            ('reversed', "Reversed"),
            ('blocked', "Blocked"),
            ('invoicing_legacy', "Legacy"),
        ],
        string="Settlement",
        readonly=True,
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT line.id,
                   note.id AS note_id,
                   note.reversed_entry_id AS invoice_id,
                   COALESCE(return_line.return_id, goodwill.return_id) AS return_id,
                   note.company_id,
                   line.company_currency_id AS currency_id,
                   note.commercial_partner_id AS partner_id,
                   note.journal_id,
                   line.account_id,
                   line.product_id,
                   note.date,
                   COALESCE(return_line.reason_id, goodwill.reason_id) AS reason_id,
                   reason.return_class,
                   CASE WHEN goodwill.id IS NOT NULL THEN 'goodwill'
                        WHEN return_line.id IS NULL THEN 'other'
                        ELSE COALESCE(line.sale_return_kind, 'goods') END AS kind,
                   -- Here and not joined: it is looked up only where it is asked for.
                   (
                       SELECT STRING_AGG(tax.name->>'en_US', ', ' ORDER BY tax.name->>'en_US')
                         FROM account_move_line_account_tax_rel rel
                         JOIN account_tax tax ON tax.id = rel.account_tax_id
                        WHERE rel.account_move_line_id = line.id
                   ) AS taxes,
                   line.balance AS untaxed,
                   amounts.tax,
                   line.balance + amounts.tax AS total,
                   note.payment_state
              FROM account_move_line line
              JOIN account_move note ON note.id = line.move_id
              JOIN (%(notes)s) ours ON ours.note_id = note.id
         LEFT JOIN sale_return_line return_line ON return_line.id = line.sale_return_line_id
         LEFT JOIN sale_return_goodwill goodwill ON goodwill.note_id = note.id
         LEFT JOIN sale_return_reason reason
                ON reason.id = COALESCE(return_line.reason_id, goodwill.reason_id)
         LEFT JOIN res_currency currency ON currency.id = line.company_currency_id
     CROSS JOIN LATERAL (
                   SELECT ROUND((
                       (line.price_total - line.price_subtotal)
                       * COALESCE(line.balance / NULLIF(line.amount_currency, 0), 1)
                       * CASE WHEN line.price_subtotal * line.balance < 0 THEN -1 ELSE 1 END
                   )::numeric, currency.decimal_places) AS tax
                 ) amounts
             WHERE note.state = 'posted'
               AND note.move_type = 'out_refund'
               AND line.display_type IN ('product', 'rounding')
            """,
            notes=NOTES,
        )
