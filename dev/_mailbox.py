"""Catch the mails that Odoo sends: nothing leaves the machine.

    python dev/_mailbox.py PORT FOLDER

Each mail becomes a file FOLDER/NUMBER.eml, which any mail program opens, and a line on the screen.
"""

import email
import email.policy
import socketserver
import sys
from pathlib import Path


class Mailbox(socketserver.StreamRequestHandler):
    """The part of SMTP (RFC 5321) that Odoo uses to send a mail."""

    def handle(self):
        self.answer("220 mailbox")
        for line in self.rfile:
            command = line[:4].upper()
            if command == b'DATA':
                self.answer("354 go on")
                self.keep(self.read_mail())
                self.answer("250 kept")
            elif command == b'QUIT':
                self.answer("221 bye")
                return
            else:
                self.answer("250 ok")

    def answer(self, text):
        self.wfile.write(f'{text}\r\n'.encode())

    def read_mail(self):
        """Return a mail up to the line with nothing but a dot."""
        lines = []
        for line in self.rfile:
            if line == b'.\r\n':
                break
            lines.append(line.removeprefix(b'.'))
        return b''.join(lines)

    def keep(self, content):
        folder = self.server.folder
        path = folder / f'{len(list(folder.glob("*.eml"))) + 1:04}.eml'
        path.write_bytes(content)
        mail = email.message_from_bytes(content, policy=email.policy.default)
        print(f"Mail to {mail['To']}: {mail['Subject']} ({path})", flush=True)


def main(port, folder):
    """Listen until stopped."""
    with socketserver.TCPServer(('127.0.0.1', int(port)), Mailbox) as server:
        server.folder = Path(folder)
        server.folder.mkdir(parents=True, exist_ok=True)
        server.serve_forever()


if __name__ == '__main__':
    main(*sys.argv[1:])
