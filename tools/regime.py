"""What the law says about returns, in one table. CAPABILITIES §4 names the sources."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Regime:
    """One set of rules for returns; the fields are what the steps of a return ask for.

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
    # The customer may not be made to say why.
    reason_demanded: bool = True
    # What may be kept back from a credit: 'grade' (condition of the goods: under withdrawal only a
    # loss of value from handling beyond what is needed to look at them), 'restocking_fee',
    # 'freight' (of the way back); None: whatever was agreed.
    deductions: tuple | None = None
    # What has to be paid back of the way to the customer: 'policy', 'standard' (the cheapest
    # offered), 'none'.
    outbound_shipping: str = 'policy'
    # Who pays the way back unless agreed otherwise.
    return_shipping: str = 'policy'
    # Days in which the customer has to send the goods, from their request; 0: as agreed.
    send_days: int = 0
    # Days in which the money has to be back, 0: as agreed, and what they count from.
    refund_days: int = 0
    refund_basis: str = 'policy'
    # The money goes back the way it was paid, unless the customer has expressly agreed otherwise.
    original_means: bool = False
    # Until when the money may be withheld.
    withhold_until: str = 'policy'
    # Goods left out by the law itself …
    exceptions: tuple = ()
    # … and those left out only if the buyer confirmed it when they bought.
    confirmed_exceptions: tuple = ()
    # Everything the regime asks for is in the product. The others are not offered.
    complete: bool = False

    def get_window_days(self, days):
        """Return the days of a window: what the policy gives, at least what the law gives."""
        return max(days, self.window_days)

    def allows(self, kind):
        """Tell whether something of this kind may be kept back from a credit."""
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
    # refund and the checklist "intact" are not there yet.
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
    # Directives 2019/771 and 2024/1799. The order of remedies is not there yet.
    'conformity': Regime(
        window_days=730,
        deductions=(),
        return_shipping='company',
        refund_basis='receipt',
        withhold_until='receipt_or_dispatch_proof',
    ),
}


def get_regime(code):
    """Return a regime by its code, the commercial one for a code that is not known.

    >>> get_regime('eu_withdrawal').window_basis
    'order'
    >>> get_regime(None) is REGIMES['commercial']
    True
    """
    return REGIMES.get(code, REGIMES['commercial'])
