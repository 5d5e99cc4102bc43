// From logits to probabilities: a row for each part of the sampling rule, with its setting, the likeliest tokens before
// and after, and the whole vocabulary, sorted. What is off takes a line.

import {h, replace, setStyle} from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import * as state from "../../lib/state.js";

const SHOWN = 8; // tokens with a bar of their own
const DECADES = 6; // of the probabilities in the picture of the whole vocabulary
const HEIGHT = 132, SCALE = 64; // of that picture, and the width of its scale, in pixels

/**
 * @typedef {Object} Setting
 * @property {string} key in the state
 * @property {number|null} off what leaves all as it is
 * @property {number} [low]
 * @property {number} [high]
 * @property {number} step
 * @property {boolean} [slider] whether there is one, from low to high
 */
/** @type {Record<string, {title: string, about: string, setting?: Setting}>} */
const PARTS = {
  logits: {title: "Logits", about: "The model’s score for every token, any number. The softmax makes probabilities of them: exp(logit), divided by the sum of all."},
  repetition_penalty: {
    title: "Repetition penalty", about: "Makes tokens that are in the text already less likely: their logit is divided by it if positive, multiplied if negative. 1 is off.",
    setting: {key: "sampling.penalty", off: 1, low: 0.5, high: 2, step: 0.05, slider: true},
  },
  temperature: {
    title: "Temperature", about: "Divides the logits. Below 1 the likely tokens become likelier still, above 1 all become more alike; 0 always takes the likeliest.",
    setting: {key: "temperature", off: null, low: 0, high: 2, step: 0.05, slider: true},
  },
  top_k: {
    title: "Top-k", about: "Keeps the k likeliest tokens and cuts the rest. Empty is off.",
    setting: {key: "top_k", off: null, low: 1, step: 1},
  },
  top_p: {
    title: "Top-p (nucleus)", about: "Keeps the fewest tokens that have this probability together. 1 is off.",
    setting: {key: "top_p", off: null, low: 0, high: 1, step: 0.01, slider: true},
  },
  min_p: {
    title: "Min-p", about: "Cuts tokens less likely than this part of the likeliest one’s probability. 0 is off.",
    setting: {key: "sampling.min_p", off: null, low: 0, high: 1, step: 0.01, slider: true},
  },
};

export function stages() {
  /** @type {Map<string, Card>} */
  const cards = new Map();
  const grid = h("div", {class: "stages"});
  for (const name of Object.keys(PARTS)) {
    const card = new Card(name, cards.size + 1);
    cards.set(name, card);
    grid.append(card.element);
  }
  const redraw = () => cards.forEach((card) => card.picture());
  const observer = new ResizeObserver(redraw);
  observer.observe(grid);
  document.addEventListener("themechange", redraw);
  return {
    element: h("section", {class: "sampling-part", "aria-label": "From scores to probabilities"},
      h("h3", {}, "From scores to probabilities"),
      h("p", {class: "caption"}, "The settings work one after the other. On the left of each the likeliest tokens, in the order of the model’s scores: their probability before (outline) and after (filled). On the right every token of the vocabulary in the same order, on a logarithmic scale; what was cut is brown."),
      grid),
    /** @param {any} page @param {import("../../lib/state.js").State} now */
    update(page, now) {
      let before = null;
      for (const stage of page.stages) {
        cards.get(stage.name)?.update(page, stage, before, now);
        if (stage.active) before = stage;
      }
    },
    destroy() {
      observer.disconnect();
      document.removeEventListener("themechange", redraw);
    },
  };
}

