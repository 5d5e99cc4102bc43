// The graph of an expression, drawn from the positions that the house's layout has given: what is known at a step of the
// walk, with the step itself marked.

import {s} from "../../lib/dom.js";
import {number} from "../../lib/format.js";

/**
 * @typedef {Object} Node
 * @property {string} name @property {string} label @property {string} op @property {number} data @property {number} grad
 * @property {number[]} operands @property {string} made
 * @property {number} x @property {number} y @property {number} width @property {number} height
 * @property {number} sign_x @property {number} sign_y @property {number} sign_width @property {number} sign_height
 */
/**
 * @typedef {Object} Step
 * @property {number} node who hands its gradient on, -1 at the beginning
 * @property {number} operand who receives @property {number} position @property {number} nth
 * @property {number} incoming @property {number} local @property {number} contribution @property {number} before
 * @property {number} after @property {boolean} accumulates @property {number} arrival @property {number} arrivals
 * @property {string} formula @property {string} numbers @property {string} rule
 */
/**
 * @typedef {Object} Numbers what the view backward/numbers answers
 * @property {number} width @property {number} height @property {number} result
 * @property {Node[]} nodes @property {{source: number, target: number, nth: number, path: string}[]} edges
 * @property {Step[]} steps @property {{node: number, name: string, data: number, grad: number, slope: number}[]} leaves
 * @property {{title: string, expression: string, shows: string}[]} examples
 */

/** The gradients that have arrived after a step. @param {Step[]} steps @param {number} at @returns {Map<number, number>} */
export function arrived(steps, at) {
  return new Map(steps.slice(0, at + 1).map((step) => [step.operand, step.after]));
}

/**
 * @param {Numbers} given
 * @param {number} at the step that is shown
 * @param {{asked?: Step|null, pick: (node: number) => void}} options asked: the step whose gradient is being asked for
 * @returns {SVGElement}
 */
export function drawGraph(given, at, {asked = null, pick}) {
  const {nodes, edges, steps} = given;
  const step = asked ?? steps[at];
  const known = arrived(steps, at);
  const done = new Set(steps.slice(0, at + 1).filter((one) => one.node >= 0).map((one) => `${one.operand} ${one.node} ${one.nth}`));
  const isStep = (/** @type {{source: number, target: number, nth: number}} */ edge) =>
    edge.target === step.node && edge.source === step.operand && edge.nth === step.nth;
  const drawn = [...edges].sort((a, b) => Number(isStep(a)) - Number(isStep(b)));
  const lines = drawn.map((edge) => s("path", {
    class: `bw-edge${done.has(`${edge.source} ${edge.target} ${edge.nth}`) ? " bw-done" : ""}${isStep(edge) ? " bw-now" : ""}`,
    d: edge.path,
  }));
  const moving = drawn.filter(isStep).map((edge) => s("path", {class: "bw-flow", d: edge.path, pathLength: 100}));
  const boxes = nodes.map((node, i) => box(node, i, {
    gradient: asked && step.operand === i && !known.has(i) ? "?" : known.has(i) ? number(/** @type {number} */ (known.get(i)), 4) : "–",
    value: known.get(i),
    role: step.node === i ? "bw-giver" : step.operand === i ? "bw-taker" : "",
    result: i === given.result,
    pick,
  }));
  return s("svg", {
    class: "bw-graph", viewBox: `0 0 ${given.width} ${given.height}`, width: given.width, height: given.height,
    role: "group", "aria-label": "The graph of the expression",
  }, lines, moving, boxes);
}

/**
 * @param {Node} node @param {number} i
 * @param {{gradient: string, value: number|undefined, role: string, result: boolean, pick: (node: number) => void}} options
 */
function box(node, i, {gradient, value, role, result, pick}) {
  const kind = node.operands.length ? (result ? "bw-result" : "bw-inner") : "bw-leaf";
  const top = node.y - node.height / 2;
  const left = node.x + 9, right = node.x + node.width - 9;
  const link = node.sign_width
    ? s("line", {class: "bw-edge", x1: node.sign_x + node.sign_width / 2, y1: node.sign_y, x2: node.x + (node.x < node.sign_x + node.sign_width ? node.width / 2 : 0), y2: node.x < node.sign_x + node.sign_width ? top : node.y})
    : null;
  const sign = node.sign_width
    ? [s("rect", {class: "bw-sign", x: node.sign_x, y: node.sign_y - node.sign_height / 2, width: node.sign_width, height: node.sign_height, rx: 12}),
      s("text", {class: "bw-sign-text", x: node.sign_x + node.sign_width / 2, y: node.sign_y + 5, "text-anchor": "middle"}, node.op)]
    : [];
  const said = `${node.made}, value ${number(node.data, 4)}, gradient ${gradient === "–" ? "not there yet" : gradient}`;
  return s("g", {
    class: `bw-node ${kind} ${role}`, role: "button", tabindex: 0, "aria-label": said, "data-node": i, "data-name": node.name,
    "data-value": value ?? "",
    onclick: () => pick(i),
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        event.stopPropagation();
        pick(i);
      }
    },
  },
  s("title", {}, said),
  link,
  s("rect", {class: "bw-box", x: node.x, y: top, width: node.width, height: node.height, rx: 6}),
  sign,
  s("text", {class: node.label ? "bw-label" : "bw-unnamed", x: left, y: top + 17}, node.label || (/^v\d+$/.test(node.name) ? node.name : "")),
  s("text", {class: "bw-data", x: right, y: top + 17, "text-anchor": "end"}, number(node.data, 4)),
  s("text", {class: "bw-grad-label", x: left, y: top + 33}, "grad"),
  s("text", {class: "bw-grad", x: right, y: top + 33, "text-anchor": "end"}, gradient));
}
