// What comes next: the likeliest tokens after the selected one. And on the strip of tokens, how surprising each was.

import {css, colours} from "../../lib/draw.js";
import {h, replace} from "../../lib/dom.js";
import * as explain from "../../lib/explain.js";
import {count, number, percent, token, unusual} from "../../lib/format.js";
import {live} from "../../lib/live.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";
import * as tokens from "../../lib/tokens.js";

const EXPLAINED = ["gpt", "modern"];
const MOST_NATS = 6; // from here on the strip has its strongest colour

/** @type {import("../index.js").Panel} */
export default {
  id: "next",
  tab: "forward",
  kinds: null,
  when: (about) => about.kind !== "encoder",
  title: "What comes next",
  caption: "The model gives every token of its vocabulary a probability of being the next one. These are the likeliest.",
  mount(root, {about, get}) {
    const pairs = about.text_kind === "pairs";

    async function draw() {
      const {text, target} = state.get(), {token: at} = selection.current();
      const told = await get("forward/next", {text, target: pairs ? target : "", token: pairs ? -1 : at ?? -1});
      show(told);
      if (!pairs) tokens.say(told.pieces, surprises(told));
      if (EXPLAINED.includes(about.kind))
        explain.propose("forward/why", {what: "probability", token: told.position, id: told.top.ids.data[0]});
    }

    /** @param {any} told */
    function show(told) {
      const {top, rest, next, position, pieces} = told;
      const most = top.probabilities.data[0];
      replace(root,
        h("p", {class: "lead"}, "After ", context(pieces, position), next
          ? h("span", {}, " comes ", h("code", {}, token(next.piece)), ": the model gave it ", strong(next.probability, percent),
            `, at place ${count(next.rank)} of ${count(told.vocab_size)}.`)
          : pairs ? " the model would go on with:" : " the text ends; the model would go on with:"),
        h("ol", {class: "next-bars"}, top.pieces.map((/** @type {string} */ piece, /** @type {number} */ i) => {
          const p = top.probabilities.data[i], id = top.ids.data[i];
          const row = h("li", {class: next && id === next.id ? "came" : null, "data-value": p, "data-id": id,
            "aria-label": `${token(piece)}: ${percent(p)}, logit ${number(top.logits.data[i])}`},
            h("code", {}, token(piece)),
            h("span", {class: "bar-track"}, h("span", {class: "meter", style: {width: `${(100 * p) / most}%`}})),
            h("span", {class: "amount"}, percent(p)),
            h("span", {class: "amount quiet-text", "data-logit": top.logits.data[i]}, number(top.logits.data[i])));
          if (EXPLAINED.includes(about.kind)) explain.bind(row, "forward/why", {what: "probability", token: position, id});
          else if (!pairs) choose(row, id);
          return row;
        }),
        h("li", {class: "head-row", "aria-hidden": "true"}, h("span"), h("span"), h("span", {class: "amount"}, "probability"), h("span", {class: "amount"}, "logit"))),
        h("p", {class: "note"},
          rest.tokens ? `The other ${count(rest.tokens)} tokens have ${percent(rest.probability)} together. ` : "",
          "Entropy ", strong(told.entropy.data[position], (v) => number(v)), " nats: as undecided as among ",
          number(Math.exp(told.entropy.data[position]), 1), " equally likely tokens.",
          unusual(told.entropy.data[position]) && ` ${unusual(told.entropy.data[position])}`),
        pairs || pieces.length < 2 ? null : h("div", {class: "surprise-note"},
          h("p", {class: "note"}, "The tokens above are underlined by how surprising each was to the model, in nats (−ln of its probability). On average ",
            strong(told.loss, (v) => number(v)), ": that is the loss on this text."),
          h("p", {class: "map-legend"}, [0, 1, 2, 4, MOST_NATS].map((nats) => h("span", {}, h("span", {class: "map-swatch", style: {background: css(colours("sequential", 0, MOST_NATS)(nats))}}), `${nats}${nats === MOST_NATS ? " or more" : ""}`)))));
    }

    const one = live(root, () => {
      const {text, target, run, moment} = state.get();
      return [text, target, run, moment, selection.current().token];
    }, draw);
    return {
      update: one.update,
      destroy() {
        one.destroy();
        tokens.say([], null);
      },
    };
  },
};

/** Let a row choose the token that the sections below explain; again, it is the likeliest. @param {HTMLElement} row @param {number} id */
function choose(row, id) {
  const pick = () => state.set({following: state.get().following === id ? null : id});
  row.classList.add("selectable");
  row.setAttribute("role", "button");
  row.setAttribute("tabindex", "0");
  row.addEventListener("click", pick);
  row.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    pick();
  });
}

/** The end of what has been read, up to the selected token. @param {string[]} pieces @param {number} position */
function context(pieces, position) {
  const first = Math.max(0, position - 11);
  return h("code", {}, first ? "…" : "", pieces.slice(first, position + 1).map(token).join(""));
}

/** @param {number} value @param {(value: number) => string} shown */
function strong(value, shown) {
  return h("strong", {"data-value": value}, shown(value));
}

/** The colour and the words for each token of a strip. @param {any} told @returns {tokens.Said[]} */
function surprises(told) {
  const scale = colours("sequential", 0, MOST_NATS);
  return told.pieces.map((/** @type {string} */ piece, /** @type {number} */ i) => {
    const nats = told.surprise.data[i];
    if (i === 0) return {colour: "transparent", says: `${token(piece)}: the first token, which nothing predicts`};
    return {
      colour: css(scale(nats)),
      value: nats,
      says: `${token(piece)}: surprise ${number(nats)} nats, probability ${percent(told.probability.data[i])}, place ${told.rank.data[i]}`,
    };
  });
}
