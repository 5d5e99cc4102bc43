// What the layers give, and the gradients that reach them, at one moment and over time.

import {h, replace, s} from "../../lib/dom.js";
import {number, percent} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {chart, legend, sized} from "./chart.js";
import {follow, momentAt, named, place} from "./store.js";

/** @type {import("../index.js").Panel} */
export default {
  id: "learning-inside",
  tab: "learning",
  wide: true,
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
    const over = h("div", {class: "diagnosed"});
    root.append(note, list, h("h3", {}, "At every evaluation"), over);
    /** What the training itself wrote. @type {any} */
    let diagnosed = null;
    let chosen = 0, evaluations = -1;

    function drawDiagnosed() {
      if (!diagnosed?.step.length || !diagnosed.names.length) {
        replace(over, h("p", {class: "note"}, "This run has no diagnostics: gradus train --diagnose writes histograms of every layer at each evaluation. Above, they are computed from the weights."));
        return;
      }
      const {step: at, names} = diagnosed;
      const select = /** @type {HTMLSelectElement} */ (h("select", {id: "learning-diagnosed", onchange: () => {
        chosen = Number(select.value);
        drawDiagnosed();
      }}, names.map((/** @type {string} */ name, /** @type {number} */ i) => h("option", {value: i, selected: i === chosen}, name))));
      const flat = [
        {name: "flat outputs", class: "line-1", x: at, y: diagnosed.saturated[chosen]},
        {name: "dead units", class: "line-0", x: at, y: diagnosed.dead[chosen]},
      ].filter((one) => one.y.some((/** @type {any} */ y) => y !== null));
      const spread = [{name: "spread of the outputs", class: "line-0", x: at, y: diagnosed.std[chosen]}];
      replace(over, h("div", {class: "lr-row"}, h("label", {for: "learning-diagnosed"}, "Layer"), select),
        h("div", {class: "lr-layers"},
          h("div", {}, h("p", {class: "lr-small"}, "outputs, one line an evaluation, the last in front"), ridge(diagnosed.histograms[chosen], "line-0", at)),
          h("div", {}, h("p", {class: "lr-small"}, "gradients that reach them"), ridge(diagnosed.grad_histograms[chosen], "line-1", at)),
          h("div", {}, h("p", {class: "lr-small"}, flat.length ? "flat outputs and dead units, the part of all" : "spread of the outputs"),
            sized((width) => chart(width, {label: "Over time", series: flat.length ? flat : spread, xLabel: "step", yLabel: flat.length ? "part" : "standard deviation", height: 200})).element, flat.length ? legend(flat) : null)));
    }

    async function askDiagnosed() {
      diagnosed = await ctx.get("learning/diagnosed", {moment: ""});
      chosen = Math.min(chosen, Math.max(0, diagnosed.names.length - 1));
      drawDiagnosed();
    }

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
      const measured = now.columns.dev_loss.filter((loss) => loss !== null).length;
      if (measured !== evaluations) {
        evaluations = measured;
        void askDiagnosed();
      }
    }, () => {});
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

/**
 * Histograms one behind the other, the first at the back; each has the same area.
 * @param {({low: number, high: number, counts: number[]}|null)[]} histograms @param {string} colour @param {number[]} steps
 */
function ridge(histograms, colour, steps) {
  const known = histograms.map((one, i) => ({one, step: steps[i]})).filter(({one}) => one !== null && Number.isFinite(one.low) && Number.isFinite(one.high));
  if (!known.length) return h("p", {class: "note"}, "They were not measured.");
  const low = Math.min(...known.map(({one}) => one?.low ?? 0)), high = Math.max(...known.map(({one}) => one?.high ?? 0));
  const curves = known.map(({one, step}) => {
    const {counts, low: from, high: to} = /** @type {{low: number, high: number, counts: number[]}} */ (one);
    const wide = (to - from) / counts.length || 1, all = counts.reduce((a, b) => a + b, 0) || 1;
    return {step, points: counts.map((count, i) => [from + (i + 0.5) * wide, count / all / wide])};
  });
  const most = Math.max(...curves.flatMap(({points}) => points.map(([, y]) => y)));
  return sized((width) => {
    const height = 200, base = 176, back = 18, gap = Math.min(14, (base - back - 60) / Math.max(1, curves.length - 1)), right = 44;
    const x = (/** @type {number} */ v) => ((v - low) / (high - low || 1)) * (width - right);
    return s("svg", {class: "ridge", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${curves.length} histograms from ${number(low, 3)} to ${number(high, 3)}`},
      curves.map(({points, step}, i) => {
        const y0 = base - (curves.length - 1 - i) * gap;
        const line = points.map(([v, y]) => `${x(v).toFixed(1)} ${(y0 - 56 * Math.sqrt(y / most)).toFixed(1)}`).join("L");
        return [
          s("path", {class: "ridge-fill", d: `M${x(points[0][0]).toFixed(1)} ${y0}L${line}L${x(points[points.length - 1][0]).toFixed(1)} ${y0}Z`}),
          s("path", {class: `ridge-line ${colour}`, d: `M${line}`}, s("title", {}, `step ${step}`)),
          i === 0 || i === curves.length - 1 ? s("text", {class: "tick", x: width, y: y0, "text-anchor": "end"}, String(step)) : null];
      }).flat(),
      s("text", {class: "tick", x: 0, y: height - 6}, number(low, 3)),
      s("text", {class: "tick", x: width - right, y: height - 6, "text-anchor": "end"}, number(high, 3)));
  }).element;
}
