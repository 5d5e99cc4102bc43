// What the positions of an encoder looked at.

import {h, renew, replace} from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {attentionView, chooser} from "./looks.js";

/** @type {import("../index.js").Panel} */
export default {
  id: "reading",
  tab: "forward",
  kinds: ["encoder"],
  title: "Attention",
  caption: "In every layer each token gathers from all others, before and after: how much from which, a row for the token that looks.",
  wide: true,
  mount(root, ctx) {
    const layers = ctx.about.config.n_layer;
    const layerOf = (/** @type {number|null} */ layer) => (layer === null ? layers - 1 : Math.min(layer, layers - 1));
    const asking = () => ({text: state.get().text, layer: layerOf(state.get().layer)});
    const choosers = h("div", {class: "looks-choosers"});
    const view = attentionView((head, row) => ctx.get("forward/encoder/attention/row", {...asking(), head, row}, "row"));
    replace(root, choosers, view.element);
    let asked = "", drawn = "";
    /** @type {any} */
    let page = null;
    return {
      async update(now) {
        renew(choosers, chooser("layer", Array.from({length: layers}, (_, i) => ({value: i, text: String(i)})), layerOf(now.layer), (value) => state.set({layer: value})));
        const key = JSON.stringify(asking()), shown = JSON.stringify([now.head, now["looks.row"], now["looks.col"]]);
        if (key !== asked) {
          asked = key;
          page = await ctx.get("forward/encoder/attention", asking());
        } else if (shown === drawn || !page) return;
        drawn = JSON.stringify([state.get().head, state.get()["looks.row"], state.get()["looks.col"]]);
        const words = page.pieces.map((/** @type {string} */ _, /** @type {number} */ i) => framed(page.pieces, i));
        view.update({
          weights: page.weights, mean: page.mean, layer: page.layer, rows: words, cols: words, causal: false,
          asks: "looks", seen: "is looked at", says: (row) => `At “${words[row]}”`,
        });
      },
      destroy: view.destroy,
    };
  },
};

/** A token of a text as an encoder reads it: what stands before it is its start, what stands after it its end; BERT has names of its own for them. @param {string[]} pieces @param {number} i */
export function framed(pieces, i) {
  const edge = i === 0 || i === pieces.length - 1;
  return edge && !pieces[i].startsWith("[") ? (i === 0 ? "start" : "end") : format.token(pieces[i]);
}