class Card {
  /** @param {string} name @param {number} number */
  constructor(name, number) {
    const {title, about, setting} = PARTS[name];
    this.name = name;
    this.setting = setting;
    /** @type {HTMLInputElement[]} */
    this.inputs = [];
    this.told = h("span", {class: "stage-left"});
    this.rows = h("div", {class: "stage-rows", role: "table", "aria-label": `${title}: probabilities before and after`});
    this.canvas = /** @type {HTMLCanvasElement} */ (h("canvas", {class: "stage-whole", role: "img"}));
    this.frame = h("div", {class: "stage-frame"}, this.canvas);
    this.element = h("article", {class: "stage", "data-stage": name},
      h("div", {class: "stage-head"},
        h("header", {}, h("span", {class: "stage-number", "aria-hidden": true}, number), h("h4", {}, title), setting ? this.controls(title, setting) : null),
        h("p", {class: "stage-about"}, about),
        this.told),
      this.rows, this.frame);
    /** @type {{page: any, stage: any, before: any}|null} */
    this.drawn = null;
    this.changes = false;
  }

  /** @param {string} title @param {Setting} setting */
  controls(title, {key, off, low, high, step, slider}) {
    const set = (/** @type {HTMLInputElement} */ input) => {
      const empty = input.value.trim() === "";
      const value = empty ? off : Number(input.value);
      const neutral = key === "top_p" ? 1 : key === "sampling.min_p" ? 0 : off;
      if (empty || input.validity.valid) state.set({[key]: value === neutral ? off : value});
    };
    const number = /** @type {HTMLInputElement} */ (
      h("input", {type: "number", min: low, max: slider && key !== "temperature" && key !== "sampling.penalty" ? high : null, step: "any", "aria-label": title, placeholder: "off", onchange: () => set(number)})
    );
    if (step === 1) number.step = "1";
    this.inputs = [number];
    if (!slider) return h("span", {class: "stage-setting"}, number);
    const range = /** @type {HTMLInputElement} */ (
      h("input", {type: "range", min: low, max: high, step, "aria-label": `${title}, slider`, oninput: () => set(range)})
    );
    this.inputs.push(range);
    return h("span", {class: "stage-setting"}, range, number);
  }

  /** @param {any} page @param {any} stage @param {any} before the active stage before it @param {import("../../lib/state.js").State} now */
  update(page, stage, before, now) {
    this.drawn = {page, stage, before};
    if (this.setting) {
      const {key, off} = this.setting;
      const value = now[key] ?? (key === "temperature" ? stage.setting : off);
      const shown = value === null ? "" : String(value);
      for (const input of this.inputs) {
        if (document.activeElement === input && input.type === "number") continue;
        input.value = input.type === "range" && shown === "" ? (key === "top_p" ? "1" : "0") : shown;
      }
    }
    const changes = this.changes = stage.active && !(this.name === "temperature" && stage.setting === 1);
    this.element.classList.toggle("off", !changes);
    const V = page.vocab_size;
    if (!changes) {
      this.told.textContent = this.name === "temperature" ? "1 leaves all as they are" : "off: all stay as they are";
      replace(this.rows);
    } else {
      const cut = (before?.left ?? V) - stage.left;
      this.told.textContent = cut
        ? `${format.count(cut)} cut, ${format.count(stage.left)} of ${format.count(V)} left`
        : `${format.count(stage.left)} of ${format.count(V)} tokens can be drawn`;
      replace(this.rows, this.table(page, stage, before));
    }
    this.told.setAttribute("data-value", String(stage.left ?? ""));
    this.rows.hidden = this.frame.hidden = !changes;
    this.picture();
  }

