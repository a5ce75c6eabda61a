"""Returned goods that channels report become returns; programs submit them, and ask."""

import base64
from datetime import datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.api_doc.controllers.api_doc import DocController, is_public_method

from ..common import SaleReturnCommon
from ..common_http import PatientHttpCase
from ..common_migration import load_migration
from .test_channel_readers import FILES


class ChannelReturnsCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls._create_user('channel_clerk', 'sale_return.group_user')
        cls.product.default_code = 'LAMP'
        cls.channel = cls.env['sale.return.channel'].create({'name': "Shop", 'platform': 'amazon'})

    def _sell(self, ref, *lines, deliver=True, **values):
        order = self._create_order(*lines, client_order_ref=ref, **values)
        if deliver:
            self._deliver(order)
            self._invoice(order)
        return order

    def _bring(self, *rows, user=None):
        return self.channel.with_user(user or self.clerk).import_returns(list(rows))

    def _prepare_row(self, key, order, quantity=1, **values):
        line = {'sku': 'LAMP', 'quantity': quantity, 'reason': 'DEFECTIVE'}
        line |= values.pop('line', {})
        return {'key': key, 'order': order, 'lines': [line], **values}

    def _get_statuses(self, results):
        return [(result['key'], result['status'], result['code']) for result in results]


