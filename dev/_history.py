"""Trade for the demo: of this year and last, so that dashboards can compare the two, each step on
its day; and one order of today, delivered and paid, to try a return with.
"""

from contextlib import contextmanager
from datetime import timedelta

# Days ago; how many lamps and clocks were sold, and the conditions of the lamps that came back.
TRADE = (
    (520, 4, 6, 'A'),
    (480, 3, 2, ''),
    (440, 5, 4, 'AC'),
    (400, 4, 8, ''),
    (200, 6, 4, 'B'),
    (160, 5, 9, ''),
    (120, 4, 6, 'AA'),
    (80, 8, 4, ''),
    (45, 6, 7, 'C'),
)
DAYS_UNTIL_BACK = 9
# Named in README.md.
ORDER_TO_TRY = 'TRY1'


def run(env):
    """Sell on each day, and take back some days later; then sell what can be tried.

    :rtype: bool
    """
    from screenshot_pages import Shop

    shop = Shop(env)
    lamp, clock = shop.get_products('floor_lamp', 'wall_clock')
    customer = env.ref('base.res_partner_18')
    today = env.cr.now()
    for days, lamps, clocks, conditions in TRADE:
        day = today - timedelta(days=days)
        with _live_on(env.cr, day):
            order = shop.sell(customer, {lamp: lamps, clock: clocks})
        if conditions:
            with _live_on(env.cr, day + timedelta(days=DAYS_UNTIL_BACK)):
                _take_back(shop, order, lamp, conditions)
    order = shop.sell(env.ref('base.res_partner_4'), {lamp: 2, clock: 1})
    order.name = ORDER_TO_TRY
    shop.pay(order)
    return True


@contextmanager
def _live_on(cr, day):
    """Have it be another day, also for the dates of creation, which Odoo asks the cursor for."""
    from freezegun import freeze_time

    before, cr._now = cr.now(), day
    try:
        with freeze_time(day):
            yield
            cr.flush()
    finally:
        cr._now = before


def _take_back(shop, order, product, conditions):
    """Take back as many units of a product as there are conditions."""
    env = shop.env
    line = order.order_line.filtered(lambda line: line.product_id == product)
    sale_return = env['sale.return'].create(
        {
            'partner_id': order.partner_id.id,
            'line_ids': [
                (
                    0,
                    0,
                    {
                        'sale_line_id': line.id,
                        'qty_requested': len(conditions),
                        'reason_id': env.ref('sale_return.reason_not_as_described').id,
                    },
                )
            ],
        }
    )
    sale_return.action_submit()
    if sale_return.state == 'submitted':
        # Nobody approves their own request.
        sale_return.with_user(shop.get_approver()).action_approve()
    shop.receive_and_inspect(sale_return, conditions)
