from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from ...const import CUSTOMER_STEPS, OPEN_STATES
from ...tools.context import get_ids
from ...tools.deadline import last_moment
from ...tools.reader import code_or_id, reads, text
from .const import TRANSITIONS

# Work on goods that are here comes before goods still to come.
URGENCY = ('decide', 'inspect', 'credit', 'refund', 'receive', 'dispatch', 'follow_up')


class SaleReturn(models.Model):
    """The steps of a return: what users and clients do with it, and what follows automatically."""

    _inherit = 'sale.return'

    # Dispatch of the goods: what the customer reports, and what one of us confirms.
    date_dispatch_proved = fields.Datetime(
        string="Dispatch Confirmed on",
        readonly=True,
        copy=False,
        help=(
            "When one of us confirmed that the customer has sent the goods. The customer's own "
            "report is recorded, but does not release a credit."
        ),
    )

    # === INTAKE === #

    # A request that arrives twice with the same reference, see `create`.

    def _ensure_same_request(self, vals):
        """Refuse to take another request for this return, which has its external reference.

        :param dict vals: the values of a new return.
        :raise UserError: naming both, when customer or lines are not those of this return.
        """
        self.ensure_one()
        asked = defaultdict(float)
        # sudo: users who repeat a request need not read orders.
        sale_lines = self.env['sale.order.line'].sudo()
        for command in vals['line_ids']:
            if command[0] == Command.CREATE:
                line = command[2]
                sale_line = sale_lines.browse(line.get('sale_line_id') or [])
                sale_lines |= sale_line
                product_id = sale_line.product_id.id or line.get('product_id')
                asked[sale_line.id, product_id] += line.get('qty_requested') or 0.0
        known = defaultdict(float)
        for line in self.line_ids:
            known[line.sale_line_id.id, line.product_id.id] += line.qty_requested
        partner = self.env['res.partner'].browse(vals.get('partner_id') or [])
        partner = partner or sale_lines.order_id.partner_id[:1] or self.partner_id
        same_customer = partner.commercial_partner_id == self.partner_id.commercial_partner_id
        # Goods received beyond the request may have been authorized in the meantime.
        same_lines = asked.keys() == known.keys() and all(
            not self._compare_quantities(quantity, known[key])
            or (self.state != 'draft' and quantity < known[key])
            for key, quantity in asked.items()
        )
        if not same_customer or (asked and not same_lines):
            raise UserError(
                self.env._(
                    "External reference %(reference)s already belongs to return %(return)s of "
                    "%(customer)s (%(products)s). The request of %(other)s (%(other_products)s)"
                    " is different: give it its own reference.",
                    reference=self.external_ref,
                    customer=self.partner_id.display_name,
                    products=self._describe_request(known),
                    other=partner.display_name,
                    other_products=self._describe_request(asked),
                    **{'return': self.name},
                )
            )

    @api.model
    def _describe_request(self, quantities):
        """Return what is requested in words, e.g. `2 × Lamp`."""
        products = self.env['product.product'].browse(
            product_id for _sale_line_id, product_id in quantities if product_id
        )
        names = dict(zip(products.ids, products.mapped('display_name'), strict=True))
        return ", ".join(
            f"{quantity:g} × {names.get(product_id, '?')}"
            for (_sale_line_id, product_id), quantity in quantities.items()
        )

    # === DOCUMENTS === #

    def _get_named_lines(self):
        """Return the lines whose documents may be named.

        For an unsaved return these are only the lines of orders that the user may read: in a form
        any order line can be entered, which would reveal the documents that belong to it.
        """
        self.ensure_one()
        if self.id:
            return self.line_ids
        sale_lines = self.line_ids.sale_line_id
        readable = sale_lines.sudo(False)._filtered_access('read')
        return self.line_ids.filtered(lambda line: line.sale_line_id.id in readable.ids)

    # === ACTION METHODS === #

    def action_submit(self):
        """Submit drafts: hold their quantities and have them decided.

        Returns that are submitted or approved already stay as they are.

        :return: True
        :raise UserError: when something is missing, or more is requested than can be returned.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        drafts = self.filtered(lambda r: r.state == 'draft')
        (self - drafts)._ensure_state(
            OPEN_STATES, self.env._("Return %(returns)s cannot be submitted.")
        )
        drafts.line_ids._ensure_submittable(drafts)
        drafts.line_ids._ensure_lots_at_customer()
        # The terms are fixed at submission, so they have to be known before.
        drafts.line_ids._freeze_policy()
        drafts.line_ids.flush_recordset(['policy_id', 'return_expected'])
        drafts._note_submission()
        sale_lines = drafts.line_ids.sale_line_id
        sale_lines._take_return_counter()
        # Read before it is recomputed: unchanged values are then not written, and concurrent
        # returns of the same order need not be retried.
        sale_lines.order_id.sudo().fetch(['return_status'])  # sudo: the user who submits
        drafts._update_state('submitted')
        drafts.file_ids._lock()
        sale_lines._check_return_quantities()
        self.env['sale.return.decision']._decide(drafts)
        return True

    @reads(comment=text)
    def action_approve(self, comment=None):
        """Approve submitted returns: exactly one receipt each, where goods come back.

        Where the policy has several levels the return is approved once the last one has decided.
        Returns that are approved already stay as they are.

        :param str comment: required where the rules would refuse the return.
        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: when a return was not submitted, a line names no order line, or somebody
            else has to decide.
        """
        self._ensure_group('group_approver')
        self.check_access('write')
        todo = self.filtered(lambda r: r.state != 'approved')
        todo._ensure_state(('submitted',), self.env._("Return %(returns)s cannot be approved."))
        todo._void_changed_approvals()
        todo._ensure_may_decide()
        todo._ensure_overruled(comment)
        todo._approve_current_step(comment)
        todo.filtered(lambda r: not r._get_current_step())._approve()
        return True

    @api.private
    def _approve(self, automatic=False):
        """Approve returns, create their receipts, and credit what that releases.

        :param bool automatic: True when the policy decided without a person.
        """
        self._ensure_state(('submitted',), self.env._("Return %(returns)s cannot be approved."))
        self.line_ids._ensure_approvable(self)
        self.env['sale.return.unbacked']._note_approved(self, automatic)
        self.line_ids._authorize()
        self._update_state('approved')
        if automatic:
            self._log_decision('approved', automatic=True)
        self.env['sale.return.reception']._create_receipts(self)
        self._after_step()

    @reads(reason=text)
    def action_refuse(self, reason=None):
        """Refuse submitted returns; their quantities are free again.

        Any approver may do this, whichever level is next: a second look does no harm.

        :param str reason: why, required.
        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: without a reason, or when a return is not submitted.
        """
        self._ensure_group('group_approver')
        self.check_access('write')
        self._ensure_explained(reason, self.env._("Enter why the return is refused."))
        refused = self.filtered(lambda r: r.state != 'refused')
        refused._ensure_state(('submitted',), self.env._("Return %(returns)s cannot be refused."))
        refused._ensure_nothing_received(
            self.env._("Approve it, and send the goods back with the inspection.")
        )
        refused._refuse(reason, template=self._get_refusal_template())
        return True

    def _get_refusal_template(self):
        """Return the template that the text of a refusal was taken from, to count its uses."""
        ids = get_ids(self.env, 'sale_return_template_id')
        return self.env['sale.return.refusal.template'].browse(ids[:1]).exists()

    def action_cancel(self):
        """Cancel returns of which nothing was received or credited; their receipts go with them.

        :return: True
        :raise UserError: when something was already received or credited.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        todo = self.filtered(lambda r: r.state != 'cancelled')
        todo._ensure_state(
            ('draft', *OPEN_STATES), self.env._("Return %(returns)s cannot be cancelled.")
        )
        for line in todo.line_ids:
            if line._has_effects():
                raise UserError(
                    self.env._(
                        "Return %(return)s cannot be cancelled: %(product)s was already "
                        "received or credited. Close it instead.",
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
        todo._ensure_state(
            ('submitted', 'refused', 'cancelled'),
            self.env._("Return %(returns)s cannot be set back to draft."),
        )
        todo._ensure_nothing_received(self.env._("Approve it."))
        self.env['sale.return.reception']._cancel_open_receipts(todo)
        todo._update_state('draft')
        todo._reset_approvals()
        return True

    @reads(reason=text)
    def action_close(self, reason=None):
        """Close approved returns; what has not come is written off and no longer expected.

        :param str reason: why, required where something is written off.
        :return: True
        :raise AccessError: when goods are written off that were already credited, without the
            role of approver.
        :raise UserError: when received goods still wait for inspection or for their credit
            note, or when a reason is missing.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        todo = self.filtered(lambda r: r.state != 'closed')
        todo._ensure_state(('approved',), self.env._("Return %(returns)s cannot be closed."))
        todo.line_ids._ensure_closable()
        todo._ensure_discrepancies_resolved()
        if not todo:
            return True
        if any(line._get_qty_missing() for line in todo.line_ids):
            self._ensure_explained(
                reason, self.env._("Enter why the rest of the return is written off.")
            )
        # What was credited before it came is then credited without goods.
        early = todo.line_ids.filtered(lambda line: line._is_credited_before_it_came())
        self.env['sale.return.disposal']._ensure_may_leave(early)
        self.env['sale.return.unbacked']._note_written_off(
            {line: line._get_qty_missing() for line in early}
        )
        self.env['sale.return.reception']._cancel_open_receipts(todo)
        todo._resolve_missing(reason)
        todo.line_ids._write_off_missing()
        todo._update_state('closed', reason=reason)
        return True

    @reads(disposition=code_or_id, grade=code_or_id)
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
        self._ensure_state(
            ('approved', 'closed'),
            self.env._("The goods of return %(returns)s cannot be inspected."),
        )
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
        """Create and (policy) post the credit notes due now. Calling it again adds nothing.

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
        """Preview what would be credited, by the same code that credits. Writes nothing.

        :return: `{return id: {'due': [note], 'estimate': [note]}}`. `due` is what
            `action_create_credit_notes` would create now; `estimate` is as if everything not yet
            refused were accepted. A note is `{'invoice_id', 'currency' (code), 'lines', 'untaxed',
            'tax', 'total'}` in the currency of the invoice; a line is `{'return_line_id',
            'invoice_line_id', 'quantity' (unit of the invoice line), 'untaxed', 'taxes' ({tax id:
            amount}), 'kind'}`. Its `stored_value` lists what goes back to gift cards and wallets,
            tax included: `[{'card_id', 'card', 'program', 'amount'}]`; `total` is the money paid
            besides.
        :rtype: dict
        """
        self.check_access('read')
        # sudo: only amounts of returns the user works on; nothing is written.
        return self.env['sale.return.credit'].sudo()._preview(self.sudo())

    @reads(tracking_ref=text, carrier_name=text)
    def action_register_dispatch(self, tracking_ref=None, carrier_name=None):
        """Note that the customer has sent the goods. Proof of dispatch may release the credit.

        Only a user with a role in Returns can give proof, and only for goods that others return. A
        report by anybody else is noted, and waits until it is confirmed by this method.

        :param str tracking_ref: number of the parcel, required unless it is already known.
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

    # === STATE === #

    def _update_state(self, state, reason=None):
        """Change the state of returns. This is the only way to do it, and must not be extended.

        Conditions and effects are the hooks listed in `_before_state` and `_after_state`.

        :param str state: the new state.
        :param str reason: why, for the event log.
        :raise UserError: when a return cannot go from its state to the new one.
        """
        labels = dict(self._fields['state']._description_selection(self.env))
        for sale_return in self:
            if (sale_return.state, state) not in TRANSITIONS:
                raise UserError(
                    self.env._(
                        "Return %(return)s (%(state)s) cannot become “%(new_state)s”.",
                        state=labels[sale_return.state],
                        new_state=labels[state],
                        **{'return': sale_return.name},
                    )
                )
        self._before_state(state)
        events = [
            {
                'return_id': sale_return.id,
                'kind': 'state',
                'state_from': sale_return.state,
                'state_to': state,
                'reason': reason,
            }
            for sale_return in self
        ]
        self._write_facts({'state': state})
        self.env['sale.return.event']._log(events)
        self._after_state(state)

    def _before_state(self, state):
        """Run the hooks that need the old state, in this order.

        :param str state: the new state, which may follow the old one.
        """
        self._ensure_may_become(state)
        self._fix_proposals()

    def _after_state(self, state):
        """Run the hooks that follow a change of state, in this order.

        :param str state: the state that the returns have now.
        """
        self._refigure_orders(state)
        self._fix_appeal_limit(state)
        self._drop_replacements(state)
        self._follow_wishes(state)
        self._release_stored_value(state)
        self._plan_follow_up(state)
        self._sync_deadlines_of_state(state)

    # The hooks of these two lists: each belongs to one room, which extends it.

    def _ensure_may_become(self, state):
        """Refuse a state that is ruled out by something outside the return (room `decision`)."""

    def _fix_proposals(self):
        """Compute what drafts propose before it is fixed (room `credit`)."""

    def _refigure_orders(self, state):
        """Compute what is to be billed beside notes made by hand (room `credit`)."""

    def _fix_appeal_limit(self, state):
        """Fix until when the customer may appeal (room `decision`)."""

    def _drop_replacements(self, state):
        """Cancel the replacements of returns that end without result (room `inspection`)."""

    def _follow_wishes(self, state):
        """Hold goods for an exchange, or release them (room `exchange`)."""

    def _release_stored_value(self, state):
        """Give back card payments for goods that are never billed (room `credit`)."""

    def _plan_follow_up(self, state):
        """Schedule the follow-up with the customer, or cancel it (room `message`)."""

    def _sync_deadlines_of_state(self, state):
        """End the deadlines of steps that no longer have to be taken (room `deadline`)."""

    # === GUARDS === #

    def _ensure_group(self, group):
        """Raise unless the user has one of our groups (superuser mode passes).

        :param str group: one of `group_user`, `group_inspector`, `group_approver`,
            `group_manager`.
        :raise AccessError: when they do not have it.
        """
        if self.env.su or self.env.user.has_group(f'sale_return.{group}'):
            return
        # sudo: only to read the name of the missing role.
        raise AccessError(
            self.env._(
                "You are not allowed to do this. It requires the role “%(group)s” of Returns.",
                group=self.env.ref(f'sale_return.{group}').sudo().name,
            )
        )

    def _ensure_state(self, states, sentence):
        """Refuse an action on returns that are in none of the states.

        :param tuple states: the states in which the action makes sense.
        :param str sentence: translated sentence saying what is not possible, with `%(returns)s` in
            it.
        :raise UserError: naming each return.
        """
        labels = dict(self._fields['state']._description_selection(self.env))
        if wrong := self.filtered(lambda r: r.state not in states):
            names = ", ".join(f"{r.name} ({labels[r.state]})" for r in wrong)
            raise UserError(sentence % {'returns': names})

    def _ensure_nothing_received(self, advice):
        """Refuse to drop a return whose goods are here, or they would stay in quarantine for good.

        :param str advice: what to do instead.
        :raise UserError: naming the return.
        """
        # sudo: goods of a return may have come by transfers the user may not read.
        for sale_return in self.sudo():
            if any(line.qty_received for line in sale_return.line_ids):
                raise UserError(
                    self.env._(
                        "Goods of return %(return)s were already received. %(advice)s",
                        advice=advice,
                        **{'return': sale_return.name},
                    )
                )
        self.discrepancy_ids._ensure_none_open()

    def _ensure_explained(self, reason, text):
        if not (reason and reason.strip()):
            raise UserError(text)

    # === BUSINESS METHODS === #

    @api.private
    def _after_step(self):
        """Run what a step has made possible: credit what is due, then close what is finished.

        Failures to credit are stored on the return and retried by the scheduled job: the step
        itself (goods received, inspected) has happened even if crediting fails.
        """
        self.line_ids._resolve()
        self._close_or_reopen()

    @api.private
    def _close_or_reopen(self):
        """Close approved returns with nothing left to do; reopen closed ones otherwise.

        `_after_step` and the hooks on notes, payments and receipts call it.
        """
        finished = self.filtered(lambda r: r.state == 'approved' and r._is_finished())
        if finished:
            finished._update_state('closed')
        unfinished = self.filtered(lambda r: r.state == 'closed' and not r._is_finished())
        if unfinished:
            unfinished._update_state(
                'approved', reason=self.env._("Some of its steps have to be done again.")
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

    # === NEXT STEP === #

    # Which steps are open, who has to take the next one, and until when.

    def _get_open_steps(self):
        """Return the steps that somebody has to take now, derived from the states of the return.

        Several can be open at once: half of the goods may wait for inspection while the rest is
        still to come. Override to add steps.

        :return: codes of `const.STEPS`, the most important first; none for drafts.
        :rtype: list
        """
        self.ensure_one()
        if self.state == 'submitted':
            return ['decide']
        if self.state not in ('approved', 'closed'):
            return []
        coming = self.state == 'approved' and self.reception_state in ('pending', 'partial')
        is_open = {
            'dispatch': coming and not self.date_dispatched,
            'receive': coming and self.date_dispatched,
            'inspect': self.has_to_inspect,
            'credit': any(line._has_open_credit() for line in self.line_ids),
            'refund': self.refund_state in ('pending', 'partial'),
            'follow_up': self.state == 'closed' and self._is_follow_up_open(),
        }
        return [step for step in URGENCY if is_open.get(step)]

    def _is_follow_up_open(self):
        """Tell whether the follow-up of a closed return is still open. Override."""
        self.ensure_one()
        return False

    def _get_next_step(self):
        """Return who has to act next on each return, and until when.

        :return: `{return: {'step', 'actor', 'owner', 'due'}}`: a code of `const.STEPS`, `customer`
            or `company`, a user (may be empty) and the last moment (naive, UTC; False without one).
            All four are empty for a return where nothing is to be done.
        :rtype: dict
        """
        clocks = self._get_legal_clocks()
        nobody = self.env['res.users']
        result = {}
        for sale_return in self:
            step = next(iter(sale_return._get_open_steps()), False)
            actor = 'customer' if step in CUSTOMER_STEPS else 'company'
            result[sale_return] = {
                'step': step,
                'actor': step and actor,
                'owner': nobody,
                'due': (step and sale_return._get_outer_due(step, clocks[sale_return])) or False,
            }
        return result

    def _get_outer_due(self, step, clock):
        """Return the legal deadline of a step, regardless of our own deadlines.

        :param str step: a code of `const.STEPS`.
        :param dict clock: of this return, see `_get_legal_clocks`.
        :return: naive, in UTC; False without a limit.
        :rtype: datetime | bool
        """
        self.ensure_one()
        if step == 'dispatch':
            day = self.date_send_until
            return (
                last_moment(day, self.company_id._get_sale_return_timezone())
                if day
                else clock.get('dispatch', False)
            )
        if step == 'follow_up' or clock.get('withheld'):
            return False
        return clock.get('refund', False)

    def _get_legal_clocks(self):
        """Return the legal time limits, see `sale.return.clock`."""
        return self.env['sale.return.clock']._get_clocks(self)

    # === DIALOGS === #

    def action_open_inspection(self):
        """Open the dialog that inspects the received goods."""
        self._ensure_group('group_inspector')
        return self._get_wizard_action(
            'sale.return.inspect', self.env._("Inspect"), dialog_size='extra-large'
        )

    def action_open_overrule(self):
        """Open the dialog that asks why the returns are approved against the rules."""
        self._ensure_group('group_approver')
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Approve"), default_action='approve'
        )

    def action_open_keep(self):
        """Open the dialog that lets the customer keep goods that have not come."""
        self._ensure_group('group_inspector')
        # Crediting goods nobody has seen is a decision.
        self._ensure_group('group_approver')
        self._ensure_state(
            ('approved',),
            self.env._("The goods of return %(returns)s cannot be kept by the customer."),
        )
        return self._get_wizard_action(
            'sale.return.inspect', self.env._("Customer Keeps the Goods"), sale_return_keep=True
        )

    def action_open_refusal(self):
        """Open the dialog that asks why the returns are refused."""
        self._ensure_group('group_approver')
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Refuse"), default_action='refuse'
        )

    def action_open_close(self):
        """Close the returns, after asking for the reason if that writes something off."""
        self._ensure_group('group_user')
        if not any(line._get_qty_missing() for line in self.line_ids):
            return self.action_close()
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Write off the Rest"), default_action='close'
        )

    def _get_wizard_action(self, model, name, **context):
        return {
            'type': 'ir.actions.act_window',
            'name': name,
            'res_model': model,
            'view_mode': 'form',
            'target': 'new',
            # Not `default_return_ids`: transfers have a field of that name, too.
            'context': {'active_model': self._name, 'active_ids': self.ids, **context},
        }

    # === MANY AT ONCE === #

    def _get_bulk_action(self, method, name, **kwargs):
        """Return the dialog that runs a step batch by batch and shows its progress.

        :param str method: name of a public method of `sale.return`, which checks the rights.
        :param str name: title of the dialog.
        :param kwargs: arguments of the method. It may return `{'failed': [{'name', 'reason'}]}`.
        :return: a client action.
        :rtype: dict
        """
        return {
            'type': 'ir.actions.client',
            'tag': 'sale_return.bulk_progress',
            'name': name,
            'target': 'new',
            'params': {
                'method': method,
                'kwargs': kwargs,
                'ids': self.ids,
                'names': {sale_return.id: sale_return.name for sale_return in self},
            },
        }

    def action_bulk_submit(self):
        """Submit the selected returns with progress."""
        return self._get_bulk_action('action_submit', self.env._("Submit"))

    def action_bulk_approve(self):
        """Approve the selected returns with progress."""
        return self._get_bulk_action('action_approve', self.env._("Approve"))

    def action_bulk_credit(self):
        """Create the credit notes of the selected returns with progress."""
        return self._get_bulk_action(
            'action_create_credit_notes', self.env._("Create Credit Notes")
        )
