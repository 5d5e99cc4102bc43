// The bigram's table beside the counts that it should equal.

import {h, replace} from "../../lib/dom.js";
import * as explain from "../../lib/explain.js";
import {count, percent, token} from "../../lib/format.js";
import {live} from "../../lib/live.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";
import {matrix} from "./matrix.js";
import {num} from "./parts.js";

const WHY = "forward/bigram/why";

/** @type {import("../index.js").Panel} */
export default {
  id: "bigram",
  tab: "forward",
  kinds: ["bigram"],
  title: "Its whole table, beside the counts",
  caption: "A bigram sees one token: that row of the table is all it knows. Training should find, by small steps, what counting the pairs of the text gives at once.",
  wide: true,
  mount(root, ctx) {
    const left = h("figure", {}), right = h("figure", {}), losses = h("p", {class: "note"});
    root.classList.add("sec");
    replace(root, h("div", {class: "pair"}, left, right), losses);
    /** @type {any} */
    let table = null;
    /** @type {{element: HTMLElement, update: (options: any) => void}[]} */
    let maps = [];
    /** The cell under the pointer, in both maps. @type {[number, number]|null} */
    let under = null;
    let row = -1;

    /** @param {any} values @param {string} label */
    function options(values, label) {
      const {pieces, ids} = table, n = pieces.length;
      return {
        rows: n, cols: n, label, low: 0, high: table.high, most: 22, least: 3,
        value: (/** @type {number} */ i, /** @type {number} */ j) => (Number.isNaN(values.at(i, j)) ? null : values.at(i, j)),
        cell: (/** @type {number} */ i, /** @type {number} */ j) => `${token(pieces[j])} after ${token(pieces[i])}: ${Number.isNaN(values.at(i, j)) ? "never seen" : percent(values.at(i, j))}`,
        onHover: (/** @type {[number, number]|null} */ cell) => {
          under = cell;
          explain.point(cell && WHY, cell ? {row: ids.data[cell[0]], column: ids.data[cell[1]]} : {});
          redraw();
        },
        onLock: (/** @type {number} */ i, /** @type {number} */ j) => explain.keep(WHY, {row: ids.data[i], column: ids.data[j]}),
        marked: under ?? (row < 0 ? null : [row, -1]), rowLabels: pieces, colLabels: pieces, rowMark: row < 0 ? null : row,
      };
    }

    function redraw() {
      const values = [[table.p, "The network's probabilities"], ...(table.expected ? [[table.expected, "What the counts give"]] : [])];
      if (!maps.length) {
        maps = values.map(([of, label]) => matrix(options(of, label)));
        [left, right].forEach((figure, i) => {
          if (maps[i]) replace(figure, h("figcaption", {}, h("b", {}, values[i][1])), maps[i].element);
          else replace(figure, h("p", {class: "note"}, `The counts are not here: ${table.missing}.`));
        });
      }
      maps.forEach((map, i) => map.update(options(values[i][0], values[i][1])));
    }

    const propose = () => explain.propose(WHY, {token: selection.current().token});
    const part = live(root, () => {
      const {text, run, moment} = state.get();
      return [text, run, moment, selection.current().token];
    }, async () => {
      const at = selection.current().token;
      const [all, {ids}] = await Promise.all([table ?? ctx.get("forward/bigram"), ctx.get("tokens", {text: state.get().text})]);
      if (!table) {
        table = all;
        const known = table.expected ? table.expected.toArray().filter((/** @type {number} */ v) => !Number.isNaN(v)) : [];
        table.high = strongest([...table.p.data, ...known]);
        replace(losses, ...lossLine(table));
      }
      row = table.ids.toArray().indexOf(ids.data[at ?? ids.length - 1] ?? ids.data[ids.length - 1]);
      redraw();
      propose();
    });
    return {
      update() {
        propose();
        part.update();
      },
      destroy: part.destroy,
    };
  },
};

/** The value that all but a hundredth of the cells lie below, so that a few sure pairs do not pale the rest. @param {number[]} values */
function strongest(values) {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(0.99 * (sorted.length - 1))] || 1;
}

/** @param {any} table @returns {import("../../lib/dom.js").Child[]} */
function lossLine(table) {
  const part = table.pieces.length < table.vocab_size ? `Of ${count(table.vocab_size)} tokens the ${table.pieces.length} most frequent are shown. ` : "";
  const marked = "A row is the token that is there, a column the next one; the row of the selected token is outlined. " +
    `The strongest colour is ${percent(table.high)} or more. `;
  if (!table.expected) return [part, marked];
  return [part, marked, `Over the ${count(table.pairs)} pairs of the training text the network's loss is `, num(table.loss, 4, "loss"), " nats. The counts have ", num(table.lowest_loss, 4, "lowest"), ", the least that any bigram can have there."];
}
