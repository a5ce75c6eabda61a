from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...tools import advice
from ...tools.reader import iso_day, needed, reads, text

RULES = [
    ('size', "Size chart"),
    ('description', "Description"),
    ('packing', "Packing"),
    ('carrier', "Carrier"),
    ('supplier', "Supplier"),
    ('appeal', "Policy: refusals"),
    ('window', "Policy: return window"),
    ('photo', "Missing photos"),
]
# `{rule: (field of the suggestion, field of the analysis)}`
SUBJECTS = {
    'size': ('product_template_id', 'product_tmpl_id'),
    'description': ('product_template_id', 'product_tmpl_id'),
    'packing': ('product_template_id', 'product_tmpl_id'),
    'carrier': ('carrier', 'carrier'),
    'supplier': ('supplier_id', 'supplier_id'),
    'appeal': ('policy_id', 'policy_id'),
    'window': ('policy_id', 'policy_id'),
    'photo': ('reason_id', 'reason_id'),
}
# Rules that count requests, not what was shipped.
ON_REQUESTS = ('appeal', 'window', 'photo')
# Days in which a return must come to count, of goods shipped at least so long ago: young shipments
# are not counted, so they look neither better nor worse than old ones.
AGE = 30
# Days of shipments that are compared.
SPAN = 182
# Days for which a dismissed suggestion is not made again.
QUIET = 182
# Days around today on which a change may have begun.
EARLIEST, LATEST = 366, 92


