from . import sale_return_keep_rule
from . import sale_return_line
from . import sale_return_portal_offer
from . import sale_return_unbacked
from . import sale_return_wallet

# The wings whose fields and methods this one names.
USES = ('portal', 'wallet')
