// What the sections of the models share: numbers that can be read back, tokens, a number explained.

import {h, replace} from "../../lib/dom.js";
import {number, percent, token, unusual} from "../../lib/format.js";

/** @typedef {import("../../lib/dom.js").Child} Child */
/** @typedef {{symbol?: string, value?: number, name?: string, sign?: string}} Part */
/** @typedef {{caption: string, columns: string[], rows: {label: string, values: number[]}[], total: string, value: number, others: number, others_sum: number}} Terms */
/** @typedef {{title: string, says: string, note: string, lines: Part[][], terms: Terms|null, result: number}} Explained */

/** A number with all its digits kept beside it. @param {number} value @param {number} [digits] @param {string} [name] what it is, for a test and a style */
export function num(value, digits = 3, name = "") {
  return h("span", {class: `num ${name}`, "data-value": value, "data-name": name || null, title: unusual(value) || String(value)}, number(value, digits));
}

/** A probability, likewise. @param {number} value @param {string} [name] */
export function prob(value, name = "") {
  return h("span", {class: `num ${name}`, "data-value": value, "data-name": name || null, title: unusual(value) || String(value)}, percent(value));
}

/** A token as it can be seen. @param {string} piece @param {string} [name] */
export function piece(piece, name = "") {
  return h("span", {class: `piece ${name}`}, token(piece));
}

/** A number explained: its formula with the numbers put in, and the terms of its sum. @param {Explained|null} why @returns {HTMLElement} */
export function explanation(why) {
  if (!why) return h("div", {});
  /** @type {Map<string, string>} */
  const names = new Map();
  for (const part of why.lines.flat()) if (part.symbol && part.name) names.set(part.symbol, part.name);
  return h("div", {class: "explained", "data-value": why.result},
    h("h3", {}, why.title),
    why.says && h("p", {class: "says"}, why.says),
    h("div", {class: "formulas"}, why.lines.map((line) => h("p", {class: "formula"}, line.map(part)))),
    names.size > 0 && h("p", {class: "legend"}, [...names].flatMap(([symbol, name]) => [h("span", {}, h("i", {}, symbol), ` ${name}`)])),
    why.note && h("p", {class: "note"}, why.note),
    why.terms && terms(why.terms));
}

/** @param {Part} one */
function part(one) {
  if (one.sign !== undefined) return h("span", {class: "sign"}, one.sign);
  return h("span", {class: "part", title: one.name || null},
    h("span", {class: "symbol"}, one.symbol ?? ""),
    h("span", {class: "num", "data-value": one.value, "data-symbol": one.symbol}, short(one.value ?? 0)));
}

/** @param {number} value */
function short(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return value.toLocaleString("en-US").replace("-", "\u2212");
  return number(value, 4);
}

/** The terms of a sum as bars to both sides of zero. @param {Terms} sum */
export function terms({caption, columns, rows, total, value, others, others_sum: rest}) {
  const last = columns.length - 1;
  const all = others ? [...rows, {label: `${others} more`, values: [...Array(last).fill(NaN), rest]}] : rows;
  const most = Math.max(...rows.map((row) => Math.abs(row.values[last])), 1e-30);
  const negative = rows.some((row) => row.values[last] < 0);
  return h("table", {class: "terms"},
    h("caption", {}, caption),
    columns.length > 1 && h("thead", {}, h("tr", {}, h("th", {}), columns.map((name) => h("th", {scope: "col"}, name)), h("th", {}))),
    h("tbody", {}, all.map((row) => h("tr", {},
      h("th", {scope: "row"}, row.label),
      row.values.map((one) => h("td", {}, Number.isNaN(one) ? "" : num(one, 4))),
      h("td", {class: "bar-cell"}, rows.includes(row) && signed(row.values[last], most, negative))))),
    h("tfoot", {}, h("tr", {}, h("th", {scope: "row"}, total), Array(last).fill(h("td", {})).map(() => h("td", {})), h("td", {}, num(value, 4)), h("td", {}))));
}

/** A bar to the left or to the right of zero. @param {number} value @param {number} most @param {boolean} both whether there is a left */
export function signed(value, most, both) {
  const size = Math.min(1, Math.abs(value) / most) * (both ? 50 : 100);
  const left = !both ? 0 : value < 0 ? 50 - size : 50;
  return h("span", {class: `signed ${both ? "both" : ""}`}, h("span", {class: value < 0 ? "less" : "more", style: {left: `${left}%`, width: `${size}%`}}));
}

/** Buttons of which one is chosen. @param {string} label @param {string[]} names @param {string} chosen @param {(name: string) => void} choose @param {Record<string, string>} [titles] */
export function choice(label, names, chosen, choose, titles = {}) {
  return h("div", {class: "choice", role: "group", "aria-label": label}, names.map((name) =>
    h("button", {type: "button", "aria-pressed": String(name === chosen), title: titles[name] ?? null, onclick: () => choose(name)}, name)));
}

/** Draw only the newest of what was asked for, and keep what the page showed in the meantime. @param {HTMLElement} root @param {Child[]} children */
export function draw(root, ...children) {
  const focused = document.activeElement instanceof HTMLElement && root.contains(document.activeElement) ? document.activeElement.getAttribute("data-key") : null;
  replace(root, ...children);
  if (focused) /** @type {HTMLElement|null} */ (root.querySelector(`[data-key="${CSS.escape(focused)}"]`))?.focus();
}
