// The tree of what a WaveNet's prediction is made of.

import {h, replace, s} from "../../lib/dom.js";
import {colours, css, heatmap} from "../../lib/draw.js";
import {number, percent, token} from "../../lib/format.js";
import * as explain from "../../lib/explain.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";
import {draw, follow, keysOfARun, piece} from "./parts.js";

keysOfARun({"wavenet.level": null, "wavenet.node": null});
const MOST = 64; // places that are drawn, the newest
const WHY = "forward/wavenet/why";

function params() {
  const now = state.get(), {token: at, unit} = selection.current();
  return {text: now.text, token: at, unit, level: now["wavenet.level"], node: now["wavenet.node"]};
}

/** @type {import("../index.js").Panel} */
export default {
  id: "wavenet",
  tab: "forward",
  kinds: ["wavenet"],
  title: "What the prediction saw",
  caption: "Each layer joins two nodes below, so that its nodes see twice as many tokens. The larger a circle, the larger the numbers in it; click one to look inside.",
  wide: true,
  mount(root, ctx) {
    const tree = h("div", {class: "scroll"}), legend = h("p", {class: "note"}), strip = h("figure", {class: "node"}), caption = h("figcaption", {});
    replace(root, tree, legend, strip);
    /** @type {ReturnType<typeof heatmap>|null} */
    let map = null;
    const propose = () => {
      const {token: at, level, node, unit} = params();
      explain.propose(WHY, {token: at, level, node, unit});
    };
    return follow(root, ctx, "forward/wavenet", params, (found) => {
      const {chosen} = found, saw = 2 ** chosen.level, options = units(found);
      draw(tree, picture(found));
      replace(legend,
        found.design === "tree" ? "One window, halved by each layer until one vector is left. " : "Each layer works along the whole row; pale nodes belong to other predictions. ",
        found.places.length > MOST ? `Of ${found.places.length} places the newest ${MOST} are drawn. ` : "",
        found.places[0] < 0 && h("span", {}, "What lies before the text counts as ", piece(found.pieces[0]), "."));
      if (map) map.update(options);
      else {
        map = heatmap(options);
        replace(strip, caption, map.element);
      }
      selection.limit({unit: chosen.values.length});
      replace(caption, h("b", {}, chosen.level ? `The ${chosen.values.length} units of this node of layer ${chosen.level}` : `The ${chosen.values.length} numbers of this embedding`),
        h("span", {class: "muted"}, saw === 1 ? ", which saw " : `, which saw ${saw} tokens: `), seen(found, chosen.node, saw).map((one) => piece(one)));
    }, {propose});
  },
};

/** What explains a unit of the chosen node. @param {any} found @param {number} unit */
const why = ({chosen, position}, unit) => ({token: position, level: chosen.level, node: chosen.node, unit});

/** The pieces that a node saw. @param {any} found @param {number} node @param {number} saw @returns {string[]} */
function seen(found, node, saw) {
  const first = found.places[0];
  return found.pieces.slice(Math.max(0, node - saw + 1 - first), node + 1 - first);
}

/** The units of the chosen node as cells. @param {any} found */
function units(found) {
  const {values, unit} = found.chosen;
  const cols = Math.min(values.length, 32), rows = Math.ceil(values.length / cols);
  const at = (/** @type {number} */ i, /** @type {number} */ j) => i * cols + j;
  const most = Math.max(...values.toArray().map(Math.abs), 1e-30);
  return {
    rows, cols, label: "The units of the chosen node", scale: /** @type {"diverging"} */ ("diverging"), low: -most, high: most, most: 22,
    value: (/** @type {number} */ i, /** @type {number} */ j) => (at(i, j) < values.length ? values.data[at(i, j)] : null),
    cell: (/** @type {number} */ i, /** @type {number} */ j) => (at(i, j) < values.length ? `unit ${at(i, j)}: ${number(values.data[at(i, j)], 4)}` : ""),
    onHover: (/** @type {[number, number]|null} */ cell) =>
      cell && at(...cell) < values.length ? explain.point(WHY, why(found, at(...cell))) : explain.point(null),
    onLock: (/** @type {number} */ i, /** @type {number} */ j) => at(i, j) < values.length && selection.lock({unit: at(i, j)}),
    marked: /** @type {[number, number]} */ ([Math.floor(unit / cols), unit % cols]),
  };
}

/** @param {any} found */
function picture(found) {
  const {levels, pieces, places, chosen} = found;
  const n = Math.min(places.length, MOST), first = places[places.length - n];
  const step = Math.max(14, Math.min(64, 880 / n)), rise = 58, left = 96, radius = Math.min(15, step * 0.42);
  const W = left + n * step + 12, H = levels.length * rise + 44;
  const x = (/** @type {number} */ place, /** @type {number} */ saw) => left + (place - first - (found.design === "tree" ? (saw - 1) / 2 : 0) + 0.5) * step;
  const y = (/** @type {number} */ k) => H - 58 - k * rise;
  const edges = /** @type {SVGElement[]} */ ([]), nodes = /** @type {SVGElement[]} */ ([]);
  levels.forEach((/** @type {any} */ level, /** @type {number} */ k) => {
    const most = Math.max(...level.size.data, 1e-30), colour = colours("sequential", 0, most);
    level.at.forEach((/** @type {number} */ place, /** @type {number} */ i) => {
      if (place - (found.design === "tree" ? level.saw - 1 : 0) < first) return;
      const inTree = level.in_tree[i];
      if (k) {
        for (const below of [place - level.step, place]) {
          if (below < first) continue;
          edges.push(s("line", {class: `edge ${inTree ? "in-tree" : ""}`, x1: x(place, level.saw), y1: y(k), x2: x(below, level.saw / 2), y2: y(k - 1)}));
        }
      }
      const size = level.size.data[i], here = chosen.level === k && chosen.node === place;
      const label = `${k ? `layer ${k}` : "embedding"}, place ${place}: size ${number(size, 3)}${k ? `, ${percent(level.flat.data[i])} saturated` : ""}`;
      const pick = () => state.set(here ? {"wavenet.level": null, "wavenet.node": null, unit: null} : {"wavenet.level": k, "wavenet.node": place, unit: null});
      nodes.push(s("circle", {
        class: `node-mark ${inTree ? "in-tree" : ""} ${here ? "is-locked" : ""}`, cx: x(place, level.saw), cy: y(k), r: Math.max(3.5, radius * Math.sqrt(size / most)),
        fill: css(colour(size)), tabindex: inTree ? 0 : -1, role: "button", "aria-label": label, "aria-pressed": String(here),
        "data-key": `${k} ${place}`, "data-level": k, "data-place": place, "data-value": size, onclick: pick,
        onpointerenter: () => explain.point(WHY, {token: found.position, level: k, node: place}), onpointerleave: () => explain.point(null),
        onkeydown: (/** @type {KeyboardEvent} */ event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), pick()),
      }, s("title", {}, label)));
    });
  });
  const names = levels.map((/** @type {any} */ level, /** @type {number} */ k) => s("text", {class: "tick", x: 4, y: y(k) + 4}, k ? `layer ${k}` : "embeddings"));
  const tokens = Array.from({length: n}, (_, i) => {
    const place = first + i;
    return s("text", {class: `leaf ${place < 0 ? "muted" : ""} ${place === found.position ? "here" : ""}`, x: x(place, 1), y: H - 20}, token(pieces[place - places[0]]));
  });
  return s("svg", {class: "tree", viewBox: `0 0 ${W} ${H}`, width: W, height: H, role: "group", "aria-label": "The tree of what the prediction saw"}, names, edges, nodes, tokens);
}
