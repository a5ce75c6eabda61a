import base64
import binascii
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.base.models.res_partner import _tzs

from ...tools.channels import FormatError, Profile
from ...tools.channels.mapped import PINDUODUO
from ...tools.reader import count, file_content, list_of, needed, reads, record_id, text

# The formats that a channel exports. Formats of one list show the same money and are compared
# together; two lists of a channel may show the same money twice and are compared separately.
PLATFORMS = {
    'amazon': (
        ('amazon_settlement_v2', 'amazon_settlement_v1'),
        ('amazon_fba_returns',),
        ('amazon_mfn_returns',),
        ('amazon_fba_reimbursements',),
    ),
    'shopify': (('shopify_payouts',), ('shopify_refunds',), ('shopify_orders',)),
    'woocommerce': (('woocommerce_refunds',),),
    'ebay': (('ebay_transactions',),),
    'mirakl': (('mirakl_transactions',),),
    'paypal': (('paypal_activity',),),
    'stripe': (('stripe_balance',),),
    'adyen': (('adyen_settlement',),),
    'alipay': (('alipay_trade',), ('alipay_account',)),
    'wechat': (('wechat_trade',),),
    'taobao': (('taobao_refunds',), ('alipay_account',)),
    'jd': (('jd_settlement',),),
    'douyin': (('douyin_aftersales',),),
    'pinduoduo': ((PINDUODUO.name,),),
    'other': (('other',),),
}
PLATFORM_NAMES = [
    ('amazon', "Amazon"),
    ('shopify', "Shopify"),
    ('woocommerce', "WooCommerce"),
    ('ebay', "eBay"),
    ('mirakl', "Mirakl"),
    ('paypal', "PayPal"),
    ('stripe', "Stripe"),
    ('adyen', "Adyen"),
    ('alipay', "Alipay"),
    ('wechat', "WeChat Pay"),
    ('taobao', "Taobao and Tmall"),
    ('jd', "JD"),
    ('douyin', "Douyin"),
    ('pinduoduo', "Pinduoduo (not checked with a real file)"),
    ('other', "Other, by its columns"),
]
# Rows of one call of a program.
MAX_ROWS = 1000
IMPORTERS = ('sale_return.group_manager', 'account.group_account_invoice')
# Who may see what channels paid back; programs and clerks that submit returns need not.
MONEY_GROUPS = ','.join((*IMPORTERS, 'account.group_account_readonly'))


