// Inside the models that read a window of tokens: where the tokens lie, the hidden units, the sum that is a logit.

import {h, replace, s} from "../../lib/dom.js";
import {heatmap} from "../../lib/draw.js";
import {count, number, percent, token} from "../../lib/format.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";
import {draw, explanation, num, piece, prob} from "./parts.js";

/** @typedef {import("../index.js").Panel} Panel */
/** @typedef {import("../index.js").Context} Context */

const KINDS = ["nplm", "mlp"];
const WATCHED = ["text", "token", "layer", "unit", "following"];

/** What every panel here shows; asked once. @param {Context} ctx @param {import("../../lib/state.js").State} now */
const ask = (ctx, {text, token, layer, unit, following}) => ctx.get("forward/window", {text, token, layer, unit, following});

/** @type {Panel} */
const plane = {
  id: "plane",
  tab: "forward",
  kinds: KINDS,
  title: "Where the tokens lie",
  caption: "Each token is a learned point; those used alike come to lie near each other. The line joins the points of the context, oldest first.",
  mount(root, ctx) {
    /** @type {any} */
    let points = null;
    return {
      async update(now, changed) {
        if (points && !["text", "token"].some((key) => changed.has(key))) return;
        const [all, found] = await Promise.all([points ?? ctx.get("forward/plane"), ask(ctx, now)]);
        points = all;
        draw(root, picture(all, found.context), planeNote(all, found.context));
      },
    };
  },
};

/** @param {any} all @param {any} context */
function picture(all, context) {
  const n = all.pieces.length, [W, H, pad] = [520, 400, 26];
  /** @type {number[]} */
  const xs = [];
  /** @type {number[]} */
  const ys = [];
  for (let i = 0; i < n; i++) xs.push(all.points.at(i, 0)), ys.push(all.points.at(i, 1));
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const x = (/** @type {number} */ v) => pad + ((v - x0) / (x1 - x0 || 1)) * (W - 2 * pad);
  const y = (/** @type {number} */ v) => H - pad - ((v - y0) / (y1 - y0 || 1)) * (H - 2 * pad);
  const places = context.pieces.map((/** @type {string} */ name, /** @type {number} */ i) => ({
    name, x: x(context.points.at(i, 0)), y: y(context.points.at(i, 1)), at: context.points.sub(i).toArray(),
  }));
  const labelled = n <= 150;
  const inContext = new Set(context.ids);
  const axes = [
    s("line", {class: "axis", x1: x(0), x2: x(0), y1: 4, y2: H - 4}),
    s("line", {class: "axis", x1: 4, x2: W - 4, y1: y(0), y2: y(0)}),
  ];
  const tokens = all.pieces.map((/** @type {string} */ name, /** @type {number} */ i) => {
    if (inContext.has(i)) return null;
    const title = s("title", {}, `${token(name)} at (${number(xs[i], 3)}, ${number(ys[i], 3)})`);
    return labelled
      ? s("text", {class: "token-point", x: x(xs[i]), y: y(ys[i]) + 4}, token(name), title)
      : s("circle", {class: "token-dot", cx: x(xs[i]), cy: y(ys[i]), r: 2}, title);
  });
  const path = s("polyline", {class: "context-path", points: places.map((/** @type {any} */ p) => `${p.x.toFixed(1)},${p.y.toFixed(1)}`).join(" ")});
  /** @type {Map<string, number[]>} places in the context by point, for a token that comes twice is one point */
  const turns = new Map();
  places.forEach((/** @type {any} */ p, /** @type {number} */ i) => turns.set(`${p.x} ${p.y}`, [...(turns.get(`${p.x} ${p.y}`) ?? []), i + 1]));
  const marks = places.map((/** @type {any} */ p, /** @type {number} */ i) => s("g", {class: "context-point", "data-x": p.at[0], "data-y": p.at[1]},
    s("circle", {cx: p.x, cy: p.y, r: 11}),
    s("text", {x: p.x, y: p.y + 4.5}, p.name.length > 2 ? "" : token(p.name)),
    s("text", {class: "turn", x: p.x + 13, y: p.y - 8}, `${(turns.get(`${p.x} ${p.y}`) ?? []).join(", ")}${p.name.length > 2 ? ` ${token(p.name)}` : ""}`),
    s("title", {}, `${i + 1}. ${token(p.name)} at (${number(p.at[0], 3)}, ${number(p.at[1], 3)})`)));
  const label = `The tokens in the plane; the context ${context.pieces.map(token).join(", ")} is joined in this order`;
  return s("svg", {class: "plane", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label}, axes, tokens, path, marks);
}

/** @param {any} all @param {any} context */
function planeNote(all, context) {
  const how = all.shares.length
    ? `${all.n_embd} numbers a token, drawn by their two principal components, which hold ${percent(all.shares[0])} and ${percent(all.shares[1])} of the variance.`
    : `${all.n_embd} numbers a token, drawn as they are.`;
  const less = all.pieces.length < all.vocab_size ? ` The first ${count(all.pieces.length)} of ${count(all.vocab_size)} tokens are drawn.` : "";
  const before = context.places.some((/** @type {number} */ place) => place < 0) ? ` What lies before the text counts as ${token(all.pieces[0])}.` : "";
  return h("p", {class: "note"}, "Context: ", context.pieces.map((/** @type {string} */ one) => piece(one)), `. ${how}${less}${before}`);
}

