import json

from odoo.tests import tagged

from ..common_portal import PortalHttpCommon

LEAN = "a story of the room"


@tagged('post_install', '-at_install')
class TestPortalPolicy(PortalHttpCommon):
    """The public page about returns, generated from the rules, and links to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().sale_return_portal = True
        # Visitors without login are served by the company of the public user.
        cls.env.ref('base.public_user').sudo().write(
            {'company_ids': [(4, cls.company.id)], 'company_id': cls.company.id}
        )
        if 'website' in cls.env:
            cls.env['website'].sudo().search([]).company_id = cls.company
        others = cls.env['sale.return.policy'].sudo().search([])
        cls.policy = cls._create_policy(window_days=30, sequence=-500)
        others.active = False

    def _get_data(self, page):
        (script,) = page.xpath("//script[@type='application/ld+json']")
        return json.loads(script.text)

    def test_page_says_what_the_rules_say_and_nothing_else(self):
        cases = (
            ({'window_days': 21}, "within 21 days after you received them"),
            ({'window_days': 0}, "You can return products at any time."),
            ({'regime': 'eu_withdrawal', 'window_days': 7}, "withdraw from the contract within 14"),
            ({'return_freight': 5}, "5.00 plus tax are deducted from your refund"),
            (
                {'return_freight': 0},
                "You pay for sending the goods back if the reason is on your side",
            ),
            ({'settlement': 'on_account'}, "stays on your account"),
            ({'refund_shipping': 'always'}, "delivery to you is refunded as well"),
            ({'restocking_fee_percent': 15}, "15 % of the price is deducted"),
            ({'appeal_days': 9}, "you can appeal within 9 days"),
            ({'appeal_days': 0}, "All products"),
        )
        service = self.env['sale.return.portal.policy'].sudo()
        for vals, sentence in cases:
            self.policy.write({'regime': 'commercial', 'window_days': 30, **vals})
            (section,) = service._get_sections(self.company.sudo())
            text = " ".join([section['title'], *section['sentences']]).replace('\xa0', ' ')
            self.assertIn(sentence, text, vals)
        self.assertNotIn("appeal", text)
        page = self._open('/returns/policy')
        for sentence in section['sentences']:
            self.assertIn(sentence.replace('\xa0', ' '), self._text(page))

    def test_rules_are_told_and_limits_against_misuse_are_not(self):
        phones = self.env['product.category'].create({'name': "Phones"})
        rules = self.env['sale.return.rule']
        base = {'policy_id': self.policy.id, 'outcome': 'refuse'}
        rules.create({**base, 'kind': 'window', 'days': 14, 'product_categ_ids': phones.ids})
        rules.create(
            {
                **base,
                'kind': 'excluded',
                'excluded_categ_ids': phones.ids,
                'customer_text': "Opened software cannot be returned.",
            }
        )
        rules.create({**base, 'kind': 'value', 'amount': 4321, 'name': "OUR LIMIT"})
        tag = self.env['res.partner.category'].sudo().create({'name': "Bad customers"})
        self._create_policy(
            partner_category_ids=tag.ids, window_days=1, sequence=-600, name="OUR LIST"
        )
        text = self._text(self._open('/returns/policy'))
        self.assertIn("Phones: within 14 days.", text)
        self.assertIn("Opened software cannot be returned.", text)
        for secret in ("4321", "4,321", "OUR LIMIT", "OUR LIST", "Bad customers", "within 1 days"):
            self.assertNotIn(secret, text)

    def test_search_engines_read_the_same(self):
        self.policy.write({'return_freight': 4.5, 'restocking_fee_percent': 10})
        germany = self.env.ref('base.de')
        self._create_policy(
            country_ids=germany.ids, regime='eu_withdrawal', window_days=0, sequence=-510
        )
        categ = self.env['product.category'].create({'name': "</script><b>"})
        self._create_policy(product_categ_ids=categ.ids, sequence=-520)
        page = self._open('/returns/policy')
        general, german = self._get_data(page)['hasMerchantReturnPolicy']
        self.assertEqual(
            (general['@type'], general['merchantReturnDays'], general['restockingFee']),
            ('MerchantReturnPolicy', 30, 10),
        )
        self.assertEqual(general['returnShippingFeesAmount']['value'], 4.5)
        self.assertEqual(general['applicableCountry'], [self.company.country_id.code])
        self.assertTrue(general['merchantReturnLink'].endswith('/returns/policy'))
        self.assertEqual(german['applicableCountry'], ['DE'])
        self.assertNotIn('restockingFee', german)
        self.assertEqual(
            german['returnPolicyCategory'],
            'https://schema.org/MerchantReturnUnlimitedWindow',
        )

    def test_page_and_its_links_are_there_only_where_customers_may_ask(self):
        links = "//footer//a[starts-with(@href, '/returns')]/@href"
        page = self._open('/returns')
        # A website links a page in its other languages as well.
        self.assertEqual(set(page.xpath(links)), {'/returns', '/returns/policy'})
        self.company.sudo().sale_return_portal = False
        self._open('/returns/policy', status=404)
        self.assertFalse(self._open('/web/login').xpath(links))

    def test_page_is_protected_like_the_others(self):
        headers = self.url_open('/returns/policy').headers
        self.assertEqual(headers['Cache-Control'], 'no-store')
        self.assertEqual(headers['X-Content-Type-Options'], 'nosniff')

    def test_page_of_an_order_has_one_way_to_return_and_one_slip(self):
        self._log_in(self.jane)
        url = self.order.get_portal_url()
        slip = "//a[contains(@href, '/my/picking/return/pdf/')]"
        page = self._open(url)
        self.assertTrue(self._find(page, 'o_sale_return_button'))
        self.assertFalse(page.xpath(slip))
        self.company.sudo().sale_return_portal = False
        page = self._open(url)
        self.assertFalse(self._find(page, 'o_sale_return_button'))
        self.assertTrue(page.xpath(slip))

    def test_rule_that_passes_is_not_told(self):
        underwear = self.env['product.category'].create({'name': "Underwear"})
        self.env['sale.return.rule'].create(
            {
                'policy_id': self.policy.id,
                'kind': 'excluded',
                'outcome': 'refuse',
                'excluded_categ_ids': underwear.ids,
                'customer_text': "Underwear cannot be returned for hygiene reasons.",
            }
        )
        self._log_in(self.jane)
        line = self.order.order_line[:1]
        pages = [self._open(self._url()), self._choose({line: 1})]
        values = self._prepare_details({line: 1})
        pages.append(self._post(self._url(page='/details'), values))
        for page in pages:
            self.assertNotIn("Underwear", self._text(page))
        line.product_id.sudo().categ_id = underwear
        self.assertIn("Underwear cannot be returned", self._text(self._open(self._url())))
