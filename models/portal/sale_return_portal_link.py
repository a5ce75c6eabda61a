from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import email_normalize

from ...tools.reader import take_text

# Links to one order in a day; visitors are limited by `sale.return.portal.gate`.
MAX_PER_ORDER = 3
KEEP_DAYS = 2


class SaleReturnPortalLink(models.Model):
    """A request for a link without login, by order number and e-mail address.

    Every request is stored and answered in the same way, by one insert; a job checks whether order
    and address belong together. So neither the answer nor its timing reveals that.
    """

    _name = 'sale.return.portal.link'
    _inherit = ['sale.return.own.defaults']
    _description = "Return Link Request"
    _order = 'id'

    order_ref = fields.Char(required=True)
    email = fields.Char(required=True)
    state = fields.Selection(
        [('pending', "Waiting"), ('sent', "Sent"), ('ignored', "Not sent")],
        required=True,
        default='pending',
    )
    order_id = fields.Many2one('sale.order', index='btree_not_null', ondelete='cascade')

    _pending = models.Index("(id) WHERE state = 'pending'")

    @api.model
    def _ask(self, order_ref, email):
        """Store a request for the job, valid or not.

        :param str order_ref: number of the order, as typed.
        :param str email: as typed.
        """
        # sudo: anonymous visitors ask; nothing is returned to them.
        self.sudo().create(
            {
                'order_ref': " ".join(take_text(order_ref).split())[:64] or '-',
                'email': take_text(email).strip()[:254] or '-',
            }
        )
        self.env.ref('sale_return.ir_cron_send_portal_links').sudo()._trigger()

    @api.model
    def _cron_send_links(self, limit=100):
        """Scheduled job: send the links to the addresses of the orders they are for."""
        cron = self.env['ir.cron']
        domain = [('state', '=', 'pending')]
        cron._commit_progress(remaining=self.sudo().search_count(domain))
        while links := self.sudo().search(domain, limit=limit):
            for link in links:
                # One by one: each goes to another order, and few are asked for.
                link._send()
            if not cron._commit_progress(len(links)):
                break

    def _send(self):
        """Send one link, if the address is one of the order's."""
        self.ensure_one()
        orders = self._find_orders()
        self.write({'state': 'sent' if orders else 'ignored', 'order_id': orders[:1].id})
        template = self.env.ref('sale_return.mail_template_return_link')
        for order in orders:
            template.send_mail(
                order.id,
                email_values={'email_to': email_normalize(self.email), 'recipient_ids': []},
            )

    def _find_orders(self):
        """Return the orders with this number and address for which links may be sent."""
        email = email_normalize(self.email)
        if not email:
            return self.env['sale.order']
        people = ('partner_id', 'partner_invoice_id', 'partner_shipping_id')
        orders = self.env['sale.order'].search(
            Domain('name', 'in', (self.order_ref, self.order_ref.upper()))
            & Domain('state', '=', 'sale')
            & Domain('company_id.sale_return_portal', '=', True)
            & Domain.OR(Domain(f'{name}.email_normalized', '=', email) for name in people)
        )
        since = fields.Datetime.now() - timedelta(days=1)
        return orders.filtered(
            lambda order: (
                self.search_count([('order_id', '=', order.id), ('create_date', '>=', since)])
                < MAX_PER_ORDER
            )
        )

    @api.autovacuum
    def _gc_links(self):
        """Delete old requests, as they contain personal data."""
        before = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        self.sudo().search([('create_date', '<', before)], limit=1000).unlink()
