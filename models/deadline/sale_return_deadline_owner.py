from odoo import fields, models

from ...const import CUSTOMER_STEPS

ACTIVITY_TYPE = 'sale_return.mail_activity_type_step'


class SaleReturnDeadline(models.Model):
    """Who takes a step: the log says so, and an activity calls him."""

    _inherit = 'sale.return.deadline'

    def _get_label(self):
        """Return the step in the language of the user."""
        self.ensure_one()
        return dict(self._fields['step']._description_selection(self.env))[self.step]

    def _log_owners(self):
        """Write down who got which step."""
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': row.return_id.id,
                    'kind': 'assigned',
                    'details': f"{row._get_label()}: {row.user_id.name}",
                }
                for row in self
                if row.user_id and row.step not in CUSTOMER_STEPS
            ]
        )

    # === ACTIVITIES === #

    def _is_owner_called(self):
        """Tell whether the owner gets an activity. Override where something else calls him.

        Not for what the customer has to do, what a job does within minutes, and what has an
        activity already: decisions of levels of approval, and the follow-up.
        """
        self.ensure_one()
        sale_return = self.return_id
        if not self.user_id or self.step in (*CUSTOMER_STEPS, 'follow_up'):
            return False
        if self.step == 'decide':
            return not sale_return._get_current_step()
        if self.step == 'credit':
            return not sale_return.credit_queued or bool(sale_return.credit_error)
        return True

    def _call_owners(self):
        """Plan an activity for the owner of each step, in one call."""
        rows = self.filtered(lambda row: row._is_owner_called())
        vals_list = [row._prepare_activity_vals(row.user_id) for row in rows]
        activities = row_activities = self.env['mail.activity'].sudo()
        if vals_list:
            # sudo: whoever does a step may not plan activities for everybody. Nobody is mailed:
            # the activity is what tells them.
            row_activities = activities.with_context(mail_activity_quick_update=True).create(
                vals_list
            )
        for row, activity in zip(rows, row_activities, strict=True):
            row._write_facts({'activity_id': activity.id})

    def _prepare_activity_vals(self, user, summary=None):
        """Prepare the activity that calls somebody to a step. Override to add values.

        :param user: `res.users`, who is called.
        :param str summary: what he has to do; by default the step.
        :return: values for `create`.
        :rtype: dict
        """
        self.ensure_one()
        sale_return = self.return_id
        zone = sale_return.with_context(tz=sale_return._get_company_timezone())
        due = self.date_limit or fields.Datetime.now()
        return {
            'res_model_id': self.env['ir.model']._get_id('sale.return'),
            'res_id': sale_return.id,
            'activity_type_id': self.env['ir.model.data']._xmlid_to_res_id(ACTIVITY_TYPE),
            'summary': summary or self.with_context(lang=user.lang)._get_label(),
            'automated': True,
            'user_id': user.id,
            'date_deadline': fields.Datetime.context_timestamp(zone, due).date(),
        }

    def _close_activities(self, dropped=False):
        """Close the activities of steps that are over: done, or gone where nobody did the step.

        Not by `action_feedback`: a note per step would say again what the log says.

        :param bool dropped: True where nobody did it.
        """
        activities = (self.activity_id | self.escalation_activity_id).filtered('active').sudo()
        if dropped:
            activities.unlink()
        elif activities:
            activities.write({'active': False})

    # === HAND OVER === #

    def _hand_over(self, user):
        """Pass steps on to somebody else, with their activities.

        :param user: `res.users`; empty: to nobody.
        """
        rows = self.filtered(lambda row: row.user_id != user)
        if not rows:
            return
        rows.activity_id.filtered('active').sudo().unlink()
        rows._write_facts({'user_id': user.id})
        rows._log_owners()
        rows._call_owners()
