import binascii
import secrets
from datetime import timedelta

from werkzeug.urls import url_encode

from odoo import fields, models
from odoo.tools import consteq
from odoo.tools.misc import hash_sign, verify_hash_signed

# Purposes of signed texts: one for a link is not valid for a form.
LINK_SCOPE = 'sale_return.request_link'
FORM_SCOPE = 'sale_return.request_form'
FORM_HOURS = 24

# Orders listed in one mail; customers with more find them by number.
MAX_LINKS = 5


class SaleOrder(models.Model):
    """How customers get from an order to a return."""

    _inherit = 'sale.order'

    # How customers get from an order to a return: access and links.
    withdrawal_ids = fields.One2many(
        'sale.return.withdrawal', 'order_id', readonly=True, groups='sale_return.group_user'
    )

    # === REQUESTS === #

    def _can_ask_return(self):
        """Tell whether customers can return anything of the order on their pages.

        :rtype: bool
        """
        self.ensure_one()
        # sudo: customers need not read transfers.
        order = self.sudo()
        return bool(
            order.company_id.sale_return_portal
            and order.state == 'sale'
            and any(line._is_returnable() for line in order.order_line)
        )

    def _can_withdraw(self):
        """Tell whether the customer can withdraw from the contract by law, for some product.

        :rtype: bool
        """
        self.ensure_one()
        # sudo: the customer need not read policies, nor transfers.
        order = self.sudo()
        if not order.company_id.sale_return_portal or order.state != 'sale':
            return False
        policies = order.env['sale.return.policy']
        if not policies.search_count([('regime', '=', 'eu_withdrawal')], limit=1):
            return False
        rows = order.env['sale.return.portal.offer']._get_offer(order)
        return any(row['withdrawable'] for row in rows)

    # === LINKS === #

    def _get_return_url(self, access_token=None, page=''):
        """Return the address of the page on which customers request a return of the order.

        :param str access_token: token that opens the page without login, if needed.
        :param str page: the screen, the first one by default.
        """
        self.ensure_one()
        query = f"?{url_encode({'access_token': access_token})}" if access_token else ''
        return f'/my/orders/{self.id}/return{page}{query}'

    def _get_withdrawal_url(self, access_token=None, page=''):
        """Return the address of the page on which the customer withdraws from the contract."""
        self.ensure_one()
        query = f"?{url_encode({'access_token': access_token})}" if access_token else ''
        return f'/my/orders/{self.id}/withdraw{page}{query}'

    def _get_return_link(self):
        """Return a link for mails that opens that page, and nothing else, until it expires.

        :return: with the host.
        :rtype: str
        """
        self.ensure_one()
        return f'{self.get_base_url()}{self._get_return_url(self._get_return_token())}'

    def _get_return_token(self):
        """Return a token for the return pages of the order, valid for some days and not stored."""
        self.ensure_one()
        # sudo: it is signed with the key of the database.
        order = self.sudo()
        return hash_sign(
            order.env,
            LINK_SCOPE,
            [order.id, order.partner_id.commercial_partner_id.id],
            expiration=timedelta(days=order.company_id.sale_return_link_days),
        )

    def _opens_return(self, access_token):
        """Tell whether a token opens the return pages of the order now.

        Our own links do until they expire. The link of the order itself never expires, so it is
        accepted for the same number of days after the last delivery (or the order).

        :param str access_token: from a stranger's browser.
        :rtype: bool
        """
        self.ensure_one()
        order = self.sudo()  # access is granted by the token, not by the user
        if not access_token or not order.company_id.sale_return_portal:
            return False
        if order.access_token and consteq(order.access_token, str(access_token)):
            days = timedelta(days=order.company_id.sale_return_link_days)
            return fields.Datetime.now() <= order._get_last_delivery_date() + days
        values = self._read_signed(LINK_SCOPE, access_token)
        return values == [order.id, order.partner_id.commercial_partner_id.id]

    def _get_last_delivery_date(self):
        moves = self.order_line.move_ids.filtered(
            lambda move: move.state == 'done' and move.location_dest_id._is_at_customer()
        )
        return max([*moves.mapped('date'), self.date_order or fields.Datetime.now()])

    # === FORMS === #

    def _get_return_form_key(self):
        """Return a signed key that lets a form create one return of the order."""
        self.ensure_one()
        return hash_sign(
            self.sudo().env,
            FORM_SCOPE,
            [self.id, secrets.token_hex(12)],
            expiration=timedelta(hours=FORM_HOURS),
        )

    def _read_return_form_key(self, signed):
        """Return the key in a form of the order, None when it is invalid or too old."""
        self.ensure_one()
        values = self._read_signed(FORM_SCOPE, signed)
        return values[1] if values and values[0] == self.id else None

    def _read_signed(self, scope, signed):
        """Return the signed text, None if we did not sign it for this purpose."""
        try:
            # sudo: it is signed with the key of the database.
            return verify_hash_signed(self.sudo().env, scope, str(signed))
        except (ValueError, binascii.Error, IndexError):
            return None

    # === LINKS IN MAILS === #

    # Mails about orders state where their products can be returned.

    def _notify_by_email_prepare_rendering_context(self, message, *args, **kwargs):
        """Override of `mail` to add the link for the customer."""
        context = super()._notify_by_email_prepare_rendering_context(message, *args, **kwargs)
        return {**context, 'sale_return_links': self._get_mail_return_links()}

    def _get_mail_return_links(self):
        """Return the links for a mail: `[(number of the order, address)]`.

        Override to remove them.
        """
        orders = self.sudo().filtered(
            lambda order: order.state == 'sale' and order.company_id.sale_return_portal
        )
        return [(order.name, order._get_return_link()) for order in orders[:MAX_LINKS]]
