import { advanceTime, after, expect, test, tick } from "@odoo/hoot";

import { ConnectionLostError } from "@web/core/network/rpc";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import { BenchDesk } from "@sale_return/bench/bench_desk";
import { makeRefusal, useFrozenTime } from "@sale_return/../tests/helpers";

useFrozenTime();

const makeData = (values) => ({ session: { id: 7 }, returns: [], items: [], ...values });
const makeAnswer = (values) => ({ message: "Done", color: "success", data: makeData(), ...values });

/** A desk whose server answers what `answers` says of each method: a value or a function. */
async function openDesk(answers = {}) {
    allowTranslations();
    const open_session = makeAnswer({ result: { grades: [] } });
    const server = { open_session, ...answers };
    const orm = {
        call: async (model, method, args, kwargs = {}) => {
            const { token, ...values } = kwargs;
            expect.step(`${method} ${JSON.stringify(values)}`);
            const answer = server[method];
            return typeof answer === "function" ? answer(kwargs) : answer;
        },
    };
    const desk = new BenchDesk({
        orm: { silent: orm },
        onSound: (sound) => expect.step(`sound: ${sound}`),
    });
    after(() => desk.stop());
    await desk.open();
    expect.verifySteps(["open_session {}"]);
    return { desk, server };
}

test("a scan is sent without blanks, and an empty one not at all", async () => {
    const answer = makeAnswer({ status: "accept", sound: "accept" });
    const { desk } = await openDesk({ scan: answer });
    desk.scan("  A1\n");
    desk.scan("   ");
    desk.scan(undefined);
    await tick();
    expect.verifySteps(['scan {"session_id":7,"barcode":"A1"}', "sound: accept"]);
    expect(desk.state.message).toEqual({ text: "Done", color: "success", number: 1 });
});

test("a second tap on what is done once is no second wish", async () => {
    const { desk } = await openDesk({ finish: makeAnswer(), undo: makeAnswer() });
    desk.do("finish");
    desk.do("finish");
    desk.do("undo");
    desk.do("undo");
    await tick();
    const call = '{"session_id":7}';
    expect.verifySteps([`finish ${call}`, `undo ${call}`, `undo ${call}`]);
    desk.do("finish");
    await tick();
    expect.verifySteps([`finish ${call}`]);
});

test("the server's answer replaces all that is shown", async () => {
    const data = makeData({ items: [{ id: 1 }, { id: 2 }], current_item_id: 1 });
    const { desk } = await openDesk({ scan: makeAnswer({ data }) });
    desk.scan("A1");
    await tick();
    expect(desk.currentItem.id).toBe(1);
    desk.state.data.current_item_id = false;
    // The one counted last, where the server names none.
    expect(desk.currentItem.id).toBe(2);
    expect.verifySteps(['scan {"session_id":7,"barcode":"A1"}']);
});

test("an unknown barcode opens the finder on an empty bench only", async () => {
    const { desk, server } = await openDesk({ scan: makeAnswer({ code: "unknown" }) });
    desk.scan("NOBODY");
    await tick();
    expect(desk.state.finder).toEqual({ text: "NOBODY" });
    expect(desk.state.unknown).toBe(null);

    server.scan = makeAnswer({ status: "accept" });
    desk.scan("A1");
    await tick();
    expect(desk.state.finder).toBe(null);

    server.scan = makeAnswer({ code: "unknown", data: makeData({ returns: [{ id: 1 }] }) });
    desk.scan("NOBODY");
    await tick();
    expect(desk.state.finder).toBe(null);
    expect(desk.state.unknown).toBe("NOBODY");
    const calls = ["NOBODY", "A1", "NOBODY"];
    expect.verifySteps(calls.map((code) => `scan {"session_id":7,"barcode":"${code}"}`));
});

test("the result of a parcel is shown until the next scan", async () => {
    const result = { returns: [] };
    const { desk } = await openDesk({
        finish: makeAnswer({ code: "finished", result }),
        scan: makeAnswer(),
    });
    desk.do("finish");
    await tick();
    expect(desk.state.finished).toEqual(result);
    desk.scan("A1");
    expect(desk.state.finished).toBe(null);
    await tick();
    expect.verifySteps(['finish {"session_id":7}', 'scan {"session_id":7,"barcode":"A1"}']);
});

test("a refusal is told with its reason, and the bench is read again", async () => {
    const { desk } = await openDesk({
        scan: () => {
            throw makeRefusal("The return is closed.");
        },
    });
    desk.scan("A1");
    await tick();
    expect.verifySteps([
        'scan {"session_id":7,"barcode":"A1"}',
        "sound: reject",
        "open_session {}",
    ]);
    expect(String(desk.state.message.text)).toBe("This was not done: The return is closed.");
    expect(desk.state.message.color).toBe("danger");
});

test("a bench that cannot be reached says so, and opens when it is back", async () => {
    const { desk, server } = await openDesk();
    const { open_session } = server;
    server.open_session = () => {
        throw new ConnectionLostError();
    };
    await desk.open();
    expect(desk.state.lost).toBe(true);
    const data = makeData({ items: [{ id: 1 }] });
    server.open_session = { ...open_session, data, message: "You go on." };
    await desk.open();
    expect(desk.state.lost).toBe(false);
    expect(desk.state.message.text).toBe("You go on.");
    expect.verifySteps(["open_session {}", "open_session {}"]);
});

test("a scan without connection is sent once when it is back", async () => {
    let lost = true;
    const tokens = new Set();
    const { desk } = await openDesk({
        scan: ({ token }) => {
            tokens.add(token);
            if (lost) {
                throw new ConnectionLostError();
            }
            return makeAnswer();
        },
    });
    desk.scan("A1");
    await tick();
    lost = false;
    await advanceTime(1000);
    const call = 'scan {"session_id":7,"barcode":"A1"}';
    expect.verifySteps([call, call]);
    expect([...tokens].map(Boolean)).toEqual([true]);
});
