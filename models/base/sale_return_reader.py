import functools

from odoo import api, models
from odoo.exceptions import UserError

from ...tools.reader import FIELD_KINDS, MAX_DEPTH, Unreadable, anything

OURS = 'sale.return'
# Prefixes that spreadsheets treat as formulas. Odoo only escapes some of them, and in CSV only.
FORMULAS = ('=', '{=', '@', '+', '-', '\t', '\r')


def read_values(method):
    """Return `create` or `write` of a model that validates the values of clients first."""

    @functools.wraps(method)
    def read(self, *args, **kwargs):
        if not self.env.su:
            reader = self.env['sale.return.reader']
            plain = reader._read_vals if method.__name__ == 'write' else reader._read_rows
            # Passed by position or by name.
            args = [plain(self, vals) for vals in args]
            kwargs = {name: plain(self, vals) for name, vals in kwargs.items()}
        return method(self, *args, **kwargs)

    read.reads_values = True
    return read


def export_texts(method):
    """Return `export_data` of a model that exports no text of others as a formula."""

    @functools.wraps(method)
    def export(self, fields_to_export):
        result = method(self, fields_to_export)
        for row in result['datas']:
            row[:] = [
                f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value
                for value in row
            ]
        return result

    export.exports_texts = True
    return export


def ensure_one(self):
    """Override of `base`: a client that names no record, or several, gets an error message."""
    if not self.env.su:
        self.env['sale.return.reader']._ensure_one(self)
    return models.BaseModel.ensure_one(self)


