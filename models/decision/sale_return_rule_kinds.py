from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import fields, models
from odoo.tools.misc import format_amount

from ...tools.verdict import Verdict
from ...tools.window import is_within, last_day, local_day


class SaleReturnRule(models.Model):
    """The kinds of rules: each `_evaluate_<kind>` looks at lines and raises nothing."""

    _inherit = 'sale.return.rule'

    # === WINDOW === #

    def _evaluate_window(self, lines):
        """Compare the day of the request with the last day of the window, in local time.

        The day the customer got the goods does not count; the last day counts to its end.

        :return: `{line: Verdict}`
        :rtype: dict
        """
        now = fields.Datetime.now()
        verdicts = {}
        calendars = {}
        for line in lines:
            regime = line.policy_id._get_regime()
            days = regime.get_window_days(self.days or line.policy_id.window_days)
            if not days:
                verdicts[line] = Verdict('authorize', 'window_unlimited')
                continue
            if regime.window_basis == 'order' and line._is_order_underway():
                # Directive 2011/83/EU art. 9(2): it begins with the last of the goods.
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
        company_zone = line.return_id._get_company_timezone()
        if self.timezone == 'company':
            return company_zone
        return line.return_id.partner_id.tz or company_zone

    def _get_working_days(self, company, first, days):
        """Return a function that says on which days a company works.

        :param datetime.date first: the day before the first one asked for.
        :param int days: working days that are needed.
        :return: function of a day, None where the company has no calendar.
        """
        # sudo: whoever submits a return need not see the calendars.
        calendar = company.sudo().resource_calendar_id
        if not calendar:
            return None
        zone = ZoneInfo(calendar.tz or 'UTC')
        # Two days in a week are enough to find them all in time.
        begin = datetime.combine(first, time.min, zone)
        end = begin + timedelta(days=days * 4 + 30)
        intervals = calendar._work_intervals_batch(begin, end)[False]
        working = {start.astimezone(zone).date() for start, _stop, _records in intervals}
        return working.__contains__ if working else None

    # === EXCLUDED PRODUCTS === #

    def _evaluate_excluded(self, lines):
        """Find products that cannot be returned, as far as the law lets us say so.

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
            proof = (line.sale_line_id.id, code) in confirmed
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
            product & self.product_ids
            or product.all_product_tag_ids & self.product_tag_ids
            or parents & set(self.excluded_categ_ids.ids)
        )

    def _get_confirmed(self, lines):
        """Return `{(order line id, exception code)}` of what buyers confirmed."""
        # sudo: whoever submits a return need not read what was confirmed to the shop.
        confirmations = (
            self.env['sale.return.confirmation']
            .sudo()
            .search([('sale_line_id', 'in', lines.sale_line_id.ids)])
        )
        return {(c.sale_line_id.id, c.exception_code) for c in confirmations}

    # === LIMITS === #

    def _evaluate_value(self, lines):
        """Compare the value of the line or of its return, tax included, with the limit.

        :return: `{line: Verdict}`
        :rtype: dict
        """
        verdicts = {}
        for line in lines:
            counted = line if self.value_basis == 'line' else line.return_id.line_ids
            amount = sum(one._get_requested_amount(self.currency_id) for one in counted)
            over = self.currency_id.compare_amounts(amount, self.amount) > 0
            verdicts[line] = Verdict(
                self.outcome if over else 'authorize',
                'value_over' if over else 'value_within',
                {
                    'amount': format_amount(self.env, amount, self.currency_id),
                    'limit': format_amount(self.env, self.amount, self.currency_id),
                    'amount_value': self.currency_id.round(amount),
                    'limit_value': self.amount,
                    'currency': self.currency_id.name,
                },
            )
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
                    'unit': uom.name,
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
            photos = line.file_ids.filtered(
                lambda file: not file.erased_on and (file.mimetype or '').startswith('image/')
            )
            needed = self.photo_count or 1
            missing = len(photos) < needed
            verdicts[line] = Verdict(
                self.outcome if missing else 'authorize',
                'photo_missing' if missing else 'photo_there',
                {'count': len(photos), 'needed': needed, 'sha256': photos.mapped('sha256')},
            )
        return verdicts

    # === HISTORY === #

    def _evaluate_history(self, lines):
        """Count what else the customers of the lines have returned lately.

        :return: `{line: Verdict}`
        :rtype: dict
        """
        days = self.period_days or 365
        customers = lines.return_id.commercial_partner_id
        # sudo: a clerk who sees only his own returns decides by the same count.
        counts = dict(
            self.env['sale.return']
            .sudo()
            ._read_group(
                [
                    ('partner_id.commercial_partner_id', 'in', customers.ids),
                    ('company_id', 'in', lines.company_id.ids),
                    ('state', 'not in', ('draft', 'cancelled')),
                    ('create_date', '>=', fields.Datetime.now() - timedelta(days=days)),
                    ('id', 'not in', lines.return_id.ids),
                ],
                ['partner_id'],
                ['__count'],
            )
        )
        by_customer = {}
        for partner, count in counts.items():
            customer = partner.commercial_partner_id.id
            by_customer[customer] = by_customer.get(customer, 0) + count
        verdicts = {}
        for line in lines:
            siblings = lines.return_id.filtered(
                lambda r, line=line: (
                    r != line.return_id
                    and r.commercial_partner_id == line.return_id.commercial_partner_id
                )
            )
            count = by_customer.get(line.return_id.commercial_partner_id.id, 0) + len(siblings)
            over = count > self.return_count
            verdicts[line] = Verdict(
                self.outcome if over else 'authorize',
                'history_over' if over else 'history_within',
                {'count': count, 'limit': self.return_count, 'days': days},
            )
        return verdicts
