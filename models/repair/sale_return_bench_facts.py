from odoo import api, models
from odoo.tools import SQL


class SaleReturnBenchFacts(models.AbstractModel):
    """Goods to be repaired are received at the desk, and inspected when they are repaired."""

    _inherit = 'sale.return.bench.facts'

    @api.model
    def _get_query(self, returns):
        """Extend to include which lines are to be repaired, in the same query."""
        return SQL(
            """SELECT f.*, (z.resolution = 'repair') AS to_repair
                 FROM (%(query)s) f JOIN sale_return_line z ON z.id = f.line_id""",
            query=super()._get_query(returns),
        )

    @api.model
    def _prepare_facts(self, rows, lots):
        """Extend to show that the goods go to the workshop."""
        facts = super()._prepare_facts(rows, lots)
        if any(row['to_repair'] for row in rows):
            sentence = self.env._("To be repaired: the goods remain the customer's property.")
            facts['remark'] = " ".join(filter(None, [facts['remark'], sentence]))
        return facts

    @api.model
    def _prepare_line_facts(self, row, lots):
        """Extend to require no result for goods that are not repaired yet."""
        facts = super()._prepare_line_facts(row, lots)
        if row['to_repair']:
            facts['needs_inspection'] = False
        return facts
