// Inside the models that read a window of tokens: where the tokens lie, the hidden units, the sum that is a logit.

import {h, replace, s} from "../../lib/dom.js";
import {heatmap} from "../../lib/draw.js";
import * as explain from "../../lib/explain.js";
import {count, number, percent, token} from "../../lib/format.js";
import * as selection from "../../lib/selection.js";
import * as state from "../../lib/state.js";
import {draw, follow, num, piece, prob} from "./parts.js";

/** @typedef {import("../index.js").Panel} Panel */

const KINDS = ["nplm", "mlp"];
const VIEW = "forward/window", UNIT = "forward/window/unit", LOGIT = "forward/window/logit";
const MOST_BARS = 16;

/** What all panels here ask, so that it is asked once. */
function params() {
  const {text, following} = state.get(), {token, layer, unit} = selection.current();
  return {text, token, layer, unit, following};
}

/** @type {Panel} */
const plane = {
  id: "plane",
  tab: "forward",
  kinds: KINDS,
  title: "Where the tokens lie",
  caption: "Each token is a learned point; those used alike come to lie near each other. The line joins the points of the context, oldest first.",
  mount(root, ctx) {
    const place = h("div", {}), note = h("p", {class: "note"}), readout = h("p", {class: "readout"}, "\u00a0");
    replace(root, place, readout, note);
    /** @type {Promise<any>|null} */
    let asked = null;
    /** @type {ReturnType<typeof scatter>|null} */
    let picture = null;
    return follow(root, ctx, VIEW, params, async (found) => {
      const all = await (asked ??= ctx.get("forward/plane"));
      if (!picture) {
        picture = scatter(all, place.clientWidth, (line) => (readout.textContent = line || "\u00a0"));
        place.append(picture.element);
      }
      picture.join(found.context);
      replace(note, ...planeNote(all, found.context));
    });
  },
};

