// Where one head looks in the current text, at every moment.

import {h, replace, s, setStyle} from "../../lib/dom.js";
import {heatmap} from "../../lib/draw.js";
import {percent, token} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {chart, legend, sized} from "./chart.js";
import {follow, look, named, place} from "./store.js";

/** @type {import("../index.js").Panel} */
export default {
  id: "learning-attention",
  tab: "learning",
  kinds: ["gpt", "modern"],
  wide: true,
  title: "A head finds what to look at",
  caption: "Each row is a token, and shows from which tokens before it this head takes: dark is much. Before training it takes from all alike.",
  mount(root, ctx) {
    const {run} = state.get();
    const {n_layer, n_head} = ctx.about.config;
    /** @type {any} */
    let found = null;
    /** @type {number[]} */
    let steps = [];
    let askedFor = "";
    const layer = chooser("layer", n_layer), head = chooser("head", n_head);
    const note = h("p", {class: "note"});
    const map = heatmap({rows: 1, cols: 1, value: () => null, label: "Attention"});
    const rows = h("div", {class: "map-rows", "aria-hidden": "true"}), cols = h("div", {class: "map-cols", "aria-hidden": "true"});
    const frame = h("div", {class: "map"}, h("span", {}), cols, rows, map.element);
    const canvas = /** @type {HTMLCanvasElement} */ (map.element.querySelector("canvas"));
    new ResizeObserver(() => name()).observe(canvas);

    /** The tokens beside the map's rows and above its columns. */
    function name() {
      if (!found || !canvas.clientWidth) return;
      const T = found.pieces.length, side = canvas.clientWidth / T, size = Math.min(14, side * 0.9);
      const text = (/** @type {string} */ piece, /** @type {Record<string, any>} */ at) => s("text", {class: "tick map-token", "text-anchor": "middle", "font-size": size, ...at}, token(piece));
      replace(rows, s("svg", {width: 20, height: T * side}, found.pieces.map((/** @type {string} */ piece, /** @type {number} */ t) => text(piece, {x: 10, y: (t + 0.5) * side + size / 3}))));
      replace(cols, s("svg", {width: T * side, height: 20}, found.pieces.map((/** @type {string} */ piece, /** @type {number} */ t) => text(piece, {x: (t + 0.5) * side, y: 15}))));
      setStyle(frame, {"--side": `${side}px`});
    }

    const key = h("div", {});
    const plot = sized((width) => {
      if (!found || !found.before.length) return null;
      const series = [
        {name: "on the token before", class: "line-0", x: found.step, y: found.before},
        {name: "on the first token", class: "line-1", x: found.step, y: found.first},
        {name: "on itself", class: "line-3", x: found.step, y: found.itself},
      ];
      replace(key, legend(series));
      return chart(width, {label: "Where the head looks, over time", series, logX: true, xLabel: "step", yLabel: "mean weight", height: 260,
        moments: found.step, at: found.step[place(found.step)], onPick: (i) => look(found.step, i)});
    });
    root.append(
      h("div", {class: "lr-row"}, layer.element, head.element), note,
      h("div", {class: "lr-halves"}, frame, h("div", {}, h("h3", {}, "Over time"), plot.element, key)));

    function draw() {
      const now = state.get();
      layer.select.value = String(now.layer ?? 0);
      head.select.value = String(now.head ?? 0);
      if (!found) return;
      const i = found.step.indexOf(steps[place(steps)]);
      if (i < 0) return;
      const T = found.pieces.length;
      const {data} = found.weights;
      let high = 0.2; // the same at every moment; the first rows have few to choose from
      for (let k = 0; k < data.length; k++) if (Math.floor(k / T) % T > 2) high = Math.max(high, data[k]);
      const weight = (/** @type {number} */ row, /** @type {number} */ col) => data[i * T * T + row * T + col];
      note.textContent = `Layer ${now.layer ?? 0}, head ${now.head ?? 0}, ${named(found.step, i)}.${found.before.length ? ` On the token before lies ${percent(found.before[i])} of it, on the first ${percent(found.first[i])}.` : ""}`;
      map.update({
        rows: T, cols: T, low: 0, high, most: 34, label: `Attention of layer ${now.layer ?? 0}, head ${now.head ?? 0}, ${named(found.step, i)}`,
        value: (row, col) => (col > row ? null : weight(row, col)),
        cell: (row, col) => (col > row ? "a token cannot look ahead" : `${token(found.pieces[row])} takes ${percent(weight(row, col))} from ${token(found.pieces[col])}`),
        marked: now.token === null || now.token >= T ? null : [now.token, -1],
        onLock: (row) => state.set({token: row}),
      });
      name();
      plot.redraw();
    }

    function ask() {
      const {text, layer: l, head: hd} = state.get();
      const key = JSON.stringify([text, l, hd, steps]);
      if (!steps.length || key === askedFor) return;
      askedFor = key;
      void ctx.get("learning/attention", {text, layer: l ?? 0, head: hd ?? 0, moment: ""}).then((answer) => {
        found = answer;
        draw();
      });
    }

    const end = follow(run, (now) => {
      steps = now.steps;
      ask();
      draw();
    }, () => {});
    return {
      update() {
        ask();
        draw();
      },
      destroy: end,
    };
  },
};

/** @param {"layer"|"head"} name @param {number} number */
function chooser(name, number) {
  const select = /** @type {HTMLSelectElement} */ (h("select", {id: `learning-${name}`, onchange: () => state.set({[name]: Number(select.value)})},
    Array.from({length: number}, (_, i) => h("option", {value: i}, String(i)))));
  return {select, element: h("label", {for: `learning-${name}`}, `${name[0].toUpperCase()}${name.slice(1)} `, select)};
}
