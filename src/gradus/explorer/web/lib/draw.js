// Drawing: colour scales that every reader can tell apart, a heat map on canvas, bars, lines.

import {h, s, setStyle} from "./dom.js";
import {number} from "./format.js";

/** @typedef {"sequential"|"diverging"} Scale */

/** The colours of a scale from lowest to highest, as the theme has them. @param {Scale} scale @returns {[number, number, number][]} */
function stops(scale) {
  const style = getComputedStyle(document.documentElement);
  return [0, 1, 2, 3, 4].map((i) => rgb(style.getPropertyValue(`--${scale}-${i}`)));
}

/** @param {string} hex @returns {[number, number, number]} */
function rgb(hex) {
  const n = parseInt(hex.trim().slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

/**
 * A function from a number to a colour: sequential from low to high, diverging with 0 in the middle.
 * @param {Scale} scale @param {number} low @param {number} high
 * @returns {(value: number) => [number, number, number]} red, green, blue, 0 to 255
 */
export function colours(scale, low, high) {
  const five = stops(scale);
  const most = scale === "diverging" ? Math.max(Math.abs(low), Math.abs(high)) : 0;
  const from = scale === "diverging" ? -most : low;
  const range = (scale === "diverging" ? 2 * most : high - low) || 1;
  return (value) => {
    const at = Math.min(1, Math.max(0, (value - from) / range)) * 4;
    const i = Math.min(3, Math.floor(at)), t = at - i;
    const [a, b] = [five[i], five[i + 1]];
    return [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])];
  };
}

/** A colour for CSS. @param {[number, number, number]} colour */
export function css(colour) {
  return `rgb(${colour.map(Math.round).join(" ")})`;
}

/**
 * @typedef {Object} Heat
 * @property {number} rows
 * @property {number} cols
 * @property {(row: number, col: number) => number|null} value null: not there, such as what is masked
 * @property {string} label what it shows, for a screen reader
 * @property {Scale} [scale]
 * @property {number} [low]
 * @property {number} [high]
 * @property {(row: number, col: number) => string} [cell] what the readout says of a cell
 * @property {(row: number, col: number) => void} [onLock] a click, Enter or Space
 * @property {(cell: [number, number]|null) => void} [onHover] the cell under the pointer or the keys
 * @property {[number, number]|null} [marked] a cell to outline; -1 for a whole row or column
 * @property {number} [most] the largest side of a cell, in CSS pixels
 * @property {number} [least] the smallest
 * @property {number} [tall] the height of a row, where cells are not squares
 * @property {(row: number, col: number) => boolean} [dot] whether a cell is marked by a dot
 */

/**
 * A heat map: one canvas, which takes the focus and moves with the arrow keys. A readout below says what the cell is,
 * with `data-value`.
 * @param {Heat} options @returns {{element: HTMLElement, update: (options: Heat) => void, redraw: () => void}}
 */
