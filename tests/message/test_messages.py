from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import SUPERUSER_ID, Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import format_date, mute_logger

from ...models.message.sale_return_message import MAX_ATTEMPTS
from ..common import SaleReturnCommon
from ..common_migration import load_migration

LEAN = {
    "a story of the room": (
        'test_each_step_is_told_once',
        'test_approval_says_where_to_send_until_when_and_who_pays',
        'test_money_of_a_paid_order_comes_back_the_way_it_was_paid',
        'test_language_of_each_customer',
    ),
}

PIXEL = (
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk'
    '+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
)


def work_off(_self, records, step, size=1):
    """Do everything in this transaction."""
    for record in records:
        step(record)


class MessagesCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write({'email': 'jane@customer.example', 'lang': 'en_US'})
        cls.always = cls._create_policy(approval='always')
        cls.order = cls._create_sale()
        cls.kinds = {
            kind.code: kind
            for kind in cls.env['sale.return.message.kind'].search([('company_id', '=', False)])
        }
        # Other returns of the database are waiting for the same job.
        cls.env['sale.return.message'].sudo().search([]).unlink()

    def _go_all_the_way(self, order, quantity):
        sale_return = self._create_return(order, quantity)
        sale_return.action_approve()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        return sale_return

    def _get_codes(self, sale_return, *states):
        messages = sale_return.customer_message_ids.filtered(
            lambda m: not states or m.state in states
        ).sorted(lambda m: (m.mail_message_id.id, m.id))
        return [message.kind_id.code for message in messages]

    def _get_message(self, sale_return, code):
        return sale_return.customer_message_ids.filtered(lambda m: m.kind_id.code == code)

    def _get_notes(self, sale_return, text):
        return sale_return.message_ids.filtered(lambda m: text in (m.body or ''))


