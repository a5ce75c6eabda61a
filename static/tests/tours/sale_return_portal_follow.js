import { registry } from "@web/core/registry";
import { PAGE, enter, isUsable, send, tabTo } from "./sale_return_portal_usable";

const open = () => [
    isUsable(`${PAGE} .o_sale_return_row`),
    tabTo(`${PAGE} .o_sale_return_row:first`),
    enter(`${PAGE} .o_sale_return_row:first`),
    isUsable("#sale_return_page section[name=next_step]"),
];

registry.category("web_tour.tours").add("sale_return_portal_dispatch", {
    steps: () => [
        ...open(),
        { trigger: "#sale_return_send" },
        { trigger: "[name=return_address]" },
        { trigger: "#sale_return_page [role=img] img" },
        tabTo("#sale_return_tracking"),
        { trigger: "#sale_return_tracking", run: "edit 1Z 999 AA1" },
        tabTo("#sale_return_carrier"),
        { trigger: "#sale_return_carrier", run: "edit UPS" },
        tabTo("form[name=dispatch] button[type=submit]"),
        send("form[name=dispatch] button[type=submit]"),
        isUsable("#sale_return_page [name=done]"),
        { trigger: "#sale_return_page [name=dispatched]:contains(UPS 1Z 999 AA1)" },
    ],
});

registry.category("web_tour.tours").add("sale_return_portal_cancel", {
    steps: () => [
        ...open(),
        tabTo("details:has(form[name=cancel]) > summary"),
        { trigger: "details:has(form[name=cancel]) > summary", run: "click" },
        tabTo("form[name=cancel] button[type=submit]"),
        isUsable("form[name=cancel] button[type=submit]"),
        send("form[name=cancel] button[type=submit]"),
        { trigger: "#sale_return_page [name=done]" },
        { trigger: "#sale_return_page:not(:has(form[name=cancel]))" },
    ],
});

registry.category("web_tour.tours").add("sale_return_portal_appeal", {
    steps: () => [
        ...open(),
        tabTo("details:has(form[name=appeal]) > summary"),
        { trigger: "details:has(form[name=appeal]) > summary", run: "click" },
        tabTo("#sale_return_appeal"),
        { trigger: "#sale_return_appeal", run: "edit It came like that." },
        tabTo("form[name=appeal] button[type=submit]"),
        isUsable("form[name=appeal] button[type=submit]"),
        send("form[name=appeal] button[type=submit]"),
        isUsable("#sale_return_page [name=done]"),
        { trigger: "#sale_return_page [name=entry]:contains(It came like that.)" },
    ],
});
