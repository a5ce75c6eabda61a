import logging
from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import SQL, config
from odoo.tools.misc import hmac

from ...tools.html import as_html
from ...tools.visitor import get_visitor
from .exceptions import RequestRefused, TooMuch

_logger = logging.getLogger(__name__)

# Cost of each action in points: for its mails, rows and work.
PRICES = {
    'question': 10,  # for a link: a mail
    'draft': 4,
    'picture': 2,  # each one that comes with a draft
    'video': 20,  # stored unchanged, up to 50 MB
    'request': 10,  # a draft that is sent: mails, and somebody may have to decide
    'withdrawal': 20,  # mails, evidence, activities
    'act': 4,  # on the page of a return: number of the parcel, cancellation, appeal, rating
    'message': 4,  # each file sent with one
    'document': 4,  # a PDF
}


class Ceiling(NamedTuple):
    """Points per period, in hours."""

    points: int
    hours: int


# Limits by source. The limit of an order is shared by all with its link or login.
CEILINGS = {
    'visitor': Ceiling(200, 1),
    'link': Ceiling(200, 1),
    'order': Ceiling(400, 24),
    'all': Ceiling(5000, 1),
}
# A second limit, for all unknown visitors together, in points per hour.
CEILING_PARAMETER = 'sale_return.portal_ceiling'
# Hours between two warnings.
PROXY = Ceiling(0, 24)
KEEP_DAYS = 2
# Number of counters deleted in one batch.
CLEAN_UP = 10_000
HASH_SCOPE = 'sale_return.portal_gate'


