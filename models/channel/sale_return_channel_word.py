from odoo import api, fields, models, tools

from ...const import LIABILITIES
from .sale_return_channel import PLATFORM_NAMES


class SaleReturnChannelWord(models.Model):
    """What a word of a channel means here: a reason, a condition, or a status."""

    _name = 'sale.return.channel.word'
    _inherit = ['sale.return.cached', 'sale.return.shared']
    _description = "Word of a Sales Channel"
    _order = 'platform, kind, name, id'

    name = fields.Char(string="Word", required=True, help="As written in the files of the channel.")
    platform = fields.Selection(PLATFORM_NAMES, required=True)
    company_id = fields.Many2one('res.company', index=True, help="Empty: for all companies.")
    kind = fields.Selection(
        [('reason', "Reason"), ('condition', "Condition"), ('status', "Status")],
        required=True,
        default='reason',
    )
    reason_id = fields.Many2one('sale.return.reason', check_company=True, ondelete='restrict')
    grade_id = fields.Many2one('sale.return.grade', check_company=True, ondelete='restrict')
    liability = fields.Selection(LIABILITIES, string="Whose Fault")
    is_exchange = fields.Boolean(
        string="Replacement Wanted",
        help="The customer wants the same product again, not their money.",
    )
    is_left_out = fields.Boolean(
        string="No Return", help="Nothing comes back: rows with this status create no return."
    )

    _name_unique = models.UniqueIndex(
        '(COALESCE(company_id, 0), platform, kind, lower(name))',
        "This word already has a meaning.",
    )

    @api.model
    @tools.ormcache('platform', 'company_id')
    def _get_words(self, platform, company_id):
        """Return `{(kind, word in small letters): id}`; words of the company come first."""
        # sudo: what words mean is the same for all users.
        words = self.sudo().search(
            [('platform', '=', platform), ('company_id', 'in', (False, company_id))]
        )
        return {
            (word.kind, word.name.strip().casefold()): word.id
            for word in words.sorted(lambda word: bool(word.company_id))
        }

    @api.model
    def _find(self, channel, kind, text):
        """Return what a word means at a channel, empty for an unknown one."""
        words = self._get_words(channel.platform, channel.company_id.id)
        return self.sudo().browse(words.get((kind, (text or '').strip().casefold()), ()))
