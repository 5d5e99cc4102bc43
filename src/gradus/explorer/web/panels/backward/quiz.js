// The quiz of the walk: which gradient comes next? The answer is judged by the program, which says what was forgotten.

import {h, replace} from "../../lib/dom.js";
import {number} from "../../lib/format.js";

/** @typedef {{expression: string, step: number, asked: import("./graph.js").Step|null, nodes: import("./graph.js").Node[]}} Question */

/**
 * @param {import("../index.js").Context} ctx
 * @param {{right: () => void, show: () => void}} then what to do when the answer was right, and when it is to be shown
 */
export function quiz(ctx, then) {
  /** @type {Question|null} */
  let question = null;
  let asked = "";
  let tried = 0, rights = 0, answered = 0;
  const ask = h("p", {class: "bw-question"});
  const input = /** @type {HTMLInputElement} */ (h("input", {
    id: "bw-answer", type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", class: "bw-answer",
  }));
  const verdict = h("p", {class: "bw-verdict", role: "status"});
  const score = h("p", {class: "note"});
  const form = h("form", {
    class: "bw-form",
    onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      void judge();
    },
  },
  h("label", {for: "bw-answer", class: "visually-hidden"}, "Your answer"), input,
  h("button", {class: "bw-primary"}, "Check"),
  h("button", {type: "button", class: "quiet", onclick: () => finish(false)}, "Show me"));
  const element = h("section", {class: "bw-quiz", "aria-label": "Quiz", hidden: true}, ask, form, verdict, score);

  async function judge() {
    if (!question || !input.value.trim()) return;
    const judged = await ctx.get("backward/answer", {expression: question.expression, step: question.step, answer: input.value});
    verdict.textContent = judged.said;
    verdict.className = `bw-verdict ${judged.right ? "bw-right" : "bw-wrong"}`;
    if (judged.right) finish(true);
    else tried += 1;
  }

  /** @param {boolean} right */
  function finish(right) {
    answered += 1;
    rights += Number(right && tried === 0);
    if (!right) {
      verdict.textContent = question?.asked ? `It is ${number(question.asked.after, 4)}.` : "";
      verdict.className = "bw-verdict";
    }
    (right ? then.right : then.show)();
  }

  return {
    element,
    /** @param {Question|null} next */
    update(next) {
      element.hidden = !next;
      question = next;
      if (!next) {
        asked = "";
        [tried, rights, answered] = [0, 0, 0];
        verdict.textContent = "";
        return;
      }
      score.textContent = answered ? `${rights} of ${answered} right at the first try.` : "A number, or arithmetic such as 2*-3. Within 1 % is right.";
      form.hidden = !next.asked;
      const key = `${next.expression} ${next.step}`;
      if (key === asked) return;
      asked = key;
      tried = 0;
      input.value = "";
      if (!next.asked) {
        replace(ask, "The walk is done: every gradient is there.");
        return;
      }
      const {node, operand, incoming, accumulates, before, arrivals, arrival} = next.asked;
      const giver = next.nodes[node], taker = next.nodes[operand];
      replace(ask,
        h("code", {}, giver.made), `. Gradient of ${giver.name}: `, h("strong", {}, number(incoming, 4)), ". It is handed on to ", h("strong", {}, taker.name), " ",
        `(${taker.name} = ${number(taker.data, 4)}${giver.operands.length > 1 ? `, ${other(next.nodes, giver, operand)}` : `, ${giver.name} = ${number(giver.data, 4)}`}). `,
        accumulates ? `${taker.name} has ${number(before, 4)} from another path. ` : "",
        `What is the gradient of ${taker.name} then${arrivals > 1 && arrival < arrivals ? ", so far" : ""}?`);
      if (element.contains(document.activeElement) || document.activeElement === document.body) input.focus();
    },
  };
}

/** The other operand, with its value. @param {import("./graph.js").Node[]} nodes @param {import("./graph.js").Node} giver @param {number} operand */
function other(nodes, giver, operand) {
  const which = giver.operands.find((one) => one !== operand) ?? operand;
  return `${nodes[which].name} = ${number(nodes[which].data, 4)}`;
}