class SaleReturnPortalGate(models.Model):
    """The only place that counts requests from outside, and refuses too many.

    Each action has a price, added up by visitor (IPv4 address, /64 of IPv6), by link or login, by
    order, and for all anonymous visitors together. Requests above a visitor's own limit do not
    count for the others. The overall limit does not apply to logged-in users.

    One row per counter and period. Rows contain no names: keys are hashed with the secret of the
    database. They are written in a separate transaction, so that refused requests count, too, and
    workers wait for each other only for one statement.
    """

    _name = 'sale.return.portal.gate'
    _inherit = ['sale.return.own.defaults']
    _description = "Counter of Acts from Outside"
    _order = 'id'

    key = fields.Char(required=True, readonly=True)
    begin = fields.Datetime(required=True, readonly=True, index=True)
    spent = fields.Integer(required=True, readonly=True)

    _once = models.UniqueIndex('(key, begin)')

    # === PASS === #

    @api.model
    def _pass(self, acts, order=None, link=None):
        """Accept or refuse the actions of one request from outside.

        To be called before anything is done for it, and after the right to the order was checked.
        Our own users pass, and calls without a browser.

        :param dict acts: number of actions by key of `PRICES`.
        :param order: record or text concerned, if any.
        :param str link: the visitor's token, if any.
        :raise TooMuch: saying how else to reach us. The message does not depend on whether an order
            exists.
        """
        user = self.env.user
        if not request or user._is_internal():
            return
        environ = request.httprequest.environ
        if environ.get('sale_return.paid'):
            return  # the same request was retried, e.g. after a serialization failure
        price = sum(PRICES[act] * count for act, count in acts.items())
        if full := self._count(self._get_keys(order, link), price, user._is_public()):
            _logger.info("Refused to a visitor: %s. Too much by %s.", ", ".join(acts), full)
            raise TooMuch(self._get_sentence())
        environ['sale_return.paid'] = True

    @api.model
    def _get_keys(self, order, link):
        """Return the keys of the counters of an action: `{scope: text}`."""
        environ = request.httprequest.environ
        visitor = get_visitor(
            request.httprequest.remote_addr,
            forwarded='HTTP_X_FORWARDED_FOR' in environ,
            trusts_proxy=config['proxy_mode'],
        )
        user = self.env.user
        login = None if user._is_public() else f'login {user.id}'
        return {
            'visitor': visitor,
            'link': (link and str(link)) or login,
            'order': order and str(order),
            'proxy': None if visitor else 'not trusted',
        }

    @api.model
    def _count(self, keys, price, stranger):
        """Add the price of an action to all its counters.

        :param dict keys: `{scope: text}`, see `_get_keys`.
        :param int price: in points.
        :param bool stranger: whether it counts for all anonymous visitors together.
        :return: the scope whose limit is exceeded, None if the action may pass.
        :rtype: str | None
        """
        narrow = {scope: text for scope, text in keys.items() if text}
        # A separate transaction, so that refused and rolled back requests are counted, too.
        with self.env.registry.cursor() as cr:
            gate = self.with_env(self.env(cr=cr, su=True))
            spent = gate._add(
                {scope: (text, price) for scope, text in narrow.items() if scope != 'order'}
            )
            if 'proxy' in spent and spent['proxy'] == price:
                _logger.warning(
                    "Requests come through a proxy, but proxy_mode is off: visitors of the return "
                    "pages cannot be told apart and are not counted one by one."
                )
            for scope, ceiling in CEILINGS.items():
                if scope == 'order' and scope in narrow:
                    # Requests above one limit do not count towards the other limits.
                    spent |= gate._add({scope: (narrow[scope], price)})
                if spent.get(scope, 0) > ceiling.points:
                    return scope
            if not stranger:
                return None
            ceiling = gate._get_ceiling()
            total = gate._add({'all': ('', price)})['all']
            if total <= ceiling:
                return None
            if total - price <= ceiling:
                gate._raise_alarm(ceiling)
            return 'all'

    @api.model
    def _add(self, amounts):
        """Add to counters, `{scope: (text, points)}`; return their new values, by scope."""
        if not amounts:
            return {}
        now = fields.Datetime.now()
        scopes, rows = {}, []
        for scope, (text, points) in amounts.items():
            hours = (CEILINGS.get(scope) or PROXY).hours
            begin = now.replace(minute=0, second=0, microsecond=0)
            begin -= timedelta(hours=begin.hour % hours)
            key = hmac(self.env, HASH_SCOPE, f'{scope} {text}')
            scopes[key] = scope
            rows.append(SQL("%s", (key, begin, points)))
        # Locked first, in the same query, so that no other transaction has changed a row to be
        # updated.
        self.env.cr.execute(
            SQL(
                "LOCK TABLE %(table)s IN EXCLUSIVE MODE; "
                "INSERT INTO %(table)s AS gate (key, begin, spent) VALUES %(rows)s "
                "ON CONFLICT (key, begin) DO UPDATE SET spent = LEAST("
                "gate.spent::bigint + excluded.spent, 2147483647)::integer RETURNING key, spent",
                table=SQL.identifier(self._table),
                rows=SQL(", ").join(rows),
            )
        )
        return {scopes[key]: spent for key, spent in self.env.cr.fetchall()}

    @api.model
    def _get_ceiling(self):
        """Return how many points all anonymous visitors together may use per hour."""
        value = self.env['ir.config_parameter'].sudo().get_param(CEILING_PARAMETER) or ''
        return int(value) if value.isdecimal() and len(value) < 10 else CEILINGS['all'].points

    # === ALARM === #

    @api.model
    def _raise_alarm(self, ceiling):
        """Notify managers of Returns, once an hour, that anonymous visitors are locked out."""
        _logger.warning("Return pages: strangers have reached the ceiling of %s points.", ceiling)
        until = fields.Datetime.now().replace(minute=0, second=0) + timedelta(hours=1)
        for user in self._get_watchers():
            speaker = self.with_context(lang=user.lang, tz=user.tz or 'UTC')
            moment = fields.Datetime.context_timestamp(speaker, until)
            note = speaker.env._(
                "Visitors without login have sent more than %(limit)s points in an hour, which "
                "may be an attack. Until %(time)s their requests are refused; customers with a "
                "login are served. Check the server log; the limit can be changed with the "
                "system parameter %(parameter)s.",
                limit=ceiling,
                time=moment.strftime('%H:%M'),
                parameter=CEILING_PARAMETER,
            )
            # One by one: each in the language of its reader, and they are few.
            self.env['mail.activity'].with_context(mail_activity_quick_update=True).create(
                {
                    'activity_type_id': self.env.ref('mail.mail_activity_data_todo').id,
                    'summary': speaker.env._("Many requests on the customers' return pages"),
                    'note': as_html(note),
                    'user_id': user.id,
                    'date_deadline': fields.Date.context_today(speaker),
                }
            )

    @api.model
    def _get_watchers(self):
        """Return who is notified of an alarm: up to three managers of Returns."""
        users = self.env.ref('sale_return.group_manager').sudo().all_user_ids
        root = self.env.ref('base.user_root')
        return users.filtered(lambda u: u.active and not u.share and u != root).sorted('id')[:3]

    @api.model
    def _get_sentence(self):
        # sudo: the company publishes this address.
        company = self.env.company.sudo()
        return self.env._(
            "Too many requests came in a short time. Please try again in an hour, or write to "
            "%(address)s: that is just as valid.",
            address=company.email or company.phone or company.name,
        )

    # === HUMANS === #

    @api.model
    def _ensure_human(self, action):
        """Verify a visitor's CAPTCHA where reCAPTCHA or Turnstile is installed and set up.

        :param str action: the `data-captcha` of the form.
        :raise RequestRefused: when it fails.
        """
        if not request or not self.env.user._is_public():
            return
        try:
            request.env['ir.http']._verify_request_recaptcha_token(action)
        except UserError as error:
            raise RequestRefused(str(error)) from error

    # === CLEAN UP === #

    @api.autovacuum
    def _gc_counters(self):
        """Delete the counters of past periods."""
        before = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        # sudo: nobody reads or writes counters.
        counters = self.sudo().search([('begin', '<', before)], limit=CLEAN_UP)
        count = len(counters)
        counters.unlink()
        return count, count == CLEAN_UP  # Odoo runs it again while something is left
