// Distance of lines from cards they pass, and the width of the widest line.
const CLEARANCE = 8;
const WIDEST = 9;

/** How wide a line is: as its count to the largest one of the flow. */
export function getWidth(count, largest) {
    return count ? 1.5 + (WIDEST - 1.5) * (count / largest) : 1;
}

/**
 * Find a height at which a line passes the cards of a column, as near as possible to a wished one.
 *
 * @param {{ top: number, bottom: number }[]} cards from top to bottom
 * @param {number} wish
 */
export function findGap(cards, wish) {
    const edges = cards.flatMap(({ top, bottom }) => [top - CLEARANCE, bottom + CLEARANCE]);
    const isFree = (y) =>
        cards.every(({ top, bottom }) => y <= top - CLEARANCE || y >= bottom + CLEARANCE);
    const free = [wish, ...edges].filter(isFree);
    return free.reduce((best, y) => (Math.abs(y - wish) < Math.abs(best - wish) ? y : best));
}

/**
 * Draw a line from left to right through points; across a column it is level.
 *
 * @param {{ x: number, y: number, level?: number }[]} points `level`: how far it stays at its height
 */
export function getPath(points) {
    let path = `M ${points[0].x} ${points[0].y}`;
    let x = points[0].x;
    let y = points[0].y;
    for (const point of points.slice(1)) {
        const middle = (x + point.x) / 2;
        path += ` C ${middle} ${y} ${middle} ${point.y} ${point.x} ${point.y}`;
        x = point.x;
        y = point.y;
        if (point.level) {
            x += point.level;
            path += ` H ${x}`;
        }
    }
    return path;
}
