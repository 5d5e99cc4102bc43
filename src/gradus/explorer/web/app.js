// The shell: which run, which tab, the text and its tokens, the keys, the theme; and the panels, drawn anew as the state
// changes.

import * as api from "./lib/api.js";
import {h, replace} from "./lib/dom.js";
import * as format from "./lib/format.js";
import * as selection from "./lib/selection.js";
import * as state from "./lib/state.js";
import * as tokenStrip from "./lib/tokens.js";
import {PANELS} from "./panels/index.js";

/** @typedef {{id: string, name: string, kind: string, note: string}} Run */
/** @typedef {{command: string, running: boolean, done: boolean, error: string, run: string|null}} FirstModel */

const TABS = [
  {id: "forward", title: "Forward", about: "What the model does with a text, from its tokens to what comes next."},
  {id: "sampling", title: "Sampling", about: "How the next token is drawn, one step at a time."},
  {id: "backward", title: "Backward", about: "Where a gradient comes from, and what one training step changes."},
  {id: "learning", title: "Learning", about: "How the model got here: its losses, its weights, its samples over time."},
];
const WITH_TEXT = ["forward", "sampling", "backward", "learning"];
const KEYS = [
  ["/", "type a text"],
  ["1 2 3 4", "the tabs: Forward, Sampling, Backward, Learning"],
  ["← →", "the token before, the token after"],
  ["↑ ↓", "the layer below, the layer above"],
  ["[ ]", "the head before, the head after"],
  ["Tab, arrows", "from part to part; within a group, from one to the next"],
  ["Enter or click", "lock what is shown; again, free it"],
  ["Esc", "free what is locked; leave a text box; close this"],
  ["t", "the theme: as the system has it, light, dark"],
  ["?", "these keys"],
];
const THEMES = ["auto", "light", "dark"];

const head = /** @type {HTMLElement} */ (document.getElementById("head"));
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const announce = /** @type {HTMLElement} */ (document.getElementById("announce"));

/** @type {Run[]} */
let runs = [];
/** @type {any} */
let about = null;
/** @type {{panel: import("./panels/index.js").Panel, mounted: import("./panels/index.js").Mounted}[]} */
let mounted = [];
/** Which run, moment and tab the panels on the page are for. */
let shownFor = "";

// The theme

/** @param {string} theme */
function setTheme(theme) {
  if (theme === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
  themeButton.textContent = {auto: "Auto", light: "Light", dark: "Dark"}[theme] ?? theme;
  themeButton.setAttribute("aria-label", `Theme: ${theme}`);
  try {
    localStorage.setItem("gradus-theme", theme);
  } catch {
    // a page from a file may have no storage
  }
  document.dispatchEvent(new Event("themechange"));
}

function savedTheme() {
  try {
    return localStorage.getItem("gradus-theme") ?? "auto";
  } catch {
    return "auto";
  }
}

function nextTheme() {
  setTheme(THEMES[(THEMES.indexOf(document.documentElement.getAttribute("data-theme") ?? "auto") + 1) % THEMES.length]);
}

// The head of the page

const themeButton = h("button", {class: "quiet", type: "button", onclick: nextTheme});
const runSelect = /** @type {HTMLSelectElement} */ (
  h("select", {id: "run", onchange: () => choose(runSelect.value)})
);
const facts = h("p", {class: "run-facts"});
const momentChip = h("p", {class: "moment-chip", role: "status"});
const tabBar = h("nav", {class: "tabs", role: "tablist", "aria-label": "Views"});
const keysDialog = /** @type {HTMLDialogElement} */ (
  h("dialog", {class: "keys", "aria-labelledby": "keys-title"},
    h("h2", {id: "keys-title"}, "Keys"),
    h("dl", {}, KEYS.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)))),
    h("form", {method: "dialog"}, h("button", {class: "quiet"}, "Close")))
);

const exportButton = /** @type {HTMLButtonElement} */ (
  h("button", {class: "quiet", type: "button", title: "This tab as one file, which needs no server", onclick: () => saveExport()}, "Export")
);

/** Make one file of what is on the screen, and have the browser keep it. */
async function saveExport() {
  exportButton.disabled = true;
  announce.textContent = "The page is being written as a file.";
  try {
    const page = await exportedNow();
    const name = `${state.get().run}-${state.get().tab}.html`;
    const link = /** @type {HTMLAnchorElement} */ (h("a", {href: URL.createObjectURL(new Blob([page], {type: "text/html"})), download: name}));
    link.click();
    URL.revokeObjectURL(link.href);
    announce.textContent = `Written: ${name}`;
  } catch (error) {
    showTextError(message(error));
  }
  exportButton.disabled = false;
}

