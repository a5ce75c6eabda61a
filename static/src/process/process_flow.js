import { Component, onMounted, onPatched, onWillUnmount, useRef } from "@odoo/owl";

import { findGap, getPath, getWidth } from "./process_lines";
import { describe, sayCount, sayHere, sayReturns } from "./process_sentences";

/** A flow of the picture: columns of cards, and lines behind them from each edge to its target. */
export class ProcessFlow extends Component {
    static template = "sale_return.ProcessFlow";
    static props = { flow: Object, edit: Function, list: Function };

    setup() {
        this.describe = describe;
        this.sayCount = sayCount;
        this.sayHere = sayHere;
        this.sayReturns = sayReturns;
        this.boardRef = useRef("board");
        // The height of cards depends on their words, so lines are drawn once they are laid out.
        const observer = new ResizeObserver(() => this.draw());
        onMounted(() => {
            observer.observe(this.boardRef.el);
            this.draw();
        });
        onPatched(() => this.draw());
        onWillUnmount(() => observer.disconnect());
    }

    get hasTitles() {
        return this.props.flow.columns.some((column) => column.name);
    }

    get edges() {
        return this.props.flow.columns.flatMap(({ nodes }, column) =>
            nodes.flatMap((node) =>
                node.edges.map((edge) => ({
                    ...edge,
                    key: `${node.key} ${edge.target}`,
                    source: node.key,
                    column,
                }))
            )
        );
    }

    draw() {
        const board = this.boardRef.el;
        if (!board) {
            return;
        }
        const origin = board.getBoundingClientRect();
        const place = (element) => {
            const box = element.getBoundingClientRect();
            return {
                left: box.left - origin.left,
                right: box.right - origin.left,
                top: box.top - origin.top,
                bottom: box.bottom - origin.top,
            };
        };
        const columns = [...board.querySelectorAll(".o_sr_process_column")].map((column) =>
            [...column.querySelectorAll(".o_sr_process_node")].map((element) => ({
                key: element.dataset.node,
                ...place(element),
            }))
        );
        const largest = Math.max(1, ...this.edges.map((edge) => edge.count));
        const arrivals = this.getArrivals(columns);
        for (const edge of this.edges) {
            const line = board.querySelector(`path[data-edge="${CSS.escape(edge.key)}"]`);
            const start = board.querySelector(`button[data-edge="${CSS.escape(edge.key)}"]`);
            const end = arrivals[edge.key];
            const box = place(start);
            const points = [{ x: box.right, y: (box.top + box.bottom) / 2 }];
            for (let index = edge.column + 1; index < end.column; index++) {
                const { left, right } = columns[index][0];
                const done = (index - edge.column) / (end.column - edge.column);
                const wish = points[0].y + done * (end.y - points[0].y);
                const y = findGap(columns[index], wish);
                points.push({ x: left, y, level: right - left });
            }
            points.push({ x: end.x, y: end.y });
            line.setAttribute("d", getPath(points));
            line.setAttribute("stroke-width", getWidth(edge.count, largest));
        }
    }

    /** Where each edge arrives: one below the other, in the order of the cards they come from. */
    getArrivals(columns) {
        const places = {};
        columns.forEach((cards, column) => {
            for (const card of cards) {
                places[card.key] = { ...card, column, edges: [] };
            }
        });
        for (const edge of this.edges) {
            places[edge.target].edges.push(edge.key);
        }
        const arrivals = {};
        for (const { left, top, bottom, column, edges } of Object.values(places)) {
            const step = (bottom - top) / (edges.length + 1);
            edges.forEach((key, index) => {
                arrivals[key] = { x: left, y: top + step * (index + 1), column };
            });
        }
        return arrivals;
    }
}
