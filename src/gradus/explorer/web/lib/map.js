// A map of cells with names along both sides, where there is room for them. What is not there, such as what a position
// cannot see, is hatched: that is something else than 0. One canvas, drawn from a small bitmap, which takes the focus and
// moves with the arrow keys.

import {h, replace, setStyle} from "./dom.js";
import {colours, css} from "./draw.js";

/**
 * @typedef {Object} Shown
 * @property {number} rows
 * @property {number} cols
 * @property {(row: number, col: number) => number|null} value null: not there
 * @property {(value: number) => [number, number, number]} [colour] by default that of a weight from 0 to 1
 * @property {string[]} rowNames
 * @property {string[]} colNames
 * @property {string} label for a screen reader
 * @property {[number, number]|null} [marked] a row and a column to outline; -1: all of them
 */
/**
 * @typedef {Object} Options
 * @property {(cell: [number, number]|null) => void} onHover
 * @property {(row: number, col: number) => void} onLock
 * @property {number} [most] the largest side of a cell, in CSS pixels
 * @property {number} [side] pixels for the names of the rows
 * @property {number} [tall] the largest height of a cell, if it is another
 */

const NAMED = 11; // pixels a cell needs for a name beside it

/**
 * @param {Options} options
 * @returns {{element: HTMLElement, update: (shown: Shown) => void}}
 */
