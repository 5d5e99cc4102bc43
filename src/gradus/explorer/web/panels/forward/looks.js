// What the words of one text looked at in another, or in their own: a chooser of heads in small, the weights as a map, and
// as lines between the words. For the transformer and the encoder.

import {h, renew, replace, s, setStyle} from "../../lib/dom.js";
import {colours, css} from "../../lib/draw.js";
import * as format from "../../lib/format.js";
import * as state from "../../lib/state.js";

state.define({"looks.row": null, "looks.col": null});

const CELL = 44, LEAST = 3, HIGH = 520; // the largest side of a cell, the smallest, and how high the map may be, in pixels
const NAMED = 11; // the smallest cell whose row and column have their names
const MOST_LINES = 80; // words on a side, between which lines are drawn
const STEP = 24; // pixels from word to word
const NARROW = 800; // of the whole, under which the lines stand below the map
const SMALL = 52; // the side of a head in small

/**
 * @typedef {Object} Looks
 * @property {import("../../lib/wire.js").Numbers} weights (heads, rows, cols)
 * @property {import("../../lib/wire.js").Numbers} mean (rows, cols)
 * @property {number} layer
 * @property {string[]} rows the words that look, down the side
 * @property {string[]} cols those that are looked at, across the top
 * @property {string} asks what the rows are, such as "the word to be written"
 * @property {string} seen what the columns are
 * @property {boolean} causal whether a row sees no later column
 * @property {(row: number) => string} says what stands for a row in a sentence
 */

/**
 * @param {(head: number, row: number) => Promise<any>} row the queries, keys, scores and weights of a row in one head
 * @returns {{element: HTMLElement, update: (looks: Looks) => void, destroy: () => void}}
 */
