from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang

from ...tools.html import as_html


class SaleReturn(models.Model):
    """Exchanges of returned goods."""

    _inherit = 'sale.return'

    exchange_order_ids = fields.One2many(
        'sale.order', 'exchange_return_id', string="Exchange Orders", readonly=True
    )
    exchange_order_count = fields.Integer(
        compute='_compute_exchange_order_count', compute_sudo=True
    )
    exchange_hold_until = fields.Datetime(
        string="Held Until",
        readonly=True,
        copy=False,
        help="The goods for the exchange are held for the customer until then.",
    )
    exchange_note = fields.Text(
        string="Exchange",
        compute='_compute_exchange_note',
        compute_sudo=True,
        help="What is credited, what the customer gets, and who pays the difference.",
    )
    has_exchange = fields.Boolean(compute='_compute_has_exchange')
    has_exchange_to_decide = fields.Boolean(
        compute='_compute_has_exchange_to_decide',
        compute_sudo=True,
        help=(
            "Goods were rejected, so the customer either pays for the product they chose, or does"
            " not get it."
        ),
    )

    _exchange_hold_index = models.Index(
        '(exchange_hold_until) WHERE exchange_hold_until IS NOT NULL'
    )

    # === COMPUTE METHODS === #

    @api.depends('exchange_order_ids')
    def _compute_exchange_order_count(self):
        for sale_return in self:
            sale_return.exchange_order_count = len(sale_return.exchange_order_ids)

    @api.depends('line_ids.resolution')
    def _compute_has_exchange(self):
        for sale_return in self:
            sale_return.has_exchange = 'exchange' in sale_return.line_ids.mapped('resolution')

    @api.depends('state', 'line_ids.qty_rejected', 'line_ids.exchange_ended')
    def _compute_has_exchange_to_decide(self):
        for sale_return in self:
            sale_return.has_exchange_to_decide = sale_return.state == 'approved' and any(
                line.qty_rejected and line._get_qty_exchange_open() for line in sale_return.line_ids
            )

    @api.depends(
        'state',
        'line_ids.resolution',
        'line_ids.exchange_product_id',
        'line_ids.exchange_quantity',
        'line_ids.exchange_price',
        'line_ids.qty_requested',
        'line_ids.qty_credited_posted',
        'line_ids.qty_rejected',
        'exchange_order_ids.picking_ids.state',
    )
    @api.depends_context('lang')
    def _compute_exchange_note(self):
        for sale_return in self:
            wishes = sale_return.line_ids.filtered(lambda line: line.resolution == 'exchange')
            wishes = wishes.filtered(lambda line: line.exchange_product_id and line.sale_line_id)
            sale_return.exchange_note = bool(wishes) and sale_return._describe_exchange()

    def _describe_exchange(self):
        """Describe what is credited, what the customer gets, and who pays the difference.

        To be called in superuser mode.

        :rtype: str | bool
        """
        self.ensure_one()
        notes = self.env['sale.return.credit']._preview(self, kinds=('estimate',))
        service = self.env['sale.return.exchange']
        preview = service._preview(self, {self.id: notes[self.id]['estimate']})[self.id]
        if not preview['exchange']:
            return False
        order, difference = preview['exchange'][0], preview['difference']
        currency = service._get_currency(order['currency'])
        values = {
            'credit': formatLang(self.env, order['total'] - difference, currency_obj=currency),
            'goods': formatLang(self.env, order['total'], currency_obj=currency),
            'difference': formatLang(self.env, abs(difference), currency_obj=currency),
        }
        compared = currency.compare_amounts(difference, 0.0)
        if compared > 0:
            sentence = self.env._(
                "Credit %(credit)s, new goods %(goods)s: the customer pays %(difference)s.",
                **values,
            )
        elif compared < 0:
            sentence = self.env._(
                "Credit %(credit)s, new goods %(goods)s: the customer gets %(difference)s back.",
                **values,
            )
        else:
            sentence = self.env._(
                "Credit %(credit)s, new goods %(goods)s: nobody pays anything.", **values
            )
        if self.state == 'closed':
            return " ".join([sentence, *self._describe_exchange_delivery()])
        warning = self.env._(
            "If goods are rejected, the customer pays for the product they chose, or it is "
            "cancelled."
        )
        return " ".join(
            [
                sentence,
                warning,
                *self._describe_exchange_delivery(),
                *self._get_exchange_warnings(difference),
            ]
        )

    def _describe_exchange_delivery(self):
        """Name the deliveries by which the new goods are still to be sent.

        :return: sentences
        :rtype: list
        """
        names = self._name_deliveries(self.exchange_order_ids.picking_ids)
        if not names:
            return []
        return [self.env._("The new goods are still to be sent: %(deliveries)s.", deliveries=names)]

    def _describe_next(self):
        """Extend to name what is sent in exchange, and what it waits for."""
        sentences = super()._describe_next()
        orders = self.exchange_order_ids
        customer = self.partner_id.display_name
        deliveries = self._name_deliveries(orders.picking_ids)
        is_due = any(
            order.currency_id.compare_amounts(order.exchange_due, 0.0) > 0 for order in orders
        )
        if self.has_exchange_to_decide:
            sentence = self.env._(
                "Goods were rejected: customer service asks %(customer)s whether they still want "
                "the exchange.",
                customer=customer,
            )
        elif deliveries and is_due:
            sentence = self.env._(
                "%(customer)s pays for the exchange first. Then send it (%(deliveries)s).",
                customer=customer,
                deliveries=deliveries,
            )
        elif deliveries:
            sentence = self.env._(
                "Next: send the exchange to %(customer)s (%(deliveries)s).",
                customer=customer,
                deliveries=deliveries,
            )
        elif any(line._get_qty_exchange_open() for line in self.line_ids):
            sentence = self.env._(
                "The exchange for %(customer)s cannot be sent yet.", customer=customer
            )
        else:
            return sentences
        return [*sentences, sentence]

    def _get_exchange_warnings(self, difference):
        """Return the warnings that a clerk gets before they sell something, like Odoo's own.

        :param float difference: what the customer would owe besides, in the currency of the order.
        :return: sentences
        :rtype: list
        """
        order = self.line_ids.sale_line_id.order_id[:1]
        partner = order.partner_id
        warnings = [
            self.env._(
                "Warning of %(customer)s: %(text)s", customer=who.name, text=who.sale_warn_msg
            )
            for who in (partner | partner.parent_id)
            if who.sale_warn_msg and self.env.user.has_group('sale.group_warning_sale')
        ]
        company = self.company_id
        if difference > 0 and company.account_use_credit_limit:
            owed = order.currency_id._convert(
                difference, company.currency_id, company, company._get_sale_return_day()
            )
            moves = self.env['account.move'].with_company(company)
            text = moves._build_credit_warning_message(order, current_amount=owed)
            warnings += [text.replace("\n", ". ")] if text else []
        return warnings

    # === ACTION METHODS === #

    def action_view_exchange_orders(self):
        """Show the exchange orders."""
        return self._show(self.exchange_order_ids, self.env._("Exchange Orders"))

    def action_keep_exchange(self):
        """Order what is still held although goods were rejected; the customer pays for it.

        To be called when the customer still wants it. The order is raised to everything they chose
        and billed, so that the customer can pay by the link.

        :return: True
        :raise AccessError: without a role in Returns.
        :raise UserError: when the return is not approved, nothing was rejected, or the order
            cannot be confirmed.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._ensure_state(
            ('approved',),
            self.env._("Return %(returns)s cannot be exchanged for payment. Approve it first."),
        )
        service = self.env['sale.return.exchange.order']
        lines = service._as_service(self).line_ids._filter_exchanged()
        if early := self - lines.filtered('qty_rejected').return_id.sudo(False):
            raise UserError(
                self.env._(
                    "None of the goods returned for the exchange of return %(returns)s were "
                    "rejected, so their credit pays for it. Inspect the goods first.",
                    returns=", ".join(early.mapped('name')),
                )
            )
        service._raise_orders(
            {line: line._get_qty_exchanged(line._get_qty_wanted()) for line in lines}
        )
        service._bill_ordered(lines)
        self._after_step()
        return True

    def action_end_exchange(self):
        """End the exchange: the hold is released, and accepted goods are credited.

        :return: True
        :raise AccessError: without a role in Returns.
        :raise UserError: when a return is not under way.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._ensure_state(
            ('submitted', 'approved'),
            self.env._("The exchange of return %(returns)s cannot be ended: it is not under way."),
        )
        self._end_exchange('exchange_ended')
        self.filtered(lambda r: r.state == 'approved')._after_step()
        return True

    def preview_credit(self):
        """Extend to include the exchange and the difference.

        :return: as before (see `sale.return` of the room *document*: `due` and `estimate`), and of
            each return `exchange`: orders `{'currency', 'lines': [{'return_line_id', 'product_id',
            'quantity', 'price_unit', 'discount', 'untaxed', 'tax', 'total'}], 'untaxed', 'tax',
            'total'}` of everything not refused (none without an exchange), and `difference`: what
            they cost, tax included, less what is credited in the end, in the currency of the order.
            Above zero the customer pays it, below zero they get it back.
        :rtype: dict
        """
        result = super().preview_credit()
        notes = {return_id: entry['estimate'] for return_id, entry in result.items()}
        # sudo: as in the method that this extends; nothing is written.
        service = self.env['sale.return.exchange'].sudo()
        for return_id, entry in service._preview(self.sudo(), notes).items():
            result[return_id].update(entry)
        return result

    def _get_portal_next_step(self):
        """Extend to ask customers for what they still pay of their exchange."""
        orders = self.exchange_order_ids.filtered(
            lambda order: order.currency_id.compare_amounts(order.exchange_due, 0.0) > 0
        )
        if not self._shows_amounts():
            return super()._get_portal_next_step()
        if orders:
            text = self.env._(
                "Please pay the difference. Then we will send what you chose in exchange."
            )
        # sudo: the customer may see their return, and what they owe for it.
        elif self.sudo()._get_portal_payments():
            text = self.env._("Please pay what is left of your exchange.")
        else:
            return super()._get_portal_next_step()
        return {'actor': 'customer', 'text': text, 'due': False}

    def _get_portal_exchange(self):
        """Return the data on the exchange for the page of a return. In superuser mode.

        :return: None, or the data of `_get_summary` of requests, with `to_pay`: `[{'invoice',
            'amount', 'currency', 'url'}]`, and `first`: whether it is paid before it ships.
        """
        self.ensure_one()
        if (
            not self._shows_amounts()
            or not self.line_ids._filter_exchanged()
            or self.state
            not in (
                'submitted',
                'approved',
                'closed',
            )
        ):
            return None
        try:
            notes = self.env['sale.return.credit']._preview(self, kinds=('promised',))
        except UserError:
            return None  # it is up to us to fix what cannot be credited yet
        preview = self.env['sale.return.exchange']._preview(
            self, {self.id: notes[self.id]['promised']}
        )
        exchange = self.env['sale.return.portal.request']._describe_exchange(preview[self.id])
        return exchange and exchange | {
            'to_pay': self._get_portal_payments(),
            'first': self._is_exchange_paid_first(),
        }

    def _get_portal_payments(self):
        """Return what is to be paid of exchanges, each with Odoo's link to pay it.

        Nothing where amounts are not shown: invoices name what the goods have cost.
        """
        shown = self.filtered(lambda r: r._shows_amounts())
        invoices = shown.exchange_order_ids.invoice_ids.filtered(
            lambda move: move.state == 'posted' and move.move_type == 'out_invoice'
        )
        return [
            {
                'invoice': invoice,
                'amount': invoice.amount_residual,
                'currency': invoice.currency_id,
                'url': invoice._get_portal_payment_link(),
            }
            for invoice in invoices.sorted('id')
            if invoice.currency_id.compare_amounts(invoice.amount_residual, 0.0) > 0
        ]

    def _describe_expected_money(self):
        """Extend not to promise money for which goods are given: see `exchange_note`."""
        wishes = self.line_ids._filter_exchanged()
        others = (self.line_ids - wishes).filtered(lambda line: line._is_credited())
        if wishes and not others and not self.amount_to_credit:
            return []
        return super()._describe_expected_money()

    # === STATE === #

    def _is_exchange_paid_first(self):
        """Tell whether customers pay the extra cost of an exchange before it ships.

        Others than the buyer never pay: what their goods are worth less is left to the clerk.
        """
        if not self._is_of_buyer():
            return False
        policies = self.line_ids.filtered(lambda line: line.resolution == 'exchange').policy_id
        return 'first' in policies.mapped('exchange_payment')

    def _follow_wishes(self, state):
        """Hook of `_after_state`."""
        result = super()._follow_wishes(state)
        if state == 'submitted':
            self._begin_exchanges()
        elif state == 'approved':
            self.env['sale.return.exchange.order']._fit(self)
        elif state in ('draft', 'refused', 'cancelled', 'closed'):
            # sudo: the hold ends no matter who ends the return; the callers have checked the group.
            lines = self.sudo().line_ids
            self.env['sale.return.hold'].sudo()._end(lines, as_refund=False)
            if state == 'draft':
                # A return submitted again gets a new exchange order.
                wishes = lines.filtered('exchange_ended')
                wishes._write_facts({'exchange_ended': False, 'exchange_sale_line_id': False})
        return result

    def _begin_exchanges(self):
        """Hold the chosen goods; after a successful appeal, as far as they are still available."""
        service = self.env['sale.return.exchange.order']
        self.line_ids._note_lowered_prices()
        # sudo: see `_follow_wishes`.
        again = self.sudo().line_ids.filtered(
            lambda line: line.exchange_ended and line.resolution == 'exchange'
        )
        service._begin(self.filtered(lambda r: r not in again.return_id))
        for sale_return in again.return_id:
            lines = again & sale_return.line_ids
            lines._write_facts({'exchange_ended': False, 'exchange_sale_line_id': False})
            try:
                with self.env.cr.savepoint():
                    service._begin(sale_return)
            except UserError:
                # Sold in the meantime: the appeal was still successful, and the money goes back.
                lines._write_facts({'exchange_ended': True})

    def _is_finished(self):
        """Extend to wait for promised exchanges."""
        return super()._is_finished() and not any(
            line._get_qty_exchange_open() for line in self.line_ids
        )

    def _after_step(self):
        """Extend to notify, once, that goods with a promised exchange were rejected."""
        result = super()._after_step()
        # sudo: see `_follow_wishes`.
        for sale_return in self.sudo().filtered('has_exchange_to_decide'):
            sale_return._ask_about_rejected_exchange()
        return result

    def _end_exchange(self, kind):
        """End the exchanges of returns; log it, and notify customer and responsible user.

        :param str kind: of the event.
        """
        # sudo: the callers have checked the group, or are the scheduled job.
        for sale_return in self.sudo():
            if not self.env['sale.return.hold'].sudo()._end(sale_return.line_ids):
                continue
            self.env['sale.return.exchange.order']._log(sale_return, kind)
            if kind == 'exchange_lapsed':
                sale_return._ask_about_exchange(
                    lambda env: env._("Exchange no longer held"),
                    lambda env: env._(
                        "The goods did not come in time. Goods arriving now are credited as a "
                        "refund."
                    ),
                )

    # === TELL === #

    def _ask_about_rejected_exchange(self):
        """Notify customer and responsible user that goods were rejected, and of the options."""
        self.ensure_one()
        rejected = sum(self.line_ids._filter_exchanged().mapped('qty_rejected'))
        known = self.event_ids.filtered(lambda event: event.kind == 'exchange_rejected')
        if known.sorted('id')[-1:].details == f"{rejected:g}":
            return
        self.env['sale.return.event']._log(
            [{'return_id': self.id, 'kind': 'exchange_rejected', 'details': f"{rejected:g}"}]
        )
        self._ask_about_exchange(
            lambda env: env._("Exchange for rejected goods"),
            lambda env: env._(
                "Goods were rejected. Ask the customer whether they will pay for the product "
                "they chose; otherwise end the exchange."
            ),
        )

    def _ask_about_exchange(self, summary, note):
        """Plan an activity for the responsible of a return, in their language.

        :param summary: function of an environment giving a sentence.
        :param note: the same, or a text.
        """
        self.ensure_one()
        user = self.user_id
        if not user.active or user.share:
            return
        env = self.with_context(lang=user.sudo().lang).env
        self.activity_schedule(
            'mail.mail_activity_data_todo',
            summary=summary(env),
            note=as_html(note(env) if callable(note) else note),
            user_id=user.id,
        )
