from odoo import api, models


class SaleReturnPortalOffer(models.AbstractModel):
    """What customers are offered on their pages for keeping the goods."""

    _inherit = 'sale.return.portal.offer'

    @api.model
    def _get_offer(self, order):
        """Extend to include what is offered for keeping each product."""
        rows = super()._get_offer(order)
        # Pages without an offer need no more queries.
        if not self.env['sale.return.line'].with_company(order.company_id)._has_keep_offers():
            return rows
        for row in rows:
            if row['may_ask'] and (wish := self._get_keep_wish(row['line'])):
                row['resolutions'] = [*row['resolutions'], wish]
        return rows

    @api.model
    def _get_keep_wish(self, sale_line):
        """Return the choice to keep what is on an order line, None where nothing is offered.

        :param sale_line: one `sale.order.line` in superuser mode.
        """
        line = self.env['sale.return.line'].new(
            {
                'return_id': self.env['sale.return'].new(
                    {
                        'partner_id': sale_line.order_id.partner_id.id,
                        'company_id': sale_line.company_id.id,
                    }
                ),
                'sale_line_id': sale_line.id,
                'reason_id': self.env.ref('sale_return.reason_not_stated').id,
                'qty_requested': sale_line.qty_returnable,
                'resolution': 'keep',
            }
        )
        # sudo: customers see what is offered, and not the rule.
        rule = line.keep_rule_id.sudo()
        if not rule or rule.reason_ids:
            return None
        if rule.kind == 'percent':
            label = self.env._(
                "I keep it and get %(percent)s %% of its price back", percent=f"{rule.percent:g}"
            )
        else:
            amount = sale_line.currency_id.format(rule._get_offered(line.sudo()))
            label = self.env._("I keep it and get %(amount)s back", amount=amount)
        return ('keep', label)
