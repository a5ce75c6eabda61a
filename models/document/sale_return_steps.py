from odoo import api, models
from odoo.exceptions import AccessError, UserError

from ...const import OPEN_STATES


class SaleReturn(models.Model):
    """The steps of a return: what users and clients do with it, and what follows by itself."""

    _inherit = 'sale.return'

    # === GUARDS === #

    def _ensure_group(self, group):
        """Refuse to go on unless the user has one of our groups (superuser mode passes).

        :param str group: one of `group_user`, `group_inspector`, `group_approver`,
            `group_manager`.
        :raise AccessError: when he does not have it.
        """
        if self.env.su or self.env.user.has_group(f'sale_return.{group}'):
            return
        # sudo: the name of the role that is missing.
        raise AccessError(
            self.env._(
                "You are not allowed to do this. It takes the role “%(group)s” of Returns.",
                group=self.env.ref(f'sale_return.{group}').sudo().name,
            )
        )

    def _ensure_state(self, states, action):
        """Refuse an action on returns that are in none of the states.

        :param tuple states: the states in which the action makes sense.
        :param str action: what is to be done, translated, as in "cannot be …".
        :raise UserError: naming each return.
        """
        labels = dict(self._fields['state']._description_selection(self.env))
        if wrong := self.filtered(lambda r: r.state not in states):
            raise UserError(
                self.env._(
                    "Return %(returns)s cannot be %(action)s.",
                    returns=", ".join(f"{r.name} ({labels[r.state]})" for r in wrong),
                    action=action,
                )
            )

    def _ensure_nothing_received(self, advice):
        """Refuse to drop a return whose goods are here, or they would lie in quarantine for ever.

        :param str advice: what to do instead.
        :raise UserError: naming the return.
        """
        # sudo: goods of a return may have come by transfers the user may not read.
        for sale_return in self.sudo():
            if any(line.qty_received for line in sale_return.line_ids):
                raise UserError(
                    self.env._(
                        "Goods of return %(return)s were received already. %(advice)s",
                        advice=advice,
                        **{'return': sale_return.name},
                    )
                )
        self.discrepancy_ids._ensure_none_open()

    def _ensure_explained(self, reason, text):
        if not (reason and reason.strip()):
            raise UserError(text)

    # === ACTION METHODS === #

    def action_submit(self):
        """Submit drafts: take the hold on their quantities and have them decided on.

        Returns that are submitted or approved already stay as they are.

        :return: True
        :raise UserError: when something is missing, or more is requested than can be returned.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        drafts = self.filtered(lambda r: r.state == 'draft')
        (self - drafts)._ensure_state(OPEN_STATES, self.env._("submitted"))
        drafts.line_ids._ensure_submittable(drafts)
        drafts.line_ids._ensure_lots_at_customer()
        # What applies is fixed with the submission, so it has to be known before.
        drafts.line_ids._freeze_policy()
        drafts.line_ids.flush_recordset(['policy_id', 'return_expected'])
        drafts._note_submission()
        sale_lines = drafts.line_ids.sale_line_id
        sale_lines._take_return_counter()
        drafts._update_state('submitted')
        drafts.file_ids._lock()
        sale_lines._check_return_quantities()
        self.env['sale.return.decision']._decide(drafts)
        return True

    def action_approve(self, comment=None):
        """Approve submitted returns: exactly one receipt each, where goods come back.

        Where the policy asks several levels the return is approved when the last one has.
        Returns that are approved already stay as they are.

        :param str comment: demanded where the rules would refuse the return.
        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: when a return was not submitted, a line names no order line, or somebody
            else has to decide.
        """
        self._ensure_group('group_approver')
        self.check_access('write')
        todo = self.filtered(lambda r: r.state != 'approved')
        todo._ensure_state(('submitted',), self.env._("approved"))
        todo._void_changed_approvals()
        todo._ensure_may_decide()
        todo._ensure_overruled(comment)
        todo._approve_current_step(comment)
        todo.filtered(lambda r: not r._get_current_step())._approve()
        return True

    @api.private
    def _approve(self, automatic=False):
        """Approve returns, create their receipts, and credit what is released by it.

        :param bool automatic: True when the policy decided and nobody was asked.
        """
        self._ensure_state(('submitted',), self.env._("approved"))
        self.line_ids._ensure_approvable(self)
        self.line_ids._authorize()
        self._update_state('approved')
        if automatic:
            self._log_decision('approved', automatic=True)
        self.env['sale.return.reception']._create_receipts(self)
        self._after_step()

    def action_refuse(self, reason=None):
        """Refuse submitted returns; their quantities are free again.

        Any approver may, whatever level has its turn: nobody is harmed by a second look.

        :param str reason: why, demanded.
        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: without a reason, or when a return is not submitted.
        """
        self._ensure_group('group_approver')
        self.check_access('write')
        self._ensure_explained(reason, self.env._("Say why the return is refused."))
        refused = self.filtered(lambda r: r.state != 'refused')
        refused._ensure_state(('submitted',), self.env._("refused"))
        refused._ensure_nothing_received(
            self.env._("Approve it and send the goods back by their inspection.")
        )
        refused._refuse(reason, template=self._get_refusal_template())
        return True

    def _get_refusal_template(self):
        """Return the template the words of a refusal were taken from, for counting."""
        template_id = self.env.context.get('sale_return_template_id')
        return self.env['sale.return.refusal.template'].browse(template_id or []).exists()

    def action_cancel(self):
        """Cancel returns of which nothing was received or credited; their receipts go with them.

        :return: True
        :raise UserError: when something was received or credited already.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        todo = self.filtered(lambda r: r.state != 'cancelled')
        todo._ensure_state(('draft', *OPEN_STATES), self.env._("cancelled"))
        for line in todo.line_ids:
            if line._has_effects():
                raise UserError(
                    self.env._(
                        "Return %(return)s cannot be cancelled: %(product)s was received or "
                        "credited already. Close it instead.",
                        product=line.product_id.display_name,
                        **{'return': line.return_id.name},
                    )
                )
        todo.discrepancy_ids._ensure_none_open()
        self.env['sale.return.reception']._cancel_open_receipts(todo)
        todo._update_state('cancelled')
        todo._end_steps()
        return True

    def action_draft(self):
        """Set submitted, refused or cancelled returns back to draft.

        :return: True
        :raise UserError: when a return is approved or closed.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        todo = self.filtered(lambda r: r.state != 'draft')
        todo._ensure_state(('submitted', 'refused', 'cancelled'), self.env._("set back to draft"))
        todo._ensure_nothing_received(self.env._("Approve it."))
        self.env['sale.return.reception']._cancel_open_receipts(todo)
        todo._update_state('draft')
        todo._reset_approvals()
        return True

    def action_close(self, reason=None):
        """Close approved returns; what has not come is written off and no longer expected.

        :param str reason: why, demanded where something is written off.
        :return: True
        :raise AccessError: when goods are written off that were credited already, without the
            role of approver.
        :raise UserError: when received goods still wait for inspection or for their credit
            note, or when a reason is missing.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        todo = self.filtered(lambda r: r.state != 'closed')
        todo._ensure_state(('approved',), self.env._("closed"))
        todo.line_ids._ensure_closable()
        todo._ensure_discrepancies_resolved()
        if not todo:
            return True
        if any(line._get_qty_missing() for line in todo.line_ids):
            self._ensure_explained(
                reason, self.env._("Say why the rest of the return is written off.")
            )
        # What was credited before it came is then credited without goods.
        early = todo.line_ids.filtered(lambda line: line._is_credited_before_it_came())
        self.env['sale.return.disposal']._ensure_may_leave(early)
        self.env['sale.return.reception']._cancel_open_receipts(todo)
        todo._resolve_missing(reason)
        todo.line_ids._write_off_missing()
        todo._update_state('closed', reason=reason)
        return True

    def action_inspect_all(self, disposition=None, grade=None):
        """Inspect everything that was received and not inspected yet, in one batch.

        :param disposition: code or id of the disposition; without it the disposition rules say
            what happens to the goods.
        :param grade: code or id of the grade, if any.
        :return: the new inspection rows.
        :rtype: sale.return.inspection
        :raise AccessError: without the role of inspector.
        :raise UserError: when there is nothing to inspect or the goods cannot be moved.
        """
        self._ensure_group('group_inspector')
        self._ensure_state(('approved', 'closed'), self.env._("inspected"))
        open_results = self.env['sale.return.quarantine']._get_open_results(self.line_ids)
        disposal = self.env['sale.return.disposal']
        choice = {
            company: {
                'disposition': disposal._find_configuration(
                    'sale.return.disposition', disposition, company
                ),
                'grade': disposal._find_configuration('sale.return.grade', grade, company),
            }
            for company in self.company_id
        }
        results = [
            {**result, **choice[self.line_ids.browse(result['line_id']).company_id]}
            for result in open_results
        ]
        return (
            self.line_ids.register_inspection(results)
            if results
            else (self.env['sale.return.inspection'])
        )

    def action_create_credit_notes(self):
        """Create and (policy) post the credit notes that are due now. Repeating it adds nothing.

        :return: the credit notes created by this call.
        :rtype: account.move
        :raise AccessError: without a role in Returns.
        :raise UserError: when a credit note cannot be created or posted.
        """
        self._ensure_group('group_user')
        self.check_access('read')
        notes = self.env['sale.return.credit']._create_credit_notes(self)
        self._close_or_reopen()
        return notes

    def preview_credit(self):
        """Say what would be credited, on the same path that credits. Writes nothing.

        :return: `{return id: {'due': [note], 'estimate': [note]}}`. `due` is what
            `action_create_credit_notes` would create now; `estimate` is as if everything not yet
            refused were accepted. A note is `{'invoice_id', 'currency' (code), 'lines',
            'untaxed', 'tax', 'total'}` in the currency of the invoice; a line is
            `{'return_line_id', 'invoice_line_id', 'quantity' (unit of the invoice line),
            'untaxed', 'taxes' ({tax id: amount}), 'kind'}`.
        :rtype: dict
        """
        self.check_access('read')
        # sudo: the amounts of the returns he works on, nothing is written.
        return self.env['sale.return.credit'].sudo()._preview(self.sudo())

    # === BUSINESS METHODS === #

    @api.private
    def _after_step(self):
        """Do what a step has made possible: credit what is due, then close what is finished.

        Failures to credit are kept on the return and tried again by the scheduled job: the step
        itself (goods received, inspected) has happened whatever the ledger says.
        """
        self.line_ids._resolve()
        self._close_or_reopen()

    @api.private
    def _close_or_reopen(self):
        """Close approved returns with nothing left to do; reopen closed ones that have.

        `_after_step` and the hooks on notes, payments and receipts call it.
        """
        finished = self.filtered(lambda r: r.state == 'approved' and r._is_finished())
        if finished:
            finished._update_state('closed')
        unfinished = self.filtered(lambda r: r.state == 'closed' and not r._is_finished())
        if unfinished:
            unfinished._update_state(
                'approved', reason=self.env._("There is something to do again.")
            )

    def _is_finished(self):
        """Tell whether nothing is left to receive, inspect, credit or pay back.

        Override to add what has to be done before a return is closed.
        """
        self.ensure_one()
        done = ('no', 'full')
        return (
            self.reception_state in done
            and self.inspection_state in done
            and self.credit_state in done
            and self.refund_state in done
            and not any(line._has_open_credit() for line in self.line_ids)
            and not self._has_open_discrepancy()
        )
