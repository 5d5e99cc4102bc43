// The state of a recurrent network along the text, its gates, and one unit as lines.

import {h, replace, s} from "../../lib/dom.js";
import {number, percent, token} from "../../lib/format.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";
import {matrix} from "./matrix.js";
import {choice, draw, explanation, piece} from "./parts.js";

state.define({"state.part": "h", "state.sorted": true});
const NAMES = {
  h: "h, the state", c: "c, the cell", i: "i, the input gate", f: "f, the forget gate", o: "o, the output gate", g: "g, what is new",
  r: "r, the reset gate", z: "z, the update gate", n: "n, what is new",
};
const WATCHED = ["text", "token", "layer", "unit", "state.part", "state.sorted"];

/** @param {import("../index.js").Context} ctx @param {import("../../lib/state.js").State} now */
const ask = (ctx, now) => ctx.get("forward/state", {text: now.text, token: now.token, layer: now.layer, unit: now.unit, part: now["state.part"]});

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
    return {
      async update(now, changed) {
        if (changed.size && !WATCHED.some((key) => changed.has(key))) return;
        const found = await ask(ctx, now);
        selection.limit({layer: found.layers, unit: found.units});
        const order = now["state.sorted"] ? found.order.toArray() : Array.from({length: found.units}, (_, i) => i);
        replace(bar,
          choice("Which numbers", found.parts, found.part, (part) => state.set({"state.part": part}), NAMES),
          h("span", {class: "muted"}, NAMES[/** @type {keyof NAMES} */ (found.part)]),
          found.layers > 1 && choice("Layer", Array.from({length: found.layers}, (_, i) => `layer ${i}`), `layer ${found.layer}`, (name) => state.set({layer: Number(name.slice(6))})),
          h("label", {}, h("input", {type: "checkbox", checked: now["state.sorted"], onchange: () => state.set({"state.sorted": !now["state.sorted"]})}), " the units that change most on top"));
        const options = heat(found, order, now.token);
        if (drawn) drawn.update(options);
        else {
          drawn = matrix(options);
          place.append(drawn.element);
        }
        const saturated = found.saturated.data[found.position];
        replace(note, `${found.units} units, ${found.pieces.length} tokens; from ${number(found.low, 2)} to ${number(found.high, 2)}. After `, piece(found.pieces[found.position]), `, ${percent(saturated)} of them are saturated, beyond ±0.97. Units that change most: `,
          h("span", {class: "unit-list"}, found.order.toArray().slice(0, 10).map((/** @type {number} */ unit) =>
            h("button", {type: "button", "data-key": `unit ${unit}`, "aria-pressed": String(unit === found.unit), title: `changes by ${number(found.change.data[unit], 3)} a token`, onclick: () => state.set({unit})}, unit))));
      },
    };
  },
};

/** @param {any} found @param {number[]} order @param {number|null} locked */
function heat(found, order, locked) {
  const gate = ["i", "f", "o", "r", "z"].includes(found.part), cols = found.pieces.length;
  const most = Math.max(Math.abs(found.low), Math.abs(found.high), 1e-30);
  return {
    rows: found.units, cols, label: `${NAMES[/** @type {keyof NAMES} */ (found.part)]} of ${found.units} units along ${cols} tokens`,
    scale: /** @type {"diverging"|"sequential"} */ (gate ? "sequential" : "diverging"), low: gate ? 0 : -most, high: gate ? 1 : most,
    most: 26, least: 2, tall: Math.max(2, Math.min(12, 420 / found.units)),
    value: (/** @type {number} */ i, /** @type {number} */ t) => found.values.at(order[i], t),
    cell: (/** @type {number} */ i, /** @type {number} */ t) => `unit ${order[i]} after ${token(found.pieces[t])} (token ${t}): ${found.part} = ${number(found.values.at(order[i], t), 3)}`,
    onLock: (/** @type {number} */ i, /** @type {number} */ t) => state.set(found.unit === order[i] && locked === t ? {unit: null, token: null} : {unit: order[i], token: t}),
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
    return {
      async update(now, changed) {
        if (changed.size && !WATCHED.some((key) => changed.has(key))) return;
        const found = await ask(ctx, now);
        draw(root, h("div", {class: "two wide-left"}, h("div", {}, lines(found)), explanation(found.why)));
      },
    };
  },
};

/** One small plot for the state and one for the gates, over the tokens. @param {any} found */
function lines(found) {
  const gates = found.parts.filter((/** @type {string} */ name) => ["i", "f", "o", "r", "z"].includes(name));
  const states = found.parts.filter((/** @type {string} */ name) => !gates.includes(name));
  return h("div", {},
    plot(found, states, `Unit ${found.unit}: ${states.join(", ")}`, null),
    gates.length > 0 && plot(found, gates, "Its gates: 0 is shut, 1 is open", [0, 1]));
}

/** @param {any} found @param {string[]} names @param {string} title @param {[number, number]|null} limits */
function plot(found, names, title, limits) {
  const T = found.pieces.length, [W, H, left, right, top, bottom] = [640, 190, 40, 12, 10, 30];
  const all = names.flatMap((name) => found.lines[name].toArray());
  const [low, high] = limits ?? [Math.min(-1, ...all), Math.max(1, ...all)];
  const x = (/** @type {number} */ t) => left + ((t + 0.5) / T) * (W - left - right);
  const y = (/** @type {number} */ v) => H - bottom - ((v - low) / (high - low)) * (H - top - bottom);
  const every = Math.max(1, Math.ceil(T / 48));
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
