from . import sale_order_line_kit
from . import sale_return_kit
from . import stock_move_kit
