// What the sections of these models share: a part that follows the text and the selection, numbers that can be read back.

import {h, replace} from "../../lib/dom.js";
import {number, percent, token, unusual} from "../../lib/format.js";
import {live} from "../../lib/live.js";
import * as state from "../../lib/state.js";

/** @typedef {import("../../lib/dom.js").Child} Child */
/** @typedef {import("../index.js").Context} Context */

/**
 * A part of the page that asks a view whenever its parameters change, and draws the answer.
 * @param {HTMLElement} root @param {Context} ctx @param {string} view
 * @param {() => import("../../lib/api.js").Params} params @param {(found: any) => void} show
 * @param {{also?: () => unknown, propose?: () => void}} [options] also: what else the drawing depends on; propose: tells the
 *   Why box what to explain when nothing is pointed at
 * @returns {import("../index.js").Mounted}
 */
export function follow(root, ctx, view, params, show, {also = () => null, propose = () => {}} = {}) {
  root.classList.add("sec");
  const part = live(root, () => {
    const {run, moment} = state.get();
    return [run, moment, params(), also()];
  }, async () => {
    propose();
    show(await ctx.get(view, params()));
  });
  return {
    update() {
      propose(); // even where the part is out of sight
      part.update();
    },
    destroy: part.destroy,
  };
}

/** Keys of the state that mean something in one run only: another run begins with their defaults. @param {Record<string, string|number|boolean|null>} defaults */
export function keysOfARun(defaults) {
  state.define(defaults);
  const keys = Object.keys(defaults);
  state.subscribe((now, changed) => {
    if (changed.has("run") && !keys.some((key) => changed.has(key)) && keys.some((key) => now[key] !== defaults[key])) state.set(defaults);
  });
}

/** A number with all its digits kept beside it. @param {number} value @param {number} [digits] @param {string} [name] what it is, for a test and a style */
export function num(value, digits = 3, name = "") {
  return h("span", {class: `num ${name}`, "data-value": value, title: unusual(value) || String(value)}, number(value, digits));
}

/** A probability, likewise. @param {number} value @param {string} [name] */
export function prob(value, name = "") {
  return h("span", {class: `num ${name}`, "data-value": value, title: unusual(value) || String(value)}, percent(value));
}

/** A token as it can be seen. @param {string} piece @param {string} [name] */
export function piece(piece, name = "") {
  return h("span", {class: `piece ${name}`}, token(piece));
}

/** Buttons of which one is chosen. @param {string} label @param {string[]} names @param {string} chosen @param {(name: string) => void} choose @param {Record<string, string>} [titles] */
export function choice(label, names, chosen, choose, titles = {}) {
  return h("div", {class: "choice", role: "group", "aria-label": label}, names.map((name) =>
    h("button", {type: "button", "data-key": `${label} ${name}`, "aria-pressed": String(name === chosen), title: titles[name] ?? null, onclick: () => choose(name)}, name)));
}

/** Draw anew, with the focus where it was. @param {HTMLElement} root @param {Child[]} children */
export function draw(root, ...children) {
  const focused = document.activeElement instanceof Element && root.contains(document.activeElement) ? document.activeElement.getAttribute("data-key") : null;
  replace(root, ...children);
  if (focused) /** @type {HTMLElement|null} */ (root.querySelector(`[data-key="${CSS.escape(focused)}"]`))?.focus();
}
