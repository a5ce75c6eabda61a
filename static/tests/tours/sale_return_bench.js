import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

// The longest that a step may wait in Odoo.
const timeout = 60000;

const see = (trigger) => ({ trigger, timeout });
const click = (trigger) => ({ trigger, timeout, run: "click" });
const edit = (trigger, text) => ({ trigger, timeout, run: `edit ${text}` });
const run = (trigger, code) => ({ trigger, timeout, run: code });
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const press = (key, code = "") =>
    document.body.dispatchEvent(
        new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true })
    );

// A keyboard-wedge scanner: all keys at once, then the end key.
const typeBarcode = (barcode) => {
    for (const key of barcode) {
        press(key);
    }
    press("Enter");
};

// Nothing is on its way and nothing asks: the next scan is the only thing that can change.
const READY = ".o_sr_bench[data-sending='0']";

const scan = (barcode) => run(READY, () => typeBarcode(barcode));

// A key that stands alone. Longer pauses between the keys change nothing.
const shortcut = (key, code) =>
    run(READY, async () => {
        await pause(500);
        press(key, code);
    });

const onScreen = (name) => see(`.o_sr_bench_body[data-screen='${name}']`);
const message = (color) => see(`${READY} .o_sr_bench_message[data-color='${color}']`);
const counted = (text) => see(`${READY} .o_sr_bench_line .o_sr_bench_count:contains("${text}")`);
const grade = (code) => see(`${READY} .o_sr_bench_grade[data-grade='${code}'][aria-pressed='true']`);

const takePhoto = (trigger, input) =>
    run(trigger, async () => {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 32;
        canvas.getContext("2d").fillRect(4, 4, 20, 20);
        const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
        const transfer = new DataTransfer();
        transfer.items.add(new File([blob], "scratch.png", { type: "image/png" }));
        const field = document.querySelector(input);
        field.files = transfer.files;
        field.dispatchEvent(new Event("change", { bubbles: true }));
    });

// Everything fits the screen, can be hit with a thumb and has a name.
const checkScreen = () =>
    run(READY, () => {
        const { scrollWidth, clientWidth } = document.documentElement;
        if (scrollWidth > clientWidth) {
            throw new Error(`The page is ${scrollWidth} px wide, the screen ${clientWidth} px.`);
        }
        const controls = document.querySelectorAll(
            ".o_sr_bench button, .o_sr_bench input:not([type='file']), .o_sr_bench select"
        );
        for (const control of [...controls].filter((element) => element.checkVisibility())) {
            const { width, height } = control.getBoundingClientRect();
            if (width < 44 || height < 44) {
                throw new Error(`${control.className} is ${width} × ${height} px.`);
            }
            const named = control.ariaLabel || control.labels?.length || control.innerText.trim();
            if (!named) {
                throw new Error(`${control.className} has no accessible name.`);
            }
        }
    });

const TRACKING = "1ZBENCH0001";

registry.category("web_tour.tours").add("sale_return_bench_way", {
    steps: () => [
        onScreen("start"),
        checkScreen(),
        scan(TRACKING),
        onScreen("work"),
        scan("BENCHLAMP"),
        counted("1 of 2"),
        scan("BENCHLAMP"),
        counted("2 of 2"),
        see(".o_sr_bench_item .o_sr_bench_quantity:contains(2)"),
        checkScreen(),
        shortcut("2", "Digit2"),
        grade("B"),
        shortcut("1", "Digit1"),
        grade("A"),
        see(".o_sr_bench_disposition[data-disposition='restock']"),
        click(".o_sr_bench_liability[data-liability='carrier']"),
        see(`${READY} .o_sr_bench_liability[data-liability='carrier'][aria-pressed='true']`),
        takePhoto(".o_sr_bench_photo", ".o_sr_bench_item input[name='photo']"),
        see(`${READY} .o_sr_bench_photos:contains(1)`),
        shortcut("d", "KeyD"),
        onScreen("finished"),
        checkScreen(),
        click(".o_sr_bench_next"),
        onScreen("start"),
    ],
});

// Takes the network away from the bench: the way there, or only the way back.
let restoreNetwork = () => {};
const cutNetwork = ({ isServerReached }) => {
    const Request = browser.XMLHttpRequest;
    browser.XMLHttpRequest = class extends Request {
        constructor() {
            super();
            // The first listener: nobody hears of the answer.
            this.addEventListener("load", (ev) => {
                if (this.isBench) {
                    ev.stopImmediatePropagation();
                    this.fail();
                }
            });
        }
        open(method, url) {
            this.isBench = url.includes("/sale.return.bench/");
            super.open(method, url);
        }
        send(body) {
            if (this.isBench && !isServerReached) {
                this.fail();
            } else {
                super.send(body);
            }
        }
        fail() {
            this.dispatchEvent(new ProgressEvent("error"));
        }
    };
    restoreNetwork = () => {
        browser.XMLHttpRequest = Request;
    };
};

const reconnect = () =>
    run(".o_sr_bench_lost button", () => {
        restoreNetwork();
        document.querySelector(".o_sr_bench_lost button").click();
    });

