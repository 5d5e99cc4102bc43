// One training step of the run's own model: the walk over its operations, blocks first, and the operation that is chosen.

import {h, replace} from "../../lib/dom.js";
import {count, number, token} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {operationView} from "./operation.js";
import {outline} from "./outline.js";
import {COUNTING, stepParams, takenOn} from "./source.js";

state.define({"backward.op": 0, "backward.input": 0, "backward.row": -1, "backward.col": -1, "backward.open": ""});

const PAUSE = 150; // milliseconds after a key before a step is computed
/** What an operation is looked at with. */
const AIM = ["backward.op", "backward.input", "backward.row", "backward.col"];

/** @type {import("../index.js").Panel} */
export default {
  id: "backward-step",
  tab: "backward",
  kinds: null,
  title: "A training step, walked back",
  caption: "The model reads the text and the loss says how surprised it was. Then the gradient goes back through every operation, the last one first, to every weight.",
  wide: true,
  when: (about) => !COUNTING.includes(about.kind),
  mount(root, ctx) {
    /** @type {any} */
    let given = null;
    let shownFor = "", detailFor = "";
    const source = takenOn(ctx.about, "step");
    const facts = h("p", {class: "bw-facts"});
    const rows = h("div", {class: "bw-rows"});
    const tree = outline({choose});
    const detail = operationView({
      choose,
      input: (input) => state.set({"backward.input": input, "backward.row": -1, "backward.col": -1}),
      cell: (row, col) => state.set({"backward.row": row, "backward.col": col}),
    });
    const busy = h("p", {class: "note bw-busy"}, "One training step is being computed …");
    const whole = h("div", {hidden: true}, facts, rows, h("div", {class: "bw-two"}, h("div", {class: "bw-left"}, tree.element), detail.element));
    let waiting = 0;
    replace(root, source.element, busy, whole);

    /** Look at an operation; the blocks around it are opened. @param {number} operation */
    function choose(operation) {
      const to = Math.min(Math.max(0, operation), given.operations.length - 1);
      state.set({"backward.op": to, "backward.input": 0, "backward.row": -1, "backward.col": -1, "backward.open": tree.around(to)});
    }

    async function load() {
      const params = stepParams(ctx.about);
      const key = JSON.stringify(params);
      if (key !== shownFor) {
        shownFor = key;
        given = null;
        const answer = await ctx.get("backward/step", params);
        given = answer;
        busy.hidden = true;
        whole.hidden = false;
        detailFor = "";
        tree.fill(given);
        showFacts();
      }
      if (given) await show();
    }

    function showFacts() {
      const kept = given.operations.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.kept, 0);
      replace(facts, "Loss ", h("strong", {"data-part": "loss", "data-value": given.loss}, number(given.loss, 4)),
        ` nats, the mean over ${count(given.targets)} target${given.targets === 1 ? "" : "s"} · ${count(given.operations.length)} operations · ${bytes(kept)} kept from the forward pass for this`);
      const few = given.rows.slice(0, 3);
      const kind = ctx.about.kind;
      const aligned = kind !== "transformer" && few.every((/** @type {any} */ row) => row.read.length === row.asked.length);
      const below = kind === "transformer" ? "below what should be written" : !aligned ? "below the label that it should have" : kind === "encoder" ? "below what was hidden" : "below what should come next";
      replace(rows, h("p", {class: "note"}, `${sentence(given.said)}. Above what is read, ${below}:`),
        few.map((/** @type {any} */ row) => aligned
          ? h("div", {class: "bw-row"}, row.read.map((/** @type {any} */ piece, /** @type {number} */ i) =>
            h("span", {class: "bw-pair"}, h("span", {}, seen(piece)), h("span", {class: "bw-asked"}, seen(row.asked[i])))))
          : [h("div", {class: "bw-row"}, row.read.map((/** @type {any} */ piece) => h("span", {class: "bw-pair"}, h("span", {}, seen(piece))))),
            h("div", {class: "bw-row"}, row.asked.map((/** @type {any} */ piece) => h("span", {class: "bw-pair"}, h("span", {class: "bw-asked"}, seen(piece)))))]),
        given.rows.length > few.length ? h("p", {class: "note"}, `and ${given.rows.length - few.length} rows more`) : null);
    }

    async function show() {
      const now = state.get();
      const operation = Math.min(Math.max(0, now["backward.op"]), given.operations.length - 1);
      const handed = given.operations[operation].handed.length;
      const input = Math.min(Math.max(0, now["backward.input"]), Math.max(0, handed - 1));
      tree.show(operation);
      const params = {...stepParams(ctx.about), operation, input, row: now["backward.row"], column: now["backward.col"]};
      const key = JSON.stringify(params);
      if (key === detailFor) return;
      detailFor = key;
      detail.update(given, await ctx.get("backward/operation", params));
    }

    /** @param {KeyboardEvent} event */
    function onKey(event) {
      const target = /** @type {HTMLElement} */ (event.target);
      if (!given || !target.closest("#panel-backward-step") || target.matches("input, textarea, select")) return;
      if (event.ctrlKey || event.metaKey || event.altKey || (event.key !== "n" && event.key !== "p")) return;
      event.preventDefault();
      choose(state.get()["backward.op"] + (event.key === "n" ? 1 : -1));
    }
    document.addEventListener("keydown", onKey);

    return {
      update(now, changed) {
        source.update();
        if (changed.has("text") || changed.has("target") || changed.has("backward.source") || changed.has("backward.number") || !shownFor) {
          clearTimeout(waiting);
          waiting = window.setTimeout(load, shownFor ? PAUSE : 0);
        }
        else if (given && (AIM.some((key) => changed.has(key)))) void show();
        if (changed.has("backward.open") && given) tree.show(now["backward.op"]);
      },
      destroy() {
        clearTimeout(waiting);
        document.removeEventListener("keydown", onKey);
      },
    };
  },
};

/** A token, or a dot where there is none. @param {string|null} piece */
function seen(piece) {
  return piece === null ? "·" : token(piece);
}

/** @param {number} size */
function bytes(size) {
  return size < 1e6 ? `${number(size / 1000, 1)} kB` : `${number(size / 1e6, 1)} MB`;
}

/** @param {string} text */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
