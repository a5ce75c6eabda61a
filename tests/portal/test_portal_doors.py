from datetime import timedelta
from inspect import Parameter, signature

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tests.common import JsonRpcException
from odoo.tools import mute_logger

from .test_portal_safe import EMPLOYEE, NOTE, SECRETS, DoorsCommon

ADDON = 'odoo.addons.sale_return.'

# Our methods that customers may call by RPC, and why.
CALLABLE = {
    ('sale.return', 'preview_credit'): "what their own return would give; reading is checked",
    ('sale.return', 'get_portal_url'): "the link to their own return; reading is checked",
}

# What this module adds to models of Odoo that customers read by RPC: numbers and links of theirs.
READABLE = {
    'account.move': {'sale_return_ids', 'sale_return_count'},
    'account.move.line': {
        'sale_return_line_id',
        'credited_line_id',
        'credited_line_ids',
        'sale_return_kept',
        'sale_return_kind',
        'sale_return_price',
        'sale_return_withheld_qty',
    },
    'sale.order': {
        'return_line_ids',
        'exchange_due',  # of their own orders
    },
    'sale.order.line': {'return_line_ids', 'qty_returned', 'qty_returnable'},
    'stock.picking': {
        'sale_return_id',
        'sale_return_ids',
        'sale_return_count',
        'date_customer_received',
    },
}
# Whether customers may request returns, how long links work.
READABLE['res.company'] = {
    'sale_return_portal',
    'sale_return_link_days',
    'sale_return_request_limit',
}


