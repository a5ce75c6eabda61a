from . import account_move
from . import ir_http
from . import res_partner
from . import sale_order
from . import sale_return_line
from . import sale_return
from . import sale_return_portal_page
from . import sale_return_portal_policy
from . import sale_return_portal_request
from . import sale_return_portal_request_withdrawal
from . import sale_return_portal_link
from . import sale_return_portal_gate
from . import sale_return_portal_offer
from . import sale_return_reason
from . import sale_return_withdrawal

# The wings whose fields and methods this wing uses.
USES = ('refund', 'deadline')