export function heatmap(options) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", {tabindex: 0, role: "img", class: "heat"}));
  const readout = h("p", {class: "readout", "aria-live": "polite"}, "\u00a0");
  const element = h("div", {class: "heat-frame"}, canvas, readout);
  /** @type {[number, number]|null} */
  let at = null;

  function draw() {
    const {rows, cols, value, scale = "sequential", marked} = options;
    const [low, high] = range(options);
    const colour = colours(scale, low, high);
    const ratio = window.devicePixelRatio || 1;
    const width = element.clientWidth || 320;
    const side = Math.max(options.least ?? 2, Math.min(options.most ?? 24, width / Math.max(1, cols)));
    const pixel = Math.max(1, Math.round(side * ratio));
    const tall = options.tall ? Math.max(1, Math.round(options.tall * ratio)) : pixel;
    canvas.width = cols * pixel;
    canvas.height = rows * tall;
    setStyle(canvas, {width: `${(cols * pixel) / ratio}px`, height: `${(rows * tall) / ratio}px`});
    const context = canvas.getContext("2d");
    if (!context) return;
    const style = getComputedStyle(document.documentElement);
    const unusual = style.getPropertyValue("--unusual").trim();
    const gap = Math.min(pixel, tall) > 8 ? 1 : 0;
    const dots = [];
    for (let row = 0; row < rows; row++) {
      for (let col = 0; col < cols; col++) {
        const number = value(row, col);
        if (number === null) continue;
        context.fillStyle = Number.isFinite(number) ? css(colour(number)) : unusual;
        context.fillRect(col * pixel, row * tall, pixel - gap, tall - gap);
        if (options.dot?.(row, col)) dots.push([(col + 0.5) * pixel - gap / 2, (row + 0.5) * tall - gap / 2]);
      }
    }
    context.fillStyle = style.getPropertyValue("--card").trim();
    for (const [x, y] of dots) {
      context.beginPath();
      context.arc(x, y, Math.max(1.5, Math.min(pixel, tall) / 6), 0, 7);
      context.fill();
    }
    context.strokeStyle = style.getPropertyValue("--accent").trim();
    context.lineWidth = Math.max(2, ratio * 2);
    for (const cell of [marked, at]) if (cell) outline(context, cell, pixel, tall, rows, cols);
  }

  /** @param {[number, number]|null} cell */
  function show(cell) {
    if (cell?.[0] === at?.[0] && cell?.[1] === at?.[1]) return;
    at = cell;
    const value = cell ? options.value(...cell) : null;
    readout.textContent = cell ? options.cell?.(...cell) ?? number(value, 4) : "\u00a0";
    if (value === null) readout.removeAttribute("data-value");
    else readout.setAttribute("data-value", String(value));
    draw();
    options.onHover?.(cell);
  }

  /** @param {PointerEvent|MouseEvent} event @returns {[number, number]} */
  function under(event) {
    const box = canvas.getBoundingClientRect();
    const clamp = (/** @type {number} */ x, /** @type {number} */ n) => Math.min(n - 1, Math.max(0, Math.floor(x)));
    return [
      clamp(((event.clientY - box.top) / box.height) * options.rows, options.rows),
      clamp(((event.clientX - box.left) / box.width) * options.cols, options.cols),
    ];
  }

  canvas.addEventListener("pointermove", (event) => show(under(event)));
  canvas.addEventListener("pointerleave", () => show(null));
  canvas.addEventListener("click", (event) => options.onLock?.(...under(event)));
  canvas.addEventListener("focus", () => {
    if (canvas.matches(":focus-visible")) show(at ?? options.marked ?? [0, 0]);
  });
  canvas.addEventListener("blur", () => show(null));
  canvas.addEventListener("keydown", (event) => {
    const [row, col] = at ?? [0, 0];
    const by = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (by) show([Math.min(options.rows - 1, Math.max(0, row + by[0])), Math.min(options.cols - 1, Math.max(0, col + by[1]))]);
    else if (event.key === "Enter" || event.key === " ") options.onLock?.(row, col);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  let width = 0;
  new ResizeObserver(() => {
    if (element.clientWidth !== width) {
      width = element.clientWidth;
      draw();
    }
  }).observe(element);
  document.addEventListener("themechange", () => {
    if (element.isConnected) draw();
  });
  canvas.setAttribute("aria-label", options.label);
  return {
    element,
    update(next) {
      options = next;
      canvas.setAttribute("aria-label", next.label);
      if (at && (at[0] >= next.rows || at[1] >= next.cols)) at = null;
      draw();
    },
    redraw: draw,
  };
}

/** @param {Heat} options @returns {[number, number]} */
function range({rows, cols, value, low, high}) {
  let least = Infinity, most = -Infinity;
  if (low === undefined || high === undefined) {
    for (let row = 0; row < rows; row++)
      for (let col = 0; col < cols; col++) {
        const number = value(row, col);
        if (number === null || !Number.isFinite(number)) continue;
        least = Math.min(least, number);
        most = Math.max(most, number);
      }
  }
  return [low ?? (Number.isFinite(least) ? least : 0), high ?? (Number.isFinite(most) ? most : 1)];
}

/** @param {CanvasRenderingContext2D} context @param {[number, number]} cell @param {number} pixel @param {number} tall @param {number} rows @param {number} cols */
function outline(context, [row, col], pixel, tall, rows, cols) {
  const x = col < 0 ? 0 : col * pixel, y = row < 0 ? 0 : row * tall;
  const w = col < 0 ? cols * pixel : pixel, t = row < 0 ? rows * tall : tall;
  context.strokeRect(x + 1, y + 1, Math.max(1, w - 2), Math.max(1, t - 2));
}

/**
 * Horizontal bars with their labels and numbers: a list that a screen reader reads.
 * @param {{label: string, value: number, text: string, title?: string, part?: number}[]} rows part: the bar's length, 0 to 1, by
 *   default the value's part of the largest
 * @returns {HTMLElement}
 */
export function bars(rows) {
  const most = Math.max(...rows.map((row) => (Number.isFinite(row.value) ? row.value : 0)), 1e-30);
  return h("ul", {class: "bars"}, rows.map((row) =>
    h("li", {title: row.title, "data-value": row.value},
      h("span", {class: "bars-label"}, row.label),
      h("span", {class: "bars-track"}, h("span", {class: "bars-bar", style: {width: `${100 * Math.max(0, Math.min(1, row.part ?? row.value / most))}%`}})),
      h("span", {class: "bars-text"}, row.text))));
}

/**
 * Lines in a plane with axes.
 * @param {{lines: {name: string, x: ArrayLike<number>, y: ArrayLike<number>, class?: string}[], label: string, width?: number, height?: number, xLabel?: string, yLabel?: string, low?: number, high?: number, at?: number|null}} options
 *   at: where on the x axis a vertical line stands
 * @returns {SVGElement}
 */
export function lines({lines: drawn, label, width = 560, height = 220, xLabel = "", yLabel = "", low, high, at = null}) {
  const [left, right, top, bottom] = [52, 14, 14, 34];
  const xs = drawn.flatMap((line) => Array.from(line.x)), ys = drawn.flatMap((line) => Array.from(line.y)).filter(Number.isFinite);
  const [x0, x1] = ends(xs), [y0, y1] = [low ?? ends(ys)[0], high ?? ends(ys)[1]];
  const x = (/** @type {number} */ v) => left + ((v - x0) / (x1 - x0 || 1)) * (width - left - right);
  const y = (/** @type {number} */ v) => height - bottom - ((v - y0) / (y1 - y0 || 1)) * (height - top - bottom);
  const grid = ticks(y0, y1).map((tick) => [
    s("line", {class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick)}),
    s("text", {class: "tick", x: left - 6, y: y(tick) + 4, "text-anchor": "end"}, short(tick)),
  ]);
  const marks = ticks(x0, x1).map((tick) => s("text", {class: "tick", x: x(tick), y: height - bottom + 16, "text-anchor": "middle"}, short(tick)));
  const paths = drawn.map((line, i) => s("path", {class: `line line-${i} ${line.class ?? ""}`, d: path(line, x, y)}, s("title", {}, line.name)));
  const stand = at === null ? null : s("line", {class: "stand", x1: x(at), x2: x(at), y1: top, y2: height - bottom});
  return s("svg", {class: "lines", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label},
    grid.flat(), marks, stand, paths,
    xLabel && s("text", {class: "tick", x: width - right, y: height - 4, "text-anchor": "end"}, xLabel),
    yLabel && s("text", {class: "tick", x: 4, y: 10}, yLabel));
}

/** @param {{x: ArrayLike<number>, y: ArrayLike<number>}} line @param {(v: number) => number} x @param {(v: number) => number} y */
function path(line, x, y) {
  let out = "", pen = "M";
  for (let i = 0; i < line.x.length; i++) {
    if (!Number.isFinite(line.y[i])) {
      pen = "M";
      continue;
    }
    out += `${pen}${x(line.x[i]).toFixed(1)} ${y(line.y[i]).toFixed(1)}`;
    pen = "L";
  }
  return out;
}

/** @param {number[]} values @returns {[number, number]} */
function ends(values) {
  let least = Infinity, most = -Infinity;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return least <= most ? [least, most] : [0, 1];
}

/** Round numbers between two, about five. @param {number} low @param {number} high @returns {number[]} */
export function ticks(low, high) {
  const rough = (high - low) / 5;
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((n) => n * power >= rough) ?? 10) * power;
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) out.push(i * step);
  return out;
}

/** @param {number} value */
function short(value) {
  return Number(value.toPrecision(4)).toLocaleString("en-US", {maximumFractionDigits: 6}).replace("-", "\u2212");
}
