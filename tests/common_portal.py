import io
import re

from lxml import html
from PIL import Image

from odoo.http import Request
from odoo.tests import new_test_user

from .common import SaleReturnCommon
from .common_http import PatientHttpCase


def photo(kind='JPEG', position=True):
    """Return a photo with the place where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif.get_ifd(0x8825)[1] = 'N'  # GPSLatitudeRef
    stream = io.BytesIO()
    Image.new('RGB', (40, 30), 'red').save(stream, kind, **({'exif': exif} if position else {}))
    return stream.getvalue()


class PortalCommon(SaleReturnCommon):
    """Customers with a login: Jane, her colleague at the same company, and a stranger."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._setup_customers()
        cls.order = cls._create_sale()

    @classmethod
    def _setup_customers(cls):
        cls.household = cls._create_customer("Household Ltd", is_company=True)
        cls.customer.parent_id = cls.household
        colleague = cls._create_customer("Colleague", parent_id=cls.household.id)
        stranger = cls._create_customer("Stranger")
        cls.jane = cls._create_portal_user('jane', cls.customer)
        cls.colleague = cls._create_portal_user('colleague', colleague)
        cls.stranger = cls._create_portal_user('stranger', stranger)
        # Odoo's helper gave her different ones.
        cls.customer.write({'name': "Jane Customer", 'email': 'jane@example.com'})

    @classmethod
    def _create_portal_user(cls, login, partner):
        return new_test_user(
            cls.env(su=True),
            login=f'returns_{login}',
            password=f'returns_{login}',
            groups='base.group_portal',
            partner_id=partner.id,
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )


class PortalHttpCommon(PortalCommon, PatientHttpCase):
    """A customer in front of plain pages, without scripts."""

    without_scripts = True

    def _log_in(self, user=None):
        """Log in, or (without user) come as a guest."""
        if user:
            self.authenticate(user.login, user.login)
        else:
            self.authenticate(None, None)

    def _open(self, url, status=200):
        """Open a page and return its content."""
        return self._read(self.url_open(url), status)

    def _read(self, response, status=200):
        self.assertEqual(response.status_code, status, response.url)
        page = html.fromstring(response.text)
        page.address = response.url
        return page

    def _find(self, page, name, tag='*'):
        """Return the elements of a page that have a class."""
        return page.xpath(f"//{tag}[contains(concat(' ', @class, ' '), ' {name} ')]")

    def _text(self, page, name=None):
        """Return the text of a page, or in its elements that have a class."""
        nodes = self._find(page, name) if name else page.xpath('//main')
        text = " ".join(node.text_content() for node in nodes)
        return " ".join(text.replace('\xa0', ' ').split())

    def _product(self, page, line):
        """Return the text about an order line."""
        (node,) = page.xpath(f"//*[@data-line='{line.id}']")
        return " ".join(node.text_content().split())

    def _form(self, page, name='o_sale_return_form'):
        """Return the action and the values of a form as a browser would send them."""
        (form,) = self._find(page, name, 'form')
        return form.get('action'), dict(form.form_values())

    def _post(self, url, values, photos=(), status=200):
        """Send a form. `photos` are `(field, (name, content))`."""
        files = [(field, (name, raw, 'image/jpeg')) for field, (name, raw) in photos]
        response = self.url_open(url, data=values, files=files or [('none', ('', b''))])
        return self._read(response, status)

    # === THE WAY === #

    def _url(self, order=None, page='', token=None):
        return (order or self.order)._get_return_url(token, page)

    def _choose(self, quantities, order=None, token=None):
        """Go to the second screen with `{order line: quantity}`; return it."""
        order = order or self.order
        values = [f'q_{line.id}={quantity}' for line, quantity in quantities.items()]
        if token:
            values.append(f'access_token={token}')
        return self._open(f'{self._url(order, "/details")}?{"&".join(values)}')

    def _prepare_details(self, quantities, order=None, token=None, key=None):
        """Return the values of the second screen as a browser would send them."""
        order = order or self.order
        values = {
            'csrf_token': Request.csrf_token(self),
            'form_key': key or order._get_return_form_key(),
        }
        if token:
            values['access_token'] = token
        for line, quantity in quantities.items():
            values[f'q_{line.id}'] = quantity
            values[f'reason_{line.id}'] = self.reason_defective.id
            values[f'wish_{line.id}'] = 'refund'
        return values

    def _ask(self, quantities, order=None, token=None, photos=(), key=None, **changes):
        """Send the second screen; return the next page, the summary if everything is valid."""
        values = self._prepare_details(quantities, order, token, key)
        return self._post(self._url(order, '/details'), {**values, **changes}, photos)

    def _send(self, summary):
        """Send the summary; return the last page."""
        return self._post(*self._form(summary))

    def _send_asked_links(self):
        """Run the job that sends the links guests asked for; return the mails it created."""
        mails = self.env['mail.mail'].sudo()
        before = mails.search([])
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_send_portal_links').sudo().method_direct_trigger()
        return mails.search([]) - before

    def _read_link(self, mail):
        """Return the path of the link in a mail."""
        return re.search(r'href="https?://[^/"]+(/my/orders/\d+/return[^"]*)"', mail.body_html)[1]

    def _error(self, page):
        return self._text(page, 'o_sale_return_error')

    def _returns(self):
        return self.env['sale.return'].search([('partner_id', 'child_of', self.household.id)])
