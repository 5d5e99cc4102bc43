// The hidden units of one layer's MLP at the selected token.

import {h, replace, s} from "../../lib/dom.js";
import {colours, css} from "../../lib/draw.js";
import * as explain from "../../lib/explain.js";
import {count, number, percent, token} from "../../lib/format.js";
import {inkOn} from "../../lib/ink.js";
import {live} from "../../lib/live.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";

/** @type {import("../index.js").Panel} */
export default {
  id: "units",
  tab: "forward",
  kinds: ["gpt", "modern"],
  wide: true,
  title: "Units of the MLP",
  caption: "Between the two matrices of an MLP stand its hidden units. Each answers to some pattern in the stream; what it adds to the stream grows with its activation.",
  mount(root, {get, about}) {
    async function draw() {
      const {text} = state.get(), {layer, token: at, unit} = selection.current();
      const told = await get("forward/units", {text, layer: layer ?? 0, token: at ?? -1, unit: unit ?? -1, top: 18});
      selection.limit({unit: told.hidden});
      replace(root,
        h("div", {class: "layer-buttons", role: "group", "aria-label": "Layer"}, Array.from({length: about.config.n_layer}, (_, i) => {
          const button = h("button", {type: "button", class: "quiet"}, `layer ${i}`);
          selection.bind(button, {layer: i}, {group: "unit-layers", label: `layer ${i}`});
          if (i === told.layer) button.classList.add("is-shown");
          return button;
        })),
        h("div", {class: "halves"},
          h("div", {}, h("h3", {}, `Most active at “${token(told.pieces[told.position])}”, position ${told.position}`), bars(told)),
          h("div", {}, h("h3", {}, `All ${count(told.hidden)} units here`), histogram(told),
            h("p", {class: "note"}, `${percent(told.active)} of them are above 0.`), unitCard(told))));
    }

    const one = live(root, () => {
      const {text, run, moment} = state.get(), {layer, token: at, unit} = selection.current();
      return [text, run, moment, layer, at, unit];
    }, draw);
    return one;
  },
};

/** @param {any} told */
function bars(told) {
  const most = Math.max(Math.abs(told.values.data[0]), 1e-30);
  return h("ol", {class: "unit-bars"}, Array.from(told.ids.data, (id, i) => {
    const value = told.values.data[i];
    const row = h("li", {"data-value": value, "data-unit": id}, h("span", {class: "unit-name"}, `unit ${id}`),
      h("span", {class: "bar-track"}, h("span", {class: value < 0 ? "meter minus" : "meter", style: {width: `${(100 * Math.abs(value)) / most}%`}})),
      h("span", {class: "amount"}, number(value)));
    selection.bind(row, {unit: id}, {group: "units", label: `unit ${id}: ${number(value)}`});
    const asked = {what: "unit", layer: told.layer, token: told.position, unit: id};
    row.addEventListener("pointerenter", () => explain.point("forward/why", asked));
    row.addEventListener("pointerleave", () => explain.point(null));
    row.addEventListener("focus", () => row.matches(":focus-visible") && explain.point("forward/why", asked));
    row.addEventListener("blur", () => explain.point(null));
    row.addEventListener("click", () => explain.keep("forward/why", asked));
    return row;
  }));
}

/** @param {any} told */
function histogram({counts, edges}) {
  const [width, height] = [400, 110], n = counts.data.length, most = Math.max(...counts.data, 1);
  const low = edges.data[0], high = edges.data[n], x = (/** @type {number} */ v) => ((v - low) / (high - low || 1)) * width;
  return s("svg", {class: "histogram", viewBox: `0 0 ${width} ${height + 20}`, role: "img", "aria-label": `Histogram of the activations, from ${number(low)} to ${number(high)}`},
    Array.from(counts.data, (one, i) => {
      const tall = (Math.sqrt(one) / Math.sqrt(most)) * height;
      return s("rect", {class: "histogram-bar", x: x(edges.data[i]) + 0.5, y: height - tall, width: Math.max(1, width / n - 1), height: tall}, s("title", {}, `${one} units from ${number(edges.data[i])} to ${number(edges.data[i + 1])}`));
    }),
    s("line", {class: "grid", x1: 0, x2: width, y1: height, y2: height}),
    low <= 0 && high >= 0 ? [s("line", {class: "stand", x1: x(0), x2: x(0), y1: 0, y2: height}), s("text", {class: "tick", x: Math.min(width - 8, Math.max(8, x(0))), y: height + 15, "text-anchor": "middle"}, "0")] : null,
    s("text", {class: "tick", x: width, y: height + 15, "text-anchor": "end"}, number(high)),
    low < -0.3 || low > 0 ? s("text", {class: "tick", x: 0, y: height + 15}, number(low)) : null);
}

/** One unit: along the text, and which tokens it pushes. @param {any} told */
function unitCard(told) {
  const {id, value, along, writes, erases} = told.unit;
  const values = Array.from(along.data), most = Math.max(...values.map(Math.abs), 1e-30), scale = colours("diverging", -most, most);
  const first = Math.max(0, Math.min(told.position - 40, values.length - 80));
  return h("div", {class: "unit-card"},
    h("h3", {}, `Unit ${id}, along the text`),
    h("p", {class: "painted"}, values.slice(first, first + 80).map((one, i) => h("span", {class: first + i === told.position ? "is-shown" : null, title: `${number(one, 3)} at position ${first + i}`, "data-value": one,
      style: {background: css(scale(one)), color: inkOn(scale(one))}}, token(told.pieces[first + i])))),
    h("p", {class: "note"}, `Here it is ${number(value, 3)}. What it adds to the stream raises the logits of `, chips(writes), " most, and lowers those of ", chips(erases), "."));
}

/** @param {{pieces: string[], values: any}} some */
function chips({pieces, values}) {
  return pieces.map((piece, i) => h("code", {title: number(values.data[i], 3), "data-value": values.data[i]}, token(piece)));
}