@tagged('post_install', '-at_install')
class TestMessages(MessagesCommon):
    """Each event is reported once, by the job, in the customer's language."""

    # === WHAT IS TOLD === #

    def test_each_step_is_told_once(self):
        sale_return = self._create_return(self.order, 2)
        self.assertEqual(self._get_codes(sale_return, 'waiting'), ['received'])
        self._run_message_job()
        sale_return.action_approve()
        self._run_message_job()
        self._receive(sale_return)
        self._run_message_job()
        sale_return.action_inspect_all('restock')
        self._run_message_job()
        self._run_message_job()
        self.assertEqual(
            sorted(self._get_codes(sale_return, 'sent')),
            ['approved', 'arrived', 'closed', 'credited', 'inspected', 'received'],
        )
        mails = sale_return.customer_message_ids.mail_message_id
        self.assertEqual(len(mails), 4)  # what was found, the credit, and the end are one
        for mail in mails:
            self.assertIn(self.customer, mail.notified_partner_ids | mail.partner_ids)
            self.assertIn(sale_return.name, mail.subject)
        credited = self._get_message(sale_return, 'credited').mail_message_id
        self.assertIn(f'/my/returns/{sale_return.id}', credited.body)
        self.assertIn(sale_return.credit_note_ids.name, credited.body)
        self.assertIn("242.00", credited.body)

    def test_refusal_says_why_and_how_to_appeal(self):
        sale_return = self._create_return(self.order, 2)
        sale_return.action_refuse("It was used for weeks.")
        self._run_message_job()
        self.assertEqual(self._get_codes(sale_return, 'sent'), ['refused'])
        self.assertEqual(self._get_message(sale_return, 'received').state, 'skipped')
        body = self._get_message(sale_return, 'refused').mail_message_id.body
        self.assertIn("It was used for weeks.", body)
        self.assertIn(sale_return.date_appeal_until.strftime('%m/%d/%Y'), body)
        self.always.appeal_days = 0
        final = self._create_return(self.order, 1)
        final.action_refuse("No.")
        self._run_message_job()
        self.assertNotIn("appeal", self._get_message(final, 'refused').mail_message_id.body)

    def test_approval_says_where_to_send_until_when_and_who_pays(self):
        self.warehouse.partner_id = self._create_customer("Returns Desk", street="Dock Road 7")
        ours = self._create_return(self.order, 1, self.reason_defective)
        theirs = self._create_return(self.order, 1, self.reason_changed_mind)
        (ours + theirs).action_approve()
        template = self.kinds['approved'].template_id
        # The original text of the add-on, even if this database has changed it.
        for sale_return, payer in ((ours, 'company'), (theirs, 'customer')):
            self.assertEqual(sale_return._get_freight_payer(), payer)
            self.assertIn("Dock Road 7", sale_return._get_slip_address_text())
        self._run_message_job()
        mails = (ours + theirs).customer_message_ids.mail_message_id
        self.assertEqual(len(mails), 2)
        self.assertEqual([len(mail.attachment_ids) for mail in mails], [1, 1])
        self.assertTrue(template.report_template_ids)

    def test_approval_of_what_stays_with_the_customer(self):
        self._configure(sale_return_auto_credit=False)
        sale_return = self._create_return(self.order, 2, self.reason_missing)
        sale_return.action_approve()
        self._run_message_job()
        message = self._get_message(sale_return, 'approved_keep')
        self.assertEqual(message.state, 'sent')
        self.assertFalse(message.mail_message_id.attachment_ids)

    def test_inspection_says_what_is_kept_back_with_photo_and_nothing_internal(self):
        grade = self.env['sale.return.grade'].create(
            {'code': 'TST', 'name': "Scratched", 'credit_ratio': 0.6, 'company_id': self.company.id}
        )
        sale_return = self._create_return(self.order, 4)
        sale_return.action_approve()
        self._receive(sale_return)
        photo = {'name': 'scratch.png', 'datas': PIXEL}
        fine = {'name': 'fine.png', 'datas': PIXEL}
        self._inspect(
            sale_return,
            {'quantity': 2, 'disposition': 'restock', 'note': "Secret words.", 'files': [fine]},
            {
                'quantity': 1,
                'disposition': 'restock',
                'grade': grade.id,
                'note': "Secret words.",
                'files': [photo],
            },
            {'quantity': 1, 'disposition': 'send_back', 'note': "Secret words."},
        )
        self._run_message_job()
        mail = self._get_message(sale_return, 'inspected').mail_message_id
        self.assertEqual(mail.attachment_ids.mapped('name'), ['scratch.png'])
        for words in ("2 Units", "40 % of the price", "Scratched", "sent back to you"):
            self.assertIn(words, " ".join(mail.body.replace('</t>', '').split()))
        for message in sale_return.customer_message_ids.mail_message_id:
            self.assertNotIn("Secret", message.body)
            self.assertNotIn("60.0", message.body)  # the cost of a lamp
        # The evidence is unchanged.
        self.assertEqual(mail.attachment_ids.res_model, 'sale.return.file')

    def test_several_inspections_before_the_job_are_one_mail(self):
        sale_return = self._create_return(self.order, 3)
        sale_return.action_approve()
        self._receive(sale_return)
        for _unit in range(3):
            self._inspect(sale_return, (1, 'restock'))
        self.assertEqual(self._get_codes(sale_return).count('inspected'), 1)
        self._run_message_job()
        # Messages superseded by the result are not sent.
        self.assertEqual(self._get_message(sale_return, 'arrived').state, 'skipped')
        self.assertEqual(self._get_codes(sale_return, 'sent').count('inspected'), 1)

    def test_credit_is_told_when_the_note_is_posted(self):
        self.always.credit_posting = 'draft'
        sale_return = self._create_return(self.order, 2)
        sale_return.action_approve()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertFalse(self._get_message(sale_return, 'credited'))
        sale_return.credit_note_ids.action_post()
        self._run_message_job()
        self.assertEqual(self._get_message(sale_return, 'credited').state, 'sent')

    def test_closing_asks_for_a_rating_once(self):
        self.always.write({'approval': 'none'})
        sale_return = self._return_goods(self.order, 1)
        self._run_message_job()
        closed = self._get_message(sale_return, 'closed')
        token = sale_return.sudo().rating_ids.access_token
        self.assertIn(f'/rate/{token}/5', closed.mail_message_id.body)
        sale_return.credit_note_ids.button_draft()
        self.assertEqual(sale_return.state, 'approved')
        sale_return.credit_note_ids.action_post()
        self.assertEqual(sale_return.state, 'closed')
        self._run_message_job()
        self.assertEqual(len(self._get_message(sale_return, 'closed')), 1)
        self.assertEqual(len(sale_return.sudo().rating_ids), 1)

    # === ONE MAIL PER HAND-OVER === #

    def _get_mails(self, sale_return):
        return sale_return.customer_message_ids.mail_message_id.sorted('id')

    def test_what_happens_within_minutes_is_one_mail_that_says_all(self):
        sale_return = self._go_all_the_way(self.order, 2)
        self._run_message_job()
        (mail,) = self._get_mails(sale_return)
        told = sale_return.customer_message_ids.filtered('mail_message_id')
        self.assertEqual(set(told.kind_id.mapped('code')), {'inspected', 'credited', 'closed'})
        self.assertEqual(set(told.mapped('state')), {'sent'})
        self.assertEqual(mail.subject, f"Your return {sale_return.name} is completed")
        for words in ("2 Units", sale_return.credit_note_ids.name, "242.00", "/rate/"):
            self.assertIn(words, mail.body)
        self._run_message_job()
        self.assertEqual(self._get_mails(sale_return), mail)

    def test_first_event_sets_the_moment_and_the_next_ones_join_it(self):
        sale_return = self._create_return(self.order, 2)
        sale_return.action_approve()
        self._run_message_job()
        before = self._get_mails(sale_return)
        job = self.env['sale.return.message'].sudo()
        self._receive(sale_return)
        first = self._get_message(sale_return, 'arrived')
        self.assertEqual(first.date_next - first.create_date, timedelta(minutes=10))
        with patch.object(type(self.env['sale.return.job']), '_work_off', work_off):
            job._cron_send()
            self.assertEqual(self._get_mails(sale_return), before)
            sale_return.action_inspect_all('restock')
            with freeze_time(first.date_next):
                job._cron_send()
            mail = self._get_mails(sale_return) - before
            self.assertEqual(len(mail), 1)
            self.assertEqual(first.state, 'skipped')  # the inspection result says more
            # Later events are reported in a separate mail.
            sale_return._tell('refunded', key='later')
            with freeze_time(first.date_next + timedelta(hours=1)):
                job._cron_send()
        self.assertEqual(len(self._get_mails(sale_return) - before - mail), 1)
        keys = sale_return.customer_message_ids.mapped('event_key')
        self.assertEqual(len(keys), len(set(keys)))

    def test_other_template_is_a_mail_of_its_own(self):
        template = self.kinds['closed'].template_id.sudo().copy({'subject': "Goodbye"})
        self.kinds['closed'].sudo().template_id = template
        sale_return = self._go_all_the_way(self.order, 2)
        self._run_message_job()
        subjects = self._get_mails(sale_return).mapped('subject')
        self.assertEqual(subjects, [f"Your return {sale_return.name} is credited", "Goodbye"])

    def test_failure_fails_all_of_one_mail(self):
        sale_return = self._go_all_the_way(self.order, 2)
        post = patch.object(type(sale_return), '_post_customer_mail', side_effect=ValueError("Out"))
        with mute_logger('odoo.addons.sale_return.models.message.sale_return_message'), post:
            self._run_message_job()
        waiting = sale_return.customer_message_ids.filtered(lambda m: m.state == 'waiting')
        self.assertEqual(
            set(waiting.kind_id.mapped('code')) - {'arrived'}, {'inspected', 'credited', 'closed'}
        )
        self.assertEqual(set(waiting.mapped('attempts')), {1})
        self.assertEqual(len(self._get_notes(sale_return, "could not be sent")), 1)

    # === MONEY === #

    def _tell_money(self, sale_return):
        return sale_return.sudo()._get_money_sentences()

    def test_approval_says_what_to_send_and_what_is_given_for_it(self):
        sale_return = self._create_return(self.order, 2)
        sale_return.action_approve()
        self._run_message_job()
        body = self._get_message(sale_return, 'approved').mail_message_id.body
        for words in ("2 Units", "242.00", "once the goods are inspected and accepted"):
            self.assertIn(words, body)

    def test_money_of_a_paid_order_comes_back_the_way_it_was_paid(self):
        self.always.settlement = 'as_paid'
        invoice = self.order.invoice_ids
        self._pay_back(invoice)
        sale_return = self._go_all_the_way(self.order, 2)
        sentences = self._tell_money(sale_return)
        self.assertRegex(sentences[0], "^We will pay back .*242.00[.]$")
        self.assertIn("Bank transfer", " ".join(sentences))
        due = fields.Date.today() + timedelta(days=9)
        sale_return.sudo().credit_note_ids.invoice_date_due = due
        day = format_date(self.env, due)
        self.assertIn(f"by {day} at the latest", " ".join(self._tell_money(sale_return)))

    def test_money_of_the_law_has_the_day_of_the_law(self):
        self.always.write({'regime': 'eu_withdrawal', 'settlement': 'refund'})
        self._pay_back(self.order.invoice_ids)
        sale_return = self._go_all_the_way(self.order, 2)
        clock = sale_return._get_legal_clocks()[sale_return]['refund']
        day = format_date(self.env, self.company._get_sale_return_day(clock))
        self.assertIn(f"by {day} at the latest", " ".join(self._tell_money(sale_return)))

    def test_money_that_stays_on_account_is_called_so(self):
        self.always.settlement = 'on_account'
        self._pay_back(self.order.invoice_ids)
        sale_return = self._go_all_the_way(self.order, 2)
        self.assertIn("is on your account", " ".join(self._tell_money(sale_return)))

    def test_money_set_off_names_the_invoice(self):
        invoice = self.order.invoice_ids
        sale_return = self._go_all_the_way(self.order, 2)
        sentence = " ".join(self._tell_money(sale_return))
        self.assertIn(f"is set off against {invoice.name}", sentence)

    def test_money_paid_back_says_how(self):
        self.always.settlement = 'refund'
        self._pay_back(self.order.invoice_ids)
        sale_return = self._go_all_the_way(self.order, 2)
        sale_return.sudo().action_refund()
        self.assertIn("is on its way back to you (Bank", " ".join(self._tell_money(sale_return)))
        sale_return.sudo().refund_ids.payment_id.action_post()
        self.env.invalidate_all()
        self.assertRegex(" ".join(self._tell_money(sale_return)), "We have paid back .*242.00")

    # === WHO SIGNS === #

    def test_shop_signs_and_not_who_did_the_step(self):
        self.company.sudo().write({'email': 'shop@shop.example'})
        worker = self._create_user('messages_worker', 'sale_return.group_manager')
        worker.sudo().signature = "<p>Warehouse Worker</p>"
        sale_return = self._create_return(self.order, 1, user_id=worker.id)
        sale_return.with_user(worker).sudo().action_approve()
        self._run_message_job()
        for mail in self._get_mails(sale_return):
            self.assertNotIn("Worker", mail.body + mail.email_from + (mail.author_id.name or ''))
            self.assertFalse(mail.email_add_signature)
            self.assertEqual(mail.email_from, f'"{self.company.name}" <shop@shop.example>')
        self.assertIn(self.company.name, mail.body)

    def test_upgrade_merges_templates_as_they_came_and_keeps_those_of_others(self):
        data = self.env['ir.model.data'].sudo()
        news = self.env.ref('sale_return.mail_template_news')
        old = {}
        for code, author in (('inspected', SUPERUSER_ID), ('closed', self.staff.id)):
            template = news.sudo().copy({'name': f"Old {code}"})
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE mail_template SET write_uid = %s WHERE id = %s", [author, template.id]
            )
            name = f'mail_template_{code}'
            data.search([('module', '=', 'sale_return'), ('name', '=', name)]).unlink()
            data.create(
                {
                    'module': 'sale_return',
                    'name': name,
                    'model': 'mail.template',
                    'res_id': template.id,
                    'noupdate': True,
                }
            )
            self.kinds[code].sudo().write({'template_id': template.id, 'wait_minutes': 0})
            old[code] = template
        received = self.kinds['received'].template_id.sudo()
        received.email_from = "{{ object.user_id.email_formatted }}"
        self.env.flush_all()
        self.env.cr.execute("UPDATE mail_template SET write_uid = 1 WHERE id = %s", [received.id])
        self.env.invalidate_all()
        migration = load_migration('post-messages')
        for _run in range(2):
            migration.migrate(self.env.cr, '19.0.1.1.0')
            self.env.invalidate_all()
            self.assertEqual(self.kinds['inspected'].template_id, news)
            self.assertEqual(self.kinds['inspected'].wait_minutes, 10)
            self.assertFalse(old['inspected'].exists())
            self.assertEqual(self.kinds['closed'].template_id, old['closed'])
            self.assertEqual(self.kinds['closed'].wait_minutes, 0)
            self.assertIn('_get_shop_sender', received.email_from)

    # === READ BEFORE AND AFTER === #

    def test_message_is_read_before_and_after_it_is_sent_without_the_customers_links(self):
        clerk = self._create_user('messages_reader', 'sale_return.group_user')
        sale_return = self._go_all_the_way(self.order, 1)
        message = self._get_message(sale_return, 'closed')
        before = message.with_user(clerk).read(['subject', 'preview'])[0]
        self.assertFalse(sale_return.sudo().rating_ids)  # reading it writes nothing
        self.assertIn("121.00", before['preview'])
        self._run_message_job()
        after = message.with_user(clerk).read(['subject', 'preview'])[0]
        self.assertEqual(before['subject'], after['subject'])
        for text in (before['preview'], after['preview']):
            self.assertIn("Satisfied", text)
            self.assertNotIn('href', text)
        skipped = self._get_message(sale_return, 'arrived').with_user(clerk)
        self.assertTrue(skipped.preview)

    def test_template_that_cannot_be_rendered_is_said_and_not_raised(self):
        sale_return = self._create_return(self.order, 1)
        self.kinds['received'].template_id.sudo().body_html = '<p t-out="object.name"/>'
        self.env.cr.execute(
            """UPDATE mail_template SET body_html = '{"en_US": "<p t-out=\\"1 / 0\\"/>"}'"""
            " WHERE id = %s",
            [self.kinds['received'].template_id.id],
        )
        self.env.invalidate_all()
        with mute_logger('odoo.addons.mail.models.mail_render_mixin'):
            self.assertIn("Failed to render", sale_return.customer_message_ids.preview)

    def test_decided_appeal_is_told(self):
        sale_return = self._create_return(self.order, 1)
        sale_return.action_refuse("No.")
        sale_return.action_appeal("Yes.").sudo().action_uphold("The seal is broken.")
        self._run_message_job()
        message = self._get_message(sale_return, 'appeal_decided')
        self.assertIn("The seal is broken.", message.mail_message_id.body)

    def test_delay_is_told_once_per_key(self):
        returns = self._create_return(self.order, 1) + self._create_return(self.order, 2)
        returns._tell('delayed', key='delayed:decide')
        self._run_message_job()
        returns._tell('delayed', key='delayed:decide')
        returns[0]._tell('delayed', key='delayed:credit')
        self._run_message_job()
        self.assertEqual(
            [len(self._get_message(r, 'delayed').mail_message_id) for r in returns], [2, 1]
        )

    def test_escalation_is_told_where_the_delay_is_ours(self):
        ours = self._create_return(self.order, 1)
        theirs = self._create_return(self.order, 2)
        theirs.action_approve()  # the goods are still at the customer's
        events = [{'return_id': r.id, 'kind': 'escalated'} for r in ours + theirs]
        self.env['sale.return.event']._log(events)
        self.assertEqual(self._get_message(ours, 'delayed').state, 'waiting')
        self.assertFalse(self._get_message(theirs, 'delayed'))

    def test_what_is_not_so_any_more_is_not_told(self):
        sale_return = self._create_return(self.order, 1)
        sale_return._tell('delayed')
        sale_return.action_cancel()
        self._run_message_job()
        self.assertEqual(set(sale_return.customer_message_ids.mapped('state')), {'skipped'})
        self.assertFalse(sale_return.customer_message_ids.mail_message_id)

    # === WHO IS TOLD === #

    def test_language_of_each_customer(self):
        self.env['res.lang'].sudo()._activate_lang('fr_FR')
        template = self.kinds['received'].template_id.sudo()
        template.with_context(lang='fr_FR').subject = "Votre retour {{ object.name }}"
        french = self._create_customer("Jeanne", email='jeanne@client.example', lang='fr_FR')
        other = self._create_sale(partner_id=french.id)
        returns = self._create_return(self.order, 1) + self._create_return(other, 1)
        self._run_message_job()
        subjects = [self._get_message(r, 'received').mail_message_id.subject for r in returns]
        self.assertEqual(
            subjects,
            [f"We have received your request {returns[0].name}", f"Votre retour {returns[1].name}"],
        )

    def test_policy_and_switch_and_channel_mute(self):
        kind = self.kinds['received'].sudo()
        source = self.env['utm.source'].sudo().create({'name': "Marketplace"})
        cases = (
            (self.always, {'muted_kind_ids': [Command.set(kind.ids)]}),
            (kind, {'active': False}),
            (kind, {'portal_only': True}),
            (kind, {'muted_source_ids': [Command.set(source.ids)]}),
        )
        self.order.source_id = source
        for record, vals in cases:
            before = {name: record[name] for name in vals}
            record.write(vals)
            sale_return = self._create_return(self.order, 1)
            self.assertFalse(sale_return.customer_message_ids, vals)
            record.write(before)
            sale_return = self._create_return(self.order, 1)
            self.assertEqual(self._get_codes(sale_return), ['received'], vals)

    def test_what_is_muted_before_the_job_is_not_sent(self):
        sale_return = self._create_return(self.order, 1)
        self.always.muted_kind_ids = self.kinds['received']
        self._run_message_job()
        self.assertEqual(sale_return.customer_message_ids.state, 'skipped')

    def test_company_has_messages_of_its_own(self):
        self.kinds['received'].copy({'company_id': self.company.id, 'active': False})
        self.assertFalse(self._create_return(self.order, 1).customer_message_ids)
        other = self._create_trading_company("Other Messages Company")
        table = self.env['sale.return.message.kind']._get_table
        self.assertIn('received', table(other.id))
        self.assertNotIn('received', table(self.company.id))

    def test_portal_only_tells_customers_who_asked_themselves(self):
        self.kinds['received'].sudo().portal_only = True
        portal = self._create_user('messages_portal', 'base.group_portal')
        sale_return = self._create_return(self.order, 1, submit=False)
        sale_return.with_user(portal).sudo().action_submit()
        self.assertEqual(self._get_codes(sale_return), ['received'])

    # === WHAT GOES WRONG === #

    def test_failure_is_kept_and_tried_again_after_longer_and_longer_pauses(self):
        bad, good = self._create_return(self.order, 1), self._create_return(self.order, 2)
        template = self.kinds['received'].template_id.sudo()
        template.partner_to = "{{ 1 / (object.id - %d) and object.partner_id.id }}" % bad.id
        message = self._get_message(bad, 'received')
        moment = fields.Datetime.now()
        pauses = []
        logger = 'odoo.addons.sale_return.models.message.sale_return_message'
        with mute_logger('odoo.addons.mail.models.mail_render_mixin', logger):
            for _attempt in range(MAX_ATTEMPTS):
                with freeze_time(moment):
                    self._run_message_job()
                pauses.append((message.date_next - moment.replace(microsecond=0)).seconds // 60)
                moment = message.date_next
        self.assertEqual(pauses, [5, 10, 20, 40, 80, 160, 320, 640])
        self.assertEqual((message.state, message.attempts), ('failed', MAX_ATTEMPTS))
        self.assertTrue(message.error and bad.customer_message_error)
        self.assertEqual(self._get_message(good, 'received').state, 'sent')
        self.assertEqual(len(self._get_notes(bad, "could not be sent")), 1)
        template.partner_to = "{{ object.partner_id.id }}"
        self._run_message_job()
        self.assertEqual(message.state, 'failed')
        message.action_retry()
        self._run_message_job()
        self.assertEqual((message.state, message.error), ('sent', False))
        self.assertFalse(bad.customer_message_error)

    def test_customer_without_address_is_named_and_noted_once(self):
        self.customer.email = False
        sale_return = self._create_return(self.order, 1)
        self._run_message_job()
        sale_return.action_approve()
        self._run_message_job()
        messages = sale_return.customer_message_ids
        self.assertEqual(messages.mapped('state'), ['unreachable', 'unreachable'])
        self.assertIn("no valid e-mail address", messages[0].error)
        self.assertEqual(len(self._get_notes(sale_return, "could not be notified")), 1)
        self.customer.email = 'jane@customer.example'
        messages.action_retry()
        self._run_message_job()
        self.assertEqual(self._get_codes(sale_return, 'sent'), ['approved'])

    def test_mail_that_comes_back_is_noted(self):
        sale_return = self._create_return(self.order, 1)
        self._run_message_job()
        message = self._get_message(sale_return, 'received')
        notification = message.mail_message_id.sudo().notification_ids
        self.assertEqual(notification.res_partner_id, self.customer)
        notification.write({'notification_status': 'bounce', 'failure_reason': "No such mailbox."})
        self._run_message_job()
        self._run_message_job()
        self.assertEqual((message.state, message.error), ('unreachable', "No such mailbox."))
        self.assertEqual(len(self._get_notes(sale_return, "No such mailbox")), 1)

    def test_deleted_or_archived_template_stops_nothing_and_is_named(self):
        kinds = self.kinds['received'] + self.kinds['approved']
        self.kinds['received'].template_id.sudo().unlink()
        self.kinds['approved'].template_id.sudo().active = False
        kinds.invalidate_recordset()
        sale_return = self._create_return(self.order, 1)
        sale_return.action_approve()
        self._run_message_job()
        self.assertEqual(sale_return.state, 'approved')
        self.assertEqual(sale_return.customer_message_ids.mapped('state'), ['skipped', 'skipped'])
        problems = self.env['res.config.settings'].new({}).sale_return_message_problems
        self.assertIn("Request received: Its mail template was deleted", problems)
        self.assertIn("is archived", problems)

    def test_text_messages_name_only_what_is_there(self):
        kind = self.kinds['received'].sudo()
        kind.sms_text = "{company}: {number}, {link}"
        for wrong in ("{secret}", "{number.__class__}", "{", "{}"):
            with self.assert_refused("Only these words", ValidationError):
                kind.sms_text = wrong

    def test_text_message_is_sent_where_there_are_text_messages(self):
        if 'sms.sms' not in self.env:
            self.skipTest("Text messages are not installed.")
        self.kinds['received'].sudo().sms_text = "Return {number} is here."
        self.customer.write({'phone': '+32456001122', 'email': False})
        sale_return = self._create_return(self.order, 1)
        self._run_message_job()
        message = self._get_message(sale_return, 'received')
        self.assertEqual((message.state, message.sms_sent), ('sent', True))
        texts = self.env['sms.sms'].sudo().search([('partner_id', '=', self.customer.id)])
        self.assertEqual(texts.mapped('body'), [f"Return {sale_return.name} is here."])

    # === BATCHES AND RIGHTS === #

    def test_many_returns_are_one_statement_and_none_where_nothing_is_told(self):
        returns = self._create_return(self.order, 1) + self._create_return(self.order, 2)
        messages = self.env['sale.return.message']
        messages._queue([(r, 'delayed', 'warm') for r in returns])
        with self.assertQueryCount(1):
            messages._queue([(r, 'delayed', 'again') for r in returns])
        self.kinds['delayed'].active = False
        messages._queue([(r, 'delayed', 'warm') for r in returns])
        with self.assertQueryCount(0):
            messages._queue([(r, 'delayed', 'off') for r in returns])

    def test_nobody_writes_messages_and_only_managers_say_what_is_told(self):
        sale_return = self._create_return(self.order, 1)
        message = sale_return.customer_message_ids
        clerk = self._create_user('messages_clerk', 'sale_return.group_user')
        manager = self._create_user('messages_manager', 'sale_return.group_manager')
        # The configuration of messages applies to all companies.
        manager.sudo().company_ids += self.foreign_companies
        stranger = self._create_user('messages_stranger', 'base.group_user')
        for user in (clerk, manager):
            for method, values in (('write', [{'state': 'sent'}]), ('unlink', [])):
                with self.assert_refused(exception=AccessError):
                    self._call(user, message, method, *values)
        with self.assert_refused(exception=AccessError):
            self._call(clerk, self.kinds['received'], 'write', {'active': False})
        self._call(manager, self.kinds['received'], 'write', {'active': False})
        with self.assert_refused(exception=AccessError):
            self._call(stranger, message, 'action_retry')
        self._call(clerk, message, 'action_retry')

    def test_other_company_reads_no_messages(self):
        message = self._create_return(self.order, 1).customer_message_ids
        other = self._create_trading_company("Other Messages Company")
        user = self._create_user('messages_other', 'sale_return.group_manager', company=other)
        self.assertFalse(self._env_of(user)['sale.return.message'].search([]) & message)
        with self.assert_refused(exception=AccessError):
            self._call(user, message, 'action_retry')

    def test_hook_of_extensions_still_tells_in_another_way(self):
        told = []
        sale_return = self._create_return(self.order, 1)
        with patch.object(type(sale_return), '_tell_of_term', lambda self, code: told.append(code)):
            sale_return._lapse()
        self.assertEqual(told, ['lapsed'])
        self.assertFalse(self._get_message(sale_return, 'lapsed'))
