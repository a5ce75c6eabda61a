"""Closed lists of the returns desk."""

from ..reception.const import DISCREPANCY_KINDS

# Kinds of goods counted at the bench: expected ones, and those that become a discrepancy.
BENCH_KINDS = [('expected', "Expected"), *DISCREPANCY_KINDS]
