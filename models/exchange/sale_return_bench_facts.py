from odoo import api, models
from odoo.tools import SQL, format_date


class SaleReturnBenchFacts(models.AbstractModel):
    """The exchange, shown where the goods are inspected."""

    _inherit = 'sale.return.bench.facts'

    @api.model
    def _get_query(self, returns):
        """Extend to include exchanges, in the same query."""
        return SQL(
            """
            SELECT q.*, x.exchange_quantity, xr.exchange_hold_until, %(name)s AS exchange_product,
                   (SELECT string_agg(%(value)s, ', ' ORDER BY ptav.id)
                      FROM product_variant_combination pvc
                      JOIN product_template_attribute_value ptav
                        ON ptav.id = pvc.product_template_attribute_value_id
                      JOIN product_attribute_value xv ON xv.id = ptav.product_attribute_value_id
                     WHERE pvc.product_product_id = xp.id) AS exchange_variant
              FROM (%(query)s) q
              JOIN sale_return_line x ON x.id = q.line_id
              JOIN sale_return xr ON xr.id = q.return_id
         LEFT JOIN product_product xp ON xp.id = x.exchange_product_id
                   AND x.resolution = 'exchange' AND x.exchange_ended IS NOT TRUE
         LEFT JOIN product_template xt ON xt.id = xp.product_tmpl_id
            """,
            query=super()._get_query(returns),
            name=self._translated('xt', 'name'),
            value=self._translated('xv', 'name'),
        )

    @api.model
    def _prepare_facts(self, rows, lots):
        """Extend to show that goods are held for this parcel, and until when."""
        facts = super()._prepare_facts(rows, lots)
        if any(row['exchange_product'] for row in rows):
            until = rows[0]['exchange_hold_until']
            facts['remark'] = (
                self.env._(
                    "An exchange waits for this parcel. It is held until %(day)s.",
                    day=format_date(self.env, until.date()),
                )
                if until
                else self.env._("An exchange waits for this parcel.")
            )
        return facts

    @api.model
    def _prepare_line_facts(self, row, lots):
        """Extend to show the exchange before the customer's note."""
        facts = super()._prepare_line_facts(row, lots)
        if row['exchange_product']:
            variant = row['exchange_variant']
            wish = self.env._(
                "Exchange for %(quantity)s × %(product)s",
                quantity=f"{row['exchange_quantity']:g}",
                product=row['exchange_product'] + (f" ({variant})" if variant else ""),
            )
            facts['note'] = " · ".join(filter(None, [wish, facts['note']]))
        return facts
