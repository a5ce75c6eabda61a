from odoo.tests import tagged

from ..common_exchange import ExchangeCommon
from ..common_walk import DESK, TELEPHONE, WalkCommon

APP = "[data-menu-xmlid='sale_return.sale_return_menu_root']"
BUTTON = ".o_statusbar_buttons button[name='{}']"
STAT = ".o-form-buttonbox button[name='{}']"
CONFIRM = ".modal-footer button[name='{}']"
STATE = ".o_statusbar_status [data-value='{}'].o_arrow_button_current"
CARD = ".o_kanban_record:has([title='{}']) .btn"
LIST = '.o_list_view, .o_kanban_view'
FORM = '.o_form_view .o_form_sheet'
MONEY = ".o_form_view .o_field_widget[name='money_note']"
STEP = ".o_form_view .o_field_widget[name='next_step']"
PRODUCT = ".o_field_widget[name='line_ids'] .o_data_row"
PRINTED = (
    "performance.getEntriesByType('resource').some(({ name, responseStatus }) =>"
    " name.includes('/report/download') && responseStatus === 200)"
)
ROW = '.o_data_row td.o_data_cell'
SETTLED = ".o_sr_bench[data-sending='0'] "


@tagged('post_install', '-at_install')
class TestWalks(WalkCommon, ExchangeCommon):
    """The day of five people, each with only their role and without help.

    They act once, in English at a desk. Then the same pages are checked in both languages, at a
    desk and on a telephone.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.staff.sudo().name = "Sam Staff"
        cls.customer.email = 'jane@example.com'
        cls.product.barcode = 'WALKLAMP'
        cls.order = cls._create_paid_sale({'quantity': 2})
        # One return in each step of the process.
        cls.to_decide, cls.to_refuse = (
            cls._create_return(cls._create_paid_sale({'quantity': 2}), 1, cls.reason_missing)
            for _number in range(2)
        )
        cls.to_receive = cls._create_return(cls._create_paid_sale({'quantity': 2}))
        cls.to_inspect = cls._create_return(cls._create_paid_sale({'quantity': 2}))
        cls._receive(cls.to_inspect)
        cls.to_pay = cls._return_goods(cls._create_paid_sale({'quantity': 2}))
        cls.to_receive.action_register_dispatch(tracking_ref='1ZWALK0001', carrier_name="UPS")
        # Pages that all roles see: home, list, and a return in each step.
        cls.pages = [
            ('overview', '/odoo/returns-overview', '.o_kanban_record'),
            ('list', '/odoo/returns', LIST),
            *(
                (sale_return.next_step, f'/odoo/returns/{sale_return.id}', FORM, MONEY, STEP)
                for sale_return in (cls.to_decide, cls.to_receive, cls.to_inspect, cls.to_pay)
            ),
        ]

    def _visit(self, walker, pages, *sizes):
        """Check pages given as `(name, path, selectors)`, at each size."""
        for size in sizes:
            walker.resize(size)
            for name, path, *selectors in pages:
                walker.go(path, *selectors)
                walker.look(name)
                if MONEY in selectors and size == DESK:
                    walker.check_fold(PRODUCT)

    def _look_around(self, walker, person, pages):
        """Check pages on a telephone, then in Chinese at a desk and on a telephone."""
        # End with pages without unsaved data, for which the browser would ask.
        pages = [*pages, *self.pages]
        self._visit(walker, pages, DESK, TELEPHONE)
        walker.resize(DESK)
        walker.log_in(person)
        self._visit(walker, pages, DESK, TELEPHONE)

    # === CUSTOMER SERVICE === #

    def test_clerk(self):
        clerk, chinese = self._create_person(
            "Clara Clerk", 'sales_team.group_sale_salesman_all_leads', 'sale_return.group_user'
        )
        order = self._create_paid_sale({'quantity': 3})
        order_name = order.name
        untouched = self._create_paid_sale({'quantity': 3})
        shirts = self._create_paid_sale({'product': self.medium, 'quantity': 1})
        product, serial = self._create_tracked_product('serial', 'SN-WALK-1')
        tracked = self._create_order({'product': product, 'quantity': 1})
        self._deliver(tracked)
        self._invoice(tracked)
        with_serial = self._create_return(tracked, submit=False)
        with_serial.line_ids.lot_ids = serial
        searches = {
            self.to_receive.name: self.to_receive.name,
            '1ZWALK0001': self.to_receive.name,
            self.to_inspect.sale_order_names: self.to_inspect.name,
            self.to_pay.credit_note_ids.name: self.to_pay.name,
            self.to_decide.line_ids.order_id.invoice_ids.name: self.to_decide.name,
            'SN-WALK-1': with_serial.name,
            'jane@example.com': self.to_decide.name,
        }
        with self._walk(clerk) as walker:
            walker.open(f'/odoo/orders/{self.order.id}', BUTTON.format('action_create_return'))
            with walker.task("return from the order", 4):
                walker.click(BUTTON.format('action_create_return'))
                walker.look('dialog', '.modal .o_data_row')
                walker.click(
                    CONFIRM.format('action_return_all'),
                    ".modal .o_field_widget[name='reason_id'] .o_selection_badge",
                )
                walker.look('dialog_filled', '.modal .o_selection_badge.active')
                walker.click(CONFIRM.format('action_create_and_submit'))
                walker.see(STATE.format('approved'))
            walker.look('submitted')
            self._walk_exchange(walker, shirts)
            self._walk_dialogs(walker, tracked, untouched)
            with walker.task("new return in the app", 6):
                walker.click('.o_list_button_add')
                walker.choose(".o_field_widget[name='partner_id']", "Jane Customer")
                walker.click('.o_field_x2many_list_row_add a')
                cell = ".o_selected_row .o_field_widget[name='{}']"
                walker.choose(cell.format('sale_line_id'), order_name)
                walker.choose(cell.format('reason_id'), "Defective")
                walker.type(cell.format('qty_requested') + ' input', '3')
                walker.click(BUTTON.format('action_submit'))
                walker.see(STATE.format('approved'))
            self._walk_searches(walker, searches)
            self._look_around(walker, chinese, [('new', '/odoo/returns/new', FORM)])
        self.assertEqual(shirts.return_ids.line_ids.exchange_product_id, self.large)
        for sold in (self.order, order):
            self.assertEqual(sold.return_ids.state, 'approved')
            self.assertEqual(sold.return_ids.requested_by_id.id, clerk.user_id)

    def _walk_exchange(self, walker, shirts):
        walker.go(f'/odoo/orders/{shirts.id}', BUTTON.format('action_create_return'))
        with walker.task("exchange from the order", 9):
            walker.click(
                BUTTON.format('action_create_return'),
                CONFIRM.format('action_return_all'),
                ".modal .o_field_widget[name='reason_id'] .o_selection_badge|Too small",
                ".modal td[name='resolution']",
                ".modal .o_selected_row td[name='resolution'] input",
                '.o_select_menu_item|Exchange',
                ".modal .o_selected_row td[name='exchange_product_id'] input",
                '.o-autocomplete--dropdown-item|(L)',
            )
            walker.look('dialog_exchange', ".modal .o_field_widget[name='exchange_note']")
            walker.click(CONFIRM.format('action_create_and_submit'))
            walker.see(STATE.format('approved'))
        walker.look('exchange', ".o_form_view .o_field_widget[name='exchange_note']")

    def _walk_dialogs(self, walker, tracked, untouched):
        walker.go(f'/odoo/orders/{tracked.id}', BUTTON.format('action_create_return'))
        walker.click(BUTTON.format('action_create_return'), ".modal td[name='lot_ids']")
        walker.choose(".modal .o_selected_row td[name='lot_ids']", 'SN-WALK-1')
        walker.see(".modal .o_selected_row td[name='lot_ids'] .o_tag|SN-WALK-1")
        walker.look('dialog_serial')
        walker.click(".modal-footer [special='cancel'], .modal .btn-close")
        walker.gone('.modal')
        walker.go(f'/odoo/orders/{untouched.id}', BUTTON.format('action_open_goodwill'))
        walker.click(BUTTON.format('action_open_goodwill'))
        walker.click(".modal .o_field_widget[name='reason_id'] .o_selection_badge|late")
        walker.see(".modal .o_field_widget[name='amount_left']|363.00")
        walker.look('goodwill')
        walker.click(".modal-footer [special='cancel'], .modal .btn-close")
        walker.gone('.modal')
        walker.go('/odoo/returns', LIST)
        walker.click('.o_control_panel button|From an Order')
        walker.look('dialog_of_list', ".modal .o_field_widget[name='order_id']")
        walker.click(".modal-footer [special='cancel'], .modal .btn-close")
        walker.gone('.modal')

    def _walk_searches(self, walker, searches):
        walker.go('/odoo/returns', LIST)
        for text, name in searches.items():
            with walker.task(f"search {text}", 0):
                walker.type('.o_searchview_input', text)
                walker.see('.o_searchview_autocomplete')
                walker.press('Enter')
                walker.see('.o_searchview_facet', f'{ROW}|{name}')
                if '@' not in text:
                    walker.wait_until("walk.find('.o_data_row').length === 1", "single row")
            walker.click('.o_facet_remove')

    # === WAREHOUSE === #

    def test_operator(self):
        groups = ['stock.group_stock_user', 'sale_return.group_inspector']
        if 'delivery.zip.prefix' in self.env:
            # Odoo's form of transfers asks for postal codes; the set-up page says so.
            groups.append('base.group_partner_manager')
        operator, chinese = self._create_person("Otto Operator", *groups)
        parcel = self._create_return(self._create_paid_sale({'quantity': 2}))
        parcel.action_register_dispatch(tracking_ref='1ZWALK0002')
        to_receive = self._create_return(self._create_paid_sale({'quantity': 2}))
        name = to_receive.name
        with self._walk(operator) as walker:
            walker.go('/odoo/returns-overview', '.o_kanban_record')
            with walker.task("receive in Inventory, then inspect", 6):
                walker.click(CARD.format("To Receive"), f'{ROW}|{name}')
                walker.see('.o_statusbar_buttons .btn-primary|Receive')
                walker.click(
                    BUTTON.format('action_view_receipts'), BUTTON.format('button_validate')
                )
                walker.see(STATE.format('done'))
                walker.click(BUTTON.format('action_open_sale_return_inspection'))
                walker.look('inspection', '.modal .o_data_row')
                walker.click(CONFIRM.format('action_confirm'))
                walker.see(".o_breadcrumb|RMA")
            walker.look('inspected', FORM, MONEY)
            walker.go('/odoo/returns-bench', '.o_sr_bench_body')
            with walker.task("parcel at the bench", 2):
                walker.scan('1ZWALK0002')
                walker.see(SETTLED + '.o_sr_bench_line')
                walker.scan('WALKLAMP')
                walker.see(SETTLED + '.o_sr_bench_count|1')
                walker.scan('WALKLAMP')
                walker.see(SETTLED + '.o_sr_bench_count|2')
                walker.scan('WALKLAMP')
                walker.look('bench_question', ".o_sr_bench_choice[data-choice='mistake']")
                walker.check_access()
                walker.click(".o_sr_bench_choice[data-choice='mistake']")
                walker.click(".o_sr_bench_grade[data-grade='A']")
                walker.look('bench_work', ".o_sr_bench_grade[data-grade='A'][aria-pressed='true']")
                walker.check_access()
                walker.press('d')
                walker.look('bench_finished', '.o_sr_bench_finished')
                walker.check_access()
            walker.click('.o_sr_bench_next')
            self._look_around(
                walker,
                chinese,
                [
                    ('to_receive', '/odoo/returns-to-receive', LIST),
                    ('parcels', '/odoo/parked-parcels', LIST),
                    ('bench', '/odoo/returns-bench', '.o_sr_bench_body'),
                ],
            )
        for sale_return in (parcel, to_receive):
            self.assertEqual(sale_return.inspection_state, 'full')
            inspector = sale_return.line_ids.inspection_ids.inspector_id
            self.assertEqual(inspector.id, operator.user_id)

    # === ACCOUNTING === #

    def test_accountant(self):
        accountant, chinese = self._create_person(
            "Anna Accountant", 'account.group_account_user', 'sale_return.group_user'
        )
        sale_return = self._return_goods(self._create_paid_sale({'quantity': 2}))
        self.env['sale.return.reconciliation'].action_refresh()
        name = sale_return.name
        with self._walk(accountant) as walker:
            walker.go('/odoo/returns-overview', '.o_kanban_record')
            walker.click(CARD.format("To Pay Back"))
            with walker.task("find the note and print it", 3):
                walker.click(f'{ROW}|{name}', STAT.format('action_view_credit_notes'))
                walker.look('note', FORM, ours=False)
                walker.click(BUTTON.format('action_print_pdf'))
                walker.wait_until(PRINTED, "printed note")
            walker.open(f'/odoo/returns/{sale_return.id}', FORM)
            with walker.task("pay back", 2):
                walker.click(BUTTON.format('action_open_refund'))
                walker.look('pay_back', '.modal .o_data_row')
                walker.click(CONFIRM.format('action_confirm'))
                walker.see(STATE.format('closed'))
            walker.look('paid_back', FORM)
            walker.go('/odoo/returns-overview', '.o_kanban_record')
            with walker.task("why a difference", 3):
                walker.click(CARD.format("Differences"), '.o_group_header', ROW)
                walker.look('difference', FORM)
            self._look_around(
                walker,
                chinese,
                [
                    ('to_pay_back', '/odoo/returns-to-pay-back', LIST),
                    ('refunds', '/odoo/return-refunds', LIST),
                    ('differences', '/odoo/return-reconciliation', LIST),
                ],
            )
        self.assertEqual(sale_return.amount_refunded, 242.0)

    # === WHO DECIDES === #

    def test_manager(self):
        manager, chinese = self._create_person("Mark Manager", 'sale_return.group_manager')
        name = self.to_decide.name
        with self._walk(manager) as walker:
            walker.click('.o_navbar_apps_menu button', APP)
            with walker.task("approve from the overview", 3):
                walker.click(CARD.format("To Decide"), f'{ROW}|{name}')
                walker.click(BUTTON.format('action_approve'))
                walker.gone(BUTTON.format('action_approve'))
            walker.go(f'/odoo/returns/{self.to_refuse.id}', FORM)
            with walker.task("refuse with a reason", 3):
                walker.click(BUTTON.format('action_open_refusal'))
                walker.look('refuse', '.modal')
                walker.type(".modal .o_field_widget[name='reason'] textarea", "Nothing is missing.")
                walker.click(CONFIRM.format('action_confirm'))
                walker.see('.alert-danger|Nothing is missing.')
            walker.look('refused')
            self._look_around(
                walker,
                chinese,
                [
                    ('refused', f'/odoo/returns/{self.to_refuse.id}', FORM),
                    ('to_decide', '/odoo/returns-to-decide', LIST),
                    ('set_up', '/odoo/returns-set-up', FORM),
                    ('policy', f'/odoo/return-policies/{self.policy.id}', FORM),
                    ('reasons', '/odoo/return-reasons', LIST),
                    ('analysis', '/odoo/action-sale_return.sale_return_report_action'),
                    ('unbacked', '/odoo/return-credits-without-goods', LIST),
                ],
            )
        self.assertEqual(self.to_refuse.state, 'refused')
        self.assertEqual(self.to_decide.approval_ids.user_id.id, manager.user_id)

    # === WHO SETS UP === #

    def test_administrator(self):
        people = self._create_person("Ada Admin", 'base.group_system', 'sale_return.group_manager')
        pages = [
            (
                'settings',
                '/odoo/action-sale_return.res_config_settings_action',
                '.app_settings_block',
            ),
            ('set_up', '/odoo/returns-set-up', FORM),
        ]
        with self._walk(people[0]) as walker:
            for person in people:
                walker.resize(DESK)
                if person != people[0]:
                    walker.log_in(person)
                self._visit(walker, pages, DESK, TELEPHONE)

    # === CUSTOMER === #

    def test_customer(self):
        self._create_policy(regime='eu_withdrawal', window_days=14)
        jane, chinese = self._create_customers()
        withdrawn = self._create_paid_sale({'quantity': 1})
        order_url = f'/my/orders/{self.to_decide.line_ids.order_id.id}'
        with self._walk(jane) as walker:
            walker.open(f'/my/orders/{self.order.id}', '.o_sale_return_button')
            walker.look('order')
            with walker.task("ask for a return", 4):
                walker.click('.o_sale_return_button')
                walker.type('.o_sale_return_product input[type=number]', '2')
                walker.look('request')
                walker.check_access()
                walker.click('.o_sale_return_form [type=submit]')
                walker.pick('select[name^=reason_]', 1)
                walker.look('request_details')
                walker.check_access()
                walker.click('.o_sale_return_form [type=submit]')
                walker.look('request_summary', '.o_sale_return_total')
                walker.check_access()
                walker.click('.o_sale_return_form [type=submit]')
                walker.look('request_sent', '.o_sale_return_number')
                walker.check_access()
            walker.open('/my/returns', '.o_sale_return_row')
            with walker.task("track a return", 1):
                walker.click('.o_sale_return_row')
                walker.look('follow', '#sale_return_page')
                walker.check_access()
            walker.open(f'/my/orders/{withdrawn.id}', '.o_sale_return_withdraw')
            with walker.task("withdraw", 2):
                walker.click('.o_sale_return_withdraw')
                walker.look('withdraw', '.o_sale_return_form')
                walker.check_access()
                walker.click('.o_sale_return_form [type=submit]')
                walker.look('withdrawn', '.o_sale_return_statement')
                walker.check_access()
            pages = [
                ('order', order_url, '#quote_content'),
                ('returns', '/my/returns', '.o_sale_return_row'),
                ('send', f'/my/returns/{self.to_receive.id}', '#sale_return_page'),
                ('money', f'/my/returns/{self.to_pay.id}', '#sale_return_page'),
                ('request', f'{order_url}/return', 'main form'),
            ]
            for person in (jane, chinese):
                for size in (DESK, TELEPHONE):
                    walker.resize(size)
                    if person == chinese and size == DESK:
                        walker.log_in(person)
                        walker.choose_language('zh_CN')
                    for name, path, *selectors in pages:
                        walker.open(path, *selectors)
                        walker.look(name)
        for order in (self.order, withdrawn):
            self.assertEqual(order.return_ids.requested_by_id.id, jane.user_id)
