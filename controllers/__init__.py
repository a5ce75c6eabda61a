from . import follow
from . import request_access
