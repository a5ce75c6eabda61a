import json
import logging
import time
from datetime import timedelta

import requests

from odoo import api, fields, models

from ...tools.outbound import AddressError, PinnedAdapter, resolve, sign

_logger = logging.getLogger(__name__)

# Attempts at one delivery, minutes between the first two, and the longest pause. Half a day at
# first, three days in all.
MAX_ATTEMPTS = 12
FIRST_PAUSE = 1
LONGEST_PAUSE = 12 * 60
TIMEOUT = 10
KEPT_DAYS = 30
# Deliveries of one run, after which the job starts again.
LIMIT = 1000


class SaleReturnHookDelivery(models.Model):
    """The outbox: an event to report to a program, or the result.

    The row is written with the event, in the same transaction; the scheduled job sends it.
    """

    _name = 'sale.return.hook.delivery'
    _inherit = ['sale.return.own.defaults']
    _description = "Delivery to a Web Hook"
    _order = 'id desc'

    hook_id = fields.Many2one(
        'sale.return.hook',
        string="Web Hook",
        required=True,
        readonly=True,
        index=True,
        ondelete='cascade',
    )
    company_id = fields.Many2one(
        related='hook_id.company_id', store=True, index=True, readonly=True
    )
    log_event_id = fields.Many2one(
        'sale.return.event',
        string="Logged Event",
        required=True,
        readonly=True,
        index=True,
        ondelete='restrict',
    )
    return_id = fields.Many2one(related='log_event_id.return_id')
    kind = fields.Selection(related='log_event_id.kind', string="Event")
    state = fields.Selection(
        [('waiting', "To send"), ('sent', "Sent"), ('dead', "Not delivered")],
        string="Status",
        required=True,
        readonly=True,
        default='waiting',
        help="Not delivered: nobody has answered for three days, or the address is gone.",
    )
    attempts = fields.Integer(readonly=True)
    date_next = fields.Datetime(string="Send after", readonly=True)
    date_sent = fields.Datetime(string="Sent on", readonly=True)
    error = fields.Char(string="Reason", readonly=True)

    _once = models.UniqueIndex('(hook_id, log_event_id)')
    _due = models.Index("(date_next, id) WHERE state = 'waiting'")
    _done = models.Index("(date_sent) WHERE state = 'sent'")

    @api.model
    def _queue(self, events):
        """Leave events to the scheduled job. Without hooks nothing is read or written."""
        listeners = self.env['sale.return.hook']._get_listeners()
        if not listeners:
            return
        vals_list = [
            {'hook_id': hook_id, 'log_event_id': event.id, 'date_next': self.env.cr.now()}
            for event in events
            for hook_id, kinds in listeners.get(event.company_id.id, ())
            if not kinds or event.kind in kinds
        ]
        if vals_list:
            # sudo: nobody writes the outbox; the event was logged by our own services.
            self.sudo().create(vals_list)
            self.env.ref('sale_return.ir_cron_call_hooks').sudo()._trigger()

    # === ACTION METHODS === #

    def action_retry(self):
        """Send again what could not be delivered.

        :return: True
        :raise AccessError: without the role of a manager.
        """
        self.env['sale.return']._ensure_group('group_manager')
        self.check_access('read')
        # sudo: nobody writes the outbox; the role was checked above.
        dead = self.sudo().filtered(lambda delivery: delivery.state == 'dead')
        dead.write({'state': 'waiting', 'attempts': 0, 'date_next': fields.Datetime.now()})
        self.env.ref('sale_return.ir_cron_call_hooks').sudo()._trigger()
        return True

    # === SEND === #

    @api.model
    def _cron_send(self):
        """Call the hooks, oldest event first. One that does not answer waits for the next run."""
        due = self.search(
            [('state', '=', 'waiting'), ('date_next', '<=', fields.Datetime.now())],
            order='id',
            limit=LIMIT,
        )
        silent = set()
        self.env['sale.return.job']._work_off(
            due, lambda deliveries: deliveries._send_unless_silent(silent)
        )

    def _send_unless_silent(self, silent):
        """Call the hook of a delivery, unless it has not answered in this run."""
        for delivery in self:
            if delivery.state == 'waiting' and delivery.hook_id not in silent:
                if not delivery.hook_id.active:
                    delivery.write({'state': 'dead', 'error': self.env._("Archived.")})
                elif not delivery._send():
                    silent.add(delivery.hook_id)

    def _send(self):
        """Call the hook of a delivery once, and store the result.

        :return: whether the hook accepted it.
        :rtype: bool
        """
        self.ensure_one()
        try:
            status = self._call()
        except AddressError as error:
            return self._fail(self._get_address_sentence(error), final=error.args[0] != 'unknown')
        except requests.RequestException as error:
            _logger.info("Hook %s did not answer: %s", self.hook_id.id, error)
            return self._fail(self.env._("No answer (%(kind)s).", kind=type(error).__name__))
        if 200 <= status < 300:
            self.write({'state': 'sent', 'date_sent': fields.Datetime.now(), 'error': False})
            return True
        # 410 Gone: the address does not exist any more.
        return self._fail(self.env._("Answered %(status)s.", status=status), final=status == 410)

    def _call(self):
        """Send a delivery, and return the status of the answer; its content is ignored."""
        # sudo: the secret is the managers'; the job has no role.
        hook = self.hook_id.sudo()
        private = self.env['ir.config_parameter'].sudo().get_param('sale_return.private_hooks')
        ip = resolve(hook.url, private=str(private).lower() in ('1', 'true'))
        body = json.dumps(self._prepare_payload(), ensure_ascii=False).encode()
        stamp = str(int(time.time()))
        with requests.Session() as session:
            session.trust_env = False  # no proxy: it would resolve the address itself
            session.mount(hook.url.partition('://')[0].lower() + '://', PinnedAdapter(hook.url, ip))
            with session.post(
                hook.url,
                data=body,
                headers={
                    'Content-Type': 'application/json; charset=utf-8',
                    'User-Agent': 'Odoo-Returns',
                    'X-Returns-Event': self.kind,
                    'X-Returns-Delivery': str(self.id),
                    'X-Returns-Timestamp': stamp,
                    'X-Returns-Signature': sign(hook.secret, stamp, body),
                },
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code

    def _prepare_payload(self):
        """Prepare what is reported about an event. Override to add values."""
        event = self.log_event_id
        return {
            'event': event.id,
            'kind': event.kind,
            'date': fields.Datetime.to_string(event.date),
            'state_from': event.state_from or None,
            'state_to': event.state_to or None,
            'line': event.line_id.id or None,
            'return': {
                'id': event.return_id.id,
                'name': event.return_id.name,
                'key': event.return_id.external_ref or None,
                'state': event.return_id.state,
            },
        }

    def _fail(self, reason, final=False):
        """Store why a delivery failed and when it is retried; finally it is given up."""
        self.ensure_one()
        attempts = self.attempts + 1
        pause = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
        self.write(
            {
                'state': 'dead' if final or attempts >= MAX_ATTEMPTS else 'waiting',
                'attempts': attempts,
                'error': reason,
                'date_next': fields.Datetime.now() + timedelta(minutes=pause),
            }
        )
        return False

    def _get_address_sentence(self, error):
        code, host = error.args
        if code == 'private':
            return self.env._("%(host)s is an address of your own network.", host=host)
        if code == 'unknown':
            return self.env._("%(host)s has no address.", host=host)
        return self.env._("“%(url)s” cannot be called.", url=host)

    @api.autovacuum
    def _forget_sent(self):
        """Remove deliveries sent a month ago; undelivered ones are kept."""
        limit = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.search([('state', '=', 'sent'), ('date_sent', '<', limit)], limit=10_000).unlink()
