import hashlib

from odoo import api, fields, models


class SaleReturnWithdrawal(models.Model):
    """A consumer's statement that he withdraws from a contract, as it was acknowledged.

    Directive 2011/83/EU art. 11a: what was said, and the day and the second it came. Written once.
    """

    _name = 'sale.return.withdrawal'
    _inherit = ['sale.return.evidence']
    _description = "Withdrawal from a Contract"
    _order = 'id desc'
    _rec_name = 'order_id'
    _check_company_auto = True

    order_id = fields.Many2one(
        'sale.order',
        required=True,
        index=True,
        ondelete='restrict',
        check_company=True,
        help="The contract.",
    )
    company_id = fields.Many2one('res.company', required=True, index=True)
    partner_id = fields.Many2one('res.partner', string="Customer", required=True)
    return_id = fields.Many2one(
        'sale.return',
        index='btree_not_null',
        ondelete='restrict',
        help="The return of what was delivered already.",
    )
    date = fields.Datetime(string="Received on", required=True)
    customer_name = fields.Char(string="Name Given", required=True)
    email = fields.Char(string="E-mail Given", required=True)
    statement = fields.Text(required=True, help="What was stated and acknowledged, word for word.")
    sha256 = fields.Char(string="SHA-256", required=True, help="Of the statement.")
    content = fields.Json(help="Order lines and quantities of the statement.")
    key = fields.Char(required=True, help="Of the form, which is good for one statement.")
    user_id = fields.Many2one('res.users', string="Recorded by", required=True)
    mail_state = fields.Selection(
        [
            ('outgoing', "Waiting"),
            ('sent', "Sent"),
            ('exception', "Failed"),
            ('cancel', "Cancelled"),
            ('received', "Received"),
        ],
        string="Acknowledgement",
        compute='_compute_mail_state',
        compute_sudo=True,
    )

    _key_unique = models.UniqueIndex('(key)')

    def _compute_mail_state(self):
        mails = self.env['mail.mail'].search(
            [('model', '=', self._name), ('res_id', 'in', self.ids)], order='id'
        )
        states = {mail.res_id: mail.state for mail in mails}
        for withdrawal in self:
            withdrawal.mail_state = states.get(withdrawal.id)

    @api.model
    def _prepare_hash(self, statement):
        return hashlib.sha256(statement.encode()).hexdigest()

    def _acknowledge(self):
        """Mail the customer what he stated and when it came, at once."""
        template = self.env.ref('sale_return.mail_template_withdrawal').sudo()
        for withdrawal in self:
            # One by one: each goes to the addresses of one statement.
            own = withdrawal.partner_id.email_normalized
            recipients = dict.fromkeys(filter(None, [withdrawal.email, own]))
            template.send_mail(
                withdrawal.id, email_values={'email_to': ", ".join(recipients), 'recipient_ids': []}
            )
        # sudo: whoever states it may not start jobs.
        self.env.ref('mail.ir_cron_mail_scheduler_action').sudo()._trigger()
