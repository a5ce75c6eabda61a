from odoo import api, models
from odoo.fields import Domain


class SaleReturn(models.Model):
    """What a customer sees of his returns and may do with them."""

    _inherit = 'sale.return'

    # === ACCESS === #

    @api.model
    def _get_portal_domain(self, partner):
        """Return the returns that a customer may see: those of his company, once submitted.

        What we prepare and never submitted is not his. The record rule for portal users says the
        same.

        :param partner: `res.partner`, somebody of the customer.
        :rtype: odoo.fields.Domain
        """
        mine = Domain('partner_id', 'child_of', partner.commercial_partner_id.ids)
        return mine & (Domain('state', '!=', 'draft') | Domain('submission_count', '>', 0))

    def _is_customer(self, user):
        """Tell whether a user is somebody of the customer, a colleague included."""
        self.ensure_one()
        mine = self.sudo().partner_id.commercial_partner_id
        return bool(mine) and user.sudo().partner_id.commercial_partner_id == mine

    def _get_report_base_filename(self):
        """Return the name of the slip as a file, without its ending."""
        self.ensure_one()
        return self.env._("Return slip %(number)s", number=self.name)

    def _get_allowed_message_params(self):
        """Override of `mail`: nobody rates in passing, with a message; see `_portal_rate`."""
        return super()._get_allowed_message_params() - {'rating_value'}

    # === WHAT HE MAY DO === #

    def _is_dispatch_open(self):
        """Tell whether the customer may say that he has sent the goods, or correct what he said."""
        self.ensure_one()
        lines = self.line_ids
        return (
            self.state == 'approved'
            and any(line._get_qty_missing() for line in lines)
            and not any(line.qty_received for line in lines)
        )

    def _is_cancellation_open(self):
        """Tell whether the customer may drop the return: nothing was sent, nothing has come."""
        self.ensure_one()
        return (
            self.state in ('submitted', 'approved')
            and not self.date_dispatched
            and not any(line._has_effects() for line in self.line_ids)
            and not self._has_open_discrepancy()
        )

    def _is_rating_open(self):
        """Tell whether the customer may rate: once, when all is over."""
        self.ensure_one()
        return self.state in ('closed', 'refused') and not self._get_rating()

    def _get_rating(self):
        """Return the rating that the customer has given, if any."""
        self.ensure_one()
        # sudo: whoever may see the return may see what its customer said about it.
        return self.sudo().rating_ids.filtered('consumed')[:1]

    # === WHERE IT STANDS === #

    def _get_portal_status(self):
        """Return where the return stands, in the customer's words.

        :return: `(label, Bootstrap color)`.
        :rtype: tuple
        """
        self.ensure_one()
        if self.state == 'approved':
            return self._get_portal_progress()
        return {
            'draft': (self.env._("In preparation"), 'secondary'),
            'submitted': (self.env._("Waiting for our decision"), 'warning'),
            'closed': (self.env._("Done"), 'success'),
            'refused': (self.env._("Refused"), 'danger'),
            'cancelled': (self.env._("Cancelled"), 'secondary'),
        }[self.state]

    def _get_portal_progress(self):
        if any(line.qty_received for line in self.line_ids):
            if self.has_to_inspect:
                return self.env._("Being inspected"), 'info'
            if self.credit_state == 'full':
                return self.env._("Credited"), 'success'
            return self.env._("Received"), 'info'
        if self.reception_state == 'no':
            return self.env._("Approved"), 'info'
        if self.date_dispatched:
            return self.env._("On its way to us"), 'info'
        return self.env._("Approved: please send"), 'primary'

    def _get_portal_next_step(self):
        """Return who has to act next, in the customer's words.

        :return: `{'actor': 'customer' | 'company' | False, 'text', 'due': moment or False}`.
        :rtype: dict
        """
        self.ensure_one()
        step = self._get_next_step()[self]
        texts = self._get_portal_step_texts()
        if self.state == 'refused' and self.appeal_state == 'open':
            text = self.env._("We look at your appeal. Somebody else than before decides on it.")
            return {'actor': 'company', 'text': text, 'due': False}
        if self.waiting_since and step['actor'] == 'customer':
            text = self.env._("We wait for your answer: %(question)s", question=self.waiting_reason)
            return {'actor': 'customer', 'text': text, 'due': False}
        return {
            'actor': step['actor'] if step['step'] in texts else False,
            'text': texts.get(step['step']) or self.env._("Nothing is left to do."),
            'due': step['step'] in texts and step['due'],
        }

    @api.model
    def _get_portal_step_texts(self):
        """Return what each step is called towards customers. Override to add steps."""
        return {
            'decide': self.env._("We look at your request and decide on it."),
            'dispatch': self.env._("Please send the goods to us, and tell us the tracking number."),
            'receive': self.env._("The goods are on their way to us."),
            'inspect': self.env._("We look at the goods that you have sent."),
            'credit': self.env._("We make your credit note."),
            'refund': self.env._("We pay the money back to you."),
        }

    # === WHERE TO SEND === #

    def _get_return_freight_payer(self):
        """Say who pays the carrier of the way back. Override where more is known about it.

        Where the policy names a return freight we pay the carrier; what the customer owes of it is
        `freight_charge`. Otherwise the law decides, then whose fault it is.

        :return: `customer` or `company`.
        :rtype: str
        """
        self.ensure_one()
        lines = self.line_ids.filtered('return_expected')
        if any(lines.policy_id.mapped('return_freight')):
            return 'company'
        for line in lines:
            by_law = line.policy_id._get_regime().return_shipping
            if by_law == 'company':
                return 'company'
            if line.reason_id.default_liability != 'customer':
                return 'company'
        return 'customer'
