// Attention: all heads in small, one of them as a map and as arcs over the text.

import {h, replace, s, setStyle} from "../../lib/dom.js";
import {namedMap, painted, weightColour, weightLegend} from "../../lib/map.js";
import * as explain from "../../lib/explain.js";
import {number, percent, token} from "../../lib/format.js";
import {live} from "../../lib/live.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";
import * as triangle from "../../lib/triangle.js";

const ARCS = 48; // tokens that stand in a line under the arcs

/** @type {import("../index.js").Panel} */
export default {
  id: "attention",
  tab: "forward",
  kinds: ["gpt", "modern"],
  wide: true,
  title: "Attention",
  caption: "Each head lets a position (row) gather from itself and the positions before it (columns); the weights of a row sum to 1. Choose a head, then a row.",
  mount(root, {about, get}) {
    const heads = h("div", {class: "heads", role: "group", "aria-label": "All heads"});
    const headTitle = h("h3", {}), headSays = h("p", {class: "note"});
    const readout = h("p", {class: "readout", "aria-live": "polite"}, "\u00a0");
    const arcs = h("div", {class: "arcs"}), legend = h("div", {}), habits = h("dl", {class: "habits"});
    const map = namedMap({
      onHover(cell) {
        say(cell);
        if (cell) explain.point("forward/why", {what: "weight", ...where(), token: cell[0], key: cell[1]});
        else explain.point(null);
      },
      onLock(row, col) {
        if (col > row) return;
        state.set({token: row});
        explain.keep("forward/why", {what: "weight", ...where(), token: row, key: col});
      },
    });
    replace(root, h("div", {class: "attention"},
      h("div", {}, h("h3", {}, "All heads"), heads, legend, habits),
      h("div", {class: "one-head"}, headTitle, headSays, map.element, readout)),
      h("h3", {}, "From one token"), arcs);

    /** @type {any} */
    let told = null;
    /** @type {any} */
    let small = null;

    const where = () => {
      const {layer, head} = selection.current();
      return {layer: layer ?? 0, head: head ?? 0};
    };
    const rows = () => told.weights.sub(Math.min(where().head, told.heads - 1));

    async function drawHeads() {
      small = await get("forward/heads", {text: state.get().text});
      root.querySelector(".attention")?.classList.toggle("many", small.heads > 8);
      const side = Math.max(12, Math.min(84, Math.floor((heads.clientWidth - 52) / small.heads) - 6));
      setStyle(heads, {"grid-template-columns": `auto repeat(${small.heads}, ${side}px)`});
      const cells = [], colour = weightColour();
      for (let layer = 0; layer < small.layers; layer++) {
        cells.push(h("span", {class: "heads-label"}, `layer ${layer}`));
        for (let head = 0; head < small.heads; head++) {
          const own = small.maps.sub(layer, head);
          const bitmap = painted(small.side, small.side, (t, at) => triangle.weight(own, t, at), colour);
          bitmap.classList.add("head-small");
          setStyle(bitmap, {width: `${side}px`, height: `${side}px`});
          const button = h("button", {type: "button", class: "head-button"}, bitmap);
          selection.bind(button, {layer, head}, {group: "heads", label: `layer ${layer}, head ${head}: ${habit(small, layer, head)}`});
          cells.push(button);
        }
      }
      replace(heads, h("span"), Array.from({length: small.heads}, (_, head) => h("span", {class: "heads-label"}, small.heads > 6 ? head : `head ${head}`)), cells);
      replace(legend, weightLegend());
      replace(habits, most("the token before", small.before), most("the first token", small.first), most("itself", small.itself));
      title();
    }

    /** The heads that give most to one place. @param {string} where_ @param {import("../../lib/wire.js").Numbers} mean */
    function most(where_, mean) {
      const order = Array.from(mean.data, (_, i) => i).filter((i) => Number.isFinite(mean.data[i])).sort((a, b) => mean.data[b] - mean.data[a]).slice(0, 3);
      if (!order.length) return [];
      return [h("dt", {}, `Most on ${where_} (layer.head):`), h("dd", {}, order.map((i) => {
        const layer = Math.floor(i / small.heads), head = i % small.heads;
        const button = h("button", {type: "button", class: "quiet", "data-value": mean.data[i]}, `${layer}.${head} `, h("strong", {}, percent(mean.data[i])));
        selection.bind(button, {layer, head}, {group: `heads ${where_}`, label: `layer ${layer}, head ${head}: ${percent(mean.data[i])} on ${where_}`});
        return button;
      }))];
    }

    async function drawHead() {
      told = await get("forward/attention", {text: state.get().text, layer: where().layer});
      showHead();
    }

    function showHead() {
      if (!told) return;
      const {token: at} = selection.current(), own = rows(), T = told.tokens;
      title();
      map.update({
        rows: T, cols: T, rowNames: told.pieces.map(token), colNames: told.pieces.map(token), marked: at === null || at === undefined || at >= T ? null : [at, -1],
        value: (t, key) => triangle.weight(own, t, key),
        label: `Attention of layer ${where().layer}, head ${where().head}: rows look at columns. Arrow keys move, Enter keeps.`,
      });
      drawArcs();
    }

    function title() {
      const {layer, head} = where();
      headTitle.textContent = `Layer ${layer}, head ${head}`;
      headSays.textContent = small ? `On average it ${habit(small, layer, head)}.` : "";
    }

    /** @param {[number, number]|null} cell */
    function say(cell) {
      const value = cell ? triangle.weight(rows(), cell[0], cell[1]) : null;
      readout.textContent = cell && value !== null ? `“${token(told.pieces[cell[0]])}” at ${cell[0]} looks at “${token(told.pieces[cell[1]])}” at ${cell[1]}: ${number(value, 3)}` : "\u00a0";
      if (value === null) delete readout.dataset.value;
      else readout.dataset.value = String(value);
    }

    async function drawArcs() {
      const T = told.tokens, t = Math.min(T - 1, selection.current().token ?? T - 1);
      const row = await get("forward/attention/row", {text: state.get().text, ...where(), token: t}, "arcs");
      replace(arcs, arcsOver(told.pieces, row, where()));
    }

    const all = live(heads, () => [...base()], drawHeads);
    const layer = live(map.element, () => [...base(), where().layer], drawHead);
    const head = live(map.element, () => [where().head, selection.current().token, told?.layer], showHead);
    return {
      update() {
        all.update();
        layer.update();
        head.update();
      },
      destroy() {
        for (const one of [all, layer, head]) one.destroy();
      },
    };

    function base() {
      const {text, run, moment} = state.get();
      return [text, run, moment, about.kind];
    }
  },
};

