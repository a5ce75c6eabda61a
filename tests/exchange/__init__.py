from . import test_exchange_budget
from . import test_exchange_concurrency
from . import test_exchange_control
from . import test_exchange_hold
from . import test_exchange_money
from . import test_exchange_order
from . import test_exchange_refused
from . import test_exchange_screens
