"""Errors shown to customers on their pages, in words for them."""

from odoo.exceptions import UserError


class RequestRefused(UserError):
    """A request that cannot be accepted; its message is for the customer."""


class TooManyWithdrawals(RequestRefused):
    """The page accepts no more statements today; a person handles further ones."""


class TooMuch(RequestRefused):
    """Too many requests in a short time from one visitor, or from all together."""

    http_status = 429
