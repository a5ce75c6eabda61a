"""Visitors: the sender of a request, as far as the network shows."""

from ipaddress import ip_address, ip_network

# One subscriber has at least this much of IPv6, so single addresses are meaningless.
IPV6_PREFIX = 64


def get_visitor(address, forwarded=False, trusts_proxy=False):
    """Return the key that requests of one visitor have in common.

    :param str address: the other end of the connection; with a trusted proxy the one it names.
    :param bool forwarded: whether a proxy passed the request on, according to its headers.
    :param bool trusts_proxy: whether the server trusts its proxy.
    :return: the IPv4 address or the /64 network of IPv6; None where it is the address of a proxy
        that is not trusted, which is the same for everybody.
    :rtype: str | None

    >>> get_visitor('203.0.113.9')
    '203.0.113.9'
    >>> get_visitor('2001:db8:1:2:aaaa::1') == get_visitor('2001:db8:1:2:bbbb::2')
    True
    >>> get_visitor('2001:db8:1:2::1'), get_visitor('2001:db8:1:3::1')
    ('2001:db8:1:2::/64', '2001:db8:1:3::/64')
    >>> get_visitor('::ffff:203.0.113.9'), get_visitor('fe80::1%eth0')
    ('203.0.113.9', 'fe80::/64')

    A proxy is in front, but the server is not configured for it. A header from outside proves
    nothing.

    >>> get_visitor('127.0.0.1', forwarded=True) is None
    True
    >>> get_visitor('127.0.0.1', forwarded=True, trusts_proxy=True)
    '127.0.0.1'
    >>> get_visitor('198.41.0.4', forwarded=True)
    '198.41.0.4'
    >>> get_visitor('no address'), get_visitor(None)
    ('unknown', 'unknown')
    """
    try:
        found = ip_address(str(address).split('%')[0])
    except ValueError:
        return 'unknown'
    found = getattr(found, 'ipv4_mapped', None) or found
    if forwarded and not trusts_proxy and not found.is_global:
        return None
    if found.version == 4:
        return str(found)
    return str(ip_network((found, IPV6_PREFIX), strict=False))
