from odoo import fields, models
from odoo.tools import SQL


class SaleReturnBenchWork(models.Model):
    """A return that lies on a desk; it lies on one at a time."""

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
    # What is expected, read once: a scan must not read it again.
    facts = fields.Json()

    _one_desk = models.UniqueIndex('(return_id)', "The return lies on a bench already.")

    def _remove(self):
        """Take returns off their desks, in one query: this happens with scans.

        Nothing refers to these rows, which is what `unlink` would look for with five queries.
        """
        if self:
            self.env.cr.execute(
                SQL("DELETE FROM sale_return_bench_work WHERE id = ANY(%s)", list(self.ids))
            )
            self.invalidate_recordset()
