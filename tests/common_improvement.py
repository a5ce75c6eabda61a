"""Trade with a cause of returns, described by facts."""

from datetime import timedelta

from odoo import fields

from ..benchmarks import facts
from .common import SaleReturnCommon


class ImprovementCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.switch = cls.env.ref('sale_return.group_improvement').sudo()
        cls.env.ref('sale_return.group_user').sudo()._apply_group(cls.switch)
        cls.env.registry.clear_cache('groups')
        cls.clerk = cls._create_user('improve_clerk', 'sale_return.group_user')
        cls.approver = cls._create_user('improve_approver', 'sale_return.group_approver')
        cls.products = [cls._create_product(f"Shirt {number}") for number in range(6)]
        cls.small = cls.env.ref('sale_return.reason_too_small')
        cls.damaged = cls.env.ref('sale_return.reason_damaged_in_transit')
        cls.now = fields.Datetime.now()
        cls.adviser = cls.env['sale.return.adviser'].sudo()

    def setUp(self):
        super().setUp()
        self.enterContext(facts.given(self.env))
        self.line = 0

    def _sell(self, product, days_ago, lines=1, cases=0, reason=None, back=5, **values):
        """Ship order lines of one unit some days ago; the first ones come back for a reason."""
        rows = []
        for number in range(lines):
            self.line += 1
            shipped = self.now - timedelta(days=days_ago)
            row = {
                'company_id': self.company.id,
                'sale_line_id': self.line,
                'product_id': product.id,
                'date_sale': shipped - timedelta(days=1),
                'date_delivery': shipped,
            }
            goods = {
                name: values[name] for name in ('supplier_id', 'warehouse_id') if name in values
            }
            rows.append({**row, **goods, 'kind': 'shipped', 'qty_shipped': 1})
            if number < cases:
                came = {
                    'kind': 'returned',
                    'stage': 'inspected',
                    'qty_returned': 1,
                    'reason_id': (reason or self.small).id,
                    'return_id': -self.line,  # of no document
                    'return_line_id': self.line,
                    'date_request': shipped + timedelta(days=max(back - 3, 1)),
                    'date_return': shipped + timedelta(days=back),
                }
                rows.append({**row, **came, **values})
        facts.add(self.env, rows)

    def _sell_others(self, rate=0.06, reason=None, **values):
        """Ship 200 of each of five products, of which the usual part comes back."""
        for product in self.products[1:]:
            self._sell(product, 60, 200, round(200 * rate), reason, **values)

    def _advise(self):
        """Run the service, and return what is open, for a clerk."""
        self.adviser._advise(self.company.sudo())
        return self._search([('state', '=', 'open')])

    def _search(self, domain, user=None):
        self.env.invalidate_all()
        env = self._env_of(user or self.clerk)
        return env['sale.return.suggestion'].search(domain)

    def _copy_returns(self, count):
        """Return the ids of copies of a return, made in SQL: documents without their history."""
        base = self._create_return(self._create_sale(), 1)
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO sale_return
            SELECT (JSONB_POPULATE_RECORD(NULL::sale_return, TO_JSONB(base) || JSONB_BUILD_OBJECT(
                       'id', NEXTVAL('sale_return_id_seq'), 'name', 'COPY' || number
                   ))).*
              FROM sale_return AS base, GENERATE_SERIES(1, %s) AS number
             WHERE base.id = %s
            RETURNING id
            """,
            (count, base.id),
        )
        return [return_id for (return_id,) in self.env.cr.fetchall()]
