from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.risk import get_tier, score

# Earlier actions of a customer are ignored.
MEMORY = timedelta(days=365)
# Set every night: the rate of all customers of a company, by its id.
PEERS = 'sale_return.risk_peers_%s'
MONTHS, KEPT_MONTHS = 'sale_return.risk_months', 24

# Numbers, e-mail and postal addresses in the form in which they are compared.
CONTACTS = r"""
    SELECT partner.commercial_partner_id AS partner_id, contact.kind, MD5(contact.key) AS key
      FROM res_partner AS partner,
   LATERAL (
            SELECT 'phone' AS kind, RIGHT(REGEXP_REPLACE(partner.phone, '\D', '', 'g'), 9) AS key
             WHERE LENGTH(REGEXP_REPLACE(partner.phone, '\D', '', 'g')) >= 7
         UNION ALL
            SELECT 'email',
                   CASE WHEN SPLIT_PART(mail.text, '@', 2) IN ('gmail.com', 'googlemail.com')
                        THEN REPLACE(SPLIT_PART(SPLIT_PART(mail.text, '@', 1), '+', 1), '.', '')
                        ELSE SPLIT_PART(SPLIT_PART(mail.text, '@', 1), '+', 1)
                   END || '@' || SPLIT_PART(mail.text, '@', 2)
              FROM (SELECT LOWER(TRIM(partner.email)) AS text) AS mail
             WHERE mail.text LIKE '%%_@_%%'
         UNION ALL
            SELECT 'address',
                   LOWER(REGEXP_REPLACE(partner.street || partner.zip, '[^[:alnum:]]', '', 'g'))
             WHERE LENGTH(TRIM(partner.street)) > 3 AND LENGTH(TRIM(partner.zip)) > 2
           ) AS contact
"""
# What customers bought and returned before, and what people found and confirmed about them.
CUSTOMERS = """
    SELECT customer.id, customer.company_id,
           COALESCE(trade.bought, 0), COALESCE(trade.returned, 0),
           COALESCE(trade.bought_value, 0), COALESCE(trade.returned_value, 0),
           COALESCE(finding.found, 0), COALESCE(finding.serial, 0),
           (SELECT COUNT(*) FROM sale_return_risk AS risk
             WHERE risk.partner_id = customer.id AND risk.company_id = customer.company_id
               AND risk.outcome = 'confirmed' AND risk.return_id NOT IN %(returns)s)
      FROM (
            SELECT DISTINCT partner.commercial_partner_id AS id, sale_return.company_id
              FROM sale_return JOIN res_partner AS partner ON partner.id = sale_return.partner_id
             WHERE sale_return.id IN %(returns)s
           ) AS customer
 LEFT JOIN LATERAL (
            SELECT COUNT(*) AS bought, SUM(share) AS returned,
                   SUM(price) AS bought_value, SUM(price * share) AS returned_value
              FROM (
                    SELECT LEAST(
                               GREATEST(COALESCE(line.qty_returned, 0), 0)
                               / (line.qty_delivered + COALESCE(line.qty_returned, 0)), 1
                           ) AS share,
                           GREATEST(line.price_subtotal, 0) AS price
                      FROM res_partner AS account
                      JOIN sale_order ON sale_order.partner_id = account.id
                       AND sale_order.company_id = customer.company_id
                       AND sale_order.state = 'sale' AND sale_order.date_order >= %(since)s
                      JOIN sale_order_line AS line ON line.order_id = sale_order.id
                     WHERE account.commercial_partner_id = customer.id
                       AND line.qty_delivered + COALESCE(line.qty_returned, 0) > 0
                   ) AS sold
           ) AS trade ON TRUE
 LEFT JOIN LATERAL (
            SELECT COUNT(*) FILTER (WHERE found.kind != 'wrong_lot') AS found,
                   COUNT(*) FILTER (WHERE found.kind = 'wrong_lot') AS serial
              FROM res_partner AS account
              JOIN sale_return ON sale_return.partner_id = account.id
               AND sale_return.company_id = customer.company_id
              JOIN sale_return_discrepancy AS found ON found.return_id = sale_return.id
             WHERE account.commercial_partner_id = customer.id AND %(is_finding)s
           ) AS finding ON TRUE
"""
# Empty or wrong parcels that were not our own, the carrier's or the supplier's fault.
IS_FINDING = """
    found.kind IN ('wrong_product', 'wrong_lot', 'empty') AND found.create_date >= %(since)s
    AND COALESCE(found.liability, 'customer') = 'customer'
    AND found.return_id NOT IN %(returns)s
"""
# Accounts that share something with the customer of a return.
LINKED = """
      WITH mine AS (
            SELECT DISTINCT own.partner_id, own.kind, own.key
              FROM (
                    SELECT contact.* FROM (%(contacts)s) AS contact
                     WHERE contact.partner_id IN %(customers)s
                   ) AS own
           ),
           linked AS (
            SELECT DISTINCT mine.partner_id AS customer, other.partner_id AS other, other.kind
              FROM mine JOIN sale_return_risk_contact AS other
                ON other.kind = mine.kind AND other.key = mine.key
               AND other.partner_id != mine.partner_id
           )
    SELECT customer,
           COUNT(DISTINCT other) FILTER (WHERE kind != 'address'),
           COUNT(DISTINCT other) FILTER (WHERE kind = 'address'),
           COALESCE(SUM(found) FILTER (WHERE kind = close), 0),
           COALESCE(SUM(confirmed) FILTER (WHERE kind = close), 0)
      FROM (
            SELECT linked.*,
                   MIN(kind) FILTER (WHERE kind != 'address')
                       OVER (PARTITION BY customer, other) AS close,
                   (SELECT COUNT(*) FROM res_partner AS account
                      JOIN sale_return ON sale_return.partner_id = account.id
                      JOIN sale_return_discrepancy AS found ON found.return_id = sale_return.id
                     WHERE account.commercial_partner_id = linked.other
                       AND sale_return.company_id IN %(companies)s AND %(is_finding)s
                   ) AS found,
                   (SELECT COUNT(*) FROM sale_return_risk AS risk
                     WHERE risk.partner_id = linked.other AND risk.outcome = 'confirmed'
                       AND risk.company_id IN %(companies)s
                   ) AS confirmed
              FROM linked
           ) AS linked
  GROUP BY customer
"""
# What is unusual about the returns themselves.
RETURNS = """
    SELECT sale_return.id, partner.commercial_partner_id, sale_return.company_id,
           EXISTS (
               SELECT FROM sale_return_line AS line
                 JOIN sale_return_policy AS policy ON policy.id = line.policy_id
                WHERE line.return_id = sale_return.id AND policy.window_days > 1
                  AND %(now)s::date - COALESCE(
                          (
                              SELECT MAX(picking.date_customer_received)
                                FROM stock_move AS move
                                JOIN stock_picking AS picking ON picking.id = move.picking_id
                               WHERE move.sale_line_id = line.sale_line_id
                                 AND move.state = 'done' AND move.sale_return_line_id IS NULL
                          ),
                          line.delivered_on
                          + COALESCE(policy.transit_days, 0) * INTERVAL '1 day'
                      )::date >= policy.window_days - 1
           ),
           EXISTS (
               SELECT FROM sale_order_line AS sold
                 JOIN product_product AS product ON product.id = sold.product_id
                WHERE sold.order_id IN (
                          SELECT line.order_id FROM sale_return_line AS line
                           WHERE line.return_id = sale_return.id
                      )
                  AND sold.qty_delivered + COALESCE(sold.qty_returned, 0) > 0
             GROUP BY sold.order_id, product.product_tmpl_id
               HAVING COUNT(DISTINCT product.id) >= 3
                  AND COUNT(DISTINCT product.id) - 1 <= COUNT(DISTINCT product.id) FILTER (
                      WHERE sold.qty_returned > 0 OR sold.id IN (
                          SELECT line.sale_line_id FROM sale_return_line AS line
                           WHERE line.return_id = sale_return.id
                      )
                  )
           ),
           (
               SELECT COUNT(DISTINCT other.return_id)
                 FROM sale_return_file AS file
                 JOIN sale_return_file AS other ON other.sha256 = file.sha256
                 JOIN sale_return AS elsewhere ON elsewhere.id = other.return_id
                 JOIN res_partner AS author ON author.id = elsewhere.partner_id
                WHERE file.return_id = sale_return.id AND file.mimetype LIKE 'image/%%'
                  AND file.inspection_id IS NULL AND other.inspection_id IS NULL
                  AND elsewhere.company_id = sale_return.company_id
                  AND author.commercial_partner_id != partner.commercial_partner_id
           )
      FROM sale_return JOIN res_partner AS partner ON partner.id = sale_return.partner_id
     WHERE sale_return.id IN %(returns)s
"""


