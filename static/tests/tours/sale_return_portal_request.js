import {registry} from "@web/core/registry";

function fits() {
    if (document.documentElement.scrollWidth > window.innerWidth) {
        throw new Error(`The page is wider than the window: ${location.pathname}`);
    }
}

// A part of an order is asked back, in the four screens of the customer.
registry.category("web_tour.tours").add("sale_return_portal_request", {
    steps: () => [
        {trigger: ".o_sale_return_product input[type=number]", run: fits},
        {trigger: ".o_sale_return_product input[type=number]", run: "edit 2"},
        {
            trigger: ".o_sale_return_form button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: "select[name^=reason_]", run: fits},
        {trigger: "select[name^=reason_]", run: "selectByIndex 1"},
        {trigger: "textarea[name^=note_]", run: "edit It does not shine."},
        {
            trigger: ".o_sale_return_form button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: ".o_sale_return_total", run: fits},
        {
            trigger: ".o_sale_return_form button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: ".o_sale_return_number", run: fits},
    ],
});
