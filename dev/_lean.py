"""Print what the lean database is tested with: a path for pytest and why, a tab between, per line.

A file of tests says it by `LEAN`: why all of its tests may end otherwise there, or a dictionary of
reasons, each with the tests it is about.
"""

import ast
import sys
from pathlib import Path


def read(path):
    """Yield `(path or node id, reason)` of one file."""
    tree = ast.parse(path.read_text())
    lean = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == 'LEAN'
    ]
    if not lean:
        return
    if isinstance(lean[0], str):
        yield str(path), lean[0]
        return
    classes = {
        method.name: node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef)
    }
    for reason, tests in lean[0].items():
        for test in tests:
            # A KeyError here: LEAN names a test that is not there.
            yield f'{path}::{classes[test]}::{test}', reason


for file in sorted(Path(sys.argv[1]).rglob('test_*.py')):
    for place, why in read(file):
        print(place, why, sep='\t')