/** Draw the tab anew, so that it is known what it asks for, and have the server make a file of that. */
async function exportedNow() {
  about = null;
  shownFor = "";
  api.forget();
  await show(new Set());
  document.dispatchEvent(new Event("drawall"));
  await api.quiet();
  return api.exportPage();
}

function buildHead() {
  replace(head,
    h("div", {class: "bar"},
      h("h1", {class: "brand"}, h("a", {href: "#", onclick: goHome}, "gradus ", h("span", {}, "explore"))),
      h("label", {class: "run-label", for: "run"}, h("span", {class: "visually-hidden"}, "Run"), runSelect),
      facts,
      momentChip,
      h("div", {class: "bar-end"},
        api.exported ? null : exportButton,
        themeButton,
        h("button", {class: "quiet", type: "button", "aria-label": "Keys", onclick: () => keysDialog.showModal()}, "?"))),
    tabBar,
    keysDialog);
  replace(tabBar, TABS.filter(({id}) => !api.exported || api.exported.tab === id).map(({id, title}, i) =>
    h("button", {
      type: "button", role: "tab", id: `tab-${id}`, "data-tab": id, "aria-controls": "panels",
      onclick: () => state.set({tab: id}),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        const to = TABS[(i + by + TABS.length) % TABS.length].id;
        state.set({tab: to});
        document.getElementById(`tab-${to}`)?.focus();
      },
    }, title)));
}

/** @param {Event} event */
function goHome(event) {
  event.preventDefault();
  if (!api.exported) state.set({run: ""});
}

function markHead() {
  const now = state.get();
  const chosen = runs.find((run) => run.id === now.run);
  replace(runSelect,
    chosen ? null : h("option", {value: ""}, "choose a run"),
    runs.map((run) => h("option", {value: run.id, selected: run.id === now.run}, run.name)));
  tabBar.hidden = !now.run;
  runSelect.hidden = !runs.length;
  exportButton.hidden = !now.run;
  for (const tab of tabBar.children) {
    const is = tab.getAttribute("data-tab") === now.tab;
    tab.setAttribute("aria-selected", String(is));
    tab.setAttribute("tabindex", is ? "0" : "-1");
  }
  facts.textContent = about && now.run
    ? `${about.kind} · ${format.count(about.parameters)} parameters · ${format.count(about.vocab_size)} tokens in the vocabulary · reads ${format.count(about.block_size)} at most`
    : "";
  const which = now.moment === "last" ? "the last weights" : now.moment === "0" ? "the weights before training" : `the weights after step ${format.count(Number(now.moment))}`;
  momentChip.hidden = !now.moment || !now.run;
  if (now.moment) replace(momentChip, which, h("button", {type: "button", "aria-label": "Back to the best weights", title: "back to the best weights", onclick: () => state.set({moment: ""})}, "×"));
}

/** Open a run, with the text that it offers first. @param {string} id @param {string} [tab] */
async function choose(id, tab = state.get().tab) {
  const free = {moment: "", token: null, layer: null, head: null, unit: null};
  try {
    const {text} = await api.get("about", {run: id, moment: null}, {slot: "choose"});
    state.set({...free, run: id, tab, text});
  } catch {
    state.set({...free, run: id, tab, text: ""}); // what is wrong with it is told where it is shown
  }
}

// The text and its tokens

const textBox = /** @type {HTMLTextAreaElement} */ (
  h("textarea", {id: "text", rows: 1, spellcheck: "false", autocomplete: "off", autocapitalize: "off",
    oninput: () => onText(), placeholder: "Type a text"})
);
/** In an exported page: the texts that it holds. */
const textChoice = /** @type {HTMLSelectElement} */ (
  h("select", {id: "text", class: "text-choice", onchange: () => state.set({text: textChoice.value, token: null})},
    (api.exported?.texts ?? []).map((text) => h("option", {value: text}, text)))
);
const strip = h("div", {class: "tokens", role: "group", "aria-label": "Tokens"});
const textError = h("p", {class: "error", role: "alert", hidden: true});
const textNote = h("p", {class: "note"});
const textBar = h("section", {class: "text-bar", "aria-label": "Text"},
  h("label", {for: "text"}, "Text, and the tokens that the model reads"), api.exported ? textChoice : textBox, strip, textNote, textError);
const MOST_TEXT = 20_000;

