"""What is refused to customers on their pages; each sentence is for them."""

from odoo.exceptions import UserError


class RequestRefused(UserError):
    """A request that cannot be taken; its sentence is for the customer."""


class TooManyWithdrawals(RequestRefused):
    """The page accepts no more statements today; a person takes any further ones."""


class TooMuch(RequestRefused):
    """More came in a short time than one visitor, or all of them together, may send."""

    http_status = 429
