// A chart of measurements over time: lines and points, a logarithm on either axis, named level lines, moments to click.

import {h, s} from "../../lib/dom.js";
import {number} from "../../lib/format.js";
import {ticks} from "../../lib/draw.js";

/**
 * @typedef {Object} Series
 * @property {string} name
 * @property {ArrayLike<number|null>} x
 * @property {ArrayLike<number|null>} y
 * @property {string} [class] line-0 … line-3, or thin
 * @property {boolean} [points] points in place of a line
 */
/**
 * @typedef {Object} Chart
 * @property {string} label
 * @property {Series[]} series
 * @property {{name: string, y: number}[]} [levels] horizontal lines with their names
 * @property {number[]} [moments] where on the x axis something can be picked
 * @property {number|null} [at] which x is picked
 * @property {(index: number) => void} [onPick]
 * @property {boolean} [logX]
 * @property {boolean} [logY]
 * @property {string} xLabel
 * @property {string} yLabel
 * @property {number} [height]
 */

/** @param {number} width @param {Chart} options @returns {SVGElement} */
export function chart(width, {label, series, levels = [], moments = [], at = null, onPick, logX = false, logY = false, xLabel, yLabel, height = 280}) {
  const narrow = width < 520;
  const [left, right, top, bottom] = [48, levels.length && !narrow ? 176 : 16, 26, 40];
  const fx = (/** @type {number} */ v) => (logX ? Math.log2(1 + v) : v);
  const fy = (/** @type {number} */ v) => (logY ? Math.log10(Math.max(v, 1e-12)) : v);
  const drawn = series.map((one) => ({...one, pairs: pairs(one).filter(([, y]) => !logY || y > 0)}));
  const xs = [...drawn.flatMap((one) => one.pairs.map(([x]) => fx(x))), ...moments.map(fx)];
  const ys = [...drawn.flatMap((one) => one.pairs.map(([, y]) => fy(y))), ...levels.map((level) => fy(level.y))];
  const [x0, x1] = span(xs), [low, high] = span(ys);
  const room = (high - low || 1) * 0.04;
  const [y0, y1] = logY ? [Math.floor(low), Math.ceil(high)] : [low - room, high + room];
  const px = (/** @type {number} */ v) => left + ((fx(v) - x0) / (x1 - x0 || 1)) * (width - left - right);
  const py = (/** @type {number} */ v) => height - bottom - ((fy(v) - y0) / (y1 - y0 || 1)) * (height - top - bottom);
  const yTicks = logY ? range(y0, y1).map((n) => 10 ** n) : ticks(y0, y1);
  const xTicks = logX ? powers(2 ** x1 - 1) : ticks(x0, x1);
  const parts = [
    ...yTicks.flatMap((tick) => [
      s("line", {class: "grid", x1: left, x2: width - right, y1: py(tick), y2: py(tick)}),
      s("text", {class: "tick", x: left - 6, y: py(tick) + 4, "text-anchor": "end"}, logY ? power(tick) : short(tick)),
    ]),
    ...spaced(xTicks, px, 44).map((tick) => s("text", {class: "tick", x: px(tick), y: height - bottom + 18, "text-anchor": "middle"}, short(tick))),
    s("text", {class: "tick", x: width - right, y: height - 6, "text-anchor": "end"}, xLabel),
    s("text", {class: "tick", x: 0, y: 12}, yLabel),
  ];
  const places = apart(levels.map((level) => py(level.y)), 15);
  levels.forEach((level, i) => {
    const y = py(level.y);
    parts.push(s("line", {class: "level", x1: left, x2: width - right, y1: y, y2: y, "data-value": level.y}));
    parts.push(s("text", {class: "level-name", x: narrow ? width - right - 2 : width - right + 8, y: narrow ? y - 4 : places[i] + 4, "text-anchor": narrow ? "end" : "start"}, level.name));
  });
  for (const one of drawn) {
    if (one.points) for (const [x, y] of one.pairs) parts.push(s("circle", {class: `point ${one.class ?? ""}`, cx: px(x), cy: py(y), r: 3.5, "data-value": y}, s("title", {}, `${one.name}: ${number(y, 3)} at ${short(x)}`)));
    else parts.push(s("path", {class: `line ${one.class ?? ""}`, d: path(one.pairs, px, py)}, s("title", {}, one.name)));
  }
  if (at !== null && moments.length) parts.push(s("line", {class: "stand", x1: px(at), x2: px(at), y1: top, y2: height - bottom}));
  moments.forEach((step, i) => {
    parts.push(s("circle", {class: `moment${step === at ? " is-at" : ""}`, cx: px(step), cy: height - bottom, r: step === at ? 6 : 4, onclick: () => onPick?.(i)},
      s("title", {}, `look at step ${step}`)));
  });
  return s("svg", {class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label}, parts);
}

