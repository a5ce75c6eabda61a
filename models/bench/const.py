"""Closed lists of the returns desk."""

from ..reception.const import DISCREPANCY_KINDS

# What is counted at the bench: what is expected, and what becomes a discrepancy.
BENCH_KINDS = [('expected', "Expected"), *DISCREPANCY_KINDS]
