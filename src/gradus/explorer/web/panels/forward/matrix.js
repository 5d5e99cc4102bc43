// A heat map with the tokens along its sides.

import {h, replace, setStyle} from "../../lib/dom.js";
import {heatmap} from "../../lib/draw.js";
import {token} from "../../lib/format.js";

/** @typedef {import("../../lib/draw.js").Heat & {rowLabels?: string[], colLabels?: string[], rowMark?: number|null, colMark?: number|null}} Matrix */

/**
 * A heat map whose rows and columns have labels, as far as there is room for them.
 * @param {Matrix} options @returns {{element: HTMLElement, update: (options: Matrix) => void}}
 */
export function matrix(options) {
  const map = heatmap(options);
  const canvas = /** @type {HTMLCanvasElement} */ (map.element.querySelector("canvas"));
  const above = h("div", {class: "labels at-top", "aria-hidden": "true"});
  const beside = h("div", {class: "labels at-side", "aria-hidden": "true"});
  const corner = h("div", {});
  const element = h("div", {class: "matrix"}, corner, above, beside, map.element);

  function label() {
    const box = {width: canvas.clientWidth, height: canvas.clientHeight};
    setStyle(above, {width: `${box.width}px`});
    setStyle(beside, {height: `${box.height}px`});
    side(above, options.colLabels ?? [], options.cols, box.width, options.colMark ?? null, "left");
    side(beside, options.rowLabels ?? [], options.rows, box.height, options.rowMark ?? null, "top");
  }
  new ResizeObserver(label).observe(canvas);
  return {
    element,
    update(next) {
      options = next;
      map.update(next);
      label();
    },
  };
}

/** @param {HTMLElement} strip @param {string[]} names @param {number} n @param {number} size in pixels @param {number|null} marked @param {"left"|"top"} edge */
function side(strip, names, n, size, marked, edge) {
  const every = Math.max(1, Math.ceil(10 / Math.max(0.1, size / n)));
  replace(strip, names.map((name, i) => {
    if (i % every && i !== marked) return null;
    const near = marked !== null && i !== marked && Math.abs(i - marked) < every;
    return near ? null : h("span", {class: i === marked ? "marked" : "", style: {[edge]: `${((i + 0.5) / n) * 100}%`}}, token(name));
  }));
}
