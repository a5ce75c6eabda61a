import hashlib
import json
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...const import OPEN_STATES
from .const import VERSION_FIELDS

_logger = logging.getLogger(__name__)

# A draft that is put into force does not change these.
KEPT = (*models.MAGIC_COLUMNS, 'name', 'active', 'company_id', 'sequence', *VERSION_FIELDS)


def read_terms(record, kept):
    """Return all that a policy, rule or level says, as values to write.

    :param kept: names of fields that are left out.
    :rtype: dict
    """
    return {
        name: field.convert_to_write(record[name], record)
        for name, field in record._fields.items()
        if field.store
        and name not in kept
        and not field.compute
        and not field.related
        and field.type != 'one2many'
    }


class SaleReturnPolicy(models.Model):
    """Drafts and earlier versions of policies.

    Both are archived policies with rules and levels of their own. A draft is put into force by
    exchanging what it says with what its policy says: the policy stays the record that everything
    refers to, keeps its place among the others, and the draft becomes the earlier version. So the
    same exchange undoes it.
    """

    _name = 'sale.return.policy'
    _inherit = ['sale.return.policy', 'sale.return.own.defaults']

    draft_of_id = fields.Many2one(
        'sale.return.policy',
        string="Version of",
        readonly=True,
        copy=False,
        index='btree_not_null',
        ondelete='cascade',
    )
    version_state = fields.Selection(
        [('draft', "Draft"), ('past', "Earlier version")],
        string="Version",
        readonly=True,
        copy=False,
    )
    version_from = fields.Date(string="In Force from", readonly=True, copy=False)
    version_until = fields.Date(string="In Force until", readonly=True, copy=False)
    forced_on = fields.Datetime(string="Replaced on", readonly=True, copy=False)
    forced_by_id = fields.Many2one(
        'res.users', string="Replaced by", readonly=True, copy=False, ondelete='restrict'
    )
    version_log = fields.Text(string="Log of Versions", readonly=True, copy=False)
    version_ids = fields.One2many(
        'sale.return.policy',
        'draft_of_id',
        string="Drafts and Versions",
        context={'active_test': False},
        readonly=True,
        copy=False,
    )

    # === CONSTRAINT METHODS === #

    @api.constrains('active', 'version_state')
    def _check_version_archived(self):
        for policy in self:
            if policy.active and policy.version_state:
                raise ValidationError(
                    self.env._(
                        "“%(policy)s” is a version of “%(live)s” and would apply beside it. Put it "
                        "into force instead.",
                        policy=policy.name,
                        live=policy.draft_of_id.name,
                    )
                )

    @api.constrains('draft_of_id', 'company_id')
    def _check_version_company(self):
        # sudo: the policy of a version may be one that the user does not see.
        for policy in self.sudo().filtered('draft_of_id'):
            if policy.company_id != policy.draft_of_id.company_id:
                raise ValidationError(
                    self.env._(
                        "“%(policy)s” and “%(live)s” do not belong to the same company, so one "
                        "cannot be a version of the other.",
                        policy=policy.name,
                        live=policy.draft_of_id.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model
    def _get_fixed_fields(self, names):
        """Override of `sale.return.own.defaults`: people may propose all but what is a version."""
        return set(names) & {*VERSION_FIELDS, 'version_ids'}

    def unlink(self):
        """Override of `base` to delete drafts with their policy."""
        drafts = self.version_ids.filtered(lambda version: version.version_state == 'draft')
        if left := drafts - self:
            left.unlink()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_earlier_versions(self):
        # sudo: all versions count.
        past = self.sudo().version_ids.filtered(lambda version: version.version_state == 'past')
        if past:
            raise UserError(
                self.env._(
                    "“%(policy)s” was in force with other terms earlier, and its earlier versions "
                    "are kept. Archive it instead.",
                    policy=past[0].draft_of_id.name,
                )
            )

    # === ACTION METHODS === #

    def action_create_draft(self):
        """Make a draft of a policy in force: an archived copy, with its rules and levels.

        :return: the action that opens it.
        :rtype: dict
        :raise AccessError: without the role of manager.
        :raise UserError: of a draft or an earlier version.
        """
        self._ensure_lab()
        self.ensure_one()
        if self.version_state or not self.active:
            raise UserError(
                self.env._(
                    "“%(policy)s” is not in force. Make a draft of a policy that is.",
                    policy=self.name,
                )
            )
        draft = self.copy({'name': self._get_draft_name(), 'active': False})
        # sudo: only our steps mark versions.
        draft.sudo().write({'draft_of_id': self.id, 'version_state': 'draft'})
        draft._name_version()
        return draft._get_records_action(name=self.env._("Draft"))

    def action_replay(self):
        """Prepare a replay of the draft over past returns.

        :return: the action that opens it.
        :rtype: dict
        :raise AccessError: without the role of manager.
        :raise UserError: when it is no draft.
        """
        self._ensure_lab()
        self.ensure_one()
        self._ensure_draft_version()
        company = self.company_id or self.env.company
        replay = self.env['sale.return.replay'].create(
            {'policy_id': self.id, 'company_id': company.id}
        )
        return replay._get_records_action(name=self.env._("Replay"))

    def action_put_in_force(self):
        """Have the policy say from now on what its draft says, and keep the earlier version.

        Lines under way keep the terms under which they were requested.

        :return: the action that opens the policy.
        :rtype: dict
        :raise AccessError: without the role of manager.
        :raise UserError: when it is no draft.
        """
        self._ensure_lab()
        self.ensure_one()
        self._ensure_draft_version()
        live, draft = self.draft_of_id, self.name
        today = self._get_version_day()
        self._exchange()
        # sudo: only our steps mark versions.
        self.sudo().write(
            {
                'version_from': live.version_from,
                'version_until': today,
                'version_state': 'past',
                'forced_on': fields.Datetime.now(),
                'forced_by_id': self.env.uid,
            }
        )
        self._name_version()
        live.sudo().version_from = today
        live._log_version(
            self.env._(
                "%(date)s: %(user)s put “%(draft)s” into force.",
                date=fields.Date.to_string(today),
                user=self.env.user.name,
                draft=draft,
            )
        )
        _logger.info("Policy %s: user %s put a draft into force.", live.id, self.env.uid)
        return live._get_records_action(name=live.name)

    def action_undo_force(self):
        """Put the earlier version back into force; what replaced it becomes a draft again.

        :return: the action that opens the policy.
        :rtype: dict
        :raise AccessError: without the role of manager.
        :raise UserError: when it is not the version that was replaced last.
        """
        self._ensure_lab()
        self.ensure_one()
        live = self.draft_of_id
        past = live.version_ids.filtered(lambda p: p.version_state == 'past')
        if self.version_state != 'past' or self != past.sorted('forced_on')[-1:]:
            raise UserError(
                self.env._(
                    "Only the version that was replaced last can be put back, so “%(policy)s” "
                    "cannot.",
                    policy=self.name,
                )
            )
        self._exchange()
        live.sudo().version_from = self.version_from  # sudo: only our steps mark versions
        self.sudo().write(
            {
                **dict.fromkeys(('version_from', 'version_until', 'forced_on'), False),
                'forced_by_id': False,
                'version_state': 'draft',
            }
        )
        self._name_version()
        live._log_version(
            self.env._(
                "%(date)s: %(user)s put the earlier version back.",
                date=fields.Date.to_string(self._get_version_day()),
                user=self.env.user.name,
            )
        )
        _logger.info("Policy %s: user %s put the earlier version back.", live.id, self.env.uid)
        return live._get_records_action(name=live.name)

    def _ensure_lab(self):
        """Refuse steps of people who do not set up Returns, or may not change the policy.

        :raise AccessError: without the role of manager, or access to the companies of the policy.
        """
        self.env['sale.return']._ensure_group('group_manager')
        # A draft is written into its policy, so both have to be theirs. sudo: to know which one it
        # is; what they may do with it is checked as themselves.
        policies = self | self.sudo().draft_of_id.sudo(False)
        policies.check_access('write')
        policies._ensure_all_companies()
        if not self.env['sale.return.replayer']._is_on():
            raise UserError(
                self.env._("The policy lab is switched off. Switch it on in Settings, Returns.")
            )

    def _ensure_draft_version(self):
        if self.version_state != 'draft':
            raise UserError(
                self.env._("“%(policy)s” is no draft. Make a draft of it first.", policy=self.name)
            )
        if not self.draft_of_id.active:
            raise UserError(
                self.env._(
                    "“%(live)s”, of which this is a draft, is archived. Restore it first.",
                    live=self.draft_of_id.name,
                )
            )

    def _name_version(self):
        """Name a draft or an earlier version after its policy, in all languages."""
        self.ensure_one()
        for lang, _name in self.env['res.lang'].get_installed():
            # sudo: earlier versions are kept as they were; only our steps name them.
            version = self.sudo().with_context(lang=lang)
            live = version.draft_of_id
            version.name = (
                live._get_draft_name()
                if version.version_state == 'draft'
                else version._get_past_name(live)
            )

    def _get_past_name(self, live):
        return self.env._(
            "%(policy)s (until %(date)s)",
            policy=live.name,
            date=fields.Date.to_string(self.version_until),
        )

    def _get_draft_name(self):
        return self.env._("%(policy)s (draft)", policy=self.name)

    def _get_version_day(self):
        return (self.company_id or self.env.company)._get_sale_return_day()

    def _log_version(self, sentence):
        """Add a sentence to what happened to a policy in force, the newest first."""
        self.ensure_one()
        policy = self.sudo()  # only our steps write the log
        policy.version_log = "\n".join(filter(None, (sentence, policy.version_log)))

    def _get_fingerprint(self):
        """Return a hash of what policies say, with their rules and levels.

        :rtype: str
        """
        # sudo: all that a policy says counts, whoever looks at it, in whatever language. Archived
        # rules say nothing.
        policies = self.sudo().with_context(lang='en_US', active_test=True)
        said = [
            (record._name, record.id, read_terms(record, kept))
            for records, kept in (
                (policies, KEPT),
                (policies.rule_ids, models.MAGIC_COLUMNS),
                (policies.level_ids, models.MAGIC_COLUMNS),
            )
            for record in records.sorted('id')
        ]
        return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()

    # === EXCHANGE === #

    def _exchange(self):
        """Exchange what a version says, its rules and levels, with those of its policy.

        Lines under way stay with what was said when they were requested.
        """
        self.ensure_one()
        # sudo: the caller has checked the role; terms that only superusers may choose are exchanged
        # as well, and lines of companies that the user does not see.
        version, live = self.sudo(), self.draft_of_id.sudo()
        (version | live).lock_for_update(allow_referencing=True)
        lines = self.env['sale.return.line'].sudo()
        domain = [('state', 'in', OPEN_STATES)]
        of_version = lines.search([('policy_id', '=', version.id), *domain])
        of_live = lines.search([('policy_id', '=', live.id), *domain])
        # Without a policy for a moment: `write` would make another copy of the terms for them.
        (of_version | of_live)._write_facts({'policy_id': False})
        terms = [read_terms(policy, KEPT) for policy in (version, live)]
        for policy, values in zip((live, version), terms, strict=True):
            policy.write(values)
        for name in ('rule_ids', 'level_ids'):
            owned = [policy.with_context(active_test=False)[name] for policy in (version, live)]
            for policy, records in zip((live, version), owned, strict=True):
                records.write({'policy_id': policy.id})
        of_version._write_facts({'policy_id': live.id})
        of_live._write_facts({'policy_id': version.id})
