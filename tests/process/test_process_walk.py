from odoo.tests import tagged

from ..common_walk import DESK, TELEPHONE, WalkCommon
from .test_process import date_events, switch

NODE = ".o_sr_process_node[data-node='{}'] "


@tagged('post_install', '-at_install')
class TestProcessWalk(WalkCommon):
    """A manager opens the picture from a policy, and from it a rule and the returns of an edge."""

    def test_process(self):
        switch(self.env)
        rule = self.env['sale.return.rule'].create(
            {
                'policy_id': self.policy.id,
                'kind': 'quantity',
                'quantity': 2,
                'outcome': 'review',
                'name': "Many at once",
            }
        )
        rule.with_context(lang='zh_CN').name = "一次很多"
        waiting = self._create_return(self._create_paid_sale({'quantity': 3}))
        done = self._return_goods(self._create_paid_sale({'quantity': 2}))
        date_events(done, submitted=9, approved=9, received=4.3, inspected=3.9, credited=3.9)
        self._receive(self._create_return(self._create_paid_sale({'quantity': 1})))
        manager, chinese = self._create_person("Mia Manager", 'sale_return.group_manager')
        policy, rule, number = self.policy.id, f'rule:{rule.id}', waiting.name
        with self._walk(manager) as walker:
            walker.open(f'/odoo/sale.return.policy/{policy}', "button[name='action_view_process']")
            walker.click("button[name='action_view_process']")
            self._check(walker, rule)
            walker.click(NODE.format(rule) + f"[data-edge='{rule} ask']")
            walker.see(f".o_data_row|{number}")
            walker.click(".o_back_button, .breadcrumb-item a|Picture")
            walker.click(NODE.format(rule) + ".o_sr_process_name")
            walker.see(".o_form_view .o_field_widget[name='outcome']")
            walker.click(".o_back_button, .breadcrumb-item a|Picture")
            walker.click(".o_sr_process_table_button")
            walker.see(".o_sr_process_table")
            walker.look('table')
            walker.click(".o_sr_process_table tr:nth-child(2) .btn-link")
            walker.see('.o_data_row')
            walker.click(".o_back_button, .breadcrumb-item a|Picture")
            walker.see(".o_sr_process_table")
            walker.open('/odoo/action-sale_return.sale_return_policy_action', '.o_list_view')
            walker.click(
                ".o_list_buttons button[name='action_view_process'], "
                ".o_control_panel button[name='action_view_process']"
            )
            walker.see(NODE.format(f'policy:{policy}'), NODE.format('kind:quantity'))
            walker.look('all')
        with self._walk(chinese) as walker:
            walker.open(f'/odoo/sale.return.policy/{policy}', "button[name='action_view_process']")
            walker.click("button[name='action_view_process']")
            self._check(walker, rule)

    def _check(self, walker, rule):
        """Check the picture at a desk, then on a telephone."""
        walker.see(NODE.format(rule), ".o_sr_process_lines path[d]")
        walker.look('picture')
        walker.check_access()
        walker.resize(TELEPHONE)
        walker.see(NODE.format('closed'))
        walker.look('picture')
        walker.resize(DESK)
        walker.see(".o_sr_process_lines path[d]")
