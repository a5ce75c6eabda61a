from . import account_move_message
from . import sale_return_event_message
from . import sale_return_message
from . import sale_return_message_facts
from . import sale_return_message_kind
from . import sale_return_messages
from . import sale_return_follow_up
from . import sale_return_policy_messages
