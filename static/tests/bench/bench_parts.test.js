import {
    advanceTime,
    animationFrame,
    Deferred,
    describe,
    expect,
    freezeTime,
    test,
    unfreezeTime,
} from "@odoo/hoot";
import { click, edit, queryAllAttributes } from "@odoo/hoot-dom";
import { Component, xml } from "@odoo/owl";

import { browser } from "@web/core/browser/browser";
import { BenchFinder } from "@sale_return/bench/bench_finder";
import { formatQuantity } from "@sale_return/bench/bench_format";
import { BenchItem } from "@sale_return/bench/bench_item";
import { BenchProblem } from "@sale_return/bench/bench_problem";
import { BenchQuestion } from "@sale_return/bench/bench_question";
import { BenchReturns } from "@sale_return/bench/bench_returns";
import { BenchSounds } from "@sale_return/bench/bench_sounds";
import { mount, usePage } from "@sale_return/../tests/helpers";

usePage();

const REASONS = [
    { id: 1, code: "NONE", name: "Not stated" },
    { id: 2, code: "DEF", name: "Defective" },
];

/** A desk that tells what it is asked to do. */
function makeDesk({ data = {}, rights = {}, ...values } = {}) {
    return {
        state: {
            config: { reasons: REASONS, grades: [], dispositions: [], user_rights: rights },
            data: { parcel: null, returns: [], items: [], ...data },
            message: null,
        },
        do: (method, kwargs) => expect.step(`${method} ${JSON.stringify(kwargs)}`),
        tell: (text) => expect.step(String(text)),
        ...values,
    };
}

describe("finder", () => {
    async function openFinder({ text = "", ...options }) {
        const desk = makeDesk(options);
        const props = { desk, text, onClose: () => {}, onParcels: () => {} };
        return mount(BenchFinder, props);
    }

    const order = (id) => ({ id, kind: "order", name: `S${id}`, why: ["order"] });

    test("one search for what is typed in one go", async () => {
        await openFinder({
            find: async (text) => {
                expect.step(text);
                return [];
            },
        });
        await click(".o_sr_bench_find_input");
        freezeTime();
        await edit("Jane");
        await advanceTime(299);
        expect.verifySteps([]);
        await advanceTime(1);
        unfreezeTime();
        await animationFrame();
        expect.verifySteps(["Jane"]);
        expect(".o_sr_bench_nothing").toHaveCount(1);
    });

    test("an earlier search that answers late changes nothing", async () => {
        const answers = { S1: new Deferred(), S2: new Deferred() };
        await openFinder({ text: "S1", find: (text) => answers[text] });
        await click(".o_sr_bench_find_input");
        await edit("S2");
        await advanceTime(300);
        answers.S2.resolve([order(2)]);
        await animationFrame();
        answers.S1.resolve([order(1)]);
        await animationFrame();
        expect(queryAllAttributes(".o_sr_bench_candidate", "data-id")).toEqual(["2"]);
    });

    test("a search that was emptied finds nothing, however late it answers", async () => {
        const answer = new Deferred();
        await openFinder({ text: "S1", find: () => answer });
        await click(".o_sr_bench_find_input");
        await edit("");
        await advanceTime(300);
        answer.resolve([order(1)]);
        await animationFrame();
        expect(".o_sr_bench_candidate").toHaveCount(0);
        expect(".o_sr_bench_finder [aria-live] p").toHaveCount(0);
    });

    test("who may not create returns cannot choose an order", async () => {
        await openFinder({ text: "S1", find: async () => [order(1)] });
        await animationFrame();
        expect(".o_sr_bench_candidate").toHaveProperty("disabled", true);
    });

    test("an order becomes a return, with the reason that is not stated", async () => {
        await openFinder({
            text: "S1",
            rights: { create_return: true },
            find: async () => [order(1)],
        });
        await animationFrame();
        await click(".o_sr_bench_candidate");
        expect.verifySteps(['create_return {"order_id":1,"values":{"reason":1}}']);
    });

    test("a return is attached to the parked parcel on the bench", async () => {
        const found = { id: "r5", kind: "return", return_id: 5, name: "R5", why: [] };
        await openFinder({
            text: "R5",
            data: { parcel: { id: 3, name: "P3" } },
            find: async () => [{ ...found, can_attach: true }],
        });
        await animationFrame();
        await click(".o_sr_bench_candidate");
        expect.verifySteps(['attach_parcel {"parcel_id":3,"return_id":5}']);
    });

    test("a search that fails says why", async () => {
        await openFinder({
            text: "S1",
            find: async () => {
                throw new Error("no answer");
            },
        });
        await animationFrame();
        expect.verifySteps(["This was not done: no answer"]);
    });
});

describe("question", () => {
    const choices = [
        { value: "attach", label: "Take it" },
        { value: "ignore", label: "Leave it" },
    ];

    test("a candidate is answered by a tap on it, and keys go on after the last one", async () => {
        const candidates = [
            { id: 4, name: "R4" },
            { id: 5, name: "R5" },
        ];
        const question = { code: "which", message: "Which one?", choices, candidates };
        await mount(BenchQuestion, { question, desk: makeDesk() });
        expect(queryAllAttributes("[data-key]", "data-key")).toEqual(["1", "2", "3"]);
        expect(queryAllAttributes("[data-choice]", "data-choice")).toEqual(["ignore"]);
        await click(".o_sr_bench_candidate:eq(1)");
        await click("[data-choice=ignore]");
        expect.verifySteps([
            'answer {"choice":"attach","record_id":5}',
            'answer {"choice":"ignore"}',
        ]);
    });

    test("what the message above says is not said twice", async () => {
        const desk = makeDesk();
        const question = { code: "which", message: "Which one?", choices };
        desk.state.message = { text: "Which one?" };
        await mount(BenchQuestion, { question, desk });
        expect("p").toHaveCount(0);
        expect(queryAllAttributes("[data-choice]", "data-choice")).toEqual(["attach", "ignore"]);
    });
});

