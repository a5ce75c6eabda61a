import { advanceTime, after, expect, test, tick } from "@odoo/hoot";

import { browser } from "@web/core/browser/browser";
import { ConnectionLostError } from "@web/core/network/rpc";
import { Deferred } from "@web/core/utils/concurrency";
import { BenchQueue } from "@sale_return/bench/bench_queue";
import { makeRefusal, useFrozenTime } from "@sale_return/../tests/helpers";

useFrozenTime();

const KEY = "sale_return.bench.test";

/** A queue whose calls are answered by the test, one after the other. */
function makeQueue() {
    const calls = [];
    const queue = new BenchQueue({
        key: KEY,
        send: (job) => {
            const call = Object.assign(new Deferred(), { job });
            calls.push(call);
            return call;
        },
        onAnswer: (job, answer) => expect.step(`${job.method}: ${answer}`),
        onRefusal: (job, error) => expect.step(`${job.method} refused: ${error.message}`),
    });
    after(() => queue.stop());
    return { queue, calls };
}

const getKept = () => JSON.parse(browser.localStorage.getItem(KEY));

test("calls are sent one after the other, each with a token of its own", async () => {
    const { queue, calls } = makeQueue();
    queue.add({ method: "scan" });
    queue.add({ method: "finish" });
    await tick();
    expect(calls.map(({ job }) => job.method)).toEqual(["scan"]);
    calls[0].resolve("counted");
    await tick();
    expect(calls.map(({ job }) => job.method)).toEqual(["scan", "finish"]);
    expect(calls[0].job.token).not.toBe(calls[1].job.token);
    calls[1].resolve("closed");
    await tick();
    expect.verifySteps(["scan: counted", "finish: closed"]);
    expect(queue.state.jobs).toEqual([]);
});

test("what the network lost is sent again first, with the same token", async () => {
    const { queue, calls } = makeQueue();
    queue.add({ method: "scan" });
    queue.add({ method: "undo" });
    await tick();
    calls[0].reject(new ConnectionLostError());
    await tick();
    expect(queue.state.lost).toBe(true);
    await advanceTime(1000);
    expect(calls[1].job).toEqual(calls[0].job);
    calls[1].resolve("counted");
    await tick();
    expect(queue.state.lost).toBe(false);
    calls[2].resolve("undone");
    await tick();
    expect.verifySteps(["scan: counted", "undo: undone"]);
});

test("pauses become longer while the network is away, and end when it is back", async () => {
    const { queue, calls } = makeQueue();
    queue.add({ method: "scan" });
    for (const [index, pause] of [1000, 2000, 5000, 10000, 10000].entries()) {
        await tick();
        calls[index].reject(new ConnectionLostError());
        await tick();
        await advanceTime(pause - 1);
        expect(calls.length).toBe(index + 1);
        await advanceTime(1);
        expect(calls.length).toBe(index + 2);
    }
    calls.at(-1).reject(new ConnectionLostError());
    await tick();
    browser.dispatchEvent(new Event("online"));
    await tick();
    expect(calls.length).toBe(7);
});

test("an answer that takes too long counts as lost", async () => {
    const { queue, calls } = makeQueue();
    queue.add({ method: "scan" });
    await tick();
    await advanceTime(29999);
    expect(queue.state.lost).toBe(false);
    await advanceTime(1);
    expect(queue.state.lost).toBe(true);
    await advanceTime(1000);
    // What comes too late is not counted: the server answers the second call of the token.
    calls[0].resolve("too late");
    calls[1].resolve("counted");
    await tick();
    expect.verifySteps(["scan: counted"]);
});

test("a call that the server refuses does not stop those after it", async () => {
    const { queue, calls } = makeQueue();
    queue.add({ method: "scan" });
    queue.add({ method: "undo" });
    await tick();
    calls[0].reject(makeRefusal("closed"));
    await tick();
    calls[1].resolve("undone");
    await tick();
    expect.verifySteps(["scan refused: closed", "undo: undone"]);
    expect(queue.state.lost).toBe(false);
});

test("a login that has ended forgets nothing", async () => {
    expect.errors(1);
    const { queue, calls } = makeQueue();
    queue.add({ method: "scan", kept: true });
    await tick();
    const expired = makeRefusal("Session expired");
    expired.exceptionName = "odoo.http.SessionExpiredException";
    calls[0].reject(expired);
    await tick();
    await advanceTime(1000);
    expect(calls[1].job).toEqual(calls[0].job);
    expect(getKept().length).toBe(1);
    expect.verifyErrors(["Session expired"]);
});

test("what waits survives the page, if it is to be kept", async () => {
    const { queue, calls } = makeQueue();
    queue.add({ method: "scan", kwargs: { barcode: "A1" }, kept: true });
    queue.add({ method: "undo" });
    queue.stop();
    expect(getKept().map(({ method }) => method)).toEqual(["scan"]);

    const { queue: next, calls: nextCalls } = makeQueue();
    next.retry();
    await tick();
    expect(nextCalls[0].job).toEqual(calls[0].job);
    nextCalls[0].resolve("counted");
    await tick();
    expect(getKept()).toBe(null);
    expect.verifySteps(["scan: counted"]);
});

test("what cannot be read from the browser's storage is ignored", async () => {
    browser.localStorage.setItem(KEY, "{not JSON");
    const { queue } = makeQueue();
    expect(queue.state.jobs).toEqual([]);
});

test("a stopped queue neither sends nor tells", async () => {
    const { queue, calls } = makeQueue();
    queue.add({ method: "scan" });
    queue.add({ method: "undo" });
    await tick();
    queue.stop();
    calls[0].resolve("counted");
    await tick();
    browser.dispatchEvent(new Event("online"));
    await tick();
    expect(calls.length).toBe(1);
    expect.verifySteps([]);
});