@tagged('post_install', '-at_install')
class TestDoorsAreSafe(DoorsCommon):
    """Odoo's own routes: contents, messages, ratings, reports, remote calls."""

    def _rpc(self, path, **params):
        """Call a JSON route; return its answer, or None where it is refused."""
        self.env.flush_all()
        loggers = ('odoo.http', 'odoo.addons.base.models.ir_rule')
        with mute_logger(*loggers):
            try:
                return self.make_jsonrpc_request(path, params)
            except JsonRpcException:
                return None

    def test_contents_are_given_by_our_route_only(self):
        file = self.own['file']
        attachment = file.sudo().attachment_id
        doors = [
            f'/web/content/{attachment.id}',
            f'/web/image/{attachment.id}',
            f'/web/content/sale.return.file/{file.id}/datas',
            f'/web/image/sale.return.file/{file.id}/datas',
            f'/web/content/sale.return/{file.return_id.id}/name',
            f'/web/content/sale.return.inspection/{self.used.inspection_ids[0].id}/note',
            f'/web/image/ir.attachment/{attachment.id}/raw',
        ]
        for actor in (None, self.jane, self.colleague, self.stranger, self.salesman):
            self._login(actor)
            for door in doors:
                with self.subTest(door=door, actor=actor and actor.login):
                    response = self.url_open(door)
                    if response.status_code == 200:
                        # Odoo answers requests for forbidden images with a grey one.
                        self.assertIn('image', door)
                        self.assertNotEqual(response.content, attachment.raw)
                    else:
                        self.assertEqual(response.status_code, 404)

    def test_messages_are_for_whoever_may_see_the_return(self):
        sale_return = self.own['sale_return']
        thread = {'thread_model': 'sale.return', 'thread_id': sale_return.id}
        mine = self._token_of(sale_return)
        foreign = self._token_of(self.foreign['sale_return'])
        before = self._snapshot()
        for user, token in [
            (None, None),
            (None, foreign),
            (self.stranger, None),
            (self.stranger, foreign),
            (self.salesman, None),
        ]:
            self._login(user)
            given = {'token': token} if token else {}
            for path, params in {
                '/mail/chatter_fetch': {},
                '/mail/thread/messages': {},
                '/portal/chatter_init': {},
                '/mail/message/post': {'post_data': {'body': "Me"}},
                '/mail/thread/recipients': {},
                '/mail/data': {
                    'fetch_params': [
                        ['mail.thread', {**thread, 'request_list': ['followers', 'attachments']}]
                    ]
                },
            }.items():
                with self.subTest(path=path, user=user and user.login, token=bool(token)):
                    answer = str(self._rpc(path, **thread, **given, **params))
                    for text in (f"Public to {self.jane.login}", NOTE, "Jane", sale_return.name):
                        self.assertNotIn(text, answer)
        self.assertEqual(self._snapshot(), before)
        # Those who may see it get their own messages, and nothing internal.
        for user, given in [(self.jane, {}), (self.colleague, {}), (None, {'token': mine})]:
            self._login(user)
            answer = str(self._rpc('/mail/chatter_fetch', **thread, **given))
            self.assertIn("Public to", answer)
            self.assertNotIn(NOTE, answer)

    def test_messages_of_others_are_not_changed(self):
        sale_return = self.own['sale_return']
        message = sale_return.message_ids.filtered(lambda m: "Public" in m.body)
        token = self._token_of(sale_return)
        for user in (None, self.jane, self.stranger):
            self._login(user)
            self._rpc(
                '/mail/message/update_content',
                message_id=message.id,
                update_data={'body': "Changed", 'attachment_ids': []},
                token=token,
            )
            self._rpc('/mail/update_is_internal', message_id=message.id, is_internal=True)
        self.env.invalidate_all()
        self.assertIn("Public", message.body)
        self.assertFalse(message.is_internal)

    def test_ratings_need_their_own_token(self):
        rating_token = self.own['sale_return'].sudo()._rating_get_access_token()
        self._login(self.stranger)
        response = self.url_open(f'/rate/{rating_token}/5')
        self.assertNotIn(EMPLOYEE, response.text)
        self.assertIn("cannot rate", response.text)
        self.assertEqual(self.url_open('/rate/nonsense/5').status_code, 404)
        rating = self.own['sale_return'].sudo().rating_ids
        self._rpc('/website/rating/comment', rating_id=rating.id, publisher_comment="Mine")
        self.env.invalidate_all()
        self.assertFalse(rating.publisher_comment)

    def test_reports_and_old_links_of_others(self):
        report = f'/report/html/sale_return.sale_return_slip/{self.own["sale_return"].id}'
        token = self._token_of(self.foreign['sale_return'])
        view = f'/mail/view?model=sale.return&res_id={self.own["sale_return"].id}'
        for user in (self.stranger, None):
            self._login(user)
            for path in (report, view, f'{view}&access_token={token}'):
                with mute_logger('odoo.http'):
                    response = self.url_open(path)
                self.assertNotIn(self.own['sale_return'].name, response.text)
                self.assertNotIn(self._token_of(self.own['sale_return']), response.url)

    def test_remote_calls_over_http(self):
        self._login(self.stranger)
        ids = self.own['sale_return'].ids
        path = '/web/dataset/call_kw/sale.return'
        for method, args in {
            'read': [ids, ['name']],
            'write': [ids, {'carrier_name': "Me"}],
            'message_post': [ids],
            'action_cancel': [ids],
            '_portal_cancel': [ids],
            '_portal_ensure_token': [ids],
            'get_portal_url': [ids],
        }.items():
            with self.subTest(method=method):
                params = {'model': 'sale.return', 'method': method, 'args': args, 'kwargs': {}}
                self.assertIsNone(self._rpc(f'{path}/{method}', **params))
        key = self.env['res.users.apikeys'].with_user(self.stranger).sudo()
        key = key._generate('rpc', "Test", fields.Datetime.now() + timedelta(days=1))
        self._login(None)
        response = self.url_open(
            '/json/2/sale.return/search_read',
            json={'domain': [], 'fields': ['name', 'state']},
            headers={'Authorization': f'bearer {key}'},
        )
        if response.status_code == 200:
            self.assertEqual(response.json()[0]['name'], self.foreign['sale_return'].name)
            self.assertEqual(len(response.json()), 1)
        self.assertNotIn(self.own['sale_return'].name, response.text)