/** What a head does on the whole, in words. @param {any} small @param {number} layer @param {number} head */
function habit(small, layer, head) {
  const at = layer * small.heads + head;
  const [before, first, itself] = [small.before.data[at], small.first.data[at], small.itself.data[at]];
  if (!Number.isFinite(before)) return "has too few tokens to tell";
  return `gives ${percent(before)} to the token before, ${percent(itself)} to itself, ${percent(first)} to the first token`;
}

/** One row of attention, as arcs from a token to those it looks at. @param {string[]} pieces @param {any} row @param {{layer: number, head: number}} where */
function arcsOver(pieces, row, where) {
  const t = row.position, first = Math.max(0, t - ARCS + 1), shown = pieces.slice(first, Math.max(t + 1, Math.min(pieces.length, first + ARCS)));
  const widths = shown.map((piece) => Math.max(14, 8.2 * token(piece).length + 6));
  const starts = widths.reduce((/** @type {number[]} */ all, width) => [...all, all[all.length - 1] + width + 2], [0]);
  const middle = (/** @type {number} */ i) => starts[i - first] + widths[i - first] / 2;
  const width = starts[starts.length - 1], tall = Math.min(110, 24 + width / 7);
  const left = Array.from({length: first}, (_, i) => row.weights.data[i]).reduce((a, b) => a + b, 0);
  const strongest = Array.from({length: t + 1}, (_, i) => i).sort((a, b) => row.weights.data[b] - row.weights.data[a])[0];
  const picture = s("svg", {class: "arcs-picture", viewBox: `0 0 ${width} ${tall + 44}`, width, height: tall + 44, role: "group",
    "aria-label": `What ${token(pieces[t])} at ${t} looks at; most of all ${token(pieces[strongest])} at ${strongest}`},
    shown.map((_, i) => {
      const key = i + first;
      if (key > t) return null;
      const weight = row.weights.data[key], x = middle(key), to = middle(t), high = tall - Math.min(tall - 6, 16 + Math.abs(to - x) / 3.2);
      return s("path", {class: "arc", "stroke-width": Math.max(0.4, 9 * weight), "stroke-opacity": 0.25 + 0.75 * Math.sqrt(weight),
        d: key === t ? `M${x - 4} ${tall}C${x - 12} ${tall - 22} ${x + 12} ${tall - 22} ${x + 4} ${tall}` : `M${to} ${tall}C${to} ${high} ${x} ${high} ${x} ${tall}`});
    }),
    shown.map((piece, i) => {
      const key = i + first, weight = key <= t ? row.weights.data[key] : null;
      const group = s("g", {class: `arc-token${key === t ? " from" : ""}${weight === null ? " later" : ""}`, "data-value": weight ?? false},
        s("rect", {x: starts[i], y: tall + 2, width: widths[i], height: 20, rx: 4}),
        s("text", {x: middle(key), y: tall + 16, "text-anchor": "middle"}, token(piece)),
        weight !== null && weight >= 0.05 && s("text", {class: "arc-weight", x: middle(key), y: tall + 36, "text-anchor": "middle"}, String(Math.round(100 * weight))),
        s("title", {}, weight === null ? `${token(piece)} at ${key} comes later: it is not seen` : `${token(piece)} at ${key}: weight ${number(weight, 3)}`));
      if (weight !== null) {
        group.setAttribute("aria-label", `${token(piece)} at ${key}: weight ${number(weight, 3)}`);
        group.setAttribute("tabindex", "-1");
        explain.bind(group, "forward/why", {what: "weight", ...where, token: t, key});
      }
      return group;
    }));
  return h("div", {},
    h("p", {class: "note"}, `“${token(pieces[t])}” at ${t} looks at “${token(pieces[strongest])}” at ${strongest} most of all: `, h("strong", {"data-value": row.weights.data[strongest]}, percent(row.weights.data[strongest])),
      `. Thick arcs are large weights, the numbers are percent.${first ? ` The ${first} tokens before those here have ${percent(left)} together.` : ""}`),
    h("div", {class: "scroll"}, picture));
}
