from odoo import api, fields, models


class SaleReturnCutoffLine(models.TransientModel):
    """What was open of a return line at the end of a day, by account."""

    _name = 'sale.return.cutoff.line'
    _description = "Return Cut-off Line"
    _order = 'company_id, kind, account_id, id'
    _rec_name = 'product_id'

    cutoff_id = fields.Many2one('sale.return.cutoff', required=True, index=True, ondelete='cascade')
    kind = fields.Selection(
        [
            ('received_not_credited', "Received, not credited"),
            ('credited_not_received', "Credited, not received"),
            ('owed_without_goods', "Owed without goods"),
            ('credited_above_condition', "Credited above the condition found"),
        ],
        required=True,
    )
    date = fields.Date(related='cutoff_id.date', string="At the end of")
    company_id = fields.Many2one('res.company', required=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    return_line_id = fields.Many2one('sale.return.line', required=True, ondelete='cascade')
    return_name = fields.Char(string="Return", compute='_compute_return_name')
    partner_id = fields.Many2one('res.partner', string="Customer")
    product_id = fields.Many2one('product.product')
    receipt_names = fields.Char(string="Receipts")
    receipt_date = fields.Datetime(string="Received on", help="When the last goods arrived.")
    move_id = fields.Many2one(
        'account.move', string="Document", help="The invoice or credit note of the amounts."
    )
    quantity = fields.Float(digits=False, min_display_digits='Product Unit')
    product_uom_id = fields.Many2one('uom.uom', string="Unit")
    account_id = fields.Many2one('account.account', string="Income Account")
    tax_ids = fields.Many2many('account.tax', string="Taxes")
    net = fields.Monetary(help="Untaxed, in the currency of the company.")
    tax = fields.Monetary()
    cost_account_id = fields.Many2one('account.account', string="Expense Account")
    stock_account_id = fields.Many2one('account.account')
    cost = fields.Monetary(help="Cost of the goods, for products valued in real time.")

    @api.depends('return_line_id')
    def _compute_return_name(self):
        for line in self:
            # sudo: accountants need not be users of Returns to read the number.
            line.return_name = line.sudo().return_line_id.return_id.name
