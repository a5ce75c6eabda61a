from . import account_move
from . import account_move_line
from . import account_payment
from . import sale_order
from . import sale_order_line
from . import sale_return_billing
from . import sale_return_explainer
from . import sale_return_payback
from . import sale_return_reconciler
from . import sale_return_reconciliation
from . import sale_return_refund
from . import sale_return_unbacked

# The wings whose fields and methods this wing uses.
USES = ('refund', 'books', 'exchange')
