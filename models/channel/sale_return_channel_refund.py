from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleReturnChannelRefund(models.Model):
    """A refund of a channel to a buyer, and its comparison with our credit notes.

    One record for each refund of a list, even if several files contain it; written by the importer
    and the matcher.
    """

    _name = 'sale.return.channel.refund'
    _inherit = ['sale.return.own.defaults']
    _description = "Refund by a Sales Channel"
    _order = 'date desc, id desc'
    _rec_name = 'key'

    # States that need no action.
    _settled_states = ('match', 'failed', 'pending')

    channel_id = fields.Many2one(
        'sale.return.channel', required=True, readonly=True, index=True, ondelete='restrict'
    )
    company_id = fields.Many2one(
        related='channel_id.company_id', store=True, index=True, readonly=True
    )
    source = fields.Char(
        string="List",
        required=True,
        readonly=True,
        help="Two lists of a channel may show the same money: each is compared separately.",
    )
    key = fields.Char(
        string="Refund", required=True, readonly=True, help="Name given by the channel."
    )
    kind = fields.Selection(
        [('refund', "Refund"), ('chargeback', "Chargeback"), ('stated', "Stated in a return")],
        required=True,
        readonly=True,
    )
    channel_state = fields.Selection(
        [('done', "Paid back"), ('pending', "Pending"), ('failed', "Failed")],
        string="At the Channel",
        required=True,
        readonly=True,
    )
    order_ref = fields.Char(string="Order at the Channel", readonly=True, index='btree_not_null')
    order_id = fields.Many2one('sale.order', readonly=True, index='btree_not_null')
    partner_id = fields.Many2one(related='order_id.partner_id', string="Customer")
    date = fields.Datetime(readonly=True)
    currency_id = fields.Many2one('res.currency', required=True, readonly=True)
    amount = fields.Monetary(
        string="Paid Back", readonly=True, help="What the buyer got back, tax included."
    )
    amount_before = fields.Monetary(
        string="Amount before", readonly=True, help="Another file states a different amount."
    )
    is_changed = fields.Boolean(string="Changed by the Channel", readonly=True)
    amount_credited = fields.Monetary(
        string="Credited", readonly=True, help="Amount on the credit notes it is compared with."
    )
    amount_difference = fields.Monetary(
        string="Difference", compute='_compute_difference', store=True
    )
    note_data = fields.Json(readonly=True, groups='base.group_no_one')
    note_ids = fields.Many2many(
        'account.move', string="Credit Notes", compute='_compute_note_ids', compute_sudo=True
    )
    reference = fields.Char(readonly=True, help="Payment, return or claim named in the file.")
    reason = fields.Char(readonly=True)
    sku = fields.Char(string="Article", readonly=True)
    parts = fields.Json(readonly=True, groups='base.group_no_one')
    file_ids = fields.Many2many('sale.return.channel.file', string="Files", readonly=True)
    state = fields.Selection(
        [
            ('match', "Matches"),
            ('difference', "Another amount"),
            ('no_credit_note', "No credit note"),
            ('no_return', "No return"),
            ('unknown_order', "Unknown order"),
            ('twice', "Refunded twice"),
            ('chargeback', "Chargeback"),
            ('pending', "Pending"),
            ('failed', "Failed"),
        ],
        string="Status",
        required=True,
        readonly=True,
        index=True,
        default='unknown_order',
        help=(
            "Result of comparing the refund with our credit notes. Only amounts count, to the cent."
        ),
    )
    explanation = fields.Text(compute='_compute_explanation')

    _key_unique = models.UniqueIndex('(channel_id, source, key)')
    _order_index = models.Index('(channel_id, source, order_id)')

    @api.depends('note_data')
    def _compute_note_ids(self):
        for refund in self:
            refund.note_ids = self.env['account.move'].browse(refund.note_data or []).exists()

    @api.depends('amount', 'amount_credited', 'state')
    def _compute_difference(self):
        for refund in self:
            matters = refund.state not in ('pending', 'failed')
            refund.amount_difference = refund.amount - refund.amount_credited if matters else 0.0

    @api.depends('state', 'amount', 'amount_credited', 'order_ref')
    def _compute_explanation(self):
        for refund in self:
            refund.explanation = refund._explain()

    def _explain(self):
        """Describe in a sentence how a refund compares with our credit notes."""
        self.ensure_one()
        money = self.currency_id.format
        values = {
            'channel': self.channel_id.name,
            'order': self.sudo().order_id.name or self.order_ref or "",  # sudo: as below
            'number': self.order_ref or "",
            'amount': money(self.amount),
            'credited': money(self.amount_credited),
            # sudo: users who may read a refund may read what the sentence says about its notes.
            'notes': ", ".join(self.sudo().note_ids.mapped('name')),
        }
        sentences = {
            'match': self.env._(
                "%(channel)s paid back %(amount)s on order %(order)s, as credited.", **values
            ),
            'difference': self.env._(
                "%(channel)s paid back %(amount)s on order %(order)s, but %(credited)s were "
                "credited (%(notes)s). Look for a rounding difference in the notes, or for a "
                "second refund.",
                **values,
            ),
            'no_credit_note': self.env._(
                "%(channel)s paid back %(amount)s on order %(order)s, but there is no credit "
                "note for it. Finish the return, or grant goodwill.",
                **values,
            ),
            'no_return': self.env._(
                "%(channel)s paid back %(amount)s on order %(order)s, which has no return. "
                "Create one, or grant goodwill.",
                **values,
            ),
            'unknown_order': self.env._(
                "%(channel)s paid back %(amount)s on order %(number)s, which Odoo does not have.",
                **values,
            ),
            'twice': self.env._(
                "%(channel)s paid back %(amount)s on order %(order)s a second time, with one "
                "credit note for both. Ask the channel.",
                **values,
            ),
            'chargeback': self.env._(
                "The bank of the buyer took back %(amount)s of order %(order)s from %(channel)s. "
                "Decide whether to object or to credit.",
                **values,
            ),
            'pending': self.env._(
                "%(channel)s is about to pay back %(amount)s on order %(order)s.", **values
            ),
            'failed': self.env._(
                "A refund of %(channel)s on order %(order)s failed: the buyer got nothing.",
                **values,
            ),
        }
        return sentences.get(self.state, "")

    def action_open_return(self):
        """Open the dialog that returns goods of the order."""
        self.ensure_one()
        if not self.order_id:
            raise UserError(
                self.env._(
                    "Odoo has no order %(number)s yet. Import the order first, then compare again.",
                    number=self.order_ref or "",
                )
            )
        return self.order_id.action_create_return()
