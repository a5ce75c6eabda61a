from itertools import product

from odoo.tests import tagged

from ...const import LIABILITIES
from ...tools.regime import REGIMES
from ..common import SaleReturnCommon

# Who pays where the policy names no return freight: by law, otherwise by liability.
BY_LAW = {'conformity': 'company'}


@tagged('post_install', '-at_install')
class TestFreightPayer(SaleReturnCommon):
    """The mail and the customer's page agree on who pays for the return shipping."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.sale_return = cls._create_return(cls.order, 1, submit=False)
        cls.terms = cls._create_policy()
        cls.reason = cls.reason_other.copy({'code': 'payer', 'name': "Payer"})

    def _decide(self, regime, liability, freight):
        self.reason.default_liability = liability
        self.terms.sudo().write({'regime': regime, 'return_freight': freight})
        line = self.sale_return.line_ids
        line.reason_id = self.reason
        line.sudo()._write_facts({'policy_id': self.terms.id})
        return self.sale_return._get_freight_payer()

    def test_every_combination(self):
        for regime, (liability, _label), freight in product(REGIMES, LIABILITIES, (0.0, 7.5)):
            if freight:
                payer = 'company'  # we pay the carrier, and deduct the agreed amount
            else:
                payer = BY_LAW.get(regime) or ('customer' if liability == 'customer' else 'company')
            with self.subTest(regime=regime, liability=liability, freight=freight):
                self.assertEqual(self._decide(regime, liability, freight), payer)

    def test_mail_and_page_say_the_same(self):
        template = self.env.ref('sale_return.mail_template_approved').sudo()
        self.assertIn(
            '_get_freight_payer', self.env.ref('sale_return.portal_follow_send').sudo().arch
        )
        for liability, freight, sentence in (
            ('customer', 0.0, "You pay for sending the goods."),
            ('company', 0.0, "We pay for sending the goods."),
            ('customer', 7.5, "We pay the carrier."),
        ):
            self._decide('commercial', liability, freight)
            self.sale_return.freight_charge = freight
            body = template._render_field('body_html', self.sale_return.ids)[self.sale_return.id]
            with self.subTest(liability=liability, freight=freight):
                self.assertIn(sentence, " ".join(str(body).split()))
