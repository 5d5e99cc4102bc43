// The tokens' vectors in the plane, moving as the network learns.

import {h, replace, s} from "../../lib/dom.js";
import {number, percent, token} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {sized} from "./chart.js";
import {follow, named, place} from "./store.js";

const TWEEN = 500; // milliseconds from one moment to the next

/** @type {import("../index.js").Panel} */
export default {
  id: "learning-embeddings",
  tab: "learning",
  kinds: ["nplm", "mlp", "wavenet", "recurrent", "gpt", "modern"],
  title: "Tokens find their places",
  caption: "Each token's vector, on the plane in which the vectors differ most at that moment: tokens that are used alike come to lie together.",
  mount(root, ctx) {
    const {run} = state.get();
    /** @type {any} */
    let found = null;
    /** @type {number[]} */
    let steps = [];
    let askedFor = "";
    /** Where the points stand, x y x y …; they go from there. @type {Float64Array|null} */
    let shown = null;
    let frame = 0, extent = 1;
    const note = h("p", {class: "note"});
    const how = h("p", {class: "note"}, "Such a plane may come out turned or mirrored, so each moment's is turned to fit the next one's as well as a rotation can (Procrustes). Distances within a moment stay as they are.");
    const plot = sized((width) => {
      if (!shown || !found) return null;
      const height = Math.min(440, Math.max(260, width * 0.8)), half = Math.min(width, height) / 2 - 16;
      const at = shown;
      return s("svg", {class: "plane", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${found.pieces.length} tokens in the plane`},
        s("line", {class: "grid", x1: 0, x2: width, y1: height / 2, y2: height / 2}), s("line", {class: "grid", x1: width / 2, x2: width / 2, y1: 0, y2: height}),
        found.pieces.map((/** @type {string} */ piece, /** @type {number} */ n) => s("text", {class: `plane-token ${sort(piece)}`, x: width / 2 + (at[2 * n] / extent) * half, y: height / 2 - (at[2 * n + 1] / extent) * half + 5, "text-anchor": "middle", "data-x": at[2 * n], "data-y": at[2 * n + 1]}, token(piece))));
    });
    const legend = h("p", {class: "plane-legend"}, h("span", {class: "vowel"}, "vowels"), h("span", {class: "letter"}, "other letters"), h("span", {class: "capital"}, "capitals"), h("span", {class: "other"}, "all else"));
    root.append(plot.element, legend, note, how);

    function draw() {
      if (!found || !steps.length) return;
      const i = found.step.indexOf(steps[place(steps)]);
      if (i < 0) return;
      const [, N] = found.points.shape;
      const to = Float64Array.from(found.points.data.subarray(2 * i * N, 2 * (i + 1) * N));
      replace(note, `${named(found.step, i)[0].toUpperCase()}${named(found.step, i).slice(1)}, the plane holds ${percent(found.shares[i])} of what the ${found.n_embd} numbers of a vector vary. `,
        i ? `Since the moment before, a point has moved ${number(found.moved[i], 3)} on average.` : "");
      cancelAnimationFrame(frame);
      const from = shown;
      if (!from || from.length !== to.length || matchMedia("(prefers-reduced-motion: reduce)").matches) {
        shown = to;
        plot.redraw();
        return;
      }
      const begun = performance.now();
      const move = (/** @type {number} */ now) => {
        const part = Math.min(1, (now - begun) / TWEEN), eased = part * part * (3 - 2 * part);
        shown = to.map((value, k) => (part === 1 ? value : from[k] + eased * (value - from[k])));
        plot.redraw();
        if (part < 1) frame = requestAnimationFrame(move);
      };
      frame = requestAnimationFrame(move);
    }

    const end = follow(run, (now) => {
      steps = now.steps;
      const key = JSON.stringify(steps);
      if (key === askedFor) return;
      askedFor = key;
      void ctx.get("learning/embeddings", {moment: ""}).then((answer) => {
        found = answer;
        extent = 0;
        for (const value of answer.points.data) extent = Math.max(extent, Math.abs(value));
        draw();
      });
    }, ctx.fail);
    return {
      update: draw,
      destroy() {
        cancelAnimationFrame(frame);
        end();
      },
    };
  },
};

/** @param {string} piece */
function sort(piece) {
  if (/^ ?[aeiou]$/.test(piece)) return "vowel";
  if (/^ ?\p{Ll}+$/u.test(piece)) return "letter";
  if (/^ ?\p{Lu}/u.test(piece)) return "capital";
  return "other";
}
