"""Fixtures for trade without a role in Returns, like most people of a company."""

import functools
from contextlib import ExitStack, contextmanager
from types import FunctionType
from unittest.mock import patch

from odoo import models
from odoo.fields import Command

from .common_refund import RefundCommon

OUR_MODULE = 'odoo.addons.sale_return.'


class OrdinaryCommon(RefundCommon):
    """Users with only Odoo's own groups, whose requests start with an empty cache.

    Cached values must not help them either: while they act, reading our records outside of
    superuser mode fails if they may not read them.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ordinary_ids = set()
        installed = cls.env['ir.module.module']._installed()
        cls.seller_own = cls._create_ordinary('own', 'sales_team.group_sale_salesman')
        cls.seller = cls._create_ordinary('all', 'sales_team.group_sale_salesman_all_leads')
        cls.sales_manager = cls._create_ordinary('sales', 'sales_team.group_sale_manager')
        cls.packer = cls._create_ordinary('packer', 'stock.group_stock_user')
        cls.stock_manager = cls._create_ordinary('stock', 'stock.group_stock_manager')
        cls.biller = cls._create_ordinary('biller', 'account.group_account_invoice')
        cls.accountant = cls._create_ordinary('accountant', 'account.group_account_user')
        cls.account_manager = cls._create_ordinary('accounts', 'account.group_account_manager')
        # Only sees their own orders, and bills those of everybody.
        cls.seller_biller = cls._create_ordinary(
            'both', 'sales_team.group_sale_salesman', 'account.group_account_invoice'
        )
        cls.admin = cls._create_ordinary('admin', 'base.group_system', 'stock.group_stock_manager')
        cls.everybody = (
            cls.seller_own | cls.seller | cls.sales_manager | cls.packer | cls.stock_manager
        ) | (cls.biller | cls.accountant | cls.account_manager | cls.seller_biller)
        cls.buyer = None
        if 'purchase_stock' in installed:
            cls.buyer = cls._create_ordinary('buyer', 'purchase.group_purchase_user')
            cls.everybody |= cls.buyer
        if 'stock_delivery' in installed:
            # Odoo's own form of transfers asks for the prefixes of carriers.
            packers = cls.packer | cls.stock_manager
            packers.sudo().group_ids += cls.env.ref('base.group_partner_manager')
        cls.customer.email = 'jane@example.com'
        cls.kit = None
        if 'sale_mrp' in installed:
            cls.part = cls._create_product("Part")
            cls.kit = cls._create_product("Kit", is_storable=False)
            cls.env['mrp.bom'].sudo().create(
                {
                    'product_tmpl_id': cls.kit.product_tmpl_id.id,
                    'type': 'phantom',
                    'bom_line_ids': [Command.create({'product_id': cls.part.id, 'product_qty': 2})],
                }
            )

    @classmethod
    def _create_ordinary(cls, name, *groups):
        user = cls._create_user(f'ordinary_{name}', *groups)
        user.sudo().email = f'{name}@example.com'
        cls.ordinary_ids.add(user.id)
        return user

    def _as(self, user, records):
        """Return records as in a new request of a user, with an empty cache."""
        self.env.flush_all()
        self.env.invalidate_all()
        return records.with_env(self._env_of(user, companies=self.company))

    @contextmanager
    def _strict(self):
        """Refuse ordinary users to read our records without the rights."""
        has_access = models.BaseModel._has_field_access

        def has_field_access(records, field, operation):
            env = records.env
            if (
                env.uid in self.ordinary_ids
                and records._ids
                and field.name != 'id'
                and not records.browse().has_access(operation)
            ):
                raise AssertionError(
                    f"{env.user.login} would {operation} {records._name}.{field.name}"
                )
            return has_access(records, field, operation)

        with ExitStack() as stack:
            for name, model in self.env.registry.items():
                if name.startswith('sale.return'):
                    stack.enter_context(patch.object(model, '_has_field_access', has_field_access))
            yield

    # === OVERRIDES === #

    @classmethod
    def _get_overrides(cls):
        """Return our overrides and computes on Odoo's models: `{(file, method): class}`.

        Methods that only we define do not count, unless they compute one of our fields.
        """
        result = {}
        for name, model in cls.env.registry.items():
            if name.startswith('sale.return'):
                continue
            mro = model.mro()
            ours = [c for c in mro if c.__module__.startswith(OUR_MODULE)]
            theirs = [c for c in mro if c not in ours and c.__module__ != 'odoo.orm.models']
            theirs = [c for c in theirs if not getattr(c, 'pool', None)] + [models.BaseModel]
            known = {attribute for c in theirs for attribute in vars(c)}
            known |= {
                field.compute
                for field in model._fields.values()
                if isinstance(field.compute, str) and field._module == 'sale_return'
            }
            for our_class in ours:
                for attribute, value in vars(our_class).items():
                    if isinstance(value, FunctionType) and attribute in known:
                        path = our_class.__module__.removeprefix(OUR_MODULE)
                        result[path, attribute] = our_class
        return result

    @contextmanager
    def _recorded(self):
        """Record which of our overrides ordinary users run; yield their set."""
        walked = set()

        def note(key, function):
            @functools.wraps(function)
            def noted(records, *args, **kwargs):
                if records.env.uid in self.ordinary_ids:
                    walked.add(key)
                return function(records, *args, **kwargs)

            return noted

        with ExitStack() as stack:
            for key, our_class in self._get_overrides().items():
                function = vars(our_class)[key[1]]
                stack.enter_context(patch.object(our_class, key[1], note(key, function)))
            yield walked
