// What an n-gram model looked up: for each length of context its counts, and what they give to the next token.

import {h} from "../../lib/dom.js";
import * as explain from "../../lib/explain.js";
import {count, percent, token} from "../../lib/format.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";
import {draw, follow, keysOfARun, num, piece, prob} from "./parts.js";

keysOfARun({following: null});
const WHY = "forward/ngram/why";

/** @type {import("../index.js").Panel} */
export default {
  id: "ngram",
  tab: "forward",
  kinds: ["ngram"],
  title: "What it looked up",
  caption: "An n-gram model has counted which token followed which context. These are the counts that it looked up for this text, and the probabilities it made of them.",
  wide: true,
  mount(root, ctx) {
    const params = () => ({text: state.get().text, token: selection.current().token, following: state.get().following});
    const propose = () => explain.propose(WHY, {token: params().token, following: params().following});
    return follow(root, ctx, "forward/ngram", params, (found) => draw(root, ...lookedUp(found, params().token)), {propose});
  },
};

/**
 * The table of counts, and where the probability comes from.
 * @param {any} found what `gradus.explorer.forward.ngram.look_up` gives @param {number|null|undefined} at the selected position
 * @returns {(HTMLElement|null)[]}
 */
export function lookedUp(found, at) {
  const {levels, candidates} = found;
  const most = Math.max(...levels.flatMap((/** @type {any} */ level) => level.candidate_p.toArray()), 1e-30);
  const additive = found.method === "additive";
  const head = h("tr", {},
    h("th", {scope: "col", class: "context"}, "context"),
    !additive && h("th", {scope: "col", title: "what the longer contexts leave to this one"}, "weight"),
    h("th", {scope: "col", title: "the sum of the counts after this context"}, "total"),
    candidates.map((/** @type {any} */ one) => h("th", {scope: "col"}, candidate(one, found.following))));
  const rows = levels.map((/** @type {any} */ level) => {
    const name = h("span", {class: "context-name"}, level.length ? level.context.map((/** @type {string} */ one) => piece(one)) : h("span", {class: "muted"}, "no context"));
    explain.bind(name, WHY, {token: at, following: found.following, order: level.length});
    return h("tr", {class: level.seen ? "" : "unseen", "data-length": level.length},
      h("th", {scope: "row", class: "context"}, name),
      !additive && h("td", {}, prob(level.weight, "weight")),
      level.seen ? cells(level, candidates, found, at, most)
        : h("td", {colspan: candidates.length + 1, class: "muted never"}, additive ? "never seen: every token gets the same" : "never seen: on to the shorter context"));
  });
  const foot = h("tr", {},
    h("th", {scope: "row", class: "context"}, "probability"), !additive && h("td", {}), h("td", {}),
    candidates.map((/** @type {any} */ one) => h("td", {class: one.id === found.following ? "followed" : ""}, prob(one.p, "p"))));
  return [
    h("div", {class: "scroll"}, h("table", {class: "lookup"}, h("thead", {}, head), h("tbody", {}, rows), h("tfoot", {}, foot))),
    h("p", {class: "note"}, additive
      ? `The numbers are counts; s = ${found.smoothing} is added to each. Click a token at the top to follow it.`
      : "The longest context that was seen has the first word; what it leaves open, its weight says, the shorter ones share out. The numbers are counts: in the first row how often the token followed, below it after how many different longer contexts. The stronger its colour, the likelier the token by this row. Click a token at the top to follow it."),
    additive ? null : origins(found),
  ];
}

/** A next token that can be chosen. @param {{id: number, piece: string}} one @param {number} chosen */
export function candidate(one, chosen) {
  const is = one.id === chosen;
  return h("button", {
    type: "button", class: "candidate", "data-key": `next ${one.id}`, "aria-pressed": String(is),
    title: is ? "this next token is followed" : `follow ${token(one.piece)}`, onclick: () => state.set({following: state.get().following === one.id ? null : one.id}),
  }, token(one.piece));
}

/** @param {any} level @param {any[]} candidates @param {any} found @param {number|null|undefined} at @param {number} most */
function cells(level, candidates, found, at, most) {
  return [h("td", {}, num(level.total, 0, "total")), ...candidates.map((one, i) => {
    const p = level.candidate_p.data[i], n = level.candidate_counts.data[i];
    const td = h("td", {class: `cell ${one.id === found.following ? "followed" : ""}`, "data-value": n, tabindex: -1, role: "cell",
      title: `${token(one.piece)} was counted ${count(n)} times here: probability ${percent(p)}`, style: {"--part": p / most}},
    h("span", {class: "shade"}), h("span", {class: "count"}, n || "·"));
    explain.bind(td, WHY, {token: at, following: one.id, order: level.length});
    return td;
  })];
}

/** Where the probability comes from, as one bar. @param {any} found */
function origins(found) {
  const parts = [
    ...found.levels.map((/** @type {any} */ level) => ({name: level.length ? level.context.map(token).join("") : "no context", share: level.share, colour: level.length % 6})),
    {name: "1 / V", share: found.uniform.share, colour: "uniform"},
  ].filter((part) => part.share > 0);
  const whole = parts.reduce((sum, part) => sum + part.share, 0) || 1;
  return h("div", {class: "origins"},
    h("h3", {}, "Where the ", prob(found.p, "whole"), " of ", piece(found.following_piece), " come from"),
    h("div", {class: "stack-bar", role: "img", "aria-label": parts.map((part) => `${part.name} gives ${percent(part.share)}`).join(", ")},
      parts.map((part) => h("span", {class: `slice slice-${part.colour}`, title: `${part.name} gives ${percent(part.share)}`, style: {"flex-grow": part.share / whole}}))),
    h("ul", {class: "slice-names"}, parts.map((part) => h("li", {}, h("span", {class: `mark slice-${part.colour}`}), h("span", {class: "mono"}, part.name), " ", prob(part.share, "slice-share")))));
}
