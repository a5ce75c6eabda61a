from odoo import api, models
from odoo.exceptions import UserError

# Fields of return lines that customers may read.
PORTAL_FIELDS = frozenset(
    {
        'id',
        'display_name',
        'create_date',
        'write_date',
        'return_id',
        'company_id',
        'partner_id',
        'state',
        'sale_line_id',
        'order_id',
        'product_id',
        'product_uom_id',
        'currency_id',
        'reason_id',
        'resolution',
        'customer_note',
        'return_expected',
        'delivered_on',
        'qty_requested',
        'qty_authorized',
        'qty_received',
        'qty_accepted',
        'qty_rejected',
        'qty_credited_posted',
        'decision',
        'decision_reason',
    }
)


class SaleReturnLine(models.Model):
    """What customers see of the lines of their returns."""

    _inherit = 'sale.return.line'

    def _ensure_draft(self):
        """Extend to leave to customers what they have not sent yet."""
        result = super()._ensure_draft()
        self.return_id._ensure_sent()
        return result

    def _ensure_own_words(self, note):
        """Extend to leave what customers wrote on their pages as they wrote it.

        :raise UserError: naming the returns.
        """
        result = super()._ensure_own_words(note)
        if self.env.su:
            return result
        written = self.filtered(
            lambda line: line.return_id.portal_kind and (line.customer_note or '') != (note or '')
        )
        if written:
            raise UserError(
                self.env._(
                    "The customer note of return %(returns)s was written by the customer, so it "
                    "cannot be changed. Add what you want to say as a message on the return.",
                    returns=", ".join(written.return_id.mapped('name')),
                )
            )
        return result

    def _get_customer_wish(self):
        """Return what the customer gets for the line, in the words in which they chose it.

        Extend for what else customers can get instead of their money.

        :rtype: str
        """
        self.ensure_one()
        words = {
            'refund': self.env._("Refund"),
            'replace': self.env._("Replacement"),
            'none': self.env._("Nothing"),
        }
        if self.resolution in words:
            return words[self.resolution]
        return dict(self._fields['resolution']._description_selection(self.env))[self.resolution]

    @api.model
    def _has_field_access(self, field, operation):
        """Override of `base`: customers read what their pages show, also by RPC."""
        if not self.env.su and self.env.user.share and field.name not in PORTAL_FIELDS:
            return False
        return super()._has_field_access(field, operation)
