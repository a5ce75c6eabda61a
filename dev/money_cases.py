"""The cases of docs/money.md: real documents, compared with amounts worked out by hand.

Each case defines what is sold and returned, and what must be posted. The expected results are
written here as text, worked out by hand without the engine.
"""

from pathlib import Path

import money_basics  # noqa: F401 - registers its cases
import money_books  # noqa: F401 - registers its cases
import money_cards  # noqa: F401 - registers its cases
import money_exchanges  # noqa: F401 - registers its cases
import money_orders  # noqa: F401 - registers its cases
from money_tools import CASES

from odoo.exceptions import UserError

BEGIN, END = "<!-- cases: written by dev/money -->", "<!-- end of the cases -->"


def run(env, docs, write='yes', each=1):
    """Play all cases, or one in a number of them, and (``write=yes``) put them into docs/money.md.

    :rtype: bool
    """
    world = create_world(env)
    rows = []
    for name, steps, expected, play in CASES[:: int(each)]:
        savepoint = env.cr.savepoint()
        try:
            posted = play(world)
        except (UserError, AssertionError) as error:
            posted = f"{type(error).__name__}: {error}"
        finally:
            # Cases do not share stock, rates or settings.
            savepoint.rollback()
            savepoint.close(rollback=False)
            env.invalidate_all()
        rows.append([name, steps, expected, posted])
        print(f"{'ok' if posted == expected else 'DIFFERS'}: {name}: {posted}", flush=True)
    failed = [row for row in rows if row[2] != row[3]]
    for name, steps, expected, posted in failed:
        print(f"\n{name}: {steps}\n  expected {expected}\n  posted   {posted}")
    print(f"\n{len(rows) - len(failed)} of {len(rows)} cases as expected")
    if write == 'yes':
        write_table(Path(docs), rows)
    return not failed


def write_table(path, rows):
    """Replace the text between the two comments of a file by the table."""
    text = path.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    head = ["case", "steps", "expected", "posted"]
    lines = [f"| {' | '.join(row)} |" for row in [head, ["---"] * 4, *rows]]
    path.write_text("\n".join([before + BEGIN, "", *lines, "", END + after]))


def create_world(env):
    """Return the world of the tests: a company of its own, with their ways to sell and return."""
    from odoo.addons.sale_return.tests.common_stored_value import StoredValueCommon

    class World(StoredValueCommon):
        pass

    World.env = env(context={**env.context, 'tracking_disable': True})
    World._setup_world()
    World.no_tax = World.env['account.tax']
    # sudo: programs are set up by sales managers of the whole database.
    World.programs = World.env['loyalty.program'].sudo()
    World.programs.search([]).active = False
    return World
