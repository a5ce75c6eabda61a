from . import test_channel_settlement
