// What a training step is taken on: the text of the page, with its target or label, or a batch of the training text.

import {h, replace} from "../../lib/dom.js";
import {number} from "../../lib/format.js";
import * as state from "../../lib/state.js";

state.define({"backward.source": "text", "backward.number": -1});

/** The models without gradients. */
export const COUNTING = ["ngram", "mixture"];

/** A number with four digits that count, however small it is. @param {number} value */
export function fine(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || value === 0) return value === 0 ? "0" : number(value);
  const text = size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
  return text.replace(/^-/, "\u2212").replace("e-", "e\u2212").replace("e+", "e");
}

/** The parameters of the views of a step, from the state of the page. @param {any} about what the view `about` says of the run */
export function stepParams(about) {
  const now = state.get();
  if (now["backward.source"] === "batch") return {source: "batch", number: now["backward.number"]};
  const labels = about.labels ?? [];
  return {text: now.text, target: labels.length && !labels.includes(now.target) ? "" : now.target};
}

/** The choice, as a row of controls. @param {any} about what the view `about` says of the run @param {string} panel */
export function takenOn(about, panel) {
  const pick = (/** @type {string} */ id, /** @type {string} */ title) => h("button", {
    type: "button", class: "bw-chip", "data-source": id, onclick: () => state.set({"backward.source": id}),
  }, title);
  const buttons = [pick("text", "the text above"), pick("batch", "a batch of its training text")];
  const label = about.labels?.length && about.kind === "encoder"
    ? h("select", {id: `bw-target-${panel}`, onchange: () => state.set({target: field.value})}, about.labels.map((/** @type {string} */ one) => h("option", {value: one}, one)))
    : about.kind === "transformer"
      ? h("input", {id: `bw-target-${panel}`, class: "bw-number", type: "text", spellcheck: "false", placeholder: "empty: what the model itself writes", oninput: () => state.set({target: field.value})})
      : null;
  const field = /** @type {HTMLInputElement} */ (label);
  const target = label && h("span", {class: "bw-target"}, h("label", {for: `bw-target-${panel}`}, about.kind === "encoder" ? "Its label" : "Its target"), label);
  const element = h("div", {class: "bw-chips", role: "group", "aria-label": "What the step is taken on"});
  replace(element, h("span", {class: "note"}, "Learn from"), buttons, target);
  return {
    element,
    update() {
      const now = state.get();
      for (const button of buttons) button.setAttribute("aria-pressed", String(now["backward.source"] === button.getAttribute("data-source")));
      if (field && document.activeElement !== field && now.target) field.value = now.target;
      if (target) target.hidden = now["backward.source"] !== "text";
    },
  };
}
