// What an n-gram model looked up: for each length of context its counts, and what they give to the next token.

import {h} from "../../lib/dom.js";
import {count, percent, token} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {draw, explanation, num, piece, prob} from "./parts.js";

state.define({following: null, "ngram.order": null});

/** @type {import("../index.js").Panel} */
export default {
  id: "ngram",
  tab: "forward",
  kinds: ["ngram"],
  title: "What it looked up",
  caption: "An n-gram model has counted which token followed which context. It starts with the longest context it knows; what that leaves open, the shorter ones fill.",
  wide: true,
  mount(root, ctx) {
    return {
      async update({text, token: at, following}, changed) {
        if (changed.size && !["text", "token", "following", "ngram.order"].some((key) => changed.has(key))) return;
        const found = await ctx.get("forward/ngram", {text, token: at, following});
        draw(root, ...lookedUp(found));
      },
    };
  },
};

/** The table of counts, the bar of shares, the formula. @param {any} found what `gradus.explorer.ngram.look_up` gives @returns {HTMLElement[]} */
export function lookedUp(found) {
  const {levels, candidates, uniform} = found;
  const order = state.get()["ngram.order"];
  const shown = levels.find((/** @type {any} */ level) => level.length === order) ?? null;
  const most = Math.max(...levels.flatMap((/** @type {any} */ level) => [...level.candidate_p]), 1e-30);
  const additive = found.method === "additive";
  const head = h("tr", {},
    h("th", {scope: "col", class: "context"}, "context"),
    !additive && h("th", {scope: "col", title: "what the longer contexts leave to this one"}, "weight"),
    h("th", {scope: "col", title: "the sum of the counts after this context"}, "total"),
    candidates.map((/** @type {any} */ one) => h("th", {scope: "col"},
      h("button", {
        type: "button", class: "candidate", "data-key": `next ${one.id}`, "aria-pressed": String(one.id === found.following),
        title: `explain ${token(one.piece)} as the next token`, onclick: () => state.set({following: one.id}),
      }, token(one.piece)))));
  const rows = levels.map((/** @type {any} */ level) => {
    const chosen = level === shown;
    return h("tr", {class: `${level.seen ? "" : "unseen"} ${chosen ? "chosen" : ""}`, "data-length": level.length},
      h("th", {scope: "row", class: "context"},
        h("button", {
          type: "button", "data-key": `order ${level.length}`, "aria-pressed": String(chosen), title: "the formula of this row",
          onclick: () => state.set({"ngram.order": chosen ? null : level.length}),
        }, level.length ? level.context.map((/** @type {string} */ one) => piece(one)) : h("span", {class: "muted"}, "no context"))),
      !additive && h("td", {}, prob(level.weight, "weight")),
      level.seen
        ? [h("td", {}, num(level.total, 0, "total")), ...candidates.map((/** @type {any} */ one, /** @type {number} */ i) => {
          const p = level.candidate_p.data[i], n = level.candidate_counts.data[i];
          return h("td", {class: `cell ${one.id === found.following ? "followed" : ""}`, "data-value": n, title: `counted ${count(n)}; probability here ${percent(p)}`, style: {"--part": p / most}},
            h("span", {class: "shade"}), h("span", {class: "count"}, n || "·"));
        })]
        : h("td", {colspan: candidates.length + 1, class: "muted never"}, additive ? "never seen: every token gets the same" : "never seen: on to the shorter context"));
  });
  const foot = h("tr", {},
    h("th", {scope: "row", class: "context"}, "probability"),
    !additive && h("td", {}), h("td", {}),
    candidates.map((/** @type {any} */ one) => h("td", {class: one.id === found.following ? "followed" : ""}, prob(one.p, "p"))));
  return [
    h("div", {class: "scroll"},
      h("table", {class: "lookup"}, h("thead", {}, head), h("tbody", {}, rows), h("tfoot", {}, foot))),
    h("p", {class: "note"}, additive
      ? `The numbers are counts; ${token(found.following_piece)} is explained. s = ${found.smoothing} is added to each.`
      : "The numbers are counts: in the first row how often the token followed, below it after how many different longer contexts. The shade is the probability that the row gives. Click a token or a row to explain it."),
    additive ? null : shares(found, uniform),
    explanation(shown ? shown.why : additive ? levels[0].why : found.why),
  ].filter((one) => one !== null);
}

/** Where the probability comes from, as one bar. @param {any} found @param {{share: number}} uniform */
function shares(found, uniform) {
  const parts = [
    ...found.levels.map((/** @type {any} */ level) => ({name: level.length ? level.context.map(token).join("") : "no context", share: level.share, length: level.length})),
    {name: "1 / V", share: uniform.share, length: -1},
  ].filter((part) => part.share > 0);
  const whole = parts.reduce((sum, part) => sum + part.share, 0) || 1;
  return h("div", {class: "shares"},
    h("h3", {}, "Where the ", prob(found.p, "whole"), " of ", piece(found.following_piece), " come from"),
    h("div", {class: "stacked", role: "img", "aria-label": parts.map((part) => `${part.name} gives ${percent(part.share)}`).join(", ")},
      parts.map((part) => h("span", {class: `share share-${part.length < 0 ? "uniform" : part.length % 6}`, title: `${part.name} gives ${percent(part.share)}`, style: {"flex-grow": part.share / whole}}))),
    h("ul", {class: "share-names"}, parts.map((part) => h("li", {}, h("span", {class: `swatch share-${part.length < 0 ? "uniform" : part.length % 6}`}), h("span", {class: "mono"}, part.name), " ", prob(part.share, "share")))));
}
