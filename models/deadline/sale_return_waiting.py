from odoo import fields, models

from ...const import OPEN_STATES


class SaleReturn(models.Model):
    """Waiting for the customer: our clocks stand still until he answers or sends the goods."""

    _inherit = 'sale.return'

    waiting_since = fields.Datetime(
        string="Waiting for the Customer",
        readonly=True,
        copy=False,
        help="Since when we wait for his answer. Our deadlines stand still.",
    )
    waiting_reason = fields.Text(
        string="Waiting for", readonly=True, copy=False, help="What the customer was asked."
    )

    def action_wait_for_customer(self, reason=None):
        """Stop the deadlines of returns: it is the customer's turn.

        They go on by themselves when he writes, registers the dispatch, or his goods arrive.
        Returns that wait already stay as they are.

        :param str reason: what he was asked, demanded.
        :return: True
        :raise UserError: without a reason, or when a return is not under way.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._ensure_explained(reason, self.env._("Say what the customer was asked."))
        todo = self.filtered(lambda r: not r.waiting_since)
        todo._ensure_state(OPEN_STATES, self.env._("left to the customer"))
        if todo:
            todo._write_facts(
                {'waiting_since': fields.Datetime.now(), 'waiting_reason': reason.strip()}
            )
            todo.sudo().deadline_ids._pause()  # sudo: the right on the return was checked
            todo._log_waiting('waiting', reason.strip())
        return True

    def action_resume(self):
        """Go on with returns that wait for the customer: their deadlines run again.

        :return: True
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._resume(self.env._("Resumed by hand."))
        return True

    def action_open_wait(self):
        """Open the dialog that asks what the customer was asked."""
        self._ensure_group('group_user')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Wait for the Customer"),
            'res_model': 'sale.return.wait',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_return_ids': self.ids},
        }

    def _resume(self, reason):
        """Let the deadlines of waiting returns run on.

        :param str reason: why, for the event log.
        """
        waiting = self.filtered('waiting_since')
        if not waiting:
            return
        rows = waiting.sudo().deadline_ids  # sudo: customers resume by answering
        waiting._write_facts({'waiting_since': False, 'waiting_reason': False})
        waiting._log_waiting('resumed', reason)
        rows._resume(waiting.sudo()._get_legal_clocks())

    def _resume_if_answered(self):
        """Go on with returns whose goods the customer has sent since, or that are over."""
        waiting = self.filtered('waiting_since')
        sent = waiting.filtered(
            lambda r: r.date_dispatched and r.date_dispatched >= r.waiting_since
        )
        sent._resume(self.env._("The customer has sent the goods."))
        over = (waiting - sent).filtered(lambda r: r.state not in OPEN_STATES)
        over._resume(self.env._("Nothing is left to wait for."))
        arrived = (waiting - sent - over).filtered(
            lambda r: (
                any(
                    row.state == 'open' and row.step in ('dispatch', 'receive')
                    for row in r.deadline_ids
                )
                and not {'dispatch', 'receive'} & set(r._get_open_steps())
            )
        )
        arrived._resume(self.env._("The goods have arrived."))

    def _message_post_after_hook(self, message, msg_values):
        """Override of `mail` to go on when the customer answers."""
        result = super()._message_post_after_hook(message, msg_values)
        if len(self) == 1 and self.sudo().waiting_since and self._is_answer(message):
            # sudo: the customer may write, not change the return.
            self.sudo()._resume(self.env._("The customer has answered."))
        return result

    def _is_answer(self, message):
        """Tell whether a message comes from outside. Override to take others for answers."""
        self.ensure_one()
        author = message.sudo().author_id
        inside = author.user_ids.filtered(lambda user: not user.share)
        return message.message_type in ('comment', 'email') and not inside

    def _log_waiting(self, kind, reason):
        self.env['sale.return.event']._log(
            [{'return_id': sale_return.id, 'kind': kind, 'reason': reason} for sale_return in self]
        )
