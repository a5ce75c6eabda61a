import json

from odoo.tests import tagged

from ..common_http import PatientHttpCase

# Opens one dashboard after the other as a user does, by the list beside them, and waits until
# figures of the chosen one are drawn. Nothing here depends on how fast the machine is.
LOOK = """
(async () => {
    const until = async (what, condition) => {
        for (let tenth = 0; tenth < 1800; tenth++) {
            const result = condition();
            if (result) {
                return result;
            }
            if (document.querySelector(".o_error_dialog, .dashboard-loading-status.error")) {
                break;
            }
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
        const late = performance.getEntriesByType("resource").slice(-5).map((e) => e.name);
        throw new Error(`${what}: ${document.body.innerText.slice(0, 500)} [${late}]`);
    };
    const section = () =>
        [...document.querySelectorAll(".o_search_panel_section")].find(
            (e) => e.querySelector("header").innerText.trim().toLowerCase() === "returns"
        );
    const figures = () => [...document.querySelectorAll(".o-figure canvas, .o-scorecard")];
    try {
        await until("no list of dashboards", section);
        for (const name of %s) {
            const before = new Set(figures());
            const item = section().querySelector(`li[data-name="${name}"]`);
            const isOpen = item.classList.contains("active");
            item.click();
            await until(`${name} is not drawn`, () => {
                const drawn = figures().filter((figure) => isOpen || !before.has(figure));
                return drawn.length >= 2 && item.classList.contains("active");
            });
        }
        console.log("test successful");
    } catch (error) {
        console.error(error.message);
    }
})();
"""


@tagged('post_install', '-at_install')
class TestAnalyticsBrowser(PatientHttpCase):
    """The dashboards in a browser."""

    def test_dashboards_are_drawn(self):
        group = self.env.ref('sale_return.spreadsheet_dashboard_group_returns')
        dashboards = group.dashboard_ids.sorted('sequence')
        self.assertEqual(len(dashboards), 8)
        self.browser_js(
            f'/odoo/dashboards?dashboard_id={dashboards[0].id}',
            LOOK % json.dumps(dashboards.mapped('name')),
            login='admin',
            timeout=900,
        )
