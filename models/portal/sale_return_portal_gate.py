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

# What each act costs: mails and rows it leaves, and work it makes.
PRICES = {
    'question': 10,  # for a link: a mail
    'draft': 4,
    'picture': 2,  # each one that comes with a draft
    'video': 20,  # is kept as it comes, up to 50 MB
    'request': 10,  # a draft that is sent: mails, and somebody may have to decide
    'withdrawal': 20,  # mails, evidence, activities
    'act': 4,  # on the page of a return: number of the parcel, cancellation, appeal, rating
    'message': 4,  # and each file that is sent with one
    'document': 4,  # a PDF
}


class Ceiling(NamedTuple):
    """How many points may be spent in a period of some hours."""

    points: int
    hours: int


# How much may come from whom. An order is for all who have its link or login together.
CEILINGS = {
    'visitor': Ceiling(200, 1),
    'link': Ceiling(200, 1),
    'order': Ceiling(400, 24),
    'all': Ceiling(5000, 1),
}
# A second limit, for all unknown visitors together, in points per hour.
CEILING_PARAMETER = 'sale_return.portal_ceiling'
# Warned of once in so many hours.
PROXY = Ceiling(0, 24)
KEEP_DAYS = 2
# Counters that are deleted in one go.
CLEAN_UP = 10_000
HASH_SCOPE = 'sale_return.portal_gate'


class SaleReturnPortalGate(models.Model):
    """The one place that counts what comes from outside, and refuses what is too much.

    Each act has a price and is added up by visitor (IPv4 address, /64 of IPv6), by link or login,
    by order, and for all strangers together. What a visitor sends above their own ceiling does not
    count for the others. Who is logged in is not a stranger: the ceiling over all is not theirs.

    One row per counter and period. Rows name nobody: keys are hashed with the secret of the
    database. They are written in a transaction of their own, which counts refused requests, too,
    and in which workers wait for each other no longer than one statement takes.
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
        """Let what somebody outside does in one request pass, or refuse it.

        To be called before anything is done for it, and after the right to the order was checked.
        Our own people pass, and calls that no browser made.

        :param dict acts: how many of which of `PRICES`.
        :param order: record or text that it is about, if any.
        :param str link: the token they came with, if any.
        :raise TooMuch: saying how to reach us otherwise. What is said does not depend on whether an
            order exists.
        """
        user = self.env.user
        if not request or user._is_internal():
            return
        environ = request.httprequest.environ
        if environ.get('sale_return.paid'):
            return  # the same request started again, e.g. after a serialization failure
        price = sum(PRICES[act] * count for act, count in acts.items())
        if full := self._count(self._get_keys(order, link), price, user._is_public()):
            _logger.info("Refused to a visitor: %s. Too much by %s.", ", ".join(acts), full)
            raise TooMuch(self._get_sentence())
        environ['sale_return.paid'] = True

    @api.model
    def _get_keys(self, order, link):
        """Return what an act is counted by: `{scope: text}`."""
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
        """Add the price of an act to all its counters.

        :param dict keys: `{scope: text}`, see `_get_keys`.
        :param int price: in points.
        :param bool stranger: whether it counts for all strangers together.
        :return: the scope whose ceiling is passed, None where the act may pass.
        :rtype: str | None
        """
        narrow = {scope: text for scope, text in keys.items() if text}
        # Its own transaction: what is refused and rolled back is counted all the same.
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
                    # What a visitor or link may not do any more does not count for the others.
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
        """Add to counters, `{scope: (text, points)}`; return what they hold now, by scope."""
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
        # Locked before the transaction sees anything, in the same query: then nobody has changed a
        # row that it wants to change.
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
        """Return how many points all strangers together may spend in an hour."""
        value = self.env['ir.config_parameter'].sudo().get_param(CEILING_PARAMETER) or ''
        return int(value) if value.isdecimal() and len(value) < 10 else CEILINGS['all'].points

    # === ALARM === #

    @api.model
    def _raise_alarm(self, ceiling):
        """Tell the managers of returns, once in an hour, that the doors are shut to strangers."""
        _logger.warning("Return pages: strangers have reached the ceiling of %s points.", ceiling)
        until = fields.Datetime.now().replace(minute=0, second=0) + timedelta(hours=1)
        for user in self._get_watchers():
            speaker = self.with_context(lang=user.lang, tz=user.tz or 'UTC')
            moment = fields.Datetime.context_timestamp(speaker, until)
            note = speaker.env._(
                "Visitors without login have sent more than %(limit)s points in an hour, which may "
                "be an attack. Until %(time)s their requests are refused; customers with a login "
                "are served. Look at the server's log; the system parameter %(parameter)s sets "
                "another limit.",
                limit=ceiling,
                time=moment.strftime('%H:%M'),
                parameter=CEILING_PARAMETER,
            )
            # One by one: each in the language of who reads it, and they are few.
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
        """Return who is told of an alarm: up to three managers of returns."""
        users = self.env.ref('sale_return.group_manager').sudo().all_user_ids
        root = self.env.ref('base.user_root')
        return users.filtered(lambda u: u.active and not u.share and u != root).sorted('id')[:3]

    @api.model
    def _get_sentence(self):
        # sudo: the address is one that the company prints on its letters.
        company = self.env.company.sudo()
        return self.env._(
            "Too many requests came in a short time. Please try again in an hour, or write to "
            "%(address)s: that counts just the same.",
            address=company.email or company.phone or company.name,
        )

    # === HUMANS === #

    @api.model
    def _ensure_human(self, action):
        """Have a stranger's CAPTCHA verified where reCAPTCHA or Turnstile is installed and set up.

        :param str action: what the form says in `data-captcha`.
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
        """Delete the counters of periods that are over."""
        before = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        # sudo: nobody reads or writes counters.
        counters = self.sudo().search([('begin', '<', before)], limit=CLEAN_UP)
        count = len(counters)
        counters.unlink()
        return count, count == CLEAN_UP  # Odoo comes again while something is left
