from odoo import fields, models

from ...const import LIABILITIES


class SaleReturnLine(models.Model):
    """What the channel has found when the goods came back to it."""

    _inherit = 'sale.return.line'

    channel_item = fields.Char(
        string="Item at the Channel",
        readonly=True,
        copy=False,
        help="What the channel calls the sold item, or the unit that came back.",
    )
    channel_grade_id = fields.Many2one(
        'sale.return.grade',
        string="Grade by the Channel",
        readonly=True,
        copy=False,
        index='btree_not_null',
        help="How the channel found the goods. Proposed at the inspection.",
    )
    channel_liability = fields.Selection(
        LIABILITIES,
        string="At Fault by the Channel",
        readonly=True,
        copy=False,
        help="Whose fault it is as the channel sees it. Proposed at the inspection.",
    )

    def _get_default_liability(self):
        """Extend to propose what the channel has found, unless we know of damage."""
        liability = super()._get_default_liability()
        if self.channel_liability and liability == self.reason_id.default_liability:
            return self.channel_liability
        return liability
