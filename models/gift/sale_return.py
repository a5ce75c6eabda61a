from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import hash_sign

from ...tools.context import get_flag
from ...tools.reader import needed, reads, record_id

# For how long the link in the mail works; then the request is deleted.
CONFIRM_DAYS = 2
# Purpose of the link that confirms a request: it opens nothing else.
SCOPE = 'sale_return.gift_confirmation'


class SaleReturn(models.Model):
    """Returns of gifts by their recipients."""

    _inherit = 'sale.return'

    is_gift = fields.Boolean(
        string="Gift Return",
        readonly=True,
        copy=False,
        help="The recipient of a gift returns it and gets its value. The buyer is told nothing.",
    )
    gift_picking_id = fields.Many2one(
        'stock.picking',
        string="Delivery of the Gift",
        readonly=True,
        copy=False,
        index='btree_not_null',
        groups='sale_return.group_user',
        help="The delivery with which the recipient got the goods.",
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

    def _is_of_buyer(self):
        """Override of `document`: recipients have paid nothing."""
        return not self.is_gift and super()._is_of_buyer()

    def _shows_amounts(self):
        """Override of `document`: recipients do not see what their gift has cost."""
        # sudo: that it is a gift decides what is shown, no matter to whom.
        return not self.sudo().is_gift and super()._shows_amounts()

    def _get_note_partner(self):
        """Override of `document`: notes of gifts are those of their recipients."""
        return self.filtered('is_gift').partner_id or super()._get_note_partner()

    @api.depends('is_gift')
    def _compute_freight_charge(self):
        """Override of `credit`: recipients are not charged."""
        return super()._compute_freight_charge()

    # === ENTERED BY CLERKS === #

    @reads(partner_id=needed(record_id))
    def action_take_gift(self, partner_id):
        """Make drafts returns of gifts by their recipient, of whom the buyer is told nothing.

        To be called before they are submitted, by the dialog and by programs.

        :param int partner_id: the contact who returns the goods, not the buyer.
        :return: True
        :raise AccessError: without a role in Returns.
        :raise UserError: when a return is no draft, the goods were no gift, or the lines ask for
            something else than store credit or an exchange.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._ensure_state(
            ('draft',),
            self.env._(
                "Return %(returns)s has been submitted already, so it cannot become the return of "
                "a gift. Create a new return for the gift."
            ),
        )
        self._ensure_changeable({'partner_id'})
        if asked := self.filtered('portal_kind'):
            # Whatever customers asked for is paid to them, also when it was reset to draft.
            raise UserError(
                self.env._(
                    "Return %(returns)s was requested by the customer, so it cannot become the "
                    "return of a gift. Create a return from the order for the gift.",
                    returns=", ".join(asked.mapped('name')),
                )
            )
        recipient = self.env['res.partner'].browse(partner_id).exists()
        recipient.check_access('read')
        service = self.env['sale.return.gift']
        # sudo: the delivery, its order and its invoices decide, which clerks need not read.
        for sale_return in self.sudo():
            # One by one: a parcel each.
            service._check_recipient(sale_return, recipient.sudo())
            picking = service._find_delivery(sale_return)
            service._mark(sale_return, picking, recipient)
        return True

    def _ensure_gifts_open(self):
        """Refuse gifts whose lines were changed since. To be called in superuser mode.

        :raise UserError: naming the order, or the product.
        """
        for sale_return in self.filtered(lambda r: r.is_gift and r.portal_kind != 'gift'):
            # One by one: a parcel each.
            service = self.env['sale.return.gift']
            service._check_recipient(sale_return, sale_return.partner_id)
            service._find_delivery(sale_return)

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
        if get_flag(self.env, 'sale_return_preview'):
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
