// What the model would say after each layer: the stream there, through the model's own last norm and head.

import {h, replace} from "../../lib/dom.js";
import {colours, css} from "../../lib/draw.js";
import {percent, token} from "../../lib/format.js";
import {inkOn} from "../../lib/ink.js";
import {live} from "../../lib/live.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";

const COLUMNS = 22;

/** @type {import("../index.js").Panel} */
export default {
  id: "lens",
  tab: "forward",
  kinds: ["gpt", "modern"],
  wide: true,
  title: "What it would say after each layer",
  caption: "The stream after each layer, sent straight through the last norm and the head: the likeliest next token there. The stronger the colour, the surer; a ring marks the token that does come. The last layer's row is what the model says.",
  mount(root, {get}) {
    async function draw() {
      const {text} = state.get();
      const told = await get("forward/lens", {text, token: around(), count: COLUMNS});
      shown = {text, first: told.first, end: told.first + told.ids.shape[1]};
      replace(root, table(told), readout);
      mark();
    }

    const readout = h("p", {class: "readout", "aria-live": "polite"}, "\u00a0");
    let shown = {text: "", first: 0, end: 0}, middle = -1;

    /** The position around which the columns lie: it moves only when the selected one would be out of sight. */
    function around() {
      const t = selection.locked().token ?? -1;
      if (shown.text !== state.get().text) return (middle = t);
      return t >= 0 && (t < shown.first || t >= shown.end) ? (middle = t) : middle;
    }

    /** @param {any} told */
    function table(told) {
      const [L, N] = told.ids.shape, scale = colours("sequential", 0, 1);
      const rows = [];
      for (let layer = L - 1; layer >= 0; layer--) {
        const cells = [];
        for (let i = 0; i < N; i++) {
          const p = told.probabilities.at(layer, i), right = told.right.at(layer, i), rank = told.rank.at(layer, i);
          const says = `${told.steps[layer]}, position ${told.first + i}: “${token(told.pieces[layer][i])}” ${percent(p)}${rank ? `; “${token(told.right_pieces[i])}”, which comes, ${percent(right)}, at place ${rank}` : ""}`;
          const cell = h("td", {class: rank === 1 ? "right" : null, "data-value": p, "data-right": right, style: {background: css(scale(p)), color: inkOn(scale(p))}}, token(told.pieces[layer][i]));
          selection.bind(cell, {token: told.first + i, layer: layer - 1 < 0 ? null : layer - 1}, {group: "lens", label: says});
          const show = () => {
            readout.textContent = says;
          };
          cell.addEventListener("pointerenter", show);
          cell.addEventListener("focus", show);
          cells.push(cell);
        }
        rows.push(h("tr", {}, h("th", {scope: "row"}, told.steps[layer]), cells));
      }
      const came = h("tr", {class: "came-row"}, h("th", {scope: "row"}, "comes"), told.right_pieces.map((/** @type {string} */ piece) => h("td", {}, piece === "" ? "" : token(piece))));
      const read = h("tr", {class: "came-row"}, h("th", {scope: "row"}, "read"), Array.from({length: N}, (_, i) => h("td", {"data-token": told.first + i}, token(told.read[i]))));
      return h("div", {class: "scroll"}, h("table", {class: "lens"}, h("tbody", {}, came, rows, read)));
    }

    function mark() {
      const {token: at} = selection.current();
      for (const cell of root.querySelectorAll("td[data-token]")) cell.classList.toggle("is-shown", Number(cell.getAttribute("data-token")) === at);
    }

    const one = live(root, () => {
      const {text, run, moment} = state.get();
      return [text, run, moment, around()];
    }, draw);
    const end = selection.subscribe(mark);
    return {
      update: one.update,
      destroy() {
        one.destroy();
        end();
      },
    };
  },
};
