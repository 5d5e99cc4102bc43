// One selection everywhere: a token, a layer, a head, a unit. Hover or focus previews it, a click or Enter locks it,
// Escape clears it, arrow keys move it.

import * as state from "./state.js";

/** @typedef {{token?: number|null, layer?: number|null, head?: number|null, unit?: number|null}} Selection */
/** @typedef {"token"|"layer"|"head"|"unit"} Dimension */

/** @type {Dimension[]} */
const DIMENSIONS = ["token", "layer", "head", "unit"];

/** @type {Selection} */
let preview = {};
/** @type {Set<(selection: Selection) => void>} */
const listeners = new Set();
/** Elements that stand for a part. @type {Map<Element, Selection>} */
const bound = new Map();
/** How many there are of each, for the arrow keys. @type {Partial<Record<Dimension, number>>} */
let sizes = {};

/** What is locked. @returns {Selection} */
export function locked() {
  const {token, layer, head, unit} = state.get();
  return {token, layer, head, unit};
}

/** What is shown: the preview over what is locked. @returns {Selection} */
export function current() {
  return {...locked(), ...preview};
}

/** @param {Selection} part shown until the pointer leaves; {} ends it */
export function hover(part) {
  if (same(part, preview)) return;
  preview = part;
  tell();
}

/** Lock a part; one that is locked already is freed. @param {Selection} part */
export function lock(part) {
  const now = state.get();
  const keys = /** @type {Dimension[]} */ (Object.keys(part));
  const freed = keys.length > 0 && keys.every((key) => now[key] === part[key]);
  preview = {};
  state.set(freed ? Object.fromEntries(keys.map((key) => [key, null])) : /** @type {any} */ (part));
  tell();
}

/** Free everything. @returns {boolean} whether anything was locked or previewed */
export function clear() {
  const any = Object.keys(preview).length > 0 || DIMENSIONS.some((key) => state.get()[key] !== null);
  preview = {};
  state.set({token: null, layer: null, head: null, unit: null});
  tell();
  return any;
}

/** @param {(selection: Selection) => void} listener called at each change, previews too @returns {() => void} ends it */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** How many tokens, layers, heads and units there are, so that arrow keys know the end. @param {Partial<Record<Dimension, number>>} known */
export function limit(known) {
  sizes = {...sizes, ...known};
}

/** Move one dimension of the locked selection. @param {Dimension} dimension @param {number} by */
export function move(dimension, by) {
  const size = sizes[dimension] ?? 0;
  if (!size) return;
  const at = state.get()[dimension];
  const to = at === null ? (by > 0 ? 0 : size - 1) : Math.min(size - 1, Math.max(0, at + by));
  preview = {};
  state.set({[dimension]: to});
  tell();
}

/**
 * Let an element stand for a part: hover and focus preview it, a click, Enter or Space locks it. Within a group, the tab
 * key stops once, and arrow keys go from one element to the next.
 * @param {Element} element @param {Selection} part @param {{group?: string, label?: string}} [options]
 */
export function bind(element, part, {group = "", label} = {}) {
  bound.set(element, part);
  element.classList.add("selectable");
  if (group) element.setAttribute("data-group", group);
  if (!element.hasAttribute("role") && element.tagName !== "BUTTON") element.setAttribute("role", "button");
  if (label) element.setAttribute("aria-label", label);
  element.setAttribute("tabindex", group ? "-1" : "0");
  if (group) later(group);
  element.addEventListener("pointerenter", () => hover(part));
  element.addEventListener("pointerleave", () => hover({}));
  element.addEventListener("focus", () => {
    focused = {group, part};
    if (element.matches(":focus-visible")) hover(part);
  });
  element.addEventListener("blur", () => {
    if (element.isConnected) hover({});
  });
  element.addEventListener("click", () => lock(part));
  element.addEventListener("keydown", (event) => onKey(/** @type {KeyboardEvent} */ (event), element, part, group));
  mark(element, part);
}

