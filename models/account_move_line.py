from odoo import fields, models

from ..const import CREDIT_KINDS


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    # Not copied: a copy credits nothing of the return.
    sale_return_line_id = fields.Many2one(
        'sale.return.line',
        string="Return Line",
        index='btree_not_null',
        copy=False,
        ondelete='restrict',
        help="The return line that this line of a credit note credits.",
    )
    credited_line_id = fields.Many2one(
        'account.move.line',
        string="Credited Invoice Line",
        index='btree_not_null',
        copy=False,
        help="The invoice line that this line of a credit note credits.",
    )
    sale_return_kept = fields.Boolean(
        "Goods Kept by Customer",
        readonly=True,
        copy=False,
        help="Credits goods that do not come back, so no cost of goods is reversed.",
    )
    sale_return_kind = fields.Selection(
        CREDIT_KINDS,
        string="Return Credit",
        copy=False,
        readonly=True,
        help="What this line of a credit note stands for: the goods, what they take along of the "
        "order's discounts and shipping, or what was kept back.",
    )
    credited_line_ids = fields.One2many('account.move.line', 'credited_line_id', readonly=True)
    # Written by whoever credits the line, see `sale.return.credit._take_credit_counter`.
    sale_return_credit_guard = fields.Integer(readonly=True, copy=False)

    def _eligible_for_stock_account(self):
        """Override of `stock_account`: where no goods come back, no cost of goods is reversed."""
        if self.sale_return_kept:
            return False
        if self.sale_return_line_id and not self.sale_return_line_id.sudo().return_expected:
            return False  # sudo: whoever posts a note need not be a user of Returns
        return super()._eligible_for_stock_account()
