from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = 'base.partner.merge.automatic.wizard'

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Override of `base` so that what names a merged card names the one that has its points."""
        loyalty = self.env['sale.return.loyalty'].sudo()  # sudo: as Odoo merges the cards
        cards = loyalty._get_cards_of(src_partners | dst_partner)
        result = super()._update_foreign_keys(src_partners, dst_partner)
        for merged, kept in loyalty._get_merged_cards(cards, dst_partner):
            self._update_foreign_keys_generic('loyalty.card', merged, kept)
            self.env['sale.return']._follow_merged_cards(merged, kept)
        return result
