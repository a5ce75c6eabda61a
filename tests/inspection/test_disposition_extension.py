import re
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged

from ..common import SaleReturnCommon

GUIDE = Path(__file__).resolve().parents[2] / 'CONTRIBUTING.md'


@tagged('post_install', '-at_install')
class TestDispositionExtension(SaleReturnCommon):
    """The example add-on of CONTRIBUTING.md works."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        [code] = re.findall(r'```python\n(.*?)```', GUIDE.read_text(encoding='utf-8'), re.DOTALL)
        addon = {'__name__': 'odoo.addons.sale_return_donate.models'}
        exec(compile(code, str(GUIDE), 'exec'), addon)  # our own text
        action = cls.env['sale.return.disposition']._fields['action']
        added = addon['SaleReturnDisposition'].action._args__['selection_add']
        dispose = addon['SaleReturnDisposal']._dispose_donate
        disposal = type(cls.env['sale.return.disposal'])
        # Without installing it: the registry is shared with other tests.
        for patcher in (
            patch.object(action, 'selection', [*action.selection, *added]),
            patch.object(action, '_selection', dict([*action.selection, *added])),
            patch.object(disposal, '_dispose_donate', dispose, create=True),
        ):
            patcher.start()
            cls.addClassCleanup(patcher.stop)
        cls.shelf = (
            cls.env['stock.location']
            .sudo()
            .create({'name': "Charity", 'company_id': cls.company.id, 'usage': 'internal'})
        )
        cls.donate = cls.env['sale.return.disposition'].create(
            {'name': "Donate", 'code': 'donate', 'action': 'donate', 'company_id': cls.company.id}
        )

    def test_goods_go_the_new_way_and_are_credited(self):
        sale_return = self._create_return(self._create_sale(), 2)
        self._receive(sale_return)
        rows = self._inspect(sale_return, (2, 'donate'))
        self.assertEqual(rows.move_ids.location_dest_id, self.shelf)
        self.assertEqual(rows.move_ids.state, 'done')
        self.assertEqual(sale_return.line_ids.qty_credited, 2)

    def test_action_that_nobody_carries_out_is_refused(self):
        sale_return = self._create_return(self._create_sale(), 2)
        self._receive(sale_return)
        disposal = type(self.env['sale.return.disposal'])
        donate = disposal._dispose_donate
        del disposal._dispose_donate
        self.addCleanup(setattr, disposal, '_dispose_donate', donate)
        with self.assert_refused("“Donate” cannot be carried out"):
            self._inspect(sale_return, (2, 'donate'))
