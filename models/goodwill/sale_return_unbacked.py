from collections import defaultdict

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import formatLang


class SaleReturnUnbacked(models.Model):
    """One credit without received goods: who requested it, who decided, how much and why.

    Written once, with the decision. All kinds share one budget: per person who decides, per
    customer and per order. How much a row counts depends on what happened since, see
    `_get_counted`.
    """

    _name = 'sale.return.unbacked'
    _inherit = ['sale.return.evidence']
    _description = "Credit without Goods"
    _order = 'id desc'
    _rec_name = 'kind'

    kind = fields.Selection(
        [
            ('reason', "Nothing comes back"),
            ('service', "Service"),
            ('keep', "Customer keeps the goods"),
            ('advance', "Credited before the goods come"),
            ('write_off', "Credited and written off"),
            ('goodwill', "Goodwill"),
        ],
        required=True,
    )
    company_id = fields.Many2one('res.company', required=True, index=True, ondelete='restrict')
    date = fields.Date(required=True)
    partner_id = fields.Many2one(
        'res.partner',
        string="Customer",
        required=True,
        index=True,
        ondelete='restrict',
        help="The commercial entity, whose limit counts.",
    )
    order_id = fields.Many2one('sale.order', index='btree_not_null', ondelete='restrict')
    return_id = fields.Many2one('sale.return', index='btree_not_null', ondelete='restrict')
    line_id = fields.Many2one('sale.return.line', index='btree_not_null', ondelete='restrict')
    product_id = fields.Many2one(related='line_id.product_id')
    goodwill_id = fields.Many2one(
        'sale.return.goodwill', index='btree_not_null', ondelete='restrict'
    )
    asked_by_id = fields.Many2one('res.users', string="Asked by", ondelete='restrict')
    door = fields.Selection(related='return_id.door', store=True)
    user_id = fields.Many2one(
        'res.users', string="Decided by", required=True, index=True, ondelete='restrict'
    )
    automatic = fields.Boolean(help="Decided automatically by the policy.")
    reason_id = fields.Many2one('sale.return.reason', ondelete='restrict')
    return_class = fields.Selection(related='reason_id.return_class', store=True)
    comment = fields.Text(string="Explanation", help="As written by the person who decided.")
    quantity = fields.Float(digits='Product Unit')
    currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    amount = fields.Monetary(
        required=True,
        help="Tax included, in the currency of the company: the value decided on.",
    )
    is_override = fields.Boolean(
        string="Above the Limit", help="A manager decided on more than the limits allow."
    )

    # === RECORD === #

    @api.model
    def _note_approved(self, returns, automatic=False):
        """Record what the approval of returns credits without goods, within the budget.

        :param returns: `sale.return` records about to be approved.
        :param bool automatic: True when the policy decides without a person.
        :raise UserError: when it exceeds the limits and needs a manager.
        """
        vals_list = []
        # sudo: users who submit a return need not read policies.
        for line in returns.sudo().line_ids:
            if kind := self._get_kind(line):
                vals_list.append(self._prepare_line_vals(line, kind, line._get_qty_wanted()))
        self._spend(vals_list, automatic)

    @api.model
    def _note_kept(self, quantities):
        """Record goods that the customer is allowed to keep.

        :param dict quantities: `{sale.return.line: quantity}` in the unit of the line.
        :raise UserError: see `_note_approved`.
        """
        # sudo: users who decide need not read the list.
        noted = dict(
            self.sudo()._read_group(
                [('line_id', 'in', [line.id for line in quantities]), ('kind', '=', 'keep')],
                ['line_id'],
                ['quantity:sum'],
            )
        )
        vals_list = []
        for line, quantity in quantities.items():
            # Credits decided with the approval are not counted again.
            left = quantity - max(noted.get(line, 0.0) - line.qty_kept, 0.0)
            if line._is_credited() and line._get_measure().compare(left, 0.0) > 0:
                vals_list.append(self._prepare_line_vals(line, 'keep', left))
        self._spend(vals_list)

    @api.model
    def _note_dispatched(self, returns):
        """Record what the proof of dispatch credits before the goods are here.

        :param returns: `sale.return` records whose dispatch one of us is about to confirm.
        :raise UserError: see `_note_approved`.
        """
        vals_list = []
        for line in returns.line_ids.filtered('return_expected'):
            # Nothing is released before the approval, which records it.
            if (
                line.state == 'approved'
                and line._is_credited()
                and line.policy_id.release_event == 'dispatch_proof'
            ):
                missing = line._get_qty_missing()
                if line._get_measure().compare(missing, 0.0) > 0:
                    vals_list.append(self._prepare_line_vals(line, 'advance', missing))
        self._spend(vals_list)

    @api.model
    def _note_written_off(self, quantities):
        """Record goods that were credited, but did not come and are not expected any more.

        :param dict quantities: `{sale.return.line: quantity}` of lines credited before they came.
        """
        self._spend(
            [
                self._prepare_line_vals(line, 'write_off', quantity)
                for line, quantity in quantities.items()
            ],
            replaces=True,
        )

    @api.model
    def _note_goodwill(self, goodwill):
        """Record goodwill that was granted; its own limits were checked.

        :param goodwill: one `sale.return.goodwill`.
        """
        self._create_rows(
            [
                {
                    'kind': 'goodwill',
                    'goodwill_id': goodwill.id,
                    'order_id': goodwill.invoice_id.invoice_line_ids.sale_line_ids.order_id[:1].id,
                    'asked_by_id': goodwill.user_id.id,
                    **{
                        name: goodwill[name].id
                        for name in ('company_id', 'partner_id', 'return_id', 'user_id')
                    },
                    'reason_id': goodwill.reason_id.id,
                    **{
                        name: goodwill[name]
                        for name in ('date', 'comment', 'amount', 'is_override')
                    },
                }
            ]
        )

    # === WHAT === #

    @api.model
    def _get_kind(self, line):
        """Return the kind of a credit without goods that approving a line causes; False if none.

        Goods that are sent again count as well: what they are worth leaves, and nothing comes.
        Override to add kinds.

        :rtype: str | bool
        """
        sent_again = line.resolution == 'replace' and line._is_without_goods()
        if not (line._is_credited() or sent_again) or line.decision == 'refused':
            return False
        if line._is_without_goods():
            if line.return_expected:
                return 'keep'
            return 'reason' if line._is_stock_line() else 'service'
        event = line.policy_id.release_event
        proved = event == 'dispatch_proof' and line.return_id.date_dispatch_proved
        moment = line.return_id._get_moment()
        if moment:
            # What came or was proved since the request did not count then.
            proved = proved and proved <= moment
            here = any(
                move.state == 'done' and move.date <= moment and move._is_sale_return_receipt()
                for move in line.move_ids
            )
        else:
            here = line._get_measure().compare(line.qty_received, line._get_qty_wanted()) >= 0
        return 'advance' if (event == 'approval' or proved) and not here else False

    @api.model
    def _prepare_line_vals(self, line, kind, quantity):
        """Prepare the row of a part of a line. Override to add values."""
        # sudo: prices of orders, no matter who decides.
        line = line.sudo()
        currency = line.company_id.currency_id
        sale_return = line.return_id
        return {
            'kind': kind,
            'company_id': line.company_id.id,
            'date': line.company_id._get_sale_return_day(),
            'partner_id': sale_return.partner_id.commercial_partner_id.id,
            'order_id': line.order_id.id,
            'return_id': sale_return.id,
            'line_id': line.id,
            'asked_by_id': (sale_return.requested_by_id or sale_return.create_uid).id,
            'user_id': self.env.uid,
            'reason_id': line.reason_id.id,
            'comment': line.customer_note,
            'quantity': quantity,
            'amount': currency.round(line._get_requested_amount(currency, quantity)),
        }

    # === BUDGET === #

    @api.model
    def _spend(self, vals_list, automatic=False, replaces=False):
        """Record decisions after checking that they are within the budget.

        :param list vals_list: values of the rows.
        :param bool automatic: True when the policy decided; it has checked the budget before.
        :param bool replaces: True when the amounts were already counted as credited in advance.
        :raise UserError: naming the limits, for everybody but managers of Returns.
        """
        if not vals_list:
            return
        self._take_counters(vals_list, automatic)
        if not automatic and not replaces:
            exceeds = self._ensure_within(self._get_messages(vals_list))
            vals_list = [{**vals, 'is_override': exceeds} for vals in vals_list]
        self._create_rows([{**vals, 'automatic': automatic} for vals in vals_list])

    @api.model
    def _ensure_within(self, messages):
        """Refuse decisions above the limits, except by a manager of Returns.

        :param list messages: see `_get_messages`.
        :return: True when a manager exceeds a limit.
        :rtype: bool
        :raise UserError: when another user does so.
        """
        if messages and not self.env.user.has_group('sale_return.group_manager'):
            advice = self.env._("Ask a manager of Returns to do it.")
            raise UserError("\n".join([*messages, advice]))
        return bool(messages)

    @api.model
    def _create_rows(self, vals_list):
        # sudo: nobody writes evidence directly; the callers have checked the user's role.
        return self.sudo().create(vals_list)

    @api.model
    def _take_back(self, line, amount):
        """Record that a price which was lowered is higher again, as rows below zero.

        They have the persons and days of what they take back, the latest first, so that it counts
        in none of the budgets any more. Who raised the price is who created them.

        :param line: one `sale.return.line`.
        :param float amount: in the currency of the company; what is above all rows is ignored.
        """
        # sudo: users who change an order need not read the list.
        rows = self.sudo().search(
            [('line_id', '=', line.id), ('kind', '=', 'goodwill'), ('goodwill_id', '=', False)],
            order='id',
        )
        left = {}  # what still counts of each row, in the order in which prices were lowered
        for row in rows:
            taken = -row.amount
            for given in reversed(left if taken > 0 else ()):
                if (given.user_id, given.date) == (row.user_id, row.date):
                    taken -= (part := min(taken, left[given]))
                    left[given] -= part
            if row.amount > 0:
                left[row] = row.amount
        vals_list = []
        for given in reversed(left):
            part = min(amount, left[given])
            if line.company_id.currency_id.compare_amounts(part, 0.0) > 0:
                vals = self._prepare_line_vals(line, 'goodwill', line._get_qty_wanted())
                vals |= {'user_id': given.user_id.id, 'date': given.date, 'amount': -part}
                vals_list.append(vals | {'comment': self.env._("The price was raised again.")})
                amount -= part
        self._create_rows(vals_list)

    @api.model
    def _take_counters(self, vals_list, automatic):
        """Make sure that no other transaction spends the same budget."""
        partners = self.env['res.partner'].browse({vals['partner_id'] for vals in vals_list})
        user = self.env['res.users'] if automatic else self.env.user
        self.env['sale.return.guard']._take_counters(
            (partners, 'sale_return_goodwill_guard'), (user, 'sale_return_goodwill_guard')
        )

    @api.model
    def _get_messages(self, vals_list, automatic=False):
        """Return which limits decisions would exceed.

        :param list vals_list: values of rows, see `_prepare_line_vals`.
        :param bool automatic: True to ignore the limit of the person.
        :return: a sentence for each limit; none when everything is within the budget.
        :rtype: list
        """
        messages = []
        by_company = defaultdict(list)
        for vals in vals_list:
            by_company[vals['company_id']].append(vals)
        for company_id, group in by_company.items():
            # sudo: the limits apply to everybody.
            company = self.env['res.company'].sudo().browse(company_id)
            if not self._is_limited(company):
                continue
            rows = self._get_counted(company, group)
            if not automatic:
                messages += self._check_agent(company, rows, group)
            messages += self._check_customers(company, rows, group)
            messages += self._check_orders(company, rows, group)
        return messages

    @api.model
    def _is_limited(self, company):
        return bool(
            company.sale_return_unbacked_agent_limit
            or company.sale_return_unbacked_customer_limit
            or company.sale_return_unbacked_order_limit
            or self._get_own_limit()
        )

    @api.model
    def _get_own_limit(self):
        # sudo: the user's own limit, which only managers may read.
        return self.env.user.sudo().sale_return_goodwill_limit

    @api.model
    def _get_spent_by_user(self, company, rows):
        """Return what the user has decided this month, of rows of `_get_counted`."""
        month = company._get_sale_return_day().replace(day=1)
        return sum(
            row['counted']
            for row in rows
            if row['user_id'] == self.env.uid and row['date'] >= month and not row['automatic']
        )

    @api.model
    def _check_agent(self, company, rows, group):
        limit = self._get_own_limit() or company.sale_return_unbacked_agent_limit
        amount = sum(vals['amount'] for vals in group)
        values = self._compare(company, amount, limit, self._get_spent_by_user(company, rows))
        if not values:
            return []
        return [
            self.env._(
                "%(amount)s without goods is above what you may decide this month: %(left)s of "
                "%(limit)s are left.",
                **values,
            )
        ]

    @api.model
    def _check_customers(self, company, rows, group):
        days = company.sale_return_period_days
        since = company._get_sale_return_day() - relativedelta(days=days)
        recent = [row for row in rows if row['date'] >= since] if days else []
        spent = self._sum_by(recent, 'partner_id', 'counted')
        limit = company.sale_return_unbacked_customer_limit
        messages = []
        for partner_id, amount in self._sum_by(group, 'partner_id', 'amount').items():
            if values := self._compare(company, amount, limit, spent[partner_id]):
                # sudo: the name of the customer of a return that the user decides on.
                customer = self.env['res.partner'].sudo().browse(partner_id).display_name
                messages.append(
                    self.env._(
                        "%(amount)s without goods is above what customer %(customer)s may be "
                        "credited within %(days)s days: %(left)s of %(limit)s are left.",
                        customer=customer,
                        days=days,
                        **values,
                    )
                )
        return messages

    @api.model
    def _check_orders(self, company, rows, group):
        spent = self._sum_by(rows, 'order_id', 'counted')
        limit = company.sale_return_unbacked_order_limit
        messages = []
        for order_id, amount in self._sum_by(group, 'order_id', 'amount').items():
            values = self._compare(company, amount, limit, spent[order_id])
            if values and order_id:
                # sudo: the number of the order of a return that the user decides on.
                order = self.env['sale.order'].sudo().browse(order_id).name
                messages.append(
                    self.env._(
                        "%(amount)s without goods is above what may be credited of order "
                        "%(order)s: %(left)s of %(limit)s are left.",
                        order=order,
                        **values,
                    )
                )
        return messages

    @api.model
    def _sum_by(self, rows, key, name):
        sums = defaultdict(float)
        for row in rows:
            sums[row[key]] += row[name]
        return sums

    @api.model
    def _compare(self, company, amount, limit, spent):
        """Compare an amount with the rest of a limit.

        :return: the figures of the sentence about it, in words; empty within the limit, or
            without one.
        :rtype: dict
        """
        currency = company.currency_id
        left = max(limit - spent, 0.0)
        if not limit or currency.compare_amounts(amount, left) <= 0:
            return {}
        figures = {'amount': amount, 'left': left, 'limit': limit}
        return {
            name: formatLang(self.env, figure, currency_obj=currency)
            for name, figure in figures.items()
        }

    @api.model
    def _find_above_budget(self, lines):
        """Return the lines that a policy would credit in advance beyond the limits.

        :param lines: `sale.return.line` records about to be decided on.
        """
        found = lines.browse()
        for group in (
            self._filter_early(lines)
            .grouped(lambda line: line.return_id.partner_id.commercial_partner_id)
            .values()
        ):
            # Customer by customer: few policies credit in advance.
            vals_list = [
                self._prepare_line_vals(line, 'advance', line._get_qty_wanted()) for line in group
            ]
            if self._get_messages(vals_list, automatic=True):
                found |= group.with_env(lines.env)
        return found

    @api.model
    def _filter_early(self, lines):
        """Return the lines that their policy credits in advance, as superuser."""
        # sudo: users who submit a return need not read policies.
        return lines.sudo().filtered(lambda line: self._get_kind(line) == 'advance')

    @api.model
    def _find_limited(self, lines):
        """Return the lines that pass only within the limits, under their policy. Override to add.

        :param lines: `sale.return.line` records.
        """
        return self._filter_early(lines).with_env(lines.env)

    # === COUNT === #

    @api.model
    def _get_counted(self, company, group):
        """Return how much of the budgets of some decisions is already used, in one query.

        A row counts the value that is still without goods:

        ========== ==============================================================
        goodwill   without what was cancelled, or reversed *and* got back: a
                   reversal that the customer never paid is still their money
        advance    without what came since, or was written off (a row of its own)
        others     all of it, unless the return was refused or cancelled
        ========== ==============================================================

        :param company: `res.company`
        :param list group: values of rows of that company.
        :return: list of dicts `{'user_id', 'partner_id', 'order_id', 'date', 'automatic',
            'counted'}`, amounts in the currency of the company.
        :rtype: list
        """
        today = company._get_sale_return_day()
        self.flush_model()
        self.env['account.move'].flush_model(
            ['state', 'amount_total', 'amount_residual', 'reversed_entry_id', 'move_type']
        )
        self.env['sale.return'].flush_model(['state'])
        self.env['sale.return.line'].flush_model(['qty_received', 'qty_kept', 'qty_written_off'])
        self.env.cr.execute(
            SQL(
                """
                SELECT own.user_id, own.partner_id, own.order_id, own.date,
                       COALESCE(own.automatic, FALSE) AS automatic,
                       own.amount::float8 * %(share)s AS counted
                  FROM sale_return_unbacked own
             LEFT JOIN sale_return_goodwill goodwill ON goodwill.id = own.goodwill_id
             LEFT JOIN account_move note ON note.id = goodwill.note_id
             LEFT JOIN sale_return parent ON parent.id = own.return_id
             LEFT JOIN sale_return_line line ON line.id = own.line_id
     LEFT JOIN LATERAL (
                           SELECT SUM(reversal.amount_total - reversal.amount_residual) AS amount
                             FROM account_move reversal
                            WHERE reversal.reversed_entry_id = note.id
                              AND reversal.move_type = 'out_invoice'
                              AND reversal.state = 'posted'
                       ) got_back ON TRUE
                 WHERE own.company_id = %(company)s
                   AND (
                           own.partner_id IN %(partners)s AND own.date > %(year)s
                        OR own.order_id IN %(orders)s
                        OR own.user_id = %(user)s AND own.date >= %(month)s
                       )
                """,
                share=self._get_share_sql(),
                company=company.id,
                partners=tuple({vals['partner_id'] for vals in group}),
                orders=tuple({vals['order_id'] or 0 for vals in group}),
                user=self.env.uid,
                month=today.replace(day=1),
                year=today - relativedelta(months=12),
            )
        )
        return self.env.cr.dictfetchall()

    @api.model
    def _get_share_sql(self):
        """Return the part of a row that counts, see `_get_counted`."""
        return SQL(
            """
            CASE WHEN own.goodwill_id IS NOT NULL AND note.state = 'cancel' THEN 0.0
                 WHEN own.goodwill_id IS NOT NULL AND note.amount_total <> 0
                 THEN 1.0 - LEAST(COALESCE(got_back.amount, 0) / note.amount_total, 1)::float8
                 WHEN own.goodwill_id IS NOT NULL THEN 1.0
                 WHEN parent.state IN ('refused', 'cancelled') THEN 0.0
                 WHEN own.kind = 'advance' AND own.quantity > 0
                 THEN GREATEST(LEAST(
                          (
                              line.qty_authorized - line.qty_received - line.qty_kept
                              - COALESCE(line.qty_written_off, 0)
                          )::float8 / own.quantity::float8, 1.0), 0.0)
                 ELSE 1.0
             END
            """
        )
