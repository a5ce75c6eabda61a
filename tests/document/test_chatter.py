# pylint: disable=translation-required
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from ..common import SaleReturnCommon

LEAN = "messages and files of returns, the same with few modules"
SALES = 'sales_team.group_sale_salesman_all_leads'


@tagged('post_install', '-at_install')
class TestChatter(SaleReturnCommon):
    """What others wrote and laid on a return is evidence."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls._create_user('chatter_clerk', 'sale_return.group_user', SALES)
        cls.colleague = cls._create_user('chatter_colleague', 'sale_return.group_inspector', SALES)
        cls.manager = cls._create_user('chatter_manager', 'sale_return.group_manager', SALES)
        cls.jane = new_test_user(cls.env(su=True), login='chatter_jane', groups='base.group_portal')
        cls.order = cls._create_sale()
        cls.sale_return = cls._create_return(cls.order, 1)

    def _post(self, user, record=None, body="The lamp was broken when it came.", **values):
        record = self.sale_return if record is None else record
        values = {'message_type': 'comment', 'subtype_xmlid': 'mail.mt_comment', **values}
        record = record.with_env(self._env_of(user))
        message = record.message_post(body=body, **values)
        return self.env['mail.message'].browse(message.id)

    def _lay(self, user, record=None, **values):
        record = self.sale_return if record is None else record
        vals = {'name': "broken.txt", 'raw': b"broken", 'res_id': record.id}
        attachment = (
            self.env(user=user.id, su=True)['ir.attachment']
            .create({**vals, 'res_model': record._name, **values})
            .sudo(False)
        )
        return self.env['ir.attachment'].browse(attachment.id)

    def _get_logged(self, kind, sale_return=None):
        events = (sale_return or self.sale_return).sudo().event_ids
        return [event.details for event in events.filtered(lambda e: e.kind == kind)]

    def _assert_kept(self, user, record):
        for method, args in (
            ('write', [{'body': "Nothing was broken."}]),
            ('write', [{'author_id': user.partner_id.id}]),
            ('write', [{'date': '2026-01-01 00:00:00'}]),
            ('write', [{'subtype_id': False}]),
            ('unlink', []),
        ):
            with self.subTest(user=user.login, method=method, args=args):
                with self.assertRaises(UserError):
                    self._call(user, record, method, *args)

    def test_administrator_sends_a_mail_now(self):
        """Odoo writes on a mail what its server has answered."""
        groups = ('base.group_system', 'sale_return.group_user', SALES)
        admin = self._create_user('chatter_admin', *groups)
        values = {'model': 'sale.return', 'res_id': self.sale_return.id, 'auto_delete': False}
        values |= {'email_to': "jane@example.com", 'body_html': "<p>It is on its way.</p>"}
        mail = self.env['mail.mail'].sudo().create(values)
        self.env.flush_all()
        self._call(admin, mail, 'write', {'state': 'sent', 'message_id': "<1@example.com>"})
        self.assertEqual((mail.state, mail.message_id), ('sent', "<1@example.com>"))

    def test_messages_of_others_are_kept(self):
        told = self.clerk.partner_id.ids
        for message in (
            self._post(self.colleague, partner_ids=told),
            self._post(self.manager),
            # What the clerk did themselves, as it was logged.
            self.sale_return.with_env(self._env_of(self.clerk))._message_log(body="Approved"),
            self.env['mail.message']
            .sudo()
            .search([('model', '=', 'sale.return'), ('res_id', '=', self.sale_return.id)], limit=1),
        ):
            self._assert_kept(self.clerk, message)
        self.assertFalse(self._get_logged('message_changed'))

    def test_own_comment_is_edited_as_in_odoo(self):
        message = self._post(self.clerk)
        self._call(self.clerk, message, 'write', {'body': "It came broken."})
        self.assertIn("came broken", message.body)
        for vals in ({'date': '2026-01-01'}, {'author_id': self.manager.partner_id.id}):
            with self.assertRaises(UserError):
                self._call(self.clerk, message, 'write', vals)
        with self.assertRaises(UserError):
            self._call(self.clerk, message, 'unlink')

    def test_manager_changes_messages_with_a_trace(self):
        message = self._post(self.colleague)
        self._call(self.manager, message, 'write', {'body': "Removed."})
        [changed] = self._get_logged('message_changed')
        self.assertIn("The lamp was broken when it came.", changed)
        self.assertIn(self.colleague.name, changed)
        self._call(self.manager, message, 'unlink')
        [deleted] = self._get_logged('message_deleted')
        self.assertIn("Removed.", deleted)
        event = self.sale_return.sudo().event_ids.filtered(lambda e: e.kind == 'message_deleted')
        self.assertEqual(event.user_id, self.manager)

    def test_files_of_others_are_kept(self):
        for file in (
            self._lay(self.colleague),
            self._lay(self.jane),
            self._lay(self.env.ref('base.user_root')),
        ):
            for method, args in (
                ('unlink', []),
                ('write', [{'raw': b"fine"}]),
                ('write', [{'res_id': self._create_return(self.order, 1, submit=False).id}]),
            ):
                with self.subTest(file.create_uid.login, method=method):
                    with self.assertRaisesRegex(UserError, "broken.txt"):
                        self._call(self.clerk, file, method, *args)
            with self.subTest(file.create_uid.login, way="a message of their own"):
                message = self._post(self.clerk, attachment_ids=file.ids)
                with self.assertRaisesRegex(UserError, "broken.txt"):
                    # As the route does that edits messages.
                    sale_return = self.sale_return.with_env(self._env_of(self.clerk))
                    message = message.with_user(self.clerk).sudo()
                    sale_return._message_update_content(message, body=None, attachment_ids=[])
        self.assertFalse(self._get_logged('file_erased'))

    def test_own_files_are_deleted_with_a_trace(self):
        file = self._lay(self.clerk)
        with self.assertRaisesRegex(UserError, "broken.txt"):
            self._call(self.clerk, file, 'write', {'raw': b"fine"})
        self._call(self.clerk, file, 'unlink')
        self._call(self.manager, self._lay(self.jane), 'unlink')
        logged = self._get_logged('file_erased')
        self.assertEqual(len(logged), 2)
        self.assertIn("SHA-1", logged[0])
        shown = self.sale_return.sudo().event_ids.mapped('shown_details')
        self.assertNotIn("SHA-1", str(shown))

    def test_other_documents_of_ours_are_protected_as_well(self):
        """All that can have messages or files: nobody has to think of it for a new model."""
        models = {
            name
            for name, model in self.env.registry.items()
            if name.startswith('sale.return') and not model._abstract and not model._transient
        }
        self.assertIn('sale.return.discrepancy', models)
        message = self.env['mail.message'].sudo()
        for name in models - {'sale.return.file'}:
            record = self.env[name].sudo().search([], limit=1)
            if not record or not record.with_user(self.clerk).has_access('write'):
                continue
            vals = {'model': name, 'res_id': record.id, 'author_id': self.manager.partner_id.id}
            with self.subTest(name):
                self._assert_kept(self.clerk, message.create({**vals, 'body': "Said"}))
                with self.assertRaisesRegex(UserError, "broken.txt"):
                    self._call(self.clerk, self._lay(self.colleague, record), 'unlink')

    def test_draft_is_deleted_with_all_of_it(self):
        draft = self._create_return(self.order, 1, submit=False)
        message, file = self._post(self.colleague, draft), self._lay(self.colleague, draft)
        self._call(self.clerk, draft, 'unlink')
        self.assertFalse(message.exists() or file.exists())

    def test_draft_has_a_note_of_what_was_deleted(self):
        draft = self._create_return(self.order, 1, submit=False)
        self._call(self.manager, self._post(self.clerk, draft), 'unlink')
        self.assertIn("Message deleted", draft.message_ids[0].body)
        self._call(self.clerk, draft, 'unlink')

    def test_documents_of_odoo_are_as_before(self):
        order = self.order
        message, file = self._post(self.colleague, order), self._lay(self.colleague, order)
        self._call(self.clerk, message, 'write', {'body': "Changed"})
        self._call(self.clerk, message, 'unlink')
        self._call(self.clerk, file, 'write', {'raw': b"Changed"})
        self._call(self.clerk, file, 'unlink')
        self.assertFalse(message.exists() or file.exists())
