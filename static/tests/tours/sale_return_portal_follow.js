import { registry } from "@web/core/registry";

const PAGE = ".o_sale_return_portal";
const CONTROLS = "a[href], button, summary, textarea, input:not([type=hidden])";

const isMine = (element) =>
    element.checkVisibility() &&
    !element.closest(".o_portal_chatter") &&
    !element.matches(".btn-check");

const getName = (element) =>
    [
        element.getAttribute("aria-label"),
        element.title,
        element.textContent,
        ...[...(element.labels || [])].map((label) => label.textContent),
        ...[...element.querySelectorAll("img")].map((image) => image.alt),
    ].find((text) => text && text.trim());

/** Look the page over: it fits, a finger hits what it aims at, everything has a name. */
const isUsable = (trigger) => ({
    content: `Look over the page with ${trigger}`,
    trigger,
    run() {
        const { scrollWidth, clientWidth } = document.documentElement;
        if (scrollWidth > clientWidth) {
            throw new Error(`The page is ${scrollWidth} px wide, the screen ${clientWidth} px.`);
        }
        const controls = [...document.querySelectorAll(`${PAGE} :is(${CONTROLS})`)].filter(isMine);
        if (!controls.length) {
            throw new Error("Nothing can be done on this page.");
        }
        for (const control of controls) {
            if (!getName(control)) {
                throw new Error(`A control has no name: ${control.outerHTML.slice(0, 200)}`);
            }
            const { height, width } = control.getBoundingClientRect();
            // In the middle of a sentence the line is as high as it is.
            if (!control.closest("p, .breadcrumb, .pagination") && (height < 44 || width < 44)) {
                throw new Error(
                    `Only ${Math.round(width)} × ${Math.round(height)} px: ${control.outerHTML.slice(0, 200)}`
                );
            }
        }
    },
});

/** Go to a control as the Tab key would: it has its place in the order, and takes the focus. */
const tabTo = (trigger) => ({
    content: `Tab to ${trigger}`,
    trigger,
    run() {
        const order = [...document.querySelectorAll(CONTROLS)].filter(
            (element) => element.tabIndex >= 0 && !element.disabled && element.checkVisibility()
        );
        if (!order.includes(this.anchor)) {
            throw new Error(`${trigger} is not reached by the keyboard.`);
        }
        this.anchor.focus();
        if (document.activeElement !== this.anchor) {
            throw new Error(`${trigger} does not take the focus.`);
        }
    },
});

const enter = (trigger) => ({ trigger, run: "press Enter", expectUnloadPage: true });

// What Enter does on a button of a form; pressed by a script it sends nothing.
const send = (trigger) => ({ trigger, run: "click", expectUnloadPage: true });

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
