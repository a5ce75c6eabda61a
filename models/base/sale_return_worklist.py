from lxml import etree

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.safe_eval import datetime, safe_eval, time

# Prefix of context keys for filters active when a list opens.
FILTER_PREFIX = 'search_default_'
# Help page by the first role that the user has; the pages link to each other.
HELP_ROLES = {
    'manager': 'sale_return.group_manager',
    'operator': 'sale_return.group_inspector',
    'accountant': 'account.group_account_invoice',
    'clerk': 'sale_return.group_user',
}


class SaleReturnWorklist(models.Model):
    """One card of the overview: what is waiting, how much of it is mine, and its list.

    A card counts what its action shows, so that the number and the list always agree.
    """

    _name = 'sale.return.worklist'
    _description = "Return Worklist"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    help = fields.Char(translate=True, help="Short description of the task.")
    icon = fields.Char(help="Class of an icon, such as fa-truck.")
    action_id = fields.Many2one(
        'ir.actions.act_window', required=True, ondelete='cascade', string="List"
    )
    mine = fields.Char(
        string="My Records Domain",
        help="Domain of records waiting for the current user; it may use uid. Empty: none.",
    )
    late = fields.Char(
        string="Late Records Domain",
        help="Domain of late records; it may use uid. Empty: none.",
    )
    group_ids = fields.Many2many(
        'res.groups', string="Roles", help="Who sees the card: anybody with one of these roles."
    )
    feature_id = fields.Many2one(
        'res.groups', string="Switch", help="The card is hidden where this is switched off."
    )
    once = fields.Boolean(
        help="Offered until the company is set up, or somebody dismisses the offer."
    )
    is_offered = fields.Boolean(compute='_compute_is_offered', search='_search_is_offered')
    count = fields.Integer(string="Waiting", compute='_compute_counts')
    count_mine = fields.Integer(string="Mine", compute='_compute_counts')
    count_late = fields.Integer(string="Late", compute='_compute_counts')

    # === COMPUTE METHODS === #

    @api.depends_context('uid', 'allowed_company_ids')
    def _compute_counts(self):
        counts = self._get_counts()
        for worklist in self:
            numbers = counts.get(worklist.id, (0, 0, 0))
            worklist.count, worklist.count_mine, worklist.count_late = numbers

    @api.depends('once')
    @api.depends_context('allowed_company_ids')
    def _compute_is_offered(self):
        is_set_up = self._is_set_up()
        for worklist in self:
            worklist.is_offered = not (worklist.once and is_set_up)

    def _search_is_offered(self, operator, value):
        if operator != 'in':
            return NotImplemented
        offered = Domain('once', '=', False) if self._is_set_up() else Domain.TRUE
        return offered if True in value else ~offered

    def _is_set_up(self):
        """Tell whether the company was set up, or the set-up was dismissed."""
        # sudo: users of the overview need not see what was set up.
        configurations = self.env['sale.return.configuration'].sudo()
        return bool(
            configurations.search_count([('company_id', '=', self.env.company.id)], limit=1)
        )

    # === ACTION METHODS === #

    def action_dismiss(self):
        """Dismiss the set-up of the company.

        :return: the overview.
        :rtype: dict
        :raise AccessError: when the user is not a manager of Returns.
        """
        self.ensure_one()
        self.check_access('read')
        configurations = self.env['sale.return.configuration']
        configurations._note(self.env.company, self.name, state='dismissed')
        return self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_worklist_action'
        )

    def action_open(self):
        """Open the list of a card.

        :return: the action of the list.
        :rtype: dict
        """
        self.ensure_one()
        return self._get_action()

    def action_open_mine(self):
        """Open the records of a card that wait for the current user.

        :return: the action of the list.
        :rtype: dict
        """
        self.ensure_one()
        action = self._get_action()
        name = self.env._("%(list)s: mine", list=self.name)
        return self._narrow_action(action, self.mine, name)

    def action_open_late(self):
        """Open the late records of a card.

        :return: the action of the list.
        :rtype: dict
        """
        self.ensure_one()
        action = self._get_action()
        name = self.env._("%(list)s: late", list=self.name)
        return self._narrow_action(action, self.late, name)

    def action_help(self):
        """Open the help page for the user's main role, in their language.

        :return: the action of the page.
        :rtype: dict
        """
        role = next(
            (role for role, group in HELP_ROLES.items() if self.env.user.has_group(group)),
            'accountant',  # users who only read the books
        )
        ending = '.zh_CN' if (self.env.lang or '').startswith('zh') else ''
        url = f'/sale_return/static/help/{role}{ending}.html'
        return {'type': 'ir.actions.act_url', 'url': url, 'target': 'new'}

    # === BUSINESS METHODS === #

    def _get_counts(self):
        """Count what all cards show in one statement, under the record rules of the user.

        :return: `{id: (all, mine, late)}`; cards of models the user may not read are left out.
        :rtype: dict
        """
        queries = []
        for worklist in self:
            action = worklist._get_action()
            model = self.env[action['res_model']]
            if worklist.once or not model.has_access('read'):
                continue
            query = model._search(worklist._get_domain(action), order='id')
            query.order = None
            columns = [
                SQL("COUNT(*) FILTER (WHERE %s)", worklist._get_condition(model, query, text))
                for text in (worklist.mine, worklist.late)
            ]
            queries.append(query.select(SQL("%s", worklist.id), SQL("COUNT(*)"), *columns))
        if not queries:
            return {}
        rows = self.env.execute_query(SQL(" UNION ALL ").join(SQL("(%s)", q) for q in queries))
        return {worklist: tuple(counts) for worklist, *counts in rows}

    def _get_condition(self, model, query, text):
        """Return a domain of the card as a condition of a query; an empty one matches nothing."""
        if not text:
            return SQL("FALSE")
        domain = Domain(self._evaluate(text)).optimize_full(model)
        return domain._to_sql(model, query.table, query)

    def _get_action(self):
        """Return the action of the list."""
        self.ensure_one()
        self.check_access('read')
        # sudo: users need not read actions to open the one of a card they may see.
        return self.sudo().action_id._get_action_dict()

    def _narrow_action(self, action, text, name):
        """Return an action restricted by an additional domain."""
        domain = Domain(self._evaluate(action['domain'] or '[]'))
        domain &= Domain(self._evaluate(text or '[]'))
        return {**action, 'domain': repr(list(domain)), 'display_name': name, 'name': name}

    def _get_domain(self, action):
        """Return what an action shows when it opens: its domain, and its default filters.

        Filters without a separator between them are combined by OR, as in the client.
        """
        domain = Domain(self._evaluate(action['domain'] or '[]'))
        context = self._evaluate(action['context'] or '{}')
        names = {
            name.removeprefix(FILTER_PREFIX)
            for name, value in context.items()
            if name.startswith(FILTER_PREFIX) and value
        }
        if not names:
            return domain
        search_view = action['search_view_id'] and action['search_view_id'][0]
        arch = self.env[action['res_model']].get_view(search_view or None, 'search')['arch']
        block = []
        for node in etree.fromstring(arch):
            if node.tag == 'filter' and node.get('name') in names and node.get('domain'):
                block.append(Domain(self._evaluate(node.get('domain'))))
            elif node.tag == 'separator' and block:
                domain &= Domain.OR(block)
                block = []
        return domain & Domain.OR(block) if block else domain

    def _evaluate(self, text):
        """Return the value of a domain or context given as text, as the client evaluates it."""
        return safe_eval(
            text,
            {
                'uid': self.env.uid,
                'allowed_company_ids': self.env.companies.ids,
                'context_today': lambda: fields.Date.context_today(self),
                'datetime': datetime,
                'time': time,
            },
        )
