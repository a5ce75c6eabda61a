import uuid
from datetime import timedelta

from odoo import api, fields, models

# What customers read of their returns. Everything else is ours: who decides and why, what failed,
# what it costs. A field that is added stays hidden until it is named here.
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


class SaleReturn(models.Model):
    """What customers see of their returns, and the links that open them."""

    _inherit = 'sale.return'

    access_token_expiry = fields.Datetime(
        string="Link works until",
        readonly=True,
        copy=False,
        groups='sale_return.group_user',
        help="Links to the return in messages to the customer open it until then.",
    )

    @api.model
    def _has_field_access(self, field, operation):
        """Override of `base`: customers read what their pages show, also by RPC."""
        if not self.env.su and self.env.user.share and field.name not in PORTAL_FIELDS:
            return False
        return super()._has_field_access(field, operation)

    def _is_portal_link_alive(self):
        """Tell whether links to the return still open it.

        :rtype: bool
        """
        return bool(
            len(self) == 1
            and self.access_token
            and self.access_token_expiry
            and self.access_token_expiry > fields.Datetime.now()
        )

    def _portal_ensure_token(self):
        """Override of `portal`: a link works for some days after the last one was given.

        Once it has expired the next link has a token of its own, and the old ones stay dead.
        """
        self.ensure_one()
        # sudo: the token is nobody's to read; whoever gives a link may see the return.
        sale_return = self.sudo()
        now = fields.Datetime.now()
        until = now + timedelta(days=sale_return.company_id.sale_return_link_days)
        if not sale_return._is_portal_link_alive():
            sale_return.write({'access_token': str(uuid.uuid4()), 'access_token_expiry': until})
        elif sale_return.access_token_expiry < until - timedelta(days=1) and not (
            self.env.context.get('sale_return_link_followed')
        ):
            # Once a day is enough: pages ask for links, too.
            sale_return.write({'access_token_expiry': until})
        return sale_return.access_token
