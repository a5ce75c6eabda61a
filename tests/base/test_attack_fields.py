"""Every field × roles: who may write what, by a remote client, and what they may not."""

from contextlib import suppress

from odoo.models import MAGIC_COLUMNS
from odoo.tests import tagged

from ..common import SaleReturnCommon
from ..common_attack import ODD_VALUES, PARTS, AttackMixin, is_chosen, is_shared

# Who may write some field of a record that this company uses. Other records are written by
# services; shared configuration by users with access to all companies.
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
            # Refused, with any message.
            with suppress(Exception):
                records.with_user(user).write({field_name: value})
                self.env.flush_all()
                found.append(field_name)
            savepoint.rollback()
            self.env.invalidate_all()
        return found

    def _get_value_cases(self):
        """Yield `(role, model, operation, field, odd)`, by one of the roles that may."""
        for name, model in sorted(self.env.registry.items()):
            if not name.startswith('sale.return') or model._abstract:
                continue
            for operation in ('create', 'write'):
                allowed = [
                    role
                    for role, user in self.roles.items()
                    if self.env[name].with_user(user).has_access(operation)
                ]
                fields = [f.name for f in self.env[name]._fields.values() if f.store or f.inverse]
                for field_name in (None, *sorted(fields)) if allowed else ():
                    for odd in ODD_VALUES:
                        case = (name, operation, field_name, odd)
                        # Only a hundredth of the values is tried, as they share the same reader.
                        if is_chosen('value', *case) and is_shared('again', *case):
                            yield allowed[0], *case

    def test_odd_values_get_a_sentence(self):
        """Odoo's ORM, and PostgreSQL, fail at values they cannot store: not visible."""
        wrong, count = [], 0
        for role, name, operation, field_name, odd in self._get_value_cases():
            value = ODD_VALUES[odd]
            vals = {field_name: value} if field_name else value
            args = [vals]
            if operation == 'write':
                records = self.env[name].sudo()
                args.insert(0, records.search([], limit=1, order='id desc').ids)
            count += 1
            if problem := self._attack(self.roles[role], name, operation, *args):
                # Missing or duplicate records are reported by Odoo itself.
                if not problem.startswith(('ForeignKeyViolation', 'UniqueViolation', 'NotNull')):
                    wrong.append(f'{name}.{operation}({field_name}) {odd}: {problem}')
        self.assertFalse(wrong, '\n'.join(wrong))
        self.assertGreater(count, 100 // PARTS)

    def test_sentence_names_the_field_and_what_it_takes(self):
        user = self.roles['user']
        lines = [{'sale_line_id': self.order.order_line.id, 'qty_requested': 1}]
        for vals, sentence in (
            ({'partner_id': [1]}, "“Customer (partner_id)” of Customer Return has to be the ID"),
            ({'external_ref': 'a\x00b'}, "has to be a text of one line"),
            ({'external_ref': 'x' * 5000}, "has to be a text of one line"),
            ({'line_ids': 5}, "has to be a list"),
            ({'line_ids': [{**lines[0], 'qty_requested': 1e308}]}, "has to be a number"),
            ({'line_ids': [{**lines[0], 'qty_requested': 'nan'}]}, "has to be a number"),
            ({'line_ids': [{**lines[0], 'resolution': 'magic'}]}, "one of these: refund, "),
            ({'line_ids': [(6, 0, [2**40])]}, "has to be a list"),
            ({'date_dispatched': '9999-99-99'}, "has to be a day"),
            ({'color_of_the_parcel': 1}, "Customer Return has no field “color_of_the_parcel”"),
        ):
            with self.subTest(vals=vals), self.assert_refused(sentence):
                vals = {'partner_id': self.customer.id, 'line_ids': lines, **vals}
                self._call(user, self.env['sale.return'], 'create', vals)

    def test_what_odoo_takes_is_taken(self):
        """Numbers as texts, and an ID list for a many2many, as other programs send them."""
        line = {
            'sale_line_id': self.order.order_line.id,
            'qty_requested': '1',
            'reason_id': self.reason_other.id,
        }
        vals = {'partner_id': self.customer.id, 'line_ids': [line], 'external_ref': 4711}
        return_id = self._call(self.roles['user'], self.env['sale.return'], 'create', vals)
        sale_return = self.env['sale.return'].browse(return_id)
        self.assertEqual(
            (sale_return.external_ref, sale_return.line_ids.qty_requested), ('4711', 1)
        )

    def test_one_record_is_asked_for_in_a_sentence(self):
        refund = self.env['sale.return.refund']
        with self.assert_refused("one Return Refund at a time, but 0 were given"):
            self._call(self.roles['manager'], refund, 'action_open_document')

    def test_roles_write_what_they_are_for(self):
        found = {}
        for name in self._get_models():
            for role, user in self.roles.items():
                if self._get_writable(user, name):
                    found.setdefault(name, set()).add(role)
        too_much = {n: r - WRITERS.get(n, set()) for n, r in found.items()}
        self.assertEqual({n: r for n, r in too_much.items() if r}, {})
