"""Attack a running server by JSON-2: what `tests/base/test_attack_*.py` do within a process.

`run` prepares a database: a user with an API key for each role, documents in several states, and
the cases, in a file. `main` calls them over HTTP, each committed as a client's would be:

- every public method × role × argument × invalid value, and invalid IDs of its records;
- `create` and `write` of every model × permitted role × field × invalid value;
- every model × role: what is read.

A result or an error message is right. A server error is wrong, and so are records the role must not
see, and any change of documents, goods or money that is not among the rights of a role: roles
without rights in Returns change nothing, the others no more than `MAY_CHANGE` says. What was
answered to each role, and what each has changed, is printed as a table.
"""

import json
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Roles without returns: they must not have changed anything.
OUTSIDERS = ('nobody', 'customer')
# Figures that change when goods or money move, or documents are created or decided.
FIGURES = {
    'posted': "SELECT COUNT(*), SUM(amount_total) FROM account_move WHERE state = 'posted'",
    'documents': "SELECT COUNT(*), SUM(amount_total) FROM account_move",
    'payments': "SELECT COUNT(*), SUM(amount) FROM account_payment",
    'stock done': "SELECT COUNT(*), SUM(quantity) FROM stock_move WHERE state = 'done'",
    'moves': "SELECT COUNT(*) FROM stock_move",
    'decided': "SELECT STRING_AGG(id || state, ' ' ORDER BY id) FROM sale_return"
    " WHERE state NOT IN ('draft', 'submitted', 'cancelled')",
    'returns': "SELECT STRING_AGG(id || state, ' ' ORDER BY id) FROM sale_return",
    'log': "SELECT COUNT(*) FROM sale_return_event",
    'policies': "SELECT ARRAY_AGG((id, write_date)::text ORDER BY id) FROM sale_return_policy",
    'rules': "SELECT ARRAY_AGG((id, write_date)::text ORDER BY id) FROM sale_return_rule",
    'levels': "SELECT ARRAY_AGG((id, write_date)::text ORDER BY id)"
    " FROM sale_return_approval_level",
    'groups': "SELECT ARRAY_AGG((gid, uid)::text ORDER BY gid, uid) FROM res_groups_users_rel",
}
# What each role may change of these, by the methods and fields it may call: clerks submit, and a
# policy without approval decides at once; what inspectors find posts the credit where the policy
# says so; approvers decide and credit.
CLERK = {'decided', 'documents', 'log', 'moves', 'returns'}
MAY_CHANGE = {
    'user': CLERK,
    'inspector': {*CLERK, 'posted', 'stock done'},
    'approver': {*CLERK, 'posted', 'payments', 'stock done'},
    'manager': set(FIGURES),
}


def run(env, cases):
    """Prepare the database and write the cases to a file that only its owner reads.

    :param str cases: path of the file.
    """
    from odoo.addons.sale_return.tests.common_attack import (
        ODD_VALUES,
        PART,
        PARTS,
        PLAIN,
        ROLES,
        SHARE,
        get_public_methods,
    )

    prepare_documents(env)
    users = {role: create_user(env, role, group) for role, group in ROLES.items()}
    calls = []
    for name, method, arguments in get_public_methods(env, with_arguments=False):
        calls.append((name, method, arguments, get_target(env, name, method)))
    fields = {}
    for name, model in sorted(env.registry.items()):
        if name.startswith('sale.return') and not model._abstract:
            fields[name] = get_fields(env, users, name)
    content = {
        'keys': {role: key for role, (_user, key) in users.items()},
        'calls': calls,
        'fields': fields,
        'share': SHARE,
        'part': [PART, PARTS],
        # More digits than these are refused with their JSON.
        'odd': {**ODD_VALUES, '5,000 digits': 10**4200},
        'plain': PLAIN,
    }
    path = Path(cases)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content))
    return True


def create_user(env, role, group):
    """Return a user with one role, and an API key of theirs."""
    from passlib.hash import pbkdf2_sha512

    user = env['res.users'].create(
        {
            'name': role.title(),
            'login': f'attack_{role}',
            'group_ids': [(6, 0, env.ref(group).ids)],
        }
    )
    keys = env['res.users.apikeys'].with_user(user).sudo()
    key = keys._generate('rpc', "Attack", None)
    # Each call checks it: with the rounds of Odoo that takes longer than all the rest.
    env.cr.execute(
        'UPDATE res_users_apikeys SET key = %s WHERE user_id = %s',
        (pbkdf2_sha512.using(rounds=1).hash(key), user.id),
    )
    return user, key


def prepare_documents(env):
    """Create returns as a draft, submitted, and received."""
    from odoo.addons.sale_return.benchmarks import shop

    products = shop.create_products(env, ["Attacked"], standard_price=6.0)
    warehouse = env['stock.warehouse'].search([('company_id', '=', env.company.id)], limit=1)
    shop.put_in_stock(warehouse.lot_stock_id, dict.fromkeys(products, 500.0))
    line = {'product_id': products.id, 'product_uom_qty': 30, 'price_unit': 100.0}
    order = env['sale.order'].create(
        {
            'partner_id': env['res.partner'].create({'name': "Attacked Customer"}).id,
            'order_line': [(0, 0, line)],
        }
    )
    order.action_confirm()
    shop.deliver(order)
    shop.invoice(order)
    returns = env['sale.return'].create(
        [
            {
                'partner_id': order.partner_id.id,
                'line_ids': [
                    {
                        'sale_line_id': order.order_line.id,
                        'qty_requested': 2,
                        'reason_id': env.ref('sale_return.reason_defective').id,
                    }
                ],
            }
            for _number in range(4)
        ]
    )
    (returns[1:]).action_submit()
    (returns[2:]).filtered(lambda r: r.state == 'submitted').action_approve()
    shop.validate(returns[3].picking_ids)


def get_target(env, name, method):
    """Return two IDs that a method is called on, None for one that is called on a model."""
    model = env[name]
    if getattr(getattr(env.registry[name], method), '_api_model', False):
        return None
    if model._abstract or not model._auto:
        return []
    return model.sudo().search([], limit=2, order='id desc').ids


def get_fields(env, users, name):
    """Return who attacks which operations of a model: `{'create': roles, 'write': roles, …}`."""
    model = env[name]
    found = {
        'names': sorted(
            field_name
            for field_name, field in model._fields.items()
            if (field.store or field.inverse) and field_name not in ('id', 'create_uid')
        ),
        'target': model.sudo().search([], limit=1, order='id desc').ids if model._auto else [],
    }
    for operation in ('create', 'write', 'read'):
        found[operation] = [
            role
            for role, (user, _key) in users.items()
            if model.with_user(user).has_access(operation)
        ]
    return found


# === CLIENT === #


