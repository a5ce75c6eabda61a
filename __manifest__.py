{
    'name': "Returns",
    'version': '19.0.1.0.0',
    'category': 'Sales/Sales',
    'summary': "Customer returns from the request to the last cent in the ledger",
    'author': "The sale_return contributors",
    'license': 'LGPL-3',
    'depends': [
        'sale_stock',
        'portal_rating',
        'barcodes_gs1_nomenclature',
        'spreadsheet_dashboard',
    ],
    'data': [
        # Groups come first: the access rights and the rules name them.
        'security/sale_return_groups.xml',
        'security/ir.model.access.csv',
        'security/sale_return_security.xml',

        'data/ir_sequence_data.xml',
        'data/ir_cron_data.xml',
        # The policy names a disposition as its default.
        'data/sale_return_disposition_data.xml',
        'data/sale_return_grade_data.xml',
        'data/sale_return_policy_data.xml',
        'data/sale_return_reason_data.xml',

        'wizards/sale_return_create_views.xml',
        'wizards/sale_return_inspect_views.xml',
        'wizards/sale_return_explain_views.xml',
        'wizards/stock_return_picking_views.xml',

        'views/sale_return_views.xml',
        'views/sale_return_line_views.xml',
        'views/sale_return_inspection_views.xml',
        'views/sale_return_event_views.xml',
        'views/sale_return_disposition_views.xml',
        'views/sale_return_grade_views.xml',
        'views/sale_return_policy_views.xml',
        'views/sale_return_reason_views.xml',
        'views/account_move_views.xml',
        'views/res_config_settings_views.xml',
        'views/sale_order_views.xml',
        'views/stock_picking_views.xml',
        'views/stock_warehouse_views.xml',
        # Menus name the actions of the files above.
        'views/sale_return_menus.xml',
    ],
    'application': True,
    'post_init_hook': 'post_init_hook',
    'uninstall_hook': 'uninstall_hook',
}
