from odoo import api, fields, models


class SaleReturnDecide(models.TransientModel):
    """Dialog: approve less of a line than requested, or nothing."""

    _name = 'sale.return.decide'
    _description = "Decide on Return Line"

    line_id = fields.Many2one(
        'sale.return.line', string="Return Line", required=True, ondelete='cascade'
    )
    product_id = fields.Many2one(related='line_id.product_id')
    product_uom_id = fields.Many2one(related='line_id.product_uom_id')
    reason_id = fields.Many2one(related='line_id.reason_id')
    customer_note = fields.Text(related='line_id.customer_note')
    qty_requested = fields.Float(related='line_id.qty_requested')
    policy_explanation = fields.Text(related='line_id.policy_explanation')
    verdict_text = fields.Text(related='line_id.verdict_text')
    quantity = fields.Float(
        string="Approve",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_quantity',
        store=True,
        readonly=False,
        help="Enter 0 to refuse the line.",
    )
    template_id = fields.Many2one('sale.return.refusal.template')
    reason = fields.Text(
        string="Explanation",
        compute='_compute_reason',
        store=True,
        readonly=False,
        help="Why not all of it. The customer reads it.",
    )

    @api.depends('line_id')
    def _compute_quantity(self):
        for wizard in self:
            wizard.quantity = wizard.line_id.qty_requested

    @api.depends('template_id')
    def _compute_reason(self):
        for wizard in self:
            language = wizard.line_id.partner_id.lang or self.env.lang
            text = wizard.template_id.with_context(lang=language).text
            wizard.reason = text or wizard.reason

    def action_confirm(self):
        """Store the decision on the line."""
        self.ensure_one()
        if self.line_id._get_measure().is_zero(self.quantity):
            self.line_id.with_context(sale_return_template_id=self.template_id.id).action_refuse(
                reason=self.reason
            )
        else:
            self.line_id.action_authorize(quantity=self.quantity, reason=self.reason)
        return {'type': 'ir.actions.act_window_close'}
