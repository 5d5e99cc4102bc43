// What the Why box explains: the number under the pointer or the focus; else the one that was clicked, which is kept in
// the address; else what a panel proposes.

import * as state from "./state.js";

/** @typedef {import("./api.js").Params} Params */
/** @typedef {{view: string, params: Params}} Asked a view that answers as gradus.explorer.forward.formula.explained does */

state.define({why: ""});

/** @type {Asked|null} */
let pointed = null;
/** @type {Asked|null} */
let proposed = null;
/** @type {Set<() => void>} */
const listeners = new Set();

/** Explain a number while it is pointed at; null ends it. @param {string|null} view @param {Params} [params] */
export function point(view, params = {}) {
  const next = view === null ? null : {view, params};
  if (address(next) === address(pointed)) return;
  pointed = next;
  tell();
}

/** Keep explaining a number; one that is kept already is freed. @param {string} view @param {Params} params */
export function keep(view, params) {
  const asked = address({view, params});
  state.set({why: state.get().why === asked ? "" : asked});
}

/** Explain a number whenever no other is asked for; null: none. @param {string|null} view @param {Params} [params] */
export function propose(view, params = {}) {
  proposed = view === null ? null : {view, params};
  tell();
}

/** What is to be explained now. @returns {Asked|null} */
export function current() {
  return pointed ?? kept() ?? proposed;
}

/** Whether a number is pointed at or kept, rather than proposed. */
export function isAsked() {
  return pointed !== null || kept() !== null;
}

/** What was clicked. @returns {Asked|null} */
export function kept() {
  const {why} = state.get();
  if (!why) return null;
  const [view, query = ""] = why.split("?");
  return {view, params: Object.fromEntries(new URLSearchParams(query))};
}

/** @param {() => void} listener @returns {() => void} ends it */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Let an element stand for a number: pointer and focus explain it, a click, Enter or Space keeps it.
 * @param {Element} element @param {string} view @param {Params} params
 */
export function bind(element, view, params) {
  element.classList.add("selectable");
  if (!element.hasAttribute("tabindex")) element.setAttribute("tabindex", "0");
  if (!element.hasAttribute("role")) element.setAttribute("role", "button");
  element.addEventListener("pointerenter", () => point(view, params));
  element.addEventListener("pointerleave", () => point(null));
  element.addEventListener("focus", () => element.matches(":focus-visible") && point(view, params));
  element.addEventListener("blur", () => point(null));
  element.addEventListener("click", () => keep(view, params));
  element.addEventListener("keydown", (event) => {
    const {key} = /** @type {KeyboardEvent} */ (event);
    if (key !== "Enter" && key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    keep(view, params);
  });
}

/** @param {Asked|null} asked */
function address(asked) {
  if (!asked) return "";
  const given = Object.entries(asked.params).filter(([, value]) => value !== null && value !== undefined);
  return `${asked.view}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function tell() {
  for (const listener of [...listeners]) listener();
}

state.subscribe((_, changed) => {
  if (changed.has("text") || changed.has("target") || changed.has("run") || changed.has("tab")) pointed = proposed = null;
  if ((changed.has("text") || changed.has("target")) && !changed.has("why") && state.get().why) state.set({why: ""});
  if (changed.has("why")) tell();
});
if (typeof document !== "undefined")
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
    if (event.key === "Escape" && !typing && state.get().why) state.set({why: ""});
  });
