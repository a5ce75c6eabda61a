import json

from odoo.tests import tagged

from ..common_walk import DESK, TELEPHONE, WalkCommon

NAME = (
    "Industrial Height-Adjustable Standing Desk with Memory Panel, Cable Tray and Castors, "
    "Solid Oak, 180 × 80 cm"
)
# What hides a part of a name without a title or a tip that says it in full.
UNREADABLE = """
(() => {
    const name = %s, found = new Set();
    const tip = (e) => {
        for (; e && !walk.wraps; e = e.parentElement) {
            const text = (e.getAttribute("title") || "") + (e.dataset.tooltip || "");
            if (text.includes(name)) {
                return true;
            }
        }
        return false;
    };
    const cut = (e) => e.clientWidth > 1
        && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 6);
    for (const node of walk.texts()) {
        if (!node.data.includes(name.slice(0, 12))) {
            continue;
        }
        for (let e = node.parentElement; e && e !== document.body; e = e.parentElement) {
            const style = getComputedStyle(e);
            const hides = ["hidden", "clip"].includes(style.overflowX);
            if (!node.data.includes(name) || (hides && cut(e))) {
                if (!tip(node.parentElement)) {
                    found.add(`${node.data.trim()} (${walk.name(e)})`);
                }
                break;
            }
            if (["auto", "scroll"].includes(style.overflowX)) {
                break;
            }
        }
    }
    for (const e of document.querySelectorAll("input, textarea")) {
        if (walk.visible(e) && e.value.includes(name) && e.scrollWidth > e.clientWidth + 1
            && !tip(e)) {
            found.add(`${e.value} (${walk.name(e)})`);
        }
    }
    return [...found];
})()
""" % json.dumps(NAME)

# Lists that name products.
ACTIONS = (
    'sale_return_line_action',
    'sale_return_inspection_action',
    'sale_return_discrepancy_action',
    'sale_return_quarantine_report_action',
    'sale_return_worklist_action',
    'sale_return_deadline_action',
    'sale_return_ranking_action_product',
)


@tagged('post_install', '-at_install')
class TestLongNames(WalkCommon):
    """Long names of products can be read in full wherever they are shown."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.name = NAME
        cls.order = cls._create_paid_sale({'quantity': 2})
        order = cls._create_paid_sale({'quantity': 2})
        cls.draft = cls._create_return(order, 2, submit=False)
        cls.waiting = cls._create_return(cls._create_paid_sale({'quantity': 2}), 2)
        cls.here = cls._create_return(cls._create_paid_sale({'quantity': 2}), 2)
        cls._receive(cls.here)
        cls.done = cls._return_goods(cls._create_paid_sale({'quantity': 2}), 2)
        cls.people = cls._create_person(
            "Lena",
            'sales_team.group_sale_salesman_all_leads',
            'sale_return.group_inspector',
            'sale_return.group_approver',
        )

    def _get_pages(self):
        lines = ".o_form_view .o_field_widget[name='line_ids']"
        form = f"{lines} .o_data_row, {lines} .o_kanban_record|{NAME[:12]}"
        yield 'list', '/odoo/returns', ".o_data_row, .o_kanban_record|" + NAME[:12]
        for sale_return in (self.draft, self.waiting, self.here, self.done):
            yield sale_return.state, f'/odoo/returns/{sale_return.id}', form
        for name in ACTIONS:
            action = self.env.ref(f'sale_return.{name}', raise_if_not_found=False)
            if action:
                yield name, f'/odoo/action-{action.id}', ".o_list_renderer, .o_kanban_renderer"

    def test_names_can_be_read_in_full(self):
        pages = list(self._get_pages())
        for person in self.people:
            with self._walk(person) as walker:
                self._read_pages(walker, pages)

    def _read_pages(self, walker, pages):
        for size in (DESK, TELEPHONE):
            walker.resize(size)
            for name, path, selector in pages:
                walker.go(path, selector)
                walker.wait_until("!walk.busy()", "end of loading")
                self.look(walker, name)
                # The list of returns and their forms show names without a tip.
                wraps = path.startswith('/odoo/returns')
                walker.run(f"walk.wraps = {json.dumps(wraps)}")
                if found := walker.find_errors(UNREADABLE):
                    self.blame(walker, f"{name}: cannot be read in full\n" + "\n".join(found))
