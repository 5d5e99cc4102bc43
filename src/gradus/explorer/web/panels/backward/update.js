// The update: what the optimizer makes of the gradients, how far each parameter moves, and what the model says then.

import {h, replace} from "../../lib/dom.js";
import {lines} from "../../lib/draw.js";
import {count, number, percent, shape, token} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {COUNTING, fine, stepParams, takenOn} from "./source.js";

state.define({"backward.lr": 0, "backward.steps": 1, "backward.parameter": "", "backward.position": -1});

const PAUSE = 300; // milliseconds after a key before a step is computed
const HEALTHY = -3; // log10 of the update-to-data ratio that the lectures aim at
const [LEAST, MOST] = [-5, 0]; // log10, of the learning rates on the slider

/** @type {import("../index.js").Panel} */
export default {
  id: "backward-update",
  tab: "backward",
  kinds: null,
  title: "The update, and what it changes",
  caption: "The optimizer moves every weight a little against its gradient. The step is taken on a copy: the run stays as it is.",
  wide: true,
  when: (about) => !COUNTING.includes(about.kind),
  mount(root, ctx) {
    let shownFor = "";
    /** @type {any} */
    let given = null;
    const source = takenOn(ctx.about, "update");
    const chain = h("div", {class: "bw-sum bw-chain"});
    const slider = /** @type {HTMLInputElement} */ (h("input", {
      id: "bw-lr", type: "range", min: LEAST, max: MOST, step: 0.05, class: "bw-slider",
      oninput: () => later(Number((10 ** Number(slider.value)).toPrecision(2))),
    }));
    const rate = h("output", {class: "bw-where", for: "bw-lr"});
    const own = h("button", {type: "button", class: "quiet", onclick: () => state.set({"backward.lr": 0})}, "the run's own");
    const steps = [1, 5, 20].map((n) => h("button", {
      type: "button", class: "bw-chip", "data-steps": n, onclick: () => state.set({"backward.steps": n}),
    }, n === 1 ? "1 step" : `${n} steps`));
    const outcome = h("div", {class: "bw-outcome"});
    const says = h("div", {class: "bw-says"});
    const table = h("div", {class: "bw-scroll bw-parameters"});
    const cell = h("div", {class: "bw-rule-cell"});
    const busy = h("p", {class: "note bw-busy"}, "The update is being computed …");
    const whole = h("div", {hidden: true}, chain,
      h("div", {class: "bw-controls"}, h("label", {for: "bw-lr", class: "note"}, "Learning rate"), slider, rate, own, h("span", {class: "note"}, "on the same text"), steps),
      outcome, says,
      h("div", {class: "bw-halves"}, h("section", {}, h("h3", {}, "How far each parameter moves"), table), h("section", {}, h("h3", {}, "One weight, by the optimizer's rule"), cell)));
    replace(root, source.element, busy, whole);

    let waiting = 0, typing = 0;
    /** @param {number} wanted */
    function later(wanted) {
      rate.textContent = wanted.toExponential(1).replace("e-", "e−");
      clearTimeout(waiting);
      waiting = window.setTimeout(() => state.set({"backward.lr": wanted}), 200);
    }

    async function load() {
      const now = state.get();
      const params = {
        ...stepParams(ctx.about), learning_rate: now["backward.lr"], steps: now["backward.steps"],
        parameter: now["backward.parameter"], position: now["backward.position"],
      };
      const key = JSON.stringify(params);
      if (key === shownFor) return;
      shownFor = key;
      given = await ctx.get("backward/update", params);
      busy.hidden = true;
      whole.hidden = false;
      show();
    }

    function show() {
      const now = state.get();
      if (document.activeElement !== slider) slider.value = String(Math.log10(given.learning_rate || given.peak));
      rate.textContent = fine(given.learning_rate);
      own.setAttribute("aria-pressed", String(!now["backward.lr"]));
      for (const one of steps) one.setAttribute("aria-pressed", String(now["backward.steps"] === Number(one.getAttribute("data-steps"))));
      const op = (/** @type {string} */ sign) => h("span", {class: "bw-op"}, sign);
      const clipped = given.factor < 1;
      replace(chain,
        card("norm", given.norm, "size of all gradients together"), op("→"),
        card("factor", given.factor, given.clip ? (clipped ? `clipped to ${number(given.clip, 1)}: all are multiplied by this` : `not above ${number(given.clip, 1)}: nothing is clipped`) : "this run does not clip"), op("→"),
        card("learning_rate", given.learning_rate, now["backward.lr"] ? "learning rate, as you set it" : `learning rate at step ${count(given.step)}: ${given.schedule}, peak ${fine(given.peak)}`), op("→"),
        h("span", {class: "bw-part"}, h("strong", {}, {adamw: "AdamW", adam: "Adam", sgd: "SGD", muon: "Muon and AdamW"}[/** @type {string} */ (given.optimizer)]), h("small", {}, given.said)));
      showOutcome();
      showSaid();
      replace(table, parameters(given, (name) => state.set({"backward.parameter": name})));
      replace(cell, given.cell ? rule(given.cell) : h("p", {class: "note"}, "This parameter gets no gradient from the text: it stays."));
    }

    function showOutcome() {
      const {losses, predicted} = given;
      const [before, after] = losses;
      const last = losses[losses.length - 1];
      const better = last < before;
      replace(outcome,
        h("div", {class: "bw-sum"},
          card("before", before, "the loss before"), h("span", {class: "bw-op"}, "→"),
          h("span", {class: "bw-part bw-after"}, h("strong", {"data-part": "after", "data-value": after}, number(after, 4)), h("small", {}, `after one step: ${signed(after - before)}`)),
          losses.length > 2 ? [h("span", {class: "bw-op"}, "→"), card("last", last, `after ${losses.length - 1} steps`)] : null),
        h("p", {class: "bw-rule"}, "The gradient foretold a change of ", h("strong", {"data-part": "predicted", "data-value": predicted}, signed(predicted)),
          `: the sum over all weights of gradient times move. It came to ${signed(after - before)}, `, near(predicted, after - before),
          better ? "" : " A step that makes the loss larger was too long: the slope changes on the way."),
        losses.length > 2
          ? lines({lines: [{name: "loss", x: losses.map((/** @type {number} */ _, /** @type {number} */ i) => i), y: losses}], label: `The loss of this text over ${losses.length - 1} steps`, xLabel: "steps", yLabel: "loss", height: 180, width: Math.min(720, Math.max(280, root.clientWidth))})
          : null);
    }

    function showSaid() {
      const {positions, top} = given;
      const many = given.losses.length > 2 ? `${given.losses.length - 1} steps` : "the step";
      const tallest = Math.max(...positions.map((/** @type {any} */ one) => Math.max(one.before, one.after)), 1e-30);
      const most = Math.max(...top.tokens.map((/** @type {any} */ one) => Math.max(one.before, one.after)));
      replace(says,
        h("section", {},
          h("h3", {}, "The probability of what came, before and after"),
          h("p", {class: "note"}, `Grey: before. Colour: after ${many}. The tallest is ${percent(tallest)}. Choose a place to see what else was possible there.`),
          h("div", {class: "bw-places", role: "group", "aria-label": "Places of the text"}, positions.map((/** @type {any} */ one) => h("button", {
            type: "button", class: "bw-place", "aria-pressed": String(one.position === top.position), "data-position": one.position,
            "aria-label": `${one.target === " " ? "space" : one.target}: ${percent(one.before)} before, ${percent(one.after)} after`,
            title: `${percent(one.before)} → ${percent(one.after)}`,
            onclick: () => state.set({"backward.position": one.position}),
          },
          h("span", {class: "bw-columns"}, h("span", {class: "bw-column", "data-value": one.before, style: {height: `${Math.max(1, (100 * one.before) / tallest)}%`}}), h("span", {class: "bw-column bw-later", "data-value": one.after, style: {height: `${Math.max(1, (100 * one.after) / tallest)}%`}})),
          h("span", {class: "bw-place-token"}, token(one.target)))))),
        h("section", {},
          h("h3", {}, "What could have stood there"),
          h("p", {class: "note"}, "In the place that is chosen; ✓ is what came."),
          h("ul", {class: "bw-pairs"}, top.tokens.map((/** @type {any} */ one) => h("li", {"data-token": one.piece},
            h("span", {class: "bw-pairs-label"}, token(one.piece), one.target ? " ✓" : ""),
            h("span", {class: "bw-pairs-bars"},
              h("span", {class: "bw-pairs-bar", style: {width: `${(100 * one.before) / most}%`}}),
              h("span", {class: "bw-pairs-bar bw-later", style: {width: `${(100 * one.after) / most}%`}})),
            h("span", {class: "bw-pairs-text"}, h("span", {"data-value": one.before}, percent(one.before)), " → ", h("span", {"data-value": one.after}, percent(one.after))))))));
    }

    return {
      update(_, changed) {
        source.update();
        clearTimeout(typing);
        typing = window.setTimeout(load, shownFor && changed.has("text") ? PAUSE : 0);
      },
      destroy() {
        clearTimeout(typing);
        clearTimeout(waiting);
      },
    };
  },
};

