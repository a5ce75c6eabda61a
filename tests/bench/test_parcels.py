from odoo.exceptions import AccessError, UserError

from ..common_bench import PIXEL, BenchCommon

LEAN = {
    "owners of parcels without a carrier's tracking numbers": (
        'test_the_right_order_is_among_the_first_three_for_twenty_planted_labels',
        'test_looking_for_an_owner_takes_few_queries',
        'test_a_parked_parcel_is_found_again_and_its_photos_become_evidence',
    ),
}


class TestParcels(BenchCommon):
    """Unexpected parcels: find their owner, or park them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kettle = cls._create_product("Copper kettle", default_code='KET-7')
        cls.customers_by_name = {}
        people = [
            ("Jane Customer", "+32 478 12 34 56", "Gent", "jane@example.com"),
            ("Ole Nordmann", "+47 22 86 44 00", "Oslo", "ole@example.com"),
            ("Maria Sanchez", "+34 911 234 567", "Madrid", False),
            ("Maria Sanchez", "+34 933 765 432", "Barcelona", False),
            ("Hans Müller", "+49 30 901820", "Berlin", False),
            ("Hans Miller", "+1 202 555 0143", "Boston", False),
            ("Li Wei", "+86 10 6552 9988", "Beijing", False),
            ("Smith & Sons Ltd", "+44 20 7946 0958", "London", False),
        ]
        cls.orders = []
        for number, (name, phone, city, email) in enumerate(people):
            partner = cls._create_customer(
                name, phone=phone, city=city, email=email, street=f"Main street {number}"
            )
            order = cls._create_order(
                {'quantity': 1, 'product': cls.kettle if number == 4 else cls.product},
                partner_id=partner.id,
                client_order_ref=f'PO-77{number}13',
            )
            cls.orders.append(order)
        product, lots = cls._create_tracked_product('serial', 'SNX-100200', 'SNX-100300')
        cls.tracked = cls._create_order(
            {'product': product, 'quantity': 1}, partner_id=cls.orders[6].partner_id.id
        )
        for order in cls.orders:
            cls._deliver(order)
        cls._deliver(cls.tracked, lots=lots[:1])
        # Maria of Barcelona and Ole have announced a return.
        cls.returns = {}
        for number, tracking in ((3, '1Z999AA10123456784'), (1, 'JJD0123456789')):
            sale_return = cls._create_return(cls.orders[number])
            sale_return.action_register_dispatch(tracking)
            cls.returns[number] = sale_return

    def _find(self, text, **kwargs):
        return self.bench.find_candidates(self.session_id, text, **kwargs)

    def _get_order_ids(self, text):
        """Return the orders of the first three candidates."""
        return [candidate['order_id'] for candidate in self._find(text)[:3]]

    def test_the_right_order_is_among_the_first_three_for_twenty_planted_labels(self):
        orders, returns = self.orders, self.returns
        number = orders[2].name
        swapped = number[:-2] + number[-1] + number[-2]
        labels = [
            (orders[0], orders[0].name),
            (orders[0], f"order {orders[0].name.lower()} from Jane"),
            (orders[2], f"{swapped} Maria Sanchez"),
            (orders[2], number.replace('0', 'O', 1)),
            (orders[3], returns[3].name),
            (orders[3], "1Z 999 AA1 01 2345 6784"),
            (orders[3], "tracking 123456784"),
            (orders[1], "JJD0123456798"),
            (orders[5], "PO-77513"),
            (orders[5], "PO 77513 Boston"),
            (orders[0], "jane@example.com"),
            (orders[0], "0478/12.34.56"),
            (orders[7], "tel ...46 0958"),
            (orders[2], "Maria Sanchez, Madrid"),
            (orders[3], "Maria Sanchez, Main street 3, Barcelona"),
            (orders[4], "Hans Mueller Berlin"),
            (orders[4], "Hans Müller, copper kettle"),
            (orders[7], "Smiht and Sons"),
            (self.tracked, "SNX-100200"),
            (self.tracked, "Li Wei serial SNX-10020"),
        ]
        missed = [text for order, text in labels if order.id not in self._get_order_ids(text)]
        self.assertEqual(len(labels), 20)
        self.assertLessEqual(len(missed), 2, missed)

    def test_a_waiting_return_comes_before_its_order(self):
        first = self._find("Maria Sanchez")[0]
        self.assertEqual((first['kind'], first['id']), ('return', self.returns[3].id))
        self.assertTrue(first['can_attach'])
        self.assertEqual(first['phone'], "…5432")

    def test_orders_of_services_send_no_parcels(self):
        partner = self._create_customer("Sven Assembler", phone="+46 8 123 99 88")
        both = self._create_order({}, {'product': self.service}, partner_id=partner.id)
        self._create_order({'product': self.service}, partner_id=partner.id)
        self.assertEqual(self._get_order_ids("Sven Assembler"), both.ids)

    def test_nonsense_finds_nobody_and_breaks_nothing(self):
        for text in ('', None, '%%%', "'; --", '\x00' * 3, 'x' * 9000, '(((', 7, '\\', '_' * 9):
            with self.subTest(text=text):
                self.assertEqual(self._find(text), [])

    def test_other_companies_are_never_proposed(self):
        other = self._create_trading_company("Elsewhere")
        user = self._create_user(
            'bench_elsewhere', 'base.group_user', 'sale_return.group_inspector', company=other
        )
        bench = self._env_of(user)['sale.return.bench']
        session_id = bench.open_session()['data']['session']['id']
        self.assertEqual(bench.find_candidates(session_id, self.orders[0].name), [])
        answer = bench.scan(session_id, self.returns[3].name, 'T1')
        self.assert_answer(answer, 'reject', 'unknown')
        answer = bench.attach(session_id, self.returns[3].id, 'T2')
        self.assert_answer(answer, 'reject', 'bad_value')
        answer = bench.create_return(session_id, self.orders[0].id, 'T3')
        self.assert_answer(answer, 'reject', 'bad_value')

    def test_looking_for_an_owner_takes_few_queries(self):
        text = "Maria Sanchez, Main street 3, Barcelona, tel 933 765 432, PO-77313"
        self._find(text)
        self.env.invalidate_all()
        # session 1, numbers 1, people 1, products 1 + one per word (7), documents 1
        with self.assertQueryCount(14):
            self._find(text)

    # === FROM ORDER, PARK, MATCH === #

    def test_an_order_without_return_offers_to_make_one(self):
        order = self.orders[0]
        answer = self._scan(order.name)
        self.assert_answer(answer, 'ask', 'make_return', order.name)
        answer = self._do('answer', 'create')
        self.assert_answer(answer, 'accept', 'created')
        sale_return = self.env['sale.return'].browse(answer['result']['return_id'])
        self.assertEqual(
            sale_return.line_ids.reason_id, self.env.ref('sale_return.reason_not_stated')
        )
        self.assertEqual(sale_return.create_uid, self.inspector)
        self._scan('5901234123457', 'SRB-GRADE-A')
        self.assert_answer(self._do('finish'), 'accept', 'finished')

    def test_a_return_of_chosen_lines_that_needs_approval_waits(self):
        self._create_policy(approval='always')
        order = self.orders[0]
        answer = self._do(
            'create_return',
            order.id,
            values={
                'reason': self.reason_defective.code,
                'lines': [{'sale_line_id': order.order_line.id, 'quantity': 1}],
            },
        )
        self.assert_answer(answer, 'accept', 'created', "approved")
        sale_return = self.env['sale.return'].browse(answer['result']['return_id'])
        self.assertEqual(sale_return.state, 'submitted')
        self.assertFalse(answer['data']['returns'])
        self.assert_answer(self._scan(sale_return.name), 'reject', 'not_open')
        # Nothing is left to return.
        answer = self._do('create_return', order.id)
        self.assert_answer(answer, 'reject', 'not_allowed', order.name)

    def test_a_parked_parcel_is_found_again_and_its_photos_become_evidence(self):
        answer = self._do(
            'park',
            {
                'tracking': 'LOST-1',
                'carrier': "DHL",
                'note': "Torn",
                'location': "P3",
                'text': "M. Sanch",
                'photos': [{'name': 'label.png', 'datas': PIXEL}],
            },
        )
        self.assert_answer(answer, 'accept', 'parked')
        parcel = self.env['sale.return.parcel'].browse(answer['result']['parcel_id'])
        self.assertEqual(
            (parcel.state, parcel.user_id, parcel.photo_count, parcel.location_note),
            ('parked', self.inspector, 1, "P3"),
        )
        answer = self._scan('LOST-1')
        self.assert_answer(answer, 'accept', 'parcel', parcel.name)
        self.assertEqual(answer['data']['parcel']['id'], parcel.id)
        answer = self._do('attach', self.returns[3].id)
        self.assert_answer(answer, 'accept', 'attached')
        self.assertEqual((parcel.state, parcel.return_id), ('matched', self.returns[3]))
        self.assertEqual(self.returns[3].file_ids.mapped('name'), ['label.png'])
        # The wrong one: the parcel is parked again.
        self._scan('SRB-UNDO')
        self.assertEqual((parcel.state, parcel.return_id.ids), ('parked', []))
        self._do('attach_parcel', parcel.id, return_id=self.returns[3].id)
        self._scan('5901234123457', 'SRB-GRADE-A')
        self.assert_answer(self._do('finish'), 'accept', 'finished')
        self.assertEqual(parcel.state, 'matched')

    def test_a_parcel_is_not_parked_while_something_is_counted(self):
        self._scan(self.returns[3].name, '5901234123457')
        self.assert_answer(self._do('park', {}), 'reject', 'unfinished')
        self.assert_answer(self._do('next_parcel'), 'reject', 'unfinished')

    def test_bad_photos_park_nothing(self):
        before = self.env['sale.return.parcel'].search_count([])
        answer = self._do('park', {'photos': [{'name': 'x.png', 'datas': 'bm8='}]})
        self.assert_answer(answer, 'reject', 'no_photo')
        self.assertEqual(self.env['sale.return.parcel'].search_count([]), before)

    def test_parcels_are_matched_by_hand_and_never_deleted_or_rewritten(self):
        env = self._env_of(self.inspector)
        parcel = env['sale.return.parcel'].create({'label_text': "?"})
        with self.assert_refused("by hand"):
            parcel.write({'state': 'matched'})
        with self.assertRaises(UserError):
            parcel.unlink()
        with self.assert_refused("no such return"):
            parcel.action_match(0)
        parcel.action_match(self.returns[1].id)
        self.assertEqual(parcel.return_id, self.returns[1])
        user = self._create_user('parcel_user', 'base.group_user', 'sale_return.group_user')
        for call in ('action_match', 'action_park_again', 'action_open_bench'):
            with self.subTest(call), self.assertRaises(AccessError):
                args = [self.returns[1].id] if call == 'action_match' else []
                getattr(self._env_of(user)['sale.return.parcel'].browse(parcel.id), call)(*args)
