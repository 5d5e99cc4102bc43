// The transformer's two texts: how likely each word of the target was, and what the words looked at.

import {h, renew, replace} from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {attentionView, chooser} from "./looks.js";
import {searching} from "./beam.js";

state.define({"translation.part": "cross"});

const PARTS = [
  {value: "cross", text: "target → source", about: "Cross-attention: for each word that is written, the words of the source it takes from."},
  {value: "encoder", text: "source → source", about: "The encoder’s self-attention: every word of the source sees all others, before and after."},
  {value: "decoder", text: "target → target", about: "The decoder’s self-attention: a word sees itself and those written before it; what comes later is not there."},
];

/** @type {import("../index.js").Panel} */
export default {
  id: "translation",
  tab: "forward",
  kinds: ["transformer"],
  title: "The two texts",
  caption: "The encoder reads the text above; the decoder writes the translation token by token. In every layer its words look at the source, at each other, and a map shows how much of each they take.",
  wide: true,
  mount(root, ctx) {
    const target = /** @type {HTMLTextAreaElement} */ (
      h("textarea", {id: "target", rows: 1, spellcheck: "false", autocomplete: "off", autocapitalize: "off", placeholder: "empty: the model writes its own",
        oninput: () => state.set({target: target.value})})
    );
    const words = h("div", {class: "words", role: "list", "aria-label": "The words of the translation with their probabilities"});
    const total = h("p", {class: "note"});
    const choosers = h("div", {class: "looks-choosers"});
    const about = h("p", {class: "caption"});
    const nothing = h("p", {class: "note", hidden: true}, "This model was trained without cross-attention: its decoder never sees the source.");
    const pair = () => {
      const now = state.get();
      return {text: now.text, target: now.target, part: now["translation.part"], layer: layerOf(now.layer), ...searching(now)};
    };
    const layers = ctx.about.config.n_layer;
    const layerOf = (/** @type {number|null} */ layer) => (layer === null ? layers - 1 : Math.min(layer, layers - 1));
    const view = attentionView((head, row) => ctx.get("forward/translation/row", {...pair(), head, row}, "row"));
    let asked = "", drawn = "";
    /** @type {any} */
    let page = null;
    replace(root,
      h("div", {class: "target-bar"}, h("label", {for: "target"}, "Translation"), target),
      words, total, choosers, about, nothing, view.element);

    function show() {
      const {source, read, written, part, layer} = page;
      const names = (/** @type {any} */ tokens, /** @type {boolean} */ ends) => tokens.pieces.map((/** @type {string} */ piece, /** @type {number} */ i) =>
        ends && i === tokens.pieces.length - 1 ? "end" : format.token(piece));
      const reads = ["start", ...names(read, false).slice(1)];
      const writes = names(written, true);
      replace(words, writes.map((/** @type {string} */ word, /** @type {number} */ i) => {
        const p = Math.exp(page.log_p.data[i]), rank = page.rank.data[i];
        const said = `${word}: ${format.percent(p)}${rank === 1 ? ", the likeliest" : `, place ${rank}; the likeliest was ${format.token(page.likeliest[i])}`}`;
        return h("span", {class: `word${rank === 1 ? "" : " other"}`, role: "listitem", title: said, "aria-label": said, "data-value": page.log_p.data[i]},
          h("span", {class: "word-text"}, word),
          h("span", {class: "word-track"}, h("span", {class: "word-bar", style: {width: `${100 * p}%`}})),
          h("span", {class: "word-p"}, format.percent(p)));
      }));
      const sum = page.log_p.toArray().reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0);
      total.textContent = `${page.own ? "The model’s own translation" : "Your translation"}: below each token its probability, given the source and all tokens before. Together ln p = ${format.number(sum)}.`;
      view.element.hidden = !page.weights;
      nothing.hidden = Boolean(page.weights);
      if (!page.weights) return;
      const rows = part === "encoder" ? names(source, true) : part === "decoder" ? reads : writes;
      const cols = part === "decoder" ? reads : names(source, true);
      view.update({
        weights: page.weights, mean: page.mean, layer, rows, cols, causal: part === "decoder",
        asks: part === "cross" ? "writes" : "looks", seen: part === "cross" ? "source" : "is looked at",
        says: (row) => (part === "cross" ? `Before “${rows[row]}” is written` : `At “${rows[row]}”`),
      });
    }

    return {
      async update(now) {
        if (document.activeElement !== target) target.value = now.target;
        const part = now["translation.part"], layer = layerOf(now.layer);
        renew(choosers,
          chooser("attention", PARTS, part, (value) => state.set({"translation.part": value, "looks.row": null, "looks.col": null})),
          chooser("layer", Array.from({length: layers}, (_, i) => ({value: i, text: String(i)})), layer, (value) => state.set({layer: value})));
        about.textContent = PARTS.find(({value}) => value === part)?.about ?? "";
        const key = JSON.stringify(pair()), view = JSON.stringify([now.head, now["looks.row"], now["looks.col"]]);
        if (key !== asked) {
          asked = key;
          page = await ctx.get("forward/translation", pair());
        } else if (view === drawn || !page) return;
        drawn = JSON.stringify([state.get().head, state.get()["looks.row"], state.get()["looks.col"]]);
        show();
      },
      destroy: view.destroy,
    };
  },
};
