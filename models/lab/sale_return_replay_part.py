from odoo import fields, models


class SaleReturnReplayPart(models.Model):
    """Some returns of a replay, which are replayed in one transaction, and what was counted."""

    _name = 'sale.return.replay.part'
    _description = "Part of a Replay"
    _order = 'id'

    replay_id = fields.Many2one('sale.return.replay', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='replay_id.company_id', store=True)
    return_keys = fields.Json(required=True, help="IDs of returns, each with its moment.")
    is_done = fields.Boolean()
    error = fields.Char(help="Why the returns could not be replayed.")
    counts = fields.Json(help="Numbers and values by what was and what would be decided.")
