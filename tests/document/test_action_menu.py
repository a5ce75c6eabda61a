from odoo.tests import tagged

from ..common import SaleReturnCommon

DIALOGS = {
    'sale_return.sale_return_action_keep': 'sale.return.inspect',
    'sale_return.sale_return_action_discrepancy': 'sale.return.discrepancy.register',
    'sale_return.sale_return_action_grant_goodwill': 'sale.return.goodwill.grant',
}


@tagged('post_install', '-at_install')
class TestActionMenu(SaleReturnCommon):
    """Rare steps are in the action menu of the form, for those who may take them."""

    def _get_offered(self, user):
        bindings = self._env_of(user)['ir.actions.actions'].get_bindings('sale.return')
        ids = {action['id'] for action in bindings.get('action', [])}
        return {xmlid for xmlid in DIALOGS if self.env.ref(xmlid).id in ids}

    def test_steps_are_offered_to_those_who_may_take_them(self):
        inspector = self._create_user('menu_inspector', 'sale_return.group_inspector')
        manager = self._create_user('menu_manager', 'sale_return.group_manager')
        user = self._create_user('menu_user', 'sale_return.group_user')
        self.assertEqual(self._get_offered(manager), set(DIALOGS))
        # Only approvers let customers keep goods that are credited unseen.
        self.assertEqual(
            self._get_offered(inspector), set(DIALOGS) - {'sale_return.sale_return_action_keep'}
        )
        self.assertEqual(self._get_offered(user), {'sale_return.sale_return_action_grant_goodwill'})

    def test_steps_open_their_dialogs(self):
        sale_return = self._create_return(self._create_sale(), 2)
        for xmlid, model in DIALOGS.items():
            action = self.env.ref(xmlid).with_context(
                active_model='sale.return', active_id=sale_return.id, active_ids=sale_return.ids
            )
            with self.subTest(action=xmlid):
                self.assertEqual(action.run()['res_model'], model)

    def test_steps_that_make_no_sense_yet_are_refused(self):
        draft = self._create_return(self._create_sale(), 2, submit=False)
        for method in ('action_open_keep', 'action_open_discrepancy'):
            with self.subTest(method=method), self.assert_refused(draft.name):
                getattr(draft, method)()
