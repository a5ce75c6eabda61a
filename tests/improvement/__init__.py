from . import test_improvements
from . import test_suggestions
