// The two parts of a mixture, before and after they are mixed; and what the counts looked up.

import {h} from "../../lib/dom.js";
import * as explain from "../../lib/explain.js";
import {count, percent} from "../../lib/format.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";
import {candidate, lookedUp} from "./ngram.js";
import {draw, follow, num, piece, prob} from "./parts.js";

const WHY = "forward/mixture/why";
const params = () => ({text: state.get().text, token: selection.current().token, following: state.get().following});

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
      const propose = () => explain.propose(WHY, {token: params().token, following: params().following});
      return follow(root, ctx, "forward/mixture", params, (found) => draw(root, ...opinions(found)), {propose});
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
      return follow(root, ctx, "forward/mixture", params, (found) => draw(root, ...lookedUp(found.ngram, params().token)));
    },
  },
];

/** @param {any} found */
function opinions(found) {
  const {candidates, weight, network, bits} = found;
  const most = Math.max(...candidates.flatMap((/** @type {any} */ one) => [one.p, one.network_p, one.ngram_p]), 1e-30);
  const bar = (/** @type {number} */ p, /** @type {string} */ name) =>
    h("td", {class: "opinion"}, h("span", {class: "track"}, h("span", {class: `level ${name}`, style: {width: `${(100 * p) / most}%`}})), prob(p, name));
  return [
    h("p", {class: "says"}, "λ = ", num(weight, 3, "weight"), found.by_count
      ? `: of this context the counts have seen the last ${found.seen} of ${found.order - 1} tokens, ${count(found.total)} times.`
      : ", the same everywhere."),
    h("div", {class: "stack-bar tall", role: "img", "aria-label": `the network weighs ${percent(weight)}, the counts ${percent(1 - weight)}`},
      h("span", {class: "slice network", style: {"flex-grow": weight}}, `${network} ${percent(weight)}`),
      h("span", {class: "slice ngram", style: {"flex-grow": 1 - weight}}, `counts ${percent(1 - weight)}`)),
    h("div", {class: "scroll"}, h("table", {class: "opinions"},
      h("thead", {}, h("tr", {}, h("th", {scope: "col"}, "next"), h("th", {scope: "col"}, `the network, ${network}`), h("th", {scope: "col"}, "the counts"), h("th", {scope: "col"}, "the mixture"))),
      h("tbody", {}, candidates.map((/** @type {any} */ one) => {
        const mixed = bar(one.p, "mixed");
        explain.bind(mixed, WHY, {token: params().token, following: one.id});
        return h("tr", {class: one.id === found.following ? "chosen" : "", "data-id": one.id},
          h("th", {scope: "row"}, candidate(one, found.following)), bar(one.network_p, "network"), bar(one.ngram_p, "ngram"), mixed);
      })))),
    h("p", {class: "note"}, "If ", piece(found.piece), " is the token that comes, the network alone needs ", num(bits.network, 2), " bits for it, the counts ", num(bits.ngram, 2), ", the mixture ", num(bits.mixture, 2, "bits"), ". Fewer is better."),
  ];
}
