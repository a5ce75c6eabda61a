from datetime import timedelta

from odoo import api, fields, models


class SaleReturn(models.Model):
    """The return slip: what the customer puts into the parcel, and when it is mailed."""

    _inherit = 'sale.return'

    date_send_until = fields.Date(
        string="Last Day to Send",
        compute='_compute_date_send_until',
        store=True,
        help="Day of the approval plus the days that the policy gives, the last one included. The "
        "line with the fewest days counts. Empty when no goods are expected.",
    )
    slip_mail_queued = fields.Boolean(
        compute='_compute_slip_mail',
        compute_sudo=True,
        help="Waits for the scheduled job that sends messages.",
    )
    slip_mail_error = fields.Text(
        compute='_compute_slip_mail',
        compute_sudo=True,
        help="Why the return slip could not be mailed.",
    )

    # === COMPUTE METHODS === #

    @api.depends('customer_message_ids.state', 'customer_message_ids.error')
    def _compute_slip_mail(self):
        for sale_return in self:
            slips = sale_return.customer_message_ids.filtered(
                lambda m: m.kind_id.code == 'approved' and m.state in ('waiting', 'failed')
            )
            sale_return.slip_mail_queued = bool(slips)
            sale_return.slip_mail_error = slips[:1].error

    # Not on the days of the policy: what the customer was told stays when the policy changes.
    @api.depends(
        'state',
        'approval_ids.decision',
        'approval_ids.date',
        'line_ids.return_expected',
        'line_ids.policy_id',
    )
    def _compute_date_send_until(self):
        for sale_return in self:
            sale_return.date_send_until = sale_return._get_date_send_until()

    def _get_date_send_until(self):
        """Return the last day on which the goods may be sent, in the company's time zone.

        E.g., approved at 2026-03-01 23:30 UTC by a company in Shanghai (already 2 March there),
        30 days: 2026-04-01.

        :return: the last day, inclusive; False when nothing is expected or nothing is approved.
        :rtype: datetime.date | bool
        """
        self.ensure_one()
        approvals = self.approval_ids.filtered(lambda a: a.decision == 'approved')
        # Lines that a person approved without a policy set no limit.
        policies = self.line_ids.filtered('return_expected').policy_id
        if self.state not in ('approved', 'closed') or not approvals or not policies:
            return False
        local = self.with_context(tz=self._get_company_timezone())
        approved_on = fields.Datetime.context_timestamp(local, max(approvals.mapped('date')))
        return approved_on.date() + timedelta(days=min(policies.mapped('expiry_days')))

    def _get_company_timezone(self):
        """Return the name of the time zone in which the days of the company begin and end."""
        self.ensure_one()
        company = self.company_id.sudo()  # whoever approves need not see the calendar
        return company.partner_id.tz or company.resource_calendar_id.tz or 'UTC'

    # === SLIP === #

    def _get_slip_lines(self):
        """Return the lines whose goods the customer sends. Override to leave out more."""
        self.ensure_one()
        if self.state in ('refused', 'cancelled'):
            return self.line_ids.browse()
        return self.line_ids.filtered(
            lambda line: (
                line.return_expected
                and line.product_uom_id.compare(line._get_qty_expected(), 0.0) > 0
            )
        )

    def _get_slip_address(self):
        """Return the partner at whose address the goods are received."""
        self.ensure_one()
        # sudo: whoever prints the slip of a return need not see warehouses.
        return self.sudo().warehouse_id.partner_id or self.sudo().company_id.partner_id

    # === MAIL === #

    def _is_slip_mail_due(self):
        """Tell whether the customer of a return is to be told what to send.

        Override to leave out returns whose customers are told in another way.
        """
        self.ensure_one()
        return bool(
            self.state == 'approved'
            and self.company_id.sale_return_mail_approved
            and any(line._get_qty_missing() for line in self.line_ids)
        )
