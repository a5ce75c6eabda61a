from odoo import fields, models
from odoo.tools import SQL

from .sale_return_risk import TIERS


class SaleReturnRiskReport(models.Model):
    """Quality of the risk: how many flagged returns were abuse, and who was flagged wrongly."""

    _name = 'sale.return.risk.report'
    _description = "Quality of the Risk"
    _auto = False
    _order = 'company_id, tier'
    _depends = {'sale.return.risk': ['return_id', 'company_id', 'partner_id', 'tier', 'outcome']}

    company_id = fields.Many2one('res.company', readonly=True)
    tier = fields.Selection(TIERS, readonly=True)
    scored = fields.Integer("Returns", readonly=True)
    confirmed = fields.Integer("Abuse", readonly=True)
    cleared = fields.Integer("All in Order", readonly=True)
    precision = fields.Float(
        readonly=True,
        aggregator=None,
        help="Abuse ÷ returns of this tier that people have looked at.",
    )
    good_share = fields.Float(
        "Good Customers",
        readonly=True,
        aggregator=None,
        help="Share of the customers without any abuse who had a return of this tier.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT MIN(risk.id) AS id, risk.company_id, risk.tier,
                   COUNT(*) AS scored,
                   COUNT(*) FILTER (WHERE risk.outcome = 'confirmed') AS confirmed,
                   COUNT(*) FILTER (WHERE risk.outcome = 'cleared') AS cleared,
                   COUNT(*) FILTER (WHERE risk.outcome = 'confirmed')::float8
                   / NULLIF(COUNT(*) FILTER (WHERE risk.outcome != 'open'), 0) AS precision,
                   COUNT(DISTINCT risk.partner_id) FILTER (WHERE NOT bad.is_bad)::float8
                   / NULLIF(MAX(good.customers), 0) AS good_share
              FROM sale_return_risk AS risk
              JOIN LATERAL (
                    SELECT EXISTS (
                        SELECT FROM sale_return_risk AS other
                         WHERE other.partner_id = risk.partner_id
                           AND other.company_id = risk.company_id AND other.outcome = 'confirmed'
                    ) AS is_bad
                   ) AS bad ON TRUE
              JOIN (
                    SELECT company_id, COUNT(*) FILTER (WHERE NOT is_bad) AS customers
                      FROM (
                            SELECT company_id, partner_id,
                                   BOOL_OR(outcome = 'confirmed') AS is_bad
                              FROM sale_return_risk GROUP BY 1, 2
                           ) AS customer
                  GROUP BY 1
                   ) AS good ON good.company_id = risk.company_id
          GROUP BY risk.company_id, risk.tier
            """
        )
