from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context


class SaleReturnPay(models.TransientModel):
    """Dialog: preview of where the money of credit notes goes."""

    _name = 'sale.return.pay'
    _inherit = ['sale.return.dialog']
    _description = "Refund"

    line_ids = fields.One2many(
        'sale.return.pay.line',
        'wizard_id',
        default=lambda self: self._default_line_ids(),
        readonly=True,
    )

    way = fields.Selection(
        [
            ('original', "The way it was paid"),
            ('journal', "From another bank or cash account"),
        ],
        required=True,
        default='original',
    )
    company_id = fields.Many2one('res.company', compute='_compute_company_id')
    journal_id = fields.Many2one(
        'account.journal',
        string="Account",
        domain="[('company_id', 'parent_of', company_id), "
        "('type', 'in', ('bank', 'cash', 'credit'))]",
        help="The money is paid from this journal, by a payment.",
    )
    post_now = fields.Boolean(
        default=True,
        help="Payments are posted at once. Without it they wait for somebody to post them.",
    )
    hands_over = fields.Boolean(
        compute='_compute_hands_over',
        compute_sudo=True,
        help="Above the limit: a second person pays what is prepared here.",
    )
    has_payout = fields.Boolean(compute='_compute_has_payout')
    has_written_back = fields.Boolean(compute='_compute_has_payout')

    @api.depends('return_ids')
    def _compute_company_id(self):
        for wizard in self:
            wizard.company_id = wizard.return_ids.company_id[:1]

    @api.depends('line_ids.way')
    def _compute_has_payout(self):
        for wizard in self:
            wizard.has_payout = any(line.way != 'rest' for line in wizard.line_ids)
            wizard.has_written_back = any(line.written_back for line in wizard.line_ids)

    @api.depends('line_ids', 'return_ids')
    @api.depends_context('uid')
    def _compute_hands_over(self):
        for wizard in self:
            wizard.hands_over = wizard.return_ids.credit_note_ids._is_sale_return_handed_over()

    def _default_line_ids(self):
        """Return the plan of `sale.return.preview_refund`, one line per payout and remainder."""
        returns = self._default_return_ids()
        commands = []
        seen = set()
        for notes in returns.preview_refund().values() if returns else ():
            for note in notes:
                if note['note_id'] in seen:
                    continue  # one note for several returns
                seen.add(note['note_id'])
                commands += [
                    Command.create(vals)
                    for vals in self.env['sale.return.pay.line']._prepare_vals_list(note)
                ]
        return commands

    def action_leave_on_account(self):
        """Leave the open amount on the customer's account, and close the dialog."""
        self.ensure_one()
        self.return_ids.with_context(clean_context(self.env.context)).action_leave_on_account()
        return {'type': 'ir.actions.act_window_close'}

    def action_confirm(self):
        """Pay back and show the result; open payouts that wait for somebody.

        :return: a message if the money is on its way, else the waiting payouts.
        :rtype: dict
        :raise AccessError: if the user may not refund.
        :raise UserError: when a payment cannot be created.
        """
        self.ensure_one()
        # The context of the dialog must not affect the documents that are created.
        returns = self.return_ids.with_context(clean_context(self.env.context))
        other = self.way == 'journal'
        if other and not self.journal_id:
            raise UserError(self.env._("Choose the account from which the money is paid."))
        refunds = returns.action_refund(
            online=not other, journal_id=self.journal_id.id if other else None
        )
        if self.post_now:
            refunds.action_post()
        if not refunds:
            return {'type': 'ir.actions.act_window_close'}
        if any(refund.state == 'prepared' and refund.method == 'payment' for refund in refunds):
            return refunds._get_records_action(name=self.env._("Refunds"))
        return self._tell(refunds)

    def _tell(self, refunds):
        """Return the message about payouts that need no action."""
        sums = refunds._get_sums()
        customers = ", ".join(refunds.partner_id.mapped('display_name'))
        if all(refund.state == 'done' for refund in refunds):
            message = self.env._(
                "%(amount)s was paid back to %(customer)s.", amount=sums, customer=customers
            )
        else:
            message = self.env._(
                "%(amount)s is on its way to %(customer)s.", amount=sums, customer=customers
            )
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'type': 'success',
                'message': message,
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }
