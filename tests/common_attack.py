"""Attacks with invalid values: always the same ones, a part of them or all.

Without `SALE_RETURN_ATTACK=all` in the environment a tenth is tried, chosen by a fixed seed; all of
them by `dev/attack`, or the third of ten parts of them with `SALE_RETURN_ATTACK_PART=3/10`.
"""

import os
import zlib
from inspect import Parameter, signature

from psycopg2 import IntegrityError

from odoo.exceptions import AccessDenied, AccessError, MissingError, UserError
from odoo.service.model import call_kw
from odoo.tools import mute_logger

ADDON = 'odoo.addons.sale_return.'
SHARE = {'all': 1, 'half': 2}.get(os.environ.get('SALE_RETURN_ATTACK'), 10)
PART, PARTS = map(int, os.environ.get('SALE_RETURN_ATTACK_PART', '1/1').split('/'))
SEED = 19

# Values that no clerk would send, by kind.
ODD_VALUES = {
    'nothing': None,
    'false': False,
    'true': True,
    'zero': 0,
    'negative': -1,
    'huge integer': 2**63,
    '5,000 digits': 10**4999,
    'huge number': 1e308,
    'infinity': float('inf'),
    'not a number': float('nan'),
    'empty text': '',
    'NUL': 'a\x00b',
    'half a pair': '\ud800',
    'markup': '<script>alert(1)</script><img src=x onerror=alert(1)>',
    'query': "'; DROP TABLE sale_return; --",
    'template': '{{ object.env.cr.execute("select 1") }}${7*7}%(x)s',
    'long text': 'x' * 200_000,
    'empty list': [],
    'list': [1, 'a', None],
    'nested list': [[[[]]]],
    'list of dicts': [{'id': 1}, {'': ''}],
    'dict': {'id': 1},
    'odd dict': {'\x00': {'a': [float('nan')]}},
    'commands': [(6, 0, [2**40]), (0, 0, {'name': 'x'}), (99, 1)],
    'domain': [('create_uid.password', '=like', '%')],
}

# Valid values for the other arguments, by name.
PLAIN = {
    'reason': "Because.",
    'comment': "Because.",
    'result': 'reached',
    'disposition': 'restock',
    'grade': 'A',
    'quantity': 1,
    'amount': 1.0,
    'text': "Lamp",
    'barcode': "Lamp",
    'token': 'attack',
    'name': 'x',
    'resolution': 'accept',
    'choice': 'yes',
    'values': {},
    'results': [],
    'before': ['2026-01-01', '2026-02-01'],
    'after': ['2026-02-01', '2026-03-01'],
}

ROLES = {
    'nobody': 'base.group_user',
    'user': 'sale_return.group_user',
    'inspector': 'sale_return.group_inspector',
    'approver': 'sale_return.group_approver',
    'manager': 'sale_return.group_manager',
    'customer': 'base.group_portal',
}

# Exceptions with a message for the caller. All others are our errors.
SENTENCES = (UserError, AccessError, AccessDenied, MissingError)


def is_chosen(*case):
    """Tell whether a case belongs to what is tried now. The choice never changes."""
    return is_shared(*case) and zlib.crc32(repr((*case, SEED)).encode()) % PARTS == PART - 1


def is_shared(*case):
    """Tell the same of all parts together."""
    return zlib.crc32(repr((SEED, *case)).encode()) % SHARE == 0


def get_public_methods(env, with_arguments=True):
    """Yield `(model, method, names of its arguments)` of all public methods of this add-on."""
    for name, model in sorted(env.registry.items()):
        names = set()
        for cls in model.mro():
            if cls.__module__.startswith(ADDON):
                names |= {n for n, value in vars(cls).items() if callable(value)}
        for method in sorted(names):
            function = getattr(model, method)
            ours = not any(
                method in vars(cls) for cls in model.mro() if not cls.__module__.startswith(ADDON)
            )
            if method.startswith('_') or not ours or getattr(function, '_api_private', False):
                continue
            arguments = [
                parameter.name
                for parameter in list(signature(function).parameters.values())[1:]
                if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
            ]
            if arguments or not with_arguments:
                yield name, method, arguments


class AttackMixin:
    """Calls of a remote client, rolled back afterwards."""

    @classmethod
    def _create_roles(cls):
        """Return a user of each role: `{role: user}`."""
        roles = {role: cls._create_user(f'attack_{role}', group) for role, group in ROLES.items()}
        return {**roles, 'visitor': cls.env.ref('base.public_user').sudo()}

    def _attack(self, user, model, method, *args, **kwargs):
        """Call a method as a user.

        :return: the error, None for an answer or an error message.
        """
        env = self.env(user=user, su=False)
        muted = ('odoo.sql_db', 'odoo.models.unlink', 'odoo.addons.base.models.ir_rule')
        savepoint = self.env.cr.savepoint()
        try:
            with mute_logger(*muted):
                call_kw(env[model], method, list(args), kwargs)
                env.flush_all()
        except SENTENCES:
            return None
        except IntegrityError as error:
            # Odoo tells a constraint by its own sentence, around each request.
            if any(error.diag.constraint_name in m._table_objects for m in env.registry.values()):
                return None
            return f'{type(error).__name__}: {str(error)[:150]}'
        except Exception as error:  # noqa: BLE001 - which one it is is what is tested
            return f'{type(error).__name__}: {str(error)[:150]}'
        finally:
            savepoint.rollback()
            self.env.invalidate_all()
            self.env.transaction.clear()
        return None
