// One operation of the walk: what came in, what it hands on and to whom, its matrices, one cell spelled out, and the
// engine's own code.

import {h, replace} from "../../lib/dom.js";
import {heatmap} from "../../lib/draw.js";
import {count, number, shape, token} from "../../lib/format.js";
import {fine} from "./source.js";

/** @param {{choose: (operation: number) => void, input: (input: number) => void, cell: (row: number, col: number) => void}} then */
export function operationView(then) {
  const element = h("article", {class: "bw-detail", "aria-live": "off"});
  return {
    element,
    /** @param {any} step of the view backward/step @param {any} one of the view backward/operation */
    update(step, one) {
      const operation = step.operations[one.operation];
      const last = step.operations.length - 1;
      replace(element,
        h("header", {class: "bw-head"},
          h("h3", {}, one.name),
          h("span", {class: "bw-path"}, operation.group >= 0 ? `in ${step.groups[operation.group].name}` : ""),
          h("span", {class: "bw-nav"},
            h("button", {type: "button", class: "quiet", disabled: one.operation === 0, "aria-label": "The operation before in the walk", onclick: () => then.choose(one.operation - 1)}, "‹"),
            h("span", {class: "bw-where"}, `${one.operation + 1} of ${last + 1}`),
            h("button", {type: "button", class: "quiet", disabled: one.operation === last, "aria-label": "The next operation in the walk", onclick: () => then.choose(one.operation + 1)}, "›"))),
        operation.line ? h("p", {class: "bw-code-line"}, h("code", {}, operation.line.code), h("small", {}, ` ${operation.line.file}, line ${operation.line.line}`)) : null,
        h("pre", {class: "bw-formula"}, one.formula),
        flow(step, operation, one, then),
        one.said ? h("p", {class: "bw-rule"}, one.said) : null,
        h("div", {class: "bw-matrices"}, one.matrices.map((/** @type {any} */ matrix) => picture(matrix, matrix.key === "result" ? then.cell : null, one.causal && ["p", "ds"].includes(matrix.key))), one.cell ? spelled(one) : null),
        one.cell ? null : h("p", {class: "note"}, "Cell ", place(one), ": ", h("strong", {"data-part": "value", "data-value": one.value}, fine(one.value))),
        h("details", {class: "bw-steps"}, h("summary", {}, "The engine's code for this gradient"), h("pre", {class: "bw-formula"}, one.code)),
        one.kept.length
          ? h("p", {class: "note"}, "Kept from the forward pass for this: ", one.kept.map((/** @type {any} */ kept) => `${kept.name} ${shape(kept.shape)}${kept.bytes ? ` ${number(kept.bytes / 1000, 1)} kB` : ""}`).join(", "))
          : null);
    },
  };
}

/** What came in and what goes out. @param {any} step @param {any} operation @param {any} one @param {any} then */
function flow(step, operation, one, then) {
  const arrivals = operation.arrivals;
  const link = (/** @type {number} */ i) => h("button", {type: "button", class: "bw-link", onclick: () => then.choose(i)}, named(step, i));
  const came = arrivals.length === 0
    ? ["the beginning: the loss itself, gradient 1"]
    : arrivals.length === 1
      ? ["from ", link(arrivals[0].operation)]
      : ["the sum of ", arrivals.flatMap((/** @type {any} */ arrival, /** @type {number} */ i) => [i ? " and " : "", `${fine(arrival.norm)} from `, link(arrival.operation)])];
  return h("div", {class: "bw-flow-rows"},
    h("div", {class: "bw-flow-row"}, h("span", {class: "bw-side-name"}, "comes in"),
      h("span", {}, operation.shapes.map(shape).join(", "), ", size ", h("strong", {"data-part": "incoming", "data-value": operation.norm}, fine(operation.norm)), ", ", came)),
    h("div", {class: "bw-flow-row"}, h("span", {class: "bw-side-name"}, "handed on"),
      operation.handed.length
        ? h("span", {class: "bw-outs", role: "group", "aria-label": "Gradients handed on"}, operation.handed.map((/** @type {any} */ handed, /** @type {number} */ i) => h("button", {
          type: "button", class: "bw-out", "aria-pressed": String(i === one.input), "data-handed": i, "data-value": handed.norm, onclick: () => then.input(i),
        },
        h("strong", {}, `d${handed.name}`), h("span", {}, handed.parameter ? ` the weight ${short(handed.parameter)}` : ` to ${named(step, handed.operation)}`),
        h("small", {}, `${shape(handed.shape)}, size ${fine(handed.norm)}`))))
        : h("span", {}, "nothing")));
}

/** @param {any} step @param {number} i */
function named(step, i) {
  const {name, group} = step.operations[i];
  return group >= 0 && step.groups[group].parent >= 0 ? `${name} in ${short(step.groups[group].name)}` : name;
}

/** @param {string} name */
function short(name) {
  return name.replace(/^transformer\./, "");
}

/**
 * A matrix as a heat map with its title.
 * @param {any} matrix @param {((row: number, col: number) => void)|null} cell what a click on a cell does
 * @param {boolean} causal whether what is right of the diagonal is not there
 */
