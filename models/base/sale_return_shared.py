from lxml.builder import E

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class SaleReturnShared(models.AbstractModel):
    """Mixin of configuration of one company, or of all when it has none.

    Its company never changes, as returns of that company were decided by it. Shared records can
    only be changed by users with access to all companies.
    """

    _name = 'sale.return.shared'
    _inherit = ['sale.return.ruled']
    _description = "Return Configuration of a Company"

    shared_note = fields.Char(
        string="Who May Change It",
        compute='_compute_shared_note',
        help="Said before somebody tries to change what applies to companies they cannot enter.",
    )

    @api.depends('company_id')
    @api.depends_context('uid', 'lang')
    def _compute_shared_note(self):
        refused = set(self._filter_out_of_reach())
        note = self.env._(
            "This applies to all companies. Only somebody with access to all of them can change it."
        )
        for record in self:
            record.shared_note = record in refused and note

    @api.model
    def _get_view(self, view_id=None, view_type='form', **options):
        """Override of `base` to say in each form who may change the record."""
        arch, view = super()._get_view(view_id, view_type, **options)
        sheet = arch.find('.//sheet') if view_type == 'form' else None
        if sheet is not None:
            field = E.field(name='shared_note', nolabel='1', readonly='1')
            kwargs = {'class': 'alert alert-info', 'role': 'alert', 'invisible': 'not shared_note'}
            sheet.insert(0, E.div(field, **kwargs))
        return arch, view

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to protect shared records, unless the user has all companies."""
        records = super().create(vals_list)
        records._ensure_changeable(*vals_list)
        return records

    def write(self, vals):
        """Override of `base` to protect the company, and shared records."""
        self._ensure_changeable(vals)
        companies = {} if self.env.su else {record: record.company_id for record in self}
        result = super().write(vals)
        for record, company in companies.items():
            if record.company_id != company:
                record._refuse_other_company()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_shared(self):
        self._ensure_changeable()

    def _ensure_changeable(self, *vals_list):
        """Refuse changes that the user cannot make. Override to refuse more.

        :param dict vals_list: what is written, nothing where records are deleted.
        """
        self._ensure_all_companies()

    def _refuse_other_company(self):
        self.ensure_one()
        raise UserError(
            self.env._(
                "“%(name)s” belongs to its company, as returns were decided by it. Archive it, "
                "or make a copy for the other company.",
                name=self.display_name,
            )
        )

    def _ensure_all_companies(self):
        """Only let users with access to all companies change shared records.

        :raise AccessError: naming the records.
        """
        if shared := self._filter_out_of_reach():
            raise AccessError(
                self.env._(
                    "“%(names)s” applies to all companies. Only somebody with access to all of "
                    "them can change it: choose one of your companies, or ask them.",
                    names=", ".join(
                        record.display_name or record._description for record in shared
                    ),
                )
            )

    def _filter_out_of_reach(self):
        """Return those that apply to all companies, for users without access to all of them."""
        shared = self.filtered(lambda record: not record.company_id)
        if self.env.su or not shared:
            return self.browse()
        # sudo: companies that the user has no access to count as well.
        user = self.env.user.sudo()
        everything = user.env['res.company'].search([]) <= user.company_ids
        return self.browse() if everything else shared
