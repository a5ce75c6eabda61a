from odoo import fields, models


class SaleReturnReceive(models.TransientModel):
    """Dialog: receive and inspect everything expected of many returns."""

    _name = 'sale.return.receive'
    _inherit = ['sale.return.dialog']
    _description = "Receive and Inspect Returns"

    grade_id = fields.Many2one(
        'sale.return.grade', string="Condition", help="Condition of all of the goods."
    )
    disposition_id = fields.Many2one(
        'sale.return.disposition',
        string="What Happens to It",
        domain="[('action', '!=', 'keep')]",
        help="Empty: the disposition rules decide.",
    )

    def action_confirm(self):
        """Process the returns, and show the progress."""
        self.ensure_one()
        return self.return_ids._get_bulk_action(
            'action_receive_and_inspect',
            self.env._("Receive and Inspect"),
            disposition=self.disposition_id.id,
            grade=self.grade_id.id,
        )