export function attentionView(row) {
  /** @type {Looks|null} */
  let shown = null;
  /** @type {[number|null, number|null]} */
  let hovered = [null, null];
  const heads = h("div", {class: "looks-heads", role: "group", "aria-label": "Heads"});
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", {class: "looks-map", tabindex: 0, role: "img"}));
  const frame = h("div", {class: "looks-frame"}, canvas);
  const lines = h("div", {class: "looks-lines"});
  const readout = h("p", {class: "readout looks-readout", "aria-live": "polite"});
  const sum = h("p", {class: "looks-sum"});
  const element = h("div", {class: "looks"}, heads,
    h("div", {class: "looks-both"}, frame, lines), readout, sum);
  let geometry = {left: 0, top: 0, side: 1};

  const at = () => {
    const now = state.get();
    return hovered[0] !== null || hovered[1] !== null ? hovered : /** @type {[number|null, number|null]} */ ([now["looks.row"], now["looks.col"]]);
  };
  const weight = (/** @type {number} */ r, /** @type {number} */ c) => {
    const head = headOf();
    if (!shown || (shown.causal && c > r)) return null;
    return head === null ? shown.mean.at(r, c) : shown.weights.at(head, r, c);
  };
  const headOf = () => {
    const {head} = state.get();
    return shown && head !== null && head < shown.weights.shape[0] ? head : null;
  };

  /** @param {number|null} r @param {number|null} c */
  function hover(r, c) {
    if (hovered[0] === r && hovered[1] === c) return;
    hovered = [r, c];
    mark();
  }

  /** @param {number|null} r @param {number|null} c */
  function lock(r, c) {
    const now = state.get();
    const same = now["looks.row"] === r && now["looks.col"] === c;
    state.set({"looks.row": same ? null : r, "looks.col": same ? null : c});
  }

  // The map

  function drawMap() {
    if (!shown) return;
    const {rows, cols} = shown;
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const font = `12px ${colour("--mono")}`;
    pen.font = font;
    const longest = (/** @type {string[]} */ words) => Math.min(110, Math.max(8, ...words.map((word) => pen.measureText(word).width)));
    const across = longest(cols) > 14;
    const whole = element.clientWidth || 320;
    const room = whole > NARROW ? Math.floor(0.58 * whole) : whole;
    let left = longest(rows) + 10, top = (across ? longest(cols) : 14) + 8;
    let side = Math.max(LEAST, Math.min(CELL, Math.floor((room - left - 2) / cols.length), Math.max(18, Math.floor(HIGH / rows.length))));
    if (side < NAMED) {
      left = top = 2;
      side = Math.max(LEAST, Math.min(CELL, (room - 4) / cols.length));
    }
    geometry = {left, top, side};
    const width = left + side * cols.length + 2, height = top + side * rows.length + 2;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.ceil(width * ratio);
    canvas.height = Math.ceil(height * ratio);
    setStyle(canvas, {width: `${width}px`, height: `${height}px`});
    pen.scale(ratio, ratio);
    pen.font = font;
    const [row, col] = at();
    const fill = colours("sequential", 0, 1);
    const gap = side > 6 ? 1 : 0;
    for (let r = 0; r < rows.length; r++)
      for (let c = 0; c < cols.length; c++) {
        const value = weight(r, c);
        if (value === null) continue;
        pen.fillStyle = css(fill(value));
        pen.fillRect(left + c * side, top + r * side, side - gap, side - gap);
      }
    if (left > 2) {
      pen.textBaseline = "middle";
      rows.forEach((word, r) => {
        pen.textAlign = "right";
        pen.fillStyle = colour(r === row ? "--accent" : "--ink");
        pen.fillText(clipped(pen, word), left - 6, top + (r + 0.5) * side);
      });
      cols.forEach((word, c) => {
        pen.save();
        pen.translate(left + (c + 0.5) * side, top - 6);
        if (across) pen.rotate(-Math.PI / 2);
        pen.textAlign = across ? "left" : "center";
        pen.textBaseline = across ? "middle" : "alphabetic";
        pen.fillStyle = colour(c === col ? "--accent" : "--ink");
        pen.fillText(clipped(pen, word), 0, 0);
        pen.restore();
      });
    }
    pen.strokeStyle = colour("--drawn");
    pen.lineWidth = 2;
    if (row !== null && col !== null) pen.strokeRect(left + col * side - 1, top + row * side - 1, side + 1, side + 1);
    else if (row !== null) pen.strokeRect(left - 1, top + row * side - 1, side * cols.length + 1, side + 1);
    else if (col !== null) pen.strokeRect(left + col * side - 1, top - 1, side + 1, side * rows.length + 1);
    canvas.setAttribute("aria-label", `A map of attention: ${rows.length} rows, ${shown.asks}; ${cols.length} columns, ${shown.seen}. Arrow keys move, Enter locks a cell.`);
  }

  /** @param {PointerEvent|MouseEvent} event @returns {[number, number]|null} */
  function under(event) {
    if (!shown) return null;
    const box = canvas.getBoundingClientRect();
    const c = Math.floor((event.clientX - box.left - geometry.left) / geometry.side);
    const r = Math.floor((event.clientY - box.top - geometry.top) / geometry.side);
    return r >= 0 && c >= 0 && r < shown.rows.length && c < shown.cols.length && weight(r, c) !== null ? [r, c] : null;
  }
  canvas.addEventListener("pointermove", (event) => {
    const cell = under(event);
    hover(cell && cell[0], cell && cell[1]);
  });
  canvas.addEventListener("pointerleave", () => hover(null, null));
  canvas.addEventListener("blur", () => hover(null, null));
  canvas.addEventListener("click", (event) => {
    const cell = under(event);
    if (cell) lock(...cell);
  });
  canvas.addEventListener("keydown", (event) => {
    if (!shown) return;
    const [r, c] = at();
    const by = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (by) {
      const row = Math.min(shown.rows.length - 1, Math.max(0, (r ?? 0) + (r === null ? 0 : by[0])));
      const col = Math.min(shown.cols.length - 1, Math.max(0, (c ?? 0) + (c === null ? 0 : by[1])));
      hover(row, shown.causal ? Math.min(row, col) : col);
    } else if (event.key === "Enter" || event.key === " ") lock(r, c);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // The lines

  function drawLines() {
    if (!shown) return;
    const {rows, cols} = shown;
    if (Math.max(rows.length, cols.length) > MOST_LINES) {
      replace(lines, h("p", {class: "note"}, `Lines are drawn between at most ${MOST_LINES} words.`));
      return;
    }
    const width = Math.max(260, Math.min(460, element.clientWidth)), height = STEP * Math.max(rows.length, cols.length) + 30;
    const edge = Math.min(130, width * 0.3);
    const y = (/** @type {number} */ i) => 38 + STEP * i;
    const drawn = [];
    for (let r = 0; r < rows.length; r++)
      for (let c = 0; c < cols.length; c++) {
        const value = weight(r, c);
        if (value === null || value < 0.02) continue;
        drawn.push(s("path", {
          class: "looks-line", "data-row": r, "data-col": c, "stroke-width": (0.6 + 5 * value).toFixed(2), "stroke-opacity": Math.min(1, 0.12 + value).toFixed(2),
          d: `M${edge} ${y(c) - 4}C${width / 2} ${y(c) - 4} ${width / 2} ${y(r) - 4} ${width - edge} ${y(r) - 4}`,
        }));
      }
    const word = (/** @type {string} */ text, /** @type {number} */ i, /** @type {"row"|"col"} */ side) => {
      const item = s("text", {
        class: "looks-word", x: side === "col" ? edge - 8 : width - edge + 8, y: y(i), "text-anchor": side === "col" ? "end" : "start", tabindex: -1, role: "button",
        [`data-${side}`]: i, "aria-label": `${side === "row" ? shown?.asks : shown?.seen}: ${format.spoken(text)}`,
      }, text.length > 16 ? `${text.slice(0, 15)}…` : text);
      const [r, c] = side === "row" ? [i, null] : [null, i];
      item.addEventListener("pointerenter", () => hover(r, c));
      item.addEventListener("pointerleave", () => hover(null, null));
      item.addEventListener("click", () => lock(r, c));
      return item;
    };
    replace(lines, s("svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": "The same as lines: the more weight, the thicker"},
      s("text", {class: "looks-side", x: edge - 8, y: 14, "text-anchor": "end"}, shown.seen),
      s("text", {class: "looks-side", x: width - edge + 8, y: 14}, shown.asks),
      drawn, cols.map((text, i) => word(text, i, "col")), rows.map((text, i) => word(text, i, "row"))));
  }

  /** Show what is under the pointer or locked, in the map, in the lines, and in words. */
  function mark() {
    drawMap();
    const [row, col] = at();
    const some = row !== null || col !== null;
    for (const line of lines.querySelectorAll(".looks-line")) {
      const is = (row === null || Number(line.getAttribute("data-row")) === row) && (col === null || Number(line.getAttribute("data-col")) === col);
      line.classList.toggle("is-off", some && !is);
      line.classList.toggle("is-on", some && is);
    }
    for (const word of lines.querySelectorAll(".looks-word")) {
      const is = (row !== null && word.getAttribute("data-row") === String(row)) || (col !== null && word.getAttribute("data-col") === String(col));
      word.classList.toggle("is-on", is);
    }
    void tell(row, col);
  }

  let telling = 0;
  /** The row that was asked for last. @type {{key: string, one: any}|null} */
  let known = null;
  /** @param {number|null} r @param {number|null} c */
  async function tell(r, c) {
    const mine = ++telling;
    if (!shown) return;
    const head = headOf();
    const value = r !== null && c !== null && r < shown.rows.length && c < shown.cols.length ? weight(r, c) : null;
    if (r === null || c === null || value === null) {
      readout.textContent = "Point at a cell or at a word; click to lock it.";
      readout.removeAttribute("data-value");
      sum.textContent = head === null ? "The mean of all heads is shown. Choose one head to see how its numbers come about." : "";
      return;
    }
    const who = head === null ? `on the mean of the heads of layer ${shown.layer}` : `head ${head} of layer ${shown.layer}`;
    readout.textContent = `${shown.says(r)}, ${who} gives “${shown.cols[c]}” ${format.percent(value)} of its attention.`;
    readout.setAttribute("data-value", String(value));
    if (head === null) {
      sum.textContent = "Choose one head to see how this number comes about.";
      return;
    }
    const key = JSON.stringify([head, r]);
    if (known?.key !== key) {
      sum.textContent = "";
      const one = await row(head, r);
      if (mine !== telling || !shown) return;
      known = {key, one};
    }
    const {one} = known;
    replace(sum, formula(one, c));
    readout.setAttribute("data-value", String(one.weights.data[c]));
  }

  // The heads

  function drawHeads() {
    if (!shown) return;
    const {weights, mean} = shown;
    const head = headOf();
    renew(heads, [null, ...Array.from({length: weights.shape[0]}, (_, i) => i)].map((number) => {
      const small = /** @type {HTMLCanvasElement} */ (h("canvas", {"aria-hidden": true}));
      inSmall(small, number === null ? mean : weights.sub(number), shown?.causal ?? false);
      return h("button", {
        type: "button", class: "looks-head", "aria-pressed": String(number === head), "aria-label": number === null ? "The mean of the heads" : `Head ${number}`,
        onclick: () => state.set({head: number}),
      }, small, h("span", {}, number === null ? "mean" : `head ${number}`));
    }));
  }

  const redraw = () => {
    drawHeads();
    drawLines();
    mark();
  };
  let width = 0;
  const observer = new ResizeObserver(() => {
    if (element.clientWidth === width) return;
    width = element.clientWidth;
    drawLines();
    mark();
  });
  observer.observe(element);
  document.addEventListener("themechange", redraw);
  const onEscape = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && !/** @type {HTMLElement} */ (event.target).matches("input, textarea, select")) state.set({"looks.row": null, "looks.col": null});
  };
  document.addEventListener("keydown", onEscape);
  return {
    element,
    update(looks) {
      if (shown?.weights !== looks.weights) known = null;
      shown = looks;
      redraw();
    },
    destroy() {
      observer.disconnect();
      document.removeEventListener("themechange", redraw);
      document.removeEventListener("keydown", onEscape);
    },
  };
}

