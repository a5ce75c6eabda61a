from .common import SaleReturnCommon
from .document.test_evidence import image


class DecisionCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.company.sudo().partner_id.tz = 'UTC'
        cls.customer.tz = False

    def _add_rule(self, kind, policy=None, **values):
        return self.env['sale.return.rule'].create(
            {'policy_id': (policy or self.policy).id, 'kind': kind, **values}
        )

    def _add_photo(self, record, color='red'):
        return self.env['sale.return.file']._upload(
            record, [{'name': f"{color}.png", 'raw': image(color)}]
        )

    def _got_on(self, order, moment):
        order.picking_ids.date_customer_received = moment

    def _get_codes(self, line):
        return {verdict['code'] for verdict in line.verdicts}
