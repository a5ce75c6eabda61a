from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_amount

from ...tools.reader import iso_day, needed, reads, text

# `{dimension: (field of the alert, field of the analysis)}`
MEMBERS = {
    'product': ('product_id', 'product_id'),
    'category': ('categ_id', 'categ_id'),
    'supplier': ('supplier_id', 'supplier_id'),
    'warehouse': ('warehouse_id', 'warehouse_id'),
    'lot': ('lot_id', 'lot_id'),
}
LONGEST_SNOOZE = 366


class SaleReturnAlert(models.Model):
    """One signal of an alert rule, from the night it was found until it is over.

    While the signal lasts the same alert is updated and nobody is notified again.
    """

    _name = 'sale.return.alert'
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _description = "Return Alert"
    _order = 'is_on desc, date desc, id desc'
    _rec_names_search = ['member_name']
    _mail_post_access = 'read'

    name = fields.Char("Alert", compute='_compute_name')
    rule_id = fields.Many2one(
        'sale.return.alert.rule', required=True, readonly=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(related='rule_id.company_id', store=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    metric = fields.Selection(related='rule_id.metric', store=True)
    member = fields.Integer(readonly=True, help="ID of what the alert is about, else 0.")
    member_name = fields.Char("About", readonly=True)
    product_id = fields.Many2one('product.product', readonly=True, ondelete='cascade')
    categ_id = fields.Many2one(
        'product.category', "Product Category", readonly=True, ondelete='cascade'
    )
    supplier_id = fields.Many2one('res.partner', readonly=True, ondelete='cascade')
    warehouse_id = fields.Many2one('stock.warehouse', readonly=True, ondelete='cascade')
    lot_id = fields.Many2one('stock.lot', "Lot/Serial Number", readonly=True, ondelete='cascade')
    state = fields.Selection(
        [
            ('open', "Open"),
            ('snoozed', "Snoozed"),
            ('done', "Dealt with"),
            ('over', "Ended by itself"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default='open',
        tracking=True,
    )
    is_on = fields.Boolean("Still So", readonly=True, default=True)
    date = fields.Datetime("Found", readonly=True, default=fields.Datetime.now)
    date_last = fields.Datetime("Last Seen", readonly=True, default=fields.Datetime.now)
    # The evidence, in numbers.
    basis = fields.Char(readonly=True, help="What it is compared with, as a code.")
    weeks = fields.Integer(readonly=True)
    value = fields.Float(readonly=True, help="A rate in percent, an amount, or a number.")
    usual = fields.Float(readonly=True, help="What it is compared with.")
    count = fields.Float("Came Back", readonly=True)
    total = fields.Float("Order Lines", readonly=True)
    p_value = fields.Float(
        "Chance",
        readonly=True,
        digits=(16, 9),
        help="How likely this is by chance alone, from 0 to 1.",
    )
    proposal = fields.Selection(
        [('stop_selling', "Stop selling it until it has been checked.")], readonly=True
    )
    point_ids = fields.One2many('sale.return.alert.point', 'alert_id', readonly=True)
    snooze_until = fields.Date("Snoozed until", readonly=True, tracking=True)
    reason = fields.Char(readonly=True, tracking=True, help="Why it is snoozed, or what was done.")

    _one_per_signal = models.UniqueIndex(
        '(rule_id, member) WHERE is_on', "There is already an alert for this signal."
    )

    # === COMPUTE METHODS === #

    @api.depends('metric', 'basis', 'value', 'usual', 'member_name')
    @api.depends_context('lang')
    def _compute_name(self):
        for alert in self:
            alert.name = alert._get_sentence()

    def _get_sentence(self):
        """Describe what was found, with its figures."""
        self.ensure_one()
        values = {
            'what': self.member_name or self.company_id.name or "",
            'value': f"{self.value:.1f}",
            'usual': f"{self.usual:.1f}",
            'weeks': self.weeks,
            'number': f"{self.value:g}",
            'days': self.rule_id.waiting_days,
            'amount': format_amount(self.env, self.value, self.currency_id),
            'before': format_amount(self.env, self.usual, self.currency_id),
        }
        sentences = {
            'change': lambda: self.env._(
                "%(what)s: %(value)s %% of the order lines of %(weeks)s weeks came back, "
                "%(usual)s %% before.",
                **values,
            ),
            'group': lambda: self.env._(
                "%(what)s: %(value)s %% of the order lines of %(weeks)s weeks came back. It has no "
                "history of its own; of others like it %(usual)s %% do.",
                **values,
            ),
            'others': lambda: self.env._(
                "%(what)s: %(value)s %% of the order lines of %(weeks)s weeks came back, "
                "%(usual)s %% of the others.",
                **values,
            ),
            'threshold': lambda: self.env._(
                "%(what)s: %(value)s %% of the order lines of %(weeks)s weeks came back, more than "
                "the limit of %(usual)s %%.",
                **values,
            ),
            'waiting': lambda: self.env._(
                "%(what)s: %(number)s units have waited for an inspection for more than %(days)s "
                "days.",
                **values,
            ),
            'backlog': lambda: self.env._(
                "%(what)s: %(number)s returns wait for a decision or an inspection.", **values
            ),
            'amount': lambda: self.env._(
                "%(what)s: %(amount)s were credited in a week, %(before)s in a usual one.", **values
            ),
        }
        sentence = sentences.get(self.basis)
        return sentence() if sentence else values['what']

    # === ACTION METHODS === #

    @reads(until=needed(iso_day, 'day'), reason=text)
    def action_snooze(self, until, reason):
        """Hide alerts until a day; a signal that lasts comes back then.

        :param until: last day (or text) on which they are hidden.
        :param str reason: why, for the colleagues.
        :raise UserError: without a reason, or when the day is over or too far away.
        """
        self._ensure_may_act()
        until = fields.Date.to_date(until)
        today = self.env.company._get_sale_return_day()
        if not today <= until <= today + timedelta(days=LONGEST_SNOOZE):
            raise UserError(
                self.env._(
                    "An alert can be snoozed until a day within the next year, but not until "
                    "%(day)s. Choose another day.",
                    day=until,
                )
            )
        self._settle('snoozed', reason, until)
        return True

    @reads(reason=text)
    def action_close(self, reason):
        """Mark alerts as dealt with; a signal that returns later creates a new alert.

        :param str reason: what was done.
        :raise UserError: without a reason.
        """
        self._ensure_may_act()
        self._settle('done', reason, False)
        return True

    def _ensure_may_act(self):
        self.env['sale.return']._ensure_group('group_user')
        self.check_access('read')

    def _settle(self, state, reason, until):
        reason = (reason or '').strip()
        if not reason:
            raise UserError(
                self.env._("Enter a short reason: colleagues read it later on the alert.")
            )
        over = self.filtered(lambda alert: alert.state in ('done', 'over'))
        if over:
            raise UserError(
                self.env._(
                    "Nothing is left to do about “%(alert)s”: it is over.", alert=over[0].name
                )
            )
        # sudo: alerts are written by the service; the role was checked above.
        self.sudo().write({'state': state, 'reason': reason[:500], 'snooze_until': until})
        self.sudo().activity_unlink(['mail.mail_activity_data_todo'])

    def action_open_records(self):
        """Open the goods that an alert is about, in the analysis.

        :rtype: dict
        """
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_report_action'
        )
        domain = [('company_id', '=', self.company_id.id)]
        if self.rule_id.dimension in MEMBERS:
            name = MEMBERS[self.rule_id.dimension][1]
            operator = 'child_of' if name == 'categ_id' else '='
            domain.append((name, operator, self.member))
        if self.metric == 'waiting':
            domain.append(('stage', '=', 'quarantine'))
        elif self.metric == 'backlog':
            domain.append(('stage', 'in', ('to_decide', 'quarantine')))
        elif self.metric == 'amount':
            domain.append(('date_credit', '!=', False))
        action.update(
            domain=domain, context={}, views=[(False, 'list'), (False, 'pivot')], path=False
        )
        return action

    def action_open_points(self):
        """Open the chart of the evidence.

        :rtype: dict
        """
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_alert_point_action'
        )
        return {**action, 'name': self.name, 'domain': [('alert_id', '=', self.id)]}

    # === BUSINESS METHODS === #

    @api.model
    def _keep(self, rule, signals):
        """Create alerts for new signals, update those that last, and end those that are gone.

        :param rule: `sale.return.alert.rule`
        :param dict signals: `{member: values of the alert, with 'points': [values]}`
        :return: the new alerts.
        """
        now = fields.Datetime.now()
        known = self.search([('rule_id', '=', rule.id), ('is_on', '=', True)])
        known = {alert.member: alert for alert in known}
        gone = self.union(*(alert for member, alert in known.items() if member not in signals))
        gone.is_on = False
        gone.filtered(lambda alert: alert.state in ('open', 'snoozed')).write(
            {'state': 'over', 'snooze_until': False}
        )
        gone.activity_unlink(['mail.mail_activity_data_todo'])
        lasting = self.browse()
        for member in signals.keys() & known.keys():
            # Each has its own evidence, and few last.
            alert, vals = known[member], dict(signals[member])
            vals.pop('points')
            alert.write({**vals, 'date_last': now})
            lasting += alert
        lasting.point_ids.unlink()
        awake = lasting.filtered(
            lambda alert: alert.state == 'snoozed' and alert.snooze_until < now.date()
        )
        awake.write({'state': 'open', 'snooze_until': False})
        fresh = [member for member in signals if member not in known]
        created = self.create(
            [
                {
                    **{key: value for key, value in signals[member].items() if key != 'points'},
                    'rule_id': rule.id,
                    'member': member,
                }
                for member in fresh
            ]
        )
        self.env['sale.return.alert.point'].create(
            [
                {**point, 'alert_id': alert.id}
                for alert in lasting + created
                for point in signals[alert.member]['points']
            ]
        )
        (created + awake)._tell_subscribers()
        return created

    def _tell_subscribers(self):
        """Notify the users of the rule, in their language and the way they chose."""
        for alert in self:
            for user in alert.rule_id.user_ids.filtered('active'):
                spoken = alert.with_context(lang=user.lang)
                if alert.rule_id.notify == 'activity':
                    alert.activity_schedule(
                        'mail.mail_activity_data_todo', summary=spoken.name, user_id=user.id
                    )
                else:
                    spoken.message_notify(
                        partner_ids=user.partner_id.ids,
                        subject=spoken.name,
                        body=spoken.name,
                        author_id=self.env.ref('base.partner_root').id,
                        email_layout_xmlid='mail.mail_notification_light',
                    )
