from odoo import api, fields, models
from odoo.tools import clean_context


class SaleReturnExplain(models.TransientModel):
    """Dialog: give a reason for refusing a return, writing off its rest, or erasing files."""

    _name = 'sale.return.explain'
    _inherit = ['sale.return.dialog']
    _description = "Explain"

    action = fields.Selection(
        [
            ('approve', "Approve"),
            ('refuse', "Refuse"),
            ('close', "Write off the rest"),
            ('erase', "Erase files"),
        ],
        required=True,
        default='refuse',
    )
    file_ids = fields.Many2many('sale.return.file', string="Files")
    template_id = fields.Many2one('sale.return.refusal.template')
    verdict_text = fields.Text(string="What the Rules say", compute='_compute_verdict_text')
    reason = fields.Text(
        required=True,
        compute='_compute_reason',
        store=True,
        readonly=False,
        help="The customer reads the reason of a refusal. Other reasons are for the log only.",
    )

    @api.depends('template_id')
    def _compute_reason(self):
        for wizard in self:
            # For several customers at once the language of the user is used.
            language = len(wizard.return_ids) == 1 and wizard.return_ids.partner_id.lang
            template = wizard.template_id.with_context(lang=language or self.env.lang)
            wizard.reason = template.text or wizard.reason

    @api.depends('return_ids')
    def _compute_verdict_text(self):
        for wizard in self:
            texts = wizard.return_ids.line_ids.mapped('verdict_text')
            wizard.verdict_text = "\n".join(dict.fromkeys(filter(None, texts)))

    def action_confirm(self):
        """Execute the action of the dialog with the given reason."""
        self.ensure_one()
        getattr(self, f'_confirm_{self.action}')()
        return {'type': 'ir.actions.act_window_close'}

    def _get_returns(self):
        # The context of the dialog must not affect the documents that are created.
        return self.return_ids.with_context(clean_context(self.env.context))

    def _confirm_approve(self):
        self._get_returns().action_approve(comment=self.reason)

    def _confirm_refuse(self):
        returns = self._get_returns().with_context(sale_return_template_id=self.template_id.id)
        returns.action_refuse(reason=self.reason)

    def _confirm_close(self):
        self._get_returns().action_close(reason=self.reason)

    def _confirm_erase(self):
        self.file_ids.action_erase(reason=self.reason)
