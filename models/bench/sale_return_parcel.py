from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.reader import reads, record_id

MAX_PHOTOS = 10


class SaleReturnParcel(models.Model):
    """A received parcel whose owner is not known yet."""

    _name = 'sale.return.parcel'
    _description = "Parked Parcel"
    _inherit = ['sale.return.ruled', 'mail.thread', 'mail.activity.mixin']
    _order = 'id desc'
    _check_company_auto = True
    _rec_names_search = ['name', 'tracking_ref', 'label_text']

    name = fields.Char(
        string="Number",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env._("New"),
        index=True,
    )
    company_id = fields.Many2one(
        'res.company',
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    state = fields.Selection(
        [('parked', "Parked"), ('matched', "Owner found")],
        required=True,
        readonly=True,
        copy=False,
        default='parked',
        index=True,
        tracking=True,
        group_expand=True,
    )
    carrier_name = fields.Char(string="Carrier")
    tracking_ref = fields.Char(string="Tracking Reference", index='btree_not_null')
    label_text = fields.Text(
        string="Label", help="What can be read on the label: names, numbers, an address."
    )
    note = fields.Text(help="Contents of the parcel, and how its owner was searched for.")
    location_note = fields.Char(string="Place", help="Where the parcel is kept, e.g. shelf P3.")
    user_id = fields.Many2one(
        'res.users', string="Found by", default=lambda self: self.env.user, readonly=True
    )
    date_found = fields.Datetime(string="Found on", default=fields.Datetime.now, readonly=True)
    photo_ids = fields.One2many(
        'ir.attachment',
        'res_id',
        string="Photos",
        domain=[('res_model', '=', 'sale.return.parcel')],
        readonly=True,
    )
    photo_count = fields.Integer(compute='_compute_photo_count')
    return_id = fields.Many2one(
        'sale.return',
        readonly=True,
        copy=False,
        index='btree_not_null',
        check_company=True,
        tracking=True,
        help="The return that it belongs to.",
    )
    matched_by_id = fields.Many2one('res.users', string="Owner found by", readonly=True, copy=False)
    date_matched = fields.Datetime(string="Owner found on", readonly=True, copy=False)

    @api.depends('photo_ids')
    def _compute_photo_count(self):
        for parcel in self:
            parcel.photo_count = len(parcel.photo_ids)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to number the parcels."""
        for vals in vals_list:
            vals['name'] = self.env['ir.sequence'].next_by_code('sale.return.parcel')
        return super().create(vals_list)

    def write(self, vals):
        """Override of `base`: the matched return is only set by matching."""
        if fixed := vals.keys() & {'state', 'return_id', 'matched_by_id', 'date_matched', 'name'}:
            raise UserError(
                self.env._(
                    "%(fields)s of parcel %(names)s cannot be set by hand. Find its owner instead.",
                    fields=", ".join(self._fields[name].string for name in sorted(fixed)),
                    names=", ".join(self.mapped('name')),
                )
            )
        return super().write(vals)

    def _write_facts(self, vals):
        """Write derived values; `write` refuses them to everybody."""
        # Bypasses our own `write` and calls those of the parent classes.
        return super().write(vals)  # pylint: disable=super-method-mismatch

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._(
                "Parcel %(names)s cannot be deleted: the parcel is still here. Find its owner.",
                names=", ".join(self.mapped('name')),
            )
        )

    # === PHOTOS === #

    def _add_photos(self, files):
        """Check and store photos of a parcel, by the rules for all files of returns.

        :param list files: dicts `{name, datas}` (base64) or `{name, raw}`.
        :raise UserError: when one cannot be accepted.
        """
        self.ensure_one()
        service = self.env['sale.return.file']
        if len(self.photo_ids) + len(files) > MAX_PHOTOS:
            raise UserError(
                self.env._(
                    "No more than %(limit)s photos can be added to parcel %(parcel)s.",
                    limit=MAX_PHOTOS,
                    parcel=self.name,
                )
            )
        checked = [service._check_content(file) for file in files]
        # sudo: users who park a parcel may always photograph it; the callers check the group.
        self.env['ir.attachment'].sudo().create(
            [
                {
                    'name': name,
                    'raw': raw,
                    'mimetype': mimetype,
                    'res_model': self._name,
                    'res_id': self.id,
                }
                for name, raw, mimetype in checked
            ]
        )
        self.invalidate_recordset(['photo_ids'])

    # === MATCH === #

    def _match(self, sale_return):
        """Record the returns of the parcels; their photos become evidence of these."""
        for parcel in self.filtered(lambda p: p.state == 'parked'):
            parcel._write_facts(
                {
                    'state': 'matched',
                    'return_id': sale_return.id,
                    'matched_by_id': self.env.uid,
                    'date_matched': fields.Datetime.now(),
                }
            )
            # sudo: the photos are read as evidence, no matter who took them.
            photos = [{'name': p.name, 'raw': p.raw} for p in parcel.sudo().photo_ids]
            if photos:
                self.env['sale.return.file']._upload(sale_return, photos)

    def _unmatch(self):
        """Park a parcel again that belongs to somebody else. The photos stay with the return."""
        self._write_facts(
            {'state': 'parked', 'return_id': False, 'matched_by_id': False, 'date_matched': False}
        )

    # === ACTION METHODS === #

    @reads(return_id=record_id)
    def action_match(self, return_id):
        """Assign the parcels to a return.

        :param int return_id: the `sale.return` they belong to.
        :return: True
        :raise AccessError: without the role of inspector.
        :raise UserError: when there is no such return in the company of the parcels.
        """
        returns = self.env['sale.return']
        returns._ensure_group('group_inspector')
        self.check_access('write')
        sale_return = returns.search(
            [('id', '=', return_id), ('company_id', 'in', self.company_id.ids)]
        )
        if not sale_return or len(self.company_id) > 1:
            raise UserError(
                self.env._(
                    "Parcel %(names)s cannot be assigned: its company has no such return.",
                    names=", ".join(self.mapped('name')),
                )
            )
        self._match(sale_return)
        return True

    def action_park_again(self):
        """Park parcels again that were matched with the wrong return.

        :return: True
        """
        self.env['sale.return']._ensure_group('group_inspector')
        self.check_access('write')
        self.filtered(lambda p: p.state == 'matched')._unmatch()
        return True

    def action_open_bench(self):
        """Continue with the parcel at the bench."""
        self.ensure_one()
        self.env['sale.return']._ensure_group('group_inspector')
        return {
            'type': 'ir.actions.client',
            'tag': 'sale_return.bench',
            'name': self.env._("Bench"),
            'params': {'parcel_id': self.id},
        }
