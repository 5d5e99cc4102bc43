// The bigram's table beside the counts that it should equal.

import {h, replace} from "../../lib/dom.js";
import {count, percent, token} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {matrix} from "./matrix.js";
import {explanation, num} from "./parts.js";

state.define({"bigram.row": null, "bigram.column": null});

/** @type {import("../index.js").Panel} */
export default {
  id: "bigram",
  tab: "forward",
  kinds: ["bigram"],
  title: "Its whole table, beside the counts",
  caption: "A bigram sees one token: its row of the table is all it knows. Training should find, by small steps, what counting the pairs of the text gives at once.",
  wide: true,
  mount(root, ctx) {
    const left = h("figure", {}), right = h("figure", {}), told = h("div", {"aria-live": "polite"}), losses = h("p", {class: "note"});
    replace(root, h("div", {class: "two"}, left, right), losses, told);
    /** @type {any} */
    let table = null;
    /** @type {{update: (options: any) => void}[]} */
    let maps = [];
    /** @type {[number, number]|null} */
    let under = null;
    let current = -1;

    function options(/** @type {any} */ values, /** @type {string} */ label) {
      const {pieces, ids} = table;
      const n = pieces.length, row = ids.toArray().indexOf(current), now = state.get();
      /** @type {[number, number]} */
      const locked = [ids.toArray().indexOf(now["bigram.row"]), ids.toArray().indexOf(now["bigram.column"])];
      /** @type {[number, number]|null} */
      const marked = under ?? (locked[0] >= 0 && locked[1] >= 0 ? locked : row >= 0 ? [row, -1] : null);
      return {
        rows: n, cols: n, label, low: 0, high: table.high, most: 22, least: 3,
        value: (/** @type {number} */ i, /** @type {number} */ j) => (Number.isNaN(values.at(i, j)) ? null : values.at(i, j)),
        cell: (/** @type {number} */ i, /** @type {number} */ j) => `${token(pieces[j])} after ${token(pieces[i])}: ${Number.isNaN(values.at(i, j)) ? "never seen" : percent(values.at(i, j))}`,
        onHover: (/** @type {[number, number]|null} */ cell) => {
          under = cell;
          tell();
        },
        onLock: (/** @type {number} */ i, /** @type {number} */ j) => {
          const same = now["bigram.row"] === ids.data[i] && now["bigram.column"] === ids.data[j];
          state.set({"bigram.row": same ? null : ids.data[i], "bigram.column": same ? null : ids.data[j]});
        },
        marked, rowLabels: pieces, colLabels: pieces, rowMark: row < 0 ? null : row,
      };
    }

    async function tell() {
      const now = state.get(), ids = table.ids;
      const row = under ? ids.data[under[0]] : now["bigram.row"] ?? current;
      const column = under ? ids.data[under[1]] : now["bigram.column"] ?? likeliest(row);
      const cell = await ctx.get("forward/bigram/cell", {row, column});
      replace(told, explanation(cell.why));
    }

    function likeliest(/** @type {number} */ id) {
      const row = table.ids.toArray().indexOf(id);
      if (row < 0) return id;
      let best = 0;
      for (let j = 1; j < table.pieces.length; j++) if (table.p.at(row, j) > table.p.at(row, best)) best = j;
      return table.ids.data[best];
    }

    function redraw() {
      const values = [[table.p, "The network's probabilities"], ...(table.expected ? [[table.expected, "What the counts give"]] : [])];
      if (!maps.length) {
        maps = values.map(([of, label]) => matrix(options(of, label)));
        [left, right].forEach((figure, i) => {
          if (maps[i]) replace(figure, h("figcaption", {}, values[i][1]), /** @type {any} */ (maps[i]).element);
          else replace(figure, h("p", {class: "note"}, `The counts are not here: ${table.missing}.`));
        });
      }
      maps.forEach((map, i) => map.update(options(values[i][0], values[i][1])));
    }

    return {
      async update({text, token: at}, changed) {
        if (!table) {
          table = await ctx.get("forward/bigram");
          table.high = Math.max(...table.p.data, ...(table.expected ? table.expected.toArray().filter((/** @type {number} */ v) => !Number.isNaN(v)) : []));
          replace(losses, ...lossLine(table));
        } else if (!["text", "token", "bigram.row", "bigram.column"].some((key) => changed.has(key))) return;
        const {ids, pieces} = await ctx.get("tokens", {text});
        current = ids.data[at ?? pieces.length - 1] ?? ids.data[pieces.length - 1];
        redraw();
        tell();
      },
    };
  },
};

/** @param {any} table @returns {import("../../lib/dom.js").Child[]} */
function lossLine(table) {
  const part = table.pieces.length < table.vocab_size ? `Of ${count(table.vocab_size)} tokens the ${table.pieces.length} most frequent are shown. ` : "";
  const marked = "The row of the selected token is outlined. Rows are the token that is there, columns the next one. ";
  if (!table.expected) return [part, marked];
  return [part, marked, `Over the ${count(table.pairs)} pairs of the training text the network's loss is `, num(table.loss, 4, "loss"), " nats; the counts', the lowest that any bigram can have, is ", num(table.lowest_loss, 4, "lowest"), "."];
}
