import re
import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import NO_ACCESS, Domain

from ...const import OPEN_STATES
from ...tools.context import get_flag

# Fields of returns that customers may read. Everything else is internal: who decides and why,
# failures, costs. New fields stay hidden until they are listed here.
PORTAL_FIELDS = frozenset(
    {
        'id',
        'display_name',
        'create_date',
        'write_date',
        'name',
        'state',
        'partner_id',
        'commercial_partner_id',
        'company_id',
        'currency_id',
        'carrier_name',
        'tracking_ref',
        'date_dispatched',
        'date_send_until',
        'line_ids',
        'sale_order_ids',
        'reception_state',
        'inspection_state',
        'credit_state',
        'refund_state',
        'amount_to_credit',
        'amount_credited',
        'amount_refunded',
        'access_url',
        'access_warning',
    }
)

# Nobody may read or choose the key to the customer's page, nor change its expiry.
SECRET_FIELDS = {
    'read': ('access_token', 'access_token_value'),
    'write': ('access_token', 'access_token_value', 'access_token_expiry'),
}

# Characters that carriers print below a barcode.
TRACKING_REF = re.compile(r'[A-Za-z0-9](?:[A-Za-z0-9 ._/#:+-]{1,62})[A-Za-z0-9]')
MAX_CARRIER = 64
MAX_COMMENT = 2000
# Unhappy, neutral, happy: what Odoo's own rating page offers.
RATINGS = (1, 3, 5)

# Days for which an unsent request is kept.
DRAFT_DAYS = 2


