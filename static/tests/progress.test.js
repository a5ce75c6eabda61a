import { advanceTime, animationFrame, Deferred, describe, expect, test } from "@odoo/hoot";
import { click, queryAllTexts } from "@odoo/hoot-dom";

import { mockService, onRpc } from "@web/../tests/web_test_helpers";
import { BulkProgress } from "@sale_return/bulk_progress/bulk_progress";
import { ChannelProgress } from "@sale_return/channel/channel_progress";
import { makeRefusal, mount, usePage } from "@sale_return/../tests/helpers";

usePage();

const open = (Part, params) => mount(Part, { action: { params }, actionId: 1 });

function refuse(message) {
    throw makeRefusal(message);
}

describe("a step on many returns", () => {
    const range = (count) => [...Array(count).keys()].map((index) => index + 1);
    const run = (ids, answer) => {
        onRpc("sale.return", "action_submit", ({ args: [batch], kwargs }) => {
            expect.step(batch.length);
            return answer?.(batch, kwargs) || true;
        });
        const names = Object.fromEntries(ids.map((id) => [id, `R${id}`]));
        const kwargs = { note: "all" };
        return open(BulkProgress, { ids, names, method: "action_submit", kwargs });
    };

    test("goes in batches, and says how far it is", async () => {
        await run(range(45), (batch, { note }) => {
            expect.step(`${note}: ${batch[0]} to ${batch.at(-1)}`);
        });
        await animationFrame();
        const batches = [20, "all: 1 to 20", 20, "all: 21 to 40", 5, "all: 41 to 45"];
        expect.verifySteps(batches);
        expect("p").toHaveText("45 of 45 returns, 0 not possible");
        expect(".progress").toHaveAttribute("aria-valuenow", "100");
        expect("button").toHaveText("Close");
    });

    test("one that fails does not stop the others of its batch, and is listed", async () => {
        await run(range(3), (batch) => batch.includes(2) && refuse("Nothing is left to return."));
        await advanceTime(100);
        await animationFrame();
        expect.verifySteps([3, 1, 1, 1]);
        expect("p").toHaveText("3 of 3 returns, 1 not possible");
        expect(queryAllTexts("li span")).toEqual(["R2", "Nothing is left to return."]);
    });

    test("lists those that the step itself names", async () => {
        const failed = [{ name: "R1", reason: "Closed." }];
        await run(range(2), () => ({ failed }));
        await animationFrame();
        expect.verifySteps([2]);
        expect("p").toHaveText("2 of 2 returns, 1 not possible");
        expect(queryAllTexts("li span")).toEqual(["R1", "Closed."]);
    });

    test("ends after the batch that runs when it is stopped", async () => {
        mockService("action", { doAction: ({ type }) => expect.step(type) });
        const answer = new Deferred();
        await run(range(45), () => answer);
        await animationFrame();
        await click("button");
        answer.resolve(true);
        await animationFrame();
        expect.verifySteps([20, "ir.actions.act_window_close"]);
    });
});

describe("the import of long files", () => {
    const upload = (state, progress) => ({ id: 1, name: "a.csv", state, progress, message: "" });

    test("is asked about until it is done", async () => {
        let answer = upload("running", 40);
        onRpc("sale.return.channel.upload", "read", () => {
            expect.step("read");
            return [answer];
        });
        await open(ChannelProgress, { ids: [1] });
        expect(".progress").toHaveAttribute("aria-valuenow", "40");
        answer = upload("done", 100);
        await advanceTime(2000);
        await animationFrame();
        expect(".progress").toHaveAttribute("aria-valuenow", "100");
        await advanceTime(10000);
        expect.verifySteps(["read", "read"]);
    });

    test("is not asked about by a window that is closed", async () => {
        onRpc("sale.return.channel.upload", "read", () => {
            expect.step("read");
            return [upload("running", 10)];
        });
        const part = await open(ChannelProgress, { ids: [1] });
        part.__owl__.app.destroy();
        await advanceTime(10000);
        expect.verifySteps(["read"]);
    });
});
