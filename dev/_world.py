"""Build the company of the tests into a database, so that each class of tests finds it there."""


def run(env):
    # Imported only after the registry is loaded.
    from odoo.addons.sale_return.tests.common import SaleReturnCommon

    class World(SaleReturnCommon):
        pass

    World.keep_world(env)
    return True
