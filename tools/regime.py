"""What the law says about returns, in one table. The sources are named beside the entries."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Regime:
    """One set of rules for returns; with the fields that the steps of a return use.

    >>> REGIMES['eu_withdrawal'].get_window_days(30), REGIMES['eu_withdrawal'].get_window_days(7)
    (30, 14)
    >>> REGIMES['commercial'].get_window_days(7)
    7
    >>> REGIMES['eu_withdrawal'].allows('restocking_fee'), REGIMES['commercial'].allows('grade')
    (False, True)
    """

    # The shortest window the law allows; the day of the event does not count.
    window_days: int = 0
    # 'line': from the delivery of the line; 'order': from the last delivery of the order.
    window_basis: str = 'line'
    # The customer must not be required to give a reason.
    reason_demanded: bool = True
    # What may be withheld from a credit: 'grade' (condition of the goods: under withdrawal only a
    # loss of value from handling beyond what is needed to inspect them), 'restocking_fee',
    # 'freight' (return shipping); None: whatever was agreed.
    deductions: tuple | None = None
    # What has to be refunded of the outbound shipping: 'policy', 'standard' (the cheapest offered),
    # 'none'.
    outbound_shipping: str = 'policy'
    # Who pays for the return shipping unless agreed otherwise.
    return_shipping: str = 'policy'
    # Days in which the customer has to send the goods, from their request; 0: as agreed.
    send_days: int = 0
    # Days within which the money has to be paid back, 0: as agreed, and the event they count from.
    refund_days: int = 0
    refund_basis: str = 'policy'
    # The money goes back the way it was paid, unless the customer has expressly agreed otherwise.
    original_means: bool = False
    # Until when the money may be withheld.
    withhold_until: str = 'policy'
    # Goods excluded by the law itself …
    exceptions: tuple = ()
    # … and those excluded only if the buyer confirmed it with the purchase.
    confirmed_exceptions: tuple = ()
    # Whether everything the regime requires is implemented. Others are not offered.
    complete: bool = False

    def get_window_days(self, days):
        """Return the days of a window: those of the policy, but at least those of the law."""
        return max(days, self.window_days)

    def allows(self, kind):
        """Tell whether something of this kind may be withheld from a credit."""
        return self.deductions is None or kind in self.deductions


REGIMES = {
    'commercial': Regime(complete=True),
    # Directive 2011/83/EU art. 9–16. The two steps of art. 11a are pages of the portal.
    'eu_withdrawal': Regime(
        complete=True,
        window_days=14,
        window_basis='order',
        reason_demanded=False,
        deductions=('grade', 'freight'),
        outbound_shipping='standard',
        return_shipping='customer',
        send_days=14,
        refund_days=14,
        refund_basis='notice',
        original_means=True,
        withhold_until='receipt_or_dispatch_proof',
        exceptions=(
            'custom_made',
            'perishable',
            'unsealed_hygiene',
            'unsealed_media',
            'mixed',
            'newspaper',
            'dated_service',
            'price_fluctuation',
        ),
    ),
    # Consumer Protection Law art. 25 and the interim measures of 2017/2020. The clocks of the
    # refund and the checklist "intact" are not implemented yet.
    'cn_seven_days': Regime(
        window_days=7,
        reason_demanded=False,
        deductions=('freight',),
        outbound_shipping='none',
        return_shipping='customer',
        refund_days=7,
        refund_basis='receipt',
        withhold_until='receipt',
        exceptions=('custom_made', 'perishable', 'unsealed_media', 'newspaper'),
        confirmed_exceptions=('unsealed_hygiene', 'value_loss', 'near_expiry', 'agreed'),
    ),
    # Directives 2019/771 and 2024/1799. The order of remedies is not implemented yet.
    'conformity': Regime(
        window_days=730,
        deductions=(),
        return_shipping='company',
        refund_basis='receipt',
        withhold_until='receipt_or_dispatch_proof',
    ),
}


def get_regime(code):
    """Return a regime by its code, the commercial one for an unknown code.

    >>> get_regime('eu_withdrawal').window_basis
    'order'
    >>> get_regime(None) is REGIMES['commercial']
    True
    """
    return REGIMES.get(code, REGIMES['commercial'])
