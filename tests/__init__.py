# Odoo runs the tests whose modules this package has; they are found in the rooms.
from .base import *
from .document import *
from .decision import *
from .reception import *
from .kit import *
from .inspection import *
from .credit import *
from .goodwill import *
from .refund import *
from .books import *
from .message import *
from .deadline import *
from .portal import *
from .bench import *
from .analysis import *
from .flow import *
from . import test_rooms
