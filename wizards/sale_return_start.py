import base64
import json

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import file_open

STEPS = ('template', 'terms', 'money', 'decide', 'goods', 'portal', 'review')

# Fields of each step; skipping it uses the values of the template.
ANSWERS = {
    'template': (),
    'terms': ('window_days', 'eu_consumers'),
    'money': ('settlement', 'refund_automatic'),
    'decide': ('decides', 'amount_from', 'approver_id'),
    'goods': ('disposition_id',),
    'portal': ('portal',),
}

# Default template by country; others get the web shop of the EU.
COUNTRY_TEMPLATES = {'US': 'us_web_shop', 'CA': 'us_web_shop', 'CN': 'china_shop'}

EU = 'eu_withdrawal'

# Name of the level in the templates, by which it is found.
LEVEL = {'en_US': "Approver", 'zh_CN': "审批人"}


class SaleReturnStart(models.TransientModel):
    """Room: decision. Set up from five questions, or from a file.

    The answers change a template, `data/configuration/*.json`; `sale.return.configuration` shows
    what will be written.
    """

    _name = 'sale.return.start'
    _description = "First Set-Up of Returns"

    company_id = fields.Many2one(
        'res.company', required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related='company_id.currency_id')
    step = fields.Selection(
        [
            ('template', "Process"),
            ('terms', "Days"),
            ('money', "Money"),
            ('decide', "Approval"),
            ('goods', "Damaged Goods"),
            ('portal', "Customers"),
            ('review', "Summary"),
        ],
        required=True,
        default='template',
    )
    template = fields.Selection(
        [
            ('eu_web_shop', "EU web shop"),
            ('us_web_shop', "US web shop"),
            ('china_shop', "China shop, seven days without reason"),
            ('wholesale', "Wholesale"),
            ('electronics', "Electronics with serial numbers"),
            ('till_shops', "Shops with cash registers"),
        ],
        required=True,
        default=lambda self: COUNTRY_TEMPLATES.get(self.env.company.country_id.code, 'eu_web_shop'),
    )

    # The answers, by default those of the template.
    window_days = fields.Integer(
        string="Days", compute='_compute_answers', store=True, readonly=False
    )
    eu_consumers = fields.Boolean(
        string="We sell to consumers in the EU",
        compute='_compute_answers',
        store=True,
        readonly=False,
    )
    settlement = fields.Selection(
        selection=lambda self: self.env['sale.return.policy'].fields_get(['settlement'])[
            'settlement'
        ]['selection'],
        string="Money Back",
        compute='_compute_answers',
        store=True,
        readonly=False,
    )
    refund_automatic = fields.Boolean(
        string="Refund Automatically", compute='_compute_answers', store=True, readonly=False
    )
    decides = fields.Selection(
        [
            ('none', "Nobody: returns within the terms are approved automatically"),
            ('levels', "A person, above a certain value"),
            ('always', "A person, always"),
        ],
        string="Who Decides",
        compute='_compute_answers',
        store=True,
        readonly=False,
    )
    amount_from = fields.Monetary(
        string="From", compute='_compute_answers', store=True, readonly=False
    )
    approver_id = fields.Many2one(
        'res.users',
        domain="[('share', '=', False)]",
        compute='_compute_answers',
        store=True,
        readonly=False,
    )
    disposition_id = fields.Many2one(
        'sale.return.disposition',
        string="Damaged Goods",
        domain="[('action', 'in', ('refurbish', 'scrap', 'vendor'))]",
        compute='_compute_answers',
        store=True,
        readonly=False,
    )
    portal = fields.Boolean(
        string="Customers request returns themselves",
        compute='_compute_answers',
        store=True,
        readonly=False,
    )

    # The result.
    file = fields.Binary(attachment=False)
    file_name = fields.Char()
    changes = fields.Text(readonly=True)
    asked = fields.Text(readonly=True)

    # === COMPUTE METHODS === #

    @api.depends('template')
    def _compute_answers(self):
        for start in self:
            for name, value in start._get_template_answers().items():
                start[name] = value

    def _compute_display_name(self):
        """Override of `base`: the page is named after its company."""
        for start in self:
            start.display_name = start.company_id.name

    # === CONSTRAINT METHODS === #

    @api.constrains('window_days', 'amount_from')
    def _check_positive(self):
        if any(start.window_days < 0 or start.amount_from < 0 for start in self):
            raise ValidationError(
                self.env._("Days and values cannot be negative: enter zero, or more.")
            )

    # === ACTION METHODS === #

    def action_next(self):
        """Continue with the answers.

        :return: True
        """
        self.ensure_one()
        self.check_access('write')
        self._go(1)
        return True

    def action_skip(self):
        """Continue with the values of the template.

        :return: True
        """
        self.ensure_one()
        self.check_access('write')
        answers = self._get_template_answers()
        self.update({name: answers[name] for name in ANSWERS.get(self.step, ())})
        self._go(1)
        return True

    def action_back(self):
        """Go back to the previous question.

        :return: True
        """
        self.ensure_one()
        self.check_access('write')
        self._go(-1)
        return True

    def action_read_file(self):
        """Read the chosen file, and show what it would change.

        :return: the action of the page that shows it.
        :rtype: dict
        :raise UserError: when it is not a configuration, saying why.
        """
        self.ensure_one()
        self.check_access('write')
        self._review(self._read_file())
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_start_action'
        )
        return {**action, 'res_id': self.id}

    def action_apply(self):
        """Write the configuration as shown.

        :return: the action that shows what was written.
        :rtype: dict
        :raise UserError: when part of it is not possible, saying what.
        """
        self.ensure_one()
        self.check_access('write')
        configurations = self.env['sale.return.configuration']
        if self.file:
            name = self.file_name or self.env._("File")
            document = self._read_file()
        else:
            name = dict(self._fields['template']._description_selection(self.env))[self.template]
            document = self._build_document()
        written = configurations._apply(document, self.company_id, name)
        if not written:
            # Nothing differs: show the last record, or record that everything was already there.
            done = [('company_id', '=', self.company_id.id), ('state', '=', 'done')]
            written = configurations.search(done, limit=1) or configurations._note(
                self.company_id, name, settings=document.get('settings')
            )
        return written._get_records_action(name=self.env._("Written Values"), target='main')

    @api.model
    def action_export(self):
        """Export the configuration of the company as a file.

        :return: the action that downloads it.
        :rtype: dict
        :raise AccessError: when the user is not a manager of Returns.
        """
        self.check_access('create')
        document = self.env['sale.return.configuration']._export(self.env.company)
        text = json.dumps(document, ensure_ascii=False, indent=2)
        export = self.create({'file': base64.b64encode(text.encode()), 'file_name': "returns.json"})
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/{self._name}/{export.id}/file/returns.json?download=true',
            'target': 'self',
        }

    # === BUSINESS METHODS === #

    def _go(self, direction):
        """Go to the next or previous question."""
        position = STEPS.index(self.step) + direction
        self.step = STEPS[min(max(position, 0), len(STEPS) - 1)]
        if self.step == 'review':
            self._review(self._build_document())

    def _review(self, document):
        """Show what a document would change."""
        configurations = self.env['sale.return.configuration']
        company = self.company_id
        asked = configurations._get_asked(document.get('settings', {}), company)
        self.write(
            {
                'step': 'review',
                'changes': "\n".join(configurations._describe(document, company)),
                'asked': "\n".join(asked),
            }
        )

    def _read_file(self):
        """Return the document of the chosen file.

        :raise UserError: when there is none, or it is not a configuration.
        """
        content = self.with_context(bin_size=False).file
        try:
            text = base64.b64decode(content or b'', validate=True)
        except ValueError:
            text = b''
        if not text:
            raise UserError(self.env._("Choose a file that was exported from Returns."))
        return self.env['sale.return.configuration']._read(text, self.company_id)

    def _load_template(self):
        """Return the document of the template."""
        self.ensure_one()
        path = f'sale_return/data/configuration/{self.template}.json'
        with file_open(path, filter_ext=('.json',)) as file:
            return json.load(file)

    def _get_template_answers(self):
        """Return the answers of the template."""
        self.ensure_one()
        document = self._load_template()
        european, general = document['policies']
        levels = general['level_ids']
        dispositions = self.env['sale.return.disposition']
        code = document['disposition_rules'][0]['disposition_id']
        return {
            'window_days': general['window_days'],
            'eu_consumers': european['active'],
            'settlement': general['settlement'],
            'refund_automatic': general['refund_automatic'],
            'decides': general['approval'],
            'amount_from': levels[0]['amount_from'] if levels else 500.0,
            'approver_id': False,
            'disposition_id': dispositions.search([('code', '=', code)], limit=1),
            'portal': document['settings']['sale_return_portal'],
        }

    def _build_document(self):
        """Return the template with the answers, without records this database does not have.

        :rtype: dict
        """
        document = self._load_template()
        level = {
            'name': LEVEL,
            'amount_from': self.amount_from,
            'approver_type': 'user' if self.approver_id else 'group',
            'user_id': self.approver_id.login,
        }
        for policy in document['policies']:
            policy.update(
                {
                    'window_days': self.window_days,
                    'settlement': self.settlement,
                    'refund_automatic': self.refund_automatic,
                    'approval': self.decides,
                    'level_ids': [level] if self.decides == 'levels' else [],
                }
            )
            if policy['regime'] == EU:
                policy['active'] = self.eu_consumers
                if self.settlement == 'on_account':
                    policy['settlement'] = 'as_paid'  # the law requires paying back
        for rule in document['disposition_rules']:
            rule['disposition_id'] = self.disposition_id.code
        document['settings']['sale_return_portal'] = self.portal
        if self.decides == 'levels':
            document['settings']['group_sale_return_levels'] = True
        self._leave_out_unknown(document)
        return self.env['sale.return.configuration']._read(json.dumps(document), self.company_id)

    def _leave_out_unknown(self, document):
        """Remove reasons, conditions and locations missing in this database from a template."""
        find = self.env['sale.return.configuration']._find_reference

        def keep(items, models):
            kept = []
            for item in items:
                complete = True
                for name, model in models.items():
                    names = item.get(name) or []
                    found = [code for code in names if find(model, code, self.company_id)]
                    complete = complete and (bool(found) or not names)
                    if name in item:
                        item[name] = found
                if complete:
                    kept.append(item)
            return kept

        reasons = {'reason_ids': 'sale.return.reason'}
        for policy in document['policies']:
            policy['rule_ids'] = keep(policy['rule_ids'], reasons)
            place = policy['default_disposition_id']
            if not find('sale.return.disposition', place, self.company_id):
                policy['default_disposition_id'] = False
        rules = document['disposition_rules'] if self.disposition_id else []
        grades = {'grade_ids': 'sale.return.grade', **reasons}
        document['disposition_rules'] = keep(rules, grades)
