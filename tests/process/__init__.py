from . import test_process
from . import test_process_walk
