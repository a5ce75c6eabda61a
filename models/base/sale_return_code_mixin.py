from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SaleReturnCodeMixin(models.AbstractModel):
    """Mixin of configuration that clients name by a code: reasons, grades, dispositions."""

    _name = 'sale.return.code.mixin'
    _inherit = ['sale.return.shared']
    _description = "Return Configuration with Code"
    _order = 'sequence, id'
    _rec_names_search = ['name', 'code']

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True, help="Short code, unique per company, shared records included."
    )
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one('res.company', index=True, help="Empty: for all companies.")

    @api.constrains('code', 'company_id', 'active')
    def _check_code(self):
        """Refuse a code already used by a record visible to the same company."""
        # sudo: a shared record is visible to all companies, including those the user is not in.
        others = self.sudo().search([('code', 'in', self.mapped('code'))])
        for record in self.filtered('active'):
            for other in others - record:
                if other.code == record.code and (
                    not other.company_id
                    or not record.company_id
                    or other.company_id == record.company_id
                ):
                    raise ValidationError(
                        self.env._(
                            "The code “%(code)s” of “%(record)s” is taken by “%(other)s”. Choose "
                            "another one.",
                            code=record.code,
                            record=record.name,
                            other=other.name,
                        )
                    )
