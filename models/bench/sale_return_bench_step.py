from odoo import api, fields, models
from odoo.tools.constants import GC_UNLINK_LIMIT

KEEP_DAYS = 14


class SaleReturnBenchStep(models.Model):
    """One call of a client: its token, its answer, and the data to undo it."""

    _name = 'sale.return.bench.step'
    _inherit = ['sale.return.own.defaults']
    _description = "Step at the Bench"
    _order = 'id desc'
    _rec_name = 'token'

    session_id = fields.Many2one('sale.return.bench.session', required=True, ondelete='cascade')
    company_id = fields.Many2one('res.company', required=True, index=True, ondelete='cascade')
    token = fields.Char(required=True)
    label = fields.Char(help="The step to undo, for the button.")
    answer = fields.Json()
    undo = fields.Json()

    _token_unique = models.UniqueIndex(
        '(session_id, token)', "This step was sent twice at the same time. Send it again."
    )
    _undoable = models.Index('(session_id, id) WHERE undo IS NOT NULL')

    @api.model
    def _forget(self, sessions):
        """Make steps final: nothing can be undone any more. Tokens are kept."""
        self.search([('session_id', 'in', sessions.ids), ('undo', '!=', False)]).undo = False

    @api.autovacuum
    def _gc_steps(self):
        """Delete steps that will not be sent again."""
        before = fields.Datetime.subtract(fields.Datetime.now(), days=KEEP_DAYS)
        steps = self.sudo().search([('create_date', '<', before)], limit=GC_UNLINK_LIMIT)
        steps.unlink()
        return len(steps), len(steps) == GC_UNLINK_LIMIT
