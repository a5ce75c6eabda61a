from . import test_channel_import
from . import test_channel_properties
from . import test_channel_readers
from . import test_channel_returns
from . import test_channel_round_trip
