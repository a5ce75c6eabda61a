from . import follow
from . import request_access
from . import request
from . import request_guest
from . import request_withdrawal
