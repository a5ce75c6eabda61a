from io import BytesIO

from pypdf import PdfReader

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common_bench import BenchCommon
from ..common_http import PatientHttpCase

REPORT = 'sale_return.action_report_put_away'


class PutAwayCommon(BenchCommon):
    """A serial number and lamps that were inspected at the bench."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shelf = cls.env['stock.location'].create(
            {'name': "B-goods", 'location_id': cls.stock.id, 'usage': 'internal'}
        )
        cls.grade_b = cls.env.ref('sale_return.grade_b')
        cls.env['sale.return.grade.location'].create(
            {
                'warehouse_id': cls.warehouse.id,
                'grade_id': cls.grade_b.id,
                'location_id': cls.shelf.id,
            }
        )

    def _finish_parcel(self):
        """Inspect three lamps: two are B-goods, one goes back to the customer."""
        self._scan(self.lamps.name, '5901234123457', '5901234123457', 'SRB-GRADE-B')
        self._scan('5901234123457')
        self._do('set_result', {'grade': 'D', 'disposition': 'send_back', 'note': "Broken"})
        return self._do('finish')

    def _render(self, rows):
        return self.env['ir.actions.report']._render_qweb_html(REPORT, rows.ids)[0].decode()


@tagged('post_install', '-at_install')
class TestPutAway(PutAwayCommon):
    """What is on the label that goes to the shelf."""

    def test_only_goods_that_get_a_place_are_labelled(self):
        answer = self._finish_parcel()
        self.assert_answer(answer, 'accept', 'finished')
        rows = self.lamps.inspection_ids.sorted('id')
        self.assertEqual(answer['result']['inspection_ids'], rows.ids)
        self.assertEqual(answer['result']['label_ids'], rows[0].ids)
        action = self.bench.get_label_action(answer['result']['label_ids'])
        self.assertEqual(action['report_name'], 'sale_return.report_put_away')
        self.assertEqual(action['context']['active_ids'], rows[0].ids)
        self.assertTrue(self.bench.get_label_action([rows[1].id]))

    def test_the_label_says_what_it_is_and_where_it_goes(self):
        self._finish_parcel()
        row = self.lamps.inspection_ids.filtered(lambda r: r.grade_id == self.grade_b)
        label = self._render(row)
        for text in ("Lamp", "B · ", "2 Units", "B-goods", self.lamps.name, '5901234123457'):
            with self.subTest(text=text):
                self.assertIn(text, label)
        self.assertIn('data:image/png;base64,', label)

    def test_a_serial_is_the_barcode_of_its_label(self):
        product, lots = self._create_tracked_product('serial', 'SN-LABEL')
        order = self._create_order({'product': product, 'quantity': 1})
        self._deliver(order, lots=lots)
        sale_return = self._create_return(order)
        self._scan('SN-LABEL', 'SRB-GRADE-A', 'SRB-FINISH')
        vals = sale_return.inspection_ids._get_label_vals()
        self.assertEqual((vals['barcode'], vals['lot']), ('SN-LABEL', 'SN-LABEL'))
        self.assertEqual(vals['location'], self.stock.complete_name)


@tagged('post_install', '-at_install')
class TestPutAwayPdf(PutAwayCommon, PatientHttpCase):
    """A real PDF, made by wkhtmltopdf."""

    def test_pdf_has_product_lot_grade_place_and_return(self):
        if self.env['ir.actions.report'].get_wkhtmltopdf_state() not in ('ok', 'upgrade'):
            self.skipTest("wkhtmltopdf is not installed.")
        self._finish_parcel()
        rows = self.lamps.inspection_ids._filter_put_away()
        self.env['ir.config_parameter'].sudo().set_param('report.url', self.base_url())
        reports = self.env['ir.actions.report'].with_context(force_report_rendering=True)
        with mute_logger('odoo.addons.base.models.ir_actions_report'):
            content, kind = reports._render_qweb_pdf(REPORT, rows.ids)
        self.assertEqual(kind, 'pdf')
        pages = PdfReader(BytesIO(content)).pages
        self.assertEqual(len(pages), 1)
        text = " ".join(pages[0].extract_text().split())
        for expected in ("Lamp", "B-goods", self.lamps.name, "2 Units", '5901234123457'):
            with self.subTest(expected=expected):
                self.assertIn(expected, text)
        self.assertTrue(pages[0].images or '/XObject' in pages[0]['/Resources'])
