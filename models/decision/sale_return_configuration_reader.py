import json
import math

from odoo import api, models
from odoo.exceptions import UserError

from .const import CONFIGURATION_FORMAT, CONFIGURATION_VERSION, REFERENCES

MAX_SIZE, MAX_ITEMS, MAX_TEXT, MAX_NUMBER = 1_000_000, 500, 5000, 10**9


class SaleReturnConfiguration(models.Model):
    """Read configurations from files, and refuse invalid ones with an explanation."""

    _inherit = 'sale.return.configuration'

    @api.model
    def _read(self, text, company):
        """Return the configuration that a file holds.

        :param text: str or bytes of JSON.
        :param company: `res.company` that it is for.
        :rtype: dict
        :raise UserError: when it is invalid, naming the place in it.
        """
        if len(text) > MAX_SIZE:
            raise UserError(
                self.env._("The file is too large for a configuration of Returns. Choose another.")
            )
        try:
            document = json.loads(text, parse_constant=float)
        except (ValueError, RecursionError) as error:
            raise UserError(
                self.env._(
                    "The file cannot be read as JSON. Choose a file that was exported from Returns."
                )
            ) from error
        self._check_head(document)
        sections = self._get_sections()
        known = {'format', 'version', 'name', 'settings', *sections}
        self._check_known(document, known, self.env._("The file"))
        for section, model in sections.items():
            self._check_items(document.get(section, []), model, section, document, company)
        self._check_settings(document.get('settings', {}))
        return document

    def _check_head(self, document):
        if not isinstance(document, dict) or document.get('format') != CONFIGURATION_FORMAT:
            raise UserError(
                self.env._(
                    "The file is not a configuration of Returns. Choose a file that was "
                    "exported from Returns."
                )
            )
        if document.get('version') != CONFIGURATION_VERSION:
            raise UserError(
                self.env._(
                    "The file was exported by another version of Returns (%(theirs)s instead of "
                    "%(ours)s) and cannot be imported. Export it again from a system with this "
                    "version.",
                    theirs=str(document.get('version'))[:20],
                    ours=CONFIGURATION_VERSION,
                )
            )

    def _check_known(self, values, known, where):
        """Refuse unknown keys."""
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise UserError(
                self.env._(
                    "%(place)s: “%(names)s” is unknown. Correct the file, or remove it.",
                    names=", ".join(name[:50] for name in unknown[:5]),
                    place=where,
                )
            )

    def _refuse_value(self, where, sentence):
        """Refuse a value, naming its place in the file."""
        raise UserError(sentence % {'place': where})

    def _get_object_sentence(self):
        return self.env._("%(place)s has to be an object with names and values. Correct the file.")

    def _get_boolean_sentence(self):
        return self.env._("%(place)s has to be true or false. Correct the file.")

    def _check_items(self, items, model, where, document, company):
        """Check the records of a section, or of another record."""
        if not isinstance(items, list) or len(items) > MAX_ITEMS:
            raise UserError(
                self.env._(
                    "%(place)s has to be a list of at most %(count)s. Correct the file.",
                    place=where,
                    count=MAX_ITEMS,
                )
            )
        names, keys = self._get_field_names(model), self._get_keys()[model]
        for number, item in enumerate(items, start=1):
            place = f"{where} {number}"
            if not isinstance(item, dict):
                self._refuse_value(place, self._get_object_sentence())
            self._check_known(item, (*names, 'all_companies'), place)
            if not isinstance(item.get('all_companies', False), bool):
                self._refuse_value(f"{place}, all_companies", self._get_boolean_sentence())
            for name, value in item.items():
                if name != 'all_companies':
                    field = self.env[model]._fields[name]
                    self._check_value(field, value, f"{place}, {name}", document, company)
            if len(keys) == 1 and not item.get(keys[0]):
                raise UserError(
                    self.env._(
                        "%(place)s has no %(key)s. Correct the file.", place=place, key=keys[0]
                    )
                )

    def _check_value(self, field, value, where, document, company):
        """Check one value of a record."""
        if field.type == 'one2many':
            self._check_items(value, field.comodel_name, where, document, company)
        elif field.relational:
            names = value if field.type == 'many2many' else [value] if value else []
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                self._refuse_value(
                    where,
                    self.env._("%(place)s has to be a name, or a list of names. Correct the file."),
                )
            for name in names:
                self._check_reference(field.comodel_name, name, where, document, company)
        elif field.type == 'boolean':
            if not isinstance(value, bool):
                self._refuse_value(where, self._get_boolean_sentence())
        elif field.type in ('integer', 'float', 'monetary'):
            self._check_number(field, value, where)
        elif field.type == 'selection':
            if value not in (False, *field.get_values(self.env)):
                raise UserError(
                    self.env._(
                        "%(place)s has to be one of these: %(values)s. Correct the file.",
                        place=where,
                        values=", ".join(field.get_values(self.env)),
                    )
                )
        else:
            self._check_text(field, value, where)

    def _check_number(self, field, value, where):
        numbers = int if field.type == 'integer' else (int, float)
        fits = isinstance(value, numbers) and not isinstance(value, bool)
        low = -MAX_NUMBER if field.name == 'sequence' else 0
        if not fits or not math.isfinite(value) or not low <= value <= MAX_NUMBER:
            self._refuse_value(
                where,
                self.env._("%(place)s has to be zero or a positive number. Correct the file."),
            )

    def _check_text(self, field, value, where):
        texts = value if isinstance(value, dict) and field.translate else {'en_US': value}
        if 'en_US' not in texts or not all(
            text is False or (isinstance(text, str) and len(text) <= MAX_TEXT and '\0' not in text)
            for text in texts.values()
        ):
            self._refuse_value(
                where,
                self.env._(
                    "%(place)s has to be a text, or texts by language with en_US. Correct the file."
                ),
            )

    def _check_reference(self, model, name, where, document, company):
        """Refuse a name that no record has, or several have."""
        # Records of the file may refer to each other.
        for section, sectional in self._get_sections().items():
            if sectional == model:
                known = (REFERENCES[model][0], document.get(section))
                if isinstance(known[1], list) and any(
                    isinstance(item, dict) and item.get(known[0]) == name for item in known[1]
                ):
                    return
        if '\0' in name or not self._find_reference(model, name, company):
            raise UserError(
                self.env._(
                    "%(place)s refers to “%(name)s”, which does not exist or is not unique. "
                    "Create it first, or correct the file.",
                    place=where,
                    name=name[:100],
                )
            )

    def _check_settings(self, settings):
        if not isinstance(settings, dict):
            self._refuse_value('settings', self._get_object_sentence())
        self._check_known(settings, self._get_setting_names(), 'settings')
        for name, value in settings.items():
            if not isinstance(value, bool):
                self._refuse_value(f"settings, {name}", self._get_boolean_sentence())
