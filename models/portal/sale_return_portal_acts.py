import re

from odoo import api, models
from odoo.exceptions import UserError

# What carriers print below a barcode.
TRACKING_REF = re.compile(r'[A-Za-z0-9](?:[A-Za-z0-9 ._/#:+-]{1,62})[A-Za-z0-9]')
MAX_CARRIER = 64
MAX_COMMENT = 2000
# Unhappy, neutral, happy: what Odoo's own rating page offers.
RATINGS = (1, 3, 5)


class SaleReturn(models.Model):
    """What a customer does on the page of his return.

    Called in superuser mode by routes that have checked the customer or his link; `env.user` stays
    who he is. What is not possible (any more) is refused with a sentence for him.
    """

    _inherit = 'sale.return'

    def _portal_dispatch(self, tracking_ref, carrier_name):
        """Note what the customer says about his parcel; again corrects it until it is confirmed.

        His word releases no credit, whoever he is, see `action_register_dispatch`.

        :param str tracking_ref: number of the parcel, demanded.
        :param str carrier_name: who carries it.
        :raise UserError: when it is not to be sent (any more), was confirmed, or the number cannot
            be one.
        """
        self.ensure_one()
        if not self._is_dispatch_open():
            raise UserError(
                self.env._(
                    "Nothing is to be sent for return %(number)s any more, so its parcel cannot be "
                    "changed.",
                    number=self.name,
                )
            )
        tracking_ref = self._check_tracking_ref(tracking_ref)
        carrier_name = self._check_carrier_name(carrier_name)
        self._register_dispatch(tracking_ref, carrier_name, claimed=True)

    @api.model
    def _check_tracking_ref(self, text):
        """Return the number of a parcel without blanks around it.

        :raise UserError: when it is missing, or has what no carrier's number has.
        """
        text = " ".join((text or '').split())
        if not TRACKING_REF.fullmatch(text):
            raise UserError(
                self.env._(
                    "Please enter the tracking number as it is on your receipt: 3 to 64 letters "
                    "and digits."
                )
            )
        return text

    @api.model
    def _check_carrier_name(self, text):
        text = " ".join((text or '').split())
        if len(text) > MAX_CARRIER or not text.isprintable():
            raise UserError(
                self.env._(
                    "Please enter the name of the carrier in up to %(limit)s letters.",
                    limit=MAX_CARRIER,
                )
            )
        return text

    def _portal_cancel(self):
        """Cancel the return for its customer, once; again changes nothing.

        :raise UserError: when something was sent or has come already.
        """
        self.ensure_one()
        if self.state == 'cancelled':
            return
        if not self._is_cancellation_open():
            raise UserError(
                self.env._(
                    "Return %(number)s cannot be cancelled any more. Please write us a message.",
                    number=self.name,
                )
            )
        self.action_cancel()

    def _portal_appeal(self, comment, partner):
        """Take the appeal of the customer.

        :param str comment: what he says, demanded.
        :param partner: `res.partner` who appeals.
        :raise UserError: without words, or when no appeal is possible (any more).
        """
        self.ensure_one()
        comment = self._check_comment(comment)
        if not comment:
            raise UserError(self.env._("Please tell us why you do not agree."))
        self._appeal(comment, partner)

    @api.model
    def _check_comment(self, text):
        text = (text or '').replace('\x00', '').strip()
        if len(text) > MAX_COMMENT:
            raise UserError(self.env._("Please use up to %(limit)s letters.", limit=MAX_COMMENT))
        return text

    def _portal_rate(self, rate, feedback, partner):
        """Keep what the customer thinks of how we handled the return, once.

        :param rate: one of `RATINGS`, as text or number.
        :param str feedback: what he adds.
        :param partner: `res.partner` who rates.
        :raise UserError: when he has rated already, or it is too early.
        """
        self.ensure_one()
        feedback = self._check_comment(feedback)
        if str(rate) not in map(str, RATINGS):
            raise UserError(self.env._("Please choose one of the three faces."))
        if not self._is_rating_open():
            raise UserError(
                self.env._(
                    "Return %(number)s cannot be rated: it is not finished, or was rated already.",
                    number=self.name,
                )
            )
        token = self._rating_get_access_token(partner)
        self.rating_apply(int(rate), token=token, feedback=feedback)