export function namedMap({onHover, onLock, most = 26, tall = most, side: sideWidth = 40}) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", {tabindex: 0, role: "img", class: "heat hatched"}));
  const top = h("div", {class: "map-top", "aria-hidden": "true"}), side = h("div", {class: "map-side", "aria-hidden": "true"});
  const element = h("div", {class: "map", style: {"grid-template-columns": `${sideWidth}px minmax(0, 1fr)`}}, h("span"), top, side, canvas);
  /** @type {Shown|null} */
  let shown = null;
  /** @type {[number, number]|null} */
  let at = null;
  /** @type {HTMLCanvasElement} */
  let bitmap = document.createElement("canvas");

  function paint() {
    if (!shown) return;
    bitmap = painted(shown.rows, shown.cols, shown.value, shown.colour);
    place();
  }

  function place() {
    if (!shown) return;
    const room = element.clientWidth - sideWidth - 4;
    if (room <= 0) return;
    const cell = Math.min(most, Math.max(1, room / shown.cols)), high = tall === most ? cell : tall;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(cell * shown.cols), height = Math.round(high * shown.rows);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    setStyle(canvas, {width: `${width}px`, height: `${height}px`});
    setStyle(top, {width: `${width}px`});
    setStyle(side, {height: `${height}px`});
    const long = shown.colNames.some((name) => name.length > 1 && name.length * 7 > cell);
    top.classList.toggle("upright", long);
    replace(top, cell >= NAMED ? shown.colNames.map((name) => h("span", {}, name)) : null);
    replace(side, high >= NAMED ? shown.rowNames.map((name) => h("span", {}, name)) : null);
    outline();
  }

  function outline() {
    const context = canvas.getContext("2d");
    if (!context || !shown) return;
    const [w, v] = [canvas.width / shown.cols, canvas.height / shown.rows];
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = false;
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const style = getComputedStyle(document.documentElement);
    if (w > 8) {
      context.fillStyle = style.getPropertyValue("--card").trim();
      for (let col = 1; col < shown.cols; col++) context.fillRect(Math.round(col * w), 0, 1, canvas.height);
      for (let row = 1; row < shown.rows; row++) context.fillRect(0, Math.round(row * v), canvas.width, 1);
    }
    context.lineWidth = 2 * (window.devicePixelRatio || 1);
    context.strokeStyle = style.getPropertyValue("--accent").trim();
    const [row, col] = at ?? shown.marked ?? [-1, -1];
    if (row >= 0 && col < 0) context.strokeRect(0, row * v, canvas.width, v);
    if (col >= 0 && row < 0) context.strokeRect(col * w, 0, w, canvas.height);
    if (row >= 0 && col >= 0) {
      context.strokeStyle = style.getPropertyValue("--ink").trim();
      context.strokeRect(col * w, row * v, w, v);
    }
    [...top.children].forEach((name, i) => name.classList.toggle("is-shown", i === col));
    [...side.children].forEach((name, i) => name.classList.toggle("is-shown", i === row));
  }

  /** @param {[number, number]|null} cell */
  function show(cell) {
    if (cell?.[0] === at?.[0] && cell?.[1] === at?.[1]) return;
    at = cell;
    outline();
    onHover(cell && shown && shown.value(...cell) !== null ? cell : null);
  }

  /** @param {MouseEvent} event @returns {[number, number]} */
  function under(event) {
    const box = canvas.getBoundingClientRect(), {rows, cols} = /** @type {Shown} */ (shown);
    const clamp = (/** @type {number} */ x, /** @type {number} */ n) => Math.min(n - 1, Math.max(0, Math.floor(x)));
    return [clamp(((event.clientY - box.top) / box.height) * rows, rows), clamp(((event.clientX - box.left) / box.width) * cols, cols)];
  }

  canvas.addEventListener("pointermove", (event) => shown && show(under(event)));
  canvas.addEventListener("pointerleave", () => show(null));
  canvas.addEventListener("click", (event) => shown && onLock(...under(event)));
  canvas.addEventListener("focus", () => {
    if (!canvas.matches(":focus-visible") || !shown) return;
    const [row, col] = shown.marked ?? [shown.rows - 1, 0];
    show([row < 0 ? shown.rows - 1 : row, Math.max(0, col)]);
  });
  canvas.addEventListener("blur", () => show(null));
  canvas.addEventListener("keydown", (event) => {
    if (!shown) return;
    const [row, col] = at ?? [shown.rows - 1, 0];
    const by = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (by) show([Math.min(shown.rows - 1, Math.max(0, row + by[0])), Math.min(shown.cols - 1, Math.max(0, col + by[1]))]);
    else if (event.key === "Enter" || event.key === " ") onLock(row, col);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  let width = 0;
  new ResizeObserver(() => {
    if (element.clientWidth !== width) {
      width = element.clientWidth;
      place();
    }
  }).observe(element);
  return {
    element,
    update(next) {
      shown = next;
      if (at && (at[0] >= next.rows || at[1] >= next.cols)) at = null;
      canvas.setAttribute("aria-label", next.label);
      paint();
    },
  };
}

/** The colour of a weight from 0 to 1: by its root, so that small weights can be told apart. @returns {(weight: number) => [number, number, number]} */
export function weightColour() {
  const scale = colours("sequential", 0, 1), shades = Array.from({length: 256}, (_, i) => scale(i / 255));
  return (weight) => shades[Math.round(255 * Math.sqrt(Math.min(1, Math.max(0, weight))))] ?? [255, 0, 255];
}

/**
 * A bitmap of one pixel a cell; what is not there is transparent.
 * @param {number} rows @param {number} cols @param {(row: number, col: number) => number|null} value
 * @param {(value: number) => [number, number, number]} [colour]
 * @returns {HTMLCanvasElement}
 */
export function painted(rows, cols, value, colour = weightColour()) {
  const bitmap = document.createElement("canvas");
  bitmap.width = Math.max(1, cols);
  bitmap.height = Math.max(1, rows);
  const context = bitmap.getContext("2d");
  if (!context || !rows || !cols) return bitmap;
  const image = context.createImageData(cols, rows);
  for (let row = 0, place = 0; row < rows; row++)
    for (let col = 0; col < cols; col++, place += 4) {
      const one = value(row, col);
      if (one === null) continue;
      const shade = colour(one);
      image.data[place] = shade[0];
      image.data[place + 1] = shade[1];
      image.data[place + 2] = shade[2];
      image.data[place + 3] = 255;
    }
  context.putImageData(image, 0, 0);
  return bitmap;
}

/** What the colours of a map of weights mean. @returns {HTMLElement} */
export function weightLegend() {
  const weights = [0, 0.05, 0.25, 0.5, 1], colour = weightColour();
  return h("p", {class: "map-legend"}, "weight",
    weights.map((weight) => [
      h("span", {}, h("span", {class: "map-swatch", style: {background: css(colour(weight))}}), String(weight))]).flat(),
    h("span", {}, h("span", {class: "map-swatch hatched"}), "not seen: it comes later"));
}
