from odoo.tests import new_test_user

from .common import SaleReturnCommon


class PortalCommon(SaleReturnCommon):
    """Customers with a login: Jane, her colleague at the same company, and a stranger."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._setup_customers()
        cls.order = cls._create_sale()

    @classmethod
    def _setup_customers(cls):
        cls.household = cls._create_customer("Household Ltd", is_company=True)
        cls.customer.write({'parent_id': cls.household.id, 'email': 'jane@example.com'})
        colleague = cls._create_customer("Colleague", parent_id=cls.household.id)
        stranger = cls._create_customer("Stranger")
        cls.jane = cls._create_portal_user('jane', cls.customer)
        cls.colleague = cls._create_portal_user('colleague', colleague)
        cls.stranger = cls._create_portal_user('stranger', stranger)

    @classmethod
    def _create_portal_user(cls, login, partner):
        return new_test_user(
            cls.env(su=True),
            login=f'returns_{login}',
            password=f'returns_{login}',
            groups='base.group_portal',
            partner_id=partner.id,
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
