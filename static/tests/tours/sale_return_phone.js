import { registry } from "@web/core/registry";

const fitsTheScreen = (trigger) => ({
    trigger,
    run() {
        const { scrollWidth, clientWidth } = document.documentElement;
        if (scrollWidth > clientWidth) {
            throw new Error(`The page is ${scrollWidth} px wide, the screen ${clientWidth} px.`);
        }
    },
});

registry.category("web_tour.tours").add("sale_return_phone", {
    steps: () => [
        fitsTheScreen(".o_form_view .o_field_widget[name='line_ids'] .o_kanban_record"),
        {
            trigger: ".o_statusbar_buttons button[name='action_open_inspection']:enabled",
            run: "click",
        },
        fitsTheScreen(".modal .o_field_widget[name='line_ids'] .o_kanban_record"),
        { trigger: ".modal-footer button[name='action_confirm']", run: "click" },
        {
            trigger:
                "body:not(.modal-open) .o_form_statusbar:not(:has(button[name='action_open_inspection']))",
        },
    ],
});
