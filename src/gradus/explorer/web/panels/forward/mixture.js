// The two parts of a mixture, before and after they are mixed; and what the counts looked up.

import {h} from "../../lib/dom.js";
import {percent, token} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {lookedUp} from "./ngram.js";
import {draw, explanation, num, piece, prob} from "./parts.js";

/** @type {import("../index.js").Panel[]} */
export default [
  {
    id: "mixture",
    tab: "forward",
    kinds: ["mixture"],
    title: "Two opinions, mixed",
    caption: "A network and a table of counts each say what comes next. The weight λ decides whom to believe, and depends on how often the counts have met this context.",
    wide: true,
    mount(root, ctx) {
      return {
        async update({text, token: at, following}, changed) {
          if (changed.size && !["text", "token", "following"].some((key) => changed.has(key))) return;
          const found = await ctx.get("forward/mixture", {text, token: at, following});
          draw(root, ...opinions(found));
        },
      };
    },
  },
  {
    id: "mixture-ngram",
    tab: "forward",
    kinds: ["mixture"],
    title: "What the counts looked up",
    caption: "How the n-gram model came to its opinion: from the longest context that it knows to none.",
    wide: true,
    mount(root, ctx) {
      return {
        async update({text, token: at, following}, changed) {
          if (changed.size && !["text", "token", "following", "ngram.order"].some((key) => changed.has(key))) return;
          const found = await ctx.get("forward/mixture", {text, token: at, following});
          draw(root, ...lookedUp(found.ngram));
        },
      };
    },
  },
];

/** @param {any} found */
function opinions(found) {
  const {candidates, weight, network} = found;
  const most = Math.max(...candidates.flatMap((/** @type {any} */ one) => [one.p, one.network_p, one.ngram_p]), 1e-30);
  const bar = (/** @type {number} */ p, /** @type {string} */ name) =>
    h("td", {class: "bar-cell"}, h("span", {class: "track"}, h("span", {class: `fill ${name}`, style: {width: `${(100 * p) / most}%`}})), prob(p, name));
  return [
    h("div", {class: "lambda"},
      h("p", {}, "λ = ", num(weight, 3, "weight"), found.by_count
        ? ` for a context of which the counts have seen ${found.seen} of ${found.order - 1} tokens, ${found.total.toLocaleString("en-US")} times`
        : ", the same everywhere"),
      h("div", {class: "stacked tall", role: "img", "aria-label": `the network weighs ${percent(weight)}, the counts ${percent(1 - weight)}`},
        h("span", {class: "share network", style: {"flex-grow": weight}}, `${network} ${percent(weight)}`),
        h("span", {class: "share ngram", style: {"flex-grow": 1 - weight}}, `counts ${percent(1 - weight)}`))),
    h("div", {class: "scroll"}, h("table", {class: "opinions"},
      h("thead", {}, h("tr", {}, h("th", {scope: "col"}, "next"), h("th", {scope: "col"}, `${network}, the network`), h("th", {scope: "col"}, "counts"), h("th", {scope: "col"}, "mixture"))),
      h("tbody", {}, candidates.map((/** @type {any} */ one) => h("tr", {class: one.id === found.following ? "chosen" : "", "data-id": one.id},
        h("th", {scope: "row"}, h("button", {type: "button", class: "candidate", "data-key": `next ${one.id}`, "aria-pressed": String(one.id === found.following), title: `explain ${token(one.piece)}`, onclick: () => state.set({following: one.id})}, token(one.piece))),
        bar(one.network_p, "network"), bar(one.ngram_p, "ngram"), bar(one.p, "mixed")))))),
    explanation(found.why),
    h("p", {class: "note"}, "For ", piece(found.piece), ": the network alone would need ", num(found.bits.network, 2), " bits, the counts ", num(found.bits.ngram, 2), ", the mixture ", num(found.bits.mixture, 2, "bits"), ". Fewer is better, if this is the token that comes."),
  ];
}
