from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import OPEN_STATES


class SaleReturn(models.Model):
    """The goods are on their way: what the customer says of it, and what one of us confirms.

    customer   tracking number ──► date_dispatched        noted; nobody reminds or expires him
    one of us  tracking number ──► date_dispatch_proved   releases what proof of dispatch does
    """

    _inherit = 'sale.return'

    date_dispatch_proved = fields.Datetime(
        string="Dispatch Confirmed on",
        readonly=True,
        copy=False,
        help="When one of us confirmed that the customer has sent the goods. What they say "
        "themselves is noted, and releases no credit.",
    )

    def _is_derived(self, name):
        """Override of `sale.return.derived` to protect what releases money."""
        return name == 'date_dispatch_proved' or super()._is_derived(name)

    def action_register_dispatch(self, tracking_ref=None, carrier_name=None):
        """Note that the customer has sent the goods. Proof of dispatch may release the credit.

        Proof is what somebody with a role in Returns says of goods that others return. Everybody
        else only tells of it: that is noted, and waits until it is confirmed by this method.

        :param str tracking_ref: number of the parcel, demanded unless it is known already.
        :param str carrier_name: who carries it.
        :return: True
        :raise UserError: when a return is not under way, or has no tracking reference.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        proved = self.filtered(lambda r: r._is_dispatch_witness(self.env.user))
        (self - proved)._register_dispatch(tracking_ref, carrier_name, claimed=True)
        proved._register_dispatch(tracking_ref, carrier_name)
        return True

    def _is_dispatch_witness(self, user):
        """Tell whether the word of a user proves that the goods of the return were sent.

        Superuser mode proves nothing: the routes of customers run in it.
        """
        self.ensure_one()
        return (
            not user.share
            and user.has_group('sale_return.group_user')
            and not self._is_customer(user)
        )

    @api.private
    def _register_dispatch(self, tracking_ref, carrier_name, claimed=False):
        """Note a dispatch, see `action_register_dispatch`.

        :param bool claimed: True when it is only the customer's word.
        """
        self._ensure_state(OPEN_STATES, self.env._("registered as dispatched"))
        vals = {'tracking_ref': tracking_ref, 'carrier_name': carrier_name}
        vals = {name: value for name, value in vals.items() if value}
        self._ensure_dispatch_known(vals, claimed)
        first = self.filtered(lambda r: not r.date_dispatched)
        confirmed = (self - first).filtered(lambda r: not claimed and not r.date_dispatch_proved)
        new = self.filtered(
            lambda r: not r.date_dispatched or any(r[name] != vals[name] for name in vals)
        )
        now = fields.Datetime.now()
        new._write_facts(vals)
        first._write_facts({'date_dispatched': now})
        if not claimed:
            (first | confirmed)._write_facts({'date_dispatch_proved': now})
        reason = claimed and self.env._(
            "The customer says so. It releases no credit until one of us confirms it."
        )
        (new - confirmed)._log_dispatch('dispatched', reason)
        confirmed._log_dispatch('dispatch_confirmed')
        confirmed._close_dispatch_questions()
        if claimed:
            first._ask_to_confirm_dispatch()
        self._after_step()

    def _ensure_dispatch_known(self, vals, claimed):
        """Refuse a dispatch without number, and claims against what was confirmed already.

        :raise UserError: naming the return.
        """
        for sale_return in self:
            if not (vals.get('tracking_ref') or sale_return.tracking_ref):
                raise UserError(
                    self.env._(
                        "Give the tracking reference of the parcel for return %(return)s.",
                        **{'return': sale_return.name},
                    )
                )
            if (
                claimed
                and sale_return.date_dispatch_proved
                and any(sale_return[name] != vals[name] for name in vals)
            ):
                raise UserError(
                    self.env._(
                        "The parcel of return %(return)s is confirmed already. Please write us a "
                        "message if its number is wrong.",
                        **{'return': sale_return.name},
                    )
                )

    def _log_dispatch(self, kind, reason=False):
        """Log who told of the parcel, or confirmed it."""
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': sale_return.id,
                    'kind': kind,
                    'reason': reason,
                    'details': " ".join(
                        filter(None, [sale_return.carrier_name, sale_return.tracking_ref])
                    ),
                }
                for sale_return in self
            ]
        )

    # === CONFIRM === #

    def _ask_to_confirm_dispatch(self):
        """Plan an activity where the credit waits for proof of dispatch and there is a claim."""
        for sale_return in self:
            user = sale_return.user_id
            waits = 'dispatch_proof' in sale_return.line_ids.policy_id.mapped('release_event')
            if waits and user.active and not user.share:
                # One by one: each in the language of who reads it, not of the customer.
                sale_return.activity_schedule(
                    'mail.mail_activity_data_todo',
                    summary=self._get_dispatch_question(user),
                    user_id=user.id,
                )

    def _close_dispatch_questions(self):
        """Take away the activities that asked for the confirmation."""
        # sudo: whoever confirms it answers the question, whoever was asked.
        activities = self.sudo().activity_ids.filtered('automated')
        activities.filtered(lambda a: a.summary == self._get_dispatch_question(a.user_id)).unlink()

    @api.model
    def _get_dispatch_question(self, user):
        speaker = self.with_context(lang=user.sudo().lang)
        return speaker.env._("Look at the tracking number and confirm the dispatch")
