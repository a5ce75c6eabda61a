from . import follow
from . import request_access
from . import request
