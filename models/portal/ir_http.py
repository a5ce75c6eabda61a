from werkzeug.exceptions import NotFound
from werkzeug.routing import IntegerConverter

from odoo import models
from odoo.http import request

from ...tools.reader import MAX_ID, take_id, take_text

# Limit for one field of a form, in characters. Longer than any stored text, so that the error about
# its length can be shown.
MAX_FIELD = 10_000

# Headers of pages with a token in their address, or opened by one: not cached, not framed, and
# without referrer.
SECRET_HEADERS = {
    'Cache-Control': 'no-store',
    'Pragma': 'no-cache',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'SAMEORIGIN',
}
# Routes of Odoo on which customers write to us.
MESSAGE_ROUTES = ('/mail/message/post', '/mail/attachment/upload')
# Parameters that open a page of ours without login.
TOKENS = ('access_token', 'hash', 'pid')
# Parameters by which Odoo recognizes visitors without login.
THREAD_KEYS = ('token', 'hash', 'pid')
FRAMES = "frame-ancestors 'self'"
# For pages; a file may need a plug-in.
NO_PLUGINS = "object-src 'none'; base-uri 'none'"


class RowIdConverter(IntegerConverter):
    """The id of a record in a path: other numbers of any length give “not found”."""

    regex = r'\d{1,10}'

    def __init__(self, url_map):
        super().__init__(url_map, min=1, max=MAX_ID)


class IrHttp(models.AbstractModel):
    """Common handling of our pages for customers: checks input, protects output."""

    _inherit = 'ir.http'

    @classmethod
    def _get_converters(cls):
        """Override of `base` to add ids of records."""
        return {**super()._get_converters(), 'row': RowIdConverter}

    @classmethod
    def _is_sale_return_page(cls, endpoint):
        """Tell whether a route belongs to us."""
        module = getattr(getattr(endpoint, 'original_endpoint', None), '__module__', '') or ''
        return module.startswith('odoo.addons.sale_return.')

    @classmethod
    def _match(cls, path_info):
        """Override of `base` to mark our pages, also when they fail."""
        rule, args = super()._match(path_info)
        if cls._is_sale_return_page(rule.endpoint):
            request.httprequest.environ['sale_return.page'] = True
        return rule, args

    @classmethod
    def _serve_fallback(cls):
        """Override of `base`: skip names that no database can store."""
        if '\x00' in request.httprequest.path:
            raise NotFound
        return super()._serve_fallback()

    @classmethod
    def _dispatch(cls, endpoint):
        """Override of `base`: our pages only receive texts from a browser.

        Files are read where they are used, ids in paths by `RowIdConverter`.
        """
        if request.httprequest.path in MESSAGE_ROUTES:
            cls._count_sale_return_message()
        elif cls._is_sale_return_page(endpoint):
            request.params = {
                take_text(name, MAX_FIELD): cls._read_sale_return_field(name, value)
                for name, value in request.params.items()
            }
        return super()._dispatch(endpoint)

    @classmethod
    def _count_sale_return_message(cls):
        """Count the messages of a visitor on the page of a return.

        :raise TooMuch: when there were too many.
        """
        if request.params.get('thread_model') == 'sale.return':
            params = request.params
            thread = request.env['sale.return']
            # Only messages of people who may see the return count for it.
            if thread_id := take_id(params.get('thread_id')):
                # Tokens are compared in constant time, which only works for ASCII characters.
                keys = {
                    name: value
                    for name in THREAD_KEYS
                    if isinstance(value := params.get(name), (str, int)) and str(value).isascii()
                }
                thread = thread._get_thread_with_access(thread_id, **keys)
            gate = request.env['sale.return.portal.gate']
            gate._pass({'message': 1}, order=thread, link=thread and params.get('token'))

    @classmethod
    def _read_sale_return_field(cls, name, value):
        if isinstance(value, int) and not isinstance(value, bool):
            return value  # of the path
        text = take_text(value, MAX_FIELD)
        # Tokens are compared in constant time, which cannot be done with other letters, and stand
        # in addresses, which have no line breaks.
        if name in TOKENS and not (text.isascii() and text.isprintable()):
            return ''
        return text

    @classmethod
    def _post_dispatch(cls, response):
        """Override of `base` to protect our pages from others."""
        result = super()._post_dispatch(response)
        cls._protect_sale_return_page(response)
        return result

    @classmethod
    def _handle_error(cls, exception):
        """Override of `base`: the address of a failed page is as secret as the page."""
        response = super()._handle_error(exception)
        cls._protect_sale_return_page(response)
        return response

    @classmethod
    def _protect_sale_return_page(cls, response):
        headers = getattr(response, 'headers', None)
        if headers is None or not request.httprequest.environ.get('sale_return.page'):
            return
        for name, value in SECRET_HEADERS.items():
            headers[name] = value
        headers.pop('Expires', None)
        policy = headers.get('Content-Security-Policy') or ''
        if 'frame-ancestors' not in policy:
            is_page = headers.get('Content-Type', '').startswith('text/html')
            parts = [policy, FRAMES, NO_PLUGINS if is_page else '']
            headers['Content-Security-Policy'] = "; ".join(filter(None, parts))