/** Buttons of which one is chosen. @param {string} label @param {{value: any, text: string}[]} choices @param {any} chosen @param {(value: any) => void} choose */
export function chooser(label, choices, chosen, choose) {
  return h("div", {class: "looks-chooser", role: "group", "aria-label": label}, h("span", {class: "looks-label"}, label),
    choices.map(({value, text}) => h("button", {type: "button", class: "quiet", "aria-pressed": String(value === chosen), onclick: () => choose(value)}, text)));
}

/** @param {HTMLCanvasElement} canvas @param {import("../../lib/wire.js").Numbers} weights @param {boolean} causal */
function inSmall(canvas, weights, causal) {
  const [rows, cols] = weights.shape;
  const side = Math.min(SMALL, Math.max(rows, cols)), ratio = SMALL / side;
  canvas.width = canvas.height = SMALL * 2;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const fill = colours("sequential", 0, 1);
  const w = (2 * SMALL) / cols, t = (2 * SMALL) / rows;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++) {
      if (causal && c > r) continue;
      const value = weights.at(r, c);
      if (ratio < 1 && value < 0.01) continue;
      pen.fillStyle = css(fill(value));
      pen.fillRect(c * w, r * t, Math.ceil(w), Math.ceil(t));
    }
}

/** How a weight comes about. @param {any} one a row @param {number} c */
function formula(one, c) {
  const query = one.query.data, key = one.keys.sub(c).data, hs = query.length;
  const products = Array.from({length: Math.min(2, hs)}, (_, i) => `${signed(query[i])} · ${signed(key[i])}`).join(" + ");
  const score = one.scores.data[c];
  return [
    h("span", {}, `query · key / √${hs} = (${products}${hs > 2 ? ` + … ${hs} products` : ""}) / ${format.number(Math.sqrt(hs), 2)} = `),
    h("strong", {"data-value": score, class: "looks-score"}, format.number(score, 3)),
    h("span", {}, `; softmax: exp(${format.number(score, 2)}), divided by the same of all ${one.scores.length} that are seen, = `),
    h("strong", {"data-value": one.weights.data[c], class: "looks-weight"}, format.percent(one.weights.data[c])),
  ];
}

/** @param {number} value */
function signed(value) {
  return value < 0 ? `(${format.number(value)})` : format.number(value);
}

/** @param {CanvasRenderingContext2D} pen @param {string} word */
function clipped(pen, word) {
  let text = word;
  while (text.length > 1 && pen.measureText(text).width > 110) text = text.slice(0, -1);
  return text === word ? word : `${text.slice(0, -1)}…`;
}
