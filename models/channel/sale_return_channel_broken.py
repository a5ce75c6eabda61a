from odoo import fields, models


class SaleReturnChannelBroken(models.Model):
    """A row of a file that could not be read, unlike the other rows."""

    _name = 'sale.return.channel.broken'
    _inherit = ['sale.return.own.defaults']
    _description = "Broken Row of a Channel File"
    _order = 'file_id desc, line, id'
    _rec_name = 'reason'

    file_id = fields.Many2one(
        'sale.return.channel.file', required=True, readonly=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(
        related='file_id.company_id', store=True, index=True, readonly=True
    )
    line = fields.Integer(readonly=True)
    code = fields.Selection(
        [
            ('width', "Number of columns"),
            ('amount', "Amount"),
            ('identifier', "Number rounded by a spreadsheet"),
            ('date', "Date"),
            ('missing', "Something is missing"),
        ],
        string="Reason",
        readonly=True,
    )
    reason = fields.Char(string="Detail", readonly=True)
    content = fields.Char(string="Row", readonly=True)
