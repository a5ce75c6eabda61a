"""Verify the log of all returns of a database and print what is wrong."""

import json
import os
from pathlib import Path


def run(env):
    """Return whether every chain holds."""
    events = env['sale.return.event'].sudo()
    problems = events._audit()
    if path := os.environ.get('SR_HEADS_FROM'):
        problems += events._audit_heads(json.loads(Path(path).read_text(encoding='utf-8')))
    if path := os.environ.get('SR_HEADS_TO'):
        Path(path).write_text(json.dumps(events._export_heads()), encoding='utf-8')
    names = env['sale.return'].sudo()
    for problem in problems:
        sale_return = names.browse(problem['return_id']).exists()
        event = problem['event_id'] or '-'
        print(f"{sale_return.name or problem['return_id']}: event {event}: {problem['problem']}")
    total = events.search_count([])
    chained = events.search_count([('hash', '!=', False)])
    print(f"{total} events, {chained} of them chained, {len(problems)} problems")
    return not problems
