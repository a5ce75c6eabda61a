from odoo.tests import tagged

from .test_ui import UiCommon

OWN = 'sales_team.group_sale_salesman'
ALL = 'sales_team.group_sale_salesman_all_leads'


@tagged('post_install', '-at_install')
class TestUiDesk(UiCommon):
    """Actions of clerks without dialog, in a browser, with only their own roles."""

    def _create_clerk(self, *groups):
        clerk = self._create_user('desk_clerk', *groups)
        clerk.sudo().password = clerk.login
        return clerk

    def _create_new_return(self, sales_group):
        clerk = self._create_clerk('sale_return.group_user', sales_group)
        order = self._create_sale(user_id=clerk.id)
        self.start_tour('/odoo/returns?view_type=list', 'sale_return_new', login=clerk.login)
        sale_return = order.return_ids
        self.assertEqual(
            (sale_return.state, sale_return.requested_by_id, sale_return.line_ids.qty_requested),
            ('approved', clerk, 2),
        )

    def test_new_return_is_saved_and_submitted_by_a_salesperson(self):
        self._create_new_return(OWN)

    def test_new_return_is_saved_and_submitted_by_who_sees_all_orders(self):
        self._create_new_return(ALL)

    def test_approved_return_is_edited_and_saved(self):
        clerk = self._create_clerk('sale_return.group_user', ALL)
        sale_return = self._create_return(self._create_sale(), 2)
        path = f'/odoo/returns/{sale_return.id}'
        self.start_tour(path, 'sale_return_edit_approved', login=clerk.login)
        self.assertEqual(sale_return.carrier_name, "DHL")

    def test_goodwill_is_granted_once_and_said(self):
        manager = self._create_clerk('sale_return.group_manager', ALL)
        self.env['sale.return.reason'].create(
            {
                'name': "Scratch",
                'code': 'SCRATCH',
                'return_class': 'goodwill',
                'return_expected': False,
            }
        )
        order = self._create_sale()
        invoice = order.invoice_ids
        self.start_tour(f'/odoo/orders/{order.id}', 'sale_return_goodwill', login=manager.login)
        note = invoice.reversal_move_ids
        self.assertEqual(len(note), 1)
        self.assertEqual((note.state, note.amount_total), ('posted', 25.0))
