from . import test_store_credit
from . import test_wallet_properties
