from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import OPEN_STATES


class SaleReturnDispatch(models.AbstractModel):
    """Dispatch of the goods: what the customer reports, and what one of us confirms."""

    _name = 'sale.return.dispatch'
    _description = "Dispatch of Returned Goods"

    # customer     tracking number ──► date_dispatched        noted; ends reminders and expiry
    # one of us    tracking number ──► date_dispatch_proved   releases what proof of dispatch does

    def _is_dispatch_witness(self, user):
        """Tell whether a user's statement proves that the goods of the return were sent.

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

        :param bool claimed: True when only the customer says so.
        """
        self._ensure_state(
            OPEN_STATES, self.env._("Return %(returns)s cannot be registered as dispatched.")
        )
        vals = {'tracking_ref': tracking_ref, 'carrier_name': carrier_name}
        vals = {name: value for name, value in vals.items() if value}
        self._ensure_dispatch_known(vals, claimed)
        first = self.filtered(lambda r: not r.date_dispatched)
        confirmed = (self - first).filtered(lambda r: not claimed and not r.date_dispatch_proved)
        new = self.filtered(
            lambda r: not r.date_dispatched or any(r[name] != vals[name] for name in vals)
        )
        if not claimed:
            self.env['sale.return.unbacked']._note_dispatched(first | confirmed)
        now = fields.Datetime.now()
        new._write_facts(vals)
        first._write_facts({'date_dispatched': now})
        if not claimed:
            (first | confirmed)._write_facts({'date_dispatch_proved': now})
        reason = claimed and self.env._(
            "The customer says so. It does not release a credit until one of us confirms it."
        )
        (new - confirmed)._log_dispatch('dispatched', reason)
        confirmed._log_dispatch('dispatch_confirmed')
        confirmed._close_dispatch_questions()
        if claimed:
            first._ask_to_confirm_dispatch()
        self._after_step()

    def _ensure_dispatch_known(self, vals, claimed):
        """Refuse a dispatch without tracking number, and claims that contradict a confirmed one.

        :raise UserError: naming the return.
        """
        for sale_return in self:
            if not (vals.get('tracking_ref') or sale_return.tracking_ref):
                raise UserError(
                    self.env._(
                        "Enter the tracking reference of the parcel for return %(return)s.",
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
                        "The parcel of return %(return)s is already confirmed. Please write us "
                        "a message if its number is wrong.",
                        **{'return': sale_return.name},
                    )
                )

    def _log_dispatch(self, kind, reason=False):
        """Log who reported or confirmed the dispatch."""
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

    def _is_customer(self, user):
        """Tell whether a user belongs to the customer, colleagues included."""
        self.ensure_one()
        mine = self.sudo().partner_id.commercial_partner_id
        return bool(mine) and user.sudo().partner_id.commercial_partner_id == mine

    # === CONFIRM === #

    def _ask_to_confirm_dispatch(self):
        """Plan an activity where the credit waits for proof of dispatch and there is a claim."""
        for sale_return in self:
            user = sale_return.user_id
            waits = 'dispatch_proof' in sale_return.line_ids.policy_id.mapped('release_event')
            if waits and user.active and not user.share:
                # One by one: each in the language of its reader, not of the customer.
                sale_return.activity_schedule(
                    'mail.mail_activity_data_todo',
                    summary=self._get_dispatch_question(user),
                    user_id=user.id,
                )

    def _close_dispatch_questions(self):
        """Remove the activities that asked for the confirmation."""
        # sudo: a confirmation settles the matter, no matter who was asked.
        activities = self.sudo().activity_ids.filtered('automated')
        activities.filtered(lambda a: a.summary == self._get_dispatch_question(a.user_id)).unlink()

    @api.model
    def _get_dispatch_question(self, user):
        speaker = self.with_context(lang=user.sudo().lang)
        return speaker.env._("Check the tracking number and confirm the dispatch")