/** The groups whose elements have changed; each gets one stop of the tab key. @type {Set<string>} */
const changedGroups = new Set();
/** What had the focus last, so that it is there again when a panel has drawn anew. @type {{group: string, part: Selection}|null} */
let focused = null;

/** @param {string} group */
function later(group) {
  if (!changedGroups.size) queueMicrotask(settle);
  changedGroups.add(group);
}

function settle() {
  for (const group of changedGroups) {
    const all = members(group);
    const lost = focused?.group === group && document.activeElement === document.body;
    const again = lost ? all.find((element) => same(bound.get(element) ?? {}, focused?.part ?? {})) : undefined;
    const stop = again ?? all.find((element) => element.classList.contains("is-locked")) ?? all[0];
    for (const element of all) element.setAttribute("tabindex", element === stop ? "0" : "-1");
    /** @type {HTMLElement|undefined} */ (again)?.focus();
  }
  changedGroups.clear();
}

/** @param {string} group @returns {Element[]} */
function members(group) {
  return [...document.querySelectorAll(`[data-group="${CSS.escape(group)}"]`)];
}

/** @param {KeyboardEvent} event @param {Element} element @param {Selection} part @param {string} group */
function onKey(event, element, part, group) {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    event.stopPropagation();
    lock(part);
    return;
  }
  if (!group || !event.key.startsWith("Arrow")) return;
  const all = members(group);
  const to = neighbour(element, all, event.key);
  if (!to && (event.key === "ArrowUp" || event.key === "ArrowDown")) return; // in a single row, they are the layers'
  event.preventDefault();
  event.stopPropagation();
  if (!to) return;
  for (const other of all) other.setAttribute("tabindex", other === to ? "0" : "-1");
  /** @type {HTMLElement} */ (to).focus();
}

/** The nearest element in the direction of an arrow. @param {Element} from @param {Element[]} all @param {string} key */
function neighbour(from, all, key) {
  const box = from.getBoundingClientRect();
  const x = box.x + box.width / 2, y = box.y + box.height / 2;
  /** @type {Element|null} */
  let best = null;
  let least = Infinity;
  for (const other of all) {
    if (other === from) continue;
    const there = other.getBoundingClientRect();
    const dx = there.x + there.width / 2 - x, dy = there.y + there.height / 2 - y;
    const [along, across] = key === "ArrowRight" ? [dx, dy] : key === "ArrowLeft" ? [-dx, dy] : key === "ArrowDown" ? [dy, dx] : [-dy, dx];
    const distance = along + 4 * Math.abs(across);
    if (along > 1 && distance < least) [best, least] = [other, distance];
  }
  if (!best && (key === "ArrowRight" || key === "ArrowLeft")) best = all[all.indexOf(from) + (key === "ArrowRight" ? 1 : -1)] ?? null;
  return best;
}

function tell() {
  for (const [element, part] of bound) {
    if (!element.isConnected) bound.delete(element);
    else mark(element, part);
  }
  const selection = current();
  for (const listener of [...listeners]) listener(selection);
}

/** Show on an element whether its part is locked or previewed. @param {Element} element @param {Selection} part */
function mark(element, part) {
  const keys = /** @type {Dimension[]} */ (Object.keys(part));
  const now = state.get(), shown = current();
  const isLocked = keys.length > 0 && keys.every((key) => now[key] === part[key]);
  element.setAttribute("aria-pressed", String(isLocked));
  element.classList.toggle("is-locked", isLocked);
  element.classList.toggle("is-shown", keys.length > 0 && keys.every((key) => shown[key] === part[key]));
}

/** @param {Selection} a @param {Selection} b */
function same(a, b) {
  return DIMENSIONS.every((key) => a[key] === b[key]);
}

document.addEventListener("pointerdown", () => {
  focused = null;
});
document.addEventListener("focusin", (event) => {
  if (event.target instanceof Element && !bound.has(event.target)) focused = null;
});
state.subscribe((_, changed) => {
  if (DIMENSIONS.some((key) => changed.has(key))) tell();
});
