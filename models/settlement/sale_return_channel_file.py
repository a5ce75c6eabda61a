from collections import defaultdict

from odoo import api, fields, models


class SaleReturnChannelFile(models.Model):
    """Files whose settlement is drafted, posted, and reversed."""

    _inherit = 'sale.return.channel.file'

    movement_ids = fields.One2many('sale.return.channel.movement', 'file_id', readonly=True)
    statement_id = fields.Many2one(
        'account.bank.statement',
        string="Bank Statement",
        readonly=True,
        copy=False,
        index='btree_not_null',
        ondelete='restrict',
        help="What the settlement was posted as.",
    )
    has_journal = fields.Boolean(compute='_compute_settlement', compute_sudo=True)
    settlement_state = fields.Selection(
        [('draft', "Draft"), ('posted', "Posted")],
        string="Settlement Status",
        compute='_compute_settlement',
        compute_sudo=True,
    )
    amount_paid_out = fields.Monetary(
        string="Paid Out", compute='_compute_settlement', compute_sudo=True
    )
    amount_left = fields.Monetary(
        string="Stays with the Channel",
        compute='_compute_settlement',
        compute_sudo=True,
        help="All movements of the file less what was paid out. 0.00 for a settlement that is "
        "paid out as a whole.",
    )

    @api.depends('movement_ids', 'statement_id', 'channel_id')
    def _compute_settlement(self):
        sums = defaultdict(dict)
        for file, kind, amount in self.env['sale.return.channel.movement']._read_group(
            [('file_id', 'in', self.ids)], ['file_id', 'kind'], ['amount:sum']
        ):
            sums[file][kind] = amount
        for file in self:
            moved = sums[file]
            file.has_journal = bool(file.channel_id.journal_id)
            file.settlement_state = 'posted' if file.statement_id else 'draft' if moved else False
            file.amount_paid_out = -moved.get('payout', 0.0)
            file.amount_left = sum(moved.values())

    def action_draft_settlement(self):
        """Read what the file says of the account with the channel; nothing is posted.

        :raise AccessError: if the user may not enter bank statements.
        :raise UserError: if the file does not show the whole account, or shows nothing new.
        """
        for file in self:
            self.env['sale.return.channel.settler']._draft(file)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}

    def action_post_settlement(self):
        """Post the settlements as bank statements; one that is posted stays as it is.

        :return: the action that shows the entries of the statements.
        :rtype: dict
        :raise AccessError: if the user may not enter bank statements.
        :raise UserError: if rows are broken, or the stated total is not explained.
        """
        settler = self.env['sale.return.channel.settler']
        for file in self:
            settler._post(file)
        return self.action_view_statement()

    def action_reverse_settlement(self):
        """Post the opposite of the statements today; the settlements are drafts again.

        :raise AccessError: if the user may not enter bank statements.
        :raise UserError: if a settlement is not posted.
        """
        settler = self.env['sale.return.channel.settler']
        for file in self:
            settler._reverse(file)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}

    def action_view_movements(self):
        """Show what the files say of the account with the channel, by kind."""
        self.check_access('read')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Movements"),
            'res_model': 'sale.return.channel.movement',
            'view_mode': 'list',
            'domain': [('file_id', 'in', self.ids)],
            'context': {'group_by': ['kind', 'label']},
        }

    def action_view_statement(self):
        """Show the entries that the settlements were posted as."""
        self.check_access('read')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Settlement"),
            'res_model': 'account.move',
            'view_mode': 'list,form',
            'domain': [('statement_line_id.statement_id', 'in', self.statement_id.ids)],
            'context': {'create': False},
        }
