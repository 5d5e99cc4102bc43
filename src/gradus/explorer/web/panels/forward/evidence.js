// The encoder's answer: the labels of a text, or what a [MASK] may hide; and which tokens spoke for it.

import {h, replace, setStyle} from "../../lib/dom.js";
import {colours, css} from "../../lib/draw.js";
import * as format from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {framed} from "./reading.js";

state.define({"evidence.choice": null, "evidence.place": null});

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
    const sum = h("p", {class: "evidence-sum"});
    const why = h("p", {class: "caption"});
    replace(root, h("div", {class: "evidence-both"}, h("div", {}, places, answers), h("div", {}, heading, tokens, sum, why)));
    let asked = "";
    /** @type {any} */
    let page = null;

    function show() {
      const {labels} = page;
      replace(places, page.places.length > 1
        ? h("div", {class: "looks-chooser", role: "group", "aria-label": "Which [MASK]"}, h("span", {class: "looks-label"}, "[MASK]"),
          page.places.map((/** @type {number} */ place, /** @type {number} */ i) => h("button", {type: "button", class: "quiet", "aria-pressed": String(place === page.place), onclick: () => state.set({"evidence.place": place, "evidence.choice": null})}, i + 1)))
        : null);
      const none = page.choice === null;
      heading.hidden = sum.hidden = tokens.hidden = none;
      if (none) {
        replace(answers, h("p", {class: "note"}, "This model has learned to say what is hidden: write [MASK] for a token of the text."));
        why.textContent = "";
        return;
      }
      const most = page.answers[0].p;
      replace(answers, page.answers.map((/** @type {any} */ answer) =>
        h("button", {type: "button", class: "answer", "aria-pressed": String(answer.id === page.choice), "data-id": answer.id, "data-value": answer.p, "data-logit": answer.logit,
          onclick: () => state.set({"evidence.choice": answer.id})},
        h("span", {class: "answer-name"}, labels ? answer.name : format.token(answer.name)),
        h("span", {class: "bars-track"}, h("span", {class: "bars-bar", style: {width: `${(100 * answer.p) / most}%`}})),
        h("span", {class: "answer-p"}, format.percent(answer.p)),
        h("span", {class: "answer-logit"}, `logit ${format.number(answer.logit)}`))));
      const name = labels ? page.name : format.token(page.name);
      heading.textContent = `What spoke for “${name}”`;
      paint();
      replace(sum,
        "The numbers add up to ", h("strong", {class: "evidence-total", "data-value": page.sum}, format.number(page.sum)),
        `; the logit of “${name}” is `, h("strong", {class: "evidence-logit", "data-value": page.logit}, format.number(page.logit)),
        "; the difference is ", h("strong", {class: "evidence-rest", "data-value": page.rest}, format.number(page.rest)), ".");
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
          chip, values.length <= NUMBERED ? h("span", {class: "evidence-number"}, shortly(value)) : null);
      }));
    }

    document.addEventListener("themechange", paint);
    return {
      async update(now) {
        const given = {text: now.text, choice: now["evidence.choice"], place: now["evidence.place"]};
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

/** A contribution in two digits after the point. @param {number} value */
function shortly(value) {
  const text = Number.isFinite(value) ? Math.abs(value).toFixed(2) : format.number(Math.abs(value));
  return text === "0.00" ? text : `${value < 0 ? "\u2212" : "+"}${text}`;
}

/** Black or white, whichever can be read on a colour. @param {[number, number, number]} colour */
function ink([r, g, b]) {
  const linear = (/** @type {number} */ c) => (c / 255) ** 2.2;
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) > 0.25 ? "#111" : "#fff";
}
