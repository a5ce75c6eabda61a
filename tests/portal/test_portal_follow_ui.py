from odoo.tests import tagged

from .test_portal_follow import FollowCommon

LEAN = {
    "pages without a website": (
        'test_tracking_number_is_told_at_a_desk',
        'test_refusal_is_appealed_against_on_a_telephone',
    ),
}


@tagged('post_install', '-at_install')
class TestFollowUi(FollowCommon):
    """A customer follows returns in a browser, beginning with the list; the keyboard is enough.

    On a telephone nothing scrolls sideways and everything is large enough.
    """

    without_scripts = False

    def _start(self, tour):
        self.start_tour('/my/returns', f'sale_return_portal_{tour}', login=self.jane.login)
        self.env.invalidate_all()

    # === TRACKING NUMBER === #

    def _tell_the_tracking_number(self):
        sale_return = self._approved()
        self._start('dispatch')
        self.assertEqual(
            (sale_return.tracking_ref, sale_return.carrier_name), ("1Z 999 AA1", "UPS")
        )

    def test_tracking_number_is_told_on_a_telephone(self):
        self._take_telephone()
        self._tell_the_tracking_number()

    def test_tracking_number_is_told_at_a_desk(self):
        self._take_desk()
        self._tell_the_tracking_number()

    # === CANCEL === #

    def _cancel(self):
        sale_return = self._approved()
        self._start('cancel')
        self.assertEqual(sale_return.state, 'cancelled')

    def test_return_is_cancelled_on_a_telephone(self):
        self._take_telephone()
        self._cancel()

    def test_return_is_cancelled_at_a_desk(self):
        self._take_desk()
        self._cancel()

    # === APPEAL === #

    def _appeal(self):
        self._create_policy(approval='always', appeal_days=10, sequence=-400)
        sale_return = self._create_return(self.order, 2)
        sale_return.action_refuse("The seal was broken.")
        self._start('appeal')
        self.assertEqual(sale_return.appeal_ids.comment, "It came like that.")

    def test_refusal_is_appealed_against_on_a_telephone(self):
        self._take_telephone()
        self._appeal()

    def test_refusal_is_appealed_against_at_a_desk(self):
        self._take_desk()
        self._appeal()
