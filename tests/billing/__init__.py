from . import test_exchange_billed
