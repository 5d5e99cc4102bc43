// The operations of a step as a tree, in the order of the walk: blocks first, to be opened. A bar shows how large the
// gradient is that comes in.

import {h, replace} from "../../lib/dom.js";
import * as state from "../../lib/state.js";
import {fine} from "./source.js";

/** @typedef {{group: number, name: string, kind: string, members: Item[], first: number, norm: number}} Group */
/** @typedef {{operation: number, name: string, note: string, norm: number}} Leaf */
/** @typedef {Group|Leaf} Item */

/** What only moves numbers about. */
const PLUMBING = ["view", "transpose", "contiguous", "split", "slice", "permute", "roll", "pad", "cat", "stack", "squeeze", "unsqueeze", "expand"];

/** @param {{choose: (operation: number) => void}} then */
export function outline(then) {
  /** @type {any} */
  let given = null;
  /** @type {Item[]} */
  let items = [];
  let chosen = 0, most = 1;
  const list = h("ul", {class: "bw-tree", role: "tree", "aria-label": "Operations, in the order in which the gradient reaches them"});
  const element = h("div", {},
    h("p", {class: "bw-tree-head"}, h("span", {}, "from the loss back to the embeddings"), h("span", {}, "size of the gradient")), list);

  /** @returns {Set<number>} */
  const opened = () => new Set(state.get()["backward.open"].split(",").filter(Boolean).map(Number));

  /** @param {number} group @param {boolean} [to] */
  function toggle(group, to) {
    const open = opened();
    if (to ?? !open.has(group)) open.add(group);
    else open.delete(group);
    state.set({"backward.open": written(open)});
  }

  function draw() {
    const focused = document.activeElement instanceof HTMLElement && list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const open = opened();
    replace(list, items.flatMap((item) => rows(item, 0, open)));
    const stop = list.querySelector(`[data-key="${focused}"]`) ?? list.querySelector(`[data-key="o${chosen}"]`) ?? list.querySelector("[data-key]");
    for (const row of list.querySelectorAll("[data-key]")) row.setAttribute("tabindex", row === stop ? "0" : "-1");
    if (focused) /** @type {HTMLElement|null} */ (list.querySelector(`[data-key="${focused}"]`))?.focus();
  }

  /** @param {Item} item @param {number} depth @param {Set<number>} open @returns {HTMLElement[]} */
  function rows(item, depth, open) {
    const isGroup = "members" in item;
    const isOpen = isGroup && open.has(item.group);
    const holds = isGroup && !isOpen && has(item, chosen);
    const key = isGroup ? `g${item.group}` : `o${item.operation}`;
    const part = Math.min(1, item.norm / most);
    const selected = !isGroup && item.operation === chosen;
    const row = h("li", {
      class: `bw-item${selected ? " bw-chosen" : ""}${holds ? " bw-holds" : ""}${isGroup ? " bw-group" : PLUMBING.includes(item.name) ? " bw-plumbing" : ""}`,
      role: "treeitem", "aria-level": depth + 1, "aria-expanded": isGroup ? String(isOpen) : null, "aria-selected": String(selected),
      "data-key": key, "data-value": item.norm, tabindex: -1,
      "aria-label": `${item.name}${isGroup ? ` (${item.kind})` : item.note ? `, ${item.note}` : ""}, gradient ${fine(item.norm)}`,
      style: {"--depth": depth},
      onclick: () => act(item),
      onkeydown: (/** @type {KeyboardEvent} */ event) => onKey(event, item),
    },
    h("span", {class: "bw-mark"}, isGroup ? (isOpen ? "▾" : "▸") : ""),
    h("span", {class: "bw-name"}, item.name, h("small", {}, isGroup ? ` ${item.kind} · ${total(item)} operations` : item.note ? ` ${item.note}` : "")),
    h("span", {class: "bw-track"}, h("span", {class: "bw-bar", style: {width: `${100 * part}%`}})),
    h("span", {class: "bw-norm"}, fine(item.norm)));
    return isOpen ? [row, ...item.members.flatMap((member) => rows(member, depth + 1, open))] : [row];
  }

  /** @param {Item} item */
  function act(item) {
    if ("members" in item) toggle(item.group);
    else then.choose(item.operation);
  }

  /** @param {KeyboardEvent} event @param {Item} item */
  function onKey(event, item) {
    const all = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[data-key]")]);
    const at = all.indexOf(/** @type {HTMLElement} */ (event.currentTarget));
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1}[event.key];
    if (to !== undefined) all[Math.max(0, Math.min(all.length - 1, to))].focus();
    else if (event.key === "ArrowRight" && "members" in item) toggle(item.group, true);
    else if (event.key === "ArrowLeft" && "members" in item) toggle(item.group, false);
    else if (event.key === "Enter" || event.key === " ") act(item);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return {
    element,
    /** @param {any} answer of the view backward/step */
    fill(answer) {
      given = answer;
      items = build(given);
      const whole = given.operations.filter((/** @type {any} */ one) => one.shapes.some((/** @type {number[]} */ shape) => shape.length));
      most = Math.max(...whole.map((/** @type {any} */ one) => one.norm), 1e-30);
    },
    /** What is open, with all that is around an operation. @param {number} operation @returns {string} */
    around(operation) {
      const open = opened();
      for (let group = given.operations[operation].group; group >= 0; group = given.groups[group].parent) open.add(group);
      return written(open);
    },
    /** @param {number} operation the one that is chosen */
    show(operation) {
      if (!given) return;
      chosen = operation;
      draw();
    },
  };
}

/** @param {Set<number>} open */
function written(open) {
  return [...open].sort((a, b) => a - b).join(",");
}

/** @param {Group} group @returns {number} */
function total(group) {
  return group.members.reduce((sum, member) => sum + ("members" in member ? total(member) : 1), 0);
}

/** @param {Item} item @param {number} operation @returns {boolean} */
function has(item, operation) {
  return "members" in item ? item.members.some((member) => has(member, operation)) : item.operation === operation;
}

/** The tree of an answer: the model itself is left out, and a module of one operation is that operation. @param {any} given @returns {Item[]} */
function build({groups, operations}) {
  /** @type {Item[]} */
  const top = [];
  /** @type {Map<number, Group>} */
  const known = new Map();

  /** @param {number} group @returns {Item[]} */
  function members(group) {
    if (group < 0 || groups[group].parent < 0) return top;
    const found = known.get(group);
    if (found) return found.members;
    const {name, kind, parent, first, norm} = groups[group];
    const short = parent >= 0 && groups[parent].parent >= 0 && name.startsWith(`${groups[parent].name}.`) ? name.slice(groups[parent].name.length + 1) : name.replace(/^transformer\./, "");
    const made = {group, name: short, kind, members: /** @type {Item[]} */ ([]), first, norm};
    known.set(group, made);
    members(parent).push(made);
    return made.members;
  }

  operations.forEach((/** @type {any} */ operation, /** @type {number} */ i) => {
    members(operation.group).push({operation: i, name: operation.name, note: "", norm: operation.norm});
  });
  return top.map(simple);
}

/** @param {Item} item @returns {Item} */
function simple(item) {
  if (!("members" in item)) return item;
  if (item.members.length === 1) {
    const only = simple(item.members[0]);
    if (!("members" in only)) return {...only, note: only.note ? `${item.name}.${only.note}` : item.name};
  }
  return {...item, members: item.members.map(simple)};
}
