"""The story that dev/demo tells on Odoo's own demo data."""


def run(env, **options):
    """Play the story, print it, and return whether every check held."""
    print(f"{len(env['sale.order'].search([]))} demo orders; the story is not written yet.")
    return True
