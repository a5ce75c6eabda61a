from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from .const import CHUNK

# Stored figures that differ by less are the same: they are sums of floating point numbers.
EPSILON = 0.000001


class SaleReturnReconciler(models.AbstractModel):
    """Computes stored figures anew and logs those that were wrong.

    Nobody who uses Odoo can make them wrong, so an auditor has to learn which one was, and when.
    """

    _inherit = 'sale.return.reconciler'

    @api.model
    def _recompute(self, records, names):
        """Compute stored fields of many records anew, in batches, and log what this changes.

        :param records: `sale.return`, `sale.return.line` or `sale.order.line` records.
        :param names: fields; others that the same methods compute are computed, too.
        """
        computed = self.env.registry.field_computed
        names = {
            field.name: name
            for name in names
            for field in computed[records._fields[name]]
            if field.store
        }
        for start in range(0, len(records), CHUNK):
            chunk = records[start : start + CHUNK]
            chunk.invalidate_recordset()
            before = {record: [record[name] for name in names] for record in chunk}
            for name in set(names.values()):
                self.env.add_to_compute(chunk._fields[name], chunk)
            self.env.flush_all()
            changes = defaultdict(list)
            for record, values in before.items():
                for name, value in zip(names, values, strict=True):
                    if self._is_other_figure(value, record[name]):
                        changes[record].append((name, value, record[name]))
            self._log_changes(chunk, changes)
            self.env.flush_all()
            self.env.invalidate_all()

    @api.model
    def _is_other_figure(self, one, other):
        if isinstance(one, float):
            return abs(one - other) > EPSILON
        return one != other

    @api.model
    def _log_changes(self, records, changes):
        """Log figures that were wrong, one event per record.

        :param records: the records of one batch.
        :param dict changes: `{record: [(field, value before, value after)]}`.
        """
        if not changes:
            return
        names = {name for figures in changes.values() for name, _before, _after in figures}
        descriptions = records.fields_get(sorted(names), ['string', 'selection'])
        places = self._get_places_of_figures(records)
        self.env['sale.return.event']._log(
            [
                {
                    **places[record.id],
                    'kind': 'figure_recomputed',
                    'details': " · ".join(
                        [record.display_name]
                        + [
                            self._format_change(descriptions[name], before, after)
                            for name, before, after in figures
                        ]
                    ),
                }
                for record, figures in changes.items()
                if record.id in places
            ]
        )

    @api.model
    def _get_places_of_figures(self, records):
        """Return whose log a figure belongs in: `{record id: values of the event}`.

        That of an order line in the log of its last return.
        """
        if records._name == 'sale.return':
            return {sale_return.id: {'return_id': sale_return.id} for sale_return in records}
        if records._name == 'sale.return.line':
            return {
                line.id: {'return_id': line.return_id.id, 'line_id': line.id} for line in records
            }
        self.env.cr.execute(
            SQL(
                """SELECT sold.id, line.return_id, line.id
                     FROM sale_return_line line
                     JOIN LATERAL UNNEST(ARRAY[line.sale_line_id, line.exchange_sale_line_id])
                       AS sold (id) ON sold.id = ANY(%s)
                    WHERE line.state IN ('submitted', 'approved', 'closed')
                      AND (line.sale_line_id = ANY(%s) OR line.exchange_sale_line_id = ANY(%s))
                 ORDER BY line.id""",
                records.ids,
                records.ids,
                records.ids,
            )
        )
        return {
            sold_id: {'return_id': return_id, 'line_id': line_id}
            for sold_id, return_id, line_id in self.env.cr.fetchall()
        }

    @api.model
    def _format_change(self, description, before, after):
        """Return a figure as `Invoiced 9 → 6`, not rounded."""
        labels = dict(description.get('selection') or ())
        before, after = (
            f"{round(value, 6) + 0.0:.6f}".rstrip('0').rstrip('.')
            if isinstance(value, float)
            else labels.get(value, value or "–")
            for value in (before, after)
        )
        return f"{description['string']} {before} → {after}"
