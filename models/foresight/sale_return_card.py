from odoo import api, fields, models
from odoo.tools import SQL

from ...tools import stats
from .sale_return_risk_scorer import MEMORY

OPEN = ('submitted', 'approved')
# Order lines of a year that were delivered, and what share of each came back: as the risk counts.
LINES = """
    SELECT line.member, COUNT(*)::float8, SUM(line.share)::float8,
           SUM(line.price * (1 - line.share))::float8
      FROM (
            SELECT %(member)s AS member,
                   GREATEST(line.price_subtotal, 0)
                   / COALESCE(NULLIF(sale_order.currency_rate, 0), 1) AS price,
                   LEAST(
                       GREATEST(COALESCE(line.qty_returned, 0), 0)
                       / (line.qty_delivered + COALESCE(line.qty_returned, 0)), 1
                   ) AS share
              FROM sale_order_line AS line
              JOIN sale_order ON sale_order.id = line.order_id
              %(joins)s
             WHERE sale_order.state = 'sale' AND sale_order.date_order >= %(since)s
               AND sale_order.company_id = %(company)s AND %(member)s IN %(members)s
               AND line.qty_delivered + COALESCE(line.qty_returned, 0) > 0
           ) AS line
  GROUP BY line.member
"""


class SaleReturnCard(models.AbstractModel):
    """The returns of a year of a customer or product, on their forms, for approvers."""

    _name = 'sale.return.card'
    _description = "Card of Returns"

    # The column that is asked for, the joins it needs, and the path to it from a return line.
    _card_member = _card_joins = _card_path = ''

    sale_return_rate = fields.Float(
        "Return Rate",
        compute='_compute_sale_return_card',
        groups='sale_return.group_approver',
        help="Of the order lines of a year that were delivered, in percent.",
    )
    sale_return_rate_low = fields.Float(
        "Rate at Least",
        compute='_compute_sale_return_card',
        groups='sale_return.group_approver',
        help="Lower bound of the 95 % interval, in percent.",
    )
    sale_return_rate_high = fields.Float(
        "Rate at Most",
        compute='_compute_sale_return_card',
        groups='sale_return.group_approver',
        help="Upper bound of the 95 % interval, in percent.",
    )
    sale_return_bought = fields.Float(
        "Order Lines of a Year",
        compute='_compute_sale_return_card',
        groups='sale_return.group_approver',
    )
    sale_return_kept = fields.Monetary(
        "Value Kept",
        compute='_compute_sale_return_card',
        currency_field='sale_return_card_currency_id',
        groups='sale_return.group_approver',
        help="Net value of these order lines less what came back, in the company's currency.",
    )
    sale_return_card_currency_id = fields.Many2one(
        'res.currency',
        "Currency of Value Kept",
        compute='_compute_sale_return_card',
        groups='sale_return.group_approver',
    )
    sale_return_open_count = fields.Integer(
        "Open Returns",
        compute='_compute_sale_return_card',
        groups='sale_return.group_approver',
    )

    @api.depends_context('company')
    def _compute_sale_return_card(self):
        traded = self._get_sale_return_trade()
        opened = self._get_sale_return_open()
        for record in self:
            bought, returned, kept = traded.get(record._origin.id, (0.0, 0.0, 0.0))
            low, high = stats.wilson(returned, bought)
            record.sale_return_bought = bought
            record.sale_return_rate = 100 * (stats.rate(returned, bought) or 0.0)
            record.sale_return_rate_low, record.sale_return_rate_high = 100 * low, 100 * high
            record.sale_return_kept = kept
            record.sale_return_card_currency_id = self.env.company.currency_id
            record.sale_return_open_count = len(opened.get(record._origin.id, ()))

    def _get_sale_return_trade(self):
        """Return `{id: (order lines, share of them that came back, value kept)}`."""
        members = tuple(self._origin.ids)
        if not members:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                LINES,
                member=SQL(self._card_member),
                joins=SQL(self._card_joins),
                members=members,
                since=fields.Datetime.now() - MEMORY,
                company=self.env.company.id,
            )
        )
        return {member: tuple(figures) for member, *figures in rows}

    def _get_sale_return_open(self):
        """Return `{id: ids of open returns}`, of those that the user may read."""
        result = {}
        lines = self.env['sale.return.line'].search(
            [
                (self._card_path, 'in', self._origin.ids),
                ('return_id.state', 'in', OPEN),
                ('company_id', '=', self.env.company.id),
            ]
        )
        for line in lines:
            result.setdefault(line.mapped(self._card_path).id, set()).add(line.return_id.id)
        return result

    def action_open_sale_returns(self):
        """Open the returns that are open, for approvers.

        :rtype: dict
        """
        self.env['sale.return']._ensure_group('group_approver')
        self.env['sale.return.reader']._ensure_one(self)
        returns = self.env['sale.return'].browse(self._get_sale_return_open().get(self.id, ()))
        return returns._get_records_action(name=self.env._("Open Returns"))
