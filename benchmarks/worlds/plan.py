"""The actions of a random world, each with its own random numbers. Needs no Odoo."""

import random
from dataclasses import dataclass, field

# Relative frequency of the actions.
ACTS = {
    'order': 4,
    'deliver': 10,
    'invoice': 8,
    'down_payment': 1,
    'pay': 6,
    'return_by_dialog': 6,
    'return_by_record': 3,
    'return_in_inventory': 3,
    'approve': 4,
    'receive': 9,
    'inspect': 10,
    'refuse': 1,
    'authorize_less': 1,
    'close': 1,
    'cancel_return': 1,
    'credit': 4,
    'refund': 4,
    'post_payouts': 3,
    'post_drafts': 2,
    'reverse_note': 2,
    'cancel_note': 1,
    'note_by_hand': 2,
    'correct_price': 1,
    'goodwill': 1,
    'missing': 1,
    'correct_result': 1,
    'change_quantity': 2,
    'cancel_order': 1,
    'buy': 1,
    'jobs': 1,
    'undo_receipt': 1,
}


@dataclass
class Plan:
    """The actions of one world; the same seed gives the same plan.

    Each action has its own random numbers, so that it is unchanged when others are left out.
    """

    seed: int
    acts: list = field(default_factory=list)

    @classmethod
    def draw(cls, seed, length=22):
        """Draw the acts of a world.

        :param int seed: names the world.
        :param int length: number of acts after the first sale.

        >>> Plan.draw(7, length=2) == Plan.draw(7, length=2)
        True
        """
        chance = random.Random(f'plan {seed}')
        names = ['order', 'deliver', 'invoice']
        names += chance.choices(list(ACTS), weights=list(ACTS.values()), k=length)
        return cls(seed, list(enumerate(names)))

    def chances(self, name):
        """Return the random numbers of a part of the world, its settings or one of its acts."""
        return random.Random(f'{self.seed} {name}')

    def without(self, position):
        """Return the plan without one of its acts."""
        return Plan(self.seed, self.acts[:position] + self.acts[position + 1 :])

    def until(self, position):
        """Return the plan that ends with the act at this position."""
        return Plan(self.seed, self.acts[: position + 1])