function onText() {
  const text = textBox.value;
  if (text.length > MOST_TEXT) {
    showTextError(`A text has at most ${format.count(MOST_TEXT)} characters here; this one has ${format.count(text.length)}.`);
    return;
  }
  state.set({text, token: null});
}

/** @param {string} line */
function showTextError(line) {
  textError.textContent = line;
  textError.hidden = !line;
}

let tokensOf = "";
async function showTokens() {
  const {text, run, moment} = state.get();
  if (textBox.value !== text) textBox.value = text;
  if (api.exported) textChoice.value = text;
  const key = JSON.stringify([run, moment, text]);
  if (key === tokensOf) return;
  tokensOf = key;
  try {
    const {pieces, left_out} = await api.get("tokens", {text}, {slot: "shell"});
    showTextError("");
    selection.limit({token: pieces.length});
    replace(strip, pieces.map((/** @type {string} */ piece, /** @type {number} */ i) => {
      const chip = h("span", {class: "token", title: `token ${i}`}, format.token(piece));
      selection.bind(chip, {token: i}, {group: "tokens", label: `token ${i}: ${format.spoken(piece)}`});
      return chip;
    }));
    tokenStrip.apply();
    textNote.textContent = left_out ? `The model reads ${pieces.length} tokens at most: the ${about?.kind === "encoder" ? "last" : "first"} ${left_out} are left out.` : "";
  } catch (error) {
    tokensOf = "";
    showTextError(message(error));
  }
}

// The panels

