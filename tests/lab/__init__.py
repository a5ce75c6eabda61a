from . import test_policy_lab
