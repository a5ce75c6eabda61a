from . import account_move
from . import res_company
from . import res_config_settings
from . import sale_return_store_credit
from . import sale_return_wallet_card
from . import sale_return_wallet
from . import sale_return_line
from . import sale_return
from . import sale_return_event
from . import sale_return_explainer
from . import sale_return_health
from . import sale_return_message_money
from . import sale_return_policy
from . import sale_return_portal_offer
from . import sale_return_portal_request
from . import sale_return_note_check
from . import sale_return_reconciler
from . import sale_return_reconciliation
from . import sale_return_refund
from . import sale_return_unbacked

# The wings whose fields and methods this one names.
USES = ('refund', 'books', 'message', 'portal', 'exchange')
