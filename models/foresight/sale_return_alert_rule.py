from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.languages import name_in_each_language

# What can be watched, by what, and how.
METRICS = [
    ('rate', "Return rate"),
    ('waiting', "Goods waiting for an inspection"),
    ('backlog', "Returns waiting for us"),
    ('amount', "Credited amount"),
]
DIMENSIONS = [
    ('company', "Company"),
    ('product', "Product"),
    ('category', "Product category"),
    ('supplier', "Supplier"),
    ('warehouse', "Warehouse"),
    ('lot', "Lot or serial number"),
]
METHODS = [
    ('threshold', "More than a limit"),
    ('change', "More than before"),
    ('others', "More than the others"),
]
# `{metric: (dimensions, methods)}`
POSSIBLE = {
    'rate': (
        {key for key, _label in DIMENSIONS},
        {key for key, _label in METHODS},
    ),
    'waiting': ({'company', 'warehouse'}, {'threshold'}),
    'backlog': ({'company', 'warehouse'}, {'threshold'}),
    'amount': ({'company'}, {'change'}),
}
# Methods that compare members with the others need several members.
ALONE = {'company'}


class SaleReturnAlertRule(models.Model):
    """What is watched every night: a metric by a dimension, and when it is worth an alert."""

    _name = 'sale.return.alert.rule'
    _inherit = ['sale.return.shared']
    _description = "Alert Rule"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company
    )
    metric = fields.Selection(METRICS, required=True, default='rate')
    dimension = fields.Selection(DIMENSIONS, string="For Each", required=True, default='product')
    method = fields.Selection(
        METHODS,
        required=True,
        default='change',
        help=(
            "More than before: compared with its own past, with wider limits for goods that vary "
            "more (Laney's control limits). More than the others: compared with those of the same"
            " kind (funnel limits). Of the alerts of a night at most one in twenty is expected to"
            " be due to chance."
        ),
    )
    limit = fields.Float(help="Rates and rises of amounts in percent; otherwise units or returns.")
    age_days = fields.Integer(
        "Returned Within Days",
        default=30,
        help=(
            "Rates count only goods sold at least this long ago, and only what came back within "
            "this time: this makes old and new sales comparable."
        ),
    )
    minimum = fields.Integer(
        "Minimum Order Lines", default=20, help="Goods sold on fewer lines are not judged."
    )
    waiting_days = fields.Integer("Waiting for Days", default=14)
    user_ids = fields.Many2many(
        'res.users',
        string="Notified Users",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Empty: nobody is notified; alerts are shown in their list and on the overview.",
    )
    notify = fields.Selection(
        [('activity', "By an activity"), ('message', "By a message")],
        string="How",
        required=True,
        default='activity',
    )
    date_checked = fields.Datetime("Last Checked", readonly=True, copy=False)
    alert_ids = fields.One2many('sale.return.alert', 'rule_id')
    alert_count = fields.Integer(string="Open Alerts", compute='_compute_alert_count')

    _limits_positive = models.Constraint(
        'CHECK (COALESCE("limit", 0) >= 0 AND age_days > 0 AND minimum > 0 AND waiting_days >= 0)',
        "Limits of an alert rule cannot be negative, and its days and order lines cannot be zero.",
    )

    @api.depends('alert_ids.state')
    def _compute_alert_count(self):
        counts = self.env['sale.return.alert']._read_group(
            [('rule_id', 'in', self.ids), ('state', '=', 'open')], ['rule_id'], ['__count']
        )
        counts = {rule.id: count for rule, count in counts}
        for rule in self:
            rule.alert_count = counts.get(rule._origin.id, 0)

    @api.constrains('metric', 'dimension', 'method', 'limit')
    def _check_possible(self):
        for rule in self:
            dimensions, methods = POSSIBLE[rule.metric]
            values = {'rule': rule.name, **rule._get_labels()}
            if rule.dimension not in dimensions or (
                rule.method == 'others' and rule.dimension in ALONE
            ):
                raise ValidationError(
                    self.env._(
                        "Alert rule “%(rule)s” cannot watch “%(metric)s” by “%(dimension)s” "
                        "with the method “%(method)s”. Choose something else.",
                        **values,
                    )
                )
            if rule.method not in methods:
                raise ValidationError(
                    self.env._(
                        "Alert rule “%(rule)s” cannot watch “%(metric)s” with the method "
                        "“%(method)s”. Choose another method.",
                        **values,
                    )
                )
            if not rule.limit and (rule.method == 'threshold' or rule.metric == 'amount'):
                raise ValidationError(
                    self.env._(
                        "Enter the limit above which alert rule “%(rule)s” raises an alert.",
                        **values,
                    )
                )

    def _get_labels(self):
        """Return `{name: label}` of what the rule watches, in the language of the user."""
        self.ensure_one()
        return {
            name: dict(self._fields[name]._description_selection(self.env))[self[name]]
            for name in ('metric', 'dimension', 'method')
        }

    @api.model
    def _prepare_default_vals(self, company):
        """Return the values of the first rules of a company. Override to add rules.

        :rtype: list
        """
        return [
            {
                'name': self.env._("A product comes back more than before"),
                'metric': 'rate',
                'dimension': 'product',
                'method': 'change',
                'company_id': company.id,
            },
            {
                'name': self.env._("Goods wait too long for their inspection"),
                'metric': 'waiting',
                'dimension': 'company',
                'method': 'threshold',
                'limit': 1,
                'company_id': company.id,
            },
            {
                'name': self.env._("More is credited than in a usual week"),
                'metric': 'amount',
                'dimension': 'company',
                'method': 'change',
                'limit': 100,
                'company_id': company.id,
            },
        ]

    @api.model
    def _create_defaults(self):
        """Create the first rules of companies that have none, not even inactive ones."""
        # sudo: the part is switched on for all companies at once.
        rules = self.sudo().with_context(active_test=False)
        companies = self.env['res.company'].sudo().search([]) - rules.search([]).company_id

        def prepare(rules):
            return [vals for company in companies for vals in rules._prepare_default_vals(company)]

        name_in_each_language(
            rules.create(prepare(rules)), lambda rules: [vals['name'] for vals in prepare(rules)]
        )

    # === ACTION METHODS === #

    def action_open_alerts(self):
        """Open the alerts of the rule.

        :rtype: dict
        """
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_alert_action'
        )
        return {**action, 'domain': [('rule_id', '=', self.id)], 'context': {}}

    def action_check(self):
        """Check the rules now instead of tonight.

        :raise AccessError: when the user is not a manager of Returns.
        """
        self.env['sale.return']._ensure_group('group_manager')
        self.check_access('write')
        self.env['sale.return.watch']._check_rules(self)
        return True
