"""A desk for tests: calls work like those of a client, as an inspector without any other role."""

from itertools import count

from odoo.tools import mute_logger

from .common import SaleReturnCommon

PIXEL = (
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJg'
    'gg=='
)


def finish_parcel(user_env, sale_return, result=None, quantity=1):
    """Scan, count, grade and finish all goods of a return, as a client does.

    :param user_env: environment of the operator.
    :param dict result: the condition, what happens to the goods, …; by default as new, kept by us.
    :return: the answer of the bench.
    :rtype: dict
    """
    bench = user_env['sale.return.bench']
    session_id = bench.open_session()['data']['session']['id']
    token = f'finish-{sale_return.id}'
    answer = bench.attach(session_id, sale_return.id, token=f'{token}-attach')
    for line in answer['data']['returns'][0]['lines']:
        for number in range(quantity):
            key = line['key']
            answer = bench.count_line(session_id, key, token=f'{token}-{key}-{number}')
    result = result or {'grade': 'A', 'disposition': 'restock'}
    if any(item['missing'] for item in answer['data']['items']):
        bench.set_result(session_id, result, token=f'{token}-result')
    return bench.finish(session_id, token=f'{token}-finish')


class BenchCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tokens = count(1)
        cls.product.write({'barcode': '5901234123457', 'default_code': 'LAMP'})
        cls.inspector = cls._create_user(
            'bench_inspector', 'base.group_user', 'sale_return.group_inspector'
        )
        cls.bench = cls._env_of(cls.inspector)['sale.return.bench']
        # Most tests need one, and selling takes the longest.
        cls.lamps = cls._create_approved()

    def setUp(self):
        super().setUp()
        self.session_id = self.bench.open_session()['data']['session']['id']

    @classmethod
    def _create_approved(cls, *lines, quantity=None, **values):
        """Return a sold order (or the lines given) as an approved return."""
        order = cls._create_sale(*lines or [{'quantity': 3}])
        sale_return = cls._create_return(order, quantity, **values)
        if sale_return.state != 'approved':
            sale_return.action_approve()
        return sale_return

    def _do(self, method, *args, token=None, bench=None, session_id=None, **kwargs):
        """Call a step as a client does, with its own token."""
        bench = self.bench if bench is None else bench  # recordsets without records are false
        kwargs['token'] = token or f'token-{next(self.tokens)}'
        return getattr(bench, method)(session_id or self.session_id, *args, **kwargs)

    def _scan(self, *codes):
        """Scan codes one after the other; return the last answer."""
        for code in codes:
            answer = self._do('scan', code)
        return answer

    def assert_answer(self, answer, status, code, text=None):
        self.assertEqual((answer['status'], answer['code']), (status, code), answer['message'])
        self.assertTrue(answer['message'])
        self.assertEqual(answer['sound'] in ('accept', 'done'), status == 'accept')
        if text:
            self.assertIn(text, answer['message'])

    def _counted(self, answer):
        """Return what was counted, `[(kind, product, lot, quantity)]`."""
        return [
            (item['kind'], item['product_id'], item['lot'], item['quantity'])
            for item in answer['data']['items']
        ]

    def _other_bench(self, name='bench_other'):
        """Return the bench of somebody else, and their session."""
        with mute_logger('odoo.tests'):
            user = self._create_user(name, 'base.group_user', 'sale_return.group_inspector')
        bench = self._env_of(user)['sale.return.bench']
        return bench, bench.open_session()['data']['session']['id']
