from datetime import timedelta

from odoo import api, fields, models

from ...const import OPEN_STATES

PROTECTED_FIELDS = frozenset({'portal_kind'})

# Days that a request stays that was begun and never sent.
DRAFT_DAYS = 2


class SaleReturn(models.Model):
    """Returns that customers asked for on their pages."""

    _inherit = 'sale.return'

    portal_kind = fields.Selection(
        [('request', "Request"), ('withdrawal', "Withdrawal from the contract")],
        string="Asked by the Customer",
        readonly=True,
        copy=False,
        index='btree_not_null',
        help="The customer asked for it himself, on his pages.",
    )

    def _is_derived(self, name):
        """Override of `sale.return.derived` to protect who asked."""
        return name in PROTECTED_FIELDS or super()._is_derived(name)

    def _is_received_message_due(self):
        """Leave withdrawals out: they are acknowledged at once, word for word."""
        return self.portal_kind != 'withdrawal' and self.state not in ('draft', 'cancelled')

    @api.model
    def _count_open_requests(self, customer, company):
        """Count the returns under way that a customer asked for himself.

        :param customer: commercial partner.
        :rtype: int
        """
        # sudo: all his requests count, whoever asks.
        return self.sudo().search_count(
            [
                ('portal_kind', '=', 'request'),
                ('state', 'in', OPEN_STATES),
                ('company_id', '=', company.id),
                ('partner_id', 'child_of', customer.ids),
            ]
        )

    @api.autovacuum
    def _gc_portal_drafts(self):
        """Delete requests that were begun and never sent, with their photos."""
        drafts = self.sudo().search(
            [
                ('portal_kind', '!=', False),
                ('state', '=', 'draft'),
                ('submission_count', '=', 0),
                ('write_date', '<', fields.Datetime.now() - timedelta(days=DRAFT_DAYS)),
            ],
            limit=500,
        )
        drafts.filtered(lambda r: not r.event_ids).unlink()
