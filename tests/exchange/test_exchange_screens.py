from lxml import etree

from odoo.tests import Form, tagged

from odoo.addons.sale_return.models.portal.exceptions import RequestRefused

from ..common_exchange import ExchangeCommon
from ..common_portal import PortalCommon, PortalHttpCommon


@tagged('post_install', '-at_install')
class TestExchangeScreens(ExchangeCommon):
    """The dialog on the order, and the form of the return, show the settlement before the click."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_paid_sale({'product': cls.medium, 'quantity': 2})
        cls.salesman = cls._create_user(
            'exchange_salesman',
            'sales_team.group_sale_salesman_all_leads',
            'sale_return.group_user',
        )
        cls.coat = cls._create_product("Coat", list_price=150.0, taxes_id=[(6, 0, cls.tax_21.ids)])

    def _open(self):
        env = self._env_of(self.salesman)
        action = env['sale.order'].browse(self.order.id).action_create_return()
        return Form(env[action['res_model']].with_context(**action['context']))

    def test_dialog_previews_what_is_posted(self):
        form = self._open()
        form.reason_id = self.reason_changed_mind
        with form.line_ids.edit(0) as row:
            row.quantity = 2
            row.resolution = 'exchange'
            row.exchange_product_id = self.coat
            self.assertEqual(row.exchange_text, "1000")
        self.assertIn("242.00, new goods", form.exchange_note)
        self.assertIn("363.00: the customer pays", form.exchange_note)
        self.assertIn("121.00", form.exchange_note)
        self.assertIn("If goods are rejected", form.exchange_note)
        action = form.save().action_create_and_submit()
        sale_return = self.env['sale.return'].browse(action['res_id'])
        self.assertEqual(sale_return.exchange_note, form.exchange_note)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_money(sale_return), (242.0, 363.0, 0.0, 121.0))

    def test_other_sizes_are_proposed_first(self):
        products = self._env_of(self.salesman)['product.product']
        sizes = products.with_context(sale_return_sizes_of=self.medium.id)
        domain = [('sale_ok', '=', True), ('id', '!=', self.medium.id)]
        others = self.medium.product_tmpl_id.product_variant_ids - self.medium
        found = [product_id for product_id, _name in sizes.name_search('', domain)]
        self.assertEqual(set(found[: len(others)]), set(others.ids))
        self.assertIn(self.coat.id, found)
        self.assertEqual(len(found), len(set(found)))
        # The size is no part of the name.
        self.assertFalse(products.name_search("(L)", domain))
        self.assertEqual([row[0] for row in sizes.name_search("(l)", domain)], self.large.ids)
        self.assertEqual([row[0] for row in sizes.name_search("Coat", domain)], self.coat.ids)
        self.assertEqual(len(sizes.name_search('', domain, limit=1)), 1)
        last = others.sorted('display_name')[-1]
        size = last.product_template_attribute_value_ids.name
        self.assertEqual(
            [row[0] for row in sizes.name_search(f"({size})", domain, limit=1)], last.ids
        )
        # Nor are reference and barcode.
        self.large.write({'default_code': "SHIRT-LARGE", 'barcode': "4006381333931"})
        plain = sizes.with_context(display_default_code=False)
        for text in ("SHIRT-LARGE", "4006381333931"):
            self.assertEqual([row[0] for row in plain.name_search(text, domain)], self.large.ids)
        # Context comes from the client.
        for junk in ('x', [7], False, 0):
            strange = products.with_context(sale_return_sizes_of=junk)
            self.assertEqual(
                strange.name_search("Coat", domain), products.name_search("Coat", domain)
            )

    def test_form_says_what_is_to_be_sent_and_no_more_what_is_over(self):
        sale_return = self._create_exchange(self.order.order_line, self.large)
        self.assertIn("If goods are rejected", sale_return.exchange_note)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')
        delivery = sale_return.exchange_order_ids.picking_ids
        note = sale_return.with_user(self.clerk).exchange_note
        self.assertNotIn("If goods are rejected", note)
        self.assertIn(f"still to be sent: {delivery.name}.", note)
        self._deliver(sale_return.exchange_order_ids)
        self.assertNotIn("still to be sent", sale_return.with_user(self.clerk).exchange_note)

    def test_stat_buttons_are_in_their_box(self):
        arch = etree.fromstring(self.env['sale.return'].get_view(view_type='form')['arch'])
        outside = [
            button.get('name')
            for button in arch.iter('button')
            if 'oe_stat_button' in button.get('class', '')
            and 'button_box' not in [node.get('name') for node in button.iterancestors()]
        ]
        self.assertEqual(outside, [])

    def test_another_wish_forgets_the_product(self):
        form = self._open()
        with form.line_ids.edit(0) as row:
            row.quantity = 1
            row.resolution = 'exchange'
            row.exchange_product_id = self.large
            row.resolution = 'refund'
            self.assertFalse(row.exchange_product_id)
        self.assertFalse(form.exchange_note)

    def test_form_of_the_return(self):
        sale_return = self._create_exchange(self.order.order_line, self.large, submit=False)
        form = Form(sale_return.with_user(self.clerk))
        self.assertIn("nobody pays anything", form.exchange_note)
        with form.line_ids.edit(0) as line:
            line.exchange_product_id = self.coat
        self.assertIn("the customer pays", form.exchange_note)
        sale_return.action_submit()
        self.assertFalse(sale_return.with_user(self.clerk).money_note)
        sale_return.action_end_exchange()
        self.assertIn("121.00", sale_return.money_note)

    def test_columns_of_exchanges_are_shown_with_an_exchange(self):
        sale_return = self._create_exchange(self.order.order_line, self.large, submit=False)
        form = Form(sale_return.with_user(self.clerk))
        self.assertTrue(form.has_exchange)
        with form.line_ids.edit(0) as line:
            line.resolution = 'refund'
        self.assertFalse(form.has_exchange)
        view = sale_return.with_user(self.clerk).get_view(
            self.env.ref('sale_return.sale_return_view_form').id
        )
        columns = etree.fromstring(view['arch']).xpath(
            "//field[@name='line_ids']/list/field[starts-with(@name, 'exchange_')]"
        )
        self.assertEqual(
            {column.get('column_invisible') for column in columns}, {'not parent.has_exchange'}
        )

    def test_bench_says_what_the_customer_gets(self):
        sale_return = self._create_exchange(self.order.order_line, self.large)
        facts = self.env['sale.return.bench.facts'].sudo()._read(sale_return.sudo())
        note = facts[sale_return.id]['lines'][0]['note']
        self.assertEqual(note, "Exchange for 1 × Shirt (L)")
        self.assertIn(
            "An exchange waits for this parcel. It is held", facts[sale_return.id]['remark']
        )
        sale_return.action_end_exchange()
        facts = self.env['sale.return.bench.facts'].sudo()._read(sale_return.sudo())
        self.assertFalse(facts[sale_return.id]['remark'])

    def test_sizes_are_noted(self):
        """Exchanged: M for L. Given back for a reason about the size: M."""
        reason = self.reason_changed_mind.copy({'name': "Tight", 'code': "TIGHT"})
        line = self._create_exchange(self.order.order_line, self.large, submit=False).line_ids
        self.assertEqual((line.size_had_id.name, line.size_wanted_id.name), ("M", "L"))
        line.resolution, line.exchange_product_id = 'refund', False
        self.assertFalse(line.size_had_id | line.size_wanted_id)
        reason.about_size = True
        line.reason_id = reason
        self.assertEqual((line.size_had_id.name, line.size_wanted_id.name), ("M", False))
        rows = self.env['sale.return.line'].formatted_read_group(
            [('size_had_id', '!=', False), ('id', '=', line.id)],
            ['size_had_id', 'size_wanted_id'],
            ['qty_requested:sum'],
        )
        self.assertEqual(rows[0]['qty_requested:sum'], 1.0)


@tagged('post_install', '-at_install')
class TestExchangePortal(ExchangeCommon, PortalCommon):
    """Customers choose another size on their pages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_paid_sale({'product': cls.medium, 'quantity': 2})
        cls.line = cls.order.order_line
        cls.service = cls.env['sale.return.portal.request'].sudo()
        cls.offer = cls.env['sale.return.portal.offer'].sudo()

    def _choose(self, product, quantity=1, key='exchange-1'):
        choice = {
            'line_id': self.line.id,
            'quantity': quantity,
            'reason_id': self.env.ref('sale_return.reason_too_small').id,
            'resolution': 'exchange',
            'variant_id': product.id,
            'note': '',
        }
        return self.service._prepare_draft(self.order.sudo(), [choice], key)

    def test_other_sizes_are_offered_with_what_is_free(self):
        sold_out = self.small
        self.env['stock.quant'].sudo()._update_available_quantity(sold_out, self.stock, -1000)
        row = self.offer._get_offer(self.order.sudo())[0]
        self.assertIn('exchange', dict(row['resolutions']))
        self.assertEqual(
            [(v['label'], v['free'], v['may_choose']) for v in row['variants']],
            [("S", 0.0, False), ("L", 1000.0, True)],
        )

    def test_summary_says_the_difference_and_sending_holds(self):
        draft = self._choose(self.large, 2)
        exchange = self.service._get_summary(draft)['exchange']
        self.assertEqual((exchange['total'], exchange['difference']), (242.0, 0.0))
        self.assertEqual(self._get_held(draft), {})
        self.service._send(draft)
        self.assertEqual(self._get_held(draft), {self.large: 2.0})
        self.assertEqual(draft.line_ids.size_wanted_id.name, "L")

    def test_what_is_not_offered_is_refused(self):
        for product in (self.product, self.medium, self.env['product.product']):
            with self.assert_refused("Choose which variant", exception=RequestRefused):
                self._choose(product)
        self.env['stock.quant'].sudo()._update_available_quantity(self.large, self.stock, -999)
        self.env.invalidate_all()
        with self.assert_refused("1 are available", exception=RequestRefused):
            self._choose(self.large, 2)
        draft = self._choose(self.large, 1)
        self.env['stock.quant'].sudo()._update_available_quantity(self.large, self.stock, -1)
        self.env.invalidate_all()
        with self.assert_refused("0 are available", exception=RequestRefused):
            self.service._send(draft)

    def test_forty_sizes_take_no_more_queries_than_three(self):
        def count(order):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            row = self.offer._get_offer(order.sudo())[0]
            return len(row['variants']), self.env.cr.sql_log_count - before

        many = self._create_sizes("Boot", 5, sizes=[str(size) for size in range(41)])
        order = self._create_paid_sale({'product': many[0], 'quantity': 1})
        count(order)  # fills what is kept for the whole database
        (few, used), (number, used_of_many) = count(self.order), count(order)
        self.assertEqual((few, number), (2, 40))
        self.assertLessEqual(used_of_many, used + 3)

    def test_difference_and_payment_link_on_the_page(self):
        self.policy.exchange_payment = 'first'
        coat = self._create_product("Coat", list_price=150.0, taxes_id=[(6, 0, self.tax_21.ids)])
        sale_return = self._create_exchange(self.line, coat).sudo()
        exchange = sale_return._get_portal_exchange()
        self.assertEqual((exchange['difference'], exchange['to_pay']), (60.5, []))
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        exchange = sale_return._get_portal_exchange()
        self.assertEqual(exchange['difference'], 60.5)
        (payment,) = exchange['to_pay']
        self.assertEqual(payment['amount'], 60.5)
        self.assertIn('access_token=', payment['url'])
        self.assertEqual(sale_return._get_portal_next_step()['actor'], 'customer')
        self._pay(sale_return.exchange_order_ids.invoice_ids)
        self.assertEqual(sale_return._get_portal_exchange()['to_pay'], [])
        self.assertNotEqual(sale_return._get_portal_next_step()['actor'], 'customer')

    def test_switched_off_nothing_is_offered(self):
        self._switch_exchanges(False)
        row = self.offer._get_offer(self.order.sudo())[0]
        self.assertNotIn('exchange', dict(row['resolutions']))


