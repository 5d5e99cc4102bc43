// Asking for views. A request that a later one replaces is cancelled; in an exported page the answers lie in the page.

import * as state from "./state.js";
import {decode} from "./wire.js";

/** @typedef {Record<string, string|number|boolean|null|undefined>} Params */

/** The requests under way: for each slot, the one whose answer is still wanted. @type {Map<string, AbortController>} */
const underWay = new Map();
/** Answers of late, by address, so that panels that show one view ask once. @type {Map<string, {when: number, answer: Promise<any>}>} */
const late = new Map();
const FRESH = 2000; // milliseconds for which an answer is given again
/** What the page has shown: for the export. @type {Map<string, {view: string, params: Record<string, string>}>} */
export const asked = new Map();

/** The answers of an exported page, by address; null in a page that a server answers. @type {Record<string, any>|null} */
const embedded = (() => {
  const element = typeof document === "undefined" ? null : document.getElementById("answers");
  return element ? JSON.parse(element.textContent || "{}") : null;
})();

/** Whether this page is an exported one, which has no server. */
export const isExported = embedded !== null;

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
  const key = address(view, {run, moment, ...params});
  underWay.get(slot)?.abort();
  const mine = new AbortController();
  underWay.set(slot, mine);
  try {
    const answer = await answered(key, mine.signal, fresh);
    if (mine.signal.aborted) return never();
    return answer;
  } catch (error) {
    if (mine.signal.aborted) return never();
    throw error;
  } finally {
    if (underWay.get(slot) === mine) underWay.delete(slot);
  }
}

/** The name of a view with its parameters, sorted: what an answer is found by. @param {string} view @param {Params} params */
export function address(view, params) {
  const given = Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== "");
  given.sort(([a], [b]) => (a < b ? -1 : 1));
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  asked.set(`${view}?${query}`, {view, params: Object.fromEntries(query)});
  return `${view}?${query}`;
}

/** Forget what the page has asked for, when it shows something else. */
export function forget() {
  asked.clear();
}

/** @param {string} key @param {AbortSignal} signal @param {boolean} fresh @returns {Promise<any>} */
async function answered(key, signal, fresh) {
  if (embedded) {
    if (key in embedded) return decode(embedded[key]);
    throw new Error("This page was exported, and holds no answer to this. gradus explore computes it.");
  }
  const found = late.get(key);
  if (found && !fresh && performance.now() - found.when < FRESH) {
    try {
      return await found.answer;
    } catch (error) {
      if (!(error instanceof DOMException) || signal.aborted) throw error;
      // whoever asked first no longer wants it: ask again
    }
  }
  const answer = ask(`api/${key}`, {signal});
  late.set(key, {when: performance.now(), answer});
  answer.catch(() => late.delete(key));
  if (late.size > 100) for (const [old] of [...late].slice(0, 50)) late.delete(old);
  return answer;
}

/** @param {string} url @param {RequestInit} [options] @returns {Promise<any>} */
export async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    throw new Error("The server does not answer: gradus explore has ended, or the text is far too long.");
  }
  const body = await response.json().catch(() => ({error: `the server answered ${response.status}`}));
  if (!response.ok) throw new Error(body.error || `the server answered ${response.status}`);
  return decode(body);
}

/** @returns {Promise<any>} */
function never() {
  return new Promise(() => {});
}
