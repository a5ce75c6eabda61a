from . import test_bench
from . import test_bench_scans
from . import test_bench_ui
from . import test_bench_ui_mistakes
from . import test_parcels
