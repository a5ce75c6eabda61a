import math

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

ITEM_KINDS = [
    ('yes_no', "Yes or no"),
    ('number', "Number"),
    ('photo', "Photo"),
]


class SaleReturnChecklistItem(models.Model):
    """One thing to check: a question, a measurement or a photo."""

    _name = 'sale.return.checklist.item'
    _inherit = ['sale.return.cached', 'sale.return.shared']
    _description = "Return Checklist Item"
    _order = 'checklist_id, sequence, id'
    _check_company_auto = True

    checklist_id = fields.Many2one(
        'sale.return.checklist', required=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(related='checklist_id.company_id', store=True)
    sequence = fields.Integer(default=10)
    name = fields.Char(string="Question", required=True, translate=True)
    code = fields.Char(
        help=(
            "Code by which clients refer to the item in their answers, as an alternative to its id."
        )
    )
    kind = fields.Selection(ITEM_KINDS, required=True, default='yes_no')
    required = fields.Boolean(
        default=True, help="Goods cannot be inspected without an answer to this."
    )
    good_answer = fields.Selection(
        [('yes', "Yes"), ('no', "No")],
        required=True,
        default='yes',
        help="The satisfactory answer. For “Is it damaged?” it is No.",
    )
    min_value = fields.Float(
        "Minimum",
        help="Smaller numbers are unsatisfactory. 0 in both: any number is satisfactory.",
    )
    max_value = fields.Float(
        "Maximum",
        help="Larger numbers are unsatisfactory. 0 in both: any number is satisfactory.",
    )
    unit = fields.Char(help="Shown beside the number, e.g. mm.")
    fail_grade_id = fields.Many2one(
        'sale.return.grade',
        string="Condition if Unsatisfactory",
        check_company=True,
        ondelete='restrict',
        help="Best grade that is possible if the answer is unsatisfactory.",
    )

    _code_unique = models.UniqueIndex(
        '(checklist_id, code)', "Two items of a checklist have the same code."
    )

    @api.constrains('min_value', 'max_value')
    def _check_limits(self):
        for item in self:
            if item.kind == 'number' and item.min_value > item.max_value:
                raise ValidationError(
                    self.env._("The minimum of “%(item)s” is above its maximum.", item=item.name)
                )

    def _has_limits(self):
        self.ensure_one()
        return self.kind == 'number' and bool(self.min_value or self.max_value)

    def _is_well(self, value):
        """Tell whether an answer is satisfactory.

        :param value: bool for yes or no, a number, or anything for a photo.
        """
        self.ensure_one()
        if self.kind == 'yes_no':
            return value == (self.good_answer == 'yes')
        if self._has_limits():
            return self.min_value <= value <= self.max_value
        return True

    def _check_answer(self, value):
        """Refuse an answer of the wrong kind.

        :raise UserError: naming the item and what is expected.
        """
        self.ensure_one()
        number = isinstance(value, int | float) and not isinstance(value, bool)
        right = {
            'yes_no': isinstance(value, bool),
            'number': number and math.isfinite(value),
            'photo': bool(value) and isinstance(value, dict | list),
        }
        sentences = {
            'yes_no': self.env._(
                "“%(item)s” has to be answered with yes or no (true or false).", item=self.name
            ),
            'number': self.env._("“%(item)s” has to be answered with a number.", item=self.name),
            'photo': self.env._(
                "“%(item)s” has to be answered with a file with a name and content.", item=self.name
            ),
        }
        if not right[self.kind]:
            raise UserError(sentences[self.kind])
