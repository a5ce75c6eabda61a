from odoo import api, fields, models

from .const import DECISIONS


class SaleReturnReplayLine(models.Model):
    """A return line about which a draft of a policy would decide otherwise, and why."""

    _name = 'sale.return.replay.line'
    _description = "Difference of a Replay"
    _order = 'after, amount desc, id'

    replay_id = fields.Many2one(
        'sale.return.replay', required=True, readonly=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(related='replay_id.company_id', store=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    line_id = fields.Many2one(
        'sale.return.line', required=True, readonly=True, index=True, ondelete='cascade'
    )
    return_id = fields.Many2one(related='line_id.return_id', store=True)
    product_id = fields.Many2one(related='line_id.product_id', store=True)
    reason_id = fields.Many2one(related='line_id.reason_id', store=True)
    requested_on = fields.Datetime(readonly=True)
    before = fields.Selection(DECISIONS, string="Policy in Force", required=True, readonly=True)
    after = fields.Selection(DECISIONS, string="Draft", required=True, readonly=True)
    amount = fields.Monetary(
        readonly=True, help="Value of what was requested, at the prices of the order, tax included."
    )
    verdicts_before = fields.Json(readonly=True)
    verdicts_after = fields.Json(readonly=True)
    policy_after_id = fields.Many2one(
        'sale.return.policy', string="Policy", readonly=True, ondelete='set null'
    )
    reason_before = fields.Text(string="Why so far", compute='_compute_reasons')
    reason_after = fields.Text(string="Why by the Draft", compute='_compute_reasons')

    @api.depends('verdicts_before', 'verdicts_after')
    @api.depends_context('lang')
    def _compute_reasons(self):
        for line in self:
            line.reason_before = line._describe(line.verdicts_before)
            line.reason_after = line._describe(line.verdicts_after)

    def _describe(self, verdicts):
        """Put verdicts into sentences; of a line that passes, say so."""
        rules = self.env['sale.return.rule']
        sentences = [rules._get_sentence(v['code'], v['facts']) for v in verdicts or []]
        return "\n".join(dict.fromkeys(sentences)) or self.env._("It passes all rules.")

    def action_open_return(self):
        """Open the return of the line.

        :rtype: dict
        """
        self.ensure_one()
        return self.return_id._get_records_action()
