from odoo import api, models
from odoo.tools import consteq
from odoo.tools.misc import hmac

from ...tools.reader import MAX_ID

# Purpose of the code: a signature for something else is none.
SCOPE = 'sale_return.gift'
# Without letters that look like digits (Crockford's base 32).
ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
LOOKALIKES = str.maketrans('OIL', '011')
# 60 bits: nobody guesses them at the pace that the pages allow.
SIGNS = 12


def encode(number, length=0):
    """Return a number in base 32.

    >>> encode(33), encode(1, 4)
    ('11', '0001')
    """
    text = ''
    while number:
        number, digit = divmod(number, len(ALPHABET))
        text = ALPHABET[digit] + text
    return text.rjust(length, '0')


class StockPicking(models.Model):
    """The code on the slip of a delivery, with which a recipient returns a gift."""

    _inherit = 'stock.picking'

    def _get_sale_return_gift_code(self):
        """Return the code that the delivery slip shows, '' where the goods are no gift.

        It is computed from the delivery and the secret of the database, and not stored.

        :rtype: str
        """
        self.ensure_one()
        # sudo: who prints a slip need read neither orders nor settings.
        picking = self.sudo()
        if not (
            picking.picking_type_id.code == 'outgoing'
            and picking.sale_id.sale_return_gift
            and picking.company_id.sale_return_gift
            and picking.company_id.sale_return_portal
        ):
            return ''
        code = self._sign_sale_return_gift(picking.id) + encode(picking.id)
        return '-'.join(code[start : start + 4] for start in range(0, len(code), 4))

    @api.model
    def _sign_sale_return_gift(self, picking_id):
        # sudo: it is signed with the key of the database.
        number = int(hmac(self.sudo().env, SCOPE, picking_id), 16)
        return encode(number % len(ALPHABET) ** SIGNS, SIGNS)

    @api.model
    def _find_by_sale_return_gift_code(self, text):
        """Return the delivery with a code, in superuser mode; empty for any other text.

        :param str text: as typed by a stranger: small letters, blanks and hyphens do not matter.
        """
        # sudo: access is granted by the code, not by the user.
        none = self.sudo().browse()
        code = (text or '').upper().translate(LOOKALIKES)
        code = ''.join(sign for sign in code if sign in ALPHABET)
        number = 0
        for sign in code[SIGNS : SIGNS + 8]:
            number = number * len(ALPHABET) + ALPHABET.index(sign)
        if not 0 < number <= MAX_ID or len(code) > SIGNS + 8:
            return none
        if not consteq(code[:SIGNS], self._sign_sale_return_gift(number)):
            return none
        picking = none.browse(number).exists()
        return picking if picking and picking._get_sale_return_gift_code() else none

    def _is_sale_return_gift(self):
        """Tell whether a transfer takes a gift back from its recipient."""
        # sudo: whoever may see the transfer need not read returns.
        return bool(self.sudo().move_ids.sale_return_line_id.return_id.filtered('is_gift'))
