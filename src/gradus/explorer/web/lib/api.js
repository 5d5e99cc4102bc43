// Asking for views. A request that a later one replaces is cancelled; in an exported page the answers lie in the page.

import * as state from "./state.js";
import {decode} from "./wire.js";

/** @typedef {Record<string, string|number|boolean|null|undefined>} Params */

/** The requests under way: for each slot, the one whose answer is still wanted. @type {Map<string, AbortController>} */
const underWay = new Map();
/**
 * A request that is under way, or an answer of late, which panels that show one view share.
 * @typedef {{when: number, answer: Promise<any>, stop: AbortController, wanted: number, done: boolean}} Shared
 */
/** @type {Map<string, Shared>} */
const late = new Map();
const FRESH = 2000; // milliseconds for which an answer is given again
/** What the page has asked for in the state that it shows: for the export. @type {Map<string, Request>} */
const asked = new Map();

/** @typedef {{fragment: string, tab: string, texts: string[], runs: any[], first: string}} Exported */

/** JSON that lies in an exported page. @param {string} id */
function inPage(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent || "{}") : null;
}

/** The answers of an exported page, by key; null in a page that a server answers. @type {Record<string, any>|null} */
const embedded = inPage("answers");

/** What an exported page, which has no server, was made of; null in others. @type {Exported|null} */
export const exported = inPage("exported");

/** Whether this page is an exported one. */
export const isExported = exported !== null;

/**
 * The answer of a view; the run and moment of the page's state are added. A promise whose request has been replaced by
 * a later one in its slot never settles.
 * @param {string} view
 * @param {Params} [params] without those that are null, undefined or the empty string
 * @param {{slot?: string, fresh?: boolean}} [options] slot: what a later request replaces, by default the view's name;
 *   fresh: ask even if the same has just been answered
 * @returns {Promise<any>} rejects with an Error whose message is one line for the reader
 */
export async function get(view, params = {}, {slot = view, fresh = false} = {}) {
  const {run, moment} = state.get();
  const asks = request(view, {run, moment, ...params});
  underWay.get(slot)?.abort();
  const mine = new AbortController();
  underWay.set(slot, mine);
  try {
    const answer = await answered(asks, mine.signal, fresh);
    if (mine.signal.aborted) return never();
    return answer;
  } catch (error) {
    if (mine.signal.aborted) return never();
    throw error;
  } finally {
    if (underWay.get(slot) === mine) underWay.delete(slot);
  }
}

/** @typedef {{view: string, params: Record<string, string>, key: string}} Request */

/** A request, remembered for the export: its parameters as text, and a key by which its answer is found. @param {string} view @param {Params} params @returns {Request} */
function request(view, params) {
  const given = Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => /** @type {[string, string]} */ ([name, String(value)]));
  given.sort(([a], [b]) => (a < b ? -1 : 1));
  const key = JSON.stringify([view, given]);
  const made = {view, params: Object.fromEntries(given), key};
  asked.set(key, made);
  ended = performance.now();
  return made;
}

/** Forget what the page has asked for, when it shows something else. */
export function forget() {
  asked.clear();
}

/** @param {Request} asks @param {AbortSignal} signal @param {boolean} fresh @returns {Promise<any>} */
async function answered({view, params, key}, signal, fresh) {
  if (embedded) {
    const found = embedded[key];
    if (found === undefined) throw new Error("This page lies in a file, which does not hold this. gradus explore shows it.");
    if (found.error) throw new Error(found.error);
    return decode(found);
  }
  const before = late.get(key);
  const shared = before && (!before.done || (!fresh && performance.now() - before.when < FRESH)) ? before : begun(view, params, key);
  shared.wanted += 1;
  signal.addEventListener("abort", () => {
    shared.wanted -= 1;
    if (shared.wanted || shared.done) return;
    if (late.get(key) === shared) late.delete(key);
    shared.stop.abort();
  });
  return shared.answer;
}

/** @param {string} view @param {Record<string, string>} params @param {string} key @returns {Shared} */
function begun(view, params, key) {
  const stop = new AbortController();
  const answer = ask(`api/${view}?${new URLSearchParams(params)}`, {signal: stop.signal});
  /** @type {Shared} */
  const shared = {when: performance.now(), answer, stop, wanted: 0, done: false};
  answer.then(
    () => {
      shared.done = true;
      shared.when = performance.now();
    },
    () => {
      if (late.get(key) === shared) late.delete(key);
    });
  late.set(key, shared);
  if (late.size > 100) for (const [old, {done}] of [...late].slice(0, 50)) if (done) late.delete(old);
  return shared;
}

let going = 0; // requests under way
let ended = 0; // when the last one was made, or came back

/** When nothing has been under way for a while: the picture stands. @returns {Promise<void>} */
export async function quiet() {
  ended = performance.now();
  while (going > 0 || performance.now() - ended < 500) await new Promise((done) => setTimeout(done, 100));
}

/** The page as one file, as the server makes it. @returns {Promise<string>} */
export async function exportPage() {
  const response = await fetch("api/export", {
    method: "POST",
    body: JSON.stringify({fragment: state.fragment(), asked: [...asked.values()]}),
  });
  const body = await response.text();
  if (!response.ok) throw new Error(JSON.parse(body).error);
  return body;
}

/** @param {string} url @param {RequestInit} [options] @returns {Promise<any>} */
export async function ask(url, options) {
  let response;
  going += 1;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    throw new Error("The server does not answer: gradus explore has ended, or the text is far too long.");
  } finally {
    going -= 1;
    ended = performance.now();
  }
  const body = await response.json().catch(() => ({error: `the server answered ${response.status}`}));
  if (!response.ok) throw new Error(body.error || `the server answered ${response.status}`);
  return decode(body);
}

/** @returns {Promise<any>} */
function never() {
  return new Promise(() => {});
}