class SaleReturnRiskScorer(models.AbstractModel):
    """Service: give returns points for what is unusual about them, see `tools/risk.py`.

    Three queries for any number of returns. The same facts always give the same score, which does
    not depend on honest returns of others.
    """

    _name = 'sale.return.risk.scorer'
    _description = "Risk of Returns"

    @api.model
    def _score(self, returns):
        """Store the risk of returns that were just submitted.

        :param returns: `sale.return` records.
        :return: `sale.return.risk` records, one for each.
        """
        # sudo: the score does not depend on who submits.
        risks = self.env['sale.return.risk'].sudo()
        known = {risk.return_id: risk for risk in risks.search([('return_id', 'in', returns.ids)])}
        fresh = []
        for sale_return, facts in self._get_facts(returns).items():
            points, signals = score(facts)
            vals = {
                'score': points,
                'tier': get_tier(points),
                'signals': [list(signal) for signal in signals],
                'facts': facts,
            }
            if sale_return in known:
                known[sale_return].write(vals)  # submitted again; that is rare
            else:
                fresh.append({**vals, 'return_id': sale_return.id})
        returns.invalidate_recordset(['risk_id'])
        return risks.union(*known.values()) + risks.create(fresh)

    @api.model
    def _get_facts(self, returns):
        """Return the facts from which returns are scored. Override to add facts.

        :return: `{return: dict}`, see `tools.risk.score`.
        :rtype: dict
        """
        if not returns:
            return {}
        self.env.flush_all()
        now = fields.Datetime.now()
        values = {
            'returns': tuple(returns.ids),
            'companies': tuple(returns.company_id.ids),
            'since': now - MEMORY,
            'now': now,
        }
        values['is_finding'] = SQL(IS_FINDING, **values)
        rows = self.env.execute_query(SQL(RETURNS, **values))
        customers = tuple({customer for _return, customer, *_facts in rows})
        names = (
            *('bought', 'returned', 'bought_value', 'returned_value'),
            *('found', 'serial', 'confirmed'),
        )
        history = {
            (customer, company): dict(zip(names, map(float, facts), strict=True))
            for customer, company, *facts in self.env.execute_query(SQL(CUSTOMERS, **values))
        }
        names = ('contacts', 'neighbours', 'linked_found', 'linked_confirmed')
        linked = {
            customer: dict(zip(names, map(int, facts), strict=True))
            for customer, *facts in self.env.execute_query(
                SQL(LINKED, contacts=SQL(CONTACTS), customers=customers, **values)
            )
        }
        return {
            returns.browse(return_id): {
                'last_day': last_day,
                'bracketing': bracketing,
                'photo': photo,
                'peers': self._get_peers(company),
                **history[customer, company],
                **linked.get(customer, {}),
            }
            for return_id, customer, company, last_day, bracketing, photo in rows
        }

    # === EVERY NIGHT === #

    def _get_peers(self, company_id):
        """Return the rate of all customers of a company as of last night, None if unknown."""
        # sudo: a parameter of the system.
        value = self.env['ir.config_parameter'].sudo().get_param(PEERS % company_id)
        return float(value) if value else None

    @api.model
    def _cron_refresh(self):
        """Update the rate of all customers and the shared contacts, and delete old scores."""
        if not self.env['sale.return.watch']._is_on():
            return
        self._refresh_peers()
        self._refresh_contacts()
        self._forget()

    def _refresh_peers(self):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT sale_order.company_id,
                       AVG(LEAST(GREATEST(COALESCE(line.qty_returned, 0), 0)
                                 / (line.qty_delivered + COALESCE(line.qty_returned, 0)), 1))
                  FROM sale_order_line AS line JOIN sale_order ON sale_order.id = line.order_id
                 WHERE sale_order.state = 'sale' AND sale_order.date_order >= %s
                   AND line.qty_delivered + COALESCE(line.qty_returned, 0) > 0
              GROUP BY 1
                """,
                fields.Datetime.now() - MEMORY,
            )
        )
        # sudo: parameters of the system.
        parameters = self.env['ir.config_parameter'].sudo()
        for company, rate in self.env.cr.fetchall():
            parameters.set_param(PEERS % company, round(float(rate), 6))

    def _refresh_contacts(self):
        self.env.cr.execute("DELETE FROM sale_return_risk_contact")
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sale_return_risk_contact (partner_id, kind, key)
                SELECT DISTINCT contact.partner_id, contact.kind, contact.key
                  FROM (%s) AS contact
                 WHERE contact.partner_id IN (
                           SELECT account.commercial_partner_id
                             FROM sale_order JOIN res_partner AS account
                               ON account.id = sale_order.partner_id
                            WHERE sale_order.state = 'sale'
                       )
                """,
                SQL(CONTACTS),
            )
        )

    def _forget(self):
        # sudo: a parameter of the system.
        parameters = self.env['ir.config_parameter'].sudo()
        text = parameters.get_param(MONTHS, '')
        months = int(text) if text.isdigit() and int(text) else KEPT_MONTHS
        before = fields.Datetime.subtract(fields.Datetime.now(), months=months)
        self.env['sale.return.risk'].sudo().search([('create_date', '<', before)]).unlink()
