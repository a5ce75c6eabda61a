"""Installation steps that data files cannot express."""


def post_init_hook(env):
    """Give every existing warehouse its returns operation type and its quarantine."""
    warehouses = env['stock.warehouse'].with_context(active_test=False).search([])
    warehouses._create_sale_return_setup()


def uninstall_hook(env):
    """Give the delivery types the return type of Odoo back."""
    warehouses = env['stock.warehouse'].with_context(active_test=False).search([])
    for warehouse in warehouses:
        if warehouse.out_type_id.return_picking_type_id == warehouse.sale_return_type_id:
            warehouse.out_type_id.return_picking_type_id = warehouse.in_type_id
