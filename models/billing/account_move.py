from odoo import models
from odoo.exceptions import UserError

from ...tools.context import get_own
from ...tools.own_value import OwnValue


class AccountMove(models.Model):
    """Invoices of exchanges, and the credit notes that settle them."""

    _inherit = 'account.move'

    def _settle_sale_return_exchanges(self):
        """Extend to refuse invoices of exchanges for less than was agreed.

        Invoices that somebody has corrected are settled with the credit again.

        :raise UserError: see `sale.return.billing`.
        """
        # sudo: users who post an invoice need not be users of Sales or Returns.
        returns = self.sudo()._get_exchange_returns()
        if returns and not self.env.su:
            self.env['sale.return.billing']._check_posted(returns)
        result = super()._settle_sale_return_exchanges()
        if returns and not self.env.su:
            self.env['sale.return.exchange.order']._follow(returns)
        return result

    def button_cancel(self):
        """Extend to bill exchanges again whose invoice is cancelled."""
        # sudo: as in `_settle_sale_return_exchanges`.
        returns = self.sudo()._get_exchange_returns()
        result = super().button_cancel()
        # Of an order that is cancelled nothing is billed again.
        if not get_own(self.env, 'sale_return_order_ends'):
            self.env['sale.return.exchange.order']._follow(returns)
        return result

    def unlink(self):
        """Extend to bill exchanges again whose draft invoice is deleted."""
        # sudo: as in `_settle_sale_return_exchanges`.
        returns = self.sudo()._get_exchange_returns()
        # The value is one that no client can send.
        moves = self.with_context(sale_return_whole=OwnValue(True))
        result = super(AccountMove, moves).unlink()
        self.env['sale.return.exchange.order']._follow(returns)
        return result

    def _get_exchange_returns(self):
        """Return the returns whose exchanges these documents bill, or credit again.

        To be called in superuser mode.
        """
        moves = self.filtered(lambda move: move.move_type in ('out_invoice', 'out_refund'))
        lines = (moves | moves.reversed_entry_id).line_ids.sale_line_ids
        return lines.order_id.exchange_return_id

    def _is_exchange_pending(self):
        """Tell whether a credit note may still have to pay for an exchange."""
        self.ensure_one()
        billing = self.env['sale.return.billing']
        # sudo: users who read a note need not be users of Returns.
        returns = self.sudo().invoice_line_ids.sale_return_line_id.return_id
        return any(
            billing._get_shortfall(sale_return, promised=True) > 0
            for sale_return in returns.filtered('exchange_order_ids')
        )

    def _is_sale_return_refund_automatic(self):
        """Extend not to pay back automatically what an exchange uses: see `_settle`."""
        return super()._is_sale_return_refund_automatic() and not self._is_exchange_pending()

    def _ensure_exchange_billed(self):
        """Refuse to pay back notes whose exchange is not billed as agreed.

        To be called in superuser mode.

        :raise UserError: naming the notes and the orders.
        """
        if notes := self.filtered(lambda note: note._is_exchange_pending()):
            returns = notes.sale_return_ids
            raise UserError(
                self.env._(
                    "Credit note %(notes)s cannot be paid back yet: it has to pay for exchange "
                    "order %(orders)s of return %(returns)s, which is not billed as agreed. Post "
                    "the invoice of the exchange as agreed, or cancel it: a new one is created. "
                    "Then pay back the rest.",
                    notes=", ".join(notes.mapped('name')),
                    orders=", ".join(returns.exchange_order_ids.mapped('name')),
                    returns=", ".join(returns.mapped('name')),
                )
            )
