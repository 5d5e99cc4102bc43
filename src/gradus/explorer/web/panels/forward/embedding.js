// The first vector of a position: what is added to make it.

import {h, replace} from "../../lib/dom.js";
import {colours, css} from "../../lib/draw.js";
import * as explain from "../../lib/explain.js";
import {number, token} from "../../lib/format.js";
import {live} from "../../lib/live.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";

const MOST = 192; // numbers of a vector that are drawn

/** @type {import("../index.js").Panel} */
export default {
  id: "embedding",
  tab: "forward",
  kinds: ["gpt", "modern"],
  wide: true,
  title: "The first vector",
  caption: "Where the stream begins: each token has a learned vector. Every column is one number of the vector; blue is above 0, orange below.",
  mount(root, {get}) {
    async function draw() {
      const {text} = state.get(), {token: at} = selection.current();
      const told = await get("forward/embedding", {text, token: at ?? -1});
      const C = Math.min(MOST, told.sum.data.length), rows = [...told.names.map((/** @type {string} */ name, /** @type {number} */ i) => [name, told.parts.sub(i)]), ["sum", told.sum]];
      const most = Math.max(...rows.map(([, row]) => Math.max(...Array.from(row.data, Math.abs))), 1e-30), scale = colours("diverging", -most, most);
      replace(root, h("h3", {}, `“${token(told.piece)}” at position ${told.position}`),
        h("div", {class: "vectors"}, rows.map(([name, row], r) => [
          h("span", {class: "vector-name"}, `${r === rows.length - 1 ? "= " : r ? "+ " : ""}${name}`),
          h("span", {class: "vector", role: "img", "aria-label": `${name}: ${C} numbers`}, Array.from({length: C}, (_, i) => {
            const cell = h("span", {"data-value": row.data[i], title: `${name}[${i}] = ${number(row.data[i], 3)}`, style: {background: css(scale(row.data[i]))}});
            cell.addEventListener("pointerenter", () => explain.point("forward/why", {what: "embedding", token: told.position, unit: i}));
            cell.addEventListener("pointerleave", () => explain.point(null));
            cell.addEventListener("click", () => explain.keep("forward/why", {what: "embedding", token: told.position, unit: i}));
            return cell;
          })),
        ]).flat()),
        told.sum.data.length > C ? h("p", {class: "note"}, `The first ${C} of ${told.sum.data.length} numbers.`) : null);
    }
    return live(root, () => {
      const {text, run, moment} = state.get();
      return [text, run, moment, selection.current().token];
    }, draw);
  },
};