function picture(matrix, cell, causal) {
  const {values, first_row: r0, first_column: c0} = matrix;
  const [rows, cols] = values.shape;
  const name = (/** @type {string[]} */ names, /** @type {number} */ i, /** @type {number} */ from) => (names[i] === undefined ? String(from + i) : `${from + i} (${token(names[i])})`);
  let least = 0, most = 0;
  for (const value of values.data) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const size = Math.max(-least, most);
  const marked = matrix.row === null && matrix.column === null ? null : /** @type {[number, number]} */ ([matrix.row === null ? -1 : matrix.row - r0, matrix.column === null ? -1 : matrix.column - c0]);
  const probabilities = matrix.key === "p" || matrix.key === "local";
  const map = heatmap({
    rows, cols, value: (row, col) => (causal && c0 + col > r0 + row ? null : values.at(row, col)),
    label: `${matrix.title}, ${matrix.rows} rows and ${matrix.columns} columns`,
    scale: probabilities ? "sequential" : "diverging", low: probabilities ? least : -size, high: probabilities ? most : size,
    cell: (row, col) => `row ${name(matrix.row_names, row, r0)}, column ${name(matrix.column_names, col, c0)}: ${causal && c0 + col > r0 + row ? "masked: not there" : fine(values.at(row, col))}`,
    onLock: cell ? (row, col) => cell(r0 + row, c0 + col) : undefined,
    marked, most: rows <= 2 ? 20 : 13, least: 3, tall: rows <= 24 ? 13 : undefined,
  });
  const part = rows < matrix.rows || cols < matrix.columns
    ? ` · shown: rows ${count(r0)}–${count(r0 + rows - 1)}, columns ${count(c0)}–${count(c0 + cols - 1)}`
    : "";
  const labels = h("div", {class: "bw-row-names", "aria-hidden": "true"}, matrix.row_names.length ? matrix.row_names.map((/** @type {string} */ piece) => h("span", {}, token(piece))) : null);
  const frame = h("figure", {class: `bw-matrix${matrix.key === "result" ? " bw-result-matrix" : ""}`, "data-matrix": matrix.key},
    h("figcaption", {}, h("strong", {}, matrix.title), h("small", {}, `${count(matrix.rows)} × ${count(matrix.columns)}, from ${fine(least)} to ${fine(most)}${part}`)),
    h("div", {class: "bw-with-names"}, labels, map.element),
    cell ? h("small", {class: "note"}, "click a cell to have it spelled out") : null);
  const canvas = /** @type {HTMLCanvasElement} */ (map.element.querySelector("canvas"));
  new ResizeObserver(() => {
    const side = canvas.clientHeight / rows;
    labels.hidden = side < 9 || !matrix.row_names.length;
    labels.style.setProperty("--side", `${side}px`);
  }).observe(canvas);
  return frame;
}

/** @param {any} one */
function place(one) {
  const result = one.matrices.find((/** @type {any} */ matrix) => matrix.key === "result");
  const row = result.row_names[one.row - result.first_row], col = result.column_names[one.column - result.first_column];
  return `[${one.row}${row === undefined ? "" : ` (${token(row)})`}, ${one.column}${col === undefined ? "" : ` (${token(col)})`}]`;
}

/** The token of a position in a sum, where it is one. @param {any} one @param {string} label */
function called(one, label) {
  const dy = one.matrices.find((/** @type {any} */ matrix) => matrix.key === "dy");
  const place = /^n=(\d+)$/.exec(label);
  const name = place && dy ? dy.row_names[Number(place[1]) - dy.first_row] : undefined;
  return name === undefined ? "" : ` (${token(name)})`;
}

/** One cell of the gradient with its numbers put in. @param {any} one */
function spelled(one) {
  const {cell} = one;
  const rounded = (/** @type {number} */ value) => fine(value);
  return h("section", {class: "bw-cell", "aria-label": "One cell spelled out"},
    h("h3", {}, "Cell ", place(one), " spelled out"),
    h("p", {class: "bw-formula"}, cell.formula),
    cell.lines.length
      ? h("table", {class: "bw-table bw-lines"}, h("tbody", {}, cell.lines.map((/** @type {any} */ line) => h("tr", {}, h("td", {}, line.label), h("td", {class: "bw-right-align", "data-value": line.value}, fine(line.value))))))
      : null,
    cell.terms.length || cell.summed
      ? h("table", {class: "bw-table bw-lines"}, h("tbody", {},
        cell.terms.map((/** @type {any} */ term) => h("tr", {},
          h("td", {}, term.label + called(one, term.label)),
          term.b === null ? h("td", {}) : h("td", {}, `${rounded(term.a)} × ${rounded(term.b)}`),
          h("td", {class: "bw-right-align", "data-value": term.product}, fine(term.product)))),
        cell.others ? h("tr", {}, h("td", {}, `${count(cell.others)} more`), h("td", {}), h("td", {class: "bw-right-align", "data-value": cell.others_sum}, fine(cell.others_sum))) : null,
        cell.factor !== 1 ? h("tr", {}, h("td", {}, "their sum, times"), h("td", {}, `s = ${fine(cell.factor)}`), h("td", {})) : null))
      : null,
    h("p", {class: "bw-total"}, cell.summed ? `Summed over ${cell.summed}: ` : "Together: ",
      h("strong", {"data-part": "total", "data-value": cell.total}, fine(cell.total)),
      " · the engine has ", h("strong", {"data-part": "engine", "data-value": cell.engine}, fine(cell.engine))));
}