class SaleReturnChannel(models.Model):
    """A source of orders and refunds outside Odoo: a shop on a platform.

    Its files are read by `sale.return.channel.importer` and compared by
    `sale.return.channel.matcher`. Files never post anything.
    """

    _name = 'sale.return.channel'
    _inherit = ['sale.return.shared']
    _description = "Sales Channel"
    _order = 'company_id, name, id'

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company
    )
    platform = fields.Selection(
        PLATFORM_NAMES,
        required=True,
        default='shopify',
        help="Determines which files can be read.",
    )
    currency_id = fields.Many2one(
        'res.currency',
        required=True,
        default=lambda self: self.env.company.currency_id,
        help="Used for amounts without a currency in the file.",
    )
    tz = fields.Selection(
        # A method, as time zones must not be translated.
        '_get_timezones',
        string="Time Zone",
        help="Used for times without a zone in the file. Empty: the company's.",
    )
    order_field = fields.Selection(
        [
            ('client_order_ref', "Customer Reference"),
            ('origin', "Source Document"),
            ('name', "Order Number"),
            ('other', "Another field"),
        ],
        string="Order Number Field",
        required=True,
        default='client_order_ref',
        help="The field of sales orders that contains the channel's order number.",
    )
    order_field_name = fields.Char(
        string="Technical Name of the Field",
        help="A stored text field of sales orders, such as the one of a connector.",
    )
    order_prefix = fields.Char(
        string="Prefix in Odoo", help="Prefix in Odoo before the number of the channel: #, AMZ-."
    )
    file_prefix = fields.Char(
        string="Prefix in Files", help="Prefix of the number in files that Odoo does not have."
    )
    line_field_name = fields.Char(
        string="Field of the Item Number",
        help=(
            "The technical name of the field of order lines that holds the channel's number of "
            "the item, such as the one of a connector. Empty: products are identified by their "
            "internal reference or barcode."
        ),
    )
    warehouse_id = fields.Many2one(
        'stock.warehouse',
        check_company=True,
        help="Where returns of the channel are received, such as a warehouse of the channel. "
        "Empty: the one that shipped most of them.",
    )
    column_key = fields.Char(string="Column: Refund Number")
    column_order = fields.Char(string="Column: Order Number")
    column_amount = fields.Char(string="Column: Amount")
    column_currency = fields.Char(string="Column: Currency")
    column_date = fields.Char(string="Column: Date")
    column_status = fields.Char(string="Column: Status")
    status_done = fields.Char(
        string="Status: Paid Back",
        help=(
            "Status values for refunds that were paid, separated by commas. Rows with other "
            "values are ignored. Empty: all rows are refunds."
        ),
    )
    status_pending = fields.Char(string="Status: Pending")
    delimiter = fields.Selection(
        [(',', "Comma"), (';', "Semicolon"), ('\t', "Tab"), ('|', "Vertical bar")],
        string="Columns Separated by",
        default=',',
    )
    number_style = fields.Selection(
        [('dot', "1,234.50"), ('comma', "1.234,50")], string="Number Format", default='dot'
    )
    encoding = fields.Selection(
        [('cp1252', "Western Europe"), ('gb18030', "Chinese"), ('cp932', "Japanese")],
        default='cp1252',
        help="Used for files that are not in Unicode.",
    )
    month_first = fields.Boolean(string="Month before Day", help="As in 12/31/2026.")
    is_negative = fields.Boolean(
        string="Refunds Are Negative", help="Rows without a minus are payments and are left out."
    )
    file_ids = fields.One2many(
        'sale.return.channel.file', 'channel_id', string="Files", groups=MONEY_GROUPS
    )
    refund_count = fields.Integer(compute='_compute_refunds')
    open_count = fields.Integer(
        string="To Check",
        compute='_compute_refunds',
        help="Refunds that match no credit note.",
    )
    matched_share = fields.Float(
        string="Matched",
        compute='_compute_refunds',
        help="Share of refunds that match.",
    )
    date_imported = fields.Datetime(string="Last Import", compute='_compute_refunds')
    open_summary = fields.Text(
        string="Open Money",
        compute='_compute_refunds',
        help="What was paid back and does not match, by status.",
    )
    upload_ids = fields.One2many(
        'sale.return.channel.upload', 'channel_id', string="Long Files", groups=MONEY_GROUPS
    )
    request_count = fields.Integer(string="Returns Told", compute='_compute_request_count')

    _name_unique = models.Constraint(
        'UNIQUE(company_id, name)', "The company already has a channel with this name."
    )

    @api.depends('file_ids')
    def _compute_refunds(self):
        refunds = self.env['sale.return.channel.refund']
        files = self.env['sale.return.channel.file']
        seen = self.ids if refunds.has_access('read') and files.has_access('read') else []
        counts = {}
        for channel, state, currency, number, amount in refunds._read_group(
            [('channel_id', 'in', seen)],
            ['channel_id', 'state', 'currency_id'],
            ['__count', 'amount:sum'],
        ):
            counts.setdefault(channel, []).append((state, currency, number, amount))
        labels = dict(refunds._fields['state']._description_selection(self.env))
        last = dict(
            files._read_group([('channel_id', 'in', seen)], ['channel_id'], ['create_date:max'])
        )
        for channel in self:
            rows = counts.get(channel, [])
            open_ = [row for row in rows if row[0] not in refunds._settled_states]
            channel.refund_count = sum(row[2] for row in rows)
            channel.open_count = sum(row[2] for row in open_)
            settled = channel.refund_count - channel.open_count
            channel.matched_share = settled / channel.refund_count if channel.refund_count else 0.0
            channel.open_summary = "\n".join(
                f"{labels[state]}: {number} · {currency.format(amount)}"
                for state, currency, number, amount in open_
            )
            channel.date_imported = last.get(channel)

    def _compute_request_count(self):
        counts = dict(
            self.env['sale.return.channel.request']._read_group(
                [('channel_id', 'in', self.ids), ('state', 'not in', ('done', 'left_out'))],
                ['channel_id'],
                ['__count'],
            )
        )
        for channel in self:
            channel.request_count = counts.get(channel, 0)

    @api.constrains('order_field', 'order_field_name')
    def _check_order_field(self):
        orders = self.env['sale.order']
        for channel in self.filtered(lambda c: c.order_field == 'other'):
            field = orders._fields.get(channel.order_field_name or '')
            if not field or not field.store or field.type not in ('char', 'integer'):
                raise ValidationError(
                    self.env._(
                        "“%(field)s” of channel %(channel)s is not a stored text field of sales"
                        " orders. Enter its technical name.",
                        field=channel.order_field_name or "",
                        channel=channel.name,
                    )
                )

    # === WHAT IT IS === #

    @api.model
    def _get_timezones(self):
        return _tzs

    def _get_sources(self):
        """Return `{format: name of its list}`.

        :rtype: dict
        """
        self.ensure_one()
        return {name: group[0] for group in PLATFORMS[self.platform] for name in group}

    def _get_order_field(self):
        """Return the field of `sale.order` that holds the channel's number."""
        self.ensure_one()
        return self.order_field_name if self.order_field == 'other' else self.order_field

    def _to_order_ref(self, number):
        """Return the number of an order as stored in Odoo."""
        self.ensure_one()
        prefix = self.file_prefix or ''
        if prefix and number.startswith(prefix):
            number = number[len(prefix) :]
        return f'{self.order_prefix or ""}{number}'

    def _find_orders(self, numbers):
        """Return the orders that numbers of the channel name; one of two orders names none.

        :return: `{number: sale.order}`
        :rtype: dict
        """
        numbers, (_field, condition) = self._get_order_condition(numbers)
        if not numbers:
            return {}
        orders = self.env['sale.order'].sudo()  # sudo: users who compare need not read orders
        name = self._get_order_field()
        orders.flush_model([name, 'company_id', 'state'])
        domain = Domain.custom(to_sql=lambda model, alias, query: condition)
        found = defaultdict(list)
        for order in orders.search_fetch(domain, [name]):
            found[str(order[name])].append(order)
        return {
            number: matches[0]
            for ref, matches in found.items()
            if len(matches) == 1
            for number in numbers[ref]
        }

    def _get_order_condition(self, numbers):
        """Return the numbers as Odoo has them, and how orders are found by them in SQL.

        :return: `{number in Odoo: [numbers of the channel]}` and a pair of SQL: the field, and
            the condition on the table of orders.
        :rtype: tuple
        """
        self.ensure_one()
        name = self._get_order_field()
        field = self.env['sale.order']._fields.get(name)
        by_ref = defaultdict(set)
        for number in filter(None, numbers):
            by_ref[self._to_order_ref(number)].add(number)
        if not by_ref or not field or not field.store:
            # Nothing to find, or the module of the field is no longer installed.
            return {}, (SQL('NULL'), SQL('FALSE'))
        refs = list(by_ref)
        if field.type == 'integer':
            refs = [int(ref) for ref in refs if ref.isascii() and ref.isdecimal() and len(ref) < 10]
        column = SQL.identifier('sale_order', name)
        return by_ref, (
            column,
            SQL(
                "%s = ANY(%s) AND sale_order.company_id = %s AND sale_order.state = 'sale'",
                column,
                refs,
                self.company_id.id,
            ),
        )

    def _take_turn(self):
        """Make concurrent intakes of the channel wait; those that waited are retried."""
        self.ensure_one()
        self.env.cr.execute(
            SQL('UPDATE sale_return_channel SET write_date = write_date WHERE id = %s', self.id),
            log_exceptions=False,  # whoever waited starts again: that is no error
        )

    def _get_profiles(self):
        """Return the profiles for files without a reader: a list of one or none.

        :raise UserError: if the columns that are needed are not named.
        """
        self.ensure_one()
        if self.platform == 'pinduoduo':
            return [PINDUODUO]
        if self.platform != 'other':
            return []
        columns = {
            'key': self.column_key,
            'order': self.column_order,
            'amount': self.column_amount,
            'currency': self.column_currency,
            'at': self.column_date,
            'status': self.column_status,
        }
        if not (self.column_key and self.column_order and self.column_amount):
            raise UserError(
                self.env._(
                    "Enter first which columns of the files of %(channel)s contain the number "
                    "of the refund, the number of the order, and the amount.",
                    channel=self.name,
                )
            )
        return [
            Profile(
                name='other',
                columns={name: column for name, column in columns.items() if column},
                delimiter=self.delimiter or ',',
                encoding=self.encoding or 'cp1252',
                style=self.number_style or 'dot',
                month_first=self.month_first,
                zone=self._get_timezone(),
                currency=self.currency_id.name,
                negative=self.is_negative,
                done=self._split_words(self.status_done),
                pending=self._split_words(self.status_pending),
            )
        ]

    def _split_words(self, words):
        return tuple(word.strip() for word in (words or '').split(',') if word.strip())

    def _get_timezone(self):
        """Return the zone of times without a zone."""
        self.ensure_one()
        return self.tz or self.company_id._get_sale_return_timezone()

    # === ACTIONS === #

    @api.model
    def _check_may_import(self):
        if not any(self.env.user.has_group(group) for group in IMPORTERS):
            raise AccessError(
                self.env._("Only managers of Returns and accountants import files of channels.")
            )

    @api.model
    @reads(channel=needed(record_id), name=text, data=needed(file_content))
    def import_file(self, channel, name, data):
        """Import a file of a channel.

        Importing the same file again changes nothing. Unreadable rows are stored as broken, all
        others are imported. Nothing is posted.

        :param channel: id of a `sale.return.channel`.
        :param str name: name of the file, for display.
        :param str data: the file (or an archive of files) in base64.
        :return: one dict for each file: `id`, `name`, `format`, `rows`, `broken`, `refunds`,
            `new`, `changed`, `known` (imported before) and `message`.
        :rtype: list[dict]
        :raise AccessError: if the user may not import for the channel.
        :raise UserError: if the file cannot be read as a whole; then nothing is imported.
        """
        self._check_may_import()
        channel = self.browse(channel).exists()
        channel.ensure_one()
        channel.check_access('read')
        try:
            content = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise UserError(
                self.env._("The file %(name)s is not in base64.", name=name or "")
            ) from None
        return channel._import(name, content)

    @api.model
    def _check_may_make_returns(self):
        groups = ('sale_return.group_user', *IMPORTERS)
        if not self.env.su and not any(self.env.user.has_group(group) for group in groups):
            raise AccessError(
                self.env._("You may not submit returns of channels. This needs a role in Returns.")
            )

    @reads(rows=needed(list_of(lambda row: row)))
    def import_returns(self, rows):
        """Submit returns that customers have requested at the channel.

        Rows are independent: an error in one does not keep the others from becoming returns.
        Sending a row again changes nothing. A row whose order is not here, or not delivered, is
        parked and retried every hour.

        :param list rows: up to 1,000 dicts `{key, order, date, tracking, note, lines}`; lines are
            dicts `{sku, item, quantity, reason, condition, serial}`. `key` is the number of the
            return at the channel, `order` that of its order; `reason` and `condition` are words
            of the channel or codes of ours.
        :return: for each row, in order, a dict `{key, status, id, code, message}`: status is
            `created`, `updated`, `unchanged`, `parked` or `error`; id that of the return.
        :rtype: list[dict]
        :raise AccessError: without a role in Returns, or for a channel of another company.
        :raise UserError: if there are too many rows.
        """
        self._check_may_make_returns()
        self.check_access('read')
        if len(self) != 1:
            raise UserError(self.env._("Name the channel of the returns, and only one."))
        if len(rows) > MAX_ROWS:
            raise UserError(
                self.env._(
                    "%(count)s rows are too many for one call. Send up to %(limit)s at a time.",
                    count=len(rows),
                    limit=MAX_ROWS,
                )
            )
        return self.env['sale.return.channel.intake']._import_rows(self, rows)

    @reads(since=text, limit=count)
    def query(self, since=None, limit=1000):
        """Return the returns of the channels that have changed, each once, as they are now.

        Without channels: those of all channels, and all others. Nothing is left out, however
        late an earlier transaction ends: the next call returns what this one could not see.

        :param str since: what `next` was at the call before; nothing for the first one.
        :param int limit: how many events are read, up to 1,000.
        :return: `{'rows': [dict], 'next': text, 'more': bool}`
        :rtype: dict
        :raise AccessError: without a role in Returns.
        :raise UserError: if `since` was not returned by a call.
        """
        self.env['sale.return']._ensure_group('group_user')
        self.check_access('read')
        return self.env['sale.return.channel.feed']._query(self, since, limit)

    def _import(self, name, content):
        """Import the bytes of a file; see `import_file`."""
        self.ensure_one()
        importer = self.env['sale.return.channel.importer']
        try:
            return importer._import(self, name or "", content)
        except FormatError as error:
            raise UserError(importer._get_sentence(name or "", error)) from None

    def action_import(self):
        """Open the window to choose files in."""
        self._check_may_import()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Import Files"),
            'res_model': 'sale.return.channel.import',
            'view_mode': 'form',
            # The drop zone opens it as it is; Odoo completes only what buttons return.
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'default_channel_id': self[:1].id},
        }

    def action_view_refunds(self):
        """Open the refunds of the channel."""
        action = self.env['ir.actions.actions']._for_xml_id(
            'sale_return.sale_return_channel_refund_action'
        )
        return {**action, 'domain': [('channel_id', 'in', self.ids)], 'context': {}}

    def action_view_files(self):
        """Open the files of the channel, to drop others on their list."""
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id(
            'sale_return.sale_return_channel_file_action'
        )
        return {
            **action,
            'domain': [('channel_id', 'in', self.ids)],
            'context': {'default_channel_id': self[:1].id},
        }

    def action_view_uploads(self):
        """Show how far the import of long files of the channel is."""
        self.check_access('read')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Long Files"),
            'res_model': 'sale.return.channel.upload',
            'view_mode': 'list',
            'domain': [('channel_id', 'in', self.ids)],
        }

    def action_view_requests(self):
        """Open the reports of the channel from which no return was created yet."""
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id(
            'sale_return.sale_return_channel_request_action'
        )
        return {**action, 'domain': [('channel_id', 'in', self.ids)]}

    def action_match(self):
        """Compare all refunds of the channel with the current credit notes."""
        self._check_may_import()
        self.check_access('read')
        matcher = self.env['sale.return.channel.matcher']
        intake = self.env['sale.return.channel.intake']
        for channel in self:  # each is compared as a whole, by a few queries
            intake._process(channel, intake._find_due(channel.sudo()))
            matcher._match_channel(channel)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}
