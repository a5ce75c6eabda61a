from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError


class SaleReturnSubstitute(models.Model):
    """Substitutes who approve returns for somebody while they are away."""

    _name = 'sale.return.substitute'
    _inherit = ['sale.return.ruled']
    _description = "Return Approval Substitute"
    _order = 'date_from desc, id desc'
    _rec_name = 'user_id'

    user_id = fields.Many2one(
        'res.users',
        string="Absent",
        required=True,
        index=True,
        default=lambda self: self.env.user,
        context={'active_test': False},
        ondelete='cascade',
    )
    substitute_id = fields.Many2one(
        'res.users', required=True, domain=[('share', '=', False)], ondelete='cascade'
    )
    date_from = fields.Date(string="From", required=True, default=fields.Date.context_today)
    date_to = fields.Date(string="Until", help="Last day, inclusive. Empty: until further notice.")

    _dates = models.Constraint(
        'CHECK (date_to IS NULL OR date_to >= date_from)', "An absence cannot end before it begins."
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to limit managers to users of their companies."""
        records = super().create(vals_list)
        records._ensure_own_companies()
        return records

    def write(self, vals):
        """Override of `base` to keep managers to the people of their companies."""
        self._ensure_own_companies()
        result = super().write(vals)
        self._ensure_own_companies()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_own_companies(self):
        self._ensure_own_companies()

    def _ensure_own_companies(self):
        """Refuse to delegate decisions in companies that the user has no access to.

        :raise AccessError: naming the absent user.
        """
        if self.env.su:
            return
        # sudo: companies that the user has no access to count as well.
        user = self.env.user.sudo()
        for absent in self.sudo().user_id - user:
            if absent.company_ids - user.company_ids:
                raise AccessError(
                    self.env._(
                        "%(absent)s also decides in companies you have no access to. Only they "
                        "themselves, or a manager with access to all of their companies, can "
                        "set their substitute.",
                        absent=absent.name,
                    )
                )

    @api.constrains('user_id', 'substitute_id', 'date_from', 'date_to')
    def _check_circle(self):
        for record in self:
            # sudo: the absences of others count, too, no matter who enters this one.
            others = self.sudo().search([]) - record
            seen, todo = set(), [(record.substitute_id, record.date_from, record.date_to)]
            while todo:
                user, begin, end = todo.pop()
                if user == record.user_id:
                    raise ValidationError(
                        self.env._(
                            "%(user)s would end up as their own substitute. Choose somebody else.",
                            user=user.name,
                        )
                    )
                if user in seen:
                    continue
                seen.add(user)
                todo += [
                    (other.substitute_id, begin, end)
                    for other in others
                    if other.user_id == user and other._overlaps(begin, end)
                ]

    def _overlaps(self, begin, end):
        self.ensure_one()
        return (not end or self.date_from <= end) and (not self.date_to or self.date_to >= begin)

    @api.model
    def _get_identities(self, user, day):
        """Return everybody for whom a user may decide on a day, the user included.

        A substitute who is away is replaced by their own substitute, who acts for both. Cycles,
        which may result from changed records, end where they began.

        :param user: `res.users`
        :param date day: of the company: a client can choose the time zone of its own day.
        :rtype: res.users
        """
        absences = self.search(
            [('date_from', '<=', day), '|', ('date_to', '=', False), ('date_to', '>=', day)]
        )
        identities, todo = user, user
        while todo:
            absent = absences.filtered(lambda a, todo=todo: a.substitute_id in todo).user_id
            todo = absent - identities
            identities |= todo
        return identities
