from odoo import models

from ...tools.reader import code_or_id, flag, needed, number, reads, record_id, text


class AccountMove(models.Model):
    """Granting goodwill on an invoice."""

    _inherit = 'account.move'

    def action_open_goodwill(self):
        """Open the dialog that grants goodwill on an invoice."""
        self.env['sale.return']._ensure_group('group_user')
        return self.env['sale.return.goodwill.grant']._get_action(self)

    @reads(
        amount=needed(number),
        reason=needed(code_or_id),
        comment=text,
        tax_included=flag,
        product_id=record_id,
    )
    def grant_goodwill(self, amount, reason, comment, tax_included=True, product_id=None):
        """Credit a part of an invoice without goods.

        :param float amount: in the currency of the invoice, above zero.
        :param reason: code or id of a reason of the class goodwill.
        :param str comment: why.
        :param bool tax_included: whether the amount contains its taxes.
        :param int product_id: product of the invoice that it is for; all of them by default.
        :return: the posted credit note.
        :rtype: account.move
        :raise AccessError: without a role in Returns, or without access to the invoice.
        :raise UserError: when it exceeds the rest of the invoice or a limit.
        """
        self.env['sale.return.reader']._ensure_one(self)
        self.env['sale.return']._ensure_group('group_user')
        self.check_access('read')
        reason = self.env['sale.return.disposal']._find_configuration(
            'sale.return.reason', reason, self.company_id
        )
        return self.env['sale.return.goodwill.credit']._grant(
            self,
            amount,
            reason,
            tax_included=tax_included,
            comment=comment,
            product=product_id and self.env['product.product'].browse(product_id),
        )
