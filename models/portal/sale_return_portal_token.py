from odoo import api, fields, models
from odoo.fields import NO_ACCESS


class SaleReturn(models.Model):
    """The link to a return: dead for every door of Odoo once it has expired.

    Pages, messages, mails and downloads each compare tokens by themselves, so it is the token that
    goes: after its last moment the return has none, and nothing equals it.
    """

    _inherit = 'sale.return'

    access_token = fields.Char(
        compute='_compute_access_token', inverse='_inverse_access_token', compute_sudo=True
    )
    access_token_value = fields.Char(copy=False, groups=NO_ACCESS)

    @api.depends('access_token_value', 'access_token_expiry')
    def _compute_access_token(self):
        now = fields.Datetime.now()
        for sale_return in self:
            expiry = sale_return.access_token_expiry
            alive = bool(expiry) and expiry > now
            sale_return.access_token = alive and sale_return.access_token_value

    def _inverse_access_token(self):
        for sale_return in self:
            # sudo: the token is nobody's to read or write; `_portal_ensure_token` gives it.
            sale_return.sudo().access_token_value = sale_return.access_token

    def get_portal_url(self, *args, **kwargs):
        """Override of `portal`: remote clients get links to what they may read only."""
        self.check_access('read')
        return super().get_portal_url(*args, **kwargs)

    def _sign_token(self, pid):
        """Override of `portal`: without a living link nothing is signed.

        Otherwise all returns whose link has expired would have the same signature.
        """
        self.ensure_one()
        # sudo: whoever posts a message gives the link of its return, whose token he cannot read.
        sale_return = self.sudo()
        return super(SaleReturn, sale_return)._sign_token(pid) if sale_return.access_token else ''

    @api.model
    def _get_thread_with_access(self, thread_id, *, hash=None, pid=None, token=None, **kwargs):
        """Override of `portal`: customers who are logged in and use a link may have it compared."""
        thread = super()._get_thread_with_access(
            thread_id, hash=hash, pid=pid, token=token, **kwargs
        )
        if (hash or token) and self.env.user.share:
            # sudo: what is given back is compared with the token, which they cannot read.
            return thread.sudo()
        return thread

    def _get_access_action(self, access_uid=None, force_website=False):
        """Override of `portal`: following a link does not make it live longer."""
        followed = self.with_context(sale_return_link_followed=True)
        return super(SaleReturn, followed)._get_access_action(
            access_uid=access_uid, force_website=force_website
        )
