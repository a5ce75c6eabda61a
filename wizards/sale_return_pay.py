from odoo import fields, models
from odoo.fields import Command
from odoo.tools import clean_context


class SaleReturnPay(models.TransientModel):
    """Dialog: where the money of credit notes goes back to, before it does."""

    _name = 'sale.return.pay'
    _inherit = ['sale.return.dialog']
    _description = "Refund"

    line_ids = fields.One2many(
        'sale.return.pay.line',
        'wizard_id',
        default=lambda self: self._default_line_ids(),
        readonly=True,
    )

    def _default_line_ids(self):
        """Return the plan of `sale.return.preview_refund`, one line per payout and rest."""
        returns = self._default_return_ids()
        commands = []
        seen = set()
        for notes in returns.preview_refund().values() if returns else ():
            for note in notes:
                if note['note_id'] in seen:
                    continue  # one note for several returns
                seen.add(note['note_id'])
                commands += [
                    Command.create(vals)
                    for vals in self.env['sale.return.pay.line']._prepare_vals_list(note)
                ]
        return commands

    def action_confirm(self):
        """Pay back, and show what came of it."""
        self.ensure_one()
        # What the dialog was opened with is not meant for the documents that follow.
        returns = self.return_ids.with_context(clean_context(self.env.context))
        refunds = returns.action_refund()
        if not refunds:
            return {'type': 'ir.actions.act_window_close'}
        return refunds._get_records_action(name=self.env._("Refunds"))
