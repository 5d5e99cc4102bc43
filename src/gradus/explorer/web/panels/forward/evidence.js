// The encoder's answer: the labels of a text, or what a [MASK] may hide; and which tokens spoke for it.

import {h, renew, replace, setStyle} from "../../lib/dom.js";
import {colours, css} from "../../lib/draw.js";
import * as format from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {chooser} from "./looks.js";
import {framed} from "./reading.js";

state.define({"evidence.choice": null, "evidence.place": null, "evidence.method": "gradient"});

const METHODS = [
  {value: "gradient", text: "gradient × input"},
  {value: "path", text: "all along the way"},
];

const NUMBERED = 80; // tokens, up to which each has its number

/** @type {import("../index.js").Panel} */
export default {
  id: "evidence",
  tab: "forward",
  kinds: ["encoder"],
  title: "The answer, and which tokens spoke for it",
  caption: "The encoder reads the whole text at once. Choose an answer to see how much each token pushed its score up or down.",
  wide: true,
  mount(root, ctx) {
    const answers = h("div", {class: "answers", role: "group", "aria-label": "Answers: choose one"});
    const places = h("div", {class: "looks-choosers"});
    const tokens = h("div", {class: "evidence", role: "list"});
    const heading = h("h3", {});
    const methods = h("div", {class: "looks-choosers"});
    const sum = h("p", {class: "evidence-sum"});
    const why = h("p", {class: "caption"});
    const key = h("p", {class: "note"}, h("i", {class: "evidence-key for", "aria-hidden": true}), "spoke for it ", h("i", {class: "evidence-key against", "aria-hidden": true}), "spoke against it");
    replace(root, h("div", {class: "evidence-both"}, h("div", {}, places, answers), h("div", {}, heading, methods, tokens, key, sum, why)));
    let asked = "";
    /** @type {any} */
    let page = null;

    function show() {
      const {labels} = page;
      renew(places, page.places.length > 1
        ? h("div", {class: "looks-chooser", role: "group", "aria-label": "Which [MASK]"}, h("span", {class: "looks-label"}, "[MASK]"),
          page.places.map((/** @type {number} */ place, /** @type {number} */ i) => h("button", {type: "button", class: "quiet", "aria-pressed": String(place === page.place), onclick: () => state.set({"evidence.place": place, "evidence.choice": null})}, i + 1)))
        : null);
      const none = page.choice === null;
      heading.hidden = methods.hidden = key.hidden = sum.hidden = tokens.hidden = none;
      if (none) {
        renew(answers, h("p", {class: "note"}, "This model has learned to say what is hidden: write [MASK] for a token of the text."));
        why.textContent = "";
        return;
      }
      const most = page.answers[0].p;
      renew(answers, page.answers.map((/** @type {any} */ answer) =>
        h("button", {type: "button", class: "answer", "aria-pressed": String(answer.id === page.choice), "data-id": answer.id, "data-value": answer.p, "data-logit": answer.logit,
          onclick: () => state.set({"evidence.choice": answer.id})},
        h("span", {class: "answer-name"}, labels ? answer.name : format.token(answer.name)),
        h("span", {class: "bars-track"}, h("span", {class: "bars-bar", style: {width: `${(100 * answer.p) / most}%`}})),
        h("span", {class: "answer-p"}, format.percent(answer.p)),
        h("span", {class: "answer-logit"}, `logit ${format.number(answer.logit)}`))));
      const name = labels ? page.name : format.token(page.name);
      heading.textContent = `What spoke for “${name}”`;
      paint();
      const method = state.get()["evidence.method"];
      renew(methods, chooser("how", METHODS, method, (value) => state.set({"evidence.method": value})));
      const strong = (/** @type {string} */ part, /** @type {number} */ value) => h("strong", {class: `evidence-${part}`, "data-value": value}, format.number(value));
      if (method === "path") {
        replace(sum, "The numbers add up to ", strong("total", page.sum), ": from ", strong("start", page.start), ", the logit of a text of average tokens, to ", strong("logit", page.logit),
          `, that of this text for “${name}”, but for `, strong("rest", page.rest), ", which is lost because the way is walked in steps.");
        why.textContent = "Integrated gradients: all tokens are moved together, in a straight line, from the vector of the average token to their own, and gradient times step is summed along the way. So the numbers say how much each token brought, even where the model is so sure that nothing moves its logit any more.";
        return;
      }
      const told = page.contributions.toArray().reduce((/** @type {number} */ a, /** @type {number} */ c) => a + Math.abs(c), 0);
      replace(sum, "The numbers add up to ", strong("total", page.sum), `; the logit of “${name}” is `, strong("logit", page.logit), "; the difference is ", strong("rest", page.rest), ".",
        told < 0.5 * Math.abs(page.rest) ? " Here they explain little: where a model is sure, its logit hardly moves, whichever token grows. “All along the way” shows more." : "");
      why.textContent = "Each number is the gradient of the logit with respect to the vector that stands for the token when it enters the first layer, times that vector: by how much the logit would grow, at this rate, if the vector grew by its own length. Were the model a sum of weighted inputs, the numbers would add up to the logit exactly. It also adds biases, normalises and bends, which is the difference: the larger it is beside the numbers, the less they explain.";
    }

    function paint() {
      if (!page || page.choice === null) return;
      const values = page.contributions.toArray();
      const most = Math.max(...values.map(Math.abs), 1e-30);
      const colour = colours("diverging", -most, most);
      tokens.setAttribute("aria-label", "The tokens with their contributions");
      replace(tokens, page.pieces.map((/** @type {string} */ piece, /** @type {number} */ i) => {
        const edge = i === 0 || i === page.pieces.length - 1;
        const text = framed(page.pieces, i);
        const value = values[i];
        const chip = h("span", {class: "evidence-chip"}, text);
        setStyle(chip, {background: css(colour(value)), color: ink(colour(value))});
        return h("span", {class: `evidence-token${edge ? " edge" : ""}${page.places.includes(i) ? " mask" : ""}`, role: "listitem", "data-value": value, title: `${text}: ${format.number(value, 4)}`},
          chip, values.length <= NUMBERED ? h("span", {class: "evidence-number"}, shortly(value, most)) : null);
      }));
    }

    document.addEventListener("themechange", paint);
    return {
      async update(now) {
        const given = {text: now.text, choice: now["evidence.choice"], place: now["evidence.place"], method: now["evidence.method"]};
        const key = JSON.stringify(given);
        if (key === asked) return;
        const before = asked && JSON.parse(asked).text;
        asked = key;
        if (before && before !== now.text && now["evidence.place"] !== null) {
          state.set({"evidence.place": null});
          return;
        }
        page = await ctx.get("forward/encoder", given);
        show();
      },
      destroy() {
        document.removeEventListener("themechange", paint);
      },
    };
  },
};

/** A contribution in as many digits as tell it from the largest. @param {number} value @param {number} most */
function shortly(value, most) {
  const digits = Math.min(5, Math.max(2, 1 - Math.floor(Math.log10(most))));
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 || !Number.isFinite(value) ? text : `${value < 0 ? "\u2212" : "+"}${text}`;
}

/** Black or white, whichever can be read on a colour. @param {[number, number, number]} colour */
function ink([r, g, b]) {
  const linear = (/** @type {number} */ c) => (c / 255) ** 2.2;
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) > 0.25 ? "#111" : "#fff";
}
