from . import test_keep
