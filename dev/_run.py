"""Call ``run(env, **options)`` of a Python file on a database, as the administrator.

    python dev/_run.py CONFIG DATABASE LOGFILE FILE.py [name=value ...]

Commits and exits with 0 if ``run`` returns something true, else with 1. Warnings and worse go to
the log file.
"""

import importlib.util
import sys

import odoo
from odoo import api
from odoo.modules.registry import Registry
from odoo.tools import config


def main(conf, database, logfile, path, *pairs):
    options = ['-c', conf, '-d', database, '--logfile', logfile, '--log-level=warn', '--no-http']
    config.parse_config(options, setup_logging=True)
    spec = importlib.util.spec_from_file_location('sale_return_script', path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    with Registry(database).cursor() as cr:
        env = api.Environment(cr, odoo.SUPERUSER_ID, {})
        env = env(user=env.ref('base.user_admin'), context=env.user.context_get())
        done = script.run(env, **dict(pair.split('=', 1) for pair in pairs))
        if not done:
            cr.rollback()
    return 0 if done else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
