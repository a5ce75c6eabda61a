from odoo import api, fields, models

from ...tools.window import local_day

# Who may write on companies in Odoo; the settings write as the user who saves them.
SETTINGS_GROUP = 'base.group_erp_manager'


class ResCompany(models.Model):
    _name = 'res.company'

    _inherit = ['res.company', 'sale.return.owned']

    sale_return_view_location_id = fields.Many2one(
        'stock.location',
        readonly=True,
        copy=False,
        help="Parent of the quarantines of the company's warehouses.",
        groups='base.group_user',
    )
    sale_return_refurbish_view_id = fields.Many2one(
        'stock.location',
        readonly=True,
        copy=False,
        help="Parent of the locations where the company's warehouses refurbish returns.",
        groups='base.group_user',
    )
    sale_return_scrap_location_id = fields.Many2one(
        'stock.location',
        readonly=True,
        copy=False,
        help="Where scrapped returns go.",
        groups='base.group_user',
    )
    sale_return_adopt_native = fields.Boolean(
        string="Odoo's Returns Create Returns",
        default=True,
        help=(
            "Goods returned with Odoo's own return of a delivery create a return, which is "
            "approved, inspected and credited like any other."
        ),
        groups='base.group_user',
    )
    sale_return_auto_credit = fields.Boolean(
        string="Automatic Credit Notes",
        default=True,
        help=(
            "Credit notes are created as soon as the policy releases them. Otherwise somebody has"
            " to press the button."
        ),
        groups='base.group_user',
    )
    sale_return_mail_approved = fields.Boolean(
        string="Mail the Return Slip",
        default=True,
        help="Customers get a mail with the return slip when their return is approved and goods "
        "are expected.",
        groups='base.group_user',
    )
    sale_return_file_months = fields.Integer(
        string="Keep Files of Returns",
        help="Months after which photos and documents of finished returns are erased; their hash "
        "stays. 0: they are kept.",
        groups='base.group_user',
    )
    sale_return_rate = fields.Selection(
        [('original', "Rate of the invoice"), ('day', "Rate of the day")],
        string="Exchange Rate of Credit Notes",
        required=True,
        default='original',
        help="At the rate of the invoice, a credit leaves no exchange difference.",
        groups='base.group_user',
    )
    sale_return_scrap_account_id = fields.Many2one(
        'account.account',
        string="Scrapped Returns Account",
        check_company=True,
        help="Expense account for returned goods that are scrapped. Products with real-time "
        "valuation cannot be scrapped without it.",
        groups='base.group_user',
    )

    sale_return_fee_account_id = fields.Many2one(
        'account.account',
        string="Return Fees Account",
        check_company=True,
        help="Income account of restocking fees and return freight on credit notes. Empty: the "
        "account of the goods.",
        groups='base.group_user',
    )

    sale_return_goodwill_agent_limit = fields.Monetary(
        string="Goodwill per Agent and Month",
        help=(
            "What each user of Returns may grant in a calendar month, tax included. 0: every "
            "goodwill needs a manager."
        ),
        groups='base.group_user',
    )
    sale_return_goodwill_customer_limit = fields.Monetary(
        string="Goodwill per Customer and Year",
        help="What each customer may be granted within twelve months, tax included, without a "
        "manager. 0: no limit.",
        groups='base.group_user',
    )

    sale_return_second_person_above = fields.Monetary(
        string="Two Persons for Payouts above",
        default=1000.0,
        help=(
            "Paying back more than this to one customer needs two people, if two have rights in"
            " Invoicing: one prepares it, the other posts it. 0: one person is enough."
        ),
        groups='base.group_user',
    )

    # Limits of credits without goods, goodwill included: see `sale.return.unbacked`.
    sale_return_period_days = fields.Integer(
        string="Returns Count Together for",
        default=30,
        help=(
            "Period, in days, in which the returns and credits of one customer or order are "
            "added up for limits and levels of approval. 0: each return counts separately."
        ),
        groups='base.group_user',
    )
    sale_return_unbacked_agent_limit = fields.Monetary(
        string="Credits without Goods per Approver and Month",
        default=2500.0,
        help=(
            "Limit of each approver for credits without goods per calendar month, tax included."
            " Anything above it needs a manager. 0: no limit."
        ),
        groups='base.group_user',
    )
    sale_return_unbacked_customer_limit = fields.Monetary(
        string="Credits without Goods per Customer",
        default=1000.0,
        help=(
            "What each customer may be credited without goods in the period in which returns "
            "count together, tax included, before it needs a manager. 0: no limit."
        ),
        groups='base.group_user',
    )
    sale_return_unbacked_order_limit = fields.Monetary(
        string="Credits without Goods per Order",
        default=1000.0,
        help=(
            "Limit of credits without goods per order, tax included. Anything above it needs a "
            "manager. 0: no limit."
        ),
        groups='base.group_user',
    )

    sale_return_send_notes = fields.Boolean(
        string="Send Credit Notes Automatically",
        help="A posted credit note of a return goes to the customer the way their invoices do "
        "(mail, e-invoice network, ...), if its invoice was sent. Odoo's scheduled job does it.",
        groups='base.group_user',
    )

    # What customers may do themselves.
    sale_return_portal = fields.Boolean(
        string="Requests by Customers",
        default=True,
        help="Customers request returns themselves: from their orders and by links in mails.",
    )
    sale_return_link_days = fields.Integer(
        string="Links Work for",
        default=60,
        help=(
            "Days after which links in mails to customers expire. Customers can request a new one."
        ),
    )
    sale_return_request_limit = fields.Integer(
        string="Open Requests per Customer",
        default=10,
        help=(
            "Maximum number of open returns that a customer has requested themselves; then they "
            "have to wait before requesting another one. 0: no limit."
        ),
    )

    _sale_return_portal_positive = models.Constraint(
        'CHECK (COALESCE(sale_return_link_days, 1) > 0'
        ' AND COALESCE(sale_return_request_limit, 0) >= 0)',
        "Links to returns work for at least one day, and the limit of requests cannot be negative.",
    )

    _sale_return_unbacked_positive = models.Constraint(
        'CHECK (COALESCE(sale_return_period_days, 0) >= 0'
        ' AND COALESCE(sale_return_second_person_above, 0) >= 0'
        ' AND COALESCE(sale_return_unbacked_agent_limit, 0) >= 0'
        ' AND COALESCE(sale_return_unbacked_customer_limit, 0) >= 0'
        ' AND COALESCE(sale_return_unbacked_order_limit, 0) >= 0)',
        "The limits of credits without goods and of payouts, and the days in which returns "
        "count together, cannot be negative.",
    )

    # Data of the list of differences about a company.
    sale_return_reconciliation_start = fields.Date(
        string="Reconcile Returns from",
        default=fields.Date.context_today,
        help="Credit notes without link that are older than this are not listed among the "
        "differences of returns.",
        groups='base.group_user',
    )
    sale_return_reconciliation_user_id = fields.Many2one(
        'res.users',
        string="Reconciles Returns",
        domain="[('share', '=', False)]",
        help="Gets an activity when there are new differences. By default an accounting "
        "administrator of the company.",
        groups='base.group_user',
    )
    sale_return_reconciled_on = fields.Datetime(
        string="Returns Reconciled on", readonly=True, copy=False, groups='base.group_user'
    )

    # === CRUD METHODS === #

    def write(self, vals):
        """Override of `base` to book scrapped returns on the account chosen."""
        result = super().write(vals)
        if 'sale_return_scrap_account_id' in vals:
            for company in self.filtered('sale_return_scrap_location_id'):
                # sudo: users who may change the setting need not be stock managers.
                company.sudo().sale_return_scrap_location_id.valuation_account_id = (
                    company.sale_return_scrap_account_id
                )
        return result

    # === BUSINESS METHODS === #

    @api.model
    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: fields that the settings of Returns change."""
        return super()._get_sale_return_writers() | dict.fromkeys(
            (
                'sale_return_adopt_native',
                'sale_return_auto_credit',
                'sale_return_mail_approved',
                'sale_return_file_months',
                'sale_return_rate',
                'sale_return_scrap_account_id',
                'sale_return_fee_account_id',
                'sale_return_goodwill_agent_limit',
                'sale_return_goodwill_customer_limit',
                'sale_return_second_person_above',
                'sale_return_period_days',
                'sale_return_unbacked_agent_limit',
                'sale_return_unbacked_customer_limit',
                'sale_return_unbacked_order_limit',
                'sale_return_send_notes',
                'sale_return_portal',
                'sale_return_link_days',
                'sale_return_request_limit',
                'sale_return_reconciliation_start',
                'sale_return_reconciliation_user_id',
            ),
            SETTINGS_GROUP,
        )

    def _get_sale_return_view_location(self):
        """Return the parent of the company's quarantines, created when first needed.

        It is outside of all warehouses: goods below a warehouse are promised to customers.
        """
        self.ensure_one()
        if not self.sale_return_view_location_id:
            # sudo: users who create a warehouse may not be allowed to write on the company.
            self.sudo().sale_return_view_location_id = self.env['stock.location'].create(
                {
                    'name': self.env._("Returns"),
                    'usage': 'view',
                    'company_id': self.id,
                    'location_id': False,
                }
            )
        return self.sale_return_view_location_id

    def _get_sale_return_refurbish_view(self):
        """Return the parent of the company's refurbishing locations, created when first needed.

        It is beside the quarantines: goods below it do not wait for inspection.
        """
        self.ensure_one()
        # sudo: as in `_get_sale_return_view_location`.
        company = self.sudo()
        if not company.sale_return_refurbish_view_id:
            parent = company._get_sale_return_view_location()
            locations = self.env['stock.location'].sudo().with_context(active_test=False)
            company.sale_return_refurbish_view_id = locations.search(
                [('location_id', '=', parent.id), ('usage', '=', 'view')], limit=1
            ) or locations.create(
                {
                    'name': self.env._("Refurbishing"),
                    'usage': 'view',
                    'company_id': self.id,
                    'location_id': parent.id,
                }
            )
        return company.sale_return_refurbish_view_id

    def _get_sale_return_scrap_location(self):
        """Return the company's location of scrapped returns, created when first needed."""
        self.ensure_one()
        # sudo: inspectors scrap goods without rights in Inventory.
        company = self.sudo()
        if not company.sale_return_scrap_location_id:
            company.sale_return_scrap_location_id = (
                self.env['stock.location']
                .sudo()
                .create(
                    {
                        'name': self.env._("Scrapped Returns"),
                        'usage': 'inventory',
                        'company_id': self.id,
                        'location_id': False,
                        'valuation_account_id': company.sale_return_scrap_account_id.id,
                    }
                )
            )
        return company.sale_return_scrap_location_id

    # === RECONCILIATION === #

    def _get_sale_return_reconciliation_user(self):
        """Return who is notified of new differences: the chosen user, else an accountant.

        :return: an active internal user of the company, or nobody.
        :rtype: res.users
        """
        self.ensure_one()
        company = self.sudo()  # users who refresh the list need not be allowed to read users
        chosen = company.sale_return_reconciliation_user_id
        if chosen.active and company in chosen.company_ids:
            return chosen
        for group in ('account.group_account_manager', 'sale_return.group_manager'):
            users = company.env.ref(group).all_user_ids.filtered(
                lambda user: (
                    user.active
                    and not user.share
                    and user != company.env.ref('base.user_root')
                    and company in user.company_ids
                )
            )
            if users:
                return users.sorted('id')[0]
        return company.env['res.users']

    # === DAYS === #

    def _get_sale_return_timezone(self):
        """Return the name of the time zone in which the days of the company begin and end.

        The one of its address, else of its working hours, else UTC.
        """
        self.ensure_one()
        # sudo: users who work on or request returns need not read the calendar.
        company = self.sudo()
        return company.partner_id.tz or company.resource_calendar_id.tz or 'UTC'

    def _get_sale_return_day(self, moment=None):
        """Return the day of a time in the time zone of the company.

        :param datetime moment: naive, in UTC; now by default.
        :rtype: datetime.date
        """
        return local_day(moment or fields.Datetime.now(), self._get_sale_return_timezone())
