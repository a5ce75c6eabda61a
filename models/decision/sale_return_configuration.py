import math

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .const import CONFIGURATION_FORMAT, CONFIGURATION_VERSION, REFERENCES

# Fields that are never part of a configuration.
TECHNICAL = (*models.MAGIC_COLUMNS, 'parent_path')

# Sentences list this many names at most, and count the rest.
MAX_NAMES = 5

NUMBERS = ('integer', 'float', 'monetary')
TYPES = ('boolean', 'char', 'many2many', 'many2one', 'one2many', 'selection', 'text', *NUMBERS)


class SaleReturnConfiguration(models.Model):
    """What a set-up or an import wrote, and the values before.

    A configuration is a document of plain values, as JSON: sections of records, each found by its
    key, with references by name, and settings. `_walk` compares it with the existing records, and
    writes: the preview describes exactly what will be written. Files from outside are read by
    `sale_return_configuration_reader.py`.
    """

    _name = 'sale.return.configuration'
    _description = "Written Configuration of Returns"
    _order = 'id desc'

    name = fields.Char(required=True)
    company_id = fields.Many2one('res.company', required=True, index=True, ondelete='cascade')
    state = fields.Selection(
        [('done', "Written"), ('undone', "Undone"), ('dismissed', "Not wanted")],
        required=True,
        default='done',
    )
    changes = fields.Text(string="Written Values")
    before = fields.Json(help="Values that an undo restores, the last first.")
    settings = fields.Json(help="Switches of the settings that belong to it.")
    asked = fields.Text(
        compute='_compute_asked',
        help="Settings that only an administrator can change, and has not changed yet.",
    )

    # === COMPUTE METHODS === #

    @api.depends('settings', 'company_id', 'state')
    @api.depends_context('uid', 'lang')
    def _compute_asked(self):
        for configuration in self:
            asked = configuration._get_asked(configuration.settings or {}, configuration.company_id)
            configuration.asked = "\n".join(asked) or False

    # === ACTION METHODS === #

    def action_undo(self):
        """Restore the state before: created records are removed, changed ones get their old values.

        Records that returns refer to are archived. Configurations already undone are skipped.

        :return: True
        :raise AccessError: when the user is not a manager of Returns.
        :raise UserError: when a later configuration has to be undone first.
        """
        self._ensure_manager()
        self.check_access('read')
        for configuration in self.filtered(lambda one: one.state == 'done').sorted('id', True):
            configuration._ensure_last()
            settings = {}
            for step in reversed(configuration.before or []):
                configuration._undo_step(step)
                settings |= step.get('settings', {})
            # sudo: configurations are a record of what managers do, not edited by hand.
            configuration.sudo().write({'state': 'undone', 'settings': settings})
        return True

    def _ensure_last(self):
        """Refuse to undo a configuration that later ones build on."""
        self.ensure_one()
        later = self.search(
            [
                ('company_id', '=', self.company_id.id),
                ('state', '=', 'done'),
                ('id', '>', self.id),
            ],
            limit=1,
        )
        if later:
            raise UserError(
                self.env._(
                    "“%(name)s” cannot be undone before “%(later)s”, which was written after it. "
                    "Undo that one first.",
                    name=self.name,
                    later=later.name,
                )
            )

    def _undo_step(self, step):
        """Restore one record, or the settings."""
        if 'settings' in step:
            for _sentence in self._walk_settings(step['settings'], self.company_id, [], write=True):
                pass
            return
        record = self.env[step['model']].with_context(active_test=False).browse(step['id']).exists()
        if not record:
            return
        if 'values' in step:
            self._write_values(record, step['values'], self.company_id)
        elif self._is_used(record):
            record.active = False
        else:
            record.unlink()

    def _is_used(self, record):
        """Tell whether returns use a record that was created. Override for other models."""
        field = {
            'sale.return.policy': 'policy_id',
            'sale.return.reason': 'reason_id',
        }.get(record._name)
        # sudo: returns of all companies count, even those the user may not see.
        lines = self.env['sale.return.line'].sudo()
        return bool(field) and bool(lines.search_count([(field, '=', record.id)], limit=1))

    # === SERVICE === #

    @api.model
    def _ensure_manager(self):
        """Raise unless the user may set up Returns.

        :raise AccessError: when the user is not a manager of Returns.
        """
        if not self.env.su and not self.env.user.has_group('sale_return.group_manager'):
            raise AccessError(
                self.env._("Only managers of Returns can set it up. Ask one of them, please.")
            )

    @api.model
    def _apply(self, document, company, name):
        """Write a configuration, all of it or nothing.

        :param dict document: as returned by `_read`.
        :param company: `res.company` that it is for.
        :param str name: what it is called in the list of what was written.
        :return: the record of what was written, empty where nothing differs.
        :rtype: sale.return.configuration
        :raise UserError: when part of it is not possible, saying what.
        """
        self._ensure_manager()
        before = []
        with self.env.cr.savepoint():
            changes = list(self._walk(document, company, before, write=True))
            self.env.flush_all()
        if not before:
            return self.browse()
        values = {'before': before, 'settings': document.get('settings')}
        return self._note(company, name, changes="\n".join(changes), **values)

    @api.model
    def _note(self, company, name, **values):
        """Record what was written, or that the set-up was dismissed: it is not offered again.

        :return: the new record.
        :rtype: sale.return.configuration
        """
        self._ensure_manager()
        # sudo: configurations are a record of what managers do, not edited by hand.
        notes = self.sudo().create({'company_id': company.id, 'name': name, **values})
        return notes.sudo(False)

    @api.model
    def _describe(self, document, company):
        """Describe what a configuration would write.

        :return: sentences; none where nothing differs.
        :rtype: list
        """
        return list(self._walk(document, company, []))

    @api.model
    def _export(self, company):
        """Return the configuration of a company as a document.

        :rtype: dict
        """
        document = {'format': CONFIGURATION_FORMAT, 'version': CONFIGURATION_VERSION}
        for section, model in self._get_sections().items():
            records = self._get_records(model, company).filtered('active')
            if 'parent_path' in records._fields:
                records = records.sorted('parent_path')  # parents come first
            document[section] = [
                {
                    **({} if record.company_id else {'all_companies': True}),
                    **self._export_record(record),
                }
                for record in records
            ]
        document['settings'] = {
            name: self._get_setting(name, company) for name in self._get_setting_names()
        }
        return document

    # === WHAT === #

    @api.model
    def _get_sections(self):
        """Return the sections of a document in the order of writing. Override to add some.

        :return: `{section: model}`
        :rtype: dict
        """
        return {'reasons': 'sale.return.reason', 'policies': 'sale.return.policy'}

    @api.model
    def _get_keys(self):
        """Return by which fields the records of each model are found. Override to add models.

        :return: `{model: names of fields}`
        :rtype: dict
        """
        return {
            'sale.return.reason': ('code',),
            'sale.return.policy': ('name',),
            'sale.return.rule': ('name',),
            'sale.return.approval.level': ('name',),
        }

    @api.model
    def _get_field_names(self, model):
        """Return the fields of a model that are part of a document: all that users set."""
        keys = self._get_keys()
        return [
            name
            for name, field in self.env[model]._fields.items()
            if name not in TECHNICAL
            and field.type in TYPES
            and not field.related
            and not (field.compute and field.readonly)
            and (
                (field.comodel_name in keys and field.comodel_name != model)
                if field.type == 'one2many'
                else field.store
                and (not field.relational or field.comodel_name in (*REFERENCES, 'res.groups'))
            )
        ]

    @api.model
    def _get_setting_names(self):
        """Return the switches of the settings: all boolean ones of ours."""
        settings = self.env['res.config.settings']
        return [
            name
            for name, field in settings._fields.items()
            if field.type == 'boolean'
            and field._modules[:1] == ('sale_return',)
            # This one follows the bench.
            and name != 'group_sale_return_desk'
        ]

    @api.model
    def _get_records(self, model, company):
        """Return the records of a company and the shared ones, archived ones included."""
        records = self.env[model].with_context(active_test=False)
        return records.search([('company_id', 'in', (False, company.id))])

    @api.model
    def _get_key(self, model, item):
        """Return the key of a record, from its values in a document."""
        key = []
        for name in self._get_keys()[model]:
            value = item.get(name) or False
            if isinstance(value, dict):
                value = value.get('en_US') or next(iter(value.values()), False)
            key.append(tuple(sorted(value)) if isinstance(value, list) else value)
        return tuple(key)

    # === OUT === #

    def _export_record(self, record, names=None):
        """Return a record as values of a document.

        :param names: fields; by default all.
        :rtype: dict
        """
        return {
            name: self._export_value(record, name)
            for name in names or self._get_field_names(record._name)
            if names or name != 'active'
        }

    def _export_value(self, record, name):
        field = record._fields[name]
        value = record.with_context(lang='en_US')[name]
        if field.type in ('char', 'text') and field.translate:
            langs = [code for code, _name in self.env['res.lang'].get_installed()]
            texts = {lang: record.with_context(lang=lang)[name] for lang in langs}
            texts = {lang: text for lang, text in texts.items() if text != value}
            return {'en_US': value, **texts} if texts else value
        if field.type == 'one2many':
            return [self._export_record(child) for child in value]
        if field.type == 'many2many':
            return sorted(map(self._get_reference, value))
        return self._get_reference(value) if field.type == 'many2one' else value

    def _get_reference(self, record):
        """Return the name of a record in a document."""
        if not record:
            return False
        record = record.sudo()  # only the name of a record that the user sees anyway
        if record._name == 'res.groups':
            return record.get_external_id()[record.id] or record.full_name
        return next((record[name] for name in REFERENCES[record._name] if record[name]), False)

    # === WRITE === #

    def _walk(self, document, company, before, write=False):
        """Compare a document with the existing records, and write the differences if requested.

        :param list before: collects what an undo has to write.
        :return: generator of sentences about what differs.
        """
        for section, model in self._get_sections().items():
            items = document.get(section) or []
            yield from self._walk_items(model, items, company, before, write)
        settings = document.get('settings') or {}
        yield from self._walk_settings(settings, company, before, write)

    def _walk_items(self, model, items, company, before, write, owner=None):
        """Do the same for the records of a section, or of another record.

        :param owner: `(record, name of its field)`, empty for a record that does not exist yet.
        """
        met = self.env[model]
        for item in items:
            record = self._find(model, item, company, owner, met)
            met |= record
            if not record and not item.get('active', True):
                continue  # what does not exist need not be removed
            values = self._get_changed(record, item)
            if values:
                yield self._describe_item(record, item, values, company)
            log = before
            if write and not record:
                record = self._create_record(model, item, values, company, owner)
                met |= record
                before.append({'model': model, 'id': record.id})
                log = []  # what it owns is removed with it
            elif write and values:
                old = {name: self._export_value(record, name) for name in values}
                before.append({'model': model, 'id': record.id, 'values': old})
                self._write_values(record, values, company)
            for name, children in item.items():
                field = record._fields.get(name)
                if field and field.type == 'one2many':
                    own = (record, name)
                    yield from self._walk_items(
                        field.comodel_name, children, company, log, write, own
                    )
        if owner:
            yield from self._walk_rest(met, company, before, write, owner)

    def _walk_rest(self, met, company, before, write, owner):
        """Archive what a record owns and its document does not have."""
        record, name = owner
        if 'active' not in met._fields:
            return
        for child in record[name] - met:
            item = self._export_record(child, self._get_keys()[child._name])
            title = self._get_title(child._name, item, company)
            yield self.env._("%(record)s is archived.", record=title)
            if write:
                before.append({'model': child._name, 'id': child.id, 'values': {'active': True}})
                child.active = False

    def _get_changed(self, record, item):
        """Return the values of an item that differ from those of its record."""
        keys = self._get_keys()[record._name]
        return {
            name: value
            for name, value in {'active': True, **item}.items()
            if name in record._fields
            and record._fields[name].type != 'one2many'
            # The key stays.
            and (not record or (name not in keys and self._differs(record, name, value)))
        }

    def _find(self, model, item, company, owner, met):
        """Return the record that an item of a document is about, or an empty one.

        :param met: records that earlier items are about.
        """
        names = self._get_keys()[model]
        if owner:
            record, name = owner
            candidates = record.with_context(active_test=False)[name]
        else:
            candidates = self._get_records(model, company)
            if 'code' not in names:
                shared = bool(item.get('all_companies'))
                candidates = candidates.filtered(lambda one: bool(one.company_id) != shared)
        key = self._get_key(model, item)
        found = (candidates - met).filtered(
            lambda one: self._get_key(model, self._export_record(one, names)) == key
        )
        return (found.filtered('active') if 'active' in found._fields else found)[:1] or found[:1]

    def _differs(self, record, name, value):
        field = record._fields[name]
        if field.type in ('char', 'text') and field.translate:
            return any(
                (record.with_context(lang=lang)[name] or '') != (text or '')
                for lang, text in self._get_texts(value).items()
            )
        old = self._export_value(record, name)
        if field.type in ('float', 'monetary'):
            return not math.isclose(old, field.convert_to_cache(value, record), abs_tol=1e-6)
        if field.type == 'many2many':
            return old != sorted(value or [])
        return (old or False) != (value or False)

    def _get_texts(self, value):
        """Return a text by language, of those that are installed."""
        texts = value if isinstance(value, dict) else {'en_US': value}
        installed = {'en_US', *dict(self.env['res.lang'].get_installed())}
        return {lang: text for lang, text in texts.items() if lang in installed}

    def _create_record(self, model, item, values, company, owner):
        """Create the record of an item of a document, without the records it owns."""
        records = self.env[model].with_context(lang='en_US')
        vals = self._prepare_values(records, values, company)
        # The records it owns are in the document, and follow.
        vals |= {
            name: []
            for name in item
            if name in records._fields and records._fields[name].type == 'one2many'
        }
        if owner:
            vals[owner[0]._fields[owner[1]].inverse_name] = owner[0].id
        else:
            vals['company_id'] = False if item.get('all_companies') else company.id
        record = records.create(vals)
        self._write_texts(record, values)
        return record.with_env(self.env)

    def _write_values(self, record, values, company):
        record.with_context(lang='en_US').write(self._prepare_values(record, values, company))
        self._write_texts(record, values)

    def _prepare_values(self, record, values, company):
        """Return values of a document as `create` and `write` take them."""
        vals = {}
        for name, value in values.items():
            field = record._fields[name]
            if field.relational:
                found = self._get_references(field, value, company)
                value = found.ids if field.type == 'many2many' else found.id
            elif isinstance(value, dict):
                value = value.get('en_US') or next(iter(value.values()), False)
            vals[name] = value
        return vals

    def _write_texts(self, record, values):
        for name, value in values.items():
            if isinstance(value, dict):
                record.update_field_translations(name, self._get_texts(value))

    def _get_references(self, field, value, company):
        """Return the records that a value of a document names."""
        names = value if isinstance(value, list) else [value] if value else []
        records = self.env[field.comodel_name]
        for name in names:
            found = self._find_reference(field.comodel_name, name, company)
            if not found:
                raise UserError(
                    self.env._(
                        "“%(name)s” is used before it is defined. Move it further up in the file.",
                        name=name,
                    )
                )
            records |= found
        return records

    @api.model
    def _find_reference(self, model, name, company):
        """Return the record of this name if there is exactly one, else an empty one."""
        # sudo: users who set up returns may name records that they cannot read.
        records = self.env[model].sudo().with_context(lang='en_US')
        if model == 'res.groups':
            found = self.env.ref(name, raise_if_not_found=False) if '.' in name else records
            return records.browse(found.id if found and found._name == model else [])
        domain = []
        if model == 'res.users':
            domain = [('company_ids', 'in', company.id)]
        elif 'company_id' in records._fields:
            domain = [('company_id', 'in', (False, company.id))]
        for field in REFERENCES[model]:
            if found := records.search([(field, '=', name), *domain], limit=2):
                return found if len(found) == 1 else records
        return records

    # === SETTINGS === #

    @api.model
    def _may_set(self):
        """Tell whether the user may change the settings of Odoo."""
        return self.env.user.has_group('base.group_system')

    @api.model
    def _get_setting(self, name, company):
        """Return whether a switch of the settings is on."""
        settings = self.env['res.config.settings'].sudo()  # it is no secret whether it is on
        if name.startswith('group_'):
            return bool(settings.default_get([name]).get(name))
        return company.sudo()[settings._fields[name].related.split('.')[-1]]

    def _walk_settings(self, settings, company, before, write=False):
        """Do the same for the switches, where the user may set them; see `_get_asked`."""
        todo = self._get_other_settings(settings, company)
        if not todo or not self._may_set():
            return
        for name, value in todo.items():
            label = self.env['res.config.settings']._fields[name]._description_string(self.env)
            if value:
                yield self.env._("The setting “%(setting)s” is switched on.", setting=label)
            else:
                yield self.env._("The setting “%(setting)s” is switched off.", setting=label)
        if write:
            before.append({'settings': {name: not value for name, value in todo.items()}})
            values = {'company_id': company.id, **todo}
            self.env['res.config.settings'].with_company(company).create(values).execute()

    @api.model
    def _get_other_settings(self, settings, company):
        """Return the switches of a document that differ from the settings."""
        return {
            name: value
            for name, value in settings.items()
            if self._get_setting(name, company) != value
        }

    @api.model
    def _get_asked(self, settings, company):
        """Return sentences about the switches that only somebody else may set.

        :rtype: list
        """
        if self._may_set():
            return []
        asked = []
        for name, value in self._get_other_settings(settings, company).items():
            label = self.env['res.config.settings']._fields[name]._description_string(self.env)
            asked.append(
                self.env._(
                    "Ask an administrator to switch on “%(setting)s” in Settings, Returns.",
                    setting=label,
                )
                if value
                else self.env._(
                    "Ask an administrator to switch off “%(setting)s” in Settings, Returns.",
                    setting=label,
                )
            )
        return asked

    # === WORDS === #

    def _get_title(self, model, item, company):
        """Describe which record an item of a document is about."""
        names = [
            self._get_words(self.env[model]._fields[name], item[name], company)
            for name in self._get_keys()[model]
            if item.get(name) and item[name] is not True
        ]
        return self.env._(
            "%(kind)s “%(name)s”",
            kind=self.env['ir.model']._get(model).sudo().name,
            name=" · ".join(names),
        )

    def _get_words(self, field, value, company):
        """Return a value of a document as people read it."""
        if isinstance(value, dict):
            return value.get(self.env.lang) or value.get('en_US') or ""
        if field.type == 'selection':
            return dict(field._description_selection(self.env)).get(value, "–")
        if field.type == 'boolean':
            return self.env._("Yes") if value else self.env._("No")
        if field.relational:
            names = value if isinstance(value, list) else [value] if value else []
            found = [
                self._find_reference(field.comodel_name, name, company)
                .with_context(lang=self.env.lang)
                .display_name
                or name
                for name in names[:MAX_NAMES]
            ]
            more = [f"+ {len(names) - MAX_NAMES}"] if len(names) > MAX_NAMES else []
            return ", ".join([*found, *more]) or "–"
        return f"{value:g}" if field.type in NUMBERS else value or "–"

    def _describe_item(self, record, item, values, company):
        """Describe in a sentence what is written for one record."""
        model, fields_of = record._name, record._fields
        title = self._get_title(model, item, company)
        if record:
            told = [
                self.env._(
                    "%(field)s: %(new)s instead of %(old)s",
                    field=fields_of[name]._description_string(self.env),
                    new=self._get_words(fields_of[name], value, company),
                    old=self._get_words(fields_of[name], self._export_value(record, name), company),
                )
                for name, value in values.items()
            ]
            return self.env._(
                "%(record)s is changed. %(values)s.", record=title, values="; ".join(told)
            )
        if 'sentence' in fields_of:
            # Rules and levels describe themselves.
            draft = record.new(
                {
                    **record.default_get(['currency_id']),
                    **self._prepare_values(record, values, company),
                }
            )
            return self.env._("%(record)s is new. %(values)s", record=title, values=draft.sentence)
        told = [
            self.env._(
                "%(field)s: %(new)s",
                field=fields_of[name]._description_string(self.env),
                new=self._get_words(fields_of[name], value, company),
            )
            for name, value in values.items()
            if value and name not in (*self._get_keys()[model], 'active', 'sequence')
        ]
        if not told:
            return self.env._("%(record)s is new.", record=title)
        return self.env._("%(record)s is new. %(values)s.", record=title, values="; ".join(told))