class Attack:
    """Calls of a remote client, and errors in the answers."""

    def __init__(self, url, content):
        self.url = url
        self.keys = content['keys']
        self.calls = content['calls']
        self.fields = content['fields']
        self.share = content['share']
        self.part, self.parts = content['part']
        self.odd = content['odd']
        self.plain = content['plain']
        self.count = Counter()
        self.wrong = {}

    def is_chosen(self, *case):
        """Tell whether a case belongs to what is tried; the choice is stable."""
        shared = zlib.crc32(repr((19, *case)).encode()) % self.share == 0
        return shared and self.is_in_part(*case)

    def is_in_part(self, *case):
        """Tell whether a case belongs to the part that is tried."""
        return zlib.crc32(repr((*case, 19)).encode()) % self.parts == self.part - 1

    def call(self, role, model, method, **values):
        """Call a method; return the status and the answer."""
        request = urllib.request.Request(
            f'{self.url}/json/2/{model}/{method}',
            data=json.dumps(values).encode(),
            headers={
                'Content-Type': 'application/json',
                'Authorization': f'Bearer {self.keys[role]}',
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, {
                    'name': 'no JSON',
                    'message': text[:200].decode(errors='replace'),
                }

    def attempt(self, case):
        """Try one case and record errors in its answer."""
        role, model, method, what, odd, values = case
        status, answer = self.call(role, model, method, **values)
        self.count[role, status] += 1
        if status >= 500:
            problem = f"{odd}: {answer.get('name')}: {str(answer.get('message'))[:120]!r}"
            self.wrong.setdefault(f'{model}.{method}({what})', {}).setdefault(problem, role)

    def get_method_cases(self, roles):
        """Yield the cases of public methods."""
        for model, method, arguments, target in self.calls:
            several, target = target, target and target[:1]
            ids = {} if target is None else {'ids': target}
            for role in roles:
                plain = not arguments or target is not None
                if plain and self.is_in_part(model, method, role):
                    yield (
                        role,
                        model,
                        method,
                        '',
                        'plain',
                        {**ids, **get_plain(arguments, self.plain)},
                    )
                for odd, value in (('none', []), ('several', several), ('gone', [2**31 - 1])):
                    if target is not None and self.is_chosen(model, method, 'ids', role, odd):
                        values = {**get_plain(arguments, self.plain), 'ids': value}
                        yield role, model, method, 'ids', odd, values
                for odd, value in self.odd.items():
                    for argument in arguments:
                        if self.is_chosen(model, method, argument, role, odd):
                            values = {**ids, **get_plain(arguments, self.plain), argument: value}
                            yield role, model, method, argument, odd, values

    def get_field_cases(self):
        """Yield the cases of `create` and `write`, as one of the roles that may."""
        for model, found in self.fields.items():
            for operation in ('create', 'write'):
                if not found[operation] or (operation == 'write' and not found['target']):
                    continue
                for name in (None, *found['names']):
                    for odd, value in self.odd.items():
                        if self.is_chosen(model, operation, name, odd):
                            vals = {name: value} if name else value
                            role = found[operation][0]
                            yield (
                                role,
                                model,
                                operation,
                                name,
                                odd,
                                self.get_vals(found, operation, vals),
                            )

    def get_vals(self, found, operation, vals):
        """Return the arguments of `create` or `write`."""
        if operation == 'create':
            return {'vals_list': [vals] if isinstance(vals, dict) else vals}
        return {'ids': found['target'], 'vals': vals}

    def look(self):
        """Read all models as outsiders; return what they get: `{role model: number}`."""
        seen = {}
        for role in OUTSIDERS:
            for model in self.fields:
                status, answer = self.call(role, model, 'search_count', domain=[])
                self.count[role, status] += 1
                if status == 200 and answer:
                    seen[f'{role} {model}'] = answer
        return seen

    def run_cases(self, cases):
        """Try cases, some at once, as many clients would."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.attempt, cases))


def get_plain(arguments, plain):
    """Return values that the arguments of a method could have."""
    return {name: plain[name] for name in arguments if name in plain}


def take_snapshot(database):
    """Return the figures that only some roles may change."""
    import psycopg2

    with psycopg2.connect(f'dbname={database}') as connection, connection.cursor() as cr:
        snapshot = {}
        for name, query in FIGURES.items():
            cr.execute(query)
            snapshot[name] = cr.fetchall()
        return snapshot


def print_table(count, changed, roles):
    """Print how often each role got each status, and what it has changed."""
    statuses = sorted({status for _role, status in count})
    print(f"{'role':12}", *(f'{status:>7}' for status in statuses), " changed")
    for role in roles:
        figures = (f'{count[role, status]:7}' for status in statuses)
        print(f'{role:12}', *figures, "", ", ".join(sorted(changed[role])) or "nothing")
    sums = [sum(count[role, status] for role in roles) for status in statuses]
    print(f"{'all':12}", *(f'{figure:7}' for figure in sums))


def main(url, database, path):
    """Attack role by role, and print errors."""
    content = json.loads(Path(path).read_text())
    attack, begin = Attack(url, content), time.monotonic()
    changed, seen, before = {}, attack.look(), take_snapshot(database)
    fields = list(attack.get_field_cases())
    # Those without rights first: what is there is what they were not given.
    for role in sorted(attack.keys, key=lambda role: role not in OUTSIDERS):
        attack.run_cases(attack.get_method_cases([role]))
        attack.run_cases(case for case in fields if case[0] == role)
        after = take_snapshot(database)
        changed[role] = {name for name in FIGURES if before[name] != after[name]}
        before = after
    for key, problems in sorted(attack.wrong.items()):
        print(key)
        for problem, role in sorted(problems.items()):
            print(f'    {role}: {problem}')
    print_table(attack.count, changed, list(changed))
    forbidden = {
        role: sorted(names)
        for role, found in changed.items()
        if (names := found - MAY_CHANGE.get(role, set()))
    }
    print(f"{time.monotonic() - begin:.0f} s; errors at {len(attack.wrong)} places")
    print("read by outsiders:", seen or "nothing")
    print("changed without the right to:", forbidden or "nothing")
    return 1 if attack.wrong or forbidden or seen else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
