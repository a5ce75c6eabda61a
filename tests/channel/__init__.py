from . import test_channel_readers
