from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SaleReturnGradeLocation(models.Model):
    """Where a warehouse puts returned goods of a grade that go back to stock."""

    _name = 'sale.return.grade.location'
    _inherit = ['sale.return.shared']
    _description = "Location of Returned Goods by Condition"
    _order = 'warehouse_id, id'
    _check_company_auto = True

    warehouse_id = fields.Many2one(
        'stock.warehouse', required=True, index=True, ondelete='cascade', check_company=True
    )
    company_id = fields.Many2one(related='warehouse_id.company_id', store=True, index=True)
    grade_id = fields.Many2one(
        'sale.return.grade',
        string="Condition",
        required=True,
        ondelete='restrict',
        check_company=True,
    )
    location_id = fields.Many2one(
        'stock.location',
        required=True,
        domain="[('usage', '=', 'internal')]",
        ondelete='restrict',
        check_company=True,
        help=(
            "E.g. the shelf of B-goods. In a location below the stock of the warehouse the goods "
            "are promised to customers like any others; in a location outside of it they are not."
        ),
    )

    _grade_unique = models.Constraint(
        'UNIQUE (warehouse_id, grade_id)', "A condition can have only one location per warehouse."
    )

    @api.constrains('location_id')
    def _check_location(self):
        for place in self:
            location, company = place.location_id, place.company_id
            # sudo: managers of Returns need not read settings of the company.
            quarantine = location.location_id == company.sudo().sale_return_view_location_id
            if location.usage != 'internal' or (quarantine and location.location_id):
                raise ValidationError(
                    self.env._(
                        "Goods in condition %(grade)s cannot go to %(location)s: it is not a "
                        "stock location. Choose an internal location outside the quarantine.",
                        grade=place.grade_id.display_name,
                        location=location.display_name,
                    )
                )
