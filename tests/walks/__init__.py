from . import test_walks
