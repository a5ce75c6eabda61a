from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.context import in_force


class SaleReturnDispositionRule(models.Model):
    """Where goods go, by their category, the reason of the return and their grade.

    The first rule whose conditions all hold wins. The inspector enters the grade, the rule gives
    the disposition; choosing another one requires a note with the reason, unless the rule only
    proposes.
    """

    _name = 'sale.return.disposition.rule'
    _inherit = ['sale.return.shared']
    _description = "Return Disposition Rule"
    _order = 'sequence, id'
    _check_company_auto = True

    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10, help="Lower numbers are tried first.")

    # Which goods it applies to: an empty condition matches everything.
    company_id = fields.Many2one('res.company', index=True, help="Empty: for all companies.")
    product_categ_ids = fields.Many2many(
        'product.category',
        string="Product Categories",
        help="Includes the categories below them. Empty: all products.",
    )
    reason_ids = fields.Many2many(
        'sale.return.reason', string="Reasons", check_company=True, help="Empty: all reasons."
    )
    grade_ids = fields.Many2many(
        'sale.return.grade',
        string="Conditions",
        check_company=True,
        help="Empty: all conditions, including goods without a condition.",
    )

    # What it says
    note_required = fields.Boolean(
        string="Ask Why Not",
        default=True,
        help="Choosing another disposition requires a reason. Unticked, the rule only proposes.",
    )
    disposition_id = fields.Many2one(
        'sale.return.disposition',
        string="What Happens to It",
        required=True,
        ondelete='restrict',
        check_company=True,
    )

    @api.constrains('disposition_id')
    def _check_disposition(self):
        if any(rule.disposition_id.action == 'keep' for rule in self):
            raise ValidationError(
                self.env._(
                    "Rules are for goods that were inspected. Goods the customer keeps are "
                    "never inspected."
                )
            )

    @api.depends('disposition_id.name', 'grade_ids.code', 'reason_ids.name', 'product_categ_ids')
    def _compute_display_name(self):
        for rule in self:
            conditions = [
                ", ".join(rule.product_categ_ids.mapped('display_name')),
                ", ".join(rule.reason_ids.mapped('name')),
                ", ".join(code for code in rule.grade_ids.mapped('code') if code),
            ]
            conditions = " · ".join(filter(None, conditions)) or self.env._("All returned goods")
            rule.display_name = f"{conditions} → {rule.disposition_id.name or ''}"

    @api.model
    def _match(self, pairs):
        """Find the rules that apply to goods: the first rule whose conditions all hold.

        :param list pairs: `(sale.return.line, sale.return.grade)`, the grade may be empty.
        :return: the rules in the order of the pairs, an empty one where none matches.
        :rtype: list
        """
        # sudo: all goods follow the rules; `_is_valid_for` separates the companies.
        rules = in_force(self.sudo()).search([])
        return [
            next((rule for rule in rules if rule._is_valid_for(line, grade)), self.browse())
            for line, grade in pairs
        ]

    def _is_valid_for(self, line, grade):
        """Tell whether all conditions of the rule hold. Override to add conditions.

        :param line: one `sale.return.line`.
        :param grade: the `sale.return.grade` found, or an empty one.
        :rtype: bool
        """
        self.ensure_one()
        return (
            (not self.company_id or self.company_id == line.company_id)
            and (not self.grade_ids or grade in self.grade_ids)
            and (not self.reason_ids or line.reason_id in self.reason_ids)
            and (not self.product_categ_ids or self._has_category(line.product_id.categ_id))
        )

    def _has_category(self, category):
        """Tell whether a product category is one of the rule's or below one of them."""
        parents = {int(key) for key in (category.parent_path or '').split('/') if key}
        return bool(parents & set(self.product_categ_ids.ids))
