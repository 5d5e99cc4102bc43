// The chain rule on numbers: type an expression, walk back over its graph, or be asked for each gradient.

import {h, replace, setStyle} from "../../lib/dom.js";
import {number} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {drawGraph} from "./graph.js";
import {quiz} from "./quiz.js";

/** @typedef {import("./graph.js").Numbers} Numbers */
/** @typedef {import("./graph.js").Step} Step */

state.define({"backward.quiz": false});

const NARROW = 620; // pixels: below, the graph runs from top to bottom
const PACE = 1600; // milliseconds a step, in play

/** @type {import("../index.js").Panel} */
export default {
  id: "backward-numbers",
  tab: "backward",
  kinds: null,
  title: "The chain rule, one step at a time",
  caption: "Backward begins at the result with 1. Each node hands every operand its own gradient times the local derivative; where two paths meet, what arrives is added.",
  wide: true,
  mount(root, ctx) {
    /** @type {Numbers|null} */
    let given = null;
    let shownFor = "";
    let timer = 0;
    let lastStep = -1;

    const input = /** @type {HTMLInputElement} */ (h("input", {
      id: "expr", class: "bw-expression", type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off",
      oninput: () => later(),
    }));
    const examples = h("div", {class: "bw-chips", role: "group", "aria-label": "Examples"});
    const shows = h("p", {class: "note"});
    const frame = h("div", {class: "bw-frame"});
    const slider = /** @type {HTMLInputElement} */ (h("input", {
      type: "range", min: 0, step: 1, class: "bw-slider", "aria-label": "Step of the walk", oninput: () => go(Number(slider.value)),
    }));
    const where = h("span", {class: "bw-where"});
    const play = h("button", {type: "button", class: "quiet bw-play", onclick: () => (timer ? stop() : start())}, "Play");
    const first = button("«", "First step", () => go(0));
    const back = button("‹", "Step back", () => go(at() - 1));
    const next = button("›", "Next step", () => go(at() + 1));
    const last = button("»", "Last step", () => go(Infinity));
    const quizButton = h("button", {
      type: "button", class: "quiet", "aria-pressed": "false",
      onclick: () => {
        stop();
        const on = !state.get()["backward.quiz"];
        state.set({"backward.quiz": on, step: on ? 0 : state.get().step});
      },
    }, "Quiz me");
    const said = h("div", {class: "bw-said", "aria-live": "polite"});
    const rows = h("tbody");
    const steps = h("details", {class: "bw-steps"}, h("summary", {}, "All steps as a table"),
      h("div", {class: "bw-scroll"}, h("table", {class: "bw-table"},
        h("thead", {}, h("tr", {}, ["step", "from", "to", "incoming", "local", "product", "gradient now"].map((name) => h("th", {scope: "col"}, name)))), rows)));
    const checks = h("details", {class: "bw-steps"});
    const ask = quiz(ctx, {
      right: () => go(at() + 1),
      show: () => go(at() + 1),
    });

    replace(root,
      h("div", {class: "bw-line"}, h("label", {for: "expr"}, "Expression"), input),
      examples, shows,
      frame,
      h("div", {class: "bw-controls", role: "group", "aria-label": "The walk"}, first, back, play, next, last, slider, where, quizButton),
      said, ask.element,
      h("p", {class: "note bw-keys"}, h("kbd", {}, "n"), " next step  ", h("kbd", {}, "p"), " the one before, or click a node"),
      steps, checks);

    let waiting = 0;
    function later() {
      clearTimeout(waiting);
      waiting = window.setTimeout(() => state.set({expr: input.value, step: 0}), 250);
    }

    function at() {
      return given ? Math.min(Math.max(0, state.get().step), given.steps.length - 1) : 0;
    }

    /** @param {number} to */
    function go(to) {
      if (!given) return;
      state.set({step: Math.min(Math.max(0, to), given.steps.length - 1)});
    }

    function start() {
      if (!given) return;
      if (at() >= given.steps.length - 1) go(0);
      play.textContent = "Pause";
      timer = window.setInterval(() => {
        if (!given || at() >= given.steps.length - 1) stop();
        else go(at() + 1);
      }, PACE);
    }

    function stop() {
      clearInterval(timer);
      timer = 0;
      play.textContent = "Play";
    }

    /** The first step in which a node receives: a click on the node goes there. @param {number} node */
    function pick(node) {
      const step = given?.steps.findIndex((one) => one.operand === node) ?? -1;
      if (step >= 0 && !state.get()["backward.quiz"]) go(step);
    }

    function show() {
      if (!given) return;
      const {nodes, steps: walk} = given;
      const now = at(), quizzed = Boolean(state.get()["backward.quiz"]);
      const step = walk[now];
      const asked = quizzed ? walk[now + 1] ?? null : null;
      const drawing = drawGraph(given, now, {asked, pick});
      const room = frame.clientWidth - 2;
      const scale = room < given.width && room > 0.62 * given.width ? room / given.width : 1;  // a little smaller, or scrolled
      setStyle(drawing, {width: `${given.width * scale}px`, height: `${given.height * scale}px`});
      replace(frame, drawing);
      if (now !== lastStep) inSight(frame, asked ?? step);
      lastStep = now;
      slider.max = String(walk.length - 1);
      slider.value = String(now);
      slider.disabled = quizzed;
      where.textContent = `step ${now} of ${walk.length - 1}`;
      quizButton.setAttribute("aria-pressed", String(quizzed));
      for (const one of [next, last, play]) /** @type {HTMLButtonElement} */ (one).disabled = quizzed || (one !== play && now >= walk.length - 1);
      for (const one of [first, back]) /** @type {HTMLButtonElement} */ (one).disabled = now === 0;
      said.hidden = quizzed && now < walk.length - 1;
      replace(said, explain(step, nodes, given.result));
      ask.update(quizzed ? {expression: shownFor.slice(1), step: now + 1, asked, nodes} : null);
      replace(rows, walk.map((one, i) => row(one, i, nodes, i === now, !quizzed || i <= now, () => !quizzed && go(i))));
    }

    /** @param {KeyboardEvent} event */
    function onKey(event) {
      const target = /** @type {HTMLElement} */ (event.target);
      if (target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest("#panel-backward-step")) return;
      if (event.key !== "n" && event.key !== "p") return;
      if (event.key === "n" && state.get()["backward.quiz"]) return;
      event.preventDefault();
      stop();
      go(at() + (event.key === "n" ? 1 : -1));
    }
    document.addEventListener("keydown", onKey);

    async function ask_() {
      const {expr} = state.get();
      const direction = root.clientWidth && root.clientWidth < NARROW ? "down" : "right";
      const key = `${direction[0]}${expr}`;
      if (key === shownFor) return show();
      shownFor = key;
      const answer = await ctx.get("backward/numbers", {expression: expr, direction});
      given = answer;
      lastStep = -1;
      shownFor = `${direction[0]}${answer.expression}`;
      if (document.activeElement !== input) input.value = answer.expression;
      replace(examples, answer.examples.map((/** @type {{title: string, expression: string}} */ example) => h("button", {
        type: "button", class: "bw-chip", "aria-pressed": String(example.expression === answer.expression),
        onclick: () => {
          stop();
          input.value = example.expression;
          state.set({expr: example.expression, step: 0});
        },
      }, example.title)));
      shows.textContent = answer.examples.find((/** @type {{expression: string}} */ one) => one.expression === answer.expression)?.shows ?? "";
      replace(checks, h("summary", {}, "Check: change each leaf a little, and see how the result changes"), table(answer));
      show();
    }

    const resized = new ResizeObserver(() => {
      const direction = root.clientWidth < NARROW ? "d" : "r";
      if (given && shownFor && shownFor[0] !== direction) void ask_();
    });
    resized.observe(root);
    return {
      update(now, changed) {
        if (changed.has("expr") || !given) void ask_();
        else if (changed.has("step") || changed.has("backward.quiz")) show();
      },
      destroy() {
        stop();
        resized.disconnect();
        document.removeEventListener("keydown", onKey);
      },
    };
  },
};

