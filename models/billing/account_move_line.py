from odoo import api, models
from odoo.exceptions import UserError

from ...tools.context import get_own


class AccountMoveLine(models.Model):
    """Lines that bill exchanges."""

    _inherit = 'account.move.line'

    def write(self, vals):
        """Extend to keep invoice lines of exchanges with their orders.

        :raise UserError: naming the invoices.
        """
        if 'sale_line_ids' in vals:
            self._ensure_exchange_kept()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_exchange(self):
        # Together with their invoice they may be deleted: it is created again.
        if not get_own(self.env, 'sale_return_whole'):
            self._ensure_exchange_kept()

    def _ensure_exchange_kept(self):
        """Refuse to remove from invoices what they bill of exchanges.

        :raise UserError: naming the invoices.
        """
        if self.env.su:
            return
        # sudo: users who change an invoice need not be users of Sales or Returns.
        lines = self.sudo().filtered(lambda line: line.move_id.move_type == 'out_invoice')
        if kept := lines.filtered('sale_line_ids.order_id.exchange_return_id'):
            raise UserError(
                self.env._(
                    "Invoice %(invoices)s bills the exchange of return %(returns)s, so its lines "
                    "cannot be removed. Cancel the whole invoice instead: a new one is created.",
                    invoices=", ".join(kept.move_id.mapped('display_name')),
                    returns=", ".join(
                        kept.sale_line_ids.order_id.exchange_return_id.mapped('name')
                    ),
                )
            )
