from . import test_gift
from . import test_gift_clerk
