from . import follow
from . import request
from . import request_access
from . import request_gift
from . import request_guest
from . import request_withdrawal
