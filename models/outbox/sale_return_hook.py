import secrets

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from ...tools.context import in_force
from ...tools.outbound import AddressError, split


class SaleReturnHook(models.Model):
    """A program that is notified of what happens to returns, by a signed web hook."""

    _name = 'sale.return.hook'
    _inherit = ['sale.return.cached', 'sale.return.shared']
    _description = "Web Hook of Returns"
    _order = 'company_id, name, id'

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company
    )
    url = fields.Char(
        string="Address",
        required=True,
        help=(
            "Called with POST. Addresses of your own network are not called, unless the system "
            "parameter sale_return.private_hooks allows it."
        ),
    )
    secret = fields.Char(
        required=True,
        copy=False,
        groups='sale_return.group_manager',
        default=lambda self: secrets.token_urlsafe(32),
        help=(
            "The other program recognizes our calls by it: see the documentation of the signature."
        ),
    )
    kinds = fields.Char(
        string="Events",
        help="Technical names of kinds of events, with commas between: state, received, credited. "
        "Empty: all.",
    )
    delivery_ids = fields.One2many('sale.return.hook.delivery', 'hook_id', readonly=True)
    dead_count = fields.Integer(string="Not Delivered", compute='_compute_dead_count')

    @api.depends('delivery_ids.state')
    def _compute_dead_count(self):
        counts = dict(
            self.env['sale.return.hook.delivery']._read_group(
                [('hook_id', 'in', self.ids), ('state', '=', 'dead')], ['hook_id'], ['__count']
            )
        )
        for hook in self:
            hook.dead_count = counts.get(hook, 0)

    @api.constrains('url')
    def _check_url(self):
        for hook in self:
            try:
                split(hook.url)
            except AddressError:
                raise ValidationError(
                    self.env._(
                        "“%(url)s” cannot be called. An address begins with https:// (or http://) "
                        "and has no name and password in it.",
                        url=hook.url,
                    )
                ) from None

    @api.constrains('kinds')
    def _check_kinds(self):
        known = set(self.env['sale.return.event']._fields['kind'].get_values(self.env))
        for hook in self:
            if unknown := hook._get_kinds() - known:
                raise ValidationError(
                    self.env._(
                        "There are no events “%(unknown)s”. Choose among %(known)s.",
                        unknown=", ".join(sorted(unknown)),
                        known=", ".join(sorted(known)),
                    )
                )

    def _get_kinds(self):
        """Return the kinds of events that are reported; none means all."""
        self.ensure_one()
        return {kind.strip() for kind in (self.kinds or '').split(',') if kind.strip()}

    @api.model
    @tools.ormcache()
    def _get_listeners(self):
        """Return who listens: `{company id: [(hook id, kinds)]}`."""
        listeners = {}
        # sudo: users who cause an event need not know who is notified.
        for hook in in_force(self.sudo()).search([]):
            listeners.setdefault(hook.company_id.id, []).append((hook.id, hook._get_kinds()))
        return listeners

    def action_view_dead(self):
        """Show what could not be delivered."""
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id(
            'sale_return.sale_return_hook_delivery_action'
        )
        return {**action, 'domain': [('hook_id', 'in', self.ids)]}
