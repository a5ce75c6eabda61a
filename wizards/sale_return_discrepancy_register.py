from odoo import api, fields, models

from ..models.reception.const import DISCREPANCY_KINDS


class SaleReturnDiscrepancyRegister(models.TransientModel):
    """Dialog: register a discrepancy of a return."""

    _name = 'sale.return.discrepancy.register'
    _description = "Register Discrepancy"

    return_id = fields.Many2one('sale.return', required=True)
    company_id = fields.Many2one(related='return_id.company_id')
    kind = fields.Selection(DISCREPANCY_KINDS, required=True, default='wrong_product')
    line_id = fields.Many2one(
        'sale.return.line',
        string="Return Line",
        compute='_compute_line_id',
        store=True,
        readonly=False,
        precompute=True,
        domain="[('return_id', '=', return_id)]",
    )
    product_id = fields.Many2one(
        'product.product',
        compute='_compute_product_id',
        store=True,
        readonly=False,
        precompute=True,
        domain="[('type', '=', 'consu'), ('company_id', 'in', [False, company_id])]",
    )
    tracking = fields.Selection(related='product_id.tracking')
    product_uom_id = fields.Many2one('uom.uom', string="Unit", compute='_compute_product_uom_id')
    quantity = fields.Float(
        digits=False, min_display_digits='Product Unit', default=1.0, required=True
    )
    lot_name = fields.Char(string="Lot/Serial Number", help="Number on the goods, known or not.")
    note = fields.Text()
    attachment_ids = fields.Many2many('ir.attachment', string="Photos")
    user_id = fields.Many2one(
        'res.users', string="Responsible", compute='_compute_user_id', store=True, readonly=False
    )

    @api.depends('return_id')
    def _compute_line_id(self):
        for wizard in self:
            lines = wizard.return_id.line_ids
            wizard.line_id = lines if len(lines) == 1 else False

    @api.depends('line_id', 'kind')
    def _compute_product_id(self):
        for wizard in self:
            if wizard.kind != 'wrong_product':
                wizard.product_id = wizard.line_id.product_id
            elif wizard.product_id == wizard.line_id.product_id:
                wizard.product_id = False

    @api.depends('line_id', 'product_id', 'kind')
    def _compute_product_uom_id(self):
        for wizard in self:
            foreign = wizard.kind == 'wrong_product'
            wizard.product_uom_id = (
                wizard.product_id.uom_id if foreign else wizard.line_id.product_uom_id
            )

    @api.depends('return_id')
    def _compute_user_id(self):
        for wizard in self:
            wizard.user_id = wizard.return_id.user_id or self.env.user

    def action_confirm(self):
        """Register the discrepancy and show it.

        :return: the action that opens it.
        :rtype: dict
        """
        self.ensure_one()
        records = self.return_id.register_discrepancies(
            [
                {
                    'kind': self.kind,
                    'line_id': self.line_id.id,
                    'product_id': self.product_id.id,
                    'quantity': self.quantity,
                    'lot': (self.lot_name or "").strip(),
                    'note': self.note,
                    'user_id': self.user_id.id,
                    'attachment_ids': self.attachment_ids.ids,
                }
            ]
        )
        return records._get_records_action(name=self.env._("Discrepancy"))