/** What the lines mean. @param {Series[]} series */
export function legend(series) {
  return h("ul", {class: "lr-legend"}, series.map((one) => h("li", {}, s("svg", {width: 22, height: 10, "aria-hidden": "true"},
    one.points ? s("circle", {class: `point ${one.class ?? ""}`, cx: 11, cy: 5, r: 3.5}) : s("path", {class: `line ${one.class ?? ""}`, d: "M0 5H22"})), one.name)));
}

/** An element that draws anew when its width changes. @param {(width: number) => Node|null} draw */
export function sized(draw) {
  const element = h("div", {class: "lr-sized"});
  let width = 0;
  const redraw = () => {
    if (!width) width = Math.floor(element.clientWidth);
    const made = width ? draw(width) : null;
    element.replaceChildren(...(made ? [made] : []));
  };
  new ResizeObserver(() => {
    const now = Math.floor(element.clientWidth);
    if (now && now !== width) {
      width = now;
      redraw();
    }
  }).observe(element);
  return {element, redraw};
}

/** @param {Series} one @returns {[number, number][]} */
function pairs(one) {
  /** @type {[number, number][]} */
  const out = [];
  for (let i = 0; i < one.x.length; i++) {
    const x = one.x[i], y = one.y[i];
    if (x !== null && y !== null && Number.isFinite(x) && Number.isFinite(y)) out.push([x, y]);
  }
  return out;
}

/** @param {[number, number][]} points @param {(v: number) => number} px @param {(v: number) => number} py */
function path(points, px, py) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join("");
}

/** @param {number[]} values @returns {[number, number]} */
function span(values) {
  return values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
}

/** @param {number} from @param {number} to */
function range(from, to) {
  return Array.from({length: to - from + 1}, (_, i) => from + i);
}

/** 0, 1, 10, 100 … up to a number. @param {number} most */
function powers(most) {
  const out = [0];
  for (let n = 1; n <= most * 1.001; n *= 10) out.push(n, ...(3 * n <= most ? [3 * n] : []));
  return out;
}

/** Those that stand far enough apart to be read. @param {number[]} values @param {(v: number) => number} px @param {number} least */
function spaced(values, px, least) {
  let last = -Infinity;
  return values.filter((value) => {
    if (px(value) - last < least) return false;
    last = px(value);
    return true;
  });
}

/** Places that are at least so far apart, in the order that they have. @param {number[]} places @param {number} least */
function apart(places, least) {
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  const out = [...places];
  for (let k = 1; k < order.length; k++) out[order[k]] = Math.max(out[order[k]], out[order[k - 1]] + least);
  return out;
}

/** @param {number} value */
function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return Number(value.toPrecision(4)).toLocaleString("en-US").replace("-", "\u2212");
}

/** A power of ten. @param {number} value */
function power(value) {
  const n = Math.round(Math.log10(value));
  return n >= 0 && n <= 3 ? String(10 ** n) : `10${[...String(n)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)] ?? "⁻").join("")}`;
}
