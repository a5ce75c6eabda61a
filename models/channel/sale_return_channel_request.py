from odoo import api, fields, models


class SaleReturnChannelRequest(models.Model):
    """A return as a channel reports it, in a file or by a program; written by the intake.

    It becomes a return once its order is here and delivered. Otherwise the reason is stored.
    """

    _name = 'sale.return.channel.request'
    _inherit = ['sale.return.own.defaults']
    _description = "Return Reported by a Channel"
    _order = 'id desc'
    _rec_name = 'key'

    channel_id = fields.Many2one(
        'sale.return.channel', required=True, readonly=True, index=True, ondelete='restrict'
    )
    company_id = fields.Many2one(
        related='channel_id.company_id', store=True, index=True, readonly=True
    )
    key = fields.Char(
        string="Number at the Channel",
        required=True,
        readonly=True,
        help="Number of the return, or the licence plate of the unit that came back.",
    )
    order_ref = fields.Char(string="Order at the Channel", readonly=True)
    date = fields.Datetime(readonly=True)
    content = fields.Json(readonly=True, groups='base.group_no_one')
    goods = fields.Char(compute='_compute_goods')
    state = fields.Selection(
        [
            ('waiting', "To do"),
            ('parked', "Waiting for its order"),
            ('done', "Return made"),
            ('error', "Failed"),
            ('left_out', "No return"),
        ],
        string="Status",
        required=True,
        readonly=True,
        index=True,
        default='waiting',
    )
    code = fields.Char(readonly=True, groups='base.group_no_one')
    message = fields.Char(string="Why", readonly=True)
    return_id = fields.Many2one('sale.return', readonly=True, index='btree_not_null')
    file_ids = fields.Many2many('sale.return.channel.file', string="Files", readonly=True)

    _key_unique = models.UniqueIndex('(channel_id, key)')
    _open_index = models.Index("(id) WHERE state IN ('waiting', 'parked')")

    @api.depends('content')
    def _compute_goods(self):
        for request in self:
            # sudo: what is reported about the goods may be read by all who may read the rest.
            lines = (request.sudo().content or {}).get('lines', [])
            request.goods = ", ".join(
                f"{float(line['quantity']):g} × {line['sku'] or line['item']}" for line in lines
            )

    def action_retry(self):
        """Retry the requests that are parked or have failed.

        :return: the action that shows the outcome.
        :rtype: dict
        :raise AccessError: if the user may not.
        """
        self.env['sale.return.channel']._check_may_make_returns()
        self.check_access('read')
        for channel, requests in self.grouped('channel_id').items():
            open_ = requests.filtered(lambda request: request.state not in ('done', 'left_out'))
            self.env['sale.return.channel.intake']._process(channel, open_)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}

    @api.model
    def _cron_process(self):
        """Process waiting requests, and parked ones whose order exists by now."""
        intake = self.env['sale.return.channel.intake']
        for channel in self.search([('state', 'in', ('waiting', 'parked'))]).channel_id:
            self.env['sale.return.job']._work_off(
                intake._find_due(channel),
                lambda requests, channel=channel: intake._process(channel, requests),
                intake._chunk,
            )
