from datetime import timedelta

from odoo import fields, models
from odoo.tools.misc import hash_sign

# For how long the link in the mail works; then the request is deleted.
CONFIRM_DAYS = 2
# Purpose of the link that confirms a request: it opens nothing else.
SCOPE = 'sale_return.gift_confirmation'


class SaleReturn(models.Model):
    """Returns of gifts by their recipients."""

    _inherit = 'sale.return'

    gift_picking_id = fields.Many2one(
        'stock.picking',
        string="Delivery of the Gift",
        readonly=True,
        copy=False,
        index='btree_not_null',
        groups='sale_return.group_user',
        help="The recipient has typed the code on the slip of this delivery.",
    )
    portal_kind = fields.Selection(
        selection_add=[('gift', "Return of a gift")], ondelete={'gift': 'set null'}
    )

    # === OWNER === #

    def _get_delivery_address(self):
        """Override of `document`: goods of a gift belong to its recipient."""
        return self.partner_id if self.is_gift else super()._get_delivery_address()

    def _owns_goods_of(self, order):
        """Override of `document`: the recipient has what the buyer ordered."""
        if self.is_gift:
            return order in self.sale_order_ids
        return super()._owns_goods_of(order)

    # === LINKS === #

    def _get_gift_token(self):
        """Return the token of the link that confirms the request, valid for some days."""
        self.ensure_one()
        # sudo: it is signed with the key of the database.
        return hash_sign(self.sudo().env, SCOPE, [self.id], expiration=timedelta(days=CONFIRM_DAYS))

    def _opens_gift(self, access_token):
        """Tell whether a token opens the confirmation of this request.

        :param str access_token: from a stranger's browser.
        """
        self.ensure_one()
        return self.env['sale.order']._read_signed(SCOPE, access_token) == [self.id]

    def _get_gift_confirmation_url(self):
        """Return the address, with the host, that the recipient confirms their request at."""
        self.ensure_one()
        if self.env.context.get('sale_return_preview'):
            return '#'  # only the recipient may have the link
        token = self._get_gift_token()
        return f'{self.get_base_url()}/returns/gift/{self.id}?access_token={token}'

    # === CLEAN UP === #

    def unlink(self):
        """Override of `base` to delete recipients who never confirmed: they are personal data."""
        # sudo: whoever may delete the request need not be allowed to delete customers.
        drafts = self.sudo().filtered(lambda r: r.portal_kind == 'gift' and not r.submission_count)
        # Created with the request; later somebody may have merged them with a known customer.
        recipients = drafts.filtered(
            lambda draft: draft.partner_id.create_date == draft.create_date
        ).partner_id
        result = super().unlink()
        used = self.sudo().search([('partner_id', 'in', recipients.ids)]).partner_id
        (recipients - used).unlink()
        return result
