"""A client of Returns, over JSON-2: submits returns, asks what has changed, checks web hooks.

    python client.py https://odoo.example.com API_KEY CHANNEL_ID

The API key is that of a user with the role User of Returns (Preferences > Security > API keys).
"""

import hashlib
import hmac
import sys
import time

import requests


class Client:
    """One channel of one database."""

    def __init__(self, url, key, channel, session=None):
        self.url, self.channel = url.rstrip('/'), channel
        self.session = session or requests.Session()
        self.headers = {'Authorization': f'Bearer {key}'}

    def call(self, model, method, **arguments):
        """Call a method; what Odoo refuses raises an error with its sentence."""
        answer = self.session.post(
            f'{self.url}/json/2/{model}/{method}',
            json=arguments,
            headers=self.headers,
            timeout=600,
        )
        if not answer.ok:
            raise RuntimeError(answer.json().get('message', answer.text))
        return answer.json()

    def bring(self, rows, size=1000):
        """Submit returns; yield the result of each. It may be repeated at any time."""
        for start in range(0, len(rows), size):
            yield from self.call(
                'sale.return.channel',
                'import_returns',
                ids=[self.channel],
                rows=rows[start : start + size],
            )

    def follow(self, since=None):
        """Yield what has changed and the cursor to continue from: pass it the next time."""
        more = True
        while more:
            answer = self.call('sale.return.channel', 'query', ids=[self.channel], since=since)
            since, more = answer['next'], answer['more']
            yield answer['rows'], since


def is_genuine(secret, headers, body, now=None):
    """Tell whether a call of a web hook comes from Odoo, and was sent in the last five minutes."""
    stamp = headers['X-Returns-Timestamp']
    digest = hmac.new(secret.encode(), f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()
    fresh = abs((now or time.time()) - int(stamp)) < 300
    return fresh and hmac.compare_digest(headers['X-Returns-Signature'], f'sha256={digest}')


if __name__ == '__main__':
    for rows, cursor in Client(sys.argv[1], sys.argv[2], int(sys.argv[3])).follow():
        print(cursor, *rows, sep='\n')