/** @param {string} name @param {number} value @param {string} label */
function card(name, value, label) {
  return h("span", {class: "bw-part"}, h("strong", {"data-part": name, "data-value": value}, fine(value)), h("small", {}, label));
}

/** @param {number} value */
function signed(value) {
  return `${value > 0 ? "+" : ""}${number(value, 4)}`;
}

/** How near the loss came to what was foretold. @param {number} predicted @param {number} real */
function near(predicted, real) {
  const part = real / predicted;
  if (!Number.isFinite(part)) return "";
  return part > 0.85 && part < 1.15 ? "nearly the same: over so short a step the loss is almost straight." : part > 0 ? `${Math.round(100 * part)} % of that: the loss is curved.` : "the other way.";
}

/** @param {any} given @param {(name: string) => void} pick */
function parameters(given, pick) {
  return [
    h("table", {class: "bw-table"},
      h("thead", {}, h("tr", {}, ["parameter", "gradient", "move", "move / spread of the weights"].map((name) => h("th", {scope: "col"}, name)))),
      h("tbody", {}, given.parameters.map((/** @type {any} */ one) => {
        const log = one.ratio ? Math.log10(one.ratio) : null;
        return h("tr", {class: given.cell?.parameter === one.name ? "bw-row-now" : "", "data-parameter": one.name},
          h("td", {}, h("button", {type: "button", class: "bw-link bw-plain", onclick: () => pick(one.name)}, one.name.replace(/^transformer\./, "")), h("small", {}, ` ${shape(one.shape)} ${{adamw: "AdamW", adam: "Adam", sgd: "SGD", muon: "Muon"}[/** @type {string} */ (one.rule)] ?? ""}`)),
          h("td", {"data-value": one.gradient}, fine(one.gradient)), h("td", {"data-value": one.change}, fine(one.change)),
          h("td", {"data-value": one.ratio}, log === null ? h("small", {}, "–") : h("span", {class: "bw-ratio"},
            h("span", {class: "bw-ratio-track"}, h("span", {class: `bw-ratio-dot${Math.abs(log - HEALTHY) > 1 ? " bw-far" : ""}`, style: {left: `${100 * Math.min(1, Math.max(0, (log + 5) / 4))}%`}})), fine(one.ratio))));
      }))),
    h("p", {class: "note"}, "The line in the middle is a thousandth, which the lectures aim at; a dot is orange if it is more than ten times off. Near the end of training, with a small learning rate, less is right."),
  ];
}

/** One weight's move, line by line. @param {any} cell */
function rule(cell) {
  return [
    h("p", {}, h("strong", {}, cell.rule), `: ${cell.said}`),
    h("p", {class: "note"}, h("code", {}, `${cell.parameter}[${cell.place.join(", ")}]`), ", the cell that moves most"),
    h("table", {class: "bw-table bw-lines"}, h("tbody", {}, cell.lines.map((/** @type {any} */ line) => h("tr", {},
      h("td", {class: "bw-symbol"}, line.name), h("td", {}, line.formula), h("td", {class: "bw-right-align", "data-value": line.value, "data-line": line.name}, fine(line.value)))))),
    h("p", {class: "bw-total"}, "In the model it goes from ", h("strong", {"data-part": "weight-before", "data-value": cell.before}, fine(cell.before)), " to ", h("strong", {"data-part": "weight-after", "data-value": cell.after}, fine(cell.after)), "."),
  ];
}
