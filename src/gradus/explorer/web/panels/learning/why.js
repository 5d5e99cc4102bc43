// Why the loss fell: the curve, the lines that it passes, and the moments along it.

import * as api from "../../lib/api.js";
import {h, replace} from "../../lib/dom.js";
import {count, number, percent} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {chart, legend, sized} from "./chart.js";
import {reading} from "./reading.js";
import {slider} from "./slider.js";
import {AXES, follow, look, momentAt, named, place} from "./store.js";

/** @typedef {import("./store.js").Followed} Followed */

state.define({"learning.x": "log"});

const ANSWERS = ["encoder", "transformer"]; // they answer texts, and are measured otherwise
const LINES = /** @type {const} */ ([
  ["uniform", "guessing"], ["unigram", "frequencies"], ["bigram", "pairs"], ["trigram", "triples"],
]);

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
    const none = h("p", {class: "note"});
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
        height: Math.max(280, Math.min(400, width * 0.5)),
      });
    });
    root.append(
      h("div", {class: "why"},
        h("div", {class: "why-curve"},
          h("div", {class: "lr-row"}, h("label", {for: "learning-x"}, "Along"), axis, status),
          plot.element, key, time.element, told),
        h("div", {class: "why-told"}, h("h3", {}, "Read the curve"), none, story, wait)));

    function draw() {
      plot.redraw();
      if (!data) return;
      const {steps} = data;
      const at = place(steps);
      plot.element.setAttribute("data-last-step", String(lastOf(data.columns.step) ?? 0));
      time.update(steps, at);
      status.textContent = {training: "It is training now: the curve grows as it does.", stopped: "It was stopped before its end."}[data.state] ?? "";
      none.textContent = steps.length > 1 ? "" : ctx.about.kind === "ngram" || ctx.about.kind === "mixture"
        ? "It learned by counting its text once: there is nothing between its beginning and its end."
        : "This run kept no moments, so only its end can be measured. gradus train keeps them where they fit into --moments-mb (32 megabytes).";
      replace(story, reading(steps, like, (i) => look(steps, i), ctx.about.context));
      replace(told, facts(steps, at));
    }

    /** What was measured at the moment that is looked at. @param {number[]} steps @param {number} at */
    function facts(steps, at) {
      const one = like.get(steps[at]);
      if (!one) return [];
      return [
        h("div", {},
          h("h3", {}, `The model ${named(steps, at)}`),
          h("p", {class: "lr-big"}, h("span", {"data-value": one.loss, id: "moment-loss"}, number(one.loss, 3)), " nats"),
          h("p", {class: "note"}, `As unsure as among ${number(Math.exp(one.loss), 1)} equally likely tokens.`)),
        h("div", {},
          h("p", {class: "note"}, "How much of its probability lies elsewhere than that of mere counting:"),
          h("ul", {class: "bars distances"}, LINES.map(([name, called]) => h("li", {"data-value": one.distance[name], "data-name": name},
            h("span", {class: "bars-label"}, called),
            h("span", {class: "bars-track"}, h("span", {class: "bars-bar", style: {width: `${100 * one.distance[name]}%`}})),
            h("span", {class: "bars-text"}, percent(one.distance[name])))))),
      ];
    }

    async function measure() {
      if (!data) return;
      const {steps} = data;
      const missing = steps.filter((step) => !like.has(step));
      for (const step of missing) {
        if (ended) return;
        wait.textContent = `Measuring the model at its moments: ${like.size} of ${steps.length} …`;
        const found = await api.get("learning/like", {moment: momentAt(steps, steps.indexOf(step))}, {slot: "why like"});
        like.set(step, found);
        draw();
      }
      wait.textContent = missing.length || like.size ? `Measured on ${count(like.values().next().value?.tokens ?? 0)} tokens of the dev split.` : "";
    }

    let asked = "";
    const end = follow(run, (now) => {
      data = now;
      draw();
      const key = JSON.stringify(now.steps);
      if (key !== asked && now.last && !ANSWERS.includes(ctx.about.kind)) {
        asked = key;
        void (async () => {
          try {
            lines ??= await api.get("learning/lines", {moment: ""}, {slot: "why lines"});
            draw();
            await measure();
          } catch (error) {  // such as a text that is no longer there: the curve can be drawn without
            wait.textContent = `The lines of mere counting are not drawn: ${error instanceof Error ? error.message : error}`;
          }
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
