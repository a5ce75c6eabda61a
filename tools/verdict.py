"""Verdicts: the result of a rule for a return line, and how several verdicts are combined."""

from dataclasses import dataclass, field

# From the mildest to the strongest; the strongest of all verdicts decides.
OUTCOMES = ('authorize', 'review', 'refuse_overridable', 'refuse')


@dataclass(frozen=True)
class Verdict:
    """The result of one rule: an outcome, a stable code, and the facts it looked at.

    >>> Verdict('authorize', 'approval_none').outcome
    'authorize'
    >>> Verdict('perhaps', 'x')
    Traceback (most recent call last):
    ...
    ValueError: perhaps is not one of authorize, review, refuse_overridable, refuse
    """

    outcome: str
    code: str
    facts: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.outcome not in OUTCOMES:
            raise ValueError(f"{self.outcome} is not one of {', '.join(OUTCOMES)}")


def strongest(outcomes):
    """Return the outcome that wins: the strongest one, ``authorize`` without verdicts.

    >>> strongest(['authorize', 'review'])
    'review'
    >>> strongest([])
    'authorize'
    """
    return max(outcomes, key=OUTCOMES.index, default='authorize')
