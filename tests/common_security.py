from .common import SaleReturnCommon


class SecurityCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sales = 'sales_team.group_sale_salesman_all_leads'
        cls.salesman = cls._create_user('returns_salesman', sales)
        cls.user = cls._create_user('returns_user', 'sale_return.group_user', sales)
        cls.inspector = cls._create_user(
            'returns_inspector', 'sale_return.group_inspector', 'stock.group_stock_user'
        )
        cls.approver = cls._create_user('returns_approver', 'sale_return.group_approver', sales)
        cls.order = cls._create_sale()
