from datetime import datetime, time, timedelta

from odoo import api, fields, models

from ...tools import advice
from .sale_return_suggestion import AGE, SPAN

NOTHING = (0.0, 0.0, 0.0)


class SaleReturnImprovement(models.Model):
    """What was changed because of a suggestion, and whether less has come back since.

    Both rates have one definition, that of the suggestion, and are of equally many days of goods
    shipped (or requests made) at least 30 days ago; figures are computed whenever they are read.
    Where photos were missing all requests count: since the change there may be none without one.
    """

    _name = 'sale.return.improvement'
    _inherit = ['mail.thread']
    _description = "Improvement"
    _order = 'date_from desc, id desc'
    _mail_post_access = 'read'

    name = fields.Char("What Was Changed", required=True, readonly=True, tracking=True)
    suggestion_id = fields.Many2one(
        'sale.return.suggestion', required=True, readonly=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(related='suggestion_id.company_id', store=True, index=True)
    rule = fields.Selection(related='suggestion_id.rule', store=True)
    subject = fields.Char(related='suggestion_id.subject')
    user_id = fields.Many2one('res.users', "Changed by", required=True, readonly=True)
    date_from = fields.Date("In Effect from", required=True, readonly=True, tracking=True)
    date_start = fields.Date("Counted from", compute='_compute_span')
    date_end = fields.Date("Counted until", compute='_compute_span')
    count_before = fields.Float("Cases before", compute='_compute_figures')
    total_before = fields.Float("Counted before", compute='_compute_figures')
    rate_before = fields.Float("Rate before", compute='_compute_figures', help="In percent.")
    count_after = fields.Float("Cases since", compute='_compute_figures')
    total_after = fields.Float("Counted since", compute='_compute_figures')
    rate_after = fields.Float("Rate since", compute='_compute_figures', help="In percent.")
    difference = fields.Float(compute='_compute_figures', help="In percentage points.")
    low = fields.Float(
        "At Least",
        compute='_compute_figures',
        help="Lower end of the likely difference (95 %), in percentage points.",
    )
    high = fields.Float(
        "At Most",
        compute='_compute_figures',
        help="Upper end of the likely difference (95 %), in percentage points.",
    )
    p_value = fields.Float("Chance", compute='_compute_figures', digits=(16, 6))
    verdict = fields.Selection(
        [
            ('early', "Too early to say"),
            ('better', "Better"),
            ('same', "No clear change"),
            ('worse', "Worse"),
        ],
        string="Result",
        compute='_compute_figures',
    )
    result = fields.Char("In Words", compute='_compute_result')
    days_before = fields.Float(
        "Days to Credit before",
        compute='_compute_figures',
        help="Median days from the request to the credit note, of the cases that were credited "
        "within 30 days.",
    )
    days_after = fields.Float("Days to Credit since", compute='_compute_figures')
    rating_before = fields.Float(
        "Rating before",
        compute='_compute_figures',
        help="Average rating given by customers, from 1 to 5. 0: there is no rating.",
    )
    rating_after = fields.Float("Rating since", compute='_compute_figures')

    # === COMPUTE METHODS === #

    @api.depends('date_from')
    def _compute_span(self):
        for improvement in self:
            start, _middle, end = improvement._get_span()
            improvement.date_start, improvement.date_end = start.date(), end.date()

    def _get_span(self):
        """Return when counting begins, when the change was, and when counting ends.

        Equally many days before and since, as far as these are old enough.

        :rtype: tuple(datetime)
        """
        self.ensure_one()
        mature = self.env['sale.return.adviser']._get_mature()
        middle = datetime.combine(self.date_from or mature, time.min)
        span = min(max(mature - middle, timedelta()), timedelta(days=SPAN))
        if not span:
            # Nothing is old enough yet: what was before can be seen, as far as that is.
            return min(middle, mature) - timedelta(days=SPAN), middle, middle
        return middle - span, middle, middle + span

    @api.depends('date_from', 'suggestion_id')
    def _compute_figures(self):
        adviser = self.env['sale.return.adviser']
        samples, cases = adviser._get_figures(self._origin) if self._origin else ({}, {})
        for improvement in self:
            key = improvement._origin.id
            before, after = (samples.get((key, since), NOTHING) for since in (0, 1))
            compared = advice.compare(before, after)
            improvement.count_before, improvement.total_before = before[:2]
            improvement.count_after, improvement.total_after = after[:2]
            for name in ('before', 'after'):
                improvement[f'rate_{name}'] = 100 * (compared[name] or 0.0)
            is_early = compared['verdict'] == 'early'
            for name in ('difference', 'low', 'high'):
                improvement[name] = 0.0 if is_early else 100 * compared[name]
            improvement.p_value = 0.0 if is_early else compared['p_value']
            improvement.verdict = compared['verdict']
            for since, name in enumerate(('before', 'after')):
                days, rating = cases.get((key, since), (None, None))
                improvement[f'days_{name}'] = days or 0.0
                improvement[f'rating_{name}'] = rating or 0.0

    @api.depends('verdict')
    @api.depends_context('lang')
    def _compute_result(self):
        for improvement in self:
            improvement.result = improvement._get_sentence()

    def _get_sentence(self):
        """Describe the result."""
        self.ensure_one()
        values = {
            'before': f"{self.rate_before:.1f}",
            'after': f"{self.rate_after:.1f}",
            'least': f"{min(abs(self.low), abs(self.high)):.1f}",
            'most': f"{max(abs(self.low), abs(self.high)):.1f}",
            'total_before': f"{self.total_before:g}",
            'total_after': f"{self.total_after:g}",
            'age': AGE,
        }
        if self.verdict == 'early':
            return self.env._(
                "Too early to say: only %(total_after)s since the change and %(total_before)s "
                "before it are at least %(age)s days old and can be counted so far.",
                **values,
            )
        if self.verdict == 'better':
            return self.env._(
                "Better: %(after)s %% since the change, %(before)s %% before. Most likely it is "
                "%(least)s to %(most)s percentage points less.",
                **values,
            )
        if self.verdict == 'worse':
            return self.env._(
                "Worse: %(after)s %% since the change, %(before)s %% before. Most likely it is "
                "%(least)s to %(most)s percentage points more.",
                **values,
            )
        return self.env._(
            "No clear change: %(after)s %% since, %(before)s %% before. It may be chance.",
            **values,
        )

    # === ACTION METHODS === #

    def action_open_cases_before(self):
        """Open the returns that were counted before the change.

        :rtype: dict
        """
        start, middle, _end = self._get_span()
        return self.suggestion_id._open_cases(start, middle, with_rest=True)

    def action_open_cases_after(self):
        """Open the returns that were counted since the change.

        :rtype: dict
        """
        _start, middle, end = self._get_span()
        return self.suggestion_id._open_cases(middle, end, with_rest=True)

    def action_open_before(self):
        """Open what the cases before the change are a part of, in the analysis.

        :rtype: dict
        """
        start, middle, _end = self._get_span()
        return self.suggestion_id._open_all(start, middle, with_rest=True)

    def action_open_after(self):
        """Open what the cases since the change are a part of, in the analysis.

        :rtype: dict
        """
        _start, middle, end = self._get_span()
        return self.suggestion_id._open_all(middle, end, with_rest=True)

    # === BUSINESS METHODS === #

    @api.model
    def _start(self, suggestions, change, day):
        """Create the improvements of suggestions that are accepted.

        :param str change: what is changed.
        :param date day: from when.
        """
        # sudo: improvements are written by this step alone; its caller checked the role.
        created = self.sudo().create(
            [
                {
                    'name': change[:500],
                    'suggestion_id': suggestion.id,
                    'user_id': self.env.uid,
                    'date_from': day,
                }
                for suggestion in suggestions
            ]
        )
        return created.sudo(False)
