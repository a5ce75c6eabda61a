from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, formataddr
from odoo.tools.misc import formatLang

from ...const import CUSTOMER_STEPS, WITHHELD_KINDS
from ...tools.context import get_flag, get_own
from ...tools.reader import reads, text

# A mail has to stay small enough for every mail server.
MAX_PHOTOS = 5
MAX_PHOTO_SIZE = 8 * 1024 * 1024

FOLLOW_UP_RESULTS = [
    ('kept', "Customer kept"),
    ('lost', "Customer lost"),
    ('sold_again', "Sold again"),
]

# Written on closing, by the scheduled job and by `action_follow_up`.


class SaleReturn(models.Model):
    """What customers are told about a return, and who follows up with them."""

    _inherit = 'sale.return'

    # Messages to customers about the progress of their returns: what, when, and to whom.
    customer_message_ids = fields.One2many(
        'sale.return.message', 'return_id', string="Messages to the Customer", readonly=True
    )
    customer_message_count = fields.Integer(
        compute='_compute_customer_message_count', compute_sudo=True
    )
    customer_message_error = fields.Boolean(
        compute='_compute_customer_message_count',
        compute_sudo=True,
        help="A message could not be sent, or did not reach the customer.",
    )

    # The last step of a return: somebody follows up with the customer.
    follow_up_on = fields.Date(
        readonly=True,
        copy=False,
        help="Day on which the salesperson is asked to call the customer. Empty: never.",
    )
    follow_up_user_id = fields.Many2one(
        'res.users',
        string="Followed up by",
        readonly=True,
        copy=False,
        index='btree_not_null',
        help="Who was asked to call the customer.",
    )
    follow_up_result = fields.Selection(
        FOLLOW_UP_RESULTS,
        string="Result of the Follow-up",
        readonly=True,
        copy=False,
        help="Sold again: the customer has bought from us since.",
    )
    follow_up_note = fields.Text(readonly=True, copy=False)
    followed_up_by_id = fields.Many2one('res.users', string="Result by", readonly=True, copy=False)
    date_followed_up = fields.Datetime(string="Followed up on", readonly=True, copy=False)
    slip_mail_queued = fields.Boolean(
        compute='_compute_slip_mail',
        compute_sudo=True,
        help="Waits for the scheduled job that sends messages.",
    )
    slip_mail_error = fields.Text(
        compute='_compute_slip_mail',
        compute_sudo=True,
        help="Why the return slip could not be mailed.",
    )

    _follow_up_due_index = models.Index(
        '(follow_up_on) WHERE follow_up_on IS NOT NULL AND follow_up_user_id IS NULL'
    )

    # === COMPUTE METHODS === #

    def _compute_customer_message_count(self):
        for sale_return in self:
            messages = sale_return.customer_message_ids
            sale_return.customer_message_count = len(messages)
            sale_return.customer_message_error = any(
                m.state in ('failed', 'unreachable') or (m.state == 'waiting' and m.error)
                for m in messages
            )

    @api.depends('customer_message_ids.state', 'customer_message_ids.error')
    def _compute_slip_mail(self):
        for sale_return in self:
            slips = sale_return.customer_message_ids.filtered(
                lambda m: m.kind_id.code == 'approved' and m.state in ('waiting', 'failed')
            )
            sale_return.slip_mail_queued = bool(slips)
            sale_return.slip_mail_error = slips[:1].error

    # === CRUD METHODS === #

    # === ACTION METHODS === #

    def action_view_customer_messages(self):
        """Show the messages that the customer has got, or will get."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_message_action'
        )
        return {**action, 'domain': [('return_id', '=', self.id)], 'context': {}}

    # === TELL === #

    def _tell(self, code, key=None):
        """Queue a message to the customers of returns, once; the scheduled job sends it.

        :param str code: event of a `sale.return.message.kind`, e.g. `delayed`.
        :param str key: identifies the message: the same key is not told twice. By default the code:
            once per return.
        """
        self.env['sale.return.message']._queue([(r, code, key or code) for r in self])

    def _get_approval_message(self):
        """Return the code of the message about an approval, None for none."""
        self.ensure_one()
        for code in ('approved', 'approved_keep'):
            if self._is_message_due(code):
                return code
        return None  # the goods are here already

    def _is_message_due(self, code):
        """Tell whether a message is (still) true. Override to leave customers out.

        Asked when the message is about to be sent.

        :param str code: event of a `sale.return.message.kind`.
        :rtype: bool
        """
        self.ensure_one()
        check = getattr(self, f'_is_{code}_message_due', None)
        return check() if check else self.state not in ('draft', 'cancelled')

    def _is_approved_message_due(self):
        return self._is_slip_mail_due()

    def _is_approved_keep_message_due(self):
        return self.state == 'approved' and not any(self.line_ids.mapped('return_expected'))

    def _is_refused_message_due(self):
        return self.state == 'refused'

    def _is_credited_message_due(self):
        return any(note.state == 'posted' for note in self.credit_note_ids)

    def _is_delayed_message_due(self):
        return self.state in ('submitted', 'approved')

    def _is_reminder_message_due(self):
        return bool(self.filtered_domain(self._get_unsent_domain())) and not self._is_expired()

    def _is_expired_message_due(self):
        return self.state == 'closed'

    def _is_lapsed_message_due(self):
        return self.state == 'cancelled'

    def _is_appeal_decided_message_due(self):
        return bool(self.appeal_ids) and self.appeal_state != 'open'

    def _is_closed_message_due(self):
        # The content was sent with another message.
        done = self.inspection_state in ('partial', 'full') or self.credit_state in (
            'partial',
            'full',
        )
        return self.state == 'closed' and done

    def _is_waiting_for_us(self):
        """Tell whether the next step of a return is ours, so that we cause the delay."""
        self.ensure_one()
        return self._is_message_due('delayed') and bool(
            set(self._get_open_steps()) - set(CUSTOMER_STEPS)
        )

    def _is_from_sources(self, source_ids):
        """Tell whether the orders of a return came through one of these channels."""
        self.ensure_one()
        # sudo: users who cause the message need not read orders.
        return bool(set(self.sudo().line_ids.order_id.source_id.ids) & set(source_ids))

    # === SEND === #

    def _post_customer_mail(self, template):
        """Post a mail to the customer in their language; sent on commit.

        :param template: `mail.template`
        :return: the message.
        :rtype: mail.message
        """
        self.ensure_one()
        return self.with_company(self.company_id).message_post_with_source(
            template,
            subtype_xmlid='mail.mt_comment',
            email_layout_xmlid='mail.mail_notification_light',
            # Signed by the shop, not by the user who did the step.
            email_add_signature=False,
        )

    def _send_customer_sms(self, kind):
        """Send the text message of a kind, where text messages are installed.

        :param kind: `sale.return.message.kind`
        :return: whether there was a text message to send.
        :rtype: bool
        """
        self.ensure_one()
        partner = self.partner_id
        if 'sms.sms' not in self.env or not partner.phone:
            return False
        local = self.with_context(lang=partner.lang)
        text = kind.with_context(lang=partner.lang).sms_text.format_map(local._get_sms_values())
        # Queued, as a text message that was sent cannot be taken back.
        self._message_sms(text, partner_ids=partner.ids, put_in_queue=True)
        return True

    # === WHAT MAILS SAY === #

    # Content of the mails to customers about a return, without internal data.  Called by mail
    # templates, in the language of the customer. They return no costs, no internal notes and no
    # names of other people.

    def _get_shop_name(self):
        """Return the name in signatures: website of the order or company. Override for brands."""
        self.ensure_one()
        # sudo: the names of the shop are on every mail.
        order = self.sudo().line_ids.order_id[:1]
        website = 'website_id' in order._fields and order.website_id.name
        return website or self.company_id.sudo().name

    def _get_shop_sender(self):
        """Return the sender of mails, `"Shop" <address>`; False where the company has no address.

        :rtype: str | bool
        """
        self.ensure_one()
        # sudo: see `_get_shop_name`.
        address = self.company_id.sudo().partner_id.email_normalized
        return bool(address) and formataddr((self._get_shop_name(), address))

    def _get_told(self):
        """Return the events reported by the current mail; outside of sending, all reported ones.

        :return: codes of `sale.return.message.kind`.
        :rtype: list
        """
        self.ensure_one()
        told = get_own(self.env, 'sale_return_told')
        if told is not None:
            codes = told.value
        else:
            messages = self.sudo().customer_message_ids  # sudo: customers know this already
            codes = messages.filtered(lambda m: m.state != 'skipped').kind_id.mapped('code')
        return list(codes)

    def _get_news_subject(self):
        """Return the subject of a mail about several events: the latest state wins."""
        self.ensure_one()
        values = {'number': self.name}
        subjects = {
            'closed': self.env._("Your return %(number)s is completed", **values),
            'refunded': self.env._("Your return %(number)s is paid back", **values),
            'credited': self.env._("Your return %(number)s is credited", **values),
            'inspected': self.env._(
                "We have inspected the goods of your return %(number)s", **values
            ),
            'arrived': self.env._("The goods of your return %(number)s have arrived", **values),
            'approved_keep': self.env._("Your return %(number)s is approved", **values),
        }
        told = self._get_told()
        news = self.env._("Update on your return %(number)s", **values)
        return next((text for code, text in subjects.items() if code in told), news)

    def _get_money_sentences(self):
        """Return what the customer gets: how much, how and by when, in words for them.

        :rtype: list
        """
        # sudo: the mail says no more than the customer may know.
        service = self.env['sale.return.message.money'].sudo()
        if not self._shows_amounts():
            return service._tell_gift(self.sudo())
        return service._get_sentences(self.sudo())

    def _get_rating_url(self, rate):
        """Return the address that rates how the return was handled.

        :param int rate: 1, 3 or 5.
        """
        self.ensure_one()
        if get_flag(self.env, 'sale_return_preview'):
            return '#'  # anybody with the link can rate
        return f'/rate/{self._rating_get_access_token()}/{rate}'

    def _get_customer_url(self):
        """Return the address of the page on which the customer follows the return."""
        self.ensure_one()
        if get_flag(self.env, 'sale_return_preview'):
            return '#'  # only the customer may have the link
        # sudo: it goes to the customer; copying a link by our users is logged, see there.
        return self.get_base_url() + self.sudo().get_portal_url()

    def _get_sms_values(self):
        """Return the values of the placeholders in text messages.

        :rtype: dict
        """
        self.ensure_one()
        return {
            'number': self.name,
            'customer': self.partner_id.name or '',
            # sudo: the name of the company is on every mail.
            'company': self.company_id.sudo().name,
            'send_until': format_date(self.env, self.date_send_until),
            'amount': formatLang(self.env, self.amount_credited, currency_obj=self.currency_id),
            'link': self._get_customer_url(),
        }

    # === APPROVED === #

    def _get_goods_to_send(self):
        """Return what the customer is to send: dicts of `product` and `quantity` (with unit)."""
        self.ensure_one()
        result = []
        for line in self.line_ids.filtered('return_expected'):
            quantity, uom = line._get_readable(line.qty_authorized)
            if quantity:
                product = line.product_id.with_context(lang=self.env.lang).display_name
                result.append({'product': product, 'quantity': uom._say(quantity)})
        return result

    def _get_slip_address_text(self):
        """Return the address to send to, one line each.

        :rtype: list
        """
        self.ensure_one()
        # sudo: users who send the mail need not see warehouses.
        partner = self._get_slip_address().sudo()
        address = partner._display_address(without_company=True)
        lines = [partner.commercial_company_name or partner.name, *address.split("\n")]
        return [line.strip() for line in lines if line and line.strip()]

    # === REFUSED === #

    def _get_refused_lines(self):
        """Return what is not, or not fully, approved.

        :return: list of dicts: `product`, `reason` (in words for the customer).
        :rtype: list
        """
        self.ensure_one()
        return [
            {'product': line.product_id.display_name, 'reason': line.decision_reason or ''}
            for line in self.line_ids
            if line.decision in ('refused', 'reduced')
        ]

    def _get_refusal_text(self):
        """Return in words for the customer why the return is refused."""
        self.ensure_one()
        # sudo: the reason of a refusal is written for the customer.
        return self.sudo()._get_refusal().comment or ''

    # === INSPECTED === #

    def _get_inspection_results(self):
        """Return the inspection results, summed up by product and result.

        :return: list of dicts: `product`, `quantity` (text with unit), `accepted` (bool), `grade`
            (name or ''), `percent` (of the price withheld for the condition, 0–100).
        :rtype: list
        """
        self.ensure_one()
        sums = {}
        # sudo: the mail says no more than the customer may know.
        for row in self.sudo().inspection_ids.sorted('id'):
            quantity = row.qty_valid
            if row.line_id._get_measure().is_zero(quantity):
                continue
            if row.component_id:
                quantity *= row.component_qty / row.quantity  # of a kit: in its own unit
            accepts = row.disposition_id.accepts
            share = self._get_condition_share(row.line_id, row.grade_id) if accepts else 0.0
            # Conditions without a deduction do not matter to the customer.
            grade = row.grade_id if share else row.grade_id.browse()
            key = row.line_id, row.product_id, grade, accepts, share
            sums[key] = sums.get(key, 0.0) + quantity

        def in_words(line, product, quantity):
            uom = product.uom_id
            if product == line.product_id:
                quantity, uom = line._get_readable(quantity)
            return uom._say(quantity)

        return [
            {
                'product': product.with_context(lang=self.env.lang).display_name,
                'quantity': in_words(line, product, quantity),
                'accepted': accepts,
                'grade': grade.name or '',
                'percent': round(100 * share),
            }
            for (line, product, grade, accepts, share), quantity in sums.items()
        ]

    def _get_condition_share(self, line, grade):
        """Return the share of the price withheld for the condition found, 0–1."""
        if not grade or not line.policy_id._is_deduction_allowed('grade'):
            return 0.0
        return 1 - grade.credit_ratio

    def _get_inspection_photos(self):
        """Return the photos that show why something is withheld or refused.

        :rtype: ir.attachment
        """
        self.ensure_one()
        # sudo: they are photos of the customer's goods.
        rows = self.sudo().inspection_ids.filtered(
            lambda row: (
                row.qty_valid > 0
                and (
                    not row.disposition_id.accepts
                    or self._get_condition_share(row.line_id, row.grade_id)
                )
            )
        )
        photos, size = self.env['ir.attachment'].sudo(), 0
        for attachment in rows.attachment_ids.filtered(
            lambda a: (a.mimetype or '').startswith('image/')
        ):
            size += attachment.file_size
            if len(photos) < MAX_PHOTOS and size <= MAX_PHOTO_SIZE:
                photos += attachment
        return photos

    def _process_attachments_for_template_post(self, mail_template):
        """Override of `mail` to attach the photos to the mail about the inspection."""
        result = super()._process_attachments_for_template_post(mail_template) or {}
        # sudo: it is no secret which mail is about the inspection.
        kinds = self.env['sale.return.message.kind'].sudo().with_context(active_test=False)
        if kinds.search_count(
            [('template_id', '=', mail_template.id), ('code', '=', 'inspected')], limit=1
        ):
            for sale_return in self:
                if 'inspected' not in sale_return._get_told():
                    continue
                mine = result.setdefault(sale_return.id, {})
                mine.setdefault('attachment_ids', []).extend(
                    sale_return._get_inspection_photos().ids
                )
        return result

    # === MONEY === #

    def _get_credits(self):
        """Return what was credited, by note.

        :return: list of dicts: `number`, `date` (text), `amount` (text, tax included), and
            `deductions`, dicts of `name` and `amount` (text, tax included, negative).
        :rtype: list
        """
        self.ensure_one()
        if not self._shows_amounts():
            return []
        # sudo: users who send the mail need not read credit notes.
        lines = self.sudo().line_ids.credit_line_ids.filtered(
            lambda line: line.parent_state == 'posted'
        )
        result = []
        for note, mine in lines.grouped('move_id').items():
            if note._is_reversed_credit():
                continue
            kept = mine.filtered(lambda line: line.sale_return_kind in WITHHELD_KINDS)
            result.append(
                {
                    'number': note.name,
                    'date': format_date(self.env, note.invoice_date or note.date),
                    'amount': self._format_money(sum(mine.mapped('price_total')), note),
                    'deductions': [
                        {'name': line.name, 'amount': self._format_money(line.price_total, note)}
                        for line in kept
                    ],
                }
            )
        return result

    def _format_money(self, amount, note):
        return formatLang(self.env, amount, currency_obj=note.currency_id)

    # === TIME === #

    def _get_legal_text(self):
        """Return the latest date of the next step for the customer, '' if unknown."""
        self.ensure_one()
        # sudo: the legal clocks do not depend on who asks.
        due = self.sudo()._get_next_step()[self]['due']
        return format_date(self.env, self.company_id._get_sale_return_day(due)) if due else ''

    # === FOLLOW UP === #

    def _is_follow_up_open(self):
        """Override: the salesperson was asked and has not recorded a result."""
        self.ensure_one()
        return bool(self.follow_up_user_id and not self.follow_up_result)

    # === WHEN AND WHO === #

    def _plan_follow_up(self, state):
        """Hook of `_after_state`."""
        result = super()._plan_follow_up(state)
        if state == 'closed':
            for day, group in self.grouped(lambda r: r._get_follow_up_day()).items():
                group._write_facts({'follow_up_on': day})
        elif reopened := self.filtered('follow_up_on'):
            reopened._drop_follow_up()
        return result

    def _get_follow_up_day(self):
        """Return the day to follow up with the customer of a return closed now.

        :return: False where the policy gives no days, or nothing came and nothing was credited.
        :rtype: datetime.date | bool
        """
        self.ensure_one()
        days = max(self.line_ids.policy_id.mapped('follow_up_days'), default=0)
        if not days or not self._is_message_due('closed'):
            return False
        return self._get_today() + timedelta(days=days)

    def _drop_follow_up(self):
        """Cancel the follow-up of returns that are open again."""
        # sudo: users who reopen the return may not end the activities of others.
        self.filtered('follow_up_user_id').sudo().activity_unlink(
            ['sale_return.mail_activity_type_follow_up']
        )
        open_ones = self.filtered(lambda r: not r.follow_up_result)
        open_ones._write_facts({'follow_up_on': False, 'follow_up_user_id': False})

    def _get_follow_up_user(self):
        """Return who follows up: the salesperson, else the responsible user.

        :return: empty where both have left.
        :rtype: res.users
        """
        self.ensure_one()
        order = self.line_ids.order_id[:1]
        for user in (order.user_id, self.user_id, order.team_id.user_id):
            if user.active and not user.share and self.company_id in user.company_ids:
                return user
        return self.env['res.users']

    # === RESULT === #

    @reads(result=text, note=text)
    def action_follow_up(self, result, note=None):
        """Record the result of the follow-up of closed returns; their activities are done.

        :param str result: `kept` (they stay our customer), `lost`, or `sold_again` (they bought).
        :param str note: what they said.
        :return: True
        :raise AccessError: without a role in Returns.
        :raise UserError: when a return is not closed, or the result does not exist.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._ensure_state(('closed',), self.env._("Return %(returns)s cannot be followed up."))
        labels = dict(self._fields['follow_up_result']._description_selection(self.env))
        if result not in labels:
            raise UserError(
                self.env._(
                    "“%(result)s” is not a result of a follow-up. Choose one of %(results)s.",
                    result=result,
                    results=", ".join(dict(FOLLOW_UP_RESULTS)),
                )
            )
        self._write_facts(
            {
                'follow_up_result': result,
                'follow_up_note': note,
                'followed_up_by_id': self.env.uid,
                'date_followed_up': fields.Datetime.now(),
            }
        )
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': sale_return.id,
                    'kind': 'followed_up',
                    'reason': note,
                    'details': labels[result],
                }
                for sale_return in self
            ]
        )
        # sudo: a colleague may have called instead of the assigned user.
        self.sudo().activity_feedback(
            ['sale_return.mail_activity_type_follow_up'], feedback=labels[result]
        )
        return True

    def action_follow_up_kept(self):
        """Record that the customer stays a customer."""
        return self.action_follow_up('kept')

    def action_follow_up_lost(self):
        """Record that the customer is lost."""
        return self.action_follow_up('lost')

    def action_follow_up_sold_again(self):
        """Record that the customer has bought again."""
        return self.action_follow_up('sold_again')

    # === SCHEDULED JOB === #

    @api.model
    def _cron_ask_follow_up(self, limit=100):
        """Scheduled job: ask the salespersons to call the customers of closed returns.

        :param int limit: returns per transaction.
        """
        # In some time zones it is already tomorrow.
        domain = [
            ('state', '=', 'closed'),
            ('follow_up_on', '<=', fields.Date.today() + timedelta(days=1)),
            ('follow_up_user_id', '=', False),
            ('follow_up_result', '=', False),
        ]
        # sudo: the job works for all companies.
        self.env['sale.return.job']._work_off(
            self.sudo().search(domain, order='id'),
            lambda returns: returns.filtered_domain(domain)._ask_follow_up(),
            size=limit,
        )

    def _ask_follow_up(self):
        """Plan the follow-up activities that are due."""
        due = self.filtered(lambda r: r.follow_up_on <= r._get_today())
        orders = due._get_orders_since()
        xmlid = 'sale_return.mail_activity_type_follow_up'
        activity_type = self.env.ref(xmlid)
        vals_list = []
        for sale_return in due:
            # Where nobody can be assigned, the return stays in the list of follow-ups.
            if not (user := sale_return._get_follow_up_user()):
                continue
            sale_return._write_facts({'follow_up_user_id': user.id})
            vals_list.append(
                {
                    'res_model_id': self.env['ir.model']._get_id(self._name),
                    'res_id': sale_return.id,
                    'activity_type_id': activity_type.id,
                    'summary': activity_type.with_context(lang=user.lang).summary,
                    'note': sale_return.with_context(lang=user.lang)._get_follow_up_note(
                        orders.get(sale_return, self.env['sale.order'])
                    ),
                    'automated': True,
                    'user_id': user.id,
                    'date_deadline': sale_return._get_today(),
                }
            )
        # No mail is sent: the activity is the notice.
        self.env['mail.activity'].with_context(mail_activity_quick_update=True).create(vals_list)

    def _get_orders_since(self):
        """Return what the customers have ordered since they requested the returns.

        :return: `{return: orders}`
        :rtype: dict
        """
        if not self:
            return {}
        found = self.env['sale.order'].search(
            [
                ('state', '=', 'sale'),
                ('company_id', 'in', self.company_id.ids),
                ('partner_id', 'child_of', self.commercial_partner_id.ids),
                ('date_order', '>', min(self.mapped('create_date'))),
            ]
        )
        return {
            sale_return: found.filtered(
                lambda order, r=sale_return: (
                    order.company_id == r.company_id
                    and order.partner_id.commercial_partner_id == r.commercial_partner_id
                    and order.date_order > r.create_date
                    and order not in r.sale_order_ids
                )
            )
            for sale_return in self
        }

    def _get_follow_up_note(self, orders):
        """Return what the person who calls should know.

        :param orders: `sale.order` that the customer has placed since.
        :return: HTML.
        :rtype: markupsafe.Markup
        """
        self.ensure_one()
        amount = formatLang(self.env, self.amount_credited, currency_obj=self.currency_id)
        lines = [
            self.env._("Reasons: %(reasons)s", reasons=", ".join(self.reason_ids.mapped('name'))),
            self.env._("Credited: %(amount)s", amount=amount),
            self.env._("Ordered since: %(orders)s", orders=", ".join(orders.mapped('name')))
            if orders
            else self.env._("Nothing ordered since."),
        ]
        if rating := self.rating_ids.filtered('consumed')[:1]:
            lines.append(self.env._("Rating: %(rating)s out of 5", rating=f"{rating.rating:g}"))
        return Markup("<br/>").join(lines)
