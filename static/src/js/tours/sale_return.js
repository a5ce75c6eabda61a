import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("sale_return_tour", {
    url: "/odoo/orders",
    steps: () => [
        {
            trigger: ".o_list_view .o_data_row .o_data_cell[name='partner_id']",
            content: _t("Goods come back? Open the order they were delivered with."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_statusbar_buttons button[name='action_create_return']",
            content: _t("Start a return here. Deliveries and invoices have the same button."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='line_ids'] .o_data_cell[name='quantity']",
            content: _t("Enter how much of each product comes back."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".modal .o_selected_row .o_field_widget[name='quantity'] input",
            content: _t("At most what was delivered and has not come back yet."),
            tooltipPosition: "bottom",
            run: "edit 1",
        },
        {
            trigger: ".modal .o_field_widget[name='reason_id'] .o_selection_badge",
            content: _t("Enter the reason as well: it decides who pays for the loss."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='reason_id'] .o_selection_badge.active",
        },
        {
            trigger: ".modal-footer button[name='action_create_and_submit']",
            content: _t("Submit it. The policy approves it or asks a person."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: "body:not(.modal-open) .o_form_view .o_field_widget[name='reception_state']",
        },
    ],
});
