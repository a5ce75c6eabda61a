"""One random world: its actions, the checks after each of them, and the checks at the end."""

import traceback
from contextlib import contextmanager
from unittest.mock import patch

from .books import SMALL, Books
from .people import People


class World:
    """A world in its own savepoint.

    :param shop: `shop.Shop`.
    :param plan: `plan.Plan`.
    """

    def __init__(self, shop, plan, verbose=False):
        self.shop, self.plan, self.verbose = shop, plan, verbose
        self.root = shop.root
        self.people = People(shop, plan)
        self.books = Books(self.root.cr, shop.company.id)
        self.books.lowered = self.people.lowered
        self.log, self.refusals = [], 0

    def play(self):
        """Do the actions of the plan and finish open work.

        :return: `(position of the act, what is wrong)`, None if everything is right.
        """
        savepoint = self.root.cr.savepoint()
        try:
            with self._no_commit():
                return self._play()
        finally:
            savepoint.close(rollback=True)
            self.root.invalidate_all(flush=False)
            self.root.registry.clear_all_caches()

    @contextmanager
    def _no_commit(self):
        """Let jobs commit and roll back within the savepoint of the world."""
        cr = self.root.cr
        marks = []

        def commit():
            # Older ones stay: they may be within the savepoint of an act.
            self.root.flush_all()
            marks[:] = [cr.savepoint(flush=False)]

        def roll_back():
            marks[0].rollback()
            self.root.invalidate_all(flush=False)

        def go_on(cron, *_args, **_options):
            cron.env.cr.commit()
            return float('inf')

        commit()
        with (
            patch.object(type(self.root['ir.cron']), '_commit_progress', go_on),
            patch.object(cr, 'commit', commit),
            patch.object(cr, 'rollback', roll_back),
        ):
            yield

    def _play(self):
        self.people.settle_in()
        for index, (position, name) in enumerate(self.plan.acts):
            wrong = self._try(name, lambda p=position, n=name: self.people.act(p, n))
            if wrong is None:
                continue
            if wrong := wrong or self._ask():
                return index, wrong
        wrong = self._finish()
        return (len(self.plan.acts) - 1, wrong) if wrong else None

    def _try(self, name, function):
        """Do an action; return errors, an empty list, or None if nothing was done."""
        from odoo.exceptions import AccessError, MissingError, RedirectWarning, UserError

        try:
            with self.root.cr.savepoint():
                done = function()
                self.root.flush_all()
        except (AccessError, MissingError) as error:
            return [f"{name}: {error!r}", *self._get_trace()]
        except (UserError, RedirectWarning) as error:
            self.refusals += 1
            self._note(name, f"refused: {error}")
            text = str(error)
            return None if " " in text and '%(' not in text else [f"{name}: no sentence: {text!r}"]
        except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
            return [f"{name}: {error!r}", *self._get_trace()]
        finally:
            self.root.invalidate_all(flush=False)
        if done is None:
            return None
        self._note(name, done)
        return []

    @staticmethod
    def _get_trace():
        lines = traceback.format_exc().splitlines()
        return [line for line in lines if 'addons/' in line][-12:]

    def _note(self, name, text):
        self.log.append((name, text))
        if self.verbose:
            print(f"    {name}: {text}", flush=True)

    def _ask(self):
        self.root.flush_all()
        return self.books.check()

    # === THE END === #

    def _finish(self):
        for _round in range(6):
            done = 0
            for name, step in self.people.finish():
                wrong = self._try(f'at last {name}', lambda s=step: str(s()))
                if wrong:
                    return wrong
                done += wrong is not None
            if wrong := self._ask():
                return wrong
            if not done:
                break
        wrong = self._try('jobs', lambda: self.people.run_jobs() or True)
        if wrong:
            return wrong
        before = self.books.get_picture()
        wrong = self._try('jobs again', lambda: self.people.run_jobs() or True)
        if wrong:
            return wrong
        self.root.flush_all()
        after = self.books.get_picture()
        wrong = [
            f"a second run of the jobs changed {name}: {before[name]} to {after[name]}"
            for name in before
            if before[name] != after[name]
        ]
        return wrong or self._ask() or self._compare_list()

    def _compare_list(self):
        """Return contradictions between the list of differences and the books."""
        rows = self.root['sale.return.reconciliation'].search(
            [('company_id', '=', self.shop.company.id), ('state', '=', 'open')], order='id'
        )
        gaps = {
            product: gap
            for product, gap in self.books.get_value_gaps().items()
            if product not in self.people.by_hand and abs(gap[1] - gap[2]) > gap[3]
        }
        lines, open_notes = self.books.get_return_lines(), self.books.get_open_notes()
        wrong = []
        for row in rows:
            self._note('list', f"{row.kind} {row.display_name} ({row.cause}): {row.explanation}")
            if not self._is_right(row, lines, open_notes):
                wrong.append(f"list: {row.kind} {row.display_name}: {row.explanation}")
        for product, (method, value, booked, _rounding) in gaps.items():
            text = f"stock: {product} ({method}) moved {value:.3f}, ledger {booked:.3f}"
            # Caused by Odoo: one delivery and several have different costs.
            if method == 'standard':
                wrong.append(text)
            else:
                self._note('stock', text)
        return wrong

    def _is_right(self, row, lines, open_notes):
        """Tell whether the books agree with a row of the list."""
        if row.kind == 'cost_difference':
            return (
                row.product_id.cost_method != 'standard'
                or row.product_id.id in self.people.by_hand
                or self._is_right_cost(row)
            )
        if row.kind == 'credited_not_refunded':
            return row.note_id.id in open_notes
        if row.kind in ('note_difference', 'unlinked_note'):
            # What was credited while another note had lowered the invoice.
            short = 'amounts' in (row.cause or '').split(',')
            undone = short and row.note_id.reversed_entry_id.id in self.people.undone
            return bool(self.people.by_hand or undone)
        line = lines.get(row.return_line_id.id)
        if not line:
            return False
        backed = line['received'] - line['rejected'] if line['expected'] else line['accepted']
        if row.kind == 'received_not_credited':
            return backed > line['credited']
        return line['credited'] > backed

    def _is_right_cost(self, row):
        """Tell whether the books have this difference of a standard cost, for this reason.

        It has none but these: components of a kit, goods that replace what never came back,
        rounding, and invoices in parts in another unit than the product's.
        """
        facts = self.books.get_cost_facts().get((row.return_id.id, row.product_id.id))
        if not facts:
            return False
        # What was never invoiced has no cost to reverse, and is no difference.
        difference = facts['reversed'] - facts['moved']
        other = facts['reversed'] if facts['is_uninvoiced'] else difference
        least, most = sorted((other, difference))
        if not least - SMALL <= row.amount_company <= most + SMALL:
            return False
        return {
            'kit': facts['is_kit'] and not facts['reversed'],
            'replaced_missing': facts['moved'] < 0 and not facts['came'] and not facts['reversed'],
            'rounding': abs(row.amount_company) <= facts['tolerance'],
            # Odoo mixes both units up when it deducts the cost of the earlier invoices.
            'billed_in_parts': facts['bills'] > 1 and facts['is_other_unit'],
        }.get(row.cause, False)


def play(shop, plan, verbose=False):
    """Play a world; return it with its error."""
    world = World(shop, plan, verbose)
    return world, world.play()


def shorten(shop, plan, failure):
    """Return the shortest plan that fails in the same way: without later and irrelevant actions."""
    position, wrong = failure
    kind = _get_kind(wrong)
    plan = plan.until(position)
    index = len(plan.acts) - 1
    while index >= 0:
        shorter = plan.without(index)
        _world, found = play(shop, shorter)
        if found and _get_kind(found[1]) == kind:
            plan, failure = shorter, found
        index -= 1
    return plan, failure


def _get_kind(wrong):
    """Return the kind of a failure: its first words."""
    return " ".join(wrong[0].replace(":", " ").split()[:2])
