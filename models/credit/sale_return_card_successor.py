from odoo import api, fields, models


class SaleReturnCardSuccessor(models.Model):
    """A card that took the place of one that cannot be used any more.

    What goes back to an expired or archived card is put on a new one, in place of the old one.
    Cards are plain numbers, as they are records of an app that need not be installed.
    """

    _name = 'sale.return.card.successor'
    _inherit = ['sale.return.evidence']
    _description = "Successor of a Card"
    _rec_name = 'card_id'

    card_id = fields.Integer(required=True, string="Old Card ID")
    successor_id = fields.Integer(required=True, index=True, string="New Card ID")
    company_id = fields.Many2one('res.company', index=True, ondelete='restrict')

    _card_unique = models.Constraint('UNIQUE(card_id)', "A card has one successor.")

    @api.model
    def _is_usable(self, card):
        """Tell whether a customer can pay with a card.

        :param card: one `loyalty.card` in superuser mode.
        """
        today = (card.company_id or self.env.company)._get_sale_return_day()
        return card.active and (not card.expiration_date or card.expiration_date >= today)

    @api.model
    def _get_root(self, card):
        """Return the card in whose place another one is, or the card itself."""
        # A successor may have one, too.
        while row := self.search([('successor_id', '=', card.id)], limit=1):
            card = card.browse(row.card_id)
        return card

    @api.model
    def _get_roots(self, cards):
        """Return cards and all in whose place they are."""
        while rows := self.search(
            [('successor_id', 'in', cards.ids), ('card_id', 'not in', cards.ids)]
        ):
            cards |= cards.browse(rows.mapped('card_id'))
        return cards

    @api.model
    def _get_family(self, card):
        """Return a card and those that took its place, the latest last."""
        family = card
        while row := self.search([('card_id', '=', family[-1:].id)], limit=1):
            family += card.browse(row.successor_id)
        return family

    @api.model
    def _get_usable(self, card):
        """Return the card itself or, where it cannot be used any more, a new one in its place.

        :param card: one `loyalty.card` in superuser mode.
        """
        latest = self._get_family(card)[-1:]
        if self._is_usable(latest):
            return latest
        successor = card.create(
            {'program_id': latest.program_id.id, 'partner_id': latest.partner_id.id}
        )
        self.create(
            {
                'card_id': latest.id,
                'successor_id': successor.id,
                'company_id': latest.company_id.id,
            }
        )
        return successor
