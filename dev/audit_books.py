"""Plant errors into the books of a small trade and count what the list of differences finds.

No code of the add-on is imported: the trade is made by the methods that people's clicks call, the
errors by the ORM where it lets us and by SQL where it does not. Each error is planted in a
savepoint and rolled back, so the same data serves for all of them.

A plant is found if the list has a new row, or another figure on an old one, about the customer or
the document it was planted on. Any other new row is a false positive. An error that Odoo or the
add-on refuses counts as found, and so does a stored figure that the list puts right by itself.
"""

import logging

import audit_assertions  # noqa: F401 - registers its plants
import audit_outside  # noqa: F401 - registers its plants
import audit_outside_goods  # noqa: F401 - registers its plants
import audit_plants  # noqa: F401 - registers its plants
from audit_cases import add_cases
from audit_tools import PLANTS
from audit_trade import Trade

from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)


def run(env, names='', **_options):
    """Create the trade, plant each error, print the table.

    :return: False, so that nothing is kept; the exit code tells whether all were found.
    """
    trade = Trade(env)
    add_cases(trade)
    chosen = names.split() or list(PLANTS)
    results = check(trade, chosen)
    width = max(len(name) for name in results)
    for name, (outcome, rows, false_rows) in results.items():
        print(f"{name:<{width}}  {outcome:<9}  {', '.join(sorted(rows)):<40}  {false_rows or ''}")
    for key, figures in trade.baseline_false:
        print("Before anything was planted:", key, figures)
    outcomes = [outcome for outcome, _rows, _false in results.values()]
    false_count = sum(len(false_rows) for _outcome, _rows, false_rows in results.values())
    lost = outcomes.count('NOT FOUND') + outcomes.count('ERROR')
    print(
        f"\n{len(results)} plants: {outcomes.count('found')} found, "
        f"{outcomes.count('put right')} put right, {outcomes.count('refused')} refused, "
        f"{lost} not found, {false_count} false rows; "
        f"{len(trade.baseline_false)} rows before anything was planted"
    )
    return not lost and not false_count and not trade.baseline_false


def check(trade, names):
    """Plant errors by name and report what was found for each.

    :return: `{name: (outcome, kinds of the rows found, false rows)}`.
    :rtype: dict
    """
    env = trade.env
    before = trade.read_rows()
    # Only drafts waiting to be posted are open.
    waiting = trade.waiting
    trade.baseline_false = [
        (key, figures) for key, figures in before.items() if figures[0] not in waiting.ids
    ]
    results = {}
    for name in names:
        savepoint = env.cr.savepoint()
        trade.before_plant = None
        try:
            try:
                with env.cr.savepoint():
                    partners = PLANTS[name](trade)
                    env.flush_all()
            except UserError as error:
                results[name] = ('refused', {str(error)[:60]}, [])
                continue
            env.invalidate_all()
            after = trade.read_rows()
            changed = {key: figures for key, figures in after.items() if before.get(key) != figures}
            gone = before.keys() - after.keys()
            mine = {
                key: figures
                for key, figures in changed.items()
                if figures[0] in partners.ids or not (figures[0] or partners)
            }
            false_rows = [key for key in changed if key not in mine]
            kinds = {f'{figures[2]}({figures[4] or ""})' for figures in mine.values()}
            if mine or gone:
                outcome = 'found'
            else:
                outcome = 'put right' if is_put_right(trade) else 'NOT FOUND'
            results[name] = (outcome, kinds, false_rows)
        except Exception as error:  # a plant that breaks the check counts as found, too
            _logger.exception("Plant %s", name)
            results[name] = ('ERROR', {repr(error)[:100]}, [])
        finally:
            savepoint.close(rollback=True)
            env.invalidate_all(flush=False)
    return results


def is_put_right(trade):
    """Tell whether the list has restored a figure that it keeps itself, see `audit_tools.alter`."""
    if not trade.before_plant:
        return False
    table, record_id, names, values = trade.before_plant
    trade.env.cr.execute(f'SELECT {names} FROM {table} WHERE id = %s', [record_id])
    return trade.env.cr.fetchone() == values
