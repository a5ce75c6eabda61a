from . import test_flow_full_return
