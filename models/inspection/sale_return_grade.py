from odoo import fields, models


class SaleReturnGrade(models.Model):
    """The condition in which goods were found."""

    _name = 'sale.return.grade'
    _description = "Condition of Returned Goods"
    _inherit = ['sale.return.code.mixin']

    saleable = fields.Boolean(default=True, help="Goods in this condition may be sold again.")
    credit_ratio = fields.Float(
        default=1.0,
        help="Share of the price that is credited, between 0 (nothing) and 1 (all).",
    )

    # Guards against concurrent inserts; `_check_code` reports other duplicates in the user's
    # language.
    _code_unique = models.UniqueIndex('(COALESCE(company_id, 0), code) WHERE active')
    _credit_ratio_range = models.Constraint(
        'CHECK (credit_ratio >= 0 AND credit_ratio <= 1)',
        "The credit ratio of a condition must lie between 0 and 1.",
    )

    def _compute_display_name(self):
        for grade in self:
            grade.display_name = f"{grade.code} – {grade.name}" if grade.code else grade.name
