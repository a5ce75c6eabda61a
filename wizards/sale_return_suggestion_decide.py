from odoo import fields, models

from ..tools.context import get_ids


class SaleReturnSuggestionDecide(models.TransientModel):
    """Dialog (improvement): accept suggestions, or dismiss them."""

    _name = 'sale.return.suggestion.decide'
    _description = "Decide on Suggestions"

    suggestion_ids = fields.Many2many(
        'sale.return.suggestion', default=lambda self: self._default_suggestion_ids()
    )
    change = fields.Char("What Is Changed")
    date_from = fields.Date(
        "In Effect from", default=lambda self: self.env.company._get_sale_return_day()
    )
    reason = fields.Char()

    def _default_suggestion_ids(self):
        is_of_suggestions = self.env.context.get('active_model') == 'sale.return.suggestion'
        ids = get_ids(self.env, 'active_ids')
        return ids if is_of_suggestions else False

    def action_accept(self):
        """Accept the suggestions, and open the improvements.

        :rtype: dict
        """
        self.ensure_one()
        return self.suggestion_ids.action_accept(self.change, self.date_from)

    def action_dismiss(self):
        """Dismiss the suggestions.

        :rtype: dict
        """
        self.ensure_one()
        self.suggestion_ids.action_dismiss(self.reason)
        return {'type': 'ir.actions.act_window_close'}