describe("problem", () => {
    const line = (key, expected, counted) => ({ key, expected, counted, product: key });

    /** The part of the screen in which it appears. */
    class Body extends Component {
        static template = xml`
            <div class="o_sr_bench_body"><BenchProblem t-props="props.values"/></div>`;
        static components = { BenchProblem };
        static props = ["values"];
    }

    async function openProblem(...lines) {
        const values = {
            kinds: [["short", "Too little"]],
            returns: [{ id: 9, lines }],
            onReport: (values) => expect.step(JSON.stringify(values)),
            onDiscard: () => {},
            onClose: () => {},
        };
        return mount(Body, { values });
    }

    test("a problem of the only goods is about what is still to come", async () => {
        await openProblem(line("lamp", 5, 2));
        await click(".o_sr_bench_kind");
        expect.verifySteps(['{"kind":"short","line_key":"lamp","quantity":3}']);
    });

    test("of several goods one is chosen; of goods that are all here it is all of them", async () => {
        await openProblem(line("lamp", 5, 5), line("glue", 1, 0));
        await click("input");
        await edit(" crushed ");
        await click(".o_sr_bench_kind");
        await animationFrame();
        expect.verifySteps([]);
        await click("button:contains(lamp)");
        expect.verifySteps([
            '{"kind":"short","line_key":"lamp","quantity":5,"note":"crushed"}',
        ]);
    });
});

describe("returns", () => {
    const getColor = (line) => BenchReturns.prototype.colorOf(line);

    test("the colour of a count says whether it is right", () => {
        expect(getColor({ expected: 2, counted: 0 })).toBe("text-bg-light border");
        expect(getColor({ expected: 2, counted: 1 })).toBe("text-bg-info");
        expect(getColor({ expected: 2, counted: 2 })).toBe("text-bg-success");
        expect(getColor({ expected: 2, counted: 3 })).toBe("text-bg-warning");
        expect(getColor({ expected: 2, counted: 2, surplus: 1 })).toBe("text-bg-warning");
    });

    test("items stand with the line of their own return, the others below", () => {
        const items = [
            { id: 1, return_id: 1, line_key: "a" },
            { id: 2, return_id: 2, line_key: "a" },
            { id: 3, return_id: 1, line_key: false },
        ];
        const part = Object.assign(Object.create(BenchReturns.prototype), { props: { items } });
        const sale_return = { id: 1, lines: [{ key: "a" }] };
        const idsOf = (line) => part.itemsOf(sale_return, line).map(({ id }) => id);
        expect(idsOf({ key: "a" })).toEqual([1]);
        expect(idsOf(null)).toEqual([3]);
    });
});

describe("item", () => {
    /** The part without its screen: what its getters say. */
    const makeItem = (item, desk = makeDesk()) =>
        Object.assign(Object.create(BenchItem.prototype), { props: { item, desk }, view: {} });

    test("Y and N answer the first question without an answer", () => {
        const questions = [
            { id: 1, kind: "yes_no" },
            { id: 2, kind: "number" },
            { id: 3, kind: "yes_no" },
        ];
        const keysOf = (answers) => {
            const part = makeItem({ questions, answers });
            return questions.map((question) => part.yesNoKey(question, "Y"));
        };
        expect(keysOf({})).toEqual(["Y", null, null]);
        // No is an answer.
        expect(keysOf({ 1: false })).toEqual([null, null, "Y"]);
        expect(keysOf({ 1: true, 3: false })).toEqual([null, null, null]);
    });

    test("a note or number that did not change is not sent", () => {
        const part = makeItem({ id: 8, note: "scratched" });
        part.setNote({ target: { value: " scratched " } });
        part.setNumber({ id: 2 }, { target: { value: "" } });
        expect.verifySteps([]);
        part.setNote({ target: { value: "" } });
        part.setNumber({ id: 2 }, { target: { value: "1.5", valueAsNumber: 1.5 } });
        expect.verifySteps([
            'set_result {"values":{"note":""},"item_ids":[8]}',
            'set_result {"values":{"answers":{"2":1.5}},"item_ids":[8]}',
        ]);
    });
});

test("quantities have no decimals that say nothing", () => {
    expect([2, 2.5, 0.25, 1200].map(formatQuantity)).toEqual(["2", "2.5", "0.25", "1,200"]);
});

test("sound stays off in this browser until it is switched on", () => {
    expect(new BenchSounds().muted).toBe(false);
    expect(new BenchSounds().toggle()).toBe(true);
    expect(new BenchSounds().muted).toBe(true);
    new BenchSounds().toggle();
    expect(browser.localStorage.getItem("sale_return.bench.muted")).toBe("0");
    expect(new BenchSounds().muted).toBe(false);
});
