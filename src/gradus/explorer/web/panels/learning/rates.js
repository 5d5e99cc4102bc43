// How large the steps were: the learning rate, the norm of the gradient, and how far each step moved each matrix.

import {h, replace} from "../../lib/dom.js";
import {number} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {chart, legend, sized} from "./chart.js";
import {follow, look, place} from "./store.js";

const HEALTHY = 1e-3;

/** @type {import("../index.js").Panel} */
export default {
  id: "learning-rates",
  tab: "learning",
  kinds: ["bigram", "nplm", "mlp", "wavenet", "recurrent", "gpt", "modern", "transformer", "encoder"],
  title: "How large the steps were",
  caption: "A step moves each matrix a little. Near a thousandth of its own size, the dashed line, is a good pace; far below, it hardly learns; far above, each step undoes the one before.",
  mount(root, ctx) {
    const {run} = state.get();
    /** @type {import("./store.js").Followed|null} */
    let data = null;
    /** @type {any} */
    let rates = null;
    let chosen = "", asked = 0;
    const which = /** @type {HTMLSelectElement} */ (h("select", {id: "learning-matrix", onchange: () => {
      chosen = which.value;
      draw();
    }}));
    const readout = h("p", {class: "readout"});
    const updates = sized((width) => {
      if (!rates?.step.length) return null;
      const series = rates.names.map((/** @type {string} */ name, /** @type {number} */ i) => ({name, class: name === chosen ? "line-0" : "line-2 thin faint", x: rates.step, y: rates.ratios[i]}));
      series.sort((/** @type {any} */ a, /** @type {any} */ b) => Number(a.name === chosen) - Number(b.name === chosen));
      return chart(width, {label: "Update-to-data ratio of each matrix", series, logX: true, logY: true, xLabel: "step", yLabel: "size of the step / size of the matrix", height: 240,
        levels: [{name: "10⁻³, a good pace", y: HEALTHY}], ...picked()});
    });
    const normKey = h("div", {});
    const norms = sized((width) => {
      if (!data) return null;
      const series = [
        {name: "norm of the gradient, before clipping", class: "line-1 thin", x: data.columns.step, y: data.columns.grad_norm},
        ...(rates?.grad_norm.some((/** @type {any} */ x) => x !== null) ? [{name: "at the moments and evaluations", class: "line-0", points: true, x: rates.step, y: rates.grad_norm}] : []),
      ];
      if (!series.some((one) => Array.from(one.y).some((y) => y !== null))) return h("p", {class: "note"}, "The norm was not measured: it is where gradients are clipped.");
      replace(normKey, legend(series));
      return chart(width, {label: "Norm of the gradient", series, logX: true, xLabel: "step", yLabel: "norm", height: 190, levels: rates?.clip ? [{name: `cut to ${number(rates.clip, 1)}`, y: rates.clip}] : [], ...picked()});
    });
    const rate = sized((width) => data && chart(width, {label: "Learning rate", series: [{name: "learning rate", class: "line-3", x: data.columns.step, y: data.columns.learning_rate}], xLabel: "step", yLabel: "learning rate", height: 170}));
    root.append(h("h3", {}, "Update-to-data ratio of each matrix"), h("div", {class: "lr-row"}, h("label", {for: "learning-matrix"}, "Matrix"), which), updates.element, readout,
      h("h3", {}, "Gradient"), norms.element, normKey, h("h3", {}, "Learning rate"), rate.element);

    function picked() {
      if (!data) return {};
      const {steps} = data;
      return {moments: steps, at: steps[place(steps)], onPick: (/** @type {number} */ i) => look(steps, i)};
    }

    function draw() {
      updates.redraw();
      norms.redraw();
      rate.redraw();
      if (!rates || !data) return;
      const step = data.steps[place(data.steps)];
      const at = rates.step.lastIndexOf(rates.step.filter((/** @type {number} */ one) => one <= step).at(-1));
      const ratio = at >= 0 ? rates.ratios[rates.names.indexOf(chosen)]?.[at] : null;
      readout.textContent = ratio ? `Step ${rates.step[at]} moved ${chosen} by ${number(ratio, 5)} of its size.` : "";
      readout.setAttribute("data-value", String(ratio ?? ""));
    }

    const end = follow(run, (now) => {
      data = now;
      draw();
      if (now.columns.dev_loss.length === asked) return;
      asked = now.columns.dev_loss.length;
      void ctx.get("learning/rates", {moment: ""}).then((answer) => {
        rates = answer;
        chosen ||= answer.names.at(-1) ?? "";
        replace(which, answer.names.map((/** @type {string} */ name) => h("option", {value: name, selected: name === chosen}, name)));
        draw();
      });
    }, ctx.fail);
    return {update: draw, destroy: end};
  },
};
