from . import account_move
from . import res_partner
from . import res_users
from . import sale_order
from . import sale_return_goodwill
from . import sale_return_goodwill_credit
from . import sale_return_unbacked