@tagged('post_install', '-at_install')
class TestChannelReturns(ChannelReturnsCommon):
    def test_rows_become_returns_once(self):
        self._sell('A1')
        row = self._prepare_row(
            'R1', 'A1', 2, tracking='P1', note="Too dark.", line={'condition': 'CUSTOMER_DAMAGED'}
        )
        result = self._bring(row)[0]
        sale_return = self.env['sale.return'].browse(result['id'])
        self.assertEqual(result['status'], 'created')
        self.assertEqual(sale_return.state, 'approved')
        self.assertEqual(
            (sale_return.external_ref, sale_return.channel_id, sale_return.tracking_ref),
            ('R1', self.channel, 'P1'),
        )
        line = sale_return.line_ids
        self.assertEqual((line.qty_requested, line.reason_id), (2, self.reason_defective))
        self.assertEqual(line.channel_grade_id, self.env.ref('sale_return.grade_c'))
        self.assertEqual(self._get_statuses(self._bring(row)), [('R1', 'unchanged', None)])
        # A new parcel is reported; other goods are not accepted silently.
        self.assertEqual(self._bring({**row, 'tracking': 'P2'})[0]['status'], 'updated')
        self.assertEqual(sale_return.tracking_ref, 'P2')
        other = self._prepare_row('R1', 'A1', 3)
        self.assertEqual(self._get_statuses(self._bring(other)), [('R1', 'error', 'differs')])
        self.assertEqual(line.qty_requested, 2)
        # What the channel has found is proposed.
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        row = sale_return.inspection_ids
        self.assertEqual((row.grade_id.code, row.liability), ('C', 'customer'))

    def test_broken_rows_sink_nothing(self):
        self._sell('A1')
        self._sell('A2', deliver=False)
        good = self._prepare_row('R1', 'A1')
        results = self._bring(
            {'key': 'X1', 'order': 'A1'},
            "nonsense",
            self._prepare_row('X2', 'A1', 99),
            good,
            self._prepare_row('X3', 'A1', line={'sku': 'CHAIR'}),
            self._prepare_row('X4', 'A1', line={'quantity': '\x00'}),
            self._prepare_row('X5', 'A1', line={'serial': 'SN'}),
            self._prepare_row('P1', 'A3'),
            self._prepare_row('P2', 'A2'),
            good,
            self._prepare_row('R1', 'A1', 5),
        )
        self.assertEqual(
            self._get_statuses(results),
            [
                ('X1', 'error', 'invalid'),
                (None, 'error', 'invalid'),
                ('X2', 'error', 'too_many'),
                ('R1', 'created', None),
                ('X3', 'error', 'unknown_item'),
                ('X4', 'error', 'invalid'),
                ('X5', 'error', 'unknown_serial'),
                ('P1', 'parked', 'unknown_order'),
                ('P2', 'parked', 'not_delivered'),
                ('R1', 'unchanged', None),
                ('R1', 'error', 'doubled'),
            ],
        )
        self.assertTrue(all(result['message'] for result in results))
        self.assertEqual(self.env['sale.return'].search_count([('channel_id', '!=', False)]), 1)
        # The orders come: the job tries again.
        order = self._sell('A3')
        self._deliver(self.env['sale.order'].search([('client_order_ref', '=', 'A2')]))
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_channel_requests').sudo().method_direct_trigger()
        self.assertEqual(order.return_ids.external_ref, 'P1')
        self.assertEqual(
            self.env['sale.return'].search_count([('channel_id', '=', self.channel.id)]), 3
        )

    def test_what_fails_in_the_middle_fails_alone(self):
        self._sell('A1')
        refused = self._create_product("Bulb", default_code='BULB')
        self._sell('A2', {'product': refused})
        # Known when it is submitted only.
        lines = type(self.env['sale.return.line'])
        ensure = lines._ensure_submittable

        def refuse(self, returns):
            if 'BULB' in self.product_id.mapped('default_code'):
                # pylint: disable-next=translation-required
                raise UserError("No bulbs.")
            return ensure(self, returns)

        self.patch(lines, '_ensure_submittable', refuse)
        results = self._bring(
            self._prepare_row('R1', 'A1'),
            self._prepare_row('R2', 'A2', line={'sku': 'BULB'}),
            self._prepare_row('R3', 'A1'),
        )
        self.assertEqual(
            self._get_statuses(results),
            [('R1', 'created', None), ('R2', 'error', 'refused'), ('R3', 'created', None)],
        )
        self.assertEqual(results[1]['message'], "No bulbs.")
        self.assertFalse(self.env['sale.return'].search([('external_ref', '=', 'R2')]))

    def test_return_that_was_opened_here_is_taken(self):
        order = self._sell('A1')
        mine = self._create_return(order, 10)
        result = self._bring(self._prepare_row('R1', 'A1', 10, tracking='P1'))[0]
        self.assertEqual((result['status'], result['id']), ('updated', mine.id))
        self.assertEqual((mine.channel_id, mine.tracking_ref), (self.channel, 'P1'))

    def test_numbers_are_those_of_the_channel(self):
        self._sell('A1')
        order = self._sell('B1')
        mine = self._create_return(order, 1, external_ref='R1')
        result = self._bring(self._prepare_row('R1', 'A1'))[0]
        self.assertEqual(result['status'], 'created')
        self.assertNotEqual(result['id'], mine.id)
        again = self._create_return(order, 1, submit=False, external_ref='R1')
        self.assertEqual(again, mine)

    def test_references_of_an_earlier_version_that_are_doubled_are_told_apart(self):
        order = self._sell('A1')
        first, second = (self._create_return(order, 1) for _number in range(2))
        self._bring(self._prepare_row('DOUBLED', 'A1'))
        self.env.flush_all()
        self.env.cr.execute('DROP INDEX sale_return_external_ref_unique')
        self.env.cr.execute(
            "UPDATE sale_return SET external_ref = 'DOUBLED' WHERE id = ANY(%s)",
            [(first + second).ids],
        )
        for _time in range(2):
            load_migration('pre-references').migrate(self.env.cr, '19.0.1.1.0')
        self.env.invalidate_all()
        self.assertEqual(first.external_ref, 'DOUBLED')
        self.assertEqual(second.external_ref, f'DOUBLED ({second.name})')
        told = self.env['sale.return'].search([('channel_id', '=', self.channel.id)])
        self.assertEqual(told.external_ref, 'DOUBLED')
        self.env.cr.execute(
            'CREATE UNIQUE INDEX again ON sale_return'
            ' (company_id, COALESCE(channel_id, 0), external_ref)'
        )

    def test_files_in_any_order_make_the_same(self):
        orders = {'111-6938072-3966186': 'LMP-DSK-01', '111-8729732-1953122': 'BTL-STL-05'}
        for ref, code in orders.items():
            self._sell(ref, {'product': self._create_product(code, default_code=code)})
        accountant = self._create_user(
            'channel_files', 'account.group_account_invoice', 'sale_return.group_user'
        )
        path = FILES / 'amazon_fba_returns' / 'us_2026-09.txt'
        later = path.read_bytes().replace(b'Unit returned to inventory', b'Repackaged')
        found = []
        for number, files in enumerate(([path.read_bytes(), later], [later, path.read_bytes()])):
            channel = self.channel.copy({'name': f"Amazon {number}"})
            for data in files:
                channel.with_user(accountant).import_file(
                    channel.id, 'x.txt', base64.b64encode(data).decode()
                )
            requests = self.env['sale.return.channel.request'].search(
                [('channel_id', '=', channel.id)], order='key'
            )
            self.assertEqual(len(requests), 11)
            made = requests.filtered('return_id')
            found.append(
                [
                    requests.sudo().mapped('content'),
                    made.mapped('key'),
                    made.return_id.line_ids.mapped(lambda line: line.channel_grade_id.code),
                ]
            )
            self.assertEqual(set(requests.mapped('state')), {'done', 'parked'})
        self.assertEqual(found[0], found[1])
        self.assertTrue(found[0][1])

    def test_words_of_the_platforms_make_returns(self):
        taobao = self.env['sale.return.channel'].create({'name': "TB", 'platform': 'taobao'})
        for ref, code in (
            ('5129115254892076673', 'LMP-DSK-01'),
            ('5161811890644016968', 'BTL-STL-05'),
            ('5189805929999260599', 'STD-PHN-02'),
        ):
            self._sell(ref, {'product': self._create_product(code, default_code=code)})
        path = FILES / 'taobao_refunds' / '退款管理_20260905.csv'
        taobao.import_file(taobao.id, path.name, base64.b64encode(path.read_bytes()).decode())
        returns = self.env['sale.return'].search([('channel_id', '=', taobao.id)], order='id')
        self.assertEqual(returns.line_ids.mapped('reason_id').mapped('code'), ['MIND', 'DEF'])
        self.assertEqual(len(returns), 3)

    def test_query_tells_each_change_once_and_what_ended_late(self):
        self._sell('A1', {'quantity': 30})
        results = self._bring(*[self._prepare_row(f'R{number}', 'A1') for number in range(3)])
        ids = [result['id'] for result in results]
        channel = self.channel.with_user(self.clerk)
        # In parts, each return in one or more of them, and none left out.
        told, since, more = [], None, True
        while more:
            answer = channel.query(since, limit=2)
            told += [row['id'] for row in answer['rows']]
            since, more = answer['next'], answer['more']
        self.assertEqual(sorted(set(told)), ids)
        self.assertEqual(channel.query(since)['rows'], [])
        self.env['sale.return'].browse(ids[1]).action_cancel()
        answer = channel.query(since)
        self.assertEqual([(row['id'], row['state']) for row in answer['rows']],
                         [(ids[1], 'cancelled')])  # fmt: skip
        # What is being written is not visible in the snapshot of a client that has asked
        # meanwhile: it is told the next time, however small the numbers of its events are.
        snapshot, own, _last = answer['next'].split('/')[:3]
        under_way = f'{snapshot}//999999999///0'
        self.assertEqual([row['id'] for row in channel.query(under_way)['rows']], ids)
        ended = f'{snapshot}/{own}/999999999///0'
        self.assertEqual(channel.query(ended)['rows'], [])
        # Of a database whose numbers were larger: all over again.
        restored = f'{int(own) * 9}:{int(own) * 9}:/0/5///0'
        self.assertEqual([row['id'] for row in channel.query(restored)['rows']], ids)
        for forged in (
            '2026-01-01',
            '99999999999999999999:1:/1/1/1:1:/1/1',
            '9:1:/1/1/5:1:7,,3/1/1',
            '1:9:/99999999999999999999/1/1:9:/1/1',
        ):
            with (
                self.subTest(forged),
                self.assertRaisesRegex(UserError, "not what a query has returned"),
            ):
                channel.query(forged)
        # Without a channel: all returns.
        others = self._create_return(self._sell('B1'), 1)
        self.assertNotIn(others.id, [row['id'] for row in channel.query()['rows']])
        self.assertIn(others.id, [row['id'] for row in channel.browse().query()['rows']])

    def test_who_has_no_role_is_refused(self):
        outsider = self._create_user('channel_outsider', 'base.group_user')
        with self.assertRaises(AccessError):
            self._bring(self._prepare_row('R1', 'A1'), user=outsider)
        with self.assertRaises(AccessError):
            self.channel.with_user(outsider).query()
        with self.assertRaisesRegex(UserError, "too many"):
            self._bring(*[{}] * 1001)


