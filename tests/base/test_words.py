import re

from lxml import etree

from odoo.tests import tagged

from ..common import SaleReturnCommon

# Words that no clerk should have to ask about.
RIDDLES = re.compile(
    r"\bP90\b|Kaplan|SHA-256|\bppm\b|Touchless|get_\w+_rates|Fingerprint|Log Hash"
    r"|Submission Count|Reminded For"
)


@tagged('post_install', '-at_install')
class TestWords(SaleReturnCommon):
    """Screens use the words of clerks; technical terms are only shown to developers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls._create_user('words_clerk', 'sale_return.group_manager')

    def _get_models(self):
        env = self._env_of(self.clerk)
        for name, model in env.items():
            if name.startswith('sale.return') and not model._abstract:
                if not model._transient and model.has_access('read'):
                    yield model.with_context(lang='en_US')

    def test_filters_groups_and_exports_offer_no_technical_fields(self):
        for model in self._get_models():
            for name, field in model.fields_get().items():
                offers = (field['groupable'], field['searchable'], field['exportable'])
                if any(offers):
                    with self.subTest(model=model._name, field=name):
                        self.assertNotRegex(field['string'], RIDDLES)

    def test_developers_find_technical_fields(self):
        staff = self._create_user(
            'words_developer', 'sale_return.group_manager', 'base.group_no_one'
        )
        model = self._env_of(staff)['sale.return']
        hidden = self._env_of(self.clerk)['sale.return'].fields_get(['log_hash'])
        self.assertFalse(hidden['log_hash']['searchable'])
        if staff.has_group('base.group_no_one'):
            self.assertTrue(model.fields_get(['log_hash'])['log_hash']['searchable'])

    def test_views_hold_no_riddles(self):
        for model in self._get_models():
            for kind in ('list', 'form', 'search', 'pivot', 'graph', 'kanban'):
                arch = etree.fromstring(model.get_view(view_type=kind)['arch'])
                # The fields of the arch bring their own labels, which fields_get has.
                texts = [
                    *arch.itertext(),
                    *(
                        node.get(name)
                        for node in arch.iter()
                        for name in ('string', 'help', 'title')
                        if isinstance(node.tag, str) and node.get(name)
                    ),
                ]
                with self.subTest(model=model._name, kind=kind):
                    self.assertFalse([text for text in texts if RIDDLES.search(text)])

    def test_dictionary_of_metrics_holds_no_riddles(self):
        metrics = self._env_of(self.clerk)['sale.return.metric.definition'].search([])
        for metric in metrics.with_context(lang='en_US'):
            texts = (metric.name, metric.definition, metric.date_basis, metric.maturity)
            for text in filter(None, texts):
                self.assertNotRegex(text, RIDDLES)

    def test_history_names_files_without_their_hash(self):
        sale_return = self._create_return(self._create_sale(), 1)
        event = (
            self.env['sale.return.event']
            .sudo()
            ._log(
                [
                    {
                        'return_id': sale_return.id,
                        'kind': 'file_added',
                        'details': "photo.png · SHA-256 0a1b2c",
                    }
                ]
            )
        )
        event = event or sale_return.event_ids.sorted('id')[-1]
        self.assertEqual(event.shown_details, "photo.png")
        self.assertEqual(event.details, "photo.png · SHA-256 0a1b2c")

    def test_units_are_said_as_people_say_them(self):
        unit, kilogram = self.env.ref('uom.product_uom_unit'), self.env.ref('uom.product_uom_kgm')
        self.assertEqual(unit._say(1), "1 Unit")
        self.assertEqual((unit._say(2), unit._say(0.5)), ("2 Units", "0.5 Units"))
        self.assertEqual(kilogram._say(1), "1 kg")
        unit.sudo().with_context(lang='fr_FR').name = "Unités"
        self.assertEqual(unit.with_context(lang='fr_FR')._say(1), "1 Unités")

    def test_days_are_dates(self):
        # On the last day of a month Odoo's widget calls tomorrow “Next month”.
        views = self.env['ir.ui.view'].sudo().search([('model', '=like', 'sale.return%')])
        found = views.filtered(lambda view: 'remaining_days' in (view.arch_db or ''))
        self.assertFalse(found.mapped('name'))

    def test_telephones_show_cards_of_what_waits(self):
        actions = self.env['sale.return.worklist'].sudo().search([]).action_id
        lists = actions.filtered(lambda action: action.view_mode.startswith('list'))
        for name in ('refund', 'goodwill', 'unbacked', 'channel_refund', 'channel_file'):
            lists |= self.env.ref(f'sale_return.sale_return_{name}_action')
        self.assertGreater(len(lists), 12)
        for action in lists:
            with self.subTest(action=action.name):
                self.assertIn('kanban', action.view_mode)

    def test_empty_lists_of_numbers_show_no_invented_ones(self):
        for model in self._get_models():
            for kind in ('pivot', 'graph'):
                arch = etree.fromstring(model.get_view(view_type=kind)['arch'])
                rates = [
                    field.get('name')
                    for field in arch.iter('field')
                    if field.get('name', '').startswith(('rate_', 'hours_', 'cost_', 'amount_'))
                    and model._name != 'sale.return'
                ]
                if rates:
                    with self.subTest(model=model._name, kind=kind):
                        self.assertFalse(arch.get('sample'))
