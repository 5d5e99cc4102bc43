// Beam search as a tree: at every step the likeliest continuations of all beginnings, which of them go on, and which of
// the translations that were completed wins.

import {h, replace, s} from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";

state.define({"beam.beams": 4, "beam.length_penalty": 0.6});

const WIDE = 130, TALL = 34, BOX = 100, HIGH = 26, FIRST = 88; // a step, a candidate, its box, and where the first step is, in pixels

/** The parameters of the search. @param {import("../../lib/state.js").State} now */
export function searching(now) {
  return {beams: now["beam.beams"], length_penalty: now["beam.length_penalty"]};
}

/** @type {import("../index.js").Panel} */
export default {
  id: "beam",
  tab: "forward",
  kinds: ["transformer"],
  title: "The beam",
  caption: "Choosing the likeliest token each time cannot be taken back. Beam search keeps several beginnings: at every step it continues all of them by all tokens, and keeps the likeliest continuations. Completed translations are put aside, and compared at the end.",
  wide: true,
  mount(root, ctx) {
    const setting = (/** @type {string} */ key, /** @type {string} */ label, /** @type {Record<string, any>} */ limits) => {
      const input = /** @type {HTMLInputElement} */ (h("input", {type: "number", ...limits, onchange: () => {
        if (input.value && input.validity.valid) state.set({[key]: Number(input.value)});
        else input.value = state.get()[key];
      }}));
      return {input, element: h("label", {class: "beam-setting"}, `${label} `, input)};
    };
    const beams = setting("beam.beams", "beams", {min: 1, max: 20, step: 1});
    const penalty = setting("beam.length_penalty", "length penalty", {min: 0, max: 5, step: 0.1});
    const scroll = h("div", {class: "beam-scroll", tabindex: 0, role: "region", "aria-label": "The tree of the search"});
    const readout = h("p", {class: "readout", "aria-live": "polite"});
    const found = h("div", {class: "race-scroll"});
    const about = h("p", {class: "caption"});
    replace(root, h("div", {class: "beam-bar"}, beams.element, penalty.element, legend()), scroll, readout, h("h3", {}, "Completed, the best first"), found, about);
    let asked = "";
    /** @type {any} */
    let page = null;
    /** @type {Map<number, any>} */
    let nodes = new Map();

    function tell() {
      const unit = selection.current().unit;
      const c = unit === null || unit === undefined ? undefined : nodes.get(unit);
      readout.textContent = c ? sentence(c) : "Point at a token of the tree to see the beginning that it ends.";
      if (c) readout.setAttribute("data-value", String(c.log_p));
      else readout.removeAttribute("data-value");
      const on = new Set();
      for (let one = c; one; one = nodes.get(one.parent)) on.add(one.node);
      for (const element of scroll.querySelectorAll("[data-node]")) element.classList.toggle("is-on", on.has(Number(element.getAttribute("data-node"))));
    }

    /** @param {any} c */
    function sentence(c) {
      const path = [];
      for (let one = c; one; one = nodes.get(one.parent)) path.unshift(one);
      const text = path.map((one) => (one.fate === "complete" ? "" : one.piece)).join("").trim();
      const before = c.log_p - c.step_log_p;
      const fate = {kept: "kept: among the likeliest of its step", complete: "complete: put aside, to be compared by its score", dropped: "dropped: others of its step were likelier"}[/** @type {"kept"} */ (c.fate)];
      return `“${text}”${c.fate === "complete" ? ", ended" : " …"}: ln p = ${format.number(before, 3)} + ln ${format.percent(Math.exp(c.step_log_p))} = ${format.number(c.log_p, 3)}; ${fate}.`;
    }

    function draw() {
      nodes = new Map();
      const winner = new Set(page.found[0]?.path ?? []);
      /** @type {Map<number, [number, number]>} */
      const places = new Map([[0, [46, 20 + HIGH / 2]]]);
      /** @type {SVGElement[]} */
      const edges = [];
      /** @type {SVGElement[]} */
      const boxes = [];
      page.steps.forEach((/** @type {any[]} */ step, /** @type {number} */ column) => step.forEach((c, rank) => {
        nodes.set(c.node, c);
        const x = FIRST + column * WIDE, y = 20 + rank * TALL;
        places.set(c.node, [x + BOX, y + HIGH / 2]);
        const [fromX, fromY] = places.get(c.parent) ?? [0, 0];
        const wins = winner.has(c.node) ? " wins" : "";
        const middle = (fromX + x) / 2;
        edges.push(s("path", {class: `beam-edge ${c.fate}${wins}`, "data-node": c.node, d: `M${fromX} ${fromY}C${middle} ${fromY} ${middle} ${y + HIGH / 2} ${x} ${y + HIGH / 2}`}));
        const name = c.fate === "complete" ? "end" : format.token(c.piece);
        const box = s("g", {class: `beam-node ${c.fate}${wins}`, "data-node": c.node, "data-value": c.log_p, "data-fate": c.fate, transform: `translate(${x} ${y})`},
          s("rect", {width: BOX, height: HIGH, rx: 5}),
          s("text", {class: "beam-name", x: 8, y: 17}, name.length > 7 ? `${name.slice(0, 6)}…` : name),
          s("text", {class: "beam-p", x: BOX - 7, y: 17, "text-anchor": "end"}, format.percent(Math.exp(c.step_log_p))));
        selection.bind(box, {unit: c.node}, {group: "beam", label: `step ${column + 1}, ${name}: ${format.percent(Math.exp(c.step_log_p))}, ${c.fate}${wins ? ", of the translation that wins" : ""}`});
        boxes.push(box);
      }));
      const rows = Math.max(1, ...page.steps.map((/** @type {any[]} */ step) => step.length));
      const width = FIRST + page.steps.length * WIDE, height = 24 + rows * TALL;
      replace(scroll, s("svg", {width, height, viewBox: `0 0 ${width} ${height}`, class: "beam-tree"},
        edges, s("g", {transform: `translate(8 20)`, class: "beam-root"}, s("rect", {width: 38, height: HIGH, rx: 5}), s("text", {x: 19, y: 17, "text-anchor": "middle"}, "start")), boxes));
      replace(found, h("table", {class: "race-table beam-found"},
        h("thead", {}, h("tr", {}, ["translation", "tokens n", "ln p", `((5 + n) / 6)^${format.number(state.get()["beam.length_penalty"], 1)}`, "score"].map((name) => h("th", {scope: "col"}, name)))),
        h("tbody", {}, page.found.map((/** @type {any} */ one, /** @type {number} */ i) => h("tr", {class: i === 0 ? "wins" : ""},
          h("th", {scope: "row"}, one.text || "(nothing)", one.ended ? "" : " …"),
          h("td", {"data-value": one.length}, one.length),
          h("td", {"data-value": one.log_p}, format.number(one.log_p, 3)),
          h("td", {"data-value": one.divisor}, format.number(one.divisor, 3)),
          h("td", {"data-value": one.score}, format.number(one.score, 3), i === 0 ? h("strong", {}, " wins") : null))))));
      about.textContent = page.found[0]?.ended
        ? "Each token makes a text less likely, so that ln p alone prefers short ones. The score divides it by a number that grows with the length: the length penalty. It decides only between completed translations; within the tree ln p decides."
        : "None was completed within the tokens that the model can write: these are the beginnings that were left.";
      tell();
    }

    const stop = selection.subscribe(tell);
    return {
      async update(now) {
        if (document.activeElement !== beams.input) beams.input.value = String(now["beam.beams"]);
        if (document.activeElement !== penalty.input) penalty.input.value = String(now["beam.length_penalty"]);
        const given = {text: now.text, ...searching(now)};
        const key = JSON.stringify(given);
        if (key === asked) return;
        asked = key;
        page = await ctx.get("forward/beam", given);
        draw();
      },
      destroy: stop,
    };
  },
};

function legend() {
  return h("span", {class: "beam-legend"}, [["kept", "kept"], ["complete", "completed"], ["dropped", "dropped"], ["wins", "the winner"]].map(([fate, text]) =>
    h("span", {}, h("i", {class: `beam-swatch ${fate}`, "aria-hidden": true}), text)));
}
