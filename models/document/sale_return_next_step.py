from odoo import models

from ...const import CUSTOMER_STEPS
from ...tools.deadline import last_moment, legal_due

# What can be done with what is here comes before what is still to come.
URGENCY = ('decide', 'inspect', 'credit', 'refund', 'receive', 'dispatch', 'follow_up')


class SaleReturn(models.Model):
    """Which steps are open, who has to take the next one, and until when."""

    _inherit = 'sale.return'

    def _get_open_steps(self):
        """Return the steps that somebody has to take now, read off the return's own states.

        Several can be open at once: half of the goods wait for their inspection while the rest is
        still to come. Override to add steps.

        :return: codes of `const.STEPS`, what matters most first; none for drafts.
        :rtype: list
        """
        self.ensure_one()
        if self.state == 'submitted':
            return ['decide']
        if self.state not in ('approved', 'closed'):
            return []
        coming = self.state == 'approved' and self.reception_state in ('pending', 'partial')
        is_open = {
            'dispatch': coming and not self.date_dispatched,
            'receive': coming and self.date_dispatched,
            'inspect': self.has_to_inspect,
            'credit': any(line._has_open_credit() for line in self.line_ids),
            'refund': self.refund_state in ('pending', 'partial'),
            'follow_up': self.state == 'closed' and self._is_follow_up_open(),
        }
        return [step for step in URGENCY if is_open.get(step)]

    def _is_follow_up_open(self):
        """Tell whether somebody still has to ask the customer of a closed return. Override."""
        self.ensure_one()
        return False

    def _get_next_step(self):
        """Say who has to act next on each return, and until when.

        :return: `{return: {'step', 'actor', 'owner', 'due'}}`: a code of `const.STEPS`, `customer`
            or `company`, a user (may be empty) and the last moment (naive, UTC; False without
            one). All four are empty for a return with which nothing is to be done.
        :rtype: dict
        """
        clocks = self._get_legal_clocks()
        nobody = self.env['res.users']
        result = {}
        for sale_return in self:
            step = next(iter(sale_return._get_open_steps()), False)
            actor = 'customer' if step in CUSTOMER_STEPS else 'company'
            result[sale_return] = {
                'step': step,
                'actor': step and actor,
                'owner': nobody,
                'due': (step and sale_return._get_outer_due(step, clocks[sale_return])) or False,
            }
        return result

    def _get_outer_due(self, step, clock):
        """Return until when a step has to be done whatever we have set ourselves.

        :param str step: a code of `const.STEPS`.
        :param dict clock: of this return, see `_get_legal_clocks`.
        :return: naive, in UTC; False without a limit.
        :rtype: datetime | bool
        """
        self.ensure_one()
        if step == 'dispatch':
            day = self.date_send_until
            return (
                last_moment(day, self._get_company_timezone())
                if day
                else clock.get('dispatch', False)
            )
        if step == 'follow_up' or clock.get('withheld'):
            return False
        return clock.get('refund', False)

    def _get_legal_clocks(self):
        """Return until when the law of each return's regime wants something to be done.

        Each clock is started by its own event: the request, the proof of dispatch, the receipt.
        Where lines fall under several regimes the earliest counts.

        :return: `{return: clock}`; a clock is empty where the law sets none, else
            `{'dispatch': until when the customer sends, 'refund': until when the money is back,
            'withheld': True while it may be kept until the goods are under way}`; moments are
            naive, in UTC, and missing while their event has not come.
        :rtype: dict
        """
        regimes = {
            sale_return: [
                policy._get_regime()
                # sudo: the law is the same for who may not read policies.
                for policy in sale_return.sudo().line_ids.policy_id
            ]
            for sale_return in self
        }
        clocked = self.browse(
            sale_return.id
            for sale_return, laws in regimes.items()
            if any(law.refund_days or law.send_days for law in laws)
        )
        moments = clocked._get_clock_events()
        return {
            sale_return: sale_return._get_legal_clock(regimes[sale_return], moments[sale_return])
            if sale_return in clocked
            else {}
            for sale_return in self
        }

    def _get_clock_events(self):
        """Return when the events happened that start the clocks of the law.

        :return: `{return: {'notice', 'dispatch', 'receipt'}}`, moments or None.
        :rtype: dict
        """
        first = {}
        if self:
            # sudo: the portal asks for its customers, who read no log.
            first = {
                (sale_return.id, kind): moment
                for sale_return, kind, moment in self.env['sale.return.event']
                .sudo()
                ._read_group(
                    [
                        ('return_id', 'in', self.ids),
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
                # Evidence was supplied when it was given, and is one once it is confirmed.
                'dispatch': (
                    sale_return.date_dispatched if sale_return.date_dispatch_proved else None
                ),
                'receipt': first.get((sale_return.id, 'received')),
            }
            for sale_return in self
        }

    def _get_legal_clock(self, regimes, moments):
        """Return the clock of one return, see `_get_legal_clocks`.

        :param list regimes: `Regime` of each policy of its lines.
        :param dict moments: see `_get_clock_events`.
        """
        self.ensure_one()
        zone = self._get_company_timezone()
        clock = {}
        for regime in regimes:
            sending = legal_due(regime.send_days, moments['notice'], zone)
            release = self._get_release_event(regime, moments)
            start = moments['receipt' if regime.refund_basis == 'receipt' else 'notice']
            paying = legal_due(regime.refund_days, start, zone, release=release or None)
            if sending:
                clock['dispatch'] = min(sending, clock.get('dispatch', sending))
            if paying and paying <= clock.get('refund', paying):
                clock.update(refund=paying, withheld=release is False)
        return clock

    def _get_release_event(self, regime, moments):
        """Return what ended the right to keep the money: None without such a right, False: not yet.

        :rtype: datetime | bool | None
        """
        if not any(self.line_ids.mapped('return_expected')):
            return None
        events = {
            'receipt_or_dispatch_proof': ('dispatch', 'receipt'),
            'receipt': ('receipt',),
        }.get(regime.withhold_until)
        if not events:
            return None
        return min((moments[event] for event in events if moments[event]), default=False)
