"""The help pages of the app in short, see dev/_help.py.

`{language: {role: (title, lead, sections)}}`; section: (title, steps, picture). *Stars* mark text
of the screen.
"""

# The text is more readable than the formatter's output.
# ruff: noqa: E501

FRAMES = {'en_US': "Returns: Help", 'zh_CN': "退货：帮助"}
PAGES = {
    'en_US': {
        'clerk': (
            "Customer service",
            "From the customer's call to an answer: open a return, decide, answer.",
            [
                (
                    "Today's work",
                    [
                        "Open *Returns*. Each card of the *Overview* counts what is waiting, what is yours and what is late.",
                        "Click a number: the list behind it opens.",
                    ],
                    'help_overview',
                ),
                (
                    "Open a return",
                    [
                        "Open the order, its delivery or its invoice and click *Return*.",
                        "Enter how many come back, and why. The verdict of the rules is shown beside each product while you type.",
                        "Click *Submit*. If nobody has to decide, it is approved, and the customer gets a mail with the return slip.",
                    ],
                    'help_create',
                ),
                (
                    "See the status of a return",
                    [
                        "Type a number, a name, an e-mail address, a product or a tracking number into the search and press Enter.",
                        "The banner of a return shows what the customer gets, how and when, and who acts next.",
                    ],
                    'help_return',
                ),
                (
                    "Decide",
                    [
                        "*To Decide* lists the returns that need a decision. *Approve* or *Refuse*; a refusal needs a reason, which the customer reads.",
                        "A customer may appeal once. Somebody else decides on it: *Appeals*.",
                    ],
                ),
                (
                    "Read the messages to the customer",
                    [
                        "Click *Messages* on the return and open one: you see its text before and after it is sent.",
                        "Everything that happens within ten minutes is combined in one mail. *Send Now* does not wait.",
                    ],
                    'help_message',
                ),
            ],
        ),
        'operator': (
            "Warehouse",
            "From the parcel to the shelf: scan, inspect, grade.",
            [
                (
                    "A parcel that was announced",
                    [
                        "Open *Bench* and scan the slip, the tracking number or a serial number.",
                        "Scan each product. Choose its condition; the screen shows where it goes.",
                        "Click *Done*. The goods are moved, and the credit note follows the policy.",
                    ],
                    'bench',
                ),
                (
                    "Something is wrong",
                    [
                        "Too many, a wrong product, an empty box: the bench asks, you answer, and the rest continues.",
                        "Foreign goods are set aside; a colleague finds them under *Wrong or Missing Goods*.",
                    ],
                    'bench_question',
                ),
                (
                    "A parcel that nobody announced",
                    [
                        "Add a return and type what you know: a name, an order, a phone number, a product.",
                        "Choose the order. Nothing found? Park the parcel with a photo: it is listed under *Unexpected Parcels*.",
                    ],
                    'bench_unknown',
                ),
                (
                    "Without a scanner",
                    [
                        "*To Receive* lists what is on its way. *Receive* opens Odoo's own transfer: *Validate*, then *Inspect*.",
                        "*To Inspect* lists what is here. *Inspect* splits it by condition and by what happens to it.",
                    ],
                ),
            ],
        ),
        'accountant': (
            "Accounting",
            "From the credit note to the bank: pay back, compare, close the month.",
            [
                (
                    "Pay back",
                    [
                        "*To Pay Back* lists returns whose customers have to be paid back.",
                        "Click *Pay Back* on the return. It proposes the way the customer paid; leave *Post Now* ticked and you are done.",
                        "Online payments go back to the card automatically. Above the limit a second person releases the payment.",
                    ],
                    'help_to_pay_back',
                ),
                (
                    "What differs",
                    [
                        "*Differences* is empty when goods, credit notes and payments agree. Each line explains in a sentence what is wrong.",
                        "Correct the error at its source, or acknowledge the difference with a reason. A second person acknowledges what you have caused.",
                    ],
                    'help_differences',
                ),
                (
                    "Credit notes",
                    [
                        "They are created from the invoice, to the cent of every tax, and reversed like any other.",
                        "*Failed Credit Notes* lists those that could not be created, with the reason and *Try Again*.",
                    ],
                ),
            ],
        ),
        'manager': (
            "Manager",
            "From the rules to the figures: define how returns work, see what they cost.",
            [
                (
                    "Set up",
                    [
                        "*Configuration, Set-Up* asks five questions. Each has a default, and everything can be undone.",
                        "*Health* lists in sentences what is not set up, each with its button.",
                    ],
                    'help_setup',
                ),
                (
                    "Rules",
                    [
                        "A policy defines the time limit, who decides, and how the money goes back. The first one that matches a product applies.",
                        "Rules of a policy shorten the time or exclude products. Before you save one, it shows which returns of the last 90 days it would have affected.",
                        "Customers read the same on *Return policy*, the page generated from these rules.",
                    ],
                    'help_policy',
                ),
                (
                    "Roles and rights",
                    [
                        "Give roles in Settings, Users: *User* opens and follows, *Inspector* receives and inspects, *Approver* decides, *Manager* does everything, including the set-up.",
                        "Credits without goods have limits, and a person approves them.",
                    ],
                ),
                (
                    "Figures",
                    [
                        "*Dashboards, Returns* has three pages: overview, reasons and products, money. More come with the switch *Statistics* in the settings.",
                        "*Reporting, Analysis* answers what they do not.",
                    ],
                    'help_dashboard',
                ),
            ],
        ),
        'portal': (
            "Customers' pages",
            "What customers see and do themselves, and how you help them.",
            [
                (
                    "How customers request returns",
                    [
                        "With a login: *My Orders*, *Request a return*. Without one: *Returns* at the foot of every page, order number and e-mail address; a link comes by mail.",
                        "They see what can be returned, until when, and why not. Before they send it they see what they will get.",
                        "Up to ten photos or files, two of them videos of up to 50 MB each.",
                    ],
                    'portal_request',
                ),
                (
                    "How they follow",
                    [
                        "Each mail has a link to the page of the return: who acts next, by when, what was credited, and how it is paid back.",
                        "There they enter the tracking number, cancel, appeal, or write to you.",
                    ],
                    'portal_send',
                ),
                (
                    "A link has expired",
                    [
                        "Send them to *Returns* at the foot of your pages: a new link goes to the address of the order, and to no other.",
                    ],
                ),
                (
                    "Switch it off",
                    [
                        "*Configuration, Settings, Customer Portal*. The links, the pages and the return policy are gone at once; returns created by your own people continue.",
                    ],
                ),
            ],
        ),
    },
    'zh_CN': {
        'clerk': (
            "客服",
            "从客户来电到答复：开立退货、审批、告知客户。",
            [
                (
                    "今天要做什么",
                    [
                        "打开“退货”。*概览*上的每张卡片显示待处理、属于您的以及已逾期的数量。",
                        "点击数字，即可打开对应的列表。",
                    ],
                    'help_overview',
                ),
                (
                    "开立退货",
                    [
                        "打开订单、其出库单或发票，点击*退货*。",
                        "填写退回数量和原因。输入时，每个产品旁会显示规则的结论。",
                        "点击*提交*。若无须人工审批，退货即获批准，客户会收到附有退货单的邮件。",
                    ],
                    'help_create',
                ),
                (
                    "查看退货进度",
                    [
                        "在搜索框输入编号、姓名、电子邮件、产品或物流单号，然后按回车。",
                        "退货单上的横幅说明客户将得到多少、以何种方式、何时，以及下一步由谁处理。",
                    ],
                    'help_return',
                ),
                (
                    "审批",
                    [
                        "*待审批*列出需要人工决定的退货。点击*批准*或*拒绝*；拒绝须填写原因，客户会看到。",
                        "客户可申诉一次，由另一人决定：*申诉*。",
                    ],
                ),
                (
                    "查看告知客户的内容",
                    [
                        "在退货单上点击*消息*并打开一条：发送前和发送后都能看到正文。",
                        "十分钟内发生的事合并为一封邮件。*立即发送*则不再等待。",
                    ],
                    'help_message',
                ),
            ],
        ),
        'operator': (
            "仓库",
            "从包裹到货架：扫描、检查、判定。",
            [
                (
                    "已预告的包裹",
                    [
                        "打开*工作台*，扫描退货单、物流单号或序列号。",
                        "逐件扫描产品并选择成色；屏幕会提示放到哪里。",
                        "点击*完成*。货物随即移动，退款通知按政策生成。",
                    ],
                    'bench',
                ),
                (
                    "有问题时",
                    [
                        "数量过多、产品不符、空箱：工作台会提问，您回答后其余照常进行。",
                        "不属于该退货的货物会单独存放，同事可在*错发或缺少的货物*中找到。",
                    ],
                    'bench_question',
                ),
                (
                    "无人预告的包裹",
                    [
                        "添加退货，输入您知道的信息：姓名、订单、电话或产品。",
                        "选择订单。若找不到，请拍照保留包裹：它会列在*无人预期的包裹*中。",
                    ],
                    'bench_unknown',
                ),
                (
                    "没有扫描枪",
                    [
                        "*待收货*列出正在寄回的退货。*收货*打开 Odoo 自己的调拨：点击*验证*，然后*检验*。",
                        "*待检验*列出已到的货物。*检验*按成色和货物去向拆分。",
                    ],
                ),
            ],
        ),
        'accountant': (
            "会计",
            "从退款通知到银行：退款、核对、月结。",
            [
                (
                    "退款",
                    [
                        "*待退款*列出应向客户付款的退货。",
                        "在退货单上点击*退款*。系统建议按客户的付款方式退回；保持勾选*立即过账*即可一步完成。",
                        "在线支付会自动退回原卡。超过限额的付款须由第二人放行。",
                    ],
                    'help_to_pay_back',
                ),
                (
                    "差异",
                    [
                        "货物、退款通知与付款一致时，*差异*为空。每一行都用一句话说明问题。",
                        "在出错处更正，或填写原因予以确认。由您造成的差异须由第二人确认。",
                    ],
                    'help_differences',
                ),
                (
                    "退款通知",
                    [
                        "根据发票生成，每项税额精确到分，可像其他单据一样冲销。",
                        "*失败的退款通知*列出未能生成的单据、原因以及*重试*。",
                    ],
                ),
            ],
        ),
        'manager': (
            "经理",
            "从规则到数据：规定退货方式，了解退货成本。",
            [
                (
                    "设置",
                    [
                        "*配置、设置与检查*提出五个问题，每个都有默认值，且均可撤销。",
                        "*健康检查*逐句说明尚未设置的内容，并附相应按钮。",
                    ],
                    'help_setup',
                ),
                (
                    "规则",
                    [
                        "政策规定期限、由谁审批、如何退款。第一条适用于该产品的政策生效。",
                        "政策中的规则可缩短期限或禁止退货。保存前会显示过去 90 天内会涉及哪些退货。",
                        "客户在*退货政策*页面看到同样的内容，该页面由这些规则生成。",
                    ],
                    'help_policy',
                ),
                (
                    "权限",
                    [
                        "在“设置、用户”中分配角色：*用户*开立和跟进，*检验员*收货和检验，*审批人*审批，*经理*拥有全部权限并负责设置。",
                        "无实物退款有限额，并须由人批准。",
                    ],
                ),
                (
                    "数据",
                    [
                        "*仪表板、退货*有三页：概览、原因和产品、金额。在设置中打开*统计*开关可获得更多。",
                        "其余问题可在*报表、分析*中查询。",
                    ],
                    'help_dashboard',
                ),
            ],
        ),
        'portal': (
            "客户页面",
            "客户自己能看到和做什么，以及您如何帮助他们。",
            [
                (
                    "客户如何申请",
                    [
                        "已登录：*我的订单*、*申请退货*。未登录：点击每页底部的*退货*，输入订单号和电子邮件地址，链接会通过邮件发送。",
                        "客户会看到哪些产品可退、截止何时、不可退的原因，并在提交前看到可得金额。",
                        "最多十张照片或文件，其中视频不超过两个，每个不超过 50 MB。",
                    ],
                    'portal_request',
                ),
                (
                    "客户如何跟进",
                    [
                        "每封邮件都有退货页面的链接：下一步由谁处理、截止何时、已退多少、如何退回。",
                        "客户可在该页填写物流单号、取消、申诉或给您留言。",
                    ],
                    'portal_send',
                ),
                (
                    "链接已过期",
                    [
                        "请客户点击页面底部的*退货*：新链接只会发送到订单上的地址。",
                    ],
                ),
                (
                    "关闭",
                    [
                        "*配置、设置、客户门户*。链接、页面和退货政策立即消失；内部人员开立的退货不受影响。",
                    ],
                ),
            ],
        ),
    },
}
