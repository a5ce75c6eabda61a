from . import account_move
from . import account_move_line
from . import account_payment
from . import payment_transaction
from . import sale_return_payback
from . import sale_return
from . import sale_return_refund
