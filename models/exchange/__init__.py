from . import account_move
from . import product_product
from . import res_company
from . import res_config_settings
from . import res_partner
from . import sale_order
from . import sale_order_line
from . import sale_return
from . import sale_return_bench_facts
from . import sale_return_event
from . import sale_return_exchange
from . import sale_return_exchange_order
from . import sale_return_hold
from . import sale_return_line
from . import sale_return_message_kind
from . import sale_return_policy
from . import sale_return_portal_offer
from . import sale_return_portal_request
from . import sale_return_reason
from . import stock_move

# The wings whose fields and methods this wing uses.
USES = ('refund', 'message', 'portal', 'bench')
