from lxml import etree

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from ..common_refund import RefundCommon

LEAN = {
    "what the desk finds and is shown, with the role of a clerk": (
        'test_one_box_finds_by_whatever_a_customer_says',
        'test_dialog_says_at_once_what_the_rules_say',
        'test_one_button_in_colour_at_every_step',
    ),
}


@tagged('post_install', '-at_install')
class TestDesk(RefundCommon):
    """The dialog, the list, the form and the search box, as people with only their role."""

    ready_sales = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = cls._create_user(
            'desk_seller', 'sales_team.group_sale_salesman_all_leads', 'sale_return.group_user'
        )
        cls.approver = cls._create_user('desk_approver', 'sale_return.group_approver')

    def _as(self, user, record):
        self.env.invalidate_all()
        return record.with_env(self._env_of(user))

    def _search(self, user, text):
        return self._env_of(user)['sale.return'].search([('search_text', 'ilike', text)])

    # === SEARCH === #

    def test_one_box_finds_by_whatever_a_customer_says(self):
        self.customer.write({'email': 'jane@example.com', 'phone': '+1 (555) 012-3456'})
        order = self._create_sale(client_order_ref='PO-4711')
        invoice = order.invoice_ids
        zoe = self._create_customer("Zoe Other")
        other = self._return_goods(self._create_sale(partner_id=zoe.id))
        sale_return = self._return_goods(order)
        sale_return.write({'tracking_ref': 'JD0146'})
        product = order.order_line.product_id
        for text in (
            sale_return.name,
            'JD0146',
            'jane cust',
            'jane@example.com',
            '555 012 3456',
            '0555-0123456',
            order.name,
            'PO-4711',
            invoice.name,
            sale_return.credit_note_ids.name,
        ):
            with self.subTest(text=text):
                found = self._search(self.clerk, text)
                self.assertIn(sale_return, found)
                self.assertNotIn(other, found)
        self.assertLessEqual(sale_return | other, self._search(self.clerk, product.name))
        self.assertFalse(self._search(self.clerk, 'nothing_like_this_%_'))

    def test_serial_number_finds_its_return_and_not_its_neighbour(self):
        product, lots = self._create_tracked_product('serial', 'SN-A1', 'SN-B2')
        order = self._create_order({'product': product, 'quantity': 2})
        self._deliver(order)
        self._invoice(order)
        sale_return = self._create_return(order, 1, submit=False)
        sale_return.line_ids.lot_ids = lots[0]
        self.assertIn(sale_return, self._search(self.clerk, 'SN-A1'))
        self.assertNotIn(sale_return, self._search(self.clerk, 'SN-B2'))

    def test_invoice_finds_what_was_credited_on_it_only(self):
        order = self._create_sale()
        first = order.invoice_ids.name
        sale_return = self._return_goods(order, 2)
        order.order_line.product_uom_qty += 5
        self._deliver(order)
        second = self._invoice(order)
        self.assertIn(sale_return, self._search(self.clerk, first))
        self.assertNotIn(sale_return, self._search(self.clerk, second.name))

    # === DIALOG === #

    def _open_dialog(self, order):
        action = self._as(self.seller, order).action_create_return()
        return Form(
            self._env_of(self.seller)[action['res_model']].with_context(**action['context'])
        )

    def test_dialog_says_at_once_what_the_rules_say(self):
        strict = self._create_policy(reason_ids=[Command.set(self.reason_changed_mind.ids)])
        self.env['sale.return.rule'].create(
            {
                'policy_id': strict.id,
                'name': "Hygiene",
                'kind': 'excluded',
                'product_ids': [Command.set(self.product.ids)],
                'outcome': 'refuse',
            }
        )
        order = self._create_sale()
        with self._open_dialog(order) as dialog:
            dialog.reason_id = self.reason_changed_mind
            with dialog.line_ids.edit(0) as row:
                self.assertFalse(row.note)
                row.quantity = 2
            with dialog.line_ids.edit(0) as row:
                self.assertEqual(row.outcome, 'refuse')
                self.assertTrue(row.note)
            dialog.reason_id = self.reason_defective
            with dialog.line_ids.edit(0) as row:
                self.assertFalse(row.note)

    def test_dialog_says_at_most_while_typing_and_one_error_names_all(self):
        order = self._create_sale({'quantity': 7})
        with self._open_dialog(order) as dialog:
            dialog.reason_id = self.reason_defective
            with dialog.line_ids.edit(0) as row:
                row.quantity = 99
            with dialog.line_ids.edit(0) as row:
                self.assertEqual((row.outcome, row.note), ('excess', "At most 7 Units"))
        with self.assertRaisesRegex(UserError, "Maximum: .*: 7 Units"):
            dialog.record.action_create_and_submit()
        self.assertFalse(order.return_ids)

    def test_dialog_shows_what_it_is_worth(self):
        order = self._create_sale()
        with self._open_dialog(order) as dialog:
            with dialog.line_ids.edit(0) as row:
                row.quantity = 2
            self.assertEqual(dialog.amount_total, 242.0)

    def test_dialog_of_the_list_takes_its_products_from_an_order(self):
        order = self._create_sale({'quantity': 3})
        action = self.env.ref('sale_return.sale_return_create_action')._get_action_dict()
        dialogs = self._env_of(self.seller)[action['res_model']].with_context(choose_order=True)
        with Form(dialogs) as dialog:
            self.assertFalse(dialog.line_ids)
            dialog.order_id = order
            self.assertEqual(dialog.partner_id, order.partner_id)
            dialog.reason_id = self.reason_defective
            with dialog.line_ids.edit(0) as row:
                row.quantity = 2
        dialog.record.action_create_and_submit()
        self.assertEqual(order.return_ids.state, 'approved')
        self.assertEqual(order.return_ids.line_ids.qty_requested, 2)

    # === FORM === #

    def test_refused_return_shows_the_words_of_the_customer(self):
        self.policy.approval = 'always'
        sale_return = self._create_return(self._create_sale(), 2)
        self._as(self.approver, sale_return).action_refuse(reason="The seal is broken.")
        self.assertEqual(self._as(self.clerk, sale_return).refusal_note, "The seal is broken.")

    def _get_visible_primaries(self, sale_return):
        views = sale_return.get_view(self.env.ref('sale_return.sale_return_view_form').id, 'form')
        buttons = etree.fromstring(views['arch']).xpath(
            "//header/button[contains(@class, 'oe_highlight')]"
        )
        fields = [name for name in views['models']['sale.return'] if name in sale_return._fields]
        values = sale_return.read(fields)[0]
        values = {k: v[0] if isinstance(v, tuple) else v for k, v in values.items()}
        return [
            button.get('name')
            for button in buttons
            if not (button.get('invisible') and safe_eval(button.get('invisible'), dict(values)))
        ]

    def test_one_button_in_colour_at_every_step(self):
        self.policy.write({'approval': 'always', 'settlement': 'as_paid'})
        order = self._create_paid_sale()
        sale_return = self._create_return(order, submit=False)
        boss = self._create_user('desk_boss', 'sale_return.group_manager')
        steps = (
            ('action_submit', sale_return.action_submit),
            ('action_approve', self._as(self.approver, sale_return).action_approve),
            (None, lambda: self._receive(sale_return)),
            ('action_open_inspection', lambda: sale_return.action_inspect_all('restock')),
            ('action_open_refund', sale_return.action_refund),
            ('action_post_refunds', sale_return.action_post_refunds),
            (None, lambda: None),
        )
        for expected, step in steps:
            with self.subTest(state=sale_return.state, step=expected):
                found = self._get_visible_primaries(self._as(boss, sale_return))
                self.assertEqual(found, [expected] if expected else [])
            step()

    def test_bench_says_what_follows(self):
        sale_return = self._create_return(self._create_sale(), 2, submit=False)
        sale_return.line_ids.resolution = 'replace'
        sale_return.action_submit()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        delivery = sale_return.line_ids._get_replacement_moves().picking_id
        name = self.customer.name
        self.assertEqual(
            sale_return._describe_next(),
            [f"Next: send the replacement to {name} ({delivery.name})."],
        )
        self._process(delivery)
        self.assertEqual(sale_return._describe_next(), [])
        rejected = self._return_goods(self._create_sale(), 2, disposition='send_back')
        self.assertEqual(
            rejected._describe_next(),
            [f"Next: send the goods back to {name} ({rejected.transfer_ids.name})."],
        )

    def test_list_names_products_order_step_and_amount(self):
        order = self._create_sale()
        sale_return = self._as(self.clerk, self._create_return(order, 2))
        self.assertEqual(sale_return.sale_order_names, order.name)
        self.assertIn(order.order_line.product_id.name, sale_return.product_names)
        self.assertEqual(sale_return.amount_requested, 242.0)
        self.assertEqual(sale_return.line_ids.amount_requested, 242.0)
        view = sale_return.get_view(self.env.ref('sale_return.sale_return_view_list').id, 'list')
        shown = [
            node.get('name')
            for node in etree.fromstring(view['arch']).iter('field')
            if node.get('optional') != 'hide' and not node.get('column_invisible')
        ]
        self.assertEqual(
            shown,
            [
                'name', 'partner_id', 'sale_order_names', 'product_names', 'next_step', 'next_due',
                'amount_requested', 'state',
            ],
        )  # fmt: skip
