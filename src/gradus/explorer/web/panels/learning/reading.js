// The guided reading of a loss curve: sentences of which every number was measured.

import {h} from "../../lib/dom.js";
import {count, number, percent} from "../../lib/format.js";

/**
 * @param {number[]} steps the moments @param {Map<number, any>} like what was measured at each, by step
 * @param {(index: number) => void} pick look at a moment @param {number} context how many tokens the model sees
 * @returns {HTMLElement[]}
 */
export function reading(steps, like, pick, context) {
  const known = steps.map((step, i) => ({step, i, ...like.get(step)})).filter((one) => "loss" in one);
  if (!known.length || known[0].i !== 0) return [];
  const first = known[0], last = known[known.length - 1];
  const out = [
    step(first, pick, "At first", `it loses ${number(first.loss, 2)} nats a token. Guessing blindly among all tokens would lose ${number(first.uniform, 2)}: it knows nothing yet.`),
  ];
  const freq = known.find((one) => one.loss < one.unigram);
  const likest = nearest(known, "unigram");
  if (likest.i > 0) {
    out.push(step(likest, pick, `After ${steps_(likest.step)}`, `it is nearest to mere frequencies, which lose ${number(likest.unigram, 2)}: ${percent(1 - likest.distance.unigram)} of its probability lies where theirs does. It has learned which tokens are common${freq && freq.step <= likest.step ? "" : ", and little else"}.`));
  }
  const pairs = nearest(known, "bigram");
  if (pairs.i > likest.i && context >= 1) {
    const passed = known.find((one) => one.loss < one.bigram);
    out.push(step(pairs, pick, `After ${steps_(pairs.step)}`, `it is nearest to a table of pairs, which loses ${number(pairs.bigram, 2)}: ${percent(1 - pairs.distance.bigram)} agree. It looks at the token before.${passed ? ` It does better than that table from the moment after ${steps_(passed.step)} on.` : ""}`));
  }
  const triples = known.find((one) => one.loss < one.trigram);
  if (triples && context >= 3) {
    out.push(step(triples, pick, `After ${steps_(triples.step)}`, `it loses ${number(triples.loss, 2)}, less than counts of triples do, ${number(triples.trigram, 2)}: it makes use of more than the two tokens before, or knows more about them than counts can.`));
  }
  const best = known.reduce((lowest, one) => (one.loss < lowest.loss ? one : lowest));
  if (best.i < last.i && last.loss > best.loss + 0.02) {
    out.push(step(best, pick, `After ${steps_(best.step)}`, `it loses least, ${number(best.loss, 2)}. From there on it gets worse on text that it was not trained on: it overfits.`));
  }
  if (last.i > 0) {
    const groups = last.seen.map((/** @type {number} */ n, /** @type {number} */ k) => [n, last.seen_loss[k]]).filter((/** @type {any[]} */ [, loss]) => loss !== null);
    const [few, many] = [groups[0], groups[groups.length - 1]];
    const gain = few && many && few !== many ? ` A token with ${few[0] === 1 ? "a single one" : few[0]} before it costs ${number(few[1], 2)}, one with ${many[0]} or more ${number(many[1], 2)}: ${many[1] < few[1] - 0.05 ? "what is further back helps." : "what is further back helps little."}` : "";
    out.push(step(last, pick, last.i === steps.length - 1 ? "In the end" : `After ${steps_(last.step)}`, `it loses ${number(last.loss, 2)}, ${number(first.loss - last.loss, 2)} less than at first.${gain}`));
  }
  return out;
}

/** @param {any[]} known @param {string} name */
function nearest(known, name) {
  return known.reduce((best, one) => (one.distance[name] < best.distance[name] ? one : best));
}

/** @param {number} n */
function steps_(n) {
  return n === 1 ? "1 step" : `${count(n)} steps`;
}

/** @param {any} one @param {(index: number) => void} pick @param {string} when @param {string} what */
function step(one, pick, when, what) {
  return h("li", {"data-step": one.step}, h("button", {type: "button", class: "lr-link", onclick: () => pick(one.i), title: "look at this moment"}, when), ` ${what}`);
}
