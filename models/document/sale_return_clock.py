from odoo import api, models

from ...tools.deadline import legal_due


class SaleReturnClock(models.AbstractModel):
    """Service: legal time limits under the regime of each return.

    Each clock is started by its own event: the request, the proof of dispatch, the receipt.
    Where lines fall under several regimes the earliest counts.
    """

    _name = 'sale.return.clock'
    _description = "Clocks of the Law"

    @api.model
    def _get_clocks(self, returns):
        """Return the clock of each return.

        :return: `{return: clock}`; a clock is empty where the law sets none, else `{'dispatch':
            until when the customer has to send, 'refund': until when the money has to be paid back,
            'withheld': True while it may be kept until the goods are under way}`; moments are
            naive, in UTC, and missing while their event has not come.
        :rtype: dict
        """
        regimes = {
            sale_return: [
                policy._get_regime()
                # sudo: the law is the same for those who may not read policies.
                for policy in sale_return.sudo().line_ids.policy_id
            ]
            for sale_return in returns
        }
        clocked = returns.browse(
            sale_return.id
            for sale_return, laws in regimes.items()
            if any(law.refund_days or law.send_days for law in laws)
        )
        moments = self._get_moments(clocked)
        return {
            sale_return: (
                self._get_clock(sale_return, regimes[sale_return], moments[sale_return])
                if sale_return in clocked
                else {}
            )
            for sale_return in returns
        }

    @api.model
    def _get_moments(self, returns):
        """Return when the events that start the clocks happened.

        :return: `{return: {'notice', 'dispatch', 'receipt'}}`, moments or None.
        :rtype: dict
        """
        first = {}
        if returns:
            # sudo: the portal calls this for customers, who may not read the log.
            first = {
                (sale_return.id, kind): moment
                for sale_return, kind, moment in self.env['sale.return.event']
                .sudo()
                ._read_group(
                    [
                        ('return_id', 'in', returns.ids),
                        '|',
                        ('kind', '=', 'received'),
                        ('state_to', '=', 'submitted'),
                    ],
                    ['return_id', 'kind'],
                    ['date:min'],
                )
            }
        return {
            sale_return: {
                'notice': first.get((sale_return.id, 'state')),
                # Evidence dates from when it was supplied, but counts only once it is confirmed.
                'dispatch': (
                    sale_return.date_dispatched if sale_return.date_dispatch_proved else None
                ),
                'receipt': first.get((sale_return.id, 'received')),
            }
            for sale_return in returns
        }

    @api.model
    def _get_clock(self, sale_return, regimes, moments):
        """Return the clock of one return, see `_get_clocks`.

        :param list regimes: `Regime` of each policy of its lines.
        :param dict moments: see `_get_moments`.
        """
        zone = sale_return.company_id._get_sale_return_timezone()
        clock = {}
        for regime in regimes:
            sending = legal_due(regime.send_days, moments['notice'], zone)
            release = self._get_release(sale_return, regime, moments)
            start = moments['receipt' if regime.refund_basis == 'receipt' else 'notice']
            paying = legal_due(regime.refund_days, start, zone, release=release or None)
            if sending:
                clock['dispatch'] = min(sending, clock.get('dispatch', sending))
            if paying and paying <= clock.get('refund', paying):
                clock.update(refund=paying, withheld=release is False)
        return clock

    @api.model
    def _get_release(self, sale_return, regime, moments):
        """Return what ended the right to keep the money: None without such a right, False: not yet.

        :rtype: datetime | bool | None
        """
        if not any(sale_return.line_ids.mapped('return_expected')):
            return None
        events = {
            'receipt_or_dispatch_proof': ('dispatch', 'receipt'),
            'receipt': ('receipt',),
        }.get(regime.withhold_until)
        if not events:
            return None
        return min((moments[event] for event in events if moments[event]), default=False)
