import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("sale_return_bulk", {
    steps: () => [
        { trigger: ".o_list_view .o_list_record_selector input", run: "click" },
        { trigger: "button[name='action_bulk_submit']", run: "click" },
        // All are through, and one of them was not possible.
        { trigger: ".modal .progress[aria-valuenow='100']" },
        { trigger: ".modal li .text-danger" },
        { trigger: ".modal .o_sale_return_bulk_close", run: "click" },
        { trigger: "body:not(.modal-open) .o_list_view" },
    ],
});
