// The Sampling tab: the text that `gradus sample` writes, a token at a time; what each setting makes of the
// probabilities; and the race of random numbers that decides.

import {h, renew, replace} from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as state from "../lib/state.js";
import {race} from "./sampling/race.js";
import {stages} from "./sampling/stages.js";

state.define({"sampling.min_p": null, "sampling.penalty": 1});

/** @typedef {import("../lib/state.js").State} State */

/** What the view `sampling` is asked. @param {State} now */
function parameters(now) {
  return {
    text: now.text, step: now.step, seed: now.seed, temperature: now.temperature, top_k: now.top_k, top_p: now.top_p,
    min_p: now["sampling.min_p"], repetition_penalty: now["sampling.penalty"] === 1 ? null : now["sampling.penalty"],
  };
}

/** The command that writes the same text. @param {State} now @param {string} run */
function command(now, run) {
  const options = {
    "--prompt": now.text || null, "--seed": now.seed, "--temperature": now.temperature, "--top-k": now.top_k, "--top-p": now.top_p,
    "--min-p": now["sampling.min_p"], "--repetition-penalty": now["sampling.penalty"] === 1 ? null : now["sampling.penalty"],
  };
  const quoted = (/** @type {string|number} */ value) => (/^[\w./-]+$/.test(String(value)) ? String(value) : `'${String(value).replace(/'/g, "'\\''")}'`);
  const given = Object.entries(options).filter(([, value]) => value !== null && value !== "");
  return ["gradus sample", quoted(run), ...given.map(([name, value]) => `${name} ${quoted(value)}`)].join(" ");
}

/** @type {import("./index.js").Panel} */
export default {
  id: "sampling",
  tab: "sampling",
  kinds: null,
  title: "One token at a time",
  caption: "The model scores every token that could come next; the settings below reshape those scores; then one token is drawn, appended, and it all begins again. The same seed and settings write the same text on the command line.",
  wide: true,
  when: (about) => about.kind !== "encoder",
  mount(root, ctx) {
    let asked = "";
    let last = 0; // the last step there is, when the text has ended
    const go = (/** @type {number} */ to) => state.set({step: Math.max(0, Math.min(to, last))});
    const button = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ act) =>
      h("button", {type: "button", class: "quiet", "aria-label": label, title: label, onclick: act}, text);
    const first = button("⇤ first", "the first token", () => go(0));
    const back = button("◀ back", "the token before (←)", () => go(state.get().step - 1));
    const next = button("draw the next ▶", "the next token (→)", () => go(state.get().step + 1));
    const ten = button("10 more", "ten tokens on", () => go(state.get().step + 10));
    next.classList.add("main");
    const where = h("span", {class: "sampling-step", "aria-live": "polite"});
    const seed = /** @type {HTMLInputElement} */ (
      h("input", {type: "number", min: 0, max: 2 ** 32 - 1, step: 1, id: "sampling-seed", onchange: () => {
        const value = seed.valueAsNumber;
        if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) state.set({seed: value});
        else seed.value = String(state.get().seed);
      }})
    );
    const written = h("div", {class: "sampling-written", role: "group", "aria-label": "The tokens that were drawn: choose one to see how"});
    const printed = h("pre", {class: "sampling-printed", tabindex: 0, "aria-label": "The text, as it is printed"});
    const line = h("code", {class: "sampling-command"});
    const shaped = stages();
    const drawn = race();
    replace(root,
      h("div", {class: "sampling-bar"},
        first, back, next, ten, where,
        h("label", {class: "sampling-seed", for: "sampling-seed"}, "seed ", seed)),
      written,
      h("details", {class: "sampling-same"}, h("summary", {}, "The same on the command line"), line, printed),
      shaped.element,
      drawn.element);

    const onKey = (/** @type {KeyboardEvent} */ event) => {
      const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      const target = /** @type {HTMLElement} */ (event.target);
      if (!by || event.ctrlKey || event.metaKey || event.altKey || state.get().tab !== "sampling") return;
      if (target.matches("input, textarea, select, [role=tab], canvas, dialog, dialog *")) return;
      event.preventDefault();
      event.stopPropagation();
      go(state.get().step + by);
    };
    document.addEventListener("keydown", onKey, true);

    /** @param {any} page @param {State} now */
    function show(page, now) {
      last = page.ended ? page.step : Infinity;
      first.toggleAttribute("disabled", page.step === 0);
      back.toggleAttribute("disabled", page.step === 0);
      next.toggleAttribute("disabled", page.ended);
      ten.toggleAttribute("disabled", page.ended);
      where.textContent = `token ${page.step + 1}: ${format.token(page.draw.piece)}`;
      where.setAttribute("data-value", String(page.step));
      renew(written, documents(page));
      written.querySelector("[aria-current]")?.scrollIntoView({block: "nearest"});
      printed.textContent = page.texts.join("\n");
      line.textContent = command(now, ctx.about.name);
      shaped.update(page, now);
      drawn.update(page);
    }

    /** A line of tokens for each text: the prompt, and what was drawn. @param {any} page */
    function documents(page) {
      const numbers = [...new Set(page.written.map((/** @type {any} */ token) => token.document))];
      return numbers.map((number) => h("div", {class: "sampling-text"},
        ctx.about.kind === "transformer" ? null : page.prompt.map((/** @type {string} */ piece) => h("span", {class: "token given"}, format.token(piece))),
        page.written.map((/** @type {any} */ token, /** @type {number} */ step) => token.document !== number ? null :
          h("button", {
            type: "button", class: `token drawn${token.end ? " end" : ""}`, "aria-current": step === page.step ? "step" : null,
            "aria-label": `token ${step + 1}: ${token.end ? "end of the text" : format.spoken(token.piece)}`,
            title: `token ${step + 1}`, onclick: () => go(step),
          }, token.end ? "end" : format.token(token.piece)))));
    }

    return {
      async update(now) {
        if (document.activeElement !== seed) seed.value = String(now.seed);
        const given = parameters(now);
        const key = JSON.stringify(given);
        if (key === asked) return;
        asked = key;
        const page = await ctx.get("sampling", given);
        show(page, now);
      },
      destroy() {
        document.removeEventListener("keydown", onKey, true);
        shaped.destroy();
      },
    };
  },
};
