"""Random worlds: random actions of people, and books that must be right after each step.

Each world is generated from its seed, played by people with one role each, and rolled back. After
each action the books are checked in SQL that shares nothing with the add-on; see `worlds/`.

The companies of the worlds are committed: play them on a copy of a database.
"""

import time
from collections import Counter

CURRENCIES = ('USD', 'USD', 'JPY', 'KWD')


def run(env, count='20', seed='1', worker='0', workers='1', length='22', verbose='', shorten='yes'):
    """Play worlds and print errors.

    :param str count: how many worlds all workers play together.
    :param str seed: number of the first world; the others follow.
    :param str worker: number of this one of the `workers`.
    :param str length: acts of a world.
    :return: whether nothing was wrong.
    :rtype: bool
    """
    from odoo.addons.sale_return.benchmarks.worlds import runner, shop
    from odoo.addons.sale_return.benchmarks.worlds.plan import Plan

    begin, shops, failed, acts = time.monotonic(), {}, 0, Counter()
    first = int(seed)
    numbers = range(first + int(worker), first + int(count), int(workers))
    for number in numbers:
        currency = CURRENCIES[number % len(CURRENCIES)]
        if currency not in shops:
            shops[currency] = shop.Shop(env, currency)
            # Without statistics of these goods, and with every world in one transaction that
            # leaves its dead rows behind, the database slows down more and more.
            env.cr.commit()
            env.cr.execute("ANALYZE")
            env.cr.commit()
        plan = Plan.draw(number, int(length))
        world, failure = runner.play(shops[currency], plan, bool(verbose))
        env.cr.rollback()
        acts['done'] += len(world.log) - world.refusals
        acts['refused'] += world.refusals
        if not failure:
            print(f"world {number} ({currency}): {time.monotonic() - begin:.0f} s", flush=True)
            continue
        failed += 1
        print(f"world {number} ({currency}) fails after {failure[0] + 1} acts:", flush=True)
        if shorten == 'yes':
            plan, failure = runner.shorten(shops[currency], plan, failure)
            world, failure = runner.play(shops[currency], plan)
            env.cr.rollback()
        for name, text in world.log:
            print(f"    {name}: {text}")
        for text in failure[1] if failure else ["(not when played again)"]:
            print(f"  WRONG {text}", flush=True)
    print(
        f"{len(numbers)} worlds, {failed or 'none'} failed; {acts['done']} acts done, "
        f"{acts['refused']} refused with a sentence; {time.monotonic() - begin:.0f} s",
        flush=True,
    )
    return not failed
