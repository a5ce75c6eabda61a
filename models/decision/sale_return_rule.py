from collections import Counter, defaultdict
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL
from odoo.tools.misc import format_amount

from ...tools.verdict import Verdict
from ...tools.window import is_within, last_day, local_day
from .const import EXCEPTIONS

# What is sent with a request may be stored this much after the request began.
REQUEST = timedelta(minutes=5)

OUTCOMES = [
    ('authorize', "Let it pass"),
    ('review', "Ask a person"),
    ('refuse_overridable', "Refuse, a person may overrule"),
    ('refuse', "Refuse"),
]


class SaleReturnRule(models.Model):
    """What a policy checks before a return is approved automatically.

    A kind is a value of `kind` and a method `_evaluate_<kind>(lines)` that gives each line a
    `Verdict`; its texts are in `_get_sentences`. `sale_return_rule_words.py` describes the rule
    itself, and shows which returns it would have affected.
    """

    _name = 'sale.return.rule'

    _inherit = ['sale.return.shared']

    _description = "Return Rule"
    _order = 'sequence, id'
    _check_company_auto = True

    name = fields.Char(
        required=True,
        translate=True,
        compute='_compute_name',
        store=True,
        readonly=False,
        precompute=True,
    )
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    policy_id = fields.Many2one('sale.return.policy', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='policy_id.company_id', store=True, index=True)
    kind = fields.Selection(
        [
            ('window', "Window of time"),
            ('excluded', "Excluded products"),
            ('value', "Value"),
            ('quantity', "Quantity"),
            ('photo', "Photos"),
            ('history', "Earlier returns"),
        ],
        required=True,
        default='window',
    )
    outcome = fields.Selection(
        OUTCOMES,
        string="Otherwise",
        required=True,
        default='review',
        help=(
            "What happens to lines that do not pass. All rules are evaluated; the strictest "
            "outcome decides."
        ),
    )
    customer_text = fields.Text(
        translate=True, help="Text for the customer. Empty: the text for the staff."
    )

    # Which lines it applies to: an empty condition matches everything.
    reason_ids = fields.Many2many('sale.return.reason', string="Only for Reasons")
    product_categ_ids = fields.Many2many(
        'product.category', string="Only for Categories", help="Includes those below them."
    )

    # Window
    days = fields.Integer(help="Empty: the window of the policy.")
    window_basis = fields.Selection(
        [('line', "Delivery of the line"), ('order', "Last delivery of the order")],
        string="Counted from",
        default='line',
    )
    day_type = fields.Selection(
        [('calendar', "Calendar days"), ('working', "Working days")], default='calendar'
    )
    timezone = fields.Selection(
        [('customer', "Customer"), ('company', "Company")],
        string="Day ends at the",
        default='customer',
    )

    # Excluded products
    product_ids = fields.Many2many('product.product', string="Excluded Products")
    product_tag_ids = fields.Many2many('product.tag', string="Excluded Tags")
    excluded_categ_ids = fields.Many2many(
        'product.category',
        'sale_return_rule_excluded_categ_rel',
        string="Excluded Categories",
        help="Includes those below them.",
    )
    exception_code = fields.Selection(
        EXCEPTIONS,
        string="Why It Is Excluded",
        help=(
            "Where a law gives customers a right to return, it lists the goods that are "
            "excluded. Goods it does not list can be returned. Empty: agreed with the buyer."
        ),
    )
    proof_required = fields.Boolean(
        string="Only If the Buyer Agreed",
        help=(
            "The goods are excluded only where it is recorded that the buyer agreed to it when "
            "buying. Some laws require this anyway."
        ),
    )

    # Limits
    amount = fields.Monetary(string="Up to", help="Tax included. The maximum that is allowed.")
    currency_id = fields.Many2one(
        'res.currency',
        default=lambda self: self.env.company.currency_id,
        required=True,
        ondelete='restrict',
    )
    value_basis = fields.Selection(
        [('return', "The whole return"), ('line', "Each line")], string="Value of", default='return'
    )
    quantity = fields.Float(
        string="Up to (quantity)",
        digits='Product Unit',
        help="Highest quantity of a product in one return, in the unit of the product.",
    )
    photo_count = fields.Integer(
        string="Photos",
        default=1,
        help="Needed on each line whose reason asks for a photo, or on lines of the reasons chosen "
        "here.",
    )
    return_count = fields.Integer(
        string="Up to (returns)", help="Other returns of the customer in the period."
    )
    period_days = fields.Integer(string="In the last days", default=365)

    _limits_positive = models.Constraint(
        'CHECK (COALESCE(days, 0) >= 0 AND COALESCE(amount, 0) >= 0 AND COALESCE(quantity, 0) >= 0'
        ' AND COALESCE(photo_count, 0) >= 0 AND COALESCE(return_count, 0) >= 0'
        ' AND COALESCE(period_days, 0) >= 0)',
        "Limits of a return rule cannot be negative.",
    )

    # === COMPUTE METHODS === #

    @api.depends('kind')
    def _compute_name(self):
        field = self._fields['kind']
        labels = dict(field._description_selection(self.env))
        # A name that only repeats the kind changes with it.
        unnamed = {False, '', *labels.values(), *dict(field.selection).values()}
        for rule in self:
            rule.name = labels.get(rule.kind) if rule.name in unnamed else rule.name

    # === CONSTRAINT METHODS === #

    @api.constrains(
        'kind', 'amount', 'quantity', 'product_ids', 'product_tag_ids', 'excluded_categ_ids'
    )
    def _check_parameters(self):
        for rule in self:
            if sentence := rule._get_missing_parameter():
                raise ValidationError(sentence)

    def _get_missing_parameter(self):
        """Return what the rule lacks to be evaluated, in a sentence; None if nothing.

        Override to check the parameters of more kinds.
        """
        self.ensure_one()
        values = {'rule': self.name, 'policy': self.policy_id.name}
        if self.kind == 'excluded' and not (
            self.product_ids or self.product_tag_ids or self.excluded_categ_ids
        ):
            return self.env._(
                "Choose which products, tags or categories rule “%(rule)s” of policy "
                "“%(policy)s” excludes.",
                **values,
            )
        if self.kind == 'value' and not self.amount:
            return self.env._(
                "Enter the value up to which rule “%(rule)s” of policy “%(policy)s” allows "
                "returns.",
                **values,
            )
        if self.kind == 'quantity' and not self.quantity:
            return self.env._(
                "Enter up to which quantity rule “%(rule)s” of policy “%(policy)s” allows returns.",
                **values,
            )
        return None

    @api.constrains('kind', 'outcome')
    def _check_history_is_for_people(self):
        for rule in self:
            # GDPR art. 22: nobody is refused automatically because of their past.
            if rule.kind == 'history' and rule.outcome not in ('authorize', 'review'):
                raise ValidationError(
                    self.env._(
                        "Rule “%(rule)s” looks at a person's earlier returns, so it can ask a "
                        "person to decide but cannot refuse anything automatically.",
                        rule=rule.name,
                    )
                )

    def _get_asked_on(self, line):
        """Return when a line is requested: now or, for past returns, the original time."""
        return line.return_id._get_moment() or fields.Datetime.now()

    # === EVALUATE === #

    def _get_verdicts(self, lines):
        """Evaluate the rule for lines.

        :param lines: `sale.return.line` records to which the policy of the rule applies.
        :return: `{line: dict}` as stored on the line, without lines that the rule does not apply
            to.
        :rtype: dict
        """
        self.ensure_one()
        lines = lines.filtered(self._is_for_line)
        if not lines:
            return {}
        evaluate = getattr(self, f'_evaluate_{self.kind}', None)
        if evaluate is None:
            # For example because its add-on was uninstalled: a person decides.
            verdict = Verdict('review', 'rule_unknown', {'kind': self.kind})
            verdicts = dict.fromkeys(lines, verdict)
        elif self._get_missing_parameter():
            verdicts = dict.fromkeys(lines, Verdict('review', 'rule_incomplete'))
        else:
            verdicts = evaluate(lines)
        return {line: self._prepare_verdict(line, verdict) for line, verdict in verdicts.items()}

    def _is_for_line(self, line):
        """Tell whether a line fulfils the conditions of the rule. Override to add conditions."""
        self.ensure_one()
        if self.reason_ids and not line.reason_id._is_one_of(self.reason_ids):
            return False
        if not self.product_categ_ids:
            return True
        path = line.product_id.categ_id.parent_path or ''
        return bool({int(key) for key in path.split('/')[:-1]} & set(self.product_categ_ids.ids))

    def _prepare_verdict(self, line, verdict):
        """Prepare the stored values of a verdict. Override to add values (plain ones, for JSON).

        :param verdict: `Verdict`.
        :rtype: dict
        """
        self.ensure_one()
        facts = {'rule': self.name, **verdict.facts}
        return {
            'outcome': verdict.outcome,
            'code': verdict.code,
            'facts': facts,
            'kind': self.kind,
            'rule_id': self._origin.id or False,
            'rule': self.name,
            'customer': self._get_customer_text(line, verdict.code, facts),
        }

    def _get_customer_text(self, line, code, facts):
        """Return the sentence that the customer reads on this day; nobody reads one of the past."""
        if line.return_id._get_moment():
            return False
        spoken = self.with_context(lang=line.partner_id.lang or self.env.lang)
        if facts.get('rule'):
            facts = {**facts, 'rule': spoken.name}
        return spoken.customer_text or spoken._get_sentence(code, facts)

    @api.model
    def _prepare_approval_verdict(self, line, verdict):
        """Prepare the stored values for the policy's own rule about asking people.

        :param verdict: `Verdict`.
        :rtype: dict
        """
        return {
            'outcome': verdict.outcome,
            'code': verdict.code,
            'facts': verdict.facts,
            'kind': 'approval',
            'rule_id': False,
            'rule': False,
            'customer': self._get_customer_text(line, verdict.code, verdict.facts),
        }

    # === WORDS === #

    @api.model
    def _get_sentence(self, code, facts):
        """Put a verdict into plain words, in the language of the environment.

        :param str code: code of the verdict.
        :param dict facts: facts of the verdict.
        :rtype: str
        """
        sentence = self._get_sentences().get(code)
        try:
            return sentence(facts) if sentence else f"{facts.get('rule') or ''} ({code})".strip()
        except KeyError:
            # Stored by an older version with other facts.
            return f"{facts.get('rule') or ''} ({code})".strip()

    @api.model
    def _get_sentences(self):
        """Return `{code: function of the facts giving a sentence}`. Override to add codes."""
        return {
            **self._get_policy_sentences(),
            **self._get_exclusion_sentences(),
            **self._get_limit_sentences(),
        }

    @api.model
    def _get_policy_sentences(self):
        """Sentences about what the policy requires, and why rules could not be evaluated."""
        return {
            'approval_none': lambda f: self.env._("The policy does not require a person."),
            'approval_always': lambda f: self.env._(
                "Policy “%(policy)s” always requires an approver.", **f
            ),
            'approval_levels': lambda f: self.env._(
                "Policy “%(policy)s” requires: %(levels)s.", **f
            ),
            'approval_missing': lambda f: self.env._("No policy applies, so a person decides."),
            'order_unknown': lambda f: self.env._(
                "%(product)s belongs to no order line yet: somebody has to find its order.", **f
            ),
            'nothing_comes_back': lambda f: self.env._(
                "%(product)s does not come back and cannot be inspected, so a person decides.",
                **f,
            ),
            'above_budget': lambda f: self.env._(
                "%(product)s would be credited before it arrives, and that exceeds the limits "
                "for credits without goods, so a person decides.",
                **f,
            ),
            'rule_unknown': lambda f: self.env._(
                "Rule “%(rule)s” has a kind that this system does not support.", **f
            ),
            'rule_incomplete': lambda f: self.env._(
                "Rule “%(rule)s” is not completely set up.", **f
            ),
        }

    @api.model
    def _get_exclusion_sentences(self):
        """Sentences about goods excluded from return."""
        labels = dict(self._fields['exception_code']._description_selection(self.env))

        def named(facts):
            code = facts['exception_code']
            return {**facts, 'exception': labels.get(code, code)}

        return {
            'not_excluded': lambda f: self.env._("It is not excluded from return."),
            'excluded': lambda f: self.env._(
                "%(product)s is excluded from return (%(exception)s).", **named(f)
            ),
            'excluded_unconfirmed': lambda f: self.env._(
                "%(product)s would be excluded from return (%(exception)s), but the buyer did not "
                "confirm it when buying.",
                **named(f),
            ),
            'exception_unknown_to_law': lambda f: self.env._(
                "%(product)s would be excluded from return (%(exception)s), but the law does "
                "not provide for this exception.",
                **named(f),
            ),
        }

    @api.model
    def _get_limit_sentences(self):
        """Sentences comparing the facts with the time, value, number and photos of a rule."""
        return {
            'window_open': lambda f: self.env._(
                "Received on %(got_on)s, so it can be returned until %(last_day)s.", **f
            ),
            'window_over': lambda f: self.env._(
                "Received on %(got_on)s, so it could be returned until %(last_day)s.", **f
            ),
            'window_not_begun': lambda f: self.env._(
                "The return window begins when the whole order is delivered."
            ),
            'window_unlimited': lambda f: self.env._("It can be returned at any time."),
            'value_within': lambda f: self.env._(
                "Its value is %(amount)s, up to %(limit)s is allowed.", **f
            ),
            'value_over': lambda f: self.env._(
                "Its value is %(amount)s, at most %(limit)s is allowed.", **f
            ),
            'quantity_within': lambda f: self.env._("%(quantity)s of up to %(limit)s.", **f),
            'quantity_over': lambda f: self.env._(
                "%(quantity)s of %(product)s are returned, at most %(limit)s are allowed.", **f
            ),
            'photo_there': lambda f: self.env._("%(count)s photos, %(needed)s needed.", **f),
            'photo_missing': lambda f: self.env._(
                "%(needed)s photos are needed for this reason, there are %(count)s.", **f
            ),
            'history_within': lambda f: self.env._(
                "%(count)s other returns in %(days)s days, up to %(limit)s are allowed.", **f
            ),
            'history_over': lambda f: self.env._(
                "%(count)s other returns in %(days)s days, at most %(limit)s are allowed.", **f
            ),
        }

    # === WINDOW === #

    # The kinds of rules: each `_evaluate_<kind>` examines lines and raises nothing.

    def _evaluate_window(self, lines):
        """Compare the day of the request with the last day of the window, in local time.

        The day the customer got the goods does not count; the last day counts to its end.

        :return: `{line: Verdict}`
        :rtype: dict
        """
        verdicts = {}
        calendars = {}
        for line in lines:
            now = self._get_asked_on(line)
            regime = line.policy_id._get_regime()
            days = regime.get_window_days(self.days or line.policy_id.window_days)
            if not days:
                verdicts[line] = Verdict('authorize', 'window_unlimited')
                continue
            if regime.window_basis == 'order' and line._is_order_underway():
                # Directive 2011/83/EU art. 9(2): it begins with the last delivery.
                verdicts[line] = Verdict('authorize', 'window_not_begun')
                continue
            order_basis = 'order' in (self.window_basis, regime.window_basis)
            got_on, source = line._get_got_on(order_basis)
            zone = self._get_zone(line)
            first = local_day(got_on, zone)
            is_working = None
            if self.day_type == 'working':
                key = (line.company_id, first, days)
                if key not in calendars:
                    calendars[key] = self._get_working_days(*key)
                is_working = calendars[key]
            last = last_day(first, days, is_working)
            inside = is_within(now, last, zone)
            verdicts[line] = Verdict(
                'authorize' if inside else self.outcome,
                'window_open' if inside else 'window_over',
                {
                    'got_on': fields.Date.to_string(first),
                    'got_on_source': source,
                    'days': days,
                    'day_type': self.day_type or 'calendar',
                    'last_day': fields.Date.to_string(last),
                    'asked_on': fields.Date.to_string(local_day(now, zone)),
                    'timezone': zone,
                },
            )
        return verdicts

    def _get_zone(self, line):
        """Return the name of the time zone in which days end."""
        company_zone = line.company_id._get_sale_return_timezone()
        if self.timezone == 'company':
            return company_zone
        return line.return_id.partner_id.tz or company_zone

    def _get_working_days(self, company, first, days):
        """Return a function that says on which days a company works.

        :param datetime.date first: the day before the first one asked for.
        :param int days: working days that are needed.
        :return: function of a day, None where the company has no calendar.
        """
        # sudo: users who submit a return need not see the calendars.
        calendar = company.sudo().resource_calendar_id
        if not calendar:
            return None
        zone = ZoneInfo(calendar.tz or 'UTC')
        # A range of days that suffices even with two working days a week.
        begin = datetime.combine(first, time.min, zone)
        end = begin + timedelta(days=days * 4 + 30)
        intervals = calendar._work_intervals_batch(begin, end)[False]
        working = {start.astimezone(zone).date() for start, _stop, _records in intervals}
        return working.__contains__ if working else None

    # === EXCLUDED PRODUCTS === #

    def _evaluate_excluded(self, lines):
        """Find products that cannot be returned, as far as the law allows exclusions.

        :return: `{line: Verdict}`
        :rtype: dict
        """
        confirmed = self._get_confirmed(lines)
        verdicts = {}
        for line in lines:
            if not self._is_excluded(line.product_id):
                verdicts[line] = Verdict('authorize', 'not_excluded')
                continue
            regime = line.policy_id._get_regime()
            code = self.exception_code or 'agreed'
            proof = (line, code) in confirmed
            facts = {
                'product': line.product_id.display_name,
                'exception_code': code,
                'confirmed': proof,
            }
            known = regime.exceptions + regime.confirmed_exceptions
            if known and code not in known:
                verdicts[line] = Verdict('authorize', 'exception_unknown_to_law', facts)
            elif (self.proof_required or code in regime.confirmed_exceptions) and not proof:
                verdicts[line] = Verdict('authorize', 'excluded_unconfirmed', facts)
            else:
                verdicts[line] = Verdict(self.outcome, 'excluded', facts)
        return verdicts

    def _is_excluded(self, product):
        parents = {int(key) for key in (product.categ_id.parent_path or '').split('/') if key}
        return bool(
            product & self.product_ids._origin
            or product.all_product_tag_ids & self.product_tag_ids._origin
            or parents & set(self.excluded_categ_ids.ids)
        )

    def _get_confirmed(self, lines):
        """Return `{(return line, exception code)}` of what buyers had confirmed."""
        # sudo: users who submit a return need not read what buyers confirmed to the shop.
        confirmations = (
            self.env['sale.return.confirmation']
            .sudo()
            .search([('sale_line_id', 'in', lines.sale_line_id.ids)])
        )
        of_line = defaultdict(list)
        for confirmation in confirmations:
            of_line[confirmation.sale_line_id.id].append(confirmation)
        return {
            (line, confirmation.exception_code)
            for line in lines
            for confirmation in of_line[line.sale_line_id.id]
            if not (moment := line.return_id._get_moment())
            or confirmation.confirmed_on <= moment + REQUEST
        }

    # === LIMITS === #

    def _evaluate_value(self, lines):
        """Compare the value of the line or of its return, tax included, with the limit.

        :return: `{line: Verdict}`
        :rtype: dict
        """
        verdicts = {}
        currency, limit = self.currency_id, format_amount(self.env, self.amount, self.currency_id)
        by_return = self.value_basis != 'line'
        for owner, group in lines.grouped('return_id' if by_return else 'id').items():
            counted = owner.line_ids if by_return else group
            amount = sum(one._get_requested_amount(currency) for one in counted)
            over = currency.compare_amounts(amount, self.amount) > 0
            verdict = Verdict(
                self.outcome if over else 'authorize',
                'value_over' if over else 'value_within',
                {
                    'amount': format_amount(self.env, amount, currency),
                    'limit': limit,
                    'amount_value': currency.round(amount),
                    'limit_value': self.amount,
                    'currency': currency.name,
                },
            )
            verdicts.update(dict.fromkeys(group, verdict))
        return verdicts

    def _evaluate_quantity(self, lines):
        """Compare the quantity of the product in the return with the limit.

        :return: `{line: Verdict}`
        :rtype: dict
        """
        verdicts = {}
        for line in lines:
            uom = line.product_id.uom_id
            quantity = sum(
                one.product_uom_id._compute_quantity(one.qty_requested, uom, round=False)
                for one in line.return_id.line_ids
                if one.product_id == line.product_id
            )
            over = uom.compare(quantity, self.quantity) > 0
            verdicts[line] = Verdict(
                self.outcome if over else 'authorize',
                'quantity_over' if over else 'quantity_within',
                {
                    'quantity': uom.round(quantity),
                    'limit': self.quantity,
                    'unit': uom._get_name_after(self.quantity),
                    'product': line.product_id.display_name,
                },
            )
        return verdicts

    # === EVIDENCE === #

    def _evaluate_photo(self, lines):
        """Count the photos of lines that need some.

        :return: `{line: Verdict}`
        :rtype: dict
        """
        verdicts = {}
        for line in lines:
            if not (self.reason_ids or line.reason_id.photo_required):
                continue
            photos = line.file_ids.filtered(self._is_photo)
            needed = self.photo_count or 1
            missing = len(photos) < needed
            verdicts[line] = Verdict(
                self.outcome if missing else 'authorize',
                'photo_missing' if missing else 'photo_there',
                {'count': len(photos), 'needed': needed, 'sha256': photos.mapped('sha256')},
            )
        return verdicts

    @api.model
    def _is_photo(self, file):
        if not (file.mimetype or '').startswith('image/'):
            return False
        moment = file.line_id.return_id._get_moment()
        if moment is None:
            return not file.erased_on
        return file.date <= moment + REQUEST and (not file.erased_on or file.erased_on > moment)

    # === HISTORY === #

    def _evaluate_history(self, lines):
        """Count the other recent returns of the customers of the lines.

        :return: `{line: Verdict}`
        :rtype: dict
        """
        days = self.period_days or 365
        counts = self._count_other_returns(lines.return_id, days)
        verdicts = {}
        for line in lines:
            count = counts[line.return_id]
            over = count > self.return_count
            verdicts[line] = Verdict(
                self.outcome if over else 'authorize',
                'history_over' if over else 'history_within',
                {'count': count, 'limit': self.return_count, 'days': days},
            )
        return verdicts

    @api.model
    def _count_other_returns(self, returns, days):
        """Count the other returns of the customers of some returns in the last days.

        :param returns: `sale.return` records; those of one customer count for each other.
        :return: `{return: number}`
        :rtype: dict
        """
        if returns[:1]._get_moment():
            return self._count_past_returns(returns, days)
        # sudo: the count is the same for a clerk who sees only their own returns.
        rows = (
            self.env['sale.return']
            .sudo()
            ._read_group(
                [
                    ('partner_id.commercial_partner_id', 'in', returns.commercial_partner_id.ids),
                    ('company_id', 'in', returns.company_id.ids),
                    ('state', 'not in', ('draft', 'cancelled')),
                    ('create_date', '>=', fields.Datetime.now() - timedelta(days=days)),
                    ('id', 'not in', returns.ids),
                ],
                ['partner_id'],
                ['__count'],
            )
        )
        counts = Counter(sale_return.commercial_partner_id.id for sale_return in returns)
        for partner, count in rows:
            counts[partner.commercial_partner_id.id] += count
        return {
            sale_return: counts[sale_return.commercial_partner_id.id] - 1 for sale_return in returns
        }

    @api.model
    def _count_past_returns(self, returns, days):
        """Do the same as of when the returns were requested."""
        self.env.cr.execute(
            SQL(
                """
                SELECT own.id, COUNT(other.id)
                  FROM UNNEST(%(ids)s::int[], %(moments)s::timestamp[]) AS asked (id, moment)
                  JOIN sale_return own ON own.id = asked.id
                  JOIN res_partner customer ON customer.id = own.partner_id
                  JOIN res_partner person
                    ON person.commercial_partner_id = customer.commercial_partner_id
                  JOIN sale_return other ON other.partner_id = person.id
                                        AND other.id <> own.id
                                        AND other.company_id = own.company_id
                                        AND other.create_date BETWEEN
                                            asked.moment - %(days)s * INTERVAL '1 day'
                                            AND asked.moment
                 WHERE %(state)s NOT IN ('draft', 'cancelled')
              GROUP BY own.id
                """,
                ids=returns.ids,
                moments=[sale_return._get_moment() for sale_return in returns],
                days=days,
                state=self.env['sale.return.approval.level']._get_past_state_sql(),
            )
        )
        counts = dict(self.env.cr.fetchall())
        return {sale_return: counts.get(sale_return.id, 0) for sale_return in returns}