/** @param {string} sign @param {string} label @param {() => void} act */
function button(sign, label, act) {
  return h("button", {type: "button", class: "quiet", "aria-label": label, title: label, onclick: act}, sign);
}

/** Scroll the frame so that the two nodes of a step can be seen. @param {HTMLElement} frame @param {Step} step */
function inSight(frame, step) {
  const nodes = [step.node, step.operand].map((i) => frame.querySelector(`[data-node="${i}"]`)).filter((node) => node !== null);
  const box = frame.getBoundingClientRect();
  const places = nodes.map((node) => node.getBoundingClientRect());
  const left = Math.min(...places.map((place) => place.left)) - box.left + frame.scrollLeft;
  const right = Math.max(...places.map((place) => place.right)) - box.left + frame.scrollLeft;
  const top = Math.min(...places.map((place) => place.top)) - box.top + frame.scrollTop;
  const bottom = Math.max(...places.map((place) => place.bottom)) - box.top + frame.scrollTop;
  frame.scrollTo({left: (left + right - box.width) / 2, top: (top + bottom - box.height) / 2});
}

/** What happens in a step: incoming times local is the product, which is added. @param {Step} step @param {import("./graph.js").Node[]} nodes @param {number} result */
export function explain(step, nodes, result) {
  const to = nodes[step.operand].name;
  if (step.node < 0) {
    return [
      h("h3", {}, "The beginning"),
      h("p", {}, `${nodes[result].made}. `, step.rule),
      h("div", {class: "bw-sum"}, part(step.after, `gradient of ${to}`, "after")),
    ];
  }
  const from = nodes[step.node];
  const local = step.formula === step.numbers ? "" : ` = ${step.numbers}`;
  return [
    h("h3", {}, h("code", {}, from.made), "  ", h("strong", {}, from.name), " hands its gradient on to ", h("strong", {}, to)),
    h("div", {class: "bw-sum"},
      part(step.incoming, `incoming: the gradient of ${from.name}`, "incoming"),
      h("span", {class: "bw-op"}, "×"),
      part(step.local, `local derivative: ${step.formula}${local}`, "local"),
      h("span", {class: "bw-op"}, "="),
      part(step.contribution, "the product is handed on", "contribution"),
      step.accumulates ? [h("span", {class: "bw-op"}, "+"), part(step.before, `what ${to} had already`, "before")] : null,
      h("span", {class: "bw-op"}, step.accumulates ? "=" : "→"),
      part(step.after, `the gradient of ${to}${step.arrival < step.arrivals ? ", so far" : ""}`, "after")),
    h("p", {class: "bw-rule"}, step.rule),
    step.arrivals > 1
      ? h("p", {class: "bw-rule bw-meets"}, `${step.arrivals} paths meet at ${to}; this is the ${["first", "second", "third"][step.arrival - 1] ?? `${step.arrival}th`} to arrive. What arrives over each is added.`)
      : null,
  ];
}

