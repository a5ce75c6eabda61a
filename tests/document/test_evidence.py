import base64
import hashlib
import io

from freezegun import freeze_time
from PIL import Image

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tests.form import Form

from ..common import SaleReturnCommon


def image(color='red', kind='PNG'):
    stream = io.BytesIO()
    Image.new('RGB', (40, 30), color).save(stream, kind)
    return stream.getvalue()


@tagged('post_install', '-at_install')
class TestEvidence(SaleReturnCommon):
    """Photos and files: checked on upload, stored unchanged, and only erased with a log entry."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.user = cls._create_user(
            'returns_user', 'sale_return.group_user', 'sales_team.group_sale_salesman_all_leads'
        )
        cls.draft = cls._create_return(cls.order, 2, submit=False)

    def _vals(self, record, raw=None, name="lamp.png"):
        field = self.env['sale.return.file']._get_target_fields()[record._name]
        raw = image() if raw is None else raw
        return {field: record.id, 'name': name, 'datas': base64.b64encode(raw).decode()}

    def _add(self, record, raw=None, name="lamp.png", user=None):
        ids = self._call(
            user or self.user,
            self.env['sale.return.file'],
            'create',
            self._vals(record, raw, name),
        )
        return self.env['sale.return.file'].browse(ids)

    def test_file_is_kept_with_hash_uploader_and_time(self):
        raw = image()
        with freeze_time('2026-03-01 12:00:00'):
            file = self._add(self.draft.line_ids, raw)
        self.assertEqual(
            (file.sha256, file.user_id, str(file.date), file.size, file.mimetype),
            (
                hashlib.sha256(raw).hexdigest(),
                self.user,
                '2026-03-01 12:00:00',
                len(raw),
                'image/png',
            ),
        )
        self.assertEqual((file.return_id, file.line_id), (self.draft, self.draft.line_ids))
        self.assertEqual(base64.b64decode(file.datas), raw)

    def test_large_photos_are_not_resized(self):
        stream = io.BytesIO()
        Image.new('RGB', (4000, 10)).save(stream, 'JPEG')
        file = self._add(self.draft.line_ids, stream.getvalue(), "wide.jpg")
        self.assertEqual(hashlib.sha256(base64.b64decode(file.datas)).hexdigest(), file.sha256)

    def test_kind_is_what_the_content_is_and_not_what_the_name_says(self):
        line = self.draft.line_ids
        refused = {
            "lamp.png": b"<html><script>alert(1)</script></html>",
            "lamp.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
            "run.exe": b'MZ' + bytes(200),
            "bomb.zip": b'PK\x05\x06' + bytes(18),
        }
        for name, raw in refused.items():
            with self.subTest(name=name), self.assert_refused("not accepted"):
                self._add(line, raw, name)
        self.assertEqual(
            self._add(line, b'%PDF-1.4\n%%EOF', "slip.pdf").mimetype, 'application/pdf'
        )

    def test_accepted_kinds_are_a_setting(self):
        self.env['ir.config_parameter'].sudo().set_param('sale_return.file_types', 'image/jpeg')
        with self.assert_refused("image/jpeg"):
            self._add(self.draft.line_ids)
        self.assertTrue(self._add(self.draft.line_ids, image(kind='JPEG')))

    def test_what_only_begins_like_an_image_is_refused(self):
        for raw in (image()[:60], b'\x89PNG\r\n\x1a\n' + bytes(100)):
            with self.assert_refused("lamp.png"):
                self._add(self.draft.line_ids, raw)

    def test_empty_unreadable_and_large_files_are_refused(self):
        line = self.draft.line_ids
        with self.assert_refused("is empty"):
            self._add(line, b'')
        with self.assert_refused("too large"):
            self._add(line, b'%PDF-1.4' + bytes(10 * 1024 * 1024))
        with self.assert_refused("could not be read"):
            self._call(
                self.user,
                self.env['sale.return.file'],
                'create',
                {'line_id': line.id, 'name': "x.png", 'datas': "no base64!"},
            )

    def test_not_more_than_ten_files_and_the_same_one_only_once(self):
        line = self.draft.line_ids
        for red in range(10):
            first = self._add(line, image((red, 0, 0)))
        self.assertEqual(self._add(line, image((9, 0, 0))), first)
        with self.assert_refused("No more than 10"):
            self._add(line, image((10, 0, 0)))

    def test_name_carries_no_path(self):
        self.assertEqual(
            self._add(self.draft.line_ids, name="../../etc/passwd.png").name, "passwd.png"
        )
        with self.assert_refused("without control characters"):
            self._add(self.draft.line_ids, name="pass\x00wd.png")

    def test_file_of_a_draft_may_be_taken_away_and_goes_with_it(self):
        file = self._add(self.draft.line_ids)
        attachment = file.sudo().attachment_id
        self._call(self.user, file, 'unlink')
        self.assertFalse(attachment.exists())
        attachment = self._add(self.draft.line_ids).sudo().attachment_id
        self.draft.unlink()
        self.assertFalse(attachment.exists())

    def test_nobody_removes_or_changes_a_file_after_the_submission(self):
        file = self._add(self.draft.line_ids)
        self.draft.action_submit()
        later = self._add(self.draft)
        attachments = (file + later).sudo().attachment_id
        for user in (self.user, self.staff):
            for record in file + later:
                with self.assert_refused():
                    self._call(user, record, 'unlink')
                with self.assert_refused():
                    self._call(user, record, 'write', {'name': "other.png"})
            for values in ({'raw': b'x'}, {'res_model': False}, {'public': True}):
                with self.assert_refused():
                    self._call(user, attachments, 'write', values)
            with self.assert_refused():
                self._call(user, attachments, 'unlink')
        with self.assert_refused("evidence"):
            attachments.unlink()  # not even a superuser by mistake
        with self.assert_refused("evidence"):
            attachments.write({'raw': b'x'})

    def test_file_stays_when_the_return_is_set_back_to_draft(self):
        self._create_policy(approval='always')
        sale_return = self._create_return(self.order, 1, submit=False)
        file = self._add(sale_return.line_ids)
        sale_return.action_submit()
        sale_return.action_draft()
        with self.assert_refused("evidence"):
            self._call(self.staff, file, 'unlink')
        with self.assert_refused("evidence"):
            self._call(self.staff, sale_return.line_ids, 'unlink')

    def test_facts_about_a_file_cannot_be_given(self):
        vals = {
            **self._vals(self.draft.line_ids),
            'sha256': '0' * 64,
            'locked': False,
            'user_id': self.staff.id,
            'date': '2020-01-01 00:00:00',
        }
        file = self.env['sale.return.file'].browse(
            self._call(self.user, self.env['sale.return.file'], 'create', vals)
        )
        self.assertEqual(file.user_id, self.user)
        self.assertEqual(file.sha256, hashlib.sha256(image()).hexdigest())
        self.assertNotEqual(file.date.year, 2020)

    def test_manager_erases_with_a_reason_and_the_hash_stays(self):
        file = self._add(self.draft.line_ids)
        self.draft.action_submit()
        attachment, sha256 = file.sudo().attachment_id, file.sha256
        with self.assert_refused("Manager", AccessError):
            self._call(self.user, file, 'action_erase', "The customer asked for it.")
        with self.assert_refused("Enter why"):
            self._call(self.staff, file, 'action_erase')
        wizard = self.env['sale.return.explain'].with_context(
            **file.action_open_erasure()['context']
        )
        wizard.create({'reason': "The customer asked for it."}).action_confirm()
        self.assertFalse(attachment.exists())
        self.assertEqual((file.sha256, file.erased_by_id), (sha256, self.staff))
        event = self.draft.event_ids.filtered(lambda e: e.kind == 'file_erased')
        self.assertEqual(event.reason, "The customer asked for it.")
        self.assertIn(sha256, event.details)

    def _purge(self):
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_purge_files').sudo().method_direct_trigger()
        self.env.invalidate_all()

    def test_job_erases_what_is_old_enough_on_finished_returns_only(self):
        self._configure(sale_return_file_months=6)
        self._create_policy(approval='always')
        finished = self._create_return(self.order, 1)
        under_way = self._create_return(self.order, 1)
        with freeze_time('2026-01-15 12:00:00'):
            old = self._add(finished)
            waiting = self._add(under_way)
        with freeze_time('2026-07-14 12:00:00'):
            young = self._add(finished, image('blue'))
        finished.action_refuse("No.")
        with freeze_time('2026-07-15 11:00:00'):
            self._purge()
            self.assertFalse(old.erased_on)
        with freeze_time('2026-07-15 13:00:00'):
            self._purge()
        self.assertTrue(old.erased_on)
        self.assertFalse(old.datas)
        self.assertFalse(young.erased_on or waiting.erased_on)

    def test_files_come_with_inspection_results(self):
        self.draft.action_submit()
        self._receive(self.draft)
        mine = self.env['ir.attachment'].create({'name': "mine.png", 'raw': image('green')})
        row = self._inspect(
            self.draft,
            {
                'quantity': 2,
                'disposition': 'restock',
                'files': [{'name': "seal.png", 'raw': image()}],
                'attachment_ids': mine.ids,
            },
        )
        self.assertEqual(row.file_ids.mapped('name'), ["seal.png", "mine.png"])
        self.assertEqual(row.attachment_ids, row.file_ids.sudo().attachment_id)
        self.assertEqual(row.file_ids.line_id, self.draft.line_ids)
        self.assertTrue(all(row.file_ids.mapped('locked')))

    def test_wrong_file_leaves_no_inspection_behind(self):
        self.draft.action_submit()
        self._receive(self.draft)
        before = self._count_documents()
        result = {
            'quantity': 2,
            'disposition': 'restock',
            'files': [{'name': "x.png", 'datas': "eA=="}],
        }
        with self.assert_refused("not accepted"):
            self._call(self.staff, self.draft.line_ids, 'register_inspection', [result])
        self.assertEqual(self._count_documents(), before)

    def test_files_are_added_on_the_form_after_the_submission_too(self):
        self.draft.action_submit()
        with Form(self.draft) as form, form.file_ids.new() as file:
            file.line_id = self.draft.line_ids
            file.name = "lamp.png"
            file.datas = base64.b64encode(image())
        self.assertEqual(self.draft.line_ids.file_ids.name, "lamp.png")

    def test_files_of_other_companies_cannot_be_seen_or_added(self):
        other = self._create_trading_company("Other")
        stranger = self._create_user('stranger', 'sale_return.group_user', company=other)
        file = self._add(self.draft.line_ids)
        with self.assert_refused(exception=AccessError):
            self._call(stranger, file, 'read', ['datas'])
        with self.assert_refused(exception=AccessError):
            self._call(stranger, file.sudo().attachment_id, 'read', ['raw'])
        with self.assert_refused(exception=AccessError):
            self._add(self.draft.line_ids, user=stranger)

    def test_files_are_not_smuggled_in_with_the_return(self):
        attachment = self.env['ir.attachment'].create({'name': "x", 'raw': b'x'})
        vals = {'name': "x", 'attachment_id': attachment.id}
        with self.assert_refused():
            self._call(self.user, self.draft, 'write', {'file_ids': [Command.create(vals)]})
