// The model as a map of named blocks, in the order in which they work; and what the chosen one gives for this text.

import {h, replace} from "../../lib/dom.js";
import {heatmap} from "../../lib/draw.js";
import {count, number, shape} from "../../lib/format.js";
import {live} from "../../lib/live.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";

state.define({"map.block": ""});

/** @type {import("../index.js").Panel} */
export default {
  id: "map",
  tab: "forward",
  kinds: null,
  title: "The model, block by block",
  caption: "From the text on top to the scores at the bottom: each block by the name it has in the code, with the shape of what it gives for this text and how many numbers it has learned.",
  mount(root, {get, about}) {
    const map = h("div", {class: "blocks"}), detail = h("div", {class: "block-detail"});
    replace(root, map, detail);
    /** @type {any} */
    let told = null;

    const asked = () => {
      const {text, target} = state.get();
      return {text, target: about.text_kind === "pairs" ? target : ""};
    };

    async function draw() {
      told = await get("forward/map", asked());
      replace(map,
        h("p", {class: "flow"}, `${count(told.tokens)} token${told.tokens === 1 ? "" : "s"} in`),
        told.root.children.length ? told.root.children.map(row) : row(told.root),
        h("p", {class: "flow"}, `${shape(told.root.shape)} logits out`),
        h("p", {class: "note"}, `${count(told.parameters)} parameters, ${megabytes(told.bytes)} of memory.`));
      mark();
    }

    /** @param {any} block */
    function row(block) {
      if (!block.children.length) return box(block);
      return h("div", {class: "block-row"}, box(block), h("div", {class: "block-children"}, block.children.map(chip)));
    }

    /** @param {any} block */
    function box(block) {
      return button(block, "block", h("strong", {}, name(block)), h("span", {}, block.label ? block.kind : ""),
        h("span", {class: "block-shape"}, block.shape.length ? shape(block.shape) : ""), amount(block));
    }

    /** @param {any} block */
    function chip(block) {
      return button(block, "block chip", h("strong", {}, name(block)), amount(block));
    }

    /** @param {any} block @param {string} kind @param {...any} parts */
    function button(block, kind, ...parts) {
      return h("button", {type: "button", class: kind, "data-block": block.name, "data-layer": block.layer, title: `${block.kind} ${shape(block.shape)}`,
        "aria-label": `${block.name || block.kind}, ${block.kind}, gives ${shape(block.shape)}, ${count(block.parameters)} parameters`, onclick: () => choose(block)}, parts);
    }

    /** @param {any} block */
    function choose(block) {
      const same = state.get()["map.block"] === block.name;
      state.set({"map.block": same ? "" : block.name, ...(block.layer >= 0 && !same ? {layer: block.layer} : {})});
    }

    function mark() {
      const chosen = state.get()["map.block"], {layer} = selection.current();
      for (const button of map.querySelectorAll(".block")) {
        button.setAttribute("aria-pressed", String(button.getAttribute("data-block") === chosen && chosen !== ""));
        button.classList.toggle("in-layer", layer !== null && layer !== undefined && Number(button.getAttribute("data-layer")) === layer);
      }
    }

    async function drawDetail() {
      const name = state.get()["map.block"], block = told && name ? find(told.root, name) : null;
      mark();
      if (!block) {
        replace(detail, h("p", {class: "note"}, "Choose a block to see what it gives for this text."));
        return;
      }
      const lines = [h("h3", {}, `${block.name || "all of it"}: ${block.kind}`), h("p", {}, block.says), weights(block),
        block.children.length ? h("p", {class: "block-children"}, block.children.map(chip)) : null];
      if (!block.shape.length) {
        replace(detail, lines);
        return;
      }
      const given = await get("forward/block", {...asked(), name}, "block");
      const map = output(given);
      replace(detail, lines,
        h("p", {class: "note"}, `It gives ${shape(given.shape)}: mean `, value(given.mean), ", standard deviation ", value(given.std), ", from ", value(given.low), " to ", value(given.high), "."),
        map.element);
      map.redraw();
    }

    const one = live(root, () => {
      const {text, target, run, moment} = state.get();
      return [text, target, run, moment];
    }, async () => {
      await draw();
      await drawDetail();
    });
    const two = live(root, () => state.get()["map.block"], drawDetail);
    const end = selection.subscribe(mark);
    return {
      update() {
        one.update();
        two.update();
      },
      destroy() {
        one.destroy();
        two.destroy();
        end();
      },
    };
  },
};

/** What a block gave, rows of numbers. @param {any} given */
function output(given) {
  const [rows, cols] = given.rows.shape, most = Math.max(Math.abs(given.low), Math.abs(given.high));
  return heatmap({
    rows, cols, value: (row, col) => given.rows.at(row, col), scale: "diverging", low: -most, high: most, least: 1, most: 16,
    label: `What ${given.name || "the model"} gives: ${rows} rows of ${cols} numbers`,
    cell: (row, col) => `row ${row}, unit ${col}: ${number(given.rows.at(row, col), 3)}`,
  });
}

/** @param {any} block */
function weights(block) {
  if (!block.weights.length) return block.parameters ? h("p", {class: "note"}, `${count(block.parameters)} parameters in the blocks inside.`) : h("p", {class: "note"}, "It has nothing to learn.");
  return h("ul", {class: "weights"}, block.weights.map((/** @type {any} */ weight) => h("li", {}, h("code", {}, weight.name), ` ${shape(weight.shape)}`, weight.shared ? `, shared with ${weight.shared}` : "")));
}

/** The name of a block, or of its class where it only has a number. @param {any} block */
function name(block) {
  return /^\d*$/.test(block.label) ? block.kind : block.label;
}

/** How many numbers it has learned. @param {any} block */
function amount(block) {
  return h("span", {class: "block-count", "data-value": block.parameters}, block.parameters ? short(block.parameters) : shared(block) ? "shared" : "");
}

/** @param {any} block */
function shared(block) {
  return block.weights.some((/** @type {any} */ weight) => weight.shared);
}

/** @param {any} block @param {string} name @returns {any} */
function find(block, name) {
  if (block.name === name) return block;
  for (const child of block.children) {
    const found = find(child, name);
    if (found) return found;
  }
  return null;
}

/** @param {number} value_ */
function value(value_) {
  return h("strong", {"data-value": value_}, number(value_, 3));
}

/** @param {number} n */
function short(n) {
  if (n < 1000) return String(n);
  return n < 1e6 ? `${Number((n / 1e3).toPrecision(3))} k` : `${Number((n / 1e6).toPrecision(3))} M`;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${Number((bytes / 1e6).toPrecision(3))} MB`;
}
