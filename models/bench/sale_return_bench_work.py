from odoo import fields, models
from odoo.tools import SQL


class SaleReturnBenchWork(models.Model):
    """A return on a desk; it can only be on one at a time."""

    _name = 'sale.return.bench.work'
    _description = "Return on a Bench"
    _order = 'id'
    _rec_name = 'return_id'

    session_id = fields.Many2one(
        'sale.return.bench.session', required=True, index=True, ondelete='cascade'
    )
    return_id = fields.Many2one('sale.return', required=True, ondelete='cascade')
    company_id = fields.Many2one('res.company', required=True, index=True, ondelete='cascade')
    date_start = fields.Datetime(string="Since", required=True, default=fields.Datetime.now)
    # Expectations, read once: a scan must not read them again.
    facts = fields.Json()

    _one_desk = models.UniqueIndex('(return_id)', "The return is already on a bench.")

    def _remove(self):
        """Remove returns from their desks, in one query: this happens during scans.

        Nothing refers to these rows, so the five queries of `unlink` are not needed.
        """
        if self:
            self.env.cr.execute(
                SQL("DELETE FROM sale_return_bench_work WHERE id = ANY(%s)", list(self.ids))
            )
            self.invalidate_recordset()
