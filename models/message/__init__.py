from . import account_move
from . import sale_return_event
from . import sale_return_message_money
from . import sale_return_message
from . import sale_return_message_kind
from . import sale_return
from . import sale_return_policy
from . import sale_return_health

# The wings whose fields and methods this wing uses.
USES = ('refund',)
