"""How long a draft of a policy takes to be replayed over many return lines, and the picture of the
process to be drawn; run by `dev/bench`.

One return is sold, delivered and requested; the others are its copies, made by SQL.
"""

import time

from odoo.tools import SQL


def run(env, lines='100000', drafts='2'):
    # Found by its name only once Odoo runs.
    from odoo.addons.sale_return.tests.lab.test_policy_lab import LabCommon

    class World(LabCommon):
        """The trade of the tests."""

    World.env = env(context={**env.context, 'tracking_disable': True})
    World.minute = 0
    World._setup_world()
    order = World._create_sale()
    base = World._create_return(order, 1)
    World._backdate(base, env.cr.now())
    env.flush_all()
    copy(env, base, int(lines))
    env['res.groups'].browse(env.ref('sale_return.group_user').id)._apply_group(
        env.ref('sale_return.group_lab')
    )
    env.registry.clear_cache('groups')
    policy = base.sudo().line_ids.policy_id
    for kind, values in (
        ('window', {}),
        ('value', {'amount': 5000}),
        ('quantity', {'quantity': 20}),
        ('history', {'return_count': 5}),
    ):
        policy.rule_ids.create({'policy_id': policy.id, 'kind': kind, **values})
    env = env(su=True)
    policy = policy.with_env(env)
    for name, drawn in (("all policies", None), (policy.name, policy.id)):
        started = time.monotonic()
        picture = env['sale.return.process'].get_picture(drawn)
        print(f"picture of {name}: {picture['count']} returns, {time.monotonic() - started:.1f} s")
    changes = (("all differ", {'approval': 'always'}), ("none differs", {}))
    for name, values in changes[: int(drafts)]:
        draft = policy.browse(policy.action_create_draft()['res_id'])
        draft.write(values)
        replay = env['sale.return.replay'].create(
            {'policy_id': draft.id, 'company_id': base.company_id.id, 'months': 6}
        )
        started, worked = time.monotonic(), time.process_time()
        replay._start()
        found = time.monotonic() - started
        for part in replay.part_ids:
            env['sale.return.replayer']._replay_parts(part)
            env.flush_all()
        seconds = time.monotonic() - started
        worked = time.process_time() - worked
        env.invalidate_all()
        print(
            f"{name}: {replay.line_count} lines, {replay.difference_count} differences, "
            f"{seconds:.0f} s ({found:.1f} s to find them), of which Python worked {worked:.0f} s"
        )
    return False


def copy(env, base, count):
    """Copy a return with its line, events and decisions, each for a customer of its own."""
    cr = env.cr
    cr.execute("ALTER TABLE sale_return_event DISABLE TRIGGER USER")
    partner = base.partner_id
    for table, record, changed in (
        ('res_partner', partner, {'commercial_partner_id': "first.partner + n"}),
        ('sale_return', base, {'partner_id': "first.partner + n", 'name': "'B' || n"}),
        ('sale_return_line', base.line_ids, {'return_id': "first.sale_return + n"}),
        *(
            (
                record._table,
                record,
                {
                    'return_id': "first.sale_return + n",
                    'date': "source.date - n * INTERVAL '1 minute'",
                },
            )
            for record in (*base.event_ids, *base.approval_ids)
        ),
    ):
        cr.execute(SQL("SELECT MAX(id) FROM %s", SQL.identifier(table)))
        first = cr.fetchone()[0]
        if table == 'res_partner':
            firsts = {'partner': first}
        if table == 'sale_return':
            firsts['sale_return'] = first
        cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " AND is_generated = 'NEVER'",
            [table],
        )
        changed = {'id': f"{first} + n", **changed}
        if table == 'sale_return':
            changed['access_token'] = "NULL"
        columns = [column for (column,) in cr.fetchall()]
        values = []
        for column in columns:
            text = changed.get(column, f'source."{column}"')
            for name, number in firsts.items():
                text = text.replace(f'first.{name}', str(number))
            values.append(SQL(text))
        cr.execute(
            SQL(
                "INSERT INTO %s (%s) SELECT %s FROM %s AS source, GENERATE_SERIES(1, %s) AS n"
                " WHERE source.id = %s",
                SQL.identifier(table),
                SQL(", ").join(map(SQL.identifier, columns)),
                SQL(", ").join(values),
                SQL.identifier(table),
                count - 1,
                record.id,
            )
        )
        cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
    cr.execute("ALTER TABLE sale_return_event ENABLE TRIGGER USER")
    env.invalidate_all()
