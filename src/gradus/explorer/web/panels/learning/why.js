// Why the loss fell: the curve, the lines that it passes, and the moments along it.

import {h, replace} from "../../lib/dom.js";
import {count, number, percent} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {chart, legend, sized} from "./chart.js";
import {reading} from "./reading.js";
import {slider} from "./slider.js";
import {follow, look, momentAt, named, place} from "./store.js";

/** @typedef {import("./store.js").Followed} Followed */

state.define({"learning.x": "log"});

const LINES = /** @type {const} */ ([
  ["uniform", "guessing"], ["unigram", "frequencies"], ["bigram", "pairs"], ["trigram", "triples"],
]);
const AXES = [["log", "steps, early ones wide"], ["step", "steps"], ["seconds", "seconds"], ["tokens", "tokens"]];

/** @type {import("../index.js").Panel} */
export default {
  id: "learning",
  tab: "learning",
  kinds: null,
  wide: true,
  title: "Why the loss fell",
  caption: "The loss is how surprised the model is by the next token, in nats: e to the loss is among how many equally likely tokens it hesitates. Dashed lines are what mere counting reaches on the same text.",
  mount(root, ctx) {
    const {run} = state.get();
    /** @type {Followed|null} */
    let data = null;
    /** @type {Record<string, any>|null} */
    let lines = null;
    /** What was measured at each moment, by step. @type {Map<number, any>} */
    const like = new Map();
    let ended = false;

    const story = h("ol", {class: "lr-reading"});
    const wait = h("p", {class: "note", role: "status"});
    const key = h("div", {});
    const told = h("div", {class: "moment-facts"});
    const time = slider();
    const axis = /** @type {HTMLSelectElement} */ (h("select", {id: "learning-x", onchange: () => state.set({"learning.x": axis.value})},
      AXES.map(([value, name]) => h("option", {value}, name))));
    const status = h("p", {class: "note", role: "status"});
    const plot = sized((width) => {
      if (!data) return null;
      const {columns, steps} = data;
      const by = state.get()["learning.x"];
      const column = by === "log" ? "step" : by;
      const measured = steps.filter((step) => like.has(step));
      const at = steps[place(steps)];
      const series = [
        {name: "train loss", class: "line-2 thin", x: columns[column], y: columns.train_loss},
        {name: "dev loss: text that was not trained on", class: "line-0", x: columns[column], y: columns.dev_loss},
        ...(column === "step" && measured.length ? [{name: "dev loss of the moments, on a part of it", class: "line-1", points: true, x: measured, y: measured.map((step) => like.get(step).loss)}] : []),
      ];
      replace(key, legend(series));
      const levels = lines ? LINES.filter(([name]) => lines && name in lines).map(([name, called]) => ({name: `${called} ${number(lines?.[name], 2)}`, y: lines?.[name]})) : [];
      return chart(width, {
        label: `Loss by ${column}: dev loss ${number(lastOf(columns.dev_loss), 3)} at the end`,
        series, levels, logX: by === "log", xLabel: column === "step" ? "step" : column, yLabel: "loss, nats",
        moments: column === "step" ? steps : [], at: column === "step" ? at : null, onPick: (i) => look(steps, i),
        height: Math.max(260, Math.min(380, width * 0.42)),
      });
    });
    root.append(
      h("div", {class: "why"},
        h("div", {class: "why-curve"},
          h("div", {class: "lr-row"}, h("label", {for: "learning-x"}, "Along"), axis, status),
          plot.element, key, time.element),
        h("div", {class: "why-told"}, h("h3", {}, "Read the curve"), story, wait, told)));

    function draw() {
      plot.redraw();
      if (!data) return;
      const {steps} = data;
      const at = place(steps);
      plot.element.setAttribute("data-last-step", String(lastOf(data.columns.step) ?? 0));
      time.update(steps, at);
      status.textContent = {training: "It is training now: the curve grows as it does.", stopped: "It was stopped before its end."}[data.state] ?? "";
      replace(story, reading(steps, like, (i) => look(steps, i), ctx.about.context));
      replace(told, facts(steps, at));
    }

    /** What was measured at the moment that is looked at. @param {number[]} steps @param {number} at */
    function facts(steps, at) {
      const one = like.get(steps[at]);
      if (!one) return [];
      return [
        h("h3", {}, `The model ${named(steps, at)}`),
        h("p", {class: "lr-big"}, h("span", {"data-value": one.loss, id: "moment-loss"}, number(one.loss, 3)), " nats",
          h("span", {class: "muted"}, ` · as unsure as among ${number(Math.exp(one.loss), 1)} equally likely tokens`)),
        h("p", {class: "note"}, "How much of its probability lies elsewhere than that of:"),
        h("ul", {class: "bars distances"}, LINES.map(([name, called]) => h("li", {"data-value": one.distance[name], "data-name": name},
          h("span", {class: "bars-label"}, called),
          h("span", {class: "bars-track"}, h("span", {class: "bars-bar", style: {width: `${100 * one.distance[name]}%`}})),
          h("span", {class: "bars-text"}, percent(one.distance[name]))))),
      ];
    }

    async function measure() {
      if (!data) return;
      const {steps} = data;
      const missing = steps.filter((step, i) => !like.has(step) || (i === steps.length - 1 && like.get(step).at !== step));
      for (const step of missing) {
        if (ended) return;
        wait.textContent = `Measuring the model at its moments: ${like.size} of ${steps.length} …`;
        const found = await ctx.get("learning/like", {moment: momentAt(steps, steps.indexOf(step))}, "like");
        like.set(step, {...found, at: step});
        draw();
      }
      wait.textContent = missing.length || like.size ? `Measured on ${count(like.values().next().value?.tokens ?? 0)} tokens of the dev split.` : "";
    }

    let asked = 0;
    const end = follow(run, (now) => {
      data = now;
      draw();
      if (ctx.about.kind === "ngram" || !now.last) return;
      if (now.steps.length !== asked) {
        asked = now.steps.length;
        void (async () => {
          lines ??= await ctx.get("learning/lines", {moment: ""});
          draw();
          await measure();
        })();
      }
    }, ctx.fail);

    return {
      update(now) {
        axis.value = now["learning.x"];
        draw();
      },
      destroy() {
        ended = true;
        time.destroy();
        end();
      },
    };
  },
};

/** @param {(number|null)[]} values */
function lastOf(values) {
  return values.filter((value) => value !== null).at(-1);
}
