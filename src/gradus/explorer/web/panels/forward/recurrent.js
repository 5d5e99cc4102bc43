// The state of a recurrent network along the text, its gates, and one unit as lines.

import {h, replace, s} from "../../lib/dom.js";
import * as explain from "../../lib/explain.js";
import {number, percent, token} from "../../lib/format.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";
import {matrix} from "./matrix.js";
import {choice, draw, follow, keysOfARun, piece} from "./parts.js";

keysOfARun({"state.part": "h", "state.sorted": true});
const NAMES = {
  h: "h, the state", c: "c, the cell", i: "i, the input gate", f: "f, the forget gate", o: "o, the output gate", g: "g, what is new",
  r: "r, the reset gate", z: "z, the update gate", n: "n, what is new",
};
const WHY = "forward/state/why";

function params() {
  const now = state.get(), {token: at, layer, unit} = selection.current();
  return {text: now.text, token: at, layer, unit, part: now["state.part"]};
}

/** @type {import("../index.js").Panel} */
const map = {
  id: "state",
  tab: "forward",
  kinds: ["recurrent"],
  title: "The state along the text",
  caption: "All that the network remembers is this column of numbers, changed by each token. A row is one unit; the tokens go from left to right.",
  wide: true,
  mount(root, ctx) {
    const bar = h("div", {class: "bar-row"}), place = h("div", {}), note = h("p", {class: "note"});
    replace(root, bar, place, note);
    /** @type {ReturnType<typeof matrix>|null} */
    let drawn = null;
    const propose = () => {
      const {token: at, layer, unit} = params();
      explain.propose(WHY, {token: at, layer, unit});
    };
    return follow(root, ctx, "forward/state", params, (found) => {
      const sorted = state.get()["state.sorted"];
      selection.limit({layer: found.layers, unit: found.units});
      const order = sorted ? found.order.toArray() : Array.from({length: found.units}, (_, i) => i);
      draw(bar,
        choice("Which numbers", found.parts, found.part, (part) => state.set({"state.part": part}), NAMES),
        h("span", {class: "muted"}, NAMES[/** @type {keyof NAMES} */ (found.part)]),
        found.layers > 1 && choice("Layer", Array.from({length: found.layers}, (_, i) => `layer ${i}`), `layer ${found.layer}`, (name) => state.set({layer: Number(name.slice(6)), unit: null})),
        h("label", {}, h("input", {type: "checkbox", "data-key": "sorted", checked: sorted, onchange: () => state.set({"state.sorted": !sorted})}), " those that change most on top"));
      const options = heat(found, order);
      if (drawn) drawn.update(options);
      else {
        drawn = matrix(options);
        place.append(drawn.element);
      }
      draw(note, `${found.units} units, ${found.pieces.length} tokens; from ${number(found.low, 2)} to ${number(found.high, 2)}. After `, piece(found.pieces[found.position]),
        `, ${percent(found.saturated.data[found.position])} of the units are saturated, beyond ±0.97. Those that change most: `,
        h("span", {class: "unit-list"}, found.order.toArray().slice(0, 10).map((/** @type {number} */ unit) =>
          h("button", {type: "button", "data-key": `unit ${unit}`, "aria-pressed": String(unit === found.unit), title: `changes by ${number(found.change.data[unit], 3)} a token`, onclick: () => state.set({unit})}, unit))));
    }, {also: () => state.get()["state.sorted"], propose});
  },
};

