"""Calls to addresses that somebody has typed in: signed, and to public addresses only."""

import hashlib
import hmac
import ipaddress
import socket
from urllib.parse import urlsplit, urlunsplit

from requests.adapters import HTTPAdapter

# IPv4 addresses that are written as IPv6 are what they stand for. Of the rest of IPv6 only this
# part is given out: everything else is local, translated locally, or nobody's.
TRANSLATED = ipaddress.ip_network('64:ff9b::/96')
GIVEN_OUT = ipaddress.ip_network('2000::/3')
# Public by their number only: examples, relays, and the host itself in the cloud of Azure.
NOT_CALLED = [
    ipaddress.ip_network(text) for text in ('3fff::/20', '192.88.99.0/24', '168.63.129.16/32')
]


class AddressError(ValueError):
    """An address that is not called: a code in ``args[0]``, what it is about in ``args[1]``."""


def sign(secret, stamp, body):
    """Return the signature of a body, sent at a moment.

    >>> sign('secret', '1700000000', b'{}')
    'sha256=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163'
    """
    digest = hmac.new(secret.encode(), f'{stamp}.'.encode() + body, hashlib.sha256)
    return f'sha256={digest.hexdigest()}'


def is_public(text):
    """Tell whether an IP address is one of the internet.

    >>> [is_public(ip) for ip in ('8.8.8.8', '2606:4700::1111')]
    [True, True]
    >>> [is_public(ip) for ip in ('127.0.0.1', '10.0.0.1', '169.254.169.254', '0.0.0.0', '::1')]
    [False, False, False, False, False]
    >>> [is_public(ip) for ip in ('::ffff:10.0.0.1', '64:ff9b::7f00:1', '224.0.0.1', 'fe80::1%1')]
    [False, False, False, False]
    >>> [is_public(ip) for ip in ('::127.0.0.1', '::ffff:0:7f00:1', 'fec0::1', '64:ff9b:1::7f00:1')]
    [False, False, False, False]
    >>> [is_public(ip) for ip in ('64:ff9b::808:808', '2002:7f00:1::', '168.63.129.16')]
    [True, False, False]
    """
    address = ipaddress.ip_address(text.partition('%')[0])
    if address.version == 6:
        inner = address.ipv4_mapped or address.sixtofour
        if address in TRANSLATED:
            inner = ipaddress.ip_address(int(address) & 0xFFFFFFFF)
        if address.teredo or not (inner or address in GIVEN_OUT):
            return False
        address = inner or address
    taken = any(address in network for network in NOT_CALLED)
    return address.is_global and not address.is_multicast and not taken


def split(url):
    """Return scheme, host and port of an address.

    >>> split('https://example.com/in'), split('http://[::1]:8080/')
    (('https', 'example.com', 443), ('http', '::1', 8080))
    >>> for url in ('ftp://example.com', 'https://u:p@example.com', 'nonsense', 'http://a:99999'):
    ...     try: split(url)
    ...     except AddressError as error: print(error.args[0])
    url
    url
    url
    url
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {'http': 80, 'https': 443}[parts.scheme]
    except (ValueError, KeyError):
        raise AddressError('url', url) from None
    if not parts.hostname or parts.username is not None:
        raise AddressError('url', url)
    return parts.scheme, parts.hostname, port


def resolve(url, private=False):
    """Return the IP address to call: it is resolved once and cannot change before the call.

    :param bool private: addresses of the own network are allowed, too
    :raise AddressError: if there is none, or one of them is not public

    >>> for url in ('http://[::1]/', 'http://a..b/', f'http://{"a" * 70}.com/'):
    ...     try: resolve(url)
    ...     except AddressError as error: print(error.args[0])
    private
    unknown
    unknown
    """
    _scheme, host, port = split(url)
    try:
        found = {each[4][0] for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):  # no such name, or none at all
        raise AddressError('unknown', host) from None
    if not private and not all(map(is_public, found)):
        raise AddressError('private', host)
    return sorted(found, key=lambda ip: ':' in ip)[0]


class PinnedAdapter(HTTPAdapter):
    """Calls one IP address, and requires a certificate for the name of the host."""

    def __init__(self, url, ip):
        self.scheme, self.host, self.port = split(url)
        self.ip = ip
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        """Override of `requests`."""
        if self.scheme == 'https':
            kwargs.update(server_hostname=self.host, assert_hostname=self.host)
        return super().init_poolmanager(*args, **kwargs)

    def send(self, request, *args, **kwargs):
        """Override of `requests`."""
        parts = urlsplit(request.url)
        request.headers['Host'] = parts.netloc
        host = f'[{self.ip}]' if ':' in self.ip else self.ip
        request.url = urlunsplit(parts._replace(netloc=f'{host}:{self.port}'))
        return super().send(request, *args, **kwargs)
