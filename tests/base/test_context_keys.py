import re
from pathlib import Path

from odoo.tests import tagged

from ..common import SaleReturnCommon

LEAN = "calls of clients, the same with few modules"
ADDON = Path(__file__).resolve().parents[2]
KEY = re.compile(r"context\.get\(\s*'(\w*(?:sale_return|channel_upload)\w*)'")
# Keys that clients may send, and why that gives them nothing.
OPEN = {
    'sale_return_ask_serials': "opens a dialog before their own transfer is validated",
    'sale_return_keep': "chooses the fields of a dialog",
    'sale_return_preview': "takes links out of what they read or send",
    'sale_return_top': "one of the aggregates that they ask for: reads fewer groups",
    'sale_return_link_followed': "does not prolong a link that they send",
}
# IDs that clients send are read by `sale.return.reader`.
IDS = ('active_ids', 'active_id', 'active_picking_id', 'sale_return_template_id')
ODD = ('abc', 0, -1, 2**63, 1.5, True, None, {}, [None], ['abc'], [[1]], '\x00')


@tagged('post_install', '-at_install')
class TestContextKeys(SaleReturnCommon):
    """What clients send as context decides nothing, and breaks nothing."""

    def test_each_key_is_our_own_value_or_harmless(self):
        found = set()
        for folder in ('models', 'wizards', 'report', 'controllers'):
            for path in sorted((ADDON / folder).rglob('*.py')):
                text = path.read_text(encoding='utf-8')
                for match in KEY.finditer(text):
                    key = match[1]
                    found.add(key)
                    near = text[max(match.start() - 120, 0) : match.end() + 200]
                    with self.subTest(path.name, key=key):
                        own = re.search(r'isinstance\(', near)
                        self.assertTrue(key in OPEN or own, "Clients can send it: use OwnValue.")
        self.assertLessEqual(set(OPEN), found)

    def test_odd_ids_get_a_sentence(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 1)
        policy = sale_return.line_ids.policy_id
        policy.approval = 'always'
        waiting = self._create_return(self._create_sale(), 1)
        for odd in ODD:
            context = dict.fromkeys(IDS, odd) | {'active_model': 'sale.return'}
            for model in ('sale.return.inspect', 'sale.return.explain', 'sale.return.decide'):
                with self.subTest(odd=odd, model=model):
                    names = list(self.env[model]._fields)
                    self._call_plain(self.env[model], 'default_get', names, context=context)
            with self.subTest(odd=odd):
                savepoint = self.env.cr.savepoint()
                self._call(self.staff, waiting, 'action_refuse', "No.", context=context)
                self.assertEqual(waiting.state, 'refused')
                savepoint.close(rollback=True)
                self.env.invalidate_all()

    def _call_plain(self, model, method, *args, **kwargs):
        """Call a method of a model itself, as clients do."""
        env = self._env_of(self.staff)
        with self.env.cr.savepoint(flush=False):
            context = kwargs.pop('context')
            return getattr(env[model._name].with_context(**context), method)(*args)