/** @type {Panel} */
const units = {
  id: "hidden",
  tab: "forward",
  kinds: KINDS,
  title: "Hidden units",
  caption: "Each unit weighs the whole context and answers with one number: blue above zero, orange below. A dot marks a saturated one: its curve is flat there, so it hardly learns from this text. Click a unit to see its sum.",
  wide: true,
  mount(root, ctx) {
    const tiles = h("div", {class: "tiles"}), bar = h("div", {class: "bar-row"}), why = h("div", {});
    replace(root, bar, h("div", {class: "two"}, tiles, why));
    /** @type {Map<string, ReturnType<typeof heatmap>>} */
    const maps = new Map();
    return {
      async update(now, changed) {
        if (changed.size && !WATCHED.some((key) => changed.has(key))) return;
        const found = await ask(ctx, now);
        if (!found.unit) {
          replace(root, h("p", {class: "note"}, "This network has no hidden units: its logits come straight from the embeddings."));
          return;
        }
        const which = found.unit.layer, layer = found.layers[which];
        selection.limit({layer: found.layers.length, unit: layer.units});
        replace(bar, found.layers.length > 1 && h("div", {class: "choice", role: "group", "aria-label": "Hidden layer"}, found.layers.map((/** @type {any} */ one, /** @type {number} */ i) =>
          h("button", {type: "button", "aria-pressed": String(i === which), onclick: () => state.set({layer: i, unit: null})}, `layer ${i}`, h("span", {class: "muted"}, ` ${one.saturated}/${one.units} saturated`)))));
        const kinds = [
          ["sums", layer.normed ? `before ${layer.norm}` : "the sums", layer.sums, null],
          ...(layer.normed ? [["normed", `after ${layer.norm}`, layer.normed, null]] : []),
          ["values", `after ${layer.activation}`, layer.values, layer.flat],
        ];
        const cols = Math.min(layer.units, Math.ceil(Math.sqrt(layer.units * 2)));
        for (const [name] of maps) if (!kinds.some(([kind]) => kind === name)) maps.get(name)?.element.parentElement?.remove(), maps.delete(name);
        for (const [name, label, values, flat] of kinds) {
          const options = tile(values, flat, cols, found.unit.unit, label);
          const map = maps.get(name);
          if (map) map.update(options);
          else {
            const made = heatmap(options);
            maps.set(name, made);
            tiles.append(h("figure", {"data-tile": name}, h("figcaption", {}), made.element));
          }
          const caption = tiles.querySelector(`[data-tile="${name}"] figcaption`);
          if (caption) replace(caption, h("b", {}, label), h("span", {class: "muted"}, name === "values" ? ` ${layer.saturated} of ${layer.units} saturated` : ` from ${number(Math.min(...values.data), 1)} to ${number(Math.max(...values.data), 1)}`));
        }
        draw(why, explanation(found.unit.why));
      },
    };
  },
};

/** Units as a block of cells. @param {any} values @param {any} flat @param {number} cols @param {number} unit @param {string} label */
function tile(values, flat, cols, unit, label) {
  const rows = Math.ceil(values.length / cols), at = (/** @type {number} */ i, /** @type {number} */ j) => i * cols + j;
  const most = Math.max(...values.toArray().map(Math.abs), 1e-30);
  return {
    rows, cols, label: `Hidden units, ${label}`, scale: /** @type {"diverging"} */ ("diverging"), low: -most, high: most, most: 18,
    value: (/** @type {number} */ i, /** @type {number} */ j) => (at(i, j) < values.length ? values.data[at(i, j)] : null),
    dot: flat ? (/** @type {number} */ i, /** @type {number} */ j) => flat.data[at(i, j)] === 1 : undefined,
    cell: (/** @type {number} */ i, /** @type {number} */ j) => at(i, j) < values.length ? `unit ${at(i, j)}: ${number(values.data[at(i, j)], 4)}${flat?.data[at(i, j)] ? ", saturated" : ""}` : "",
    onLock: (/** @type {number} */ i, /** @type {number} */ j) => at(i, j) < values.length && selection.lock({unit: at(i, j)}),
    marked: /** @type {[number, number]} */ ([Math.floor(unit / cols), unit % cols]),
  };
}

/** @type {Panel} */
const logit = {
  id: "logit",
  tab: "forward",
  kinds: KINDS,
  title: "Why this token",
  caption: "The score of a next token, its logit, is a sum: what each hidden unit says for or against it, and a bias.",
  mount(root, ctx) {
    return {
      async update(now, changed) {
        if (changed.size && !WATCHED.some((key) => changed.has(key))) return;
        const {logit: found} = await ask(ctx, now);
        draw(root, h("p", {class: "says"}, piece(found.piece), " has the logit ", num(found.logit, 3, "logit"), ", and with it a probability of ", prob(found.p, "p"), "."), explanation(found.why));
      },
    };
  },
};

export default [plane, logit, units];
