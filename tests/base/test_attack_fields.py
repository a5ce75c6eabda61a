"""Every field × roles: who may write what, by a remote client, and what they may not."""

from contextlib import suppress

from odoo.models import MAGIC_COLUMNS
from odoo.tests import tagged

from ..common import SaleReturnCommon
from ..common_attack import AttackMixin, is_chosen

# Who may write some field of a record that this company uses. What is not named is written by
# services; configuration that all companies share by whoever has all of them.
USERS = {'user', 'inspector', 'approver', 'manager'}
WRITERS = {
    'sale.return': USERS,
    'sale.return.line': USERS,
    'sale.return.policy': {'manager'},
}


@tagged('post_install', '-at_install')
class TestAttackFields(AttackMixin, SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls._create_return(cls.order, 1, submit=False)
        cls._create_return(cls.order, 2)
        cls._return_goods(cls.order, 1)
        cls.roles = cls._create_roles()

    def _get_models(self):
        for name, model in sorted(self.env.registry.items()):
            if name.startswith('sale.return') and not model._abstract and model._auto:
                yield name

    def _get_writable(self, user, name):
        """Return the fields that a user can write with the value that they have."""
        records = self.env[name].sudo().search([], order='id desc', limit=1)
        found = []
        for field_name, field in records._fields.items():
            if not records or field_name in MAGIC_COLUMNS or not field.store:
                continue
            if not is_chosen('field', name, field_name):
                continue
            value = field.convert_to_write(records[field_name], records)
            savepoint = self.env.cr.savepoint()
            # Refused, in whatever words.
            with suppress(Exception):
                records.with_user(user).write({field_name: value})
                self.env.flush_all()
                found.append(field_name)
            savepoint.rollback()
            self.env.invalidate_all()
        return found

    def test_roles_write_what_they_are_for(self):
        found = {}
        for name in self._get_models():
            for role, user in self.roles.items():
                if self._get_writable(user, name):
                    found.setdefault(name, set()).add(role)
        too_much = {n: r - WRITERS.get(n, set()) for n, r in found.items()}
        self.assertEqual({n: r for n, r in too_much.items() if r}, {})
