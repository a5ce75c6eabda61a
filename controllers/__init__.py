from . import request_access
