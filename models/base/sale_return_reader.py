from odoo import api, models
from odoo.exceptions import UserError


class SaleReturnReader(models.AbstractModel):
    """Service: say what is wrong with the arguments of a remote call, see `tools/reader.py`."""

    _name = 'sale.return.reader'
    _description = "Reader of Arguments"

    @api.model
    def _get_expected(self):
        """Return what each kind of argument is called: `{code: words}`."""
        return {
            'text': self.env._("a text without control characters"),
            'number': self.env._("a number"),
            'id': self.env._("the ID of a record"),
            'code or id': self.env._("a code or the ID of a record"),
            'yes or no': self.env._("true or false"),
            'day': self.env._("a day such as 2026-05-04"),
            'domain': self.env._("a domain"),
            'list': self.env._("a list"),
            'values': self.env._("names with values"),
            'value': self.env._("a value that can be stored"),
        }

    @api.model
    def _refuse_argument(self, method, name, code):
        """Refuse a call because of one argument.

        :param str method: that was called.
        :param str name: of the argument.
        :param str code: what was expected, after the names of the keys that lead to it.
        :raise UserError: always.
        """
        raise UserError(self._describe_argument(method, name, code))

    @api.model
    def _describe_argument(self, method, name, code):
        """Return the sentence about an argument that cannot be read, see `_refuse_argument`."""
        *path, kind = code.split(': ')
        return self.env._(
            "“%(argument)s” of %(method)s has to be %(expected)s. Correct the call.",
            argument='.'.join([name, *path]),
            method=method,
            expected=self._get_expected().get(kind, kind),
        )

    @api.model
    def _refuse_call(self, method, names):
        """Refuse a call that has too many or too few arguments.

        :raise UserError: always.
        """
        raise UserError(
            self.env._(
                "%(method)s takes these arguments: %(arguments)s. Correct the call.",
                method=method,
                arguments=", ".join(names),
            )
        )
