from . import sale_return
from . import sale_return_keep_rule
from . import sale_return_line
from . import sale_return_portal_offer
from . import sale_return_portal_page
from . import sale_return_portal_request
from . import sale_return_unbacked
from . import sale_return_wallet
from . import res_config_settings

# The wings whose fields and methods this one names.
USES = ('portal', 'refund', 'wallet')