/** The tokens as points, once; and the line through the context's, anew for each text. @param {any} all @param {number} width in pixels @param {(line: string) => void} tell */
function scatter(all, width, tell) {
  const n = all.pieces.length, W = Math.max(280, Math.min(640, width || 520)), H = 0.8 * W, pad = 28;
  const xs = Array.from({length: n}, (_, i) => all.points.at(i, 0)), ys = Array.from({length: n}, (_, i) => all.points.at(i, 1));
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const x = (/** @type {number} */ v) => pad + ((v - x0) / (x1 - x0 || 1)) * (W - 2 * pad);
  const y = (/** @type {number} */ v) => H - pad - ((v - y0) / (y1 - y0 || 1)) * (H - 2 * pad);
  const points = n <= 150
    ? all.pieces.map((/** @type {string} */ name, /** @type {number} */ i) => s("text", {class: "token-point", x: x(xs[i]), y: y(ys[i]) + 4}, token(name)))
    : [s("path", {class: "token-dots", d: xs.map((v, i) => `M${x(v).toFixed(1)} ${y(ys[i]).toFixed(1)}h0`).join("")})];
  const over = s("g", {});
  const element = s("svg", {class: "plane", viewBox: `0 0 ${W} ${H}`, role: "img"},
    s("line", {class: "axis", x1: x(0), x2: x(0), y1: 4, y2: H - 4}), s("line", {class: "axis", x1: 4, x2: W - 4, y1: y(0), y2: y(0)}),
    points, over);
  element.addEventListener("pointermove", (event) => {
    const box = element.getBoundingClientRect(), {clientX, clientY} = /** @type {PointerEvent} */ (event);
    const at = [((clientX - box.left) / box.width) * W, ((clientY - box.top) / box.height) * H];
    let best = -1, least = 400;
    for (let i = 0; i < n; i++) {
      const distance = (x(xs[i]) - at[0]) ** 2 + (y(ys[i]) - at[1]) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    tell(best < 0 ? "" : `${token(all.pieces[best])} at (${number(xs[best], 3)}, ${number(ys[best], 3)})`);
  });
  element.addEventListener("pointerleave", () => tell(""));

  /** @param {any} context */
  function join(context) {
    /** Places in the context by point, for a token that comes twice is one point. @type {Map<string, number[]>} */
    const turns = new Map();
    const places = context.pieces.map((/** @type {string} */ name, /** @type {number} */ i) => {
      const p = {name, x: x(context.points.at(i, 0)), y: y(context.points.at(i, 1)), at: context.points.sub(i).toArray(), key: `${context.ids[i]}`};
      turns.set(p.key, [...(turns.get(p.key) ?? []), i + 1]);
      return p;
    });
    element.setAttribute("aria-label", `The tokens in the plane; the context ${context.pieces.map(token).join(", ")} is joined in this order`);
    replace(over,
      s("polyline", {class: "context-path", points: places.map((/** @type {any} */ p) => `${p.x.toFixed(1)},${p.y.toFixed(1)}`).join(" ")}),
      places.map((/** @type {any} */ p) => {
        const short = token(p.name).length <= 2, order = (turns.get(p.key) ?? []).join(", ");
        const left = p.x > W - 90;
        return s("g", {class: "context-point", "data-x": p.at[0], "data-y": p.at[1]},
          s("circle", {cx: p.x, cy: p.y, r: short ? 11 : 5}),
          short && s("text", {x: p.x, y: p.y + 4.5}, token(p.name)),
          s("text", {class: `turn ${left ? "left" : ""}`, x: p.x + (left ? -12 : 12), y: p.y - 8}, short ? order : `${order} ${token(p.name)}`));
      }));
  }
  return {element, join};
}

/** @param {any} all @param {any} context @returns {import("../../lib/dom.js").Child[]} */
function planeNote(all, context) {
  const how = all.shares.length
    ? `${all.n_embd} numbers a token, drawn by their two principal components, which hold ${percent(all.shares[0])} and ${percent(all.shares[1])} of the variance.`
    : `${all.n_embd} numbers a token, drawn as they are.`;
  const less = all.pieces.length < all.vocab_size ? ` The first ${count(all.pieces.length)} of ${count(all.vocab_size)} tokens are drawn.` : "";
  const before = context.places.some((/** @type {number} */ place) => place < 0) ? ` What lies before the text counts as ${token(all.pieces[0])}.` : "";
  return ["The context: ", ...context.pieces.map((/** @type {string} */ one) => piece(one)), ` ${how}${less}${before}`];
}

/** @type {Panel} */
const logit = {
  id: "logit",
  tab: "forward",
  kinds: KINDS,
  title: "What speaks for it",
  caption: "The score of a next token, its logit, is a sum: each hidden unit speaks for it or against it, in its own measure, and a bias says how frequent it is anywhere.",
  mount(root, ctx) {
    return follow(root, ctx, VIEW, params, ({logit: found, context}) => {
      draw(root, ...reasons(found, context));
    });
  },
};

/** The largest terms of a logit as bars to both sides. @param {any} found @param {any} context */
function reasons(found, context) {
  const hidden = found.from_hidden.toArray();
  const order = hidden.map((/** @type {number} */ _, /** @type {number} */ i) => i)
    .sort((/** @type {number} */ a, /** @type {number} */ b) => Math.abs(hidden[b]) - Math.abs(hidden[a])).slice(0, MOST_BARS);
  const direct = found.direct ? context.pieces.map((/** @type {string} */ name, /** @type {number} */ i) => ({label: `${i + 1}. ${token(name)}, direct`, value: found.direct.data[i], unit: -1})) : [];
  const rows = [...direct, ...order.map((/** @type {number} */ i) => ({label: `unit ${i}`, value: hidden[i], unit: i}))];
  const most = Math.max(...rows.map((row) => Math.abs(row.value)), 1e-30);
  const following = piece(found.piece);
  following.setAttribute("tabindex", "0");
  explain.bind(following, LOGIT, {token: params().token, following: found.following});
  return [
    h("p", {class: "says"}, following, " has the logit ", num(found.logit, 3, "logit"), ", and with it a probability of ", prob(found.p, "p"), "."),
    h("ul", {class: "reasons"}, rows.map(({label, value, unit}) => {
      const row = h("li", {"data-value": value}, h("span", {class: "reason"}, label),
        h("span", {class: "balance"}, h("span", {class: value < 0 ? "less" : "more", style: {width: `${(50 * Math.abs(value)) / most}%`}})),
        num(value, 3));
      if (unit >= 0) {
        selection.bind(row, {unit}, {group: "reasons", label: `${label}: ${number(value, 3)}`});
        row.addEventListener("pointerenter", () => explain.point(UNIT, {token: params().token, unit}));
        row.addEventListener("pointerleave", () => explain.point(null));
      }
      return row;
    })),
    h("p", {class: "note"}, rows.length - direct.length < hidden.length ? `These are the ${order.length} strongest of ${count(hidden.length)} units; all of them sum to ` : "The hidden units sum to ",
      num(found.hidden_sum, 3, "hidden-sum"), found.direct ? [", the direct connections to ", num(found.direct_sum, 3)] : "", ", the bias is ", num(found.bias, 3), "."),
  ];
}

/** @type {Panel} */
const units = {
  id: "hidden",
  tab: "forward",
  kinds: KINDS,
  title: "Hidden units",
  caption: "Each unit weighs its inputs and answers with one number: blue above zero, orange below. A dot marks a saturated one: its curve is flat there, so this text hardly teaches it anything.",
  wide: true,
  mount(root, ctx) {
    const tiles = h("div", {class: "tiles"}), bar = h("div", {class: "bar-row"});
    replace(root, bar, tiles);
    const propose = () => {
      const {token, layer, unit, following} = params();
      if (ctx.about.config.n_hidden) explain.propose(UNIT, {token, layer, unit});
      else explain.propose(LOGIT, {token, following});
    };
    /** @type {Map<string, {map: ReturnType<typeof heatmap>, figure: HTMLElement, caption: HTMLElement}>} */
    const drawn = new Map();
    return follow(root, ctx, VIEW, params, (found) => {
      if (!found.unit) {
        replace(root, h("p", {class: "note"}, "This network has no hidden units: its logits come straight from the embeddings."));
        return;
      }
      const which = found.unit.layer, layer = found.layers[which];
      selection.limit({layer: found.layers.length, unit: layer.units});
      bar.hidden = found.layers.length < 2;
      draw(bar, h("div", {class: "choice", role: "group", "aria-label": "Hidden layer"}, found.layers.map((/** @type {any} */ one, /** @type {number} */ i) =>
        h("button", {type: "button", "data-key": `layer ${i}`, "aria-pressed": String(i === which), onclick: () => state.set({layer: i, unit: null})}, `layer ${i}`, h("span", {class: "muted"}, ` ${one.saturated} of ${one.units} saturated`)))));
      const kinds = /** @type {[string, string, any][]} */ ([
        ["sums", layer.normed ? `before ${layer.norm}` : "before the activation", layer.sums],
        ...(layer.normed ? [["normed", `after ${layer.norm}`, layer.normed]] : []),
        ["values", `after ${layer.activation}`, layer.values],
      ]);
      for (const [name, {figure}] of drawn) if (!kinds.some(([kind]) => kind === name)) figure.remove(), drawn.delete(name);
      for (const [name, label, values] of kinds) {
        const options = tile(found, which, label, values, name === "values" ? layer.flat : null);
        let one = drawn.get(name);
        if (!one) {
          const caption = h("figcaption", {}), map = heatmap(options), figure = h("figure", {"data-tile": name}, caption, map.element);
          drawn.set(name, (one = {map, figure, caption}));
          tiles.append(figure);
        }
        one.map.update(options);
        replace(one.caption, h("b", {}, label), h("span", {class: "muted"}, name === "values" ? ` ${layer.saturated} of ${layer.units} saturated` : spread(values)));
      }
    }, {propose});
  },
};

/** From where to where numbers go. @param {any} values */
function spread(values) {
  const all = values.toArray();
  return ` from ${number(Math.min(...all), 1)} to ${number(Math.max(...all), 1)}`;
}

/** Units as a block of cells. @param {any} found @param {number} layer @param {string} label @param {any} values @param {any} flat */
function tile(found, layer, label, values, flat) {
  const n = values.length, cols = Math.min(n, Math.ceil(Math.sqrt(n * 2))), at = (/** @type {number} */ i, /** @type {number} */ j) => i * cols + j;
  const most = Math.max(...values.toArray().map(Math.abs), 1e-30), unit = found.unit.unit;
  return {
    rows: Math.ceil(n / cols), cols, label: `Hidden units, ${label}`, scale: /** @type {"diverging"} */ ("diverging"), low: -most, high: most, most: 22,
    value: (/** @type {number} */ i, /** @type {number} */ j) => (at(i, j) < n ? values.data[at(i, j)] : null),
    dot: flat ? (/** @type {number} */ i, /** @type {number} */ j) => flat.data[at(i, j)] === 1 : undefined,
    cell: (/** @type {number} */ i, /** @type {number} */ j) => at(i, j) < n ? `unit ${at(i, j)}: ${number(values.data[at(i, j)], 4)}${flat?.data[at(i, j)] ? ", saturated" : ""}` : "",
    onHover: (/** @type {[number, number]|null} */ cell) =>
      cell && at(...cell) < n ? explain.point(UNIT, {token: params().token, layer, unit: at(...cell)}) : explain.point(null),
    onLock: (/** @type {number} */ i, /** @type {number} */ j) => {
      if (at(i, j) >= n) return;
      selection.lock({unit: at(i, j)});
      explain.keep(UNIT, {token: params().token, layer, unit: at(i, j)});
    },
    marked: /** @type {[number, number]} */ ([Math.floor(unit / cols), unit % cols]),
  };
}

export default [plane, logit, units];
