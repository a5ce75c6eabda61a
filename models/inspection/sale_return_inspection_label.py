from odoo import models


class SaleReturnInspection(models.Model):
    """Labels for goods that are put away after their inspection."""

    _inherit = 'sale.return.inspection'

    def _filter_put_away(self):
        """Return the rows whose goods get a place in a warehouse of ours, and so a label."""
        # sudo: whoever inspects need not see transfers.
        return self.filtered(lambda row: row.sudo()._get_put_away_location())

    def _get_put_away_location(self):
        """Return where the goods of a row go: a location of ours, or an empty one."""
        self.ensure_one()
        moves = self.move_ids.filtered(lambda move: move.state != 'cancel')
        places = moves.move_line_ids.location_dest_id or moves.location_dest_id
        return places.filtered(lambda place: place.usage == 'internal')[:1]

    def _get_label_vals(self):
        """Return what is printed on the label of one row. Override to add entries.

        `barcode` is the lot or serial number, else the barcode of the product, else its reference.

        :rtype: dict
        """
        self.ensure_one()
        row = self.sudo()  # whoever inspects may print what he has inspected
        product = row.product_id
        place = row._get_put_away_location()
        return {
            'product': product.display_name,
            'lot': row.lot_id.name or "",
            'grade': f"{row.grade_id.code} · {row.grade_id.name}" if row.grade_id else "",
            'quantity': row._get_quantity_text(),
            'disposition': row.disposition_id.name,
            'location': place.complete_name or "",
            'return': row.return_id.name,
            'partner': row.return_id.partner_id.name,
            'date': row.date,
            'barcode': row.lot_id.name
            or product.barcode
            or product.default_code
            or row.return_id.name,
        }

    def action_print_labels(self):
        """Print the labels of rows whose goods are put away.

        :return: the action of the report, True where nothing is put away.
        """
        self.check_access('read')
        rows = self._filter_put_away()
        return (
            self.env.ref('sale_return.action_report_put_away').report_action(rows) if rows else True
        )