registry.category("web_tour.tours").add("sale_return_bench_mistakes", {
    steps: () => [
        onScreen("start"),
        scan(TRACKING),
        onScreen("work"),

        // No network: the scans wait in order, with a sentence.
        run(READY, () => {
            cutNetwork({ isServerReached: false });
            typeBarcode("BENCHLAMP");
        }),
        see(".o_sr_bench_lost li:contains(BENCHLAMP)"),
        run(".o_sr_bench_lost", () => typeBarcode("BENCHSN1")),
        see(".o_sr_bench_lost li:eq(1):contains(BENCHSN1)"),
        see(".o_sr_bench_line .o_sr_bench_count:contains('0 of 2')"),
        reconnect(),
        counted("1 of 1"),
        counted("1 of 2"),
        see(`${READY}:not(:has(.o_sr_bench_lost))`),
        // The server has it, but the answer gets lost: counted once.
        run(READY, () => {
            cutNetwork({ isServerReached: true });
            typeBarcode("BENCHLAMP");
        }),
        see(".o_sr_bench_lost li:contains(BENCHLAMP)"),
        reconnect(),
        see(`${READY}:not(:has(.o_sr_bench_lost))`),
        counted("2 of 2"),
        message("success"),

        // More than expected.
        scan("BENCHLAMP"),
        see(`${READY} .o_sr_bench_question[data-question='over']`),
        message("warning"),
        checkScreen(),
        click(".o_sr_bench_choice[data-choice='ignore']"),
        onScreen("work"),
        counted("2 of 2"),
        // A serial of somebody else, and one that is counted already.
        scan("BENCHSN9"),
        see(`${READY} .o_sr_bench_question[data-question='wrong_serial']`),
        click(".o_sr_bench_choice[data-choice='ignore']"),
        onScreen("work"),
        scan("BENCHSN1"),
        message("danger"),
        counted("1 of 1"),

        // Taken back: a result, then the scan before it.
        click(".o_sr_bench_grade[data-grade='D']"),
        grade("D"),
        click(".o_sr_bench_undo"),
        see(`${READY} .o_sr_bench_grade[data-grade='D'][aria-pressed='false']`),
        click(".o_sr_bench_undo"),
        counted("1 of 2"),

        // A code nobody knows, full of digits that are keys of buttons.
        scan("2222222222"),
        see(`${READY} .o_sr_bench_question[data-question='unknown_serial']`),
        run(READY, () => pause(500)),
        see(`${READY} .o_sr_bench_question[data-question='unknown_serial']`),
        click(".o_sr_bench_choice[data-choice='ignore']"),
        onScreen("work"),
        counted("1 of 1"),
        counted("1 of 2"),
    ],
});

// The browser is closed with goods on the bench...
registry.category("web_tour.tours").add("sale_return_bench_before", {
    steps: () => [
        onScreen("start"),
        scan(TRACKING),
        onScreen("work"),
        scan("BENCHLAMP"),
        counted("1 of 2"),
        click(".o_sr_bench_grade[data-grade='B']"),
        grade("B"),
    ],
});

// ... and opened again, perhaps on another machine.
registry.category("web_tour.tours").add("sale_return_bench_after", {
    steps: () => [
        onScreen("work"),
        message("success"),
        counted("1 of 2"),
        grade("B"),
        see(".o_sr_bench_undo:enabled"),
    ],
});

// Somebody else takes the parcel over, with what was counted.
registry.category("web_tour.tours").add("sale_return_bench_take_over", {
    steps: () => [
        onScreen("start"),
        scan(TRACKING),
        see(`${READY} .o_sr_bench_question[data-question='in_use']`),
        see(".o_sr_bench_message:contains(returns_staff)"),
        click(".o_sr_bench_choice[data-choice='take_over']"),
        onScreen("work"),
        counted("1 of 2"),
        grade("B"),
        click(".o_sr_bench_finish"),
        onScreen("finished"),
        see(".o_sr_bench_finished li:nth-child(2)"),
    ],
});

registry.category("web_tour.tours").add("sale_return_bench_unknown", {
    steps: () => [
        onScreen("start"),
        scan("NOBODYKNOWS77"),
        onScreen("finder"),
        message("danger"),
        see(".o_sr_bench_nothing"),
        // Nothing fits: it is parked with a photo.
        click(".o_sr_bench_park"),
        edit(".o_sr_bench_park_form input[name='note']", "Torn label"),
        takePhoto(".o_sr_bench_park_photo", ".o_sr_bench_finder > input[type='file']"),
        see(".o_sr_bench_park_photo .badge:contains(1)"),
        checkScreen(),
        click(".o_sr_bench_park_confirm"),
        onScreen("start"),
        message("success"),

        // The next one has a name on it, and an order nobody announced a return for.
        click(".o_sr_bench_find"),
        edit(".o_sr_bench_find_input", "Benjamin Benchley"),
        see(".o_sr_bench_candidate[data-kind='order']"),
        checkScreen(),
        click(".o_sr_bench_candidate[data-kind='order']"),
        onScreen("work"),
        counted("0 of 1"),
    ],
});
