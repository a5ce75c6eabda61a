from odoo import api, fields, models


class SaleReturnForecastRun(models.Model):
    """The last forecast of a company, and how good the one before it was."""

    _name = 'sale.return.forecast.run'
    _description = "Forecast of a Company"
    _rec_name = 'company_id'
    _order = 'company_id'

    company_id = fields.Many2one(
        'res.company', required=True, readonly=True, ondelete='cascade', index=True
    )
    date = fields.Datetime("Made on", readonly=True)
    product_count = fields.Integer("Products and Warehouses", readonly=True)
    is_judged = fields.Boolean("Compared with the Past", readonly=True)
    wape = fields.Float(
        "Error",
        readonly=True,
        help="How far off a forecast made eight weeks ago was, in percent of what came back: the "
        "sum over all products of the differences in the seven weeks after the next.",
    )
    wape_naive = fields.Float(
        "Error of “as last week”", readonly=True, help="Had the last week been taken instead."
    )
    wape_average = fields.Float(
        "Error of the average",
        readonly=True,
        help="Had the average of the last eight weeks been taken instead.",
    )
    coverage = fields.Float(
        "Products within Their Interval",
        readonly=True,
        help="Of products of which five units or more were expected back; 80 % should be.",
    )
    coverage_weeks = fields.Float(
        "Weeks within Their Interval", readonly=True, help="80 % should be."
    )
    week_ids = fields.One2many('sale.return.forecast.week', 'run_id', readonly=True)

    _one_per_company = models.UniqueIndex(
        '(company_id)', "There is a forecast of this company already."
    )

    @api.model
    def action_open_page(self):
        """Open the forecast of the company.

        :rtype: dict
        """
        self.env['sale.return']._ensure_group('group_user')
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_forecast_run_action'
        )
        run = self.search([('company_id', '=', self.env.company.id)], limit=1)
        if run:
            action.update(res_id=run.id, views=[(False, 'form')], view_mode='form')
        return action

    def action_open_products(self):
        """Open what is expected of each product and week.

        :rtype: dict
        """
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_forecast_action'
        )
        return {**action, 'domain': [('run_id', '=', self.id)]}

    def action_open_weeks(self):
        """Open the chart of the weeks.

        :rtype: dict
        """
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_forecast_week_action'
        )
        return {**action, 'domain': [('run_id', '=', self.id)]}
