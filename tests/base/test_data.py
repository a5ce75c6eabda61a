from odoo.tests import TransactionCase, tagged

LEAN = "what is installed with the required modules alone"

REASONS = {
    'reason_defective': True,
    'reason_not_as_described': True,
    'reason_wrong_item': True,
    'reason_damaged_in_transit': True,
    'reason_missing': False,
    'reason_changed_mind': True,
    'reason_not_stated': True,
    'reason_other': True,
}

# The public contract (see docs): names that other programs use. Fields may be added.
FIELDS = {
    'sale.return': """
        name external_ref partner_id company_id currency_id warehouse_id user_id carrier_name
        tracking_ref date_dispatched line_ids sale_order_ids state reception_state
        inspection_state credit_state refund_state picking_ids transfer_ids credit_note_ids
        event_ids approval_ids amount_to_credit amount_credited amount_refunded
    """,
    'sale.return.line': """
        return_id sale_line_id product_id product_uom_id reason_id policy_id resolution
        customer_note delivered_on qty_requested qty_authorized qty_received qty_inspected
        qty_accepted qty_rejected qty_credited qty_to_credit move_ids inspection_ids
        credit_line_ids
    """,
    'sale.return.inspection': """
        line_id quantity lot_id grade_id disposition_id liability note attachment_ids
        inspector_id date move_ids
    """,
    'sale.return.reason': """
        code name root_cause default_liability photo_required return_expected return_class
    """,
    'sale.return.policy': """
        company_id regime window_days transit_days expiry_days approval release_event
        inspection_required default_disposition_id credit_posting credit_draft_above settlement
        refund_shipping
    """,
    'sale.return.grade': "code name saleable credit_ratio",
    'sale.return.disposition': "code name action accepts",
    'sale.order': "return_ids return_count return_status",
    'sale.order.line': "qty_returned qty_returnable",
    'stock.picking': "sale_return_id date_customer_received",
    'stock.move': "sale_return_line_id",
    'stock.warehouse': "sale_return_type_id sale_return_loc_id",
    'account.move': "sale_return_ids sale_return_override_reason",
    'account.move.line': "sale_return_line_id credited_line_id",
}

METHODS = {
    'sale.return': """
        action_submit action_approve action_refuse action_close action_cancel action_draft
        action_register_dispatch action_inspect_all action_create_credit_notes preview_credit
    """,
    'sale.return.line': "register_inspection action_split",
    'sale.order': "action_create_return",
    'stock.picking': "action_create_return",
    'account.move': "action_create_return",
}


@tagged('post_install', '-at_install')
class TestData(TransactionCase):
    """The names that other programs use, and the records that are always there."""

    def _get(self, name):
        return self.env.ref(f'sale_return.{name}')

    def test_fields_of_the_contract_exist(self):
        for model, names in FIELDS.items():
            self.assertFalse(set(names.split()) - set(self.env[model]._fields), model)

    def test_methods_of_the_contract_can_be_called(self):
        for model, names in METHODS.items():
            for name in names.split():
                self.assertTrue(callable(getattr(self.env[model], name)), name)

    def test_reasons(self):
        for name, return_expected in REASONS.items():
            reason = self._get(name)
            self.assertEqual(reason.return_expected, return_expected, name)
            self.assertTrue(reason.code)
            self.assertFalse(reason.company_id)
            # Nothing comes that would show that goods were missing.
            self.assertEqual(reason.portal, return_expected, name)

    def test_standard_policy(self):
        policy = self._get('policy_standard')
        self.assertEqual(
            (policy.regime, policy.window_days, policy.approval, policy.release_event),
            ('commercial', 30, 'none', 'inspection'),
        )
        self.assertEqual(
            (policy.inspection_required, policy.credit_posting, policy.settlement),
            (True, 'post', 'as_paid'),
        )
        self.assertFalse(policy.restocking_fee_percent or policy.restocking_fee_fixed)
        self.assertFalse(policy.credit_draft_above)

    def test_standard_policy_has_no_condition_and_comes_last(self):
        policy = self._get('policy_standard')
        for name in (
            'company_id',
            'partner_category_ids',
            'country_ids',
            'product_categ_ids',
            'reason_ids',
            'team_ids',
        ):
            self.assertFalse(policy[name], name)
        others = self.env['sale.return.policy'].search([]) - policy
        self.assertTrue(all(other.sequence < policy.sequence for other in others))

    def test_grades(self):
        for letter in 'abcd':
            self.assertEqual(self._get(f'grade_{letter}').code, letter.upper())
        self.assertEqual(self._get('grade_a').credit_ratio, 1.0)
        self.assertTrue(self._get('grade_a').saleable)

    def test_dispositions(self):
        for action in ('restock', 'refurbish', 'scrap', 'vendor', 'send_back', 'keep'):
            disposition = self._get(f'disposition_{action}')
            self.assertEqual((disposition.code, disposition.action), (action, action))
            self.assertEqual(disposition.accepts, action != 'send_back')

    def test_roles(self):
        for name in ('user', 'inspector', 'approver', 'manager'):
            self.assertEqual(self._get(f'group_{name}').privilege_id.name, "Returns")
        for user in ('base.user_admin', 'base.user_root'):
            self.assertTrue(self.env.ref(user).has_group('sale_return.group_manager'))
