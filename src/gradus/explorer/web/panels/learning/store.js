// What the panels of the Learning tab share: the run's measurements, followed while it trains, and which moment is shown.

import * as api from "../../lib/api.js";
import * as state from "../../lib/state.js";

const EVERY = 2000; // milliseconds between two questions to a run that is training
export const COLUMNS = ["step", "tokens", "seconds", "train_loss", "dev_loss", "learning_rate", "grad_norm", "tokens_per_second"];

/**
 * @typedef {Object} Followed
 * @property {Record<string, (number|null)[]>} columns
 * @property {number[]} steps the moments, the last weights at the end
 * @property {number} last
 * @property {number|null} best
 * @property {string} state
 */

/** @type {Map<string, Follower>} */
const followers = new Map();

/** The measurements of one run; asks for what is new as long as someone listens and the run trains. */
class Follower {
  /** @param {string} run */
  constructor(run) {
    this.run = run;
    /** @type {Followed|null} */
    this.data = null;
    this.until = 0;
    /** @type {Set<(data: Followed) => void>} */
    this.listeners = new Set();
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  async ask() {
    clearTimeout(this.timer);
    const params = {run: this.run, moment: "", since: this.until || null};
    const answer = await api.get("learning/curves", params, {slot: `curves ${this.run}`, fresh: this.until > 0});
    const columns = this.data && !answer.again ? this.data.columns : Object.fromEntries(COLUMNS.map((name) => [name, []]));
    for (const name of COLUMNS) columns[name] = [...columns[name], ...answer[name]];
    this.until = answer.until;
    const steps = answer.moments.filter((/** @type {number} */ step) => step < answer.last);
    this.data = {columns, steps: [...steps, answer.last], last: answer.last, best: answer.best, state: answer.state};
    for (const listener of this.listeners) listener(this.data);
    if (answer.state === "training" && !api.isExported && this.listeners.size) this.timer = setTimeout(() => void this.ask().catch(() => {}), EVERY);
  }
}

/**
 * Listen to a run's measurements; called at once when they are known, and again when there are more.
 * @param {string} run @param {(data: Followed) => void} listener @param {(line: string) => void} fail
 * @returns {() => void} ends it
 */
export function follow(run, listener, fail) {
  const follower = followers.get(run) ?? new Follower(run);
  followers.set(run, follower);
  const first = follower.listeners.size === 0;
  follower.listeners.add(listener);
  if (follower.data) listener(follower.data);
  if (first) follower.ask().catch((error) => fail(error instanceof Error ? error.message : String(error)));
  return () => {
    follower.listeners.delete(listener);
    if (!follower.listeners.size) clearTimeout(follower.timer);
  };
}

/** Which of the moments is looked at: its place among the steps. @param {number[]} steps @param {string} [moment] */
export function place(steps, moment = state.get().moment) {
  const at = steps.indexOf(Number(moment));
  return moment === "" || moment === "last" || at < 0 ? steps.length - 1 : at;
}

/** What `moment` is in the address for a place: the last weights are "last". @param {number[]} steps @param {number} at */
export function momentAt(steps, at) {
  return at >= steps.length - 1 ? "last" : String(steps[at]);
}

/** Look at a moment. @param {number[]} steps @param {number} at */
export function look(steps, at) {
  state.set({moment: momentAt(steps, Math.max(0, Math.min(steps.length - 1, at)))});
}

/** What the page calls a moment. @param {number[]} steps @param {number} at */
export function named(steps, at) {
  return at === 0 && steps[0] === 0 ? "before training" : `after step ${steps[at].toLocaleString("en-US")}`;
}
