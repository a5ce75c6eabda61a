from odoo import api, fields, models


class SaleReturnBenchSession(models.Model):
    """The desk of one user: its content stays until it is finished.

    Only the service `sale.return.bench` writes it.
    """

    _name = 'sale.return.bench.session'
    _inherit = ['sale.return.own.defaults']
    _description = "Return Bench Session"
    _order = 'date_last desc, id desc'
    _rec_name = 'user_id'

    user_id = fields.Many2one('res.users', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one('res.company', required=True, index=True, ondelete='cascade')
    state = fields.Selection(
        [('open', "Open"), ('closed', "Closed")], required=True, default='open', index=True
    )
    parcel = fields.Char(help="What was scanned first: usually the number of the parcel.")
    parcel_id = fields.Many2one(
        'sale.return.parcel',
        string="Parked Parcel",
        ondelete='set null',
        index='btree_not_null',
        help="The parked parcel that is being worked on.",
    )
    date_last = fields.Datetime(string="Last Used on", required=True, default=fields.Datetime.now)
    steps = fields.Integer(
        help="Counts the calls: each call writes it, so that concurrent calls cannot both pass."
    )
    # Plain numbers and JSON: read and written with every scan.
    current_item = fields.Integer()
    question = fields.Json()
    notice = fields.Char(help="Message for the user with their next scan.")
    work_ids = fields.One2many('sale.return.bench.work', 'session_id', string="On the Desk")
    item_ids = fields.One2many('sale.return.bench.item', 'session_id', string="Counted")

    _one_open = models.UniqueIndex(
        "(user_id, company_id) WHERE state = 'open'", "The user already has an open bench."
    )

    @api.depends('user_id', 'company_id')
    def _compute_display_name(self):
        for session in self:
            session.display_name = session.user_id.name

    def action_release(self):
        """Clear abandoned desks: what was counted on them is discarded.

        Nothing was received or credited. Parked parcels stay parked.

        :return: True
        :raise AccessError: without the role of manager.
        """
        self.env['sale.return']._ensure_group('group_manager')
        self.check_access('read')
        # sudo: only services write desks; the group and the company were checked.
        desks = self.sudo().filtered(lambda session: session.state == 'open')
        for desk in desks:
            desk.item_ids.file_ids.unlink()
            desk.item_ids.unlink()
            desk.work_ids.unlink()
        desks.write(
            {
                'parcel': False,
                'parcel_id': False,
                'current_item': 0,
                'question': False,
                'notice': self.env._("%(user)s has cleared your desk.", user=self.env.user.name),
            }
        )
        self.env['sale.return.bench.step'].sudo()._forget(desks)
        return True
