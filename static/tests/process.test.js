import { describe, expect, test } from "@odoo/hoot";

import { findGap, getPath, getWidth } from "@sale_return/process/process_lines";

describe("lines of the picture of the process", () => {
    const cards = [
        { top: 20, bottom: 60 },
        { top: 80, bottom: 120 },
    ];

    test("pass cards in the nearest gap", () => {
        expect(findGap(cards, 70)).toBe(70);
        expect(findGap(cards, 50)).toBe(68);
        expect(findGap(cards, 30)).toBe(12);
        expect(findGap(cards, 110)).toBe(128);
        expect(findGap([], 33)).toBe(33);
    });

    test("pass cards that leave no gap above or below them", () => {
        const tight = [
            { top: 20, bottom: 60 },
            { top: 70, bottom: 120 },
        ];
        expect(findGap(tight, 65)).toBe(12);
    });

    test("are as wide as their share of the largest count", () => {
        expect(getWidth(0, 10)).toBe(1);
        expect(getWidth(10, 10)).toBe(9);
        expect(getWidth(1, 10)).toBe(2.25);
    });

    test("are level across a column", () => {
        const path = getPath([{ x: 0, y: 10 }, { x: 20, y: 30, level: 15 }, { x: 50, y: 30 }]);
        expect(path).toBe("M 0 10 C 10 10 10 30 20 30 H 35 C 42.5 30 42.5 30 50 30");
    });
});