/** @param {number} value @param {string} label @param {string} name */
function part(value, label, name) {
  return h("span", {class: `bw-part${name === "after" ? " bw-after" : ""}`},
    h("strong", {"data-part": name || null, "data-value": value}, number(value, 4)), h("small", {}, label));
}

/** @param {Step} step @param {number} i @param {import("./graph.js").Node[]} nodes @param {boolean} now @param {boolean} known @param {() => void} act */
function row(step, i, nodes, now, known, act) {
  const cell = (/** @type {number} */ value) => h("td", {"data-value": known ? value : null}, known ? number(value, 4) : "?");
  return h("tr", {class: now ? "bw-row-now" : "", "data-step": i},
    h("td", {}, h("button", {type: "button", class: "bw-link", onclick: act, "aria-label": `Go to step ${i}`}, i)),
    h("td", {}, step.node < 0 ? "the beginning" : nodes[step.node].name), h("td", {}, nodes[step.operand].name),
    step.node < 0 ? h("td") : cell(step.incoming), step.node < 0 ? h("td") : cell(step.local), cell(step.contribution),
    h("td", {"data-value": known ? step.after : null}, known ? number(step.after, 4) : "?", step.accumulates ? h("small", {}, " added") : null));
}

/** @param {Numbers} given */
function table({leaves}) {
  return h("div", {class: "bw-scroll"},
    h("table", {class: "bw-table"},
      h("thead", {}, h("tr", {}, ["leaf", "value", "gradient by the walk", "slope by nudging"].map((name) => h("th", {scope: "col"}, name)))),
      h("tbody", {}, leaves.map((leaf) => h("tr", {"data-leaf": leaf.name},
        h("td", {}, leaf.name), h("td", {"data-value": leaf.data}, number(leaf.data, 4)),
        h("td", {"data-value": leaf.grad}, number(leaf.grad, 6)), h("td", {"data-value": leaf.slope}, number(leaf.slope, 6)))))),
    h("p", {class: "note"}, "The slope: the result is computed twice, with the leaf a millionth larger and smaller; the difference over the nudge."));
}
