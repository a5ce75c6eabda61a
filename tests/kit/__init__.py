from . import test_combos
from . import test_kits
from . import test_kits_awkward
