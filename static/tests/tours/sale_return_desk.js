import { registry } from "@web/core/registry";

const click = (trigger) => ({ trigger, run: "click" });
const edit = (trigger, text) => ({ trigger, run: `edit ${text}` });
const see = (trigger) => ({ trigger });

const button = (name) => `.o_form_view .o_statusbar_buttons button[name='${name}']:enabled`;
const status = (state) => `.o_form_view .o_statusbar_status [data-value='${state}'].o_arrow_button_current`;
const item = (text) => `.o-autocomplete--dropdown-item:contains('${text}')`;
const cell = (name) => `.o_field_widget[name='line_ids'] .o_selected_row .o_field_widget[name='${name}'] input`;
const saved = "body:not(.modal-open) .o_form_view .o_form_saved";

// Without dialog: typed into the empty form, as by whoever comes from the list.
registry.category("web_tour.tours").add("sale_return_new", {
    steps: () => [
        click(".o_list_button_add, .o-kanban-button-new"),
        edit(".o_field_widget[name='partner_id'] input", "Jane Customer"),
        click(item("Jane Customer")),
        click(".o_field_widget[name='line_ids'] .o_field_x2many_list_row_add a"),
        edit(cell("sale_line_id"), "Lamp"),
        click(item("Lamp")),
        edit(cell("reason_id"), "Defective"),
        click(item("Defective")),
        edit(cell("qty_requested"), "2"),
        click(".o_form_view .o_form_button_save"),
        see(saved),
        click(button("action_submit")),
        see(status("approved")),
    ],
});

registry.category("web_tour.tours").add("sale_return_edit_approved", {
    steps: () => [
        see(status("approved")),
        // Read-only: it follows from what was done.
        see("body:has(.o_field_widget[name='date_dispatched'].o_readonly_modifier)"),
        edit(".o_field_widget[name='carrier_name'] input", "DHL"),
        click(".o_form_view .o_form_button_save"),
        see(saved),
    ],
});

// One grant makes one note, and the page stays what it was.
registry.category("web_tour.tours").add("sale_return_goodwill", {
    steps: () => [
        click(button("action_open_goodwill")),
        click(".modal .o_field_widget[name='reason_id'] .o_selection_badge:contains('Scratch')"),
        edit(".modal .o_field_widget[name='amount'] input", "25"),
        edit(".modal .o_field_widget[name='comment'] textarea", "Scratched on arrival."),
        click(".modal-footer button[name='action_confirm']"),
        see(".o_notification:contains('Credited $ 25.00, credit note RINV')"),
        see("body:not(.modal-open) .o_form_view .o_statusbar_buttons button[name='action_create_return']"),
    ],
});
