from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import format_date

# Depend on what is entered later: quantity and photos.
OPEN_KINDS = ('value', 'quantity', 'photo')


class SaleReturnPortalOffer(models.AbstractModel):
    """Service: what a customer can return of an order, until when, and why not. Writes nothing.

    Uses the rules of the decision on returns in memory. Callers have checked that the customer may
    see the order.
    """

    _name = 'sale.return.portal.offer'
    _description = "Return Offer to Customers"

    # === OFFER === #

    @api.model
    def _get_offer(self, order):
        """Return for each product of an order whether it can be returned.

        :param order: one `sale.order`, in superuser mode.
        :return: dicts with `line` (order line), `quantity` (returnable, in its unit), `may_ask`,
            `notes` (sentences for the customer), `last_day` (date or None), `days_left`,
            `reasons` (those they can choose), `reason_demanded`, `photo_reasons` (reasons that need
            a photo), `resolutions` (`[(value, label)]`), `lots` (`stock.lot` records that they can
            name), `withdrawable` (quantity they can withdraw from the contract for).
        :rtype: list
        """
        sale_lines = order.order_line.filtered(self._is_product)
        reasons = self.env['sale.return.reason']._get_portal_reasons(order.company_id)
        unstated = self.env.ref('sale_return.reason_not_stated')
        by_reason = self._evaluate_reasons(order, sale_lines, unstated | reasons)
        lots = self.env['sale.return.lots']._get_choice(sale_lines)
        return [
            {
                **self._prepare_row(
                    sale_line,
                    {reason: verdicts[sale_line] for reason, verdicts in by_reason.items()},
                    unstated,
                ),
                'lots': lots[sale_line],
            }
            for sale_line in sale_lines
        ]

    @api.model
    def _is_product(self, sale_line):
        """Tell whether an order line is a product customers can return. Override to add some."""
        return bool(
            sale_line.product_id
            and not sale_line.display_type
            and not sale_line.is_downpayment
            and sale_line.product_id.type != 'combo'
            and sale_line.product_uom_qty > 0
            and not self.env['sale.return.order.share']._is_order_level(sale_line)
        )

    @api.model
    def _prepare_row(self, sale_line, by_reason, unstated):
        """Prepare the offer of one order line. Override to add values.

        :param dict by_reason: `{reason: (policy, [verdict dict])}`.
        :param unstated: the reason that means “not stated”.
        :rtype: dict
        """
        policy, verdicts = by_reason[unstated]
        demanded = not policy or policy._is_reason_demanded()
        possible = self.env['sale.return.reason'].union(
            *[reason for reason, (_policy, found) in by_reason.items() if not self._refusals(found)]
        )
        returnable = sale_line.qty_returnable if sale_line._is_returnable() else 0.0
        may_ask = bool(returnable and (possible - unstated if demanded else possible))
        chosen = (possible - unstated or possible)[:1] if may_ask else unstated
        withdrawable = self._get_withdrawable(sale_line, policy, verdicts)
        last_day = self._get_last_day(by_reason, possible) if may_ask else None
        return {
            'line': sale_line,
            'quantity': returnable,
            'may_ask': may_ask,
            'notes': self._get_notes(sale_line, by_reason[chosen][1], returnable),
            'last_day': last_day,
            'days_left': last_day and (last_day - sale_line.company_id._get_sale_return_day()).days,
            'reasons': possible - unstated,
            'reason_demanded': demanded,
            'photo_reasons': self._get_photo_reasons(by_reason) & possible,
            'resolutions': self._get_resolutions(sale_line),
            'withdrawable': withdrawable,
        }

    @api.model
    def _get_resolutions(self, sale_line):
        """Return a customer's choices: `[(value, label)]`. Override to add or remove some."""
        resolutions = [('refund', self.env._("Refund"))]
        delivered = sale_line.move_ids.filtered(lambda move: move.state == 'done')
        # Products that cannot be delivered alone cannot be replaced: services, kits.
        if sale_line.product_id in delivered.product_id:
            resolutions.append(('replace', self.env._("Replacement")))
        return resolutions

    # === RULES === #

    @api.model
    def _evaluate_reasons(self, order, sale_lines, reasons):
        """Evaluate policies and rules for order lines, for each relevant reason.

        :return: `{reason: {order line: (policy, [verdict dict])}}`
        :rtype: dict
        """
        # sudo: every return follows the rules.
        policies = self.env['sale.return.policy'].sudo().search([])
        special = policies.reason_ids | policies.rule_ids.reason_ids
        alike, result = None, {}
        for reason in reasons:
            differs = reason._is_one_of(special) or reason.photo_required
            if differs or alike is None:
                verdicts = self._evaluate(order, sale_lines, reason)
                if not differs:
                    alike = verdicts
            result[reason] = verdicts if differs else alike
        return result

    @api.model
    def _evaluate(self, order, sale_lines, reason):
        """Evaluate policies and rules for order lines with one reason, without writing anything.

        :return: `{order line: (policy, [verdict dict])}`
        :rtype: dict
        """
        if not sale_lines:
            return {}
        draft = self.env['sale.return'].new(
            {
                'partner_id': order.partner_id.id,
                'company_id': order.company_id.id,
                'line_ids': [
                    Command.create(
                        {
                            'sale_line_id': sale_line.id,
                            'reason_id': reason.id,
                            'qty_requested': min(sale_line.qty_returnable, 1.0),
                        }
                    )
                    for sale_line in sale_lines
                ],
            }
        )
        verdicts = self.env['sale.return.decision']._get_verdicts(draft.line_ids)
        return {
            line.sale_line_id._origin: (line.policy_id._origin, verdicts[line])
            for line in draft.line_ids
        }

    @api.model
    def _refusals(self, verdicts):
        """Return the verdicts that nobody may overrule, as far as already known."""
        return [v for v in verdicts if v['outcome'] == 'refuse' and v['kind'] not in OPEN_KINDS]

    @api.model
    def _get_photo_reasons(self, by_reason):
        """Return the reasons for which a photo is needed."""
        return self.env['sale.return.reason'].union(
            *[
                reason
                for reason, (_policy, verdicts) in by_reason.items()
                if any(v['code'] == 'photo_missing' for v in verdicts)
            ]
        )

    @api.model
    def _get_last_day(self, by_reason, reasons):
        """Return the last day on which a product can be returned for one of the reasons.

        :return: date, None where there is no limit.
        """
        days = []
        for reason in reasons:
            for verdict in by_reason[reason][1]:
                if verdict['code'] == 'window_unlimited':
                    return None
                if verdict['code'] == 'window_open':
                    days.append(fields.Date.to_date(verdict['facts']['last_day']))
        return max(days, default=None)

    # === WORDS === #

    @api.model
    def _get_notes(self, sale_line, verdicts, returnable):
        """Tell the customer why a product cannot be returned, or not without a decision.

        :return: sentences.
        :rtype: list
        """
        if not returnable:
            return [self._get_nothing_note(sale_line)]
        telling = [
            v
            for v in verdicts
            if v['outcome'] != 'authorize' and v['kind'] not in (*OPEN_KINDS, 'approval', 'history')
        ]
        notes = [self._get_sentence(verdict) for verdict in telling]
        if telling and not self._refusals(telling):
            notes.append(self.env._("You can still request it: a person will decide."))
        return notes

    @api.model
    def _get_sentence(self, verdict):
        """Return the text of a verdict for the customer, with localized dates."""
        facts = verdict['facts']
        if verdict['code'] in ('window_over', 'window_open') and facts.get('last_day'):
            rule = self.env['sale.return.rule'].browse(verdict['rule_id'] or []).exists()
            if not rule.customer_text:
                facts = {
                    **facts,
                    'got_on': format_date(self.env, facts['got_on']),
                    'last_day': format_date(self.env, facts['last_day']),
                }
                return self.env['sale.return.rule']._get_sentence(verdict['code'], facts)
        return verdict['customer']

    @api.model
    def _get_nothing_note(self, sale_line):
        """Return why no more of a product can be returned."""
        shipped, returned, held = sale_line._get_return_quantities()[sale_line]
        if not all(r._is_of_buyer() for r in sale_line._get_return_lines().return_id):
            return self.env._("It cannot be returned.")  # the buyer sees nothing of it
        if not shipped:
            return self.env._("Not delivered yet.")
        if held:
            return self.env._("A return is already under way for it.")
        if returned:
            return self.env._("Already returned.")
        return self.env._("It cannot be returned.")

    # === WITHDRAWAL === #

    @api.model
    def _get_withdrawable(self, sale_line, policy, verdicts):
        """Return the quantity for which the customer can withdraw from the contract by law.

        Also before the goods are delivered: then there is nothing to send back.

        :rtype: float
        """
        regime = policy.regime if policy else None
        passes = all(
            v['outcome'] == 'authorize'
            for v in verdicts
            if v['kind'] not in (*OPEN_KINDS, 'approval', 'history')
        )
        if regime != 'eu_withdrawal' or not passes or sale_line.state != 'sale':
            return 0.0
        possible = max(sale_line.qty_returnable, 0.0) + self._get_undelivered(sale_line)
        # sudo: all statements count, no matter who asks.
        left = self.env['sale.return.withdrawal'].sudo()._get_qty_left(sale_line)
        return min(possible, left)

    @api.model
    def _get_undelivered(self, sale_line):
        """Return the quantity of an order line still to be delivered, in its unit."""
        if sale_line.qty_delivered_method != 'stock_move':
            return 0.0
        again = sum(
            line.qty_received - line.qty_sent_back - line.qty_replaced
            for line in sale_line.return_line_ids
        )
        delivered = sale_line._get_qty_delivered_counted()
        left = sale_line.product_uom_qty - delivered - again
        return max(sale_line._get_return_measure().round(left), 0.0)
