// What the network says at one moment: of the current text, and when it writes freely.

import {h, replace} from "../../lib/dom.js";
import {number, percent, token} from "../../lib/format.js";
import {bars} from "../../lib/draw.js";
import * as state from "../../lib/state.js";
import {follow, momentAt, named, place} from "./store.js";

const MOST = 8; // nats at which a token's bar is full

/** @type {import("../index.js").Panel} */
export default {
  id: "learning-says",
  tab: "learning",
  kinds: ["bigram", "nplm", "mlp", "wavenet", "recurrent", "gpt", "modern"],
  title: "What it says at this moment",
  caption: "The same text, the same seed, at every moment: only what was learned differs. A bar over a token is how surprised the model was by it.",
  mount(root, ctx) {
    const {run} = state.get();
    /** @type {any} */
    let said = null;
    /** @type {number[]} */
    let steps = [];
    let askedFor = "", wroteFor = "";
    const head = h("p", {class: "note"});
    const strip = h("div", {class: "surprises", role: "list", "aria-label": "Surprise by token"});
    const next = h("div", {});
    const sample = h("pre", {class: "lr-sample", tabindex: 0, "aria-label": "What it writes"});
    const source = h("p", {class: "note"});
    root.append(head, h("h3", {}, "This text"), strip, h("h3", {}, "What comes next"), next, h("h3", {}, "What it writes"), sample, source);

    function draw() {
      if (!steps.length) return;
      const at = place(steps);
      head.textContent = `The model ${named(steps, at)}.`;
      const i = said ? said.step.indexOf(steps[at]) : -1;
      if (i < 0) return;
      const T = said.pieces.length;
      const row = said.surprise.data.subarray(i * T, (i + 1) * T);
      replace(strip, said.pieces.map((/** @type {string} */ piece, /** @type {number} */ t) => h("span", {role: "listitem", class: "surprise", "data-value": row[t], title: Number.isNaN(row[t]) ? "nothing is before it" : `${number(row[t], 2)} nats, probability ${percent(Math.exp(-row[t]))}`},
        h("span", {class: "surprise-track"}, Number.isNaN(row[t]) ? null : h("span", {class: "surprise-bar", style: {height: `${Math.min(100, (100 * row[t]) / MOST)}%`}})),
        h("span", {class: "surprise-token"}, token(piece)))));
      const {pieces, probabilities} = said.next[i];
      replace(next, bars(pieces.map((/** @type {string} */ piece, /** @type {number} */ k) => {
        const p = probabilities.data[k];
        return {label: token(piece), value: p, text: percent(p), part: p};
      })));
    }

    async function ask() {
      const {text, seed, moment} = state.get();
      if (!steps.length) return;
      const key = JSON.stringify([text, steps]);
      if (key !== askedFor) {
        askedFor = key;
        said = await ctx.get("learning/said", {text, moment: ""});
        draw();
      }
      const at = momentAt(steps, place(steps));
      const own = JSON.stringify([at, seed, steps.length]);
      if (own !== wroteFor) {
        wroteFor = own;
        const written = await ctx.get("learning/written", {seed, moment: moment === "" ? "" : at});
        sample.textContent = written.text;
        source.textContent = written.source === "samples.txt" ? "From samples.txt, which the run wrote at its end." : `Drawn at temperature 1 with the seed ${seed}.`;
      }
    }

    const end = follow(run, (now) => {
      steps = now.steps;
      draw();
      void ask();
    }, ctx.fail);
    return {
      update() {
        draw();
        void ask();
      },
      destroy: end,
    };
  },
};
