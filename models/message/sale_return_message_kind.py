from collections import defaultdict
from string import Formatter

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

# Placeholders of text messages; `sale.return._get_sms_values` gives the values.
PLACEHOLDERS = ('number', 'customer', 'company', 'send_until', 'amount', 'link')


class SaleReturnMessageKind(models.Model):
    """Message to customers about one event of a return: its template, and whether it is sent.

    A record of a company takes precedence over the shared one.
    """

    _name = 'sale.return.message.kind'
    _inherit = ['sale.return.cached', 'sale.return.shared']
    _description = "Return Message"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    code = fields.Selection(
        [
            ('received', "Request received"),
            ('approved', "Approved, goods expected"),
            ('approved_keep', "Approved, nothing to send"),
            ('refused', "Refused"),
            ('arrived', "Goods arrived"),
            ('inspected', "Inspected"),
            ('credited', "Credited"),
            ('refunded', "Paid back"),
            ('delayed', "Delayed"),
            ('reminder', "About to expire"),
            ('expired', "Not sent"),
            ('lapsed', "Not decided in time"),
            ('appeal_decided', "Appeal decided"),
            ('closed', "Closed"),
        ],
        string="Event",
        required=True,
    )
    active = fields.Boolean(default=True, help="Archived: customers get no message about this.")
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        'res.company', index=True, help="Empty: for all companies without their own."
    )
    template_id = fields.Many2one(
        'mail.template',
        string="Mail",
        domain=[('model', '=', 'sale.return')],
        ondelete='set null',
        help="Rendered in the language of the customer. Empty: nothing is mailed.",
    )
    sms_text = fields.Text(
        string="Text Message",
        translate=True,
        help=(
            "Sent, too, where text messages are installed and the customer has a phone number. "
            "{number}, {customer}, {company}, {send_until}, {amount} and {link} are replaced by "
            "their values."
        ),
    )
    wait_minutes = fields.Integer(
        string="Wait",
        help=(
            "Minutes after the event. Events in the meantime with the same mail template are "
            "combined in one mail."
        ),
    )
    portal_only = fields.Boolean(
        string="Only Portal",
        help="Only for returns that customers requested themselves, on their pages.",
    )
    muted_source_ids = fields.Many2many(
        'utm.source',
        string="Not for Channels",
        help="Sources of orders, e.g. marketplaces, whose customers are informed elsewhere.",
    )
    muted_policy_ids = fields.Many2many(
        'sale.return.policy',
        'sale_return_policy_muted_kind_rel',
        'kind_id',
        'policy_id',
        string="Not under Policies",
        help="No message is sent for returns whose products all belong to these.",
    )
    problem = fields.Char(
        compute='_compute_problem', help="Why customers cannot be informed although they should be."
    )

    _wait_minutes_range = models.Constraint(
        'CHECK (COALESCE(wait_minutes, 0) BETWEEN 0 AND 1440)',
        "Messages to customers can be delayed by up to a day: enter between 0 and 1440 minutes.",
    )
    _code_unique = models.UniqueIndex(
        '(code, COALESCE(company_id, 0))',
        "There is already a message for this event.",
    )

    # === COMPUTE METHODS === #

    @api.depends('template_id.active', 'template_id.model', 'sms_text', 'active')
    def _compute_problem(self):
        for kind in self:
            kind.problem = kind.active and kind._get_problem()

    def _get_problem(self):
        """Return why this message cannot be sent; False when it can."""
        self.ensure_one()
        template = self.template_id.sudo()  # users cannot read templates of others
        if template and not template.active:
            return self.env._("Its mail template is archived: nothing is mailed.")
        if template and template.model != 'sale.return':
            return self.env._("Its mail template is not one of returns: nothing is mailed.")
        if not template and not self.sms_text:
            return self.env._("Its mail template was deleted: nothing is mailed. Choose another.")
        return False

    # === CONSTRAINT METHODS === #

    @api.constrains('sms_text')
    def _check_sms_text(self):
        for kind in self.filtered('sms_text'):
            try:
                names = {name for _text, name, *_format in Formatter().parse(kind.sms_text)}
            except ValueError:
                names = {''}
            if names - {None, *PLACEHOLDERS}:
                raise ValidationError(
                    self.env._(
                        "The text message “%(message)s” cannot be read. Only these words are "
                        "allowed in braces: %(words)s.",
                        message=kind.name,
                        words=", ".join(f"{{{word}}}" for word in PLACEHOLDERS),
                    )
                )

    # === LOOK UP === #

    @api.model
    @tools.ormcache('company_id')
    def _get_table(self, company_id):
        """Return which message of a company belongs to which event, and who does not get it.

        Looked up at every event of every return, so it is cached.

        :param int company_id: id of the company.
        :return: `{code: (id, portal only, ids of muted sources, ids of muted policies, minutes to
            wait)}`; an event that is not in it is not told.
        :rtype: dict
        """
        # sudo: what customers are told does not depend on who causes it.
        kinds = self.sudo().with_context(active_test=False)
        found = kinds.search([('company_id', 'in', [company_id, False])])
        by_code = {}
        # The company's own take precedence over the shared ones, even if switched off.
        for kind in found.sorted(lambda k: bool(k.company_id)):
            by_code[kind.code] = kind
        return {
            code: (
                kind.id,
                kind.portal_only,
                frozenset(kind.muted_source_ids.ids),
                frozenset(kind.muted_policy_ids.ids),
                kind.wait_minutes,
            )
            for code, kind in by_code.items()
            if kind.active
        }

    @api.model
    def _get_audience(self, returns, code):
        """Return for which returns an event is reported, by message.

        :param returns: `sale.return` records.
        :param str code: of the event.
        :return: `{id of the message: returns}`
        :rtype: dict
        """
        audience = defaultdict(returns.browse)
        for company, group in returns.grouped('company_id').items():
            kind_id, portal_only, sources, policies, _wait = self._get_table(company.id).get(
                code, (False, False, (), (), 0)
            )
            for sale_return in group:
                if (
                    kind_id
                    and not (portal_only and not sale_return.requested_by_id.share)
                    and not (sources and sale_return._is_from_sources(sources))
                    and not (policies and set(sale_return.line_ids.policy_id.ids) <= policies)
                ):
                    audience[kind_id] |= sale_return
        return audience
