from odoo import fields, models


class SaleReturnRefusalTemplate(models.Model):
    """Text in which returns are refused, so that all customers get the same text."""

    _name = 'sale.return.refusal.template'
    _inherit = ['sale.return.shared']
    _description = "Return Refusal Template"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one('res.company', index=True, help="Empty: for all companies.")
    text = fields.Text(
        required=True, translate=True, help="What the customer reads when it is chosen."
    )
    use_count = fields.Integer(string="Used", compute='_compute_use_count', compute_sudo=True)

    def _compute_use_count(self):
        counts = dict(
            self.env['sale.return.approval']._read_group(
                [('template_id', 'in', self.ids)], ['template_id'], ['__count']
            )
        )
        for template in self:
            template.use_count = counts.get(template, 0)