@tagged('post_install', '-at_install')
class TestExchangePages(ExchangeCommon, PortalHttpCommon):
    """The pages themselves, as a browser without scripts sees them."""

    def test_customer_asks_for_another_size(self):
        order = self._create_paid_sale({'product': self.medium, 'quantity': 2})
        line = order.order_line
        self._log_in(self.jane)
        page = self._choose({line: 1}, order)
        self.assertIn("S In stock", self._text(page, 'o_sale_return_variants'))
        wish = {f'wish_{line.id}': 'exchange'}
        page = self._ask({line: 1}, order, **wish)
        self.assertIn("Choose which variant", self._error(page))
        wish[f'variant_{line.id}'] = self.large.id
        summary = self._ask({line: 1}, order, **wish)
        self.assertIn("Shirt (L)", self._text(summary, 'o_sale_return_exchange'))
        self.assertIn("Nothing to pay", self._text(summary, 'o_sale_return_exchange'))
        self._send(summary)
        sale_return = self._returns()
        self.assertEqual(self._get_held(sale_return), {self.large: 1.0})
        page = self._open(sale_return.access_url)
        self.assertIn("Exchange for Shirt (L)", self._text(page))

    def test_guest_holds_nothing_before_the_link_in_their_mail(self):
        """People who know number and address of an order get a link; only it leads to a hold."""
        order = self._create_paid_sale({'product': self.medium, 'quantity': 2})
        line = order.order_line
        self._log_in()
        self.env['sale.return.portal.link']._ask(order.name, 'jane@example.com')
        (mail,) = self._send_asked_links()
        wish = {f'wish_{line.id}': 'exchange', f'variant_{line.id}': self.large.id}
        self._post(
            self._url(order, '/details'), self._prepare_details({line: 1}, order), status=403
        )
        self.assertFalse(self._returns())
        token = self._read_link(mail).rpartition('access_token=')[2]
        summary = self._ask({line: 1}, order, token=token, **wish)
        self.assertEqual(self._get_held(self._returns()), {})
        self._send(summary)
        self.assertEqual(self._get_held(self._returns()), {self.large: 1.0})

    def test_clerk_changes_no_request_that_was_not_sent(self):
        """The customer sends it, so nobody asks whether a lower price is allowed."""
        order = self._create_paid_sale({'product': self.medium, 'quantity': 2})
        line = order.order_line
        self._log_in(self.jane)
        wish = {f'wish_{line.id}': 'exchange', f'variant_{line.id}': self.large.id}
        wish[f'note_{line.id}'] = "It broke."
        summary = self._ask({line: 1}, order, **wish)
        draft = self._returns()
        self.assertEqual(draft.line_ids.customer_note, "It broke.")
        clerk = self._create_user('draft_clerk', 'base.group_user', 'sale_return.group_user')
        manager = self._create_user('draft_boss', 'base.group_user', 'sale_return.group_manager')
        for user in (clerk, manager):
            for records, values in (
                (draft.line_ids, {'exchange_price': 1.0}),
                (draft.line_ids, {'qty_requested': 2}),
                (draft.line_ids, {'store_credit_consent': "Agreed"}),
                (draft, {'partner_id': self.env.user.partner_id.id}),
                (draft, {'line_ids': [(2, draft.line_ids.id)]}),
            ):
                with self.subTest(user.login, values=values), self.assert_refused("not sent yet"):
                    self._call(user, records, 'write', values)
            for values in ({'customer_note': "I broke it."}, {'customer_note': False}):
                with self.subTest(user.login, values=values), self.assert_refused("was written by"):
                    self._call(user, draft.line_ids, 'write', values)
        self._send(summary)
        self.assertEqual(self._returns().exchange_order_ids.order_line.price_unit, 100.0)
        with self.assert_refused("as a message on the return"):
            self._call(manager, self._returns().line_ids, 'write', {'customer_note': "Mine"})

    def test_page_has_the_link_to_pay(self):
        coat = self._create_product("Coat", list_price=150.0, taxes_id=[(6, 0, self.tax_21.ids)])
        self.policy.exchange_payment = 'first'
        order = self._create_paid_sale({'product': self.medium, 'quantity': 2})
        sale_return = self._exchange_goods(order.order_line, coat)
        self._log_in(self.jane)
        page = self._open(sale_return.access_url)
        self.assertIn(
            "It costs more than what you return", self._text(page, 'o_sale_return_exchange')
        )
        self.assertIn("60.50", self._text(page, 'o_sale_return_difference'))
        self.assertIn("Please pay the difference.", self._text(page))
        (link,) = page.xpath("//a[@name='pay']")
        invoice = sale_return.exchange_order_ids.invoice_ids
        self.assertIn(f'/my/invoices/{invoice.id}', link.get('href'))
        self._log_in()
        page = self._open(link.get('href').partition(sale_return.get_base_url())[2])
        self.assertIn(invoice.name, self._text(page))

    def test_page_asks_for_what_is_left_of_what_has_left_already(self):
        coat = self._create_product("Coat", list_price=150.0, taxes_id=[(6, 0, self.tax_21.ids)])
        self.policy.exchange_payment = 'account'
        order = self._create_paid_sale({'product': self.medium, 'quantity': 2})
        sale_return = self._exchange_goods(order.order_line, coat)
        self._log_in(self.jane)
        text = self._text(self._open(sale_return.access_url))
        self.assertIn("Please pay what is left of your exchange.", text)
        self.assertNotIn("Nothing left to do", text)

    def test_json2_with_only_the_role(self):
        order = self._create_paid_sale({'product': self.medium, 'quantity': 2})
        line = {
            'sale_line_id': order.order_line.id,
            'qty_requested': 1.0,
            'reason_id': self.reason_changed_mind.id,
            'resolution': 'exchange',
            'exchange_product_id': self.large.id,
        }
        values = {'partner_id': self.customer.id, 'line_ids': [[0, 0, line]]}
        status, ids = self.post_json2(self.clerk, 'sale.return', 'create', vals_list=[values])
        self.assertEqual(status, 200, ids)
        status, preview = self.post_json2(self.clerk, 'sale.return', 'preview_credit', ids=ids)
        (entry,) = preview.values()
        self.assertEqual((entry['difference'], entry['exchange'][0]['total']), (0.0, 121.0))
        status, _answer = self.post_json2(self.clerk, 'sale.return', 'action_submit', ids=ids)
        self.assertEqual(status, 200)
        sale_return = self.env['sale.return'].browse(ids)
        self.assertEqual(self._get_held(sale_return), {self.large: 1.0})
        stranger = self._create_user('exchange_json2', 'base.group_user')
        status, _answer = self.post_json2(stranger, 'sale.return', 'action_end_exchange', ids=ids)
        self.assertEqual(status, 403)
        self.assertEqual(self._get_held(sale_return), {self.large: 1.0})
        status, _answer = self.post_json2(self.clerk, 'sale.return', 'action_end_exchange', ids=ids)
        self.assertEqual(status, 200)
        self.assertEqual(self._get_held(sale_return), {})
