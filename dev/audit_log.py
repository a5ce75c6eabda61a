"""Verify the log of all returns of a database and print what is wrong."""


def run(env):
    """Return whether every chain holds."""
    events = env['sale.return.event'].sudo()
    problems = events._audit()
    names = env['sale.return'].sudo()
    for problem in problems:
        sale_return = names.browse(problem['return_id'])
        event = problem['event_id'] or '-'
        print(f"{sale_return.name}: event {event}: {problem['problem']}")
    total = events.search_count([])
    chained = events.search_count([('hash', '!=', False)])
    print(f"{total} events, {chained} of them chained, {len(problems)} problems")
    return not problems
