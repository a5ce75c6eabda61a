from datetime import timedelta

from odoo import api, fields, models


class SaleReturnCutoff(models.TransientModel):
    """Dialog: what was received and not credited, or vice versa, at the end of a day."""

    _name = 'sale.return.cutoff'
    _description = "Return Cut-off"

    date = fields.Date(
        string="At the end of",
        required=True,
        default=lambda self: self._default_date(),
        help="Transfers count by the day they were done, in the time zone of the company; credit "
        "notes by their accounting date.",
    )
    company_ids = fields.Many2many(
        'res.company',
        string="Companies",
        required=True,
        default=lambda self: self.env.companies,
        domain="[('id', 'in', allowed_company_ids)]",
    )

    @api.model
    def _default_date(self):
        """Return the last day of the month before."""
        return fields.Date.context_today(self).replace(day=1) - timedelta(days=1)

    def action_show(self):
        """Show what was open at the end of the day, as a list that can be exported.

        :return: the action of the list.
        :rtype: dict
        :raise AccessError: without the right to read the differences of returns.
        """
        self.ensure_one()
        self.env['sale.return.reconciliation'].check_access('read')
        rows = [
            {**vals, 'cutoff_id': self.id}
            for company in self.company_ids & self.env.companies
            for vals in self.env['sale.return.accruals']._get_rows(company, self.date)
        ]
        # sudo: nobody writes rows directly; the user stays their owner.
        self.env['sale.return.cutoff.line'].sudo().create(rows)
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_cutoff_line_action'
        )
        return {
            **action,
            'name': self.env._("Return Cut-off on %(date)s", date=fields.Date.to_string(self.date)),
            'domain': [('cutoff_id', '=', self.id)],
        }