@tagged('post_install', '-at_install')
class TestRemoteCallsAreSafe(DoorsCommon):
    """Customers and the public by RPC: every model and every method of the module."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.public = cls.env.ref('base.public_user').sudo()

    def _get_models(self):
        """Return the models of the module, dialogs and services included."""
        return [
            model
            for name, model in self.env.registry.items()
            if name.startswith('sale.return') and not model._abstract
        ]

    def _get_method_names(self, model):
        """Return the public methods that only this module defines on a model."""
        names = set()
        for cls in model.mro():
            if cls.__module__.startswith(ADDON):
                names |= {n for n, value in vars(cls).items() if callable(value)}
        return sorted(
            name
            for name in names
            if not name.startswith('_')
            and not getattr(getattr(model, name), '_api_private', False)
            and not any(
                name in vars(cls) for cls in model.mro() if not cls.__module__.startswith(ADDON)
            )
        )

    def _get_arguments(self, method):
        """Return arguments for a method: one for each that has to be given."""
        return [
            False
            for parameter in list(signature(method).parameters.values())[1:]
            if parameter.default is Parameter.empty
            and parameter.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        ]

    def _try(self, user, model, method, *args):
        """Call a method as a remote client; return the exception, or None and the answer."""
        env = self._env_of(user)
        try:
            with mute_logger('odoo.sql_db', 'odoo.models.unlink'), self.env.cr.savepoint():
                return None, call_kw(env[model], method, list(args), {})
        except Exception as error:  # noqa: BLE001 - which one it is is what is tested
            return error, None

    def test_customers_read_their_own_returns_and_nothing_else(self):
        own = {
            'sale.return': (self.own['sale_return'] | self.used),
            'sale.return.line': (self.own['sale_return'] | self.used).line_ids,
        }
        for model in self._get_models():
            for user in (self.jane, self.colleague, self.stranger, self.public):
                with self.subTest(model=model._name, user=user.login):
                    error, found = self._try(user, model._name, 'search', [])
                    if model._name in own and user != self.public:
                        mine = own[model._name] if user != self.stranger else None
                        if mine is None:
                            key = {'sale.return': 'id', 'sale.return.line': 'return_id'}
                            mine = self.env[model._name].search(
                                [(key[model._name], '=', self.foreign['sale_return'].id)]
                            )
                        self.assertEqual(sorted(found), sorted(mine.ids))
                    else:
                        self.assertIsInstance(error, AccessError)

    def test_customers_write_nothing(self):
        for model in self._get_models():
            record = self.env[model._name].sudo().search([], limit=1)
            for user in (self.jane, self.public):
                for method, args in {
                    'create': [{}],
                    'write': [record.ids, {}],
                    'unlink': [record.ids],
                    'copy': [record.ids],
                    'web_save': [record.ids, {}, {}],
                }.items():
                    if method != 'create' and not record:
                        continue
                    with self.subTest(model=model._name, method=method, user=user.login):
                        error, _answer = self._try(user, model._name, method, *args)
                        self.assertIsInstance(error, (AccessError, UserError))

    def test_what_is_not_theirs_is_not_read_by_any_name(self):
        """Internal fields are refused in reading, searching, sorting and grouping."""
        sale_return = self.own['sale_return']
        for model in ('sale.return', 'sale.return.line'):
            records = sale_return if model == 'sale.return' else sale_return.line_ids
            # Without the names of records they may not read, e.g. products.
            visible = self._get_visible_fields(model) - {'display_name'}
            error, values = self._try(self.jane, model, 'read', records.ids, sorted(visible))
            self.assertIsNone(error)
            self.assertNotIn(NOTE, str(values))
            self.assertNotIn(EMPLOYEE, str(values))
        for name in ('user_id', 'event_ids', 'fingerprint', 'inspection_ids', 'freight_charge'):
            for method, args in {
                'search': [[(name, '!=', False)]],
                'search_read': [[], [name]],
                'export_data': [sale_return.ids, [name]],
                'formatted_read_group': [[], [name], ['__count']],
                'web_search_read': [[], {name: {}}],
            }.items():
                with self.subTest(field=name, method=method):
                    error, _answer = self._try(self.jane, 'sale.return', method, *args)
                    self.assertIsInstance(error, (AccessError, UserError))
        for model, path in {
            'sale.order': 'return_line_ids.return_id.event_ids.reason',
            'sale.order.line': 'return_line_ids.inspection_ids.note',
            'account.move': 'sale_return_ids.user_id',
            'sale.return.line': 'return_id.fingerprint',
        }.items():
            with self.subTest(path=path):
                error, found = self._try(self.jane, model, 'search', [(path, '!=', False)])
                self.assertTrue(isinstance(error, AccessError) or found == [])

    def _get_visible_fields(self, model):
        records = self._env_of(self.jane)[model]
        return {
            name
            for name, definition in records._fields.items()
            if records._has_field_access(definition, 'read')
        }

    def test_no_method_gives_or_changes_anything(self):
        """Called on another customer's records, every public method of ours, also new ones."""
        self.used.invalidate_recordset()
        hidden = (
            *SECRETS,
            self.used.name,
            self.own['sale_return'].name,
            self.order.name,
            self.jane.name,
            self.customer.name,
        )
        before = self._snapshot()
        count = 0
        for name, model in self.env.registry.items():
            methods = [m for m in self._get_method_names(model) if (name, m) not in CALLABLE]
            if not methods or name in ('base', 'res.config.settings'):
                continue
            records = self.env[name].sudo()
            # The last record of each of our tables belongs to the return that has everything.
            ids = records.search([], limit=1, order='id desc').ids if model._auto else []
            for method in methods:
                count += 1
                function = getattr(model, method)
                args = self._get_arguments(function)
                call = args if getattr(function, '_api_model', False) else [ids, *args]
                for user in (self.stranger, self.public):
                    with self.subTest(model=name, method=method, user=user.login):
                        error, answer = self._try(user, name, method, *call)
                        if error is None:
                            for text in hidden:
                                self.assertNotIn(text, str(answer))
        self.assertEqual(self._snapshot(), before)
        self.assertGreater(count, 100)

    def test_steps_need_a_role(self):
        """Steps of a return, with valid arguments, by its own customer."""
        sale_return = self.own['sale_return']
        for method, args in {
            'action_submit': [],
            'action_approve': ["Yes."],
            'action_refuse': ["No."],
            'action_cancel': [],
            'action_draft': [],
            'action_close': ["No."],
            'action_register_dispatch': ["1Z999"],
            'action_inspect_all': ['restock'],
            'action_create_credit_notes': [],
            'action_appeal': ["But!"],
        }.items():
            with self.subTest(method=method):
                error, _answer = self._try(self.jane, 'sale.return', method, sale_return.ids, *args)
                self.assertIsInstance(error, AccessError)

    def test_callable_methods_check_the_return(self):
        for _model, method in CALLABLE:
            for user, ours in [(self.jane, self.own), (self.stranger, self.foreign)]:
                theirs = self.foreign if ours is self.own else self.own
                with self.subTest(method=method, user=user.login):
                    error, _a = self._try(user, 'sale.return', method, ours['sale_return'].ids)
                    self.assertIsNone(error)
                    error, _a = self._try(user, 'sale.return', method, theirs['sale_return'].ids)
                    self.assertIsInstance(error, AccessError)

    def test_fields_on_models_of_odoo_are_ours_unless_named(self):
        """What customers read of orders, invoices, deliveries and companies."""
        for name, model in self.env.registry.items():
            if model._abstract or name.startswith('sale.return'):
                continue
            env = self._env_of(self.jane)
            if not env[name].has_access('read'):
                continue
            mine = {
                field.name
                for field in model._fields.values()
                if field._modules and field._modules[0] == 'sale_return'
            }
            visible = {
                field_name
                for field_name in mine
                if env[name]._has_field_access(model._fields[field_name], 'read')
            }
            with self.subTest(model=name):
                self.assertLessEqual(visible, READABLE.get(name, set()))
