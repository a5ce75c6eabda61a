import { registry } from "@web/core/registry";

const question = (step, next) => [
    { trigger: `.o_arrow_button_current[data-value='${step}']` },
    next,
];
const NEXT = { trigger: "button[name='action_next']", run: "click" };
const SKIP = { trigger: "button[name='action_skip']", run: "click" };

// A manager with only that role, from the first card to the sample and back.
registry.category("web_tour.tours").add("sale_return_first_hour", {
    steps: () => [
        { trigger: ".o_kanban_record:has(.fa-magic) button[name='action_open']", run: "click" },
        { trigger: "[name='template'] input[data-value='electronics']", run: "click" },
        ...question("template", NEXT),
        { trigger: "[name='window_days'] input", run: "edit 21" },
        ...question("terms", NEXT),
        ...question("money", SKIP),
        { trigger: "[name='amount_from'] input:visible" },
        ...question("decide", NEXT),
        ...question("goods", SKIP),
        ...question("portal", SKIP),
        { trigger: "[name='changes']:contains('21')" },
        { trigger: "button[name='action_apply']", run: "click" },
        { trigger: "button[name='action_create_sample']", run: "click" },
        { trigger: "button[name='action_print_sample']" },
        { trigger: "button[name='action_open_sample']", run: "click" },
        { trigger: ".o_form_view [name='line_ids']" },
    ],
});