/** @param {any} found @param {number[]} order */
function heat(found, order) {
  const gate = ["i", "f", "o", "r", "z"].includes(found.part), cols = found.pieces.length;
  const most = Math.max(Math.abs(found.low), Math.abs(found.high), 1e-30);
  return {
    rows: found.units, cols, label: `${NAMES[/** @type {keyof NAMES} */ (found.part)]} of ${found.units} units along ${cols} tokens`,
    scale: /** @type {"diverging"|"sequential"} */ (gate ? "sequential" : "diverging"), low: gate ? 0 : -most, high: gate ? 1 : most,
    most: 40, least: 2, tall: Math.max(2, Math.min(12, 420 / found.units)),
    value: (/** @type {number} */ i, /** @type {number} */ t) => found.values.at(order[i], t),
    cell: (/** @type {number} */ i, /** @type {number} */ t) => `unit ${order[i]} after ${token(found.pieces[t])} (token ${t}): ${found.part} = ${number(found.values.at(order[i], t), 3)}`,
    onHover: (/** @type {[number, number]|null} */ cell) => (cell ? explain.point(WHY, {token: cell[1], layer: found.layer, unit: order[cell[0]]}) : explain.point(null)),
    onLock: (/** @type {number} */ i, /** @type {number} */ t) => selection.lock({unit: order[i], token: t}),
    marked: /** @type {[number, number]} */ ([order.indexOf(found.unit), -1]),
    colLabels: found.pieces, colMark: found.position,
  };
}

/** @type {import("../index.js").Panel} */
const unit = {
  id: "unit",
  tab: "forward",
  kinds: ["recurrent"],
  title: "One unit along the text",
  caption: "What one unit holds after each token, and what its gates did.",
  wide: true,
  mount(root, ctx) {
    return follow(root, ctx, "forward/state", params, (found) => draw(root, lines(found)));
  },
};

/** One small plot for the state and one for the gates, over the tokens. @param {any} found */
function lines(found) {
  const gates = found.parts.filter((/** @type {string} */ name) => ["i", "f", "o", "r", "z"].includes(name));
  const states = found.parts.filter((/** @type {string} */ name) => !gates.includes(name));
  return h("div", {class: "pair"},
    plot(found, states, `Unit ${found.unit}: ${states.join(", ")}`, null),
    gates.length > 0 && plot(found, gates, "Its gates: 0 is shut, 1 is open", [0, 1]));
}

/** @param {any} found @param {string[]} names @param {string} title @param {[number, number]|null} limits */
function plot(found, names, title, limits) {
  const T = found.pieces.length, [W, H, left, right, top, bottom] = [480, 200, 36, 10, 10, 28];
  const all = names.flatMap((name) => found.lines[name].toArray());
  const [low, high] = limits ?? [Math.min(-1, ...all), Math.max(1, ...all)];
  const x = (/** @type {number} */ t) => left + ((t + 0.5) / T) * (W - left - right);
  const y = (/** @type {number} */ v) => H - bottom - ((v - low) / (high - low)) * (H - top - bottom);
  const every = Math.max(1, Math.ceil(T / 36));
  const marks = limits ? [0, 0.5, 1] : [low, 0, high];
  return h("figure", {class: "unit-plot"},
    h("figcaption", {}, h("b", {}, title), names.map((name, i) => h("span", {class: "key"}, h("span", {class: `stroke stroke-${i}`}), NAMES[/** @type {keyof NAMES} */ (name)]))),
    s("svg", {class: "lines", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${title}, along ${T} tokens`},
      marks.map((v) => [s("line", {class: "grid", x1: left, x2: W - right, y1: y(v), y2: y(v)}), s("text", {class: "tick", x: left - 6, y: y(v) + 4, "text-anchor": "end"}, number(v, 1))]).flat(),
      s("line", {class: "stand", x1: x(found.position), x2: x(found.position), y1: top, y2: H - bottom}),
      names.map((name, i) => s("path", {
        class: `line line-${i}`, "data-part": name,
        d: found.lines[name].toArray().map((/** @type {number} */ v, /** @type {number} */ t) => `${t ? "L" : "M"}${x(t).toFixed(1)} ${y(v).toFixed(1)}`).join(""),
      }, s("title", {}, NAMES[/** @type {keyof NAMES} */ (name)]))),
      names.map((name, i) => s("circle", {class: `dot dot-${i}`, "data-part": name, "data-value": found.lines[name].data[found.position], cx: x(found.position), cy: y(found.lines[name].data[found.position]), r: 4})),
      found.pieces.map((/** @type {string} */ one, /** @type {number} */ t) => t % every ? null : s("text", {class: `tick ${t === found.position ? "here" : ""}`, x: x(t), y: H - 10, "text-anchor": "middle"}, token(one)))));
}

export default [map, unit];