class SaleReturnReader(models.AbstractModel):
    """Service: validate the input of remote clients, see `tools/reader.py`.

    Arguments of public methods are read by `tools.reader.reads`, values of `create` and `write` of
    all models of returns here: so models only work with valid ones.
    """

    _name = 'sale.return.reader'
    _description = "Reader of Arguments"

    def _register_hook(self):
        """Override of `base` to validate values before any override of our models uses them.

        The overrides of a model run before those of its mixins, and use the values as well.
        """
        super()._register_hook()
        for name, cls in self.env.registry.items():
            if name.startswith(OURS) and not cls._abstract:
                cls.ensure_one = ensure_one
                if not hasattr(cls.export_data, 'exports_texts'):
                    cls.export_data = export_texts(cls.export_data)
                for method in ('create', 'write'):
                    if not hasattr(getattr(cls, method), 'reads_values'):
                        setattr(cls, method, read_values(getattr(cls, method)))

    # === VALUES === #

    @api.model
    def _read_rows(self, model, rows):
        """Return the validated values that a client sends for records; see `_read_vals`.

        :param rows: of one record, or a list for several.
        """
        if isinstance(rows, (list, tuple)):
            return [self._read_vals(model, vals) for vals in rows]
        return self._read_vals(model, rows)

    @api.model
    def _read_vals(self, model, vals, depth=0):
        """Return the values of one record as its fields can store them.

        :param model: of the values.
        :param dict vals: `{field name: value}`
        :param int depth: nesting level of the record.
        :rtype: dict
        :raise UserError: naming the field and what it accepts.
        """
        if not isinstance(vals, dict) or depth > MAX_DEPTH:
            raise UserError(
                self.env._(
                    "The values of %(model)s have to be field names with values. Correct the call.",
                    model=model._description,
                )
            )
        result = {}
        for name, value in vals.items():
            field = model._fields.get(name)
            if not field:
                raise UserError(
                    self.env._(
                        "%(model)s has no field “%(field)s”. Correct the call.",
                        field=name,
                        model=model._description,
                    )
                )
            try:
                result[name] = self._read_value(model, field, value, depth)
            except Unreadable as error:
                raise UserError(self._describe_value(model, field, str(error))) from error
        return result

    @api.model
    def _read_value(self, model, field, value, depth=0):
        """Return one value as its field can store it.

        :raise Unreadable: naming what was expected.
        """
        if isinstance(value, models.BaseModel):
            return value  # our own code
        value = FIELD_KINDS.get(field.type, anything)(value)
        if field.type in ('selection', 'date', 'datetime', 'reference'):
            # Values that Odoo cannot read raise these errors.
            try:
                field.convert_to_cache(value, model.browse(), validate=True)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise Unreadable(field.type) from error
        elif field.relational and isinstance(value, list):
            comodel = self.env[field.comodel_name]
            value = [
                (*row[:2], self._read_vals(comodel, row[2], depth + 1))
                if isinstance(row, (list, tuple)) and row[0] in (0, 1) and len(row) == 3
                else row
                for row in value
            ]
        return value

    @api.model
    def _describe_value(self, model, field, code):
        """Return the error about a value that a field cannot store."""
        label = f'{field._description_string(self.env)} ({field.name})'
        if field.type == 'selection':
            return self.env._(
                "“%(field)s” of %(model)s has to be one of these: %(choices)s.",
                field=label,
                model=model._description,
                choices=", ".join(map(str, field.get_values(self.env))),
            )
        sentences = self._get_sentences()
        names = {'argument': label, 'method': model._description}
        return (sentences.get(code) or sentences['value']) % names

    # === ARGUMENTS === #

    @api.model
    def _get_sentences(self):
        """Return the errors about unexpected arguments: `{code: sentence}`."""
        return {
            'text': self.env._(
                "“%(argument)s” of %(method)s has to be a text without control characters. "
                "Correct the call."
            ),
            'number': self.env._(
                "“%(argument)s” of %(method)s has to be a number. Correct the call."
            ),
            'id': self.env._(
                "“%(argument)s” of %(method)s has to be the ID of a record. Correct the call."
            ),
            'code or id': self.env._(
                "“%(argument)s” of %(method)s has to be a code or the ID of a record. "
                "Correct the call."
            ),
            'yes or no': self.env._(
                "“%(argument)s” of %(method)s has to be true or false. Correct the call."
            ),
            'day': self.env._(
                "“%(argument)s” of %(method)s has to be a day such as 2026-05-04. Correct the call."
            ),
            'date': self.env._(
                "“%(argument)s” of %(method)s has to be a day such as 2026-05-04. Correct the call."
            ),
            'datetime': self.env._(
                "“%(argument)s” of %(method)s has to be a day and a time such as "
                "2026-05-04 16:30:00. Correct the call."
            ),
            'line': self.env._(
                "“%(argument)s” of %(method)s has to be a text of one line, without control "
                "characters. Correct the call."
            ),
            'file': self.env._(
                "“%(argument)s” of %(method)s has to be a file in base64. Correct the call."
            ),
            'reference': self.env._(
                "“%(argument)s” of %(method)s has to be a model and an ID such as sale.order,1. "
                "Correct the call."
            ),
            'domain': self.env._(
                "“%(argument)s” of %(method)s has to be a domain. Correct the call."
            ),
            'list': self.env._("“%(argument)s” of %(method)s has to be a list. Correct the call."),
            'values': self.env._(
                "“%(argument)s” of %(method)s has to be names with values. Correct the call."
            ),
            'value': self.env._(
                "“%(argument)s” of %(method)s has to be a value that can be stored. "
                "Correct the call."
            ),
        }

    @api.model
    def _refuse_argument(self, method, name, code):
        """Refuse a call because of one argument.

        :param str method: name of the called method.
        :param str name: name of the argument.
        :param str code: what was expected, after the names of the keys that lead to it.
        :raise UserError: always.
        """
        raise UserError(self._describe_argument(method, name, code))

    @api.model
    def _describe_argument(self, method, name, code):
        """Return the sentence about an argument that cannot be read, see `_refuse_argument`."""
        *path, kind = code.split(': ')
        names = {'argument': '.'.join([name, *path]), 'method': method}
        sentences = self._get_sentences()
        return (sentences.get(kind) or sentences['value']) % names

    @api.model
    def _ensure_one(self, records):
        """Refuse a call for one record that has none or several.

        :raise UserError: saying how many were named.
        """
        # An abstract model has no records, whatever IDs a client sends.
        number = 0 if records._abstract else len(records._ids)
        if number != 1:
            raise UserError(
                self.env._(
                    "This can only be done for one %(model)s at a time, but %(number)s were "
                    "given. Give one.",
                    model=records._description,
                    number=number,
                )
            )

    @api.model
    def _refuse_call(self, method, names):
        """Refuse a call with too many or too few arguments.

        :raise UserError: always.
        """
        raise UserError(
            self.env._(
                "%(method)s takes these arguments: %(arguments)s. Correct the call.",
                method=method,
                arguments=", ".join(names),
            )
        )
