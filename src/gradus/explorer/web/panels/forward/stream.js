// The residual stream: how large it is after each step, and what each attention and each MLP adds.

import {h, replace} from "../../lib/dom.js";
import {colours} from "../../lib/draw.js";
import * as explain from "../../lib/explain.js";
import {number, token} from "../../lib/format.js";
import {live} from "../../lib/live.js";
import {namedMap} from "../../lib/map.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";

/** @type {import("../index.js").Panel} */
export default {
  id: "stream",
  tab: "forward",
  kinds: ["gpt", "modern"],
  wide: true,
  title: "The residual stream",
  caption: "Each position carries one vector through the model. Every attention and every MLP adds to it; what was added is never overwritten. The bars are lengths of vectors.",
  mount(root, {get}) {
    const bars = h("div", {}), readout = h("p", {class: "readout", "aria-live": "polite"}, "\u00a0");
    const map = namedMap({
      most: 22, tall: 21, side: 84,
      onLock: (_, col) => state.set({token: col}),
      onHover(cell) {
        const step = cell ? told.steps.length - 1 - cell[0] : 0;
        readout.textContent = cell ? `${told.steps[step]} adds ${number(told.added.at(step - 1, cell[1]), 3)} at “${token(told.pieces[cell[1]])}”, position ${cell[1]}` : "\u00a0";
        if (cell) explain.point("forward/why", {what: "size", layer: step, token: cell[1]});
        else explain.point(null);
      },
    });
    replace(root, h("div", {class: "halves"}, bars, h("div", {}, h("h3", {}, "What each step adds, at every position"), map.element, readout, h("p", {class: "note"}, "The stronger the colour, the longer the vector that is added."))));
    /** @type {any} */
    let told = null;
    async function draw() {
      told = await get("forward/residual", {text: state.get().text});
      show();
    }

    function show() {
      if (!told) return;
      const T = told.pieces.length, t = Math.min(T - 1, selection.current().token ?? T - 1);
      replace(bars, h("h3", {}, `At “${token(told.pieces[t])}”, position ${t}`), steps(told, t));
      const n = told.steps.length - 1, most = Math.max(...told.added.data, 1e-30);
      map.update({
        rows: n, cols: T, rowNames: told.steps.slice(1).reverse(), colNames: told.pieces.map(token), marked: [-1, t],
        value: (row, col) => told.added.at(n - 1 - row, col), colour: colours("sequential", 0, most),
        label: "The length of what each step adds to the stream: rows are steps, the last on top; columns are positions",
      });
    }

    const base = () => {
      const {text, run, moment} = state.get();
      return [text, run, moment];
    };
    const one = live(root, base, draw);
    const two = live(root, () => selection.current().token, show);
    return {
      update() {
        one.update();
        two.update();
      },
      destroy() {
        one.destroy();
        two.destroy();
      },
    };
  },
};

/** A row for each step, the last on top: what it adds, and how large the stream is after it. @param {any} told @param {number} t */
function steps(told, t) {
  const n = told.steps.length;
  const most = Math.max(...Array.from({length: n}, (_, i) => told.sizes.at(i, t)), 1e-30);
  const rows = [];
  for (let i = n - 1; i >= 0; i--) {
    const size = told.sizes.at(i, t), added = i ? told.added.at(i - 1, t) : size, turned = i ? told.turned.at(i - 1, t) : 0;
    const row = h("tr", {class: i % 2 ? "step-attention" : "step-mlp", "aria-label": `${told.steps[i]}: adds ${number(added)}, then the stream has length ${number(size)}`},
      h("th", {scope: "row"}, told.steps[i]),
      h("td", {"data-value": added}, i ? number(added) : ""),
      h("td", {class: "step-bar"}, h("span", {class: "meter size", style: {width: `${(100 * size) / most}%`}}), i ? h("span", {class: "meter added", style: {width: `${(100 * added) / most}%`}}) : null),
      h("td", {"data-value": size}, number(size)),
      h("td", {class: "quiet-text", "data-value": turned}, i ? number(turned) : ""));
    explain.bind(row, "forward/why", {what: "size", layer: i, token: t});
    rows.push(row);
  }
  return h("table", {class: "steps"}, h("thead", {}, h("tr", {}, h("th"), h("th", {scope: "col"}, "adds"), h("th"), h("th", {scope: "col"}, "stream"),
    h("th", {scope: "col", title: "the cosine between what is added and the stream before: 1 makes it longer, 0 writes something new, -1 takes away"}, "cosine"))), h("tbody", {}, rows));
}