/** @param {unknown} error */
function message(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {import("./panels/index.js").Panel} panel */
function mountPanel(panel) {
  const body = h("div", {class: "panel-body"});
  const error = h("p", {class: "error", role: "alert", hidden: true});
  const section = h("section", {class: `panel${panel.wide ? " wide" : ""}`, id: `panel-${panel.id}`, "aria-labelledby": `title-${panel.id}`},
    h("h2", {id: `title-${panel.id}`}, panel.title), h("p", {class: "caption"}, panel.caption), body, error);
  const fail = (/** @type {string} */ line) => {
    error.textContent = line;
    error.hidden = !line;
    section.classList.toggle("failed", Boolean(line));
  };
  /** @type {import("./panels/index.js").Context} */
  const ctx = {
    about,
    fail,
    async get(view, params = {}, slot = view) {
      try {
        const answer = await api.get(view, params, {slot: `${panel.id} ${slot}`});
        fail("");
        return answer;
      } catch (error) {
        fail(message(error));
        return new Promise(() => {});
      }
    },
  };
  panels.append(section);
  mounted.push({panel, mounted: panel.mount(body, ctx)});
}

/** A narrow panel that would stand alone in its row takes all of it. (With the formula beside them, panels have other
 * places.) */
function fillRows() {
  if (document.getElementById("panel-why")) return;
  const all = [...panels.children];
  let beside = 0; // narrow panels since the last wide one
  all.forEach((panel, i) => {
    beside = panel.classList.contains("wide") ? 0 : beside + 1;
    const ends = i + 1 === all.length || all[i + 1].classList.contains("wide");
    if (ends && beside % 2) panel.classList.add("wide");
  });
}

const panels = h("div", {id: "panels", class: "panels", role: "tabpanel", tabindex: "-1"});
const tabAbout = h("p", {class: "tab-about"});

function unmount() {
  for (const {mounted: one} of mounted) one.destroy?.();
  mounted = [];
  panels.replaceChildren();
}

/** Show the page for the state as it is; called after each change. @param {Set<string>} changed */
async function show(changed) {
  const now = state.get();
  // The Learning tab goes through the moments itself.
  const key = JSON.stringify([now.run, now.tab === "learning" ? "" : now.moment, now.tab]);
  if (key !== shownFor) {
    const sameRun = about && shownFor && JSON.parse(shownFor)[0] === now.run;
    shownFor = key;
    unmount();
    api.forget();
    if (!now.run) {
      about = null;
      document.title = "gradus explore";
      markHead();
      showStart();
      return;
    }
    if (!sameRun) {
      about = null;
      tokensOf = "";
      strip.replaceChildren();
      markHead();
      try {
        about = await api.get("about");
      } catch (error) {
        shownFor = "";
        replace(main, h("section", {class: "panel wide"}, h("p", {class: "error", role: "alert"}, message(error))));
        return;
      }
    }
    const tab = TABS.find((other) => other.id === now.tab) ?? TABS[0];
    document.title = `${tab.title}: ${about.name} · gradus explore`;
    announce.textContent = `${tab.title}. ${tab.about}`;
    tabAbout.textContent = tab.about;
    panels.setAttribute("aria-labelledby", `tab-${tab.id}`);
    replace(main, tabAbout, WITH_TEXT.includes(tab.id) ? textBar : null, panels);
    const config = about.config;
    selection.limit({layer: config.n_layer ?? 0, head: config.n_head ?? 0});
    for (const panel of PANELS) {
      if (panel.tab !== tab.id || (panel.kinds && !panel.kinds.includes(about.kind)) || panel.when?.(about) === false) continue;
      mountPanel(panel);
    }
    fillRows();
  }
  markHead();
  if (!about) return;
  if (WITH_TEXT.includes(now.tab)) showTokens();
  for (const {mounted: one} of mounted) one.update(state.get(), changed);
}

/** Without a run: those that there are, and a first one to train. */
function showStart() {
  const told = h("p", {class: "note", role: "status"});
  const train = /** @type {HTMLButtonElement} */ (
    h("button", {type: "button", class: runs.length ? "quiet" : "primary", onclick: () => trainFirst(train, told)}, "Train a small GPT now"));
  replace(main, h("section", {class: "start"},
    h("h2", {}, runs.length ? "Which model do you want to look into?" : "There is no trained model here yet."),
    h("p", {class: "start-about"}, "What it does with a text, how it draws the next token, where its gradients come from, and how it learned. Every number on these pages is one that the engine has computed."),
    h("ul", {class: "runs"}, runs.map((run) =>
      h("li", {}, h("button", {type: "button", onclick: () => choose(run.id)}, h("strong", {}, run.name), h("span", {}, run.note))))),
    h("div", {class: "first-model"},
      train,
      h("p", {class: "note"}, "100,000 parameters, on the words of Python\u2019s documentation: it takes about ten seconds on an idle machine, and writes a folder in runs."),
      told)));
}

/** @param {HTMLButtonElement} button @param {HTMLElement} told */
async function trainFirst(button, told) {
  button.disabled = true;
  /** @type {FirstModel} */
  let first;
  try {
    first = await api.ask("api/first-model", {method: "POST"});
    while (first.running) {
      told.textContent = `It is being trained, as by: ${first.command}`;
      await new Promise((done) => setTimeout(done, 500));
      first = await api.ask("api/first-model");
    }
    if (!first.done || !first.run) throw new Error(first.error);
    runs = (await api.ask("api/runs")).runs;
  } catch (error) {
    button.disabled = false;
    told.textContent = message(error);
    return;
  }
  await choose(first.run, "forward");
}

// Keys

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const typing = target.matches("input, textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || keysDialog.open) return;
  if (event.key === "Escape") {
    if (typing) target.blur();
    else selection.clear();
    return;
  }
  if (typing) return;
  const tab = "1234".indexOf(event.key);
  /** @type {Record<string, () => void>} */
  const actions = {
    "/": () => textBox.isConnected && textBox.focus(),
    "?": () => keysDialog.showModal(),
    t: nextTheme,
    ArrowLeft: () => selection.move("token", -1),
    ArrowRight: () => selection.move("token", 1),
    ArrowDown: () => selection.move("layer", -1),
    ArrowUp: () => selection.move("layer", 1),
    "[": () => selection.move("head", -1),
    "]": () => selection.move("head", 1),
  };
  if (event.key.length === 1 && tab >= 0 && state.get().run) state.set({tab: TABS[tab].id});
  else if (event.key in actions) actions[event.key]();
  else return;
  event.preventDefault();
}

async function begin() {
  buildHead();
  setTheme(savedTheme());
  state.read(location.hash.replace(/^#/, "") || api.exported?.fragment);
  document.addEventListener("keydown", onKey);
  state.subscribe((_, changed) => void show(changed));
  let first = null;
  try {
    ({runs, first} = api.exported ?? await api.ask("api/runs"));
  } catch (error) {
    replace(main, h("p", {class: "error", role: "alert"}, message(error)));
    return;
  }
  const {run, text} = state.get();
  const named = api.exported || new URLSearchParams(location.hash.slice(1)).has("text");
  const opens = run || first || (runs.length === 1 ? runs[0].id : "");
  if (opens && !text && !named) await choose(opens); // a link that names a run at most
  else if (opens) state.set({run: opens});
  await show(new Set());
  if (location.search === "?export") await exportedNow().catch((error) => (document.title = `export failed: ${message(error)}`));
}

void begin();