@tagged('post_install', '-at_install')
class TestChannelApi(ChannelReturnsCommon, PatientHttpCase):
    without_scripts = True

    def test_returns_are_brought_and_asked_for_over_http(self):
        self._sell('A1')
        status, results = self.post_json2(
            self.clerk,
            'sale.return.channel',
            'import_returns',
            ids=self.channel.ids,
            rows=[self._prepare_row('R1', 'A1'), {'key': 'R2'}, self._prepare_row('R3', 'A9')],
        )
        self.assertEqual(status, 200)
        self.assertEqual(
            self._get_statuses(results),
            [
                ('R1', 'created', None),
                ('R2', 'error', 'invalid'),
                ('R3', 'parked', 'unknown_order'),
            ],
        )
        status, answer = self.post_json2(
            self.clerk, 'sale.return.channel', 'query', ids=self.channel.ids
        )
        self.assertEqual((status, len(answer['rows'])), (200, 1))
        self.assertEqual((answer['rows'][0]['key'], answer['rows'][0]['state']), ('R1', 'approved'))
        status, answer = self.post_json2(
            self.clerk,
            'sale.return.channel',
            'query',
            ids=self.channel.ids,
            since=answer['next'],
        )
        self.assertEqual((status, answer['rows']), (200, []))

    def test_documentation_of_the_server_is_complete(self):
        """It says what each public method of ours does, and what each argument is."""
        self.clerk.sudo().group_ids += self.env.ref('api_doc.group_allow_doc')
        channel = self._get_documentation('sale.return.channel')
        for name, arguments in (
            ('import_returns', {'rows'}),
            ('import_file', {'channel', 'name', 'data'}),
            ('query', {'since', 'limit'}),
        ):
            told = channel['methods'][name]
            self.assertEqual(set(told['parameters']) - {'self'}, arguments)
            self.assertTrue(told['return']['doc'])
            self.assertEqual(set(told['raise']), {'AccessError', 'UserError'})
        # What a program may leave out, the running server does without.
        for name in ('import_returns', 'query'):
            needed = {
                argument: []
                for argument, each in channel['methods'][name]['parameters'].items()
                if 'default' not in each and argument != 'self'
            }
            status, _answer = self.post_json2(
                self.clerk, 'sale.return.channel', name, ids=self.channel.ids, **needed
            )
            self.assertEqual(status, 200)
        controller, count = DocController(), 0
        for name in filter(lambda name: name.startswith('sale.return'), self.env.registry):
            model = self.env[name]
            for method in () if model._abstract else dir(model):
                function = is_public_method(model, method)
                first = next(each for each in reversed(type(model).mro()) if hasattr(each, method))
                if not function or getattr(first, '_module', None) != 'sale_return':
                    continue
                count += 1
                told = controller._doc_method(model, name, function, method)
                with self.subTest(model=name, method=method):
                    self.assertTrue(told.get('doc'))
                    for argument, each in told['parameters'].items():
                        self.assertTrue(argument == 'self' or each.get('doc'), argument)
        self.assertGreater(count, 150)

    def _get_documentation(self, model):
        key = (
            self.clerk.with_user(self.clerk)
            .env['res.users.apikeys']
            ._generate('rpc', 'doc', datetime.now() + timedelta(hours=1))
        )
        headers = {'Authorization': f'Bearer {key}'}
        return self.url_open(f'/doc-bearer/{model}.json', headers=headers).json()
