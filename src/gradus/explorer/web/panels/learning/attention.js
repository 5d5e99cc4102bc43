// Where one head looks in the current text, at every moment.

import {h, replace} from "../../lib/dom.js";
import {heatmap} from "../../lib/draw.js";
import {number, percent, token} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {chart, legend, sized} from "./chart.js";
import {follow, look, named, place} from "./store.js";

/** @type {import("../index.js").Panel} */
export default {
  id: "learning-attention",
  tab: "learning",
  kinds: ["gpt", "modern"],
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
    const key = h("div", {});
    const plot = sized((width) => {
      if (!found || !found.before.length) return null;
      const series = [
        {name: "on the token before", class: "line-0", x: found.step, y: found.before},
        {name: "on the first token", class: "line-1", x: found.step, y: found.first},
        {name: "on itself", class: "line-3", x: found.step, y: found.itself},
      ];
      replace(key, legend(series));
      return chart(width, {label: "Where the head looks, over time", series, logX: true, xLabel: "step", yLabel: "mean weight", height: 190,
        moments: found.step, at: found.step[place(found.step)], onPick: (i) => look(found.step, i)});
    });
    root.append(
      h("div", {class: "lr-row"}, layer.element, head.element), note, map.element,
      h("h3", {}, "Over time"), plot.element, key);

    function draw() {
      const now = state.get();
      layer.select.value = String(now.layer ?? 0);
      head.select.value = String(now.head ?? 0);
      if (!found) return;
      const i = found.step.indexOf(steps[place(steps)]);
      if (i < 0) return;
      const T = found.pieces.length;
      const {data, low = 0, high = 1} = found.weights;
      const weight = (/** @type {number} */ row, /** @type {number} */ col) => data[i * T * T + row * T + col];
      note.textContent = `Layer ${now.layer ?? 0}, head ${now.head ?? 0}, ${named(found.step, i)}.${found.before.length ? ` On the token before lies ${percent(found.before[i])} of it, on the first ${percent(found.first[i])}.` : ""}`;
      map.update({
        rows: T, cols: T, low: 0, high: 1, label: `Attention of layer ${now.layer ?? 0}, head ${now.head ?? 0}, ${named(found.step, i)}`,
        value: (row, col) => (col > row ? null : weight(row, col)),
        cell: (row, col) => (col > row ? "a token cannot look ahead" : `${token(found.pieces[row])} takes ${percent(weight(row, col))} from ${token(found.pieces[col])}`),
        marked: now.token === null || now.token >= T ? null : [now.token, -1],
        onLock: (row) => state.set({token: row}),
      });
      plot.redraw();
      void [low, high, number];
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
    }, ctx.fail);
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
