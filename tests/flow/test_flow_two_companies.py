from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestFlowTwoCompanies(SaleReturnCommon):
    """Two companies with two warehouses each, and people of three languages.

    Returns Test Company   its own warehouse, North
    Second Company         its own warehouse, South
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.north = cls._create_warehouse()
        cls.other_company = cls._create_trading_company("Second Company")
        cls.south = cls._create_warehouse("South", 'SOUTH', company_id=cls.other_company.id)
        cls.staff.sudo().company_ids += cls.other_company
        cls.env = cls._env_of(cls.staff, cls.company + cls.other_company)
        for code in ('zh_CN', 'fr_FR'):
            cls.env['res.lang'].sudo()._activate_lang(code)

    def _sell_from(self, warehouse):
        company = warehouse.company_id
        self.env['stock.quant'].sudo()._update_available_quantity(
            self.product, warehouse.lot_stock_id, 10
        )
        order = self._create_order(
            {'taxes': self.env['account.tax']},
            company_id=company.id,
            warehouse_id=warehouse.id,
        )
        self._deliver(order)
        self._invoice(order.with_company(company))
        return order

    def _get_warehouses(self):
        return self.env['stock.warehouse'].search(
            [('company_id', 'in', (self.company + self.other_company).ids)]
        )

    def test_each_warehouse_receives_into_a_quarantine_of_its_own(self):
        warehouses = self._get_warehouses()
        self.assertEqual(len(warehouses), 4)
        self.assertEqual(len(warehouses.sale_return_loc_id), 4)
        self.assertEqual(len(warehouses.sale_return_type_id), 4)

    def test_four_returns_at_once_stay_in_their_warehouses_and_companies(self):
        warehouses = self._get_warehouses()
        orders = [self._sell_from(warehouse) for warehouse in warehouses]
        returns = self.env['sale.return'].concat(
            *[self._create_return(order, 4, submit=False) for order in orders]
        )
        returns.action_submit()
        self.assertEqual(returns.mapped('state'), ['approved'] * 4)
        self.assertEqual(returns.picking_ids.location_dest_id, warehouses.sale_return_loc_id)
        self._receive(returns)
        returns.action_inspect_all('restock')
        self.assertEqual(returns.mapped('state'), ['closed'] * 4)
        for sale_return, warehouse in zip(returns, warehouses, strict=True):
            documents = sale_return.picking_ids | sale_return.transfer_ids
            self.assertEqual(sale_return.warehouse_id, warehouse)
            self.assertEqual(documents.company_id, warehouse.company_id)
            self.assertEqual(sale_return.credit_note_ids.company_id, warehouse.company_id)
            self.assert_on_hand(self.product, 0, warehouse.sale_return_loc_id)

    def test_company_switches_are_of_one_company(self):
        self._configure(sale_return_auto_credit=False)
        here, there = (
            self._create_return(self._sell_from(warehouse))
            for warehouse in (self.north, self.south)
        )
        self._receive(here + there)
        (here + there).action_inspect_all('restock')
        self.assertEqual((here + there).mapped('credit_state'), ['pending', 'full'])

    def test_quarantine_is_switched_back_for_one_warehouse(self):
        # sudo: a setting of the warehouse, which needs an administrator of Inventory.
        self.north.sudo().sale_return_quarantine = False
        linked = {w: w.out_type_id.return_picking_type_id for w in self._get_warehouses()}
        self.assertNotEqual(linked.pop(self.north), self.north.sale_return_type_id)
        for warehouse, return_type in linked.items():
            self.assertEqual(return_type, warehouse.sale_return_type_id)

    def test_reasons_and_states_speak_the_language_of_the_user(self):
        reason = self.reason_changed_mind
        names = {code: reason.with_context(lang=code).name for code in ('en_US', 'zh_CN')}
        self.assertEqual(names['en_US'], "Changed mind")
        self.assertNotEqual(names['zh_CN'], names['en_US'])
        reason.with_context(lang='fr_FR').sudo().name = "Changement d'avis"
        self.assertEqual(reason.with_context(lang='en_US').name, "Changed mind")
        self.assertEqual(reason.with_context(lang='fr_FR').name, "Changement d'avis")

    def test_refusals_speak_the_language_of_the_user(self):
        order = self._sell_from(self.north)
        chinese = self._create_return(order, 1, submit=False).with_context(lang='zh_CN')
        with self.assert_refused("退货单"):
            chinese.action_close()