  /** The likeliest tokens, and the one that was drawn. @param {any} page @param {any} stage @param {any} before */
  table(page, stage, before) {
    const rows = Array.from({length: Math.min(SHOWN, page.ranks.length)}, (_, i) => i);
    const drawn = page.ranks.indexOf(page.draw.rank);
    if (drawn >= rows.length) rows.push(drawn);
    const most = Math.max(...rows.flatMap((row) => [stage.p.data[row], before ? before.p.data[row] : 0]), 1e-30);
    return rows.map((row) => {
      const p = stage.p.data[row], was = before ? before.p.data[row] : null;
      const isCut = !stage.kept.data[row];
      const piece = page.pieces[row];
      const bars = [
        h("span", {class: "stage-after", style: {width: `${(100 * p) / most}%`}}),
        was === null ? null : h("span", {class: "stage-before", style: {width: `${(100 * was) / most}%`}}),
      ];
      const seen = this.name === "repetition_penalty" && page.seen?.data[row];
      const text = isCut ? "cut" : this.name === "logits" ? `${format.number(page.logits.data[row])} → ${format.percent(p)}` : format.percent(p);
      const said = `${format.spoken(piece)}: ${was === null ? "" : `${format.percent(was)} before, `}${isCut ? "cut" : format.percent(p)}`;
      return h("div", {
        class: `stage-row${isCut ? " cut" : ""}${row === drawn ? " drawn" : ""}`, role: "row", "aria-label": said, title: said,
        "data-rank": page.ranks[row], "data-value": p, "data-logit": this.name === "logits" ? page.logits.data[row] : null,
      },
      h("span", {class: "stage-token", role: "cell"}, format.token(piece), seen ? h("sup", {title: "in the text already"}, "•") : null),
      h("span", {class: "stage-track", role: "cell"}, bars),
      h("span", {class: "stage-p", role: "cell"}, text));
    });
  }

  /** The whole vocabulary: bars on a logarithmic scale, those that are cut in another colour. */
  picture() {
    if (!this.drawn || !this.changes) return;
    const {page, stage, before} = this.drawn;
    const V = page.vocab_size;
    const whole = Math.max(120, this.frame.clientWidth), width = whole - SCALE, height = HEIGHT;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(whole * ratio);
    this.canvas.height = Math.round((height + 6) * ratio);
    setStyle(this.canvas, {width: `${whole}px`, height: `${height + 6}px`});
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    pen.scale(ratio, ratio);
    pen.translate(0, 5);
    pen.font = "11px system-ui, sans-serif";
    for (let decade = 0; decade <= DECADES; decade += 2) {
      const y = Math.round((height * decade) / DECADES);
      pen.fillStyle = colour("--line");
      pen.fillRect(0, y - 1, width, 1);
      pen.fillStyle = colour("--muted");
      pen.fillText(`${Number((100 * 10 ** -decade).toPrecision(1))}%`, width + 6, y + (decade === DECADES ? 0 : 4));
    }
    const tall = (/** @type {number} */ p) => (p > 0 ? Math.max(1, (height * (DECADES + Math.log10(p))) / DECADES) : 0);
    const columns = stage.columns.length;
    const wide = width / columns;
    const drawn = columnOf(page.draw.rank, columns, V);
    for (let column = 0; column < columns; column++) {
      const p = stage.columns_kept.data[column] ? stage.columns.data[column] : 0;
      const was = before?.columns_kept.data[column] ? before.columns.data[column] : 0;
      const gap = wide > 3 ? 1 : 0;
      if (was && !p) {
        pen.fillStyle = colour("--cut");
        pen.fillRect(column * wide, height - tall(was), wide - gap, tall(was));
      }
      if (p) {
        pen.fillStyle = colour("--accent");
        pen.fillRect(column * wide, height - tall(p), wide - gap, tall(p));
      }
      if (p && was && before) {
        pen.fillStyle = colour("--ink");
        pen.fillRect(column * wide, height - tall(was), wide - gap, 1.5);
      }
    }
    const high = stage.columns_kept.data[drawn] ? tall(stage.columns.data[drawn]) : 0;
    pen.fillStyle = colour("--drawn");
    pen.fillRect(drawn * wide, height - high, Math.max(wide - (wide > 3 ? 1 : 0), 3), high);
    this.canvas.setAttribute("aria-label", `All ${format.count(V)} tokens by falling score: ${format.count(stage.left)} can be drawn after this step`);
  }
}

/** The column of a rank, where column c begins at the rank ⌊c V / columns⌋. @param {number} rank @param {number} columns @param {number} V */
function columnOf(rank, columns, V) {
  let column = Math.floor((rank * columns) / V);
  while (column + 1 < columns && Math.floor(((column + 1) * V) / columns) <= rank) column++;
  return column;
}
