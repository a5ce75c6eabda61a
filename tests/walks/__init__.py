from . import test_long_names
from . import test_walks
