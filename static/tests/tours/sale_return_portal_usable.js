// What every page for customers has to have, for the tours over them.

export const PAGE = ".o_sale_return_portal";
const CONTROLS = "a[href], button, summary, textarea, select, input:not([type=hidden])";

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
export const isUsable = (trigger) => ({
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
            // What is aimed at is the label of a small circle.
            const target = control.type === "radio" ? control.labels[0] : control;
            const { height, width } = target.getBoundingClientRect();
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
export const tabTo = (trigger) => ({
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

export const enter = (trigger) => ({ trigger, run: "press Enter", expectUnloadPage: true });

// What Enter does on a button of a form; pressed by a script it sends nothing.
export const send = (trigger) => ({ trigger, run: "click", expectUnloadPage: true });
