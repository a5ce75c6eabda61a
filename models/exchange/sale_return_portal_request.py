from odoo import api, models

from ..portal.exceptions import RequestRefused


class SaleReturnPortalRequest(models.AbstractModel):
    """Customers request another size on their pages."""

    _inherit = 'sale.return.portal.request'

    @api.model
    def _prepare_line_vals(self, choice):
        """Extend to include the chosen variant."""
        vals = super()._prepare_line_vals(choice)
        if choice['resolution'] == 'exchange':
            vals['exchange_product_id'] = choice['variant_id']
        return vals

    @api.model
    def _check_choice(self, row, choice):
        """Extend to refuse variants that are not offered or not in stock.

        :raise RequestRefused: naming the product.
        """
        result = super()._check_choice(row, choice)
        if choice['resolution'] == 'exchange':
            self._check_variant(row, choice)
        return result

    @api.model
    def _check_variant(self, row, choice):
        product = row['line'].product_id.display_name
        chosen = [v for v in row['variants'] if v['product'].id == choice.get('variant_id')]
        if not chosen:
            raise RequestRefused(
                self.env._(
                    "Choose which variant you want for %(product)s, or choose a refund.",
                    product=product,
                )
            )
        variant = chosen[0]
        wished = row['line'].product_uom_id._compute_quantity(
            choice['quantity'], variant['product'].uom_id
        )
        free = variant['free']
        if free is not None and variant['product'].uom_id.compare(wished, free) > 0:
            raise RequestRefused(
                self.env['sale.return.exchange']._describe_shortage(
                    variant['product'], row['line'].order_id.warehouse_id, wished, free
                )
            )

    @api.model
    def _get_summary(self, draft):
        """Extend to include the exchange, and what the customer still pays or gets back.

        :return: as before, and `exchange`: None or `{'lines': [(quantity, unit, product,
            amount)], 'total', 'difference', 'currency'}`.
        """
        summary = super()._get_summary(draft)
        summary['exchange'] = None
        if any(line.resolution == 'exchange' for line in draft.line_ids):
            notes = self.env['sale.return.credit']._preview(draft, kinds=('promised',))
            preview = self.env['sale.return.exchange']._preview(
                draft, {draft.id: notes[draft.id]['promised']}
            )
            summary['exchange'] = self._describe_exchange(preview[draft.id])
        return summary

    @api.model
    def _describe_exchange(self, preview):
        """Return the part of `_get_summary` about an exchange, from its preview."""
        if not preview['exchange']:
            return None
        order = preview['exchange'][0]
        lines = self.env['sale.return.line'].browse(
            [line['return_line_id'] for line in order['lines']]
        )
        return {
            'lines': [
                (
                    entry['quantity'],
                    line.exchange_uom_id._get_name_after(entry['quantity']),
                    line.exchange_product_id.display_name,
                    entry['total'],
                )
                for line, entry in zip(lines, order['lines'], strict=True)
            ],
            'total': order['total'],
            'difference': preview['difference'],
            'currency': self.env['sale.return.exchange']._get_currency(order['currency']),
        }

    @api.model
    def _send(self, draft):
        """Extend to tell customers what was sold in the meantime."""
        if draft.state == 'draft':
            offer = self.env['sale.return.portal.offer']
            wishes = draft.line_ids.filtered(lambda line: line.resolution == 'exchange')
            for row in offer._get_offer(draft.line_ids.order_id) if wishes else ():
                for line in wishes.filtered(lambda w, row=row: w.sale_line_id == row['line']):
                    choice = {
                        'quantity': line.qty_requested,
                        'variant_id': line.exchange_product_id.id,
                    }
                    self._check_variant({'variants': [], **row}, choice)
        return super()._send(draft)
