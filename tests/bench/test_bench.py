from odoo.exceptions import AccessError, UserError

from ..common_bench import PIXEL, BenchCommon

LEAN = {
    "a story of the room": (
        'test_a_parcel_goes_from_slip_to_credit_by_scans_only',
        'test_goods_received_in_inventory_before_are_only_inspected',
        'test_a_foreign_product_asks_and_becomes_a_discrepancy',
        'test_finishing_is_all_or_nothing',
        'test_only_inspectors_use_the_bench_and_each_their_own',
    ),
}


class TestBench(BenchCommon):
    """The desk, as a client drives it."""

    # === THE NORMAL WAY === #

    def test_a_parcel_goes_from_slip_to_credit_by_scans_only(self):
        sale_return = self.lamps
        self.assert_answer(self._scan(sale_return.name), 'accept', 'attached', "3 expected")
        answer = self._scan(*['5901234123457'] * 3)
        self.assert_answer(answer, 'accept', 'counted', "3 of 3")
        self.assertEqual(answer['data']['session']['phase'], 'result')
        answer = self._scan('SRB-GRADE-A')
        self.assert_answer(answer, 'accept', 'result')
        self.assertEqual(answer['data']['session']['phase'], 'ready')
        answer = self._scan('SRB-FINISH')
        self.assert_answer(answer, 'accept', 'finished', sale_return.name)
        self.assertEqual(answer['sound'], 'done')
        self.assert_progress(sale_return, 'full', 'full', 'full')
        self.assertEqual(sale_return.inspection_ids.inspector_id, self.inspector)
        self.assertEqual(
            answer['result']['returns'][0]['credit_notes'],
            (sale_return.credit_note_ids.mapped('name')),
        )
        self.assertIn("363", answer['result']['returns'][0]['credited'])
        self.assertFalse(answer['data']['returns'] + answer['data']['items'])

    def test_each_part_gets_its_own_grade_and_the_rules_propose_the_way(self):
        grade_c = self.env.ref('sale_return.grade_c')
        rules = self.env['sale.return.disposition.rule']
        # The standard ones have separate tests.
        rules.search([]).active = False
        rules.create(
            {
                'sequence': -10,
                'grade_ids': grade_c.ids,
                'disposition_id': self.scrap.id,
                'company_id': self.company.id,
            }
        )
        sale_return = self.lamps
        self._scan(sale_return.name, '5901234123457', '5901234123457')
        answer = self._do('set_result', {'grade': 'A'})
        self.assertEqual(answer['data']['items'][0]['disposition_id'], self.restock.id)
        self._scan('5901234123457')
        answer = self._do('set_result', {'grade': grade_c.id})
        self.assertEqual(answer['data']['items'][1]['proposed_disposition_id'], self.scrap.id)
        # A disposition against the rules requires a note.
        answer = self._do('set_result', {'disposition': 'restock'})
        self.assertEqual(answer['data']['items'][1]['missing'], ['note'])
        self.assert_answer(self._do('finish'), 'reject', 'incomplete', "Note")
        self._do('set_result', {'note': "Box only", 'liability': 'carrier'})
        self.assert_answer(self._do('finish'), 'accept', 'finished')
        rows = sale_return.inspection_ids.sorted('id')
        self.assertEqual(rows.mapped('quantity'), [2.0, 1.0])
        self.assertEqual(rows.grade_id.mapped('code'), ['A', 'C'])
        self.assertEqual(rows[1].liability, 'carrier')
        self.assertEqual(rows[1].proposed_disposition_id, self.scrap)

    def test_archived_disposition_is_not_proposed(self):
        self.env['sale.return.disposition.rule'].search([]).active = False
        own = self.restock.sudo().copy({'code': 'own', 'company_id': self.company.id})
        self._create_policy(default_disposition_id=own.id)
        sale_return = self._create_approved()
        self.assertEqual(sale_return.line_ids.policy_id.default_disposition_id, own)
        own.active = False
        self._scan(sale_return.name, '5901234123457')
        answer = self._do('set_result', {'grade': 'A'})
        (item,) = answer['data']['items']
        self.assertFalse(item['proposed_disposition_id'] or item['disposition_id'])
        self.assert_answer(self._do('finish'), 'reject', 'incomplete')
        self._do('set_result', {'disposition': 'restock'})
        self.assert_answer(self._do('finish'), 'accept', 'finished')
        self.assertEqual(sale_return.inspection_ids.disposition_id, self.restock)

    def test_one_return_comes_in_several_parcels(self):
        sale_return = self.lamps
        self._scan(sale_return.name, '5901234123457', 'SRB-GRADE-A')
        answer = self._scan('SRB-FINISH')
        self.assertEqual(answer['result']['returns'][0]['missing'], 2.0)
        self.assert_progress(sale_return, 'partial', 'partial', 'partial')
        answer = self._scan(sale_return.name)
        self.assertEqual(answer['data']['session']['expected'], 2.0)
        self._scan('5901234123457', '5901234123457', 'SRB-GRADE-A', 'SRB-FINISH')
        self.assert_progress(sale_return, 'full', 'full', 'full')
        self.assertEqual(sale_return.state, 'closed')

    def test_several_returns_come_in_one_parcel(self):
        returns = self._create_approved() | self._create_approved({'quantity': 2})
        returns.action_register_dispatch('TRACK-1', "UPS")
        answer = self._scan('track-1')
        self.assert_answer(answer, 'accept', 'attached', "5 expected")
        self._scan(*['5901234123457'] * 5)
        answer = self._do(
            'set_result',
            {'grade': 'A'},
            item_ids=[item['id'] for item in self._scan('SRB-NO')['data']['items']],
        )
        answer = self._do('finish')
        self.assert_answer(answer, 'accept', 'finished')
        self.assertEqual(set(returns.mapped('state')), {'closed'})
        self.assertEqual(len(answer['result']['returns']), 2)

    def test_goods_received_in_inventory_before_are_only_inspected(self):
        sale_return = self.lamps
        self._receive(sale_return)
        answer = self._scan(sale_return.name)
        self.assertEqual(answer['data']['session']['expected'], 3.0)
        self._scan(*['5901234123457'] * 3, 'SRB-GRADE-A', 'SRB-FINISH')
        self.assert_progress(sale_return, 'full', 'full', 'full')
        self.assertEqual(len(sale_return.picking_ids), 1)

    def test_photos_become_evidence_of_the_inspection(self):
        sale_return = self.lamps
        self._scan(sale_return.name, *['5901234123457'] * 3, 'SRB-GRADE-A')
        answer = self._do('add_photo', {'name': 'scratch.png', 'datas': PIXEL})
        self.assertEqual(answer['data']['items'][0]['photos'], 1)
        self.assert_answer(
            self._do('add_photo', {'name': 'x.png', 'datas': 'bm8='}), 'reject', 'no_photo'
        )
        self._do('finish')
        files = sale_return.inspection_ids.file_ids
        self.assertEqual((files.mapped('name'), files.locked), (['scratch.png'], True))
        self.assertFalse(self.env['sale.return.file'].search([('bench_item_id', '!=', False)]))

    def test_checklists_ask_and_their_answers_propose_the_grade(self):
        grade_c = self.env.ref('sale_return.grade_c')
        checklist = self.env['sale.return.checklist'].create(
            {
                'name': "Lamps",
                'product_categ_id': self.category.id,
                'company_id': self.company.id,
                'item_ids': [
                    (
                        0,
                        0,
                        {'name': "Does it shine?", 'code': 'shine', 'fail_grade_id': grade_c.id},
                    ),
                    (0, 0, {'name': "Type plate", 'code': 'plate', 'kind': 'photo'}),
                ],
            }
        )
        sale_return = self.lamps
        answer = self._scan(sale_return.name, *['5901234123457'] * 3)
        questions = answer['data']['items'][0]['questions']
        self.assertEqual([q['code'] for q in questions], ['shine', 'plate'])
        answer = self._do('set_result', {'answers': {'shine': False}})
        item = answer['data']['items'][0]
        self.assertEqual((item['grade_id'], item['missing']), (grade_c.id, ['photo']))
        self.assert_answer(self._do('set_result', {'answers': {'nope': 1}}), 'reject', 'bad_value')
        plate = checklist.item_ids[1]
        self._do('add_photo', {'name': 'p.png', 'datas': PIXEL}, question_id=plate.id)
        self.assert_answer(self._do('finish'), 'accept', 'finished')
        self.assertEqual(len(sale_return.inspection_ids.answer_ids), 2)
        self.assertEqual(sale_return.inspection_ids.file_ids.mapped('name'), ['p.png'])

    # === MISTAKES === #

    def test_more_than_expected_asks_and_becomes_surplus(self):
        sale_return = self.lamps
        answer = self._scan(sale_return.name, *['5901234123457'] * 4)
        self.assert_answer(answer, 'ask', 'over', "only 3")
        self.assertEqual(answer['data']['items'][0]['quantity'], 3.0)
        self.assert_answer(self._do('answer', 'ignore'), 'accept', 'ignored')
        self.assert_answer(self._do('answer', 'surplus'), 'reject', 'no_question')
        self._scan('5901234123457')
        answer = self._scan('SRB-YES')
        self.assert_answer(answer, 'accept', 'surplus')
        self._do('select_item', answer['data']['items'][0]['id'])
        self._scan('SRB-GRADE-A')
        answer = self._scan('SRB-FINISH')
        self.assert_answer(answer, 'accept', 'finished')
        discrepancy = sale_return.discrepancy_ids
        self.assertEqual((discrepancy.kind, discrepancy.quantity), ('over', 1.0))
        self.assertEqual(discrepancy.qty_here, 1.0)
        self.assertEqual(sale_return.line_ids.qty_received, 3.0)

    def test_scans_by_mistake_count_for_nothing(self):
        self._create_product("Kettle", barcode='4006381333931')
        self._scan(self.lamps.name)
        for codes in (['4006381333931'], ['5901234123457'] * 4):
            answer = self._scan(*codes)
            self.assertEqual(answer['status'], 'ask')
            choices = [choice['value'] for choice in answer['data']['question']['choices']]
            self.assertIn('mistake', choices)
            answer = self._do('answer', 'mistake')
            self.assert_answer(answer, 'accept', 'ignored', "is ignored")
        self.assertEqual([row[3] for row in self._counted(answer)], [3.0])
        self._scan('SRB-GRADE-A')
        self.assert_answer(self._do('finish'), 'accept', 'finished')
        self.assertFalse(self.lamps.discrepancy_ids)

    def test_a_foreign_product_asks_and_becomes_a_discrepancy(self):
        other = self._create_product("Kettle", barcode='4006381333931')
        sale_return = self.lamps
        answer = self._scan(sale_return.name, '4006381333931')
        self.assert_answer(answer, 'ask', 'foreign_product', "Kettle")
        self._do('answer', 'wrong_product')
        self._scan('4006381333931')
        answer = self._do('answer', 'wrong_product')
        self.assertEqual(self._counted(answer), [('wrong_product', other.id, None, 2.0)])
        answer = self._do('finish')
        self.assert_answer(answer, 'accept', 'finished', "3 still to come")
        self.assertEqual(sale_return.discrepancy_ids.kind, 'wrong_product')
        self.assertEqual(sale_return.line_ids.qty_received, 0.0)

    def test_serials_count_once_and_wrong_ones_ask(self):
        product, lots = self._create_tracked_product('serial', 'SN-1', 'SN-2', 'SN-3')
        order = self._create_order({'product': product, 'quantity': 2})
        self._deliver(order, lots=lots[:2])
        self._invoice(order)
        sale_return = self._create_return(order)
        answer = self._scan('SN-1')
        self.assert_answer(answer, 'accept', 'counted', "1 of 2")
        self.assertEqual(answer['data']['returns'][0]['id'], sale_return.id)
        self.assert_answer(self._scan('SN-1'), 'reject', 'already_counted')
        self.assert_answer(self._scan('SN-3'), 'ask', 'wrong_serial', "SN-3")
        self._do('answer', 'wrong_lot')
        self.assert_answer(self._scan('SN-3'), 'reject', 'already_counted')
        self.assert_answer(self._scan('NOBODY-9'), 'ask', 'unknown_serial')
        self._do('answer', 'ignore')
        self._do('set_result', {'grade': 'A'}, item_ids=[answer['data']['items'][0]['id']])
        self.assert_answer(self._do('finish'), 'accept', 'finished')
        self.assertEqual(sale_return.inspection_ids.lot_id, lots[0])
        self.assertEqual(sale_return.discrepancy_ids.kind, 'wrong_lot')

    def test_a_tracked_product_asks_for_its_serial(self):
        product, lots = self._create_tracked_product('serial', 'SN-7')
        product.barcode = '4006381333931'
        order = self._create_order({'product': product, 'quantity': 1})
        self._deliver(order, lots=lots)
        sale_return = self._create_return(order)
        self._scan(sale_return.name)
        self.assert_answer(self._scan('4006381333931'), 'reject', 'lot_needed')

    def test_undo_takes_back_step_by_step_until_the_parcel_is_finished(self):
        sale_return = self.lamps
        self._scan(sale_return.name, '5901234123457', '5901234123457', 'SRB-GRADE-B')
        answer = self._scan('SRB-UNDO')
        self.assert_answer(answer, 'accept', 'undone')
        self.assertFalse(answer['data']['items'][0]['grade_id'])
        self.assertEqual(self._scan('SRB-UNDO')['data']['items'][0]['quantity'], 1.0)
        self.assertFalse(self._scan('SRB-UNDO')['data']['items'])
        answer = self._scan('SRB-UNDO')
        self.assertFalse(answer['data']['returns'])
        self.assert_answer(self._scan('SRB-UNDO'), 'reject', 'nothing_to_undo')
        self._scan(sale_return.name, '5901234123457', 'SRB-GRADE-A', 'SRB-FINISH')
        self.assert_answer(self._scan('SRB-UNDO'), 'reject', 'nothing_to_undo')
        self.assertEqual(sale_return.line_ids.qty_received, 1.0)

    def test_a_discarded_parcel_can_be_taken_back(self):
        sale_return = self.lamps
        self._scan(sale_return.name, '5901234123457', '5901234123457')
        self.assertFalse(self._do('discard')['data']['returns'])
        answer = self._do('undo')
        self.assertEqual(answer['data']['session']['counted'], 2.0)
        self.assertEqual([r['id'] for r in answer['data']['returns']], sale_return.ids)
        # Earlier steps can still be undone.
        self.assertEqual(self._do('undo')['data']['session']['counted'], 1.0)

    def test_quantities_by_hand_split_and_correct(self):
        sale_return = self.lamps
        answer = self._scan(sale_return.name, '5901234123457')
        item_id = answer['data']['current_item_id']
        answer = self._do('set_quantity', item_id, 5)
        self.assert_answer(answer, 'ask', 'over')
        self._do('answer', 'ignore')
        self._do('set_quantity', item_id, 3)
        answer = self._do('set_result', {'grade': 'B', 'quantity': 1})
        self.assertEqual(
            [(i['quantity'], bool(i['grade_id'])) for i in answer['data']['items']],
            [(2.0, False), (1.0, True)],
        )
        for bad in (-1, 'x', None, float('nan'), True):
            with self.subTest(bad):
                self.assert_answer(self._do('set_quantity', item_id, bad), 'reject', 'bad_value')
        answer = self._do('set_quantity', item_id, 0)
        self.assertEqual(self._counted(answer), [('expected', self.product.id, None, 1.0)])

    def test_goods_without_barcode_are_counted_by_hand(self):
        self.product.barcode = False
        line = self._scan(self.lamps.name)['data']['returns'][0]['lines'][0]
        for number in ("1 of 3", "2 of 3", "3 of 3"):
            answer = self._do('count_line', line['key'])
            self.assert_answer(answer, 'accept', 'counted', number)
        self.assert_answer(self._do('count_line', line['key']), 'ask', 'over')
        self.assertEqual(self._do('undo')['data']['session']['counted'], 2.0)
        self.assert_answer(self._do('count_line', 'nothing'), 'reject', 'no_item')

    def test_set_quantity_beyond_the_expected_keeps_the_rest_as_surplus(self):
        sale_return = self.lamps
        answer = self._scan(sale_return.name, '5901234123457')
        self._do('set_quantity', answer['data']['current_item_id'], 5)
        answer = self._do('answer', 'surplus')
        self.assertEqual(
            self._counted(answer),
            [('expected', self.product.id, None, 3.0), ('over', self.product.id, None, 2.0)],
        )

    def test_what_is_reported_becomes_a_discrepancy_without_goods(self):
        sale_return = self.lamps
        answer = self._scan(sale_return.name)
        key = answer['data']['returns'][0]['lines'][0]['key']
        self.assert_answer(
            self._do('report', {'kind': 'short', 'line_key': key, 'quantity': 9}),
            'reject',
            'bad_value',
        )
        self._do('report', {'kind': 'short', 'line_key': key, 'quantity': 1, 'note': "Torn"})
        self._scan('5901234123457', '5901234123457', 'SRB-GRADE-A')
        self.assert_answer(self._do('finish'), 'accept', 'finished')
        self.assertEqual(sale_return.discrepancy_ids.mapped('kind'), ['short'])
        self.assertEqual(sale_return.discrepancy_ids.note, "Torn")

    def test_finishing_is_all_or_nothing(self):
        sale_return = self.lamps
        self._scan(sale_return.name, *['5901234123457'] * 3, 'SRB-GRADE-A')
        # Somebody has received it in the meantime, and inspected it.
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        before = self._count_documents()
        self.assert_answer(self._do('finish'), 'reject', 'failed')
        self.assertEqual(self._count_documents(), before)
        answer = self.bench.get_state(self.session_id)
        self.assertEqual(answer['data']['session']['counted'], 3.0)

    # === TWO DESKS, LOST NETWORK === #

    def test_the_same_token_counts_once_and_answers_the_same(self):
        sale_return = self.lamps
        self._scan(sale_return.name)
        first = self._do('scan', '5901234123457', token='T')
        again = self._do('scan', '5901234123457', token='T')
        self.assertEqual((first['repeated'], again['repeated']), (False, True))
        self.assertEqual(first['message'], again['message'])
        self.assertEqual(again['data']['session']['counted'], 1.0)
        self._scan('SRB-GRADE-A')
        done = self._do('finish', token='F')
        self.assertEqual(self._do('finish', token='F')['result'], done['result'])
        self.assertEqual(len(sale_return.inspection_ids), 1)
        for bad in ('', None, 7, 'x' * 101):
            with self.subTest(bad), self.assert_refused("token"):
                self.bench.scan(self.session_id, 'X', bad)

    def test_work_is_there_again_after_the_browser_was_closed(self):
        sale_return = self.lamps
        self._scan(sale_return.name, '5901234123457', 'SRB-GRADE-A')
        self._do('add_photo', {'name': 'a.png', 'datas': PIXEL})
        self.env.invalidate_all()
        answer = self.bench.open_session()
        self.assertEqual(answer['data']['session']['id'], self.session_id)
        self.assertEqual(answer['data']['items'][0]['photos'], 1)
        self.assertIn("interrupted", answer['message'])

    def test_somebody_else_has_the_return_and_it_can_be_taken_over(self):
        sale_return = self.lamps
        self._scan(sale_return.name, '5901234123457')
        bench, session_id = self._other_bench()
        answer = self._do('scan', sale_return.name, bench=bench, session_id=session_id)
        self.assert_answer(answer, 'ask', 'in_use', self.inspector.name)
        answer = self._do('answer', 'take_over', bench=bench, session_id=session_id)
        self.assert_answer(answer, 'accept', 'taken_over')
        self.assertEqual(answer['data']['session']['counted'], 1.0)
        # The previous user is informed, once, and their scan is not counted.
        self.assert_answer(self._scan('5901234123457'), 'reject', 'lost', sale_return.name)
        answer = self._scan('SRB-UNDO')
        self.assertFalse(answer['data']['items'])
        answer = bench.get_state(session_id)
        self.assertEqual(answer['data']['session']['counted'], 1.0)

    # === BAD INPUT === #

    def test_bad_codes_get_a_sentence_and_count_nothing(self):
        sale_return = self.lamps
        order = sale_return.sale_order_ids
        self._scan(sale_return.name)
        cases = [
            ('', 'unreadable'),
            (None, 'unreadable'),
            ('?!', 'unreadable'),
            ('\ufffd\ufffdab12', 'unreadable'),
            ('x' * 5000, 'unreadable'),
            ('5901234', 'partial'),
            ('234123457', 'partial'),
            ('4006381333932', 'unreadable'),
            ('https://example.com/a?b=c', 'unknown'),
            ("'; DROP TABLE x; --", 'unknown'),
            ('SRB-NONSENSE', 'unknown'),
            (f'{order.name}{sale_return.name}', 'glued'),
        ]
        for code, expected in cases:
            with self.subTest(code=code):
                self.assert_answer(self._scan(code), 'reject', expected)
        self.assertFalse(self.bench.get_state(self.session_id)['data']['items'])

    def test_two_scans_without_end_key_are_both_counted_if_unambiguous(self):
        sale_return = self.lamps
        answer = self._scan(sale_return.name, '59012341234575901234123457')
        self.assert_answer(answer, 'accept', 'counted', "Two codes")
        self.assertEqual(answer['data']['session']['counted'], 2.0)
        self.assertEqual(self._scan('SRB-UNDO')['data']['session']['counted'], 0.0)

    def test_returns_that_cannot_be_received_are_refused_with_their_state(self):
        order = self._create_sale({'quantity': 1})
        draft = self._create_return(order, submit=False)
        self.assert_answer(self._scan(draft.name), 'reject', 'not_open', "Draft")
        done = self._return_goods(self._create_sale({'quantity': 1}))
        self.assert_answer(self._scan(done.name), 'reject', 'not_open')

    # === WHO MAY === #

    def test_only_inspectors_use_the_bench_and_each_their_own(self):
        user = self._create_user('bench_user', 'base.group_user', 'sale_return.group_user')
        bench = self._env_of(user)['sale.return.bench']
        for call in (
            bench.open_session,
            lambda: bench.scan(self.session_id, 'X', 'T'),
            lambda: bench.get_state(self.session_id),
            lambda: bench.find_candidates(self.session_id, "Jane"),
            lambda: bench.get_label_action([1]),
        ):
            with self.assertRaises(AccessError):
                call()
        other, session_id = self._other_bench()
        for bad in (self.session_id, 0, -1, 'x', None, [1]):
            with self.subTest(bad), self.assertRaises(UserError):
                other.scan(bad, 'X', 'T')
        self.assertNotEqual(session_id, self.session_id)
        with self.assertRaises(AccessError):
            self._env_of(self.inspector)['sale.return.bench.item'].create({})

    def test_a_manager_clears_a_desk_that_was_left(self):
        self._scan(self.lamps.name, '5901234123457')
        session = self.env['sale.return.bench.session'].browse(self.session_id)
        with self.assertRaises(AccessError):
            session.with_env(self._env_of(self.inspector)).action_release()
        session.action_release()
        self.assertFalse(session.work_ids.ids + session.item_ids.ids)
        self.assert_answer(self._scan('SRB-UNDO'), 'reject', 'lost', self.staff.name)
        self.assert_answer(self._scan('SRB-UNDO'), 'reject', 'nothing_to_undo')
        self.assert_answer(self._scan(self.lamps.name), 'accept', 'attached')

    def test_old_steps_are_forgotten_and_new_ones_kept(self):
        self._do('scan', self.lamps.name, token='NEW')
        self._do('scan', '5901234123457', token='OLD')
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_return_bench_step SET create_date = create_date - interval '30 days'"
            " WHERE token = 'OLD'"
        )
        steps = self.env['sale.return.bench.step'].sudo()
        steps._gc_steps()
        domain = [('session_id', '=', self.session_id)]
        self.assertEqual(steps.search(domain).mapped('token'), ['NEW'])
