import { registry } from "@web/core/registry";
import { PAGE, enter, isUsable, send, tabTo } from "./sale_return_portal_usable";

const NEXT = `${PAGE} .o_sale_return_form button[type=submit]`;
const QUANTITY = `${PAGE} .o_sale_return_product input[type=number]`;

const go = () => [tabTo(NEXT), send(NEXT)];

/** Choose a photo as the dialog of the browser does. */
const addPhoto = (trigger) => ({
    content: "Choose a photo",
    trigger,
    async run() {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 40;
        canvas.getContext("2d").fillRect(10, 10, 20, 20);
        const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg"));
        const chosen = new DataTransfer();
        chosen.items.add(new File([blob], "lamp.jpg", { type: "image/jpeg" }));
        this.anchor.files = chosen.files;
    },
});

/** Ask for a part of the first product that can be returned, with a photo. */
const ask = () => [
    isUsable(QUANTITY),
    tabTo(`${QUANTITY}:first`),
    { trigger: `${QUANTITY}:first`, run: "edit 2" },
    ...go(),
    isUsable("select[name^=reason_]"),
    tabTo("select[name^=reason_]"),
    { trigger: "select[name^=reason_]", run: "selectByIndex 1" },
    tabTo("textarea[name^=note_]"),
    { trigger: "textarea[name^=note_]", run: "edit It does not shine." },
    tabTo("input[name^=photos_]"),
    addPhoto("input[name^=photos_]"),
    ...go(),
    isUsable(".o_sale_return_total"),
    { trigger: ".o_sale_return_product:contains(It does not shine.)" },
    { trigger: ".o_sale_return_total:contains(242.00)" },
    ...go(),
    isUsable(".o_sale_return_number"),
    tabTo(`${PAGE} a:contains(Follow your return)`),
    enter(`${PAGE} a:contains(Follow your return)`),
    isUsable("#sale_return_send"),
];

// From the order to the page of the return; what is refused says why and cannot be chosen.
registry.category("web_tour.tours").add("sale_return_portal_request", {
    steps: () => [
        tabTo(".o_sale_return_button:visible"),
        enter(".o_sale_return_button:visible"),
        { trigger: ".o_sale_return_product:contains(Gift cards are as good as money.)" },
        { trigger: ".o_sale_return_product:contains(Gift card):not(:has(input))" },
        ...ask(),
    ],
});

// Without login: the link is asked for ...
registry.category("web_tour.tours").add("sale_return_portal_guest", {
    steps: () => [
        isUsable("#return_order_ref"),
        tabTo("#return_order_ref"),
        // The test says which.
        {
            trigger: "#return_order_ref",
            run: (helpers) => helpers.edit(new URLSearchParams(location.search).get("order")),
        },
        tabTo("#return_email"),
        { trigger: "#return_email", run: "edit jane@example.com" },
        ...go(),
        { trigger: ".o_sale_return_asked" },
    ],
});

// ... and opens the same screens.
registry.category("web_tour.tours").add("sale_return_portal_link", { steps: () => ask() });

// Two steps: the button on the order, and the confirmation of the statement.
registry.category("web_tour.tours").add("sale_return_portal_withdrawal", {
    steps: () => [
        tabTo(".o_sale_return_withdraw:contains(Withdraw from contract here):visible"),
        enter(".o_sale_return_withdraw:visible"),
        isUsable(`${NEXT}:contains(Confirm withdrawal)`),
        { trigger: `${PAGE}:not(:has(select))` },
        ...go(),
        isUsable(".o_sale_return_statement"),
        { trigger: ".o_sale_return_statement:contains(I withdraw from my contract)" },
        tabTo(`${PAGE} a.btn-primary`),
        enter(`${PAGE} a.btn-primary`),
        isUsable("#sale_return_page"),
    ],
});
