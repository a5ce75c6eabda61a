"""Build the bundles of scripts and styles of pages in advance, so that tests need not."""

# Loaded when they are needed, so no page names them.
LAZY = (
    'bus.websocket_worker_assets',
    'spreadsheet.o_spreadsheet',
    'web.assets_backend_lazy',
    'web.chartjs_lib',
)


def run(env):
    qweb = env['ir.qweb']
    qweb._pregenerate_assets_bundles()
    for name in LAZY:
        bundle = qweb._get_asset_bundle(name)
        bundle.js()
        bundle.css()
    return True