class SaleReturn(models.Model):
    """What customers see of their returns and do with them."""

    _inherit = 'sale.return'

    # What customers see of their returns, and the links that open them.
    access_token_expiry = fields.Datetime(
        string="Link works until",
        copy=False,
        groups='sale_return.group_user',
        help="Links to the return in messages to the customer open it until then.",
    )

    # The link to a return: invalid for all routes of Odoo once it has expired.
    access_token = fields.Char(
        compute='_compute_access_token', inverse='_inverse_access_token', compute_sudo=True
    )
    access_token_value = fields.Char(copy=False, groups=NO_ACCESS)

    # Returns that customers requested on their pages.
    portal_kind = fields.Selection(
        [('request', "Request"), ('withdrawal', "Withdrawal from the contract")],
        string="Requested by the Customer",
        readonly=True,
        copy=False,
        index='btree_not_null',
        help="The customer requested it on their own pages.",
    )

    # === COMPUTE METHODS === #

    @api.depends('access_token_value', 'access_token_expiry')
    def _compute_access_token(self):
        now = fields.Datetime.now()
        for sale_return in self:
            expiry = sale_return.access_token_expiry
            alive = bool(expiry) and expiry > now
            sale_return.access_token = alive and sale_return.access_token_value

    def _inverse_access_token(self):
        for sale_return in self:
            # sudo: nobody may read or write the token; `_portal_ensure_token` creates it.
            sale_return.sudo().access_token_value = sale_return.access_token

    # === CONSTRAINT METHODS === #

    @api.model
    def _check_tracking_ref(self, text):
        """Return the tracking number of a parcel without surrounding blanks.

        :raise UserError: when it is missing, or has characters that no carrier uses.
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
                    "Please enter the name of the carrier in up to %(limit)s characters.",
                    limit=MAX_CARRIER,
                )
            )
        return text

    @api.model
    def _check_comment(self, text):
        text = (text or '').replace('\x00', '').strip()
        if len(text) > MAX_COMMENT:
            raise UserError(self.env._("Please use up to %(limit)s characters.", limit=MAX_COMMENT))
        return text

    # === CRUD METHODS === #

    # === ACCESS === #

    # What a customer sees of their returns and may do with them.

    @api.model
    def _get_portal_domain(self, partner):
        """Return the returns that a customer may see: those of their company, once submitted.

        Drafts of our users are not shown. The record rule for portal users is the same.

        :param partner: `res.partner`, a contact of the customer.
        :rtype: odoo.fields.Domain
        """
        mine = Domain('partner_id', 'child_of', partner.commercial_partner_id.ids)
        return mine & (Domain('state', '!=', 'draft') | Domain('submission_count', '>', 0))

    def _get_report_base_filename(self):
        """Return the file name of the slip, without extension."""
        self.ensure_one()
        return self.env._("Return slip %(number)s", number=self.name)

    def _get_allowed_message_params(self):
        """Override of `mail`: messages cannot include a rating; see `_portal_rate`."""
        return super()._get_allowed_message_params() - {'rating_value'}

    # === WHAT CUSTOMERS MAY DO === #

    def _is_dispatch_open(self):
        """Tell whether the customer may report the dispatch of the goods, or correct the report."""
        self.ensure_one()
        lines = self.line_ids
        return (
            self.state == 'approved'
            and any(line._get_qty_missing() for line in lines)
            and not any(line.qty_received for line in lines)
        )

    def _is_cancellation_open(self):
        """Tell whether the customer may cancel the return: nothing was sent or received."""
        self.ensure_one()
        return (
            self.state in ('submitted', 'approved')
            and not self.date_dispatched
            and not any(line._has_effects() for line in self.line_ids)
            and not self._has_open_discrepancy()
        )

    def _is_rating_open(self):
        """Tell whether the customer may rate: once, when the return is finished."""
        self.ensure_one()
        return self.state in ('closed', 'refused') and not self._get_rating()

    def _get_rating(self):
        """Return the rating that the customer has given, if any."""
        self.ensure_one()
        # sudo: users who may see the return may see its rating.
        return self.sudo().rating_ids.filtered('consumed')[:1]

    # === WHERE IT STANDS === #

    def _get_portal_status(self):
        """Return the status of the return, in words for the customer.

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
                return self.env._("Credit note issued"), 'success'
            return self.env._("Received"), 'info'
        if self.reception_state == 'no':
            return self.env._("Approved"), 'info'
        if self.date_dispatched:
            return self.env._("On its way to us"), 'info'
        return self.env._("Approved: please send"), 'primary'

    def _get_portal_next_step(self):
        """Return who has to act next, in words for the customer.

        :return: `{'actor': 'customer' | 'company' | False, 'text', 'due': moment or False}`.
        :rtype: dict
        """
        self.ensure_one()
        step = self._get_next_step()[self]
        texts = self._get_portal_step_texts()
        if self.state == 'refused' and self.appeal_state == 'open':
            text = self.env._("We are reviewing your appeal. Somebody else will decide this time.")
            return {'actor': 'company', 'text': text, 'due': False}
        if self.waiting_since and step['actor'] == 'customer':
            text = self.env._(
                "We are waiting for your answer: %(question)s", question=self.waiting_reason
            )
            return {'actor': 'customer', 'text': text, 'due': False}
        return {
            'actor': step['actor'] if step['step'] in texts else False,
            'text': texts.get(step['step']) or self.env._("Nothing left to do."),
            'due': step['step'] in texts and step['due'],
        }

    @api.model
    def _get_portal_step_texts(self):
        """Return the names of the steps for customers. Override to add steps."""
        return {
            'decide': self.env._("We are reviewing your request."),
            'dispatch': self.env._("Please send the goods to us, and tell us the tracking number."),
            'receive': self.env._("The goods are on their way to us."),
            'inspect': self.env._("We are inspecting the goods you sent."),
            'credit': self.env._("We are preparing your credit note."),
            'refund': self.env._("We are paying the money back to you."),
        }

    # === WHAT CUSTOMERS READ === #

    @api.model
    def _has_field_access(self, field, operation):
        """Override of `base`: customers can only read the fields of their pages, also by RPC."""
        if not self.env.su and self.env.user.share and field.name not in PORTAL_FIELDS:
            return False
        if not self.env.su and field.name in SECRET_FIELDS.get(operation, ()):
            return False
        return super()._has_field_access(field, operation)

    def _is_portal_link_alive(self):
        """Tell whether links to the return are still valid.

        :rtype: bool
        """
        # sudo: nobody may read the token, but its existence is no secret.
        sale_return = self.sudo()
        return bool(
            len(sale_return) == 1
            and sale_return.access_token
            and sale_return.access_token_expiry
            and sale_return.access_token_expiry > fields.Datetime.now()
        )

    def _portal_ensure_token(self):
        """Override of `portal`: a link works for some days after the last one was sent.

        After it has expired the next link has a new token, and the old ones stay invalid.
        """
        self.ensure_one()
        # sudo: nobody may read the token; users who create a link may see the return.
        sale_return = self.sudo()
        now = fields.Datetime.now()
        until = now + timedelta(days=sale_return.company_id.sale_return_link_days)
        if not sale_return._is_portal_link_alive():
            sale_return.write({'access_token': str(uuid.uuid4()), 'access_token_expiry': until})
        elif sale_return.access_token_expiry < until - timedelta(days=1) and not (
            get_flag(self.env, 'sale_return_link_followed')
        ):
            # Once a day is enough, as pages create links, too.
            sale_return.write({'access_token_expiry': until})
        return sale_return.access_token

    # === WHAT CUSTOMERS DO === #

    # Actions of customers on the page of their return.  Called in superuser mode by routes that
    # have checked the customer or their link; `env.user` stays the visitor. Impossible actions are
    # refused with a message for them.

    def _portal_dispatch(self, tracking_ref, carrier_name):
        """Record the customer's report about their parcel; it can be corrected until confirmed.

        Their report never releases a credit, see `action_register_dispatch`.

        :param str tracking_ref: number of the parcel, required.
        :param str carrier_name: who carries it.
        :raise UserError: when nothing is left to send, it is already confirmed, or the
            number is invalid.
        """
        self.ensure_one()
        if not self._is_dispatch_open():
            raise UserError(
                self.env._(
                    "Nothing has to be sent for return %(number)s any more, so its parcel "
                    "cannot be changed.",
                    number=self.name,
                )
            )
        tracking_ref = self._check_tracking_ref(tracking_ref)
        carrier_name = self._check_carrier_name(carrier_name)
        self._register_dispatch(tracking_ref, carrier_name, claimed=True)

    def _portal_cancel(self):
        """Cancel the return for its customer; calling it again changes nothing.

        :raise UserError: when something was already sent or has come.
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
        """Create the appeal of the customer.

        :param str comment: what they say, required.
        :param partner: `res.partner` who appeals.
        :raise UserError: without a comment, or when no appeal is possible.
        """
        self.ensure_one()
        comment = self._check_comment(comment)
        if not comment:
            raise UserError(self.env._("Please tell us why you do not agree."))
        self._appeal(comment, partner)

    def _portal_rate(self, rate, feedback, partner):
        """Store the customer's rating of how we handled the return, once.

        :param rate: one of `RATINGS`, as text or number.
        :param str feedback: what they add.
        :param partner: `res.partner` who rates.
        :raise UserError: when they have already rated, or it is too early.
        """
        self.ensure_one()
        feedback = self._check_comment(feedback)
        if str(rate) not in map(str, RATINGS):
            raise UserError(self.env._("Please choose one of the three faces."))
        if not self._is_rating_open():
            raise UserError(
                self.env._(
                    "Return %(number)s cannot be rated: it is not finished, or was already rated.",
                    number=self.name,
                )
            )
        token = self._rating_get_access_token(partner)
        self.rating_apply(int(rate), token=token, feedback=feedback)

    # === LINKS === #

    # Pages, messages, mails and downloads each compare tokens themselves, so the token is removed:
    # after its expiry the return has none, and nothing matches it.

    def get_portal_url(self, *args, **kwargs):
        """Override of `portal`: remote clients only get links to records they may read.

        Anybody with the link can open the page, so copying it is logged.
        """
        self.check_access('read')
        self._log_link()
        return super().get_portal_url(*args, **kwargs)

    def _get_share_url(self, redirect=False, signup_partner=False, pid=None, share_token=True):
        """Override of `portal` to log who copied a link for sharing."""
        if share_token:
            self.check_access('read')
            self._log_link()
        # sudo: Odoo checks whether there is a token, which nobody may read.
        return super(SaleReturn, self.sudo())._get_share_url(
            redirect=redirect, signup_partner=signup_partner, pid=pid, share_token=share_token
        )

    def _log_link(self):
        """Log that one of our users copied the link of a customer, once per request."""
        user = self.env.user
        if self.env.su or user.share:
            return
        # sudo: users who may read the return may log their actions.
        events = self.env['sale.return.event'].sudo()
        now = self.env.cr.now()
        for sale_return in self:
            # One by one: a link is copied for one return.
            known = [
                ('return_id', '=', sale_return.id),
                ('kind', '=', 'link_copied'),
                ('user_id', '=', user.id),
                ('date', '=', now),
            ]
            if not events.search_count(known, limit=1):
                events._log([{'return_id': sale_return.id, 'kind': 'link_copied'}])

    def _sign_token(self, pid):
        """Override of `portal`: without a valid link nothing is signed.

        Otherwise all returns whose link has expired would have the same signature.
        """
        self.ensure_one()
        # sudo: posting a message includes the link of the return, whose token users cannot read.
        sale_return = self.sudo()
        return super(SaleReturn, sale_return)._sign_token(pid) if sale_return.access_token else ''

    @api.model
    def _get_thread_with_access(self, thread_id, *, hash=None, pid=None, token=None, **kwargs):
        """Override of `portal`: logged-in customers who use a link may have it checked."""
        thread = super()._get_thread_with_access(
            thread_id, hash=hash, pid=pid, token=token, **kwargs
        )
        if (hash or token) and self.env.user.share:
            # sudo: the token, which users cannot read, is only compared.
            return thread.sudo()
        return thread

    def _get_access_action(self, access_uid=None, force_website=False):
        """Override of `portal`: following a link does not extend it."""
        followed = self.with_context(sale_return_link_followed=True)
        return super(SaleReturn, followed)._get_access_action(
            access_uid=access_uid, force_website=force_website
        )

    # === REQUESTS === #

    def _is_received_message_due(self):
        """Leave withdrawals out: they are acknowledged at once, word for word."""
        return self.portal_kind != 'withdrawal' and self.state not in ('draft', 'cancelled')

    @api.model
    def _count_open_requests(self, customer, company):
        """Count the returns under way that a customer asked for themselves.

        :param customer: commercial partner.
        :rtype: int
        """
        # sudo: all their requests count, no matter who asks.
        return self.sudo().search_count(
            [
                ('portal_kind', '=', 'request'),
                ('state', 'in', OPEN_STATES),
                ('company_id', '=', company.id),
                ('partner_id', 'child_of', customer.ids),
            ]
        )

    def _ensure_changeable(self, names):
        """Extend to leave to customers what they have not sent yet."""
        result = super()._ensure_changeable(names)
        self._ensure_sent()
        return result

    def _ensure_sent(self):
        """Refuse to change requests that customers have not sent yet: sent, they are their word.

        They are submitted by the customer, so nobody would be asked whether the change is allowed.

        :raise UserError: naming the returns and what to do.
        """
        if self.env.su:
            return
        unsent = self.filtered(
            lambda r: r.portal_kind and r.state == 'draft' and not r.submission_count
        )
        if unsent:
            raise UserError(
                self.env._(
                    "Return %(returns)s is a request that the customer has not sent yet, and only "
                    "they change it. Create a return from the order instead.",
                    returns=", ".join(unsent.mapped('name')),
                )
            )

    @api.autovacuum
    def _gc_portal_drafts(self):
        """Delete unsent requests, with their photos."""
        drafts = self.sudo().search(
            [
                ('portal_kind', '!=', False),
                ('state', '=', 'draft'),
                ('submission_count', '=', 0),
                ('write_date', '<', fields.Datetime.now() - timedelta(days=DRAFT_DAYS)),
            ],
            limit=500,
        )
        drafts.filtered(lambda r: not r.event_ids).unlink()

    # === DAYS === #

    def _format_portal_day(self, moment):
        """Return the day of a time in the time zone of the company.

        :param moment: naive, in UTC; a date stays as it is.
        :rtype: datetime.date | bool
        """
        self.ensure_one()
        if not moment or not hasattr(moment, 'hour'):
            return moment
        return self.company_id._get_sale_return_day(moment)
