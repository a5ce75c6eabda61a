from odoo import fields, models


class SaleReturnGrade(models.Model):
    """The condition in which goods were found."""

    _name = 'sale.return.grade'
    _description = "Return Grade"
    _order = 'sequence, id'
    _rec_names_search = ['name', 'code']

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Short code, unique per company.")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one('res.company', index=True, help="Empty: for all companies.")
    saleable = fields.Boolean(default=True, help="Goods of this grade may be sold again.")
    credit_ratio = fields.Float(
        default=1.0,
        help="Share of the price that is credited, between 0 (nothing) and 1 (all).",
    )

    _code_unique = models.UniqueIndex(
        '(COALESCE(company_id, 0), code)',
        "The code of a grade must be unique per company.",
    )
    _credit_ratio_range = models.Constraint(
        'CHECK (credit_ratio >= 0 AND credit_ratio <= 1)',
        "The credit ratio of a grade must lie between 0 and 1.",
    )

    def _compute_display_name(self):
        for grade in self:
            grade.display_name = f"{grade.code} – {grade.name}" if grade.code else grade.name