class SaleReturnSuggestion(models.Model):
    """What a written rule suggests to change, with its evidence, until people decide about it.

    There is one open suggestion for each rule and subject; the job renews its figures.
    """

    _name = 'sale.return.suggestion'
    _inherit = ['mail.thread']
    _description = "Suggestion"
    _order = 'saving desc, id desc'
    _rec_names_search = ['subject']
    _mail_post_access = 'read'

    name = fields.Char("Suggestion", compute='_compute_name')
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    rule = fields.Selection(RULES, required=True, readonly=True)
    member = fields.Char(
        required=True, readonly=True, help="ID of what it is about; for a carrier, its name."
    )
    subject = fields.Char("About", readonly=True)
    product_template_id = fields.Many2one(
        'product.template', "Product", readonly=True, index='btree_not_null', ondelete='set null'
    )
    carrier = fields.Char(readonly=True)
    supplier_id = fields.Many2one('res.partner', readonly=True, ondelete='set null')
    policy_id = fields.Many2one('sale.return.policy', readonly=True, ondelete='set null')
    reason_id = fields.Many2one('sale.return.reason', readonly=True, ondelete='set null')
    state = fields.Selection(
        [
            ('open', "Open"),
            ('accepted', "Accepted"),
            ('dismissed', "Dismissed"),
            ('over', "Ended by itself"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default='open',
        tracking=True,
    )
    date = fields.Datetime("Found", readonly=True, default=fields.Datetime.now)
    date_last = fields.Datetime("Last Seen", readonly=True, default=fields.Datetime.now)
    # The evidence, in numbers.
    date_start = fields.Datetime("Counted from", readonly=True)
    date_end = fields.Datetime("Counted until", readonly=True)
    count = fields.Float("Cases", readonly=True, digits='Product Unit')
    part = fields.Float(
        "Too Small", readonly=True, digits='Product Unit', help="Cases returned as too small."
    )
    total = fields.Float("Counted in All", readonly=True, digits='Product Unit')
    value = fields.Float("Rate", readonly=True, aggregator='avg', help="In percent.")
    usual = fields.Float("Elsewhere", readonly=True, aggregator='avg', help="In percent.")
    p_value = fields.Float(
        "Chance",
        readonly=True,
        digits=(16, 9),
        aggregator='avg',
        help="How likely this is by chance alone, from 0 to 1.",
    )
    saving = fields.Monetary(
        "Saving per Year",
        readonly=True,
        help="Amount credited in a year, without taxes, for goods that would not have come back at "
        "the rate elsewhere. Costs of handling are not included, and what the goods are still "
        "worth is not deducted. Empty where it is not known.",
    )
    reason = fields.Char("Why Dismissed", readonly=True, tracking=True)
    user_id = fields.Many2one('res.users', "Decided by", readonly=True)
    date_decided = fields.Date("Decided on", readonly=True)
    quiet_until = fields.Date("Not Suggested again until", readonly=True)
    improvement_ids = fields.One2many('sale.return.improvement', 'suggestion_id', readonly=True)

    _one_open = models.UniqueIndex(
        "(company_id, rule, member) WHERE state = 'open'",
        "There is already an open suggestion about this.",
    )

    # === COMPUTE METHODS === #

    @api.depends('rule', 'subject', 'count', 'part', 'total', 'usual')
    @api.depends_context('lang')
    def _compute_name(self):
        for suggestion in self:
            suggestion.name = suggestion._get_sentence()

    def _get_sentence(self):
        """Describe what was found and what to do about it."""
        self.ensure_one()
        values = {
            'what': self.subject or "",
            'count': f"{self.count:g}",
            'total': f"{self.total:g}",
            'usual': f"{self.usual:.0f}" if self.usual >= 10 else f"{self.usual:.1f}",
            'small': f"{self.part:g}",
            'large': f"{self.count - self.part:g}",
        }
        rule = self.rule
        if rule == 'size' and self.part in (0, self.count):
            rule = 'small' if self.part else 'large'
        sentence = {**self._get_sentences_of_goods(), **self._get_sentences_of_requests()}[rule]
        return sentence(values)

    def _get_sentences_of_goods(self):
        """Return `{rule: function of values that returns the sentence}`. Override to add rules."""
        return {
            'small': lambda values: self.env._(
                "%(what)s: %(count)s of %(total)s sold came back as too small; other products: "
                "%(usual)s %%. Check the size chart.",
                **values,
            ),
            'large': lambda values: self.env._(
                "%(what)s: %(count)s of %(total)s sold came back as too large; other products: "
                "%(usual)s %%. Check the size chart.",
                **values,
            ),
            'size': lambda values: self.env._(
                "%(what)s: %(count)s of %(total)s sold came back, %(small)s as too small and "
                "%(large)s as too large; other products: %(usual)s %%. Check the size chart.",
                **values,
            ),
            'description': lambda values: self.env._(
                "%(what)s: %(count)s of %(total)s sold came back because they were not as "
                "described or did not suit; other products: %(usual)s %%. Check the description "
                "and the pictures.",
                **values,
            ),
            'packing': lambda values: self.env._(
                "%(what)s: %(count)s of %(total)s sold came back damaged in transit; other "
                "products: %(usual)s %%. Check how it is packed.",
                **values,
            ),
            'carrier': lambda values: self.env._(
                "%(what)s: %(count)s of %(total)s units delivered by this carrier came back "
                "damaged in transit; other carriers: %(usual)s %%. Talk to the carrier, or choose "
                "another one.",
                **values,
            ),
            'supplier': lambda values: self.env._(
                "%(what)s: %(count)s of %(total)s units sold from this supplier came back "
                "defective; other suppliers: %(usual)s %%. Talk to the supplier.",
                **values,
            ),
        }

    def _get_sentences_of_requests(self):
        """Return the same of rules that count requests."""
        return {
            'appeal': lambda values: self.env._(
                "%(what)s: %(count)s of %(total)s refused requests were granted after an appeal; "
                "other policies: %(usual)s %%. Check what the policy refuses.",
                **values,
            ),
            'window': lambda values: self.env._(
                "%(what)s: %(count)s of %(total)s requests came on the last two days of the return "
                "window; evenly spread, it would be %(usual)s %%. Check how long the window is.",
                **values,
            ),
            'photo': lambda values: self.env._(
                "%(what)s: %(count)s of %(total)s requests without a photo were refused, rejected "
                "or appealed; with a photo: %(usual)s %%. Ask for a photo with this reason.",
                **values,
            ),
        }

    # === ACTION METHODS === #

    @reads(change=text, date_from=needed(iso_day, 'day'))
    def action_accept(self, change, date_from):
        """Accept suggestions: what is changed becomes an improvement, with before and after.

        :param str change: what is changed, for the colleagues.
        :param date_from: day (or text) from which goods are shipped with the change.
        :return: the improvements, as an action.
        :rtype: dict
        :raise AccessError: without the role of approver.
        :raise UserError: when a suggestion is not open, nothing is said, or the day is far away.
        """
        self._ensure_may_decide()
        change = (change or '').strip()
        if not change:
            raise UserError(
                self.env._("Enter what is changed: colleagues read it beside the result.")
            )
        day = fields.Date.to_date(date_from)
        today = self.env.company._get_sale_return_day()
        if not -EARLIEST <= (day - today).days <= LATEST:
            raise UserError(
                self.env._(
                    "A change cannot take effect on %(day)s: the day has to be within the last "
                    "year or the next three months. Choose another day.",
                    day=day,
                )
            )
        improvements = self.env['sale.return.improvement']._start(self, change, day)
        self._settle('accepted', quiet_until=day + timedelta(days=AGE + SPAN))
        return improvements._get_records_action(name=self.env._("Improvements"))

    @reads(reason=text)
    def action_dismiss(self, reason):
        """Dismiss suggestions; they are not made again for half a year unless it gets worse.

        :param str reason: why, for the colleagues.
        :raise AccessError: without the role of approver.
        :raise UserError: without a reason, or when a suggestion is not open.
        """
        self._ensure_may_decide()
        reason = (reason or '').strip()
        if not reason:
            raise UserError(
                self.env._("Enter a short reason: colleagues read it later on the suggestion.")
            )
        for company, suggestions in self.grouped('company_id').items():
            quiet_until = company._get_sale_return_day() + timedelta(days=QUIET)
            suggestions._settle('dismissed', reason=reason[:500], quiet_until=quiet_until)
        return True

    def _ensure_may_decide(self):
        self.env['sale.return']._ensure_group('group_approver')
        self.check_access('read')
        if settled := self.filtered(lambda suggestion: suggestion.state != 'open'):
            raise UserError(
                self.env._(
                    "Suggestion “%(suggestion)s” cannot be decided: it is not open any more. "
                    "Choose open suggestions.",
                    suggestion=settled[0].name,
                )
            )

    def _settle(self, state, **values):
        # sudo: suggestions are written by the service; the role was checked by the callers.
        for company, suggestions in self.sudo().grouped('company_id').items():
            suggestions.write(
                {
                    'state': state,
                    'user_id': self.env.uid,
                    'date_decided': company._get_sale_return_day(),
                    **values,
                }
            )

    def action_open_cases(self):
        """Open the returns that were counted.

        :rtype: dict
        """
        self.ensure_one()
        return self._open_cases(self.date_start, self.date_end)

    def action_open_all(self):
        """Open what the cases are a part of, in the analysis.

        :rtype: dict
        """
        self.ensure_one()
        return self._open_all(self.date_start, self.date_end)

    def action_open_others(self):
        """Open what it is compared with, in the analysis.

        :rtype: dict
        """
        self.ensure_one()
        return self._open_report(self.date_start, self.date_end, others=True)

    def action_open_improvements(self):
        """Open the improvements that came of it.

        :rtype: dict
        """
        self.ensure_one()
        return self.improvement_ids._get_records_action(name=self.env._("Improvements"))

    def _open_cases(self, start, end, **values):
        """Return the action of the returns counted as cases, see `_open_returns`."""
        self.check_access('read')
        return self.env['sale.return.adviser']._open_returns(self, start, end, **values)

    def _open_all(self, start, end, **values):
        """Return the action of what the cases are a part of: goods, or requests."""
        if self.rule in ON_REQUESTS:
            return self._open_cases(start, end, with_others=True, **values)
        return self._open_report(start, end)

    def _open_report(self, start, end, others=False):
        """Return the action of the analysis with what is counted from a time until another."""
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_report_action'
        )
        name, column = SUBJECTS[self.rule]
        end = min(end, self.env['sale.return.adviser']._get_mature())
        date, kind = 'date_delivery', 'shipped'
        if self.rule in ON_REQUESTS:
            date, kind = 'date_request', 'returned'
        value = self[name] if name == 'carrier' else self[name].id
        domain = Domain(
            [
                ('company_id', '=', self.company_id.id),
                ('kind', '=', kind),
                (column, '!=' if others else '=', value),
                (date, '>=', fields.Datetime.to_string(start)),
                (date, '<', fields.Datetime.to_string(end)),
            ]
        )
        return {
            **action,
            'name': self.subject,
            'domain': list(domain),
            'context': {},
            'views': [(False, 'list'), (False, 'pivot')],
            'path': False,
        }

    # === BUSINESS METHODS === #

    @api.model
    def _keep(self, company, found):
        """Create what is new, renew what is still so, and end what is over.

        :param company: `res.company`
        :param dict found: `{(rule, member): values of a suggestion, with 'sample'}`
        :return: the new suggestions.
        """
        today = company._get_sale_return_day()
        known = self.search([('company_id', '=', company.id), ('state', '=', 'open')])
        known = {(suggestion.rule, suggestion.member): suggestion for suggestion in known}
        self.union(
            *(suggestion for key, suggestion in known.items() if key not in found)
        ).state = 'over'
        quiet = self.search(
            [('company_id', '=', company.id), ('quiet_until', '>', today)], order='id'
        )
        quiet = {(suggestion.rule, suggestion.member): suggestion for suggestion in quiet}
        fresh = []
        for key, vals in found.items():
            vals = dict(vals)
            sample = vals.pop('sample')
            if key in known:
                # Each has its own figures, and few are open.
                known[key].write({**vals, 'date_last': fields.Datetime.now()})
            elif key not in quiet or advice.is_clearly_worse(quiet[key].value / 100, sample):
                fresh.append({**vals, 'company_id': company.id})
        return self.create(fresh)
