// Why: the formula of the number that is pointed at, with its numbers put in, and the terms of its sum.

import {h, replace} from "../../lib/dom.js";
import * as explain from "../../lib/explain.js";
import {count, number, unusual} from "../../lib/format.js";
import * as state from "../../lib/state.js";

// Numbers of the same place, between which the reader can go.
const BESIDE = [
  [["weight", "weight"], ["score", "score"], ["head", "what the head gives"]],
  [["probability", "probability"], ["logit", "logit"], ["credit", "which parts speak for it"]],
];

/** @type {import("../index.js").Panel} */
export default {
  id: "why",
  tab: "forward",
  kinds: null,
  when: ({kind}) => kind !== "transformer" && kind !== "encoder",
  title: "Why?",
  caption: "Point at a number, and here is the formula that gave it, with its numbers put in. A click keeps it; Esc lets it go.",
  mount(root, {get}) {
    let drawn = "";

    async function draw() {
      const asked = explain.current();
      root.closest(".panel")?.classList.toggle("asked", explain.isAsked());
      const {text, run, moment, tab} = state.get();
      const key = JSON.stringify([asked, text, run, moment]);
      if (!asked || key === drawn || tab !== "forward") return;
      drawn = key;
      const told = await get(asked.view, {...asked.params, text}, "why");
      replace(root, explanation(told), beside(asked), h("button", {type: "button", class: "quiet let-go", onclick: () => state.set({why: ""})}, "Let it go"));
    }

    const end = explain.subscribe(draw);
    return {update: draw, destroy: end};
  },
};

/** @param {explain.Asked} asked */
function beside(asked) {
  const group = BESIDE.find((these) => these.some(([what]) => what === asked.params.what));
  if (!group) return null;
  return h("p", {class: "also", role: "group", "aria-label": "Also here"}, group.map(([what, name]) =>
    h("button", {type: "button", class: "quiet", "aria-pressed": String(what === asked.params.what),
      onclick: () => what !== asked.params.what && explain.keep(asked.view, {...asked.params, what})}, name)));
}

/** A bar from the middle where some terms take away, else from the left. @param {number} part from -1 to 1 @param {boolean} signed */
function bar(part, signed) {
  const width = (signed ? 50 : 100) * Math.abs(part);
  return {width: `${width}%`, "margin-left": `${signed ? (part < 0 ? 50 - width : 50) : 0}%`};
}

/** What a view of formulas says, laid out. @param {any} told */
export function explanation({title, says, note, lines, terms}) {
  return h("div", {class: "because"},
    h("h3", {}, title),
    h("p", {}, says),
    lines.map((/** @type {any[]} */ line) => h("div", {class: "formula"}, groups(line))),
    h("dl", {class: "symbols"}, [...new Map(lines.flat().map((/** @type {any} */ one) => [one.symbol, one])).values()].filter((/** @type {any} */ one) => one.name)
      .map((/** @type {any} */ one) => h("div", {}, h("dt", {}, one.symbol), h("dd", {}, one.name)))),
    lines.flat().map((/** @type {any} */ one) => one.value !== undefined && unusual(one.value)).filter(Boolean).slice(0, 1)
      .map((/** @type {string} */ line) => h("p", {class: "note"}, line)),
    terms && table(terms),
    note && h("p", {class: "note"}, note));
}

/** The parts of a line, each with the signs before it, and a bracket that closes after it, so that no sign ends a line. @param {any[]} line */
function groups(line) {
  /** @type {HTMLElement[]} */
  const out = [];
  /** @type {HTMLElement[]} */
  let signs = [];
  for (const one of line) {
    if (one.sign === ")" && out.length) out[out.length - 1].append(part(one));
    else if (one.sign) signs.push(part(one));
    else {
      out.push(h("span", {class: "signed-part"}, signs, part(one)));
      signs = [];
    }
  }
  return out;
}

/** @param {{sign?: string, symbol: string, value: number, name: string}} one */
function part({sign, symbol, value, name}) {
  if (sign) return h("span", {class: "sign"}, sign === "/" ? "÷" : sign);
  return h("span", {class: "part", title: name}, h("span", {class: "part-value", "data-value": value}, short(value)), h("span", {class: "part-symbol"}, symbol));
}

/** A number of a formula; a count, whole. @param {number} value */
function short(value) {
  return Number.isInteger(value) && Math.abs(value) < 1e7 ? count(value).replace("-", "\u2212") : number(value, 3);
}

/** The terms of a sum: a row each, with a bar to the right for what adds and to the left for what takes away. @param {any} terms */
function table({caption, columns, rows, total, value, others, others_sum}) {
  const most = Math.max(...rows.map((/** @type {any} */ row) => Math.abs(row.values[row.values.length - 1])), 1e-30);
  const signed = rows.some((/** @type {any} */ row) => row.values[row.values.length - 1] < 0);
  return h("table", {class: "terms"},
    h("caption", {}, `${caption}, the largest first`),
    h("thead", {}, h("tr", {}, h("th"), columns.map((/** @type {string} */ name) => h("th", {scope: "col"}, name)), h("th"))),
    h("tbody", {}, rows.map((/** @type {any} */ row) => {
      const last = row.values[row.values.length - 1];
      return h("tr", {}, h("th", {scope: "row"}, row.label),
        row.values.map((/** @type {number} */ one) => h("td", {"data-value": one}, number(one, 3))),
        h("td", {class: signed ? "bar-cell signed" : "bar-cell"}, h("span", {class: last < 0 ? "meter minus" : "meter", style: bar(last / most, signed)})));
    })),
    h("tfoot", {},
      others ? h("tr", {}, h("th", {scope: "row"}, `${count(others)} others`), columns.slice(1).map(() => h("td")), h("td", {"data-value": others_sum}, number(others_sum, 3)), h("td")) : null,
      h("tr", {class: "total"}, h("th", {scope: "row"}, total), columns.slice(1).map(() => h("td")), h("td", {"data-value": value}, number(value, 3)), h("td"))));
}
