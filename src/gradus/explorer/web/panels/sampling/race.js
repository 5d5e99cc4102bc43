// The draw, as torch.multinomial makes it: a random number for every token, and the largest p / q wins.

import {h, replace} from "../../lib/dom.js";
import * as format from "../../lib/format.js";

const NAMED = 0.035; // a share that is wide enough for its token's name

export function race() {
  const body = h("div", {class: "race"});
  return {
    element: h("section", {class: "sampling-part", "aria-label": "The draw"}, h("h3", {}, "The draw"), body),
    /** @param {any} page */
    update(page) {
      replace(body, page.draw.greedy ? greedy(page) : drawn(page));
    },
  };
}

/** @param {any} page */
function greedy({draw}) {
  return h("p", {class: "caption"}, "At temperature 0 nothing is left to chance: the token with the largest logit is taken, ",
    h("strong", {}, format.token(draw.piece)), ", and no random number is used.");
}

/** @param {any} page */
function drawn(page) {
  const {draw} = page;
  const [winner] = draw.racers;
  const p = page.stages.filter((/** @type {any} */ stage) => stage.active).at(-1).p.data;
  const top = winner.ratio;
  return [
    h("p", {class: "caption"}, "What is drawn from: each token’s share is its probability."),
    shares(page, p),
    h("p", {class: "caption race-how"},
      `torch.multinomial does not throw one number at this bar. It draws a random number u between 0 and 1 for every one of the ${format.count(draw.drawn)} tokens, makes q = −ln(1 − u) of it, and takes the token whose p / q is the largest. This race is fair: with such q, a token wins exactly as often as its probability p says.`),
    h("div", {class: "race-scroll", tabindex: 0, role: "region", "aria-label": "The race"},
      h("table", {class: "race-table"},
        h("thead", {}, h("tr", {}, ["token", "p", "its random number u", "q = −ln(1 − u)", "p / q"].map((name) => h("th", {scope: "col"}, name)))),
        h("tbody", {}, draw.racers.map((/** @type {any} */ racer, /** @type {number} */ i) =>
          h("tr", {class: i === 0 ? "wins" : "", "data-id": racer.id},
            h("th", {scope: "row"}, format.token(racer.piece)),
            h("td", {class: "race-number", "data-value": racer.p}, format.percent(racer.p)),
            h("td", {"data-value": racer.u, class: "race-u"}, number(racer)),
            h("td", {class: "race-number", "data-value": racer.q}, precise(racer.q)),
            h("td", {"data-value": racer.ratio, class: "race-ratio"},
              h("span", {class: "race-bar", style: {width: `${Math.max(0.5, (60 * racer.ratio) / top)}%`}}),
              h("span", {}, precise(racer.ratio), i === 0 ? h("strong", {}, " wins") : null))))))),
    h("p", {class: "caption"},
      `For ${format.token(winner.piece)}: ${precise(winner.p)} / ${precise(winner.q)} = ${precise(winner.ratio)}, the largest of all. The shaded part of each bar is where that token’s u had to fall to beat all the others: likely tokens have a long one, and only the winner’s u lies inside.`),
  ];
}

/** u on the way from 0 to 1; the shaded part would win. @param {any} racer */
function number(racer) {
  const inside = racer.u < racer.needed;
  const said = `u is ${precise(racer.u)}; below ${precise(racer.needed)} it wins`;
  return h("span", {class: "race-line", title: said},
    h("span", {class: "race-track", role: "img", "aria-label": said},
      h("span", {class: "race-needed", style: {width: `${100 * racer.needed}%`}}),
      h("span", {class: `race-mark${inside ? " inside" : ""}`, style: {left: `${100 * racer.u}%`}})),
    h("span", {class: "race-number"}, precise(racer.u)));
}

/** The final probabilities side by side; the token that was drawn is marked. @param {any} page @param {ArrayLike<number>} p */
function shares(page, p) {
  const parts = [];
  let rest = 1;
  const own = page.ranks.indexOf(page.draw.rank);
  for (let row = 0; row < p.length; row++) {
    if (p[row] <= 0 || (row !== own && (p[row] < 0.004 || parts.length >= 40))) continue;
    rest -= p[row];
    const piece = format.token(page.pieces[row]);
    parts.push(h("span", {
      class: `share${row === own ? " drawn" : ""}`, style: {"flex-grow": p[row], "flex-basis": "0"},
      title: `${piece} ${format.percent(p[row])}`, "data-rank": page.ranks[row],
    }, p[row] >= NAMED || (row === own && p[row] >= NAMED / 3) ? piece : ""));
  }
  if (rest > 0.002) parts.push(h("span", {class: "share rest", style: {"flex-grow": rest, "flex-basis": "0"}, title: `all others ${format.percent(rest)}`}, rest >= 0.1 ? "others" : ""));
  return h("div", {class: "shares", role: "img", "aria-label": `The probabilities side by side. ${format.spoken(page.draw.piece)} was drawn, which had ${format.percent(page.draw.p)}.`}, parts);
}

/** A number of which the quotient of two comes out right, too: four digits. @param {number} value */
function precise(value) {
  if (!Number.isFinite(value) || value === 0) return format.number(value);
  return value < 0.001 || value >= 10_000 ? value.toExponential(3).replace("e-", "e\u2212").replace("e+", "e") : value.toPrecision(4);
}
