from odoo.tests import HttpCase, tagged

# Figures of the chosen dashboard are drawn, and no error is shown.
LOOK = """
(async () => {
    for (let second = 0; second < 40; second++) {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const figures = document.querySelectorAll(".o-figure canvas, .o-scorecard");
        if (document.querySelector(".o_error_dialog, .modal .alert-danger")) {
            break;
        }
        const active = [...document.querySelectorAll(".active")].map((e) => e.innerText.trim());
        if (figures.length >= 2 && active.includes("%s")) {
            console.log("test successful");
            return;
        }
    }
    console.error("not drawn: " + document.body.innerText.slice(0, 500));
})();
"""


@tagged('post_install', '-at_install')
class TestAnalyticsBrowser(HttpCase):
    """The dashboards in a browser."""

    def test_dashboards_are_drawn(self):
        dashboards = self.env.ref('sale_return.spreadsheet_dashboard_group_returns').dashboard_ids
        for dashboard in dashboards.sorted('sequence'):
            with self.subTest(dashboard=dashboard.name):
                look = LOOK % dashboard.name
                self.browser_js(
                    f'/odoo/dashboards?dashboard_id={dashboard.id}', look, login='admin', timeout=60
                )
