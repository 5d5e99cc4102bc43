// What the layers give, and the gradients that reach them, at one moment and over time.

import {h, replace, s} from "../../lib/dom.js";
import {number, percent} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {sized} from "./chart.js";
import {follow, momentAt, named, place} from "./store.js";

/** @type {import("../index.js").Panel} */
export default {
  id: "learning-inside",
  tab: "learning",
  kinds: ["nplm", "mlp", "wavenet", "recurrent", "gpt", "modern"],
  title: "Inside the layers",
  caption: "How the outputs of each layer are spread, and the gradients that come back to them. A unit that is flat for every token is dead: nothing can train what feeds it.",
  mount(root, ctx) {
    const {run} = state.get();
    /** @type {number[]} */
    let steps = [];
    /** @type {any} */
    let found = null;
    let askedFor = "";
    const note = h("p", {class: "note"});
    const list = h("div", {class: "lr-layers"});
    root.append(note, list);

    function draw() {
      if (!found) return;
      const {names, tokens} = found;
      note.textContent = `The model ${named(steps, steps.indexOf(found.at))}, on ${tokens} tokens of the dev split.`;
      replace(list, names.map((/** @type {string} */ name, /** @type {number} */ i) => h("section", {class: "lr-layer", "aria-label": name, "data-layer": name},
        h("h3", {}, name),
        h("div", {class: "lr-pair"},
          half("outputs", found.counts, i, found.low[i], found.high[i], found.std[i], "line-0"),
          half("gradients", found.grad_counts, i, found.grad_low[i], found.grad_high[i], found.grad_std[i], "line-1")),
        found.dead[i] === null ? null : h("p", {class: "note"}, "flat ", h("b", {"data-value": found.saturated[i]}, percent(found.saturated[i])), " of the outputs · dead ", h("b", {"data-value": found.dead[i]}, percent(found.dead[i])), " of the units"))));
    }

    function ask() {
      if (!steps.length) return;
      const at = place(steps);
      const key = `${run} ${steps[at]}`;
      if (key === askedFor) return;
      askedFor = key;
      void ctx.get("learning/inside", {moment: momentAt(steps, at)}).then((answer) => {
        found = {...answer, at: steps[at]};
        draw();
      });
    }

    const end = follow(run, (now) => {
      steps = now.steps;
      ask();
    }, ctx.fail);
    return {update: ask, destroy: end};
  },
};

/**
 * A histogram with its spread.
 * @param {string} title @param {{data: ArrayLike<number>, shape: number[]}} counts @param {number} row @param {number} low @param {number} high @param {number} std @param {string} colour
 */
function half(title, counts, row, low, high, std, colour) {
  const n = counts.shape[1];
  const bins = Array.from(counts.data).slice(row * n, (row + 1) * n);
  const most = Math.max(...bins, 1);
  const plot = sized((width) => s("svg", {class: "histogram", viewBox: `0 0 ${width} 76`, width, height: 76, role: "img", "aria-label": `${title} from ${number(low, 3)} to ${number(high, 3)}`},
    bins.map((value, i) => s("rect", {class: colour, x: (i * width) / n, width: Math.max(1, width / n - 1), y: 56 - (54 * value) / most, height: (54 * value) / most, "data-value": value})),
    s("line", {class: "grid", x1: 0, x2: width, y1: 56, y2: 56}),
    s("text", {class: "tick", x: 0, y: 71}, number(low, 2)),
    s("text", {class: "tick", x: width, y: 71, "text-anchor": "end"}, number(high, 2))));
  return h("div", {}, h("p", {class: "lr-small"}, title, h("span", {class: "muted", "data-value": std}, ` spread ${number(std, 3)}`)), plot.element);
}
