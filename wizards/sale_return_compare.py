from odoo import api, fields, models


class SaleReturnCompare(models.TransientModel):
    """Compare the return rates of two periods of sale, by the same definition."""

    _name = 'sale.return.compare'
    _description = "Compare Return Rates"

    before_from = fields.Date(required=True, help="First day of sale of the first period.")
    before_to = fields.Date(required=True)
    after_from = fields.Date(required=True)
    after_to = fields.Date(required=True)
    age = fields.Integer(
        "Within Days",
        default=30,
        required=True,
        help=(
            "Only returns within this many days of the sale count. More recent sales are left out"
            " of both periods."
        ),
    )
    product_ids = fields.Many2many('product.product', string="Products")
    categ_id = fields.Many2one('product.category', string="Product Category")
    reason_ids = fields.Many2many('sale.return.reason', string="Reasons")
    shipped_before = fields.Float(compute='_compute_result', digits='Product Unit')
    returned_before = fields.Float(compute='_compute_result', digits='Product Unit')
    rate_before = fields.Float(compute='_compute_result')
    shipped_after = fields.Float(compute='_compute_result', digits='Product Unit')
    returned_after = fields.Float(compute='_compute_result', digits='Product Unit')
    rate_after = fields.Float(compute='_compute_result')
    result = fields.Text(compute='_compute_result')

    @api.depends(
        'before_from',
        'before_to',
        'after_from',
        'after_to',
        'age',
        'product_ids',
        'categ_id',
        'reason_ids',
    )
    def _compute_result(self):
        for wizard in self:
            values = {}
            if wizard._is_complete():
                values = self.env['sale.return.metric'].compare_periods(
                    (wizard.before_from, wizard.before_to),
                    (wizard.after_from, wizard.after_to),
                    age=wizard.age,
                    domain=wizard._get_domain(),
                )
            for side in ('before', 'after'):
                wizard[f'shipped_{side}'] = values.get(f'shipped_{side}', 0.0)
                wizard[f'returned_{side}'] = values.get(f'returned_{side}', 0.0)
                wizard[f'rate_{side}'] = values.get(side) or 0.0
            wizard.result = wizard._describe(values)

    def _is_complete(self):
        dates = (self.before_from, self.before_to, self.after_from, self.after_to)
        return (
            all(dates) and self.before_from <= self.before_to and self.after_from <= self.after_to
        )

    def _get_domain(self):
        """Return the domain on the analysis; a reason only applies to returned goods."""
        domain = []
        if self.product_ids:
            domain.append(('product_id', 'in', self.product_ids.ids))
        if self.categ_id:
            domain.append(('categ_id', 'child_of', self.categ_id.id))
        if self.reason_ids:
            domain += ['|', ('kind', '=', 'shipped'), ('reason_id', 'in', self.reason_ids.ids)]
        return domain

    def _describe(self, values):
        """Describe the result in a sentence."""
        if not values:
            return self.env._("Choose two periods, each from its first to its last day.")
        if values['difference'] is None:
            return self.env._(
                "One of the periods has no sales that are old enough, so there is nothing to "
                "compare."
            )
        texts = {
            'difference': f"{100 * values['difference']:+.2f}",
            'low': f"{100 * values['low']:+.2f}",
            'high': f"{100 * values['high']:+.2f}",
            'p_value': f"{values['p_value']:.4f}",
        }
        if values['significant']:
            return self.env._(
                "The rate changed by %(difference)s percentage points (95 %% interval %(low)s to "
                "%(high)s, p = %(p_value)s): more than chance explains.",
                **texts,
            )
        return self.env._(
            "The rate changed by %(difference)s percentage points (95 %% interval %(low)s to "
            "%(high)s, p = %(p_value)s): chance alone may explain it.",
            **texts,
        )
