import { registry } from "@web/core/registry";

// Every click of a user counts; what only waits does not.
const click = (trigger) => ({ trigger, run: "click" });
const see = (trigger) => ({ trigger });

const button = (name) => `.o_form_view .o_statusbar_buttons button[name='${name}']:enabled`;
const stat = (name) => `.o-form-buttonbox button[name='${name}']`;

// 4 clicks from the order to the submitted return.
const request = () => [
    click(button("action_create_return")),
    click(".modal-footer button[name='action_return_all']"),
    see(".modal .o_data_row td[name='quantity'].fw-bold, .modal .o_data_row td[name='quantity'].fw-bolder, .modal .o_data_row td[name='quantity'] .fw-bold"),
    click(".modal .o_field_widget[name='reason_id'] .o_selection_badge:first"),
    see(".modal .o_field_widget[name='reason_id'] .o_selection_badge.active"),
    click(".modal-footer button[name='action_create_and_submit']"),
    see(".o_form_view .o_field_widget[name='reception_state']"),
];

// 4 clicks from the receipt to the finished inspection.
const receiveAndInspect = () => [
    click(button("button_validate")),
    see(".o_form_view .o_statusbar_status [data-value='done'].o_arrow_button_current"),
    click(stat("action_view_sale_returns")),
    click(button("action_open_inspection")),
    see(".modal .o_field_widget[name='line_ids'] .o_data_row"),
    click(".modal-footer button[name='action_confirm']"),
    see("body:not(.modal-open) .o_form_view .o_statusbar_status [data-value='closed'].o_arrow_button_current"),
];

registry.category("web_tour.tours").add("sale_return_whole_way", {
    steps: () => [
        ...request(),
        click(stat("action_view_receipts")),
        ...receiveAndInspect(),
        see(stat("action_view_credit_notes")),
    ],
});
