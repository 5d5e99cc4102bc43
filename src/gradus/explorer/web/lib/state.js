// The state of the page, all of it: mirrored in the address, so that the same link opens the same picture.

/**
 * @typedef {Object} Known
 * @property {string} run the id of the run that is looked at
 * @property {string} tab
 * @property {string} text
 * @property {string} target the second text of a model of pairs
 * @property {number|null} token locked selection: the index of a token in the row that the model reads
 * @property {number|null} layer
 * @property {number|null} head
 * @property {number|null} unit
 * @property {number} seed
 * @property {number|null} temperature null: as `gradus sample` has it, 1, and 0 where a model translates
 * @property {number|null} top_k
 * @property {number|null} top_p
 * @property {number} step
 * @property {string} expr
 * @property {string} moment
 * @property {string} run2
 * @property {string} moment2
 */
/** @typedef {Known & Record<string, any>} State */
/** @typedef {string|number|boolean|null} Value */
/** @typedef {(state: State, changed: Set<string>) => void} Listener */

/** @type {Record<string, Value>} */
const DEFAULTS = {
  run: "", tab: "forward", text: "", target: "", token: null, layer: null, head: null, unit: null,
  seed: 1337, temperature: null, top_k: null, top_p: null, step: 0, expr: "", moment: "", run2: "", moment2: "",
};

/** The type of a key whose default is null: a number. @type {(key: string) => string} */
const typeOf = (key) => (DEFAULTS[key] === null ? "number" : typeof DEFAULTS[key]);

/** @type {State} */
let state = /** @type {State} */ ({...DEFAULTS});
/** @type {Set<Listener>} */
const listeners = new Set();
/** Keys in the address that no panel has defined yet. @type {Record<string, string>} */
let undefinedYet = {};
let written = "";

/**
 * Add keys of a panel, `panel.key`, with their defaults; the type of the default (null: a number or none) is the key's.
 * @param {Record<string, Value>} defaults
 */
export function define(defaults) {
  for (const [key, value] of Object.entries(defaults)) {
    DEFAULTS[key] = value;
    if (!(key in state)) state[key] = key in undefinedYet ? parse(key, undefinedYet[key]) : value;
    delete undefinedYet[key];
  }
}

/** @returns {State} */
export function get() {
  return state;
}

/**
 * Change some keys; the address and everyone who has subscribed follow.
 * @param {Record<string, Value>} patch
 */
export function set(patch) {
  const changed = new Set(Object.keys(patch).filter((key) => !Object.is(state[key], patch[key])));
  if (!changed.size) return;
  state = /** @type {State} */ ({...state, ...patch});
  write(changed.has("tab") || changed.has("run"));
  for (const listener of [...listeners]) listener(state, changed);
}

/**
 * @param {Listener} listener called after each change
 * @returns {() => void} ends the subscription
 */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The state as the fragment of an address: every key that is not at its default. @returns {string} */
export function fragment() {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) {
    const always = key === "seed" || key === "text" || key === "tab" || key === "run";
    if (value !== null && value !== undefined && (always || value !== DEFAULTS[key])) parts.set(key, String(value));
  }
  for (const [key, value] of Object.entries(undefinedYet)) parts.set(key, value);
  return parts.toString();
}

/** Read the state from the address. @param {string} [from] */
export function read(from = location.hash.replace(/^#/, "")) {
  const parts = new URLSearchParams(from);
  /** @type {Record<string, any>} */
  const next = {...DEFAULTS};
  undefinedYet = {};
  for (const [key, text] of parts) {
    if (key in DEFAULTS) next[key] = parse(key, text);
    else undefinedYet[key] = text;
  }
  const before = state;
  state = /** @type {State} */ (next);
  const keys = new Set([...Object.keys(before), ...Object.keys(next)]);
  const changed = new Set([...keys].filter((key) => !Object.is(before[key], next[key])));
  if (changed.size) for (const listener of [...listeners]) listener(state, changed);
}

/** @param {string} key @param {string} text @returns {Value} */
function parse(key, text) {
  const type = typeOf(key);
  if (type === "boolean") return text === "true";
  if (type !== "number") return text;
  const number = Number(text);
  return text.trim() === "" || Number.isNaN(number) ? DEFAULTS[key] : number;
}

/** @param {boolean} push whether Back should return to what was before */
function write(push) {
  written = `#${fragment()}`;
  if (push && location.hash !== "") history.pushState(null, "", written);
  else history.replaceState(null, "", written);
}

if (typeof window !== "undefined") {
  addEventListener("popstate", () => {
    if (location.hash !== written) read();
  });
}
