// Two runs, or two moments of one, side by side.

import * as api from "../../lib/api.js";
import {h, replace} from "../../lib/dom.js";
import {number, token} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {chart, legend, sized} from "./chart.js";
import {AXES, follow, momentAt, named, place} from "./store.js";

/** @typedef {import("./store.js").Followed} Followed */

const FULL = 8; // nats at which a bar is full
const MOST = 3; // nats of difference at which one is

/** @type {import("../index.js").Panel} */
export default {
  id: "learning-compare",
  tab: "learning",
  kinds: ["ngram", "bigram", "nplm", "mlp", "wavenet", "recurrent", "gpt", "modern", "mixture"],
  wide: true,
  title: "Beside another",
  caption: "Another run, or this one at another moment: whose loss falls faster, in which settings they differ, and which of the text's tokens each knows better.",
  mount(root, ctx) {
    const {run} = state.get();
    /** @type {Followed|null} */
    let own = null;
    /** @type {Followed|null} */
    let other = null;
    /** @type {any} */
    let found = null;
    let followed = "", askedFor = "";
    let unfollow = () => {};
    const run2 = /** @type {HTMLSelectElement} */ (h("select", {id: "run2", onchange: () => state.set({run2: run2.value, moment2: ""})}));
    const moment2 = /** @type {HTMLSelectElement} */ (h("select", {id: "moment2", onchange: () => state.set({moment2: moment2.value})}));
    const key = h("div", {});
    const axis = /** @type {HTMLSelectElement} */ (h("select", {id: "compare-x", onchange: () => state.set({"learning.x": axis.value})}, AXES.map(([value, name]) => h("option", {value}, name))));
    const along = h("div", {class: "lr-row"}, h("label", {for: "compare-x"}, "Along"), axis);
    const plot = sized((width) => {
      if (!own || !other || followed === run) return null;
      const by = state.get()["learning.x"], column = by === "log" ? "step" : by;
      const series = [
        {name: "this run, dev loss", class: "line-0", x: own.columns[column], y: own.columns.dev_loss},
        {name: "the other, dev loss", class: "line-1", x: other.columns[column], y: other.columns.dev_loss},
        {name: "this run, train loss", class: "line-0 thin faint", x: own.columns[column], y: own.columns.train_loss},
        {name: "the other, train loss", class: "line-1 thin faint", x: other.columns[column], y: other.columns.train_loss},
      ];
      replace(key, legend(series));
      return chart(width, {label: "Losses of both", series, logX: by === "log", xLabel: column === "step" ? "step" : column, yLabel: "loss, nats", height: 260});
    });
    const settings = h("div", {class: "lr-scroll"}), text = h("div", {});
    const two = h("div", {class: "lr-two"}, h("div", {class: "curves"}, along, plot.element, key), settings);
    root.append(h("div", {class: "lr-row"}, h("label", {for: "run2"}, "The other run"), run2, h("label", {for: "moment2"}, "at"), moment2),
      two, text);

    function draw() {
      plot.redraw();
      axis.value = state.get()["learning.x"];
      two.classList.toggle("one", !other || followed === run);
      if (!found || !state.get().run2) {
        replace(settings);
        replace(text, h("p", {class: "note"}, "Choose another run above, or this one at another moment."));
        return;
      }
      replace(settings, found.settings.length
        ? h("table", {}, h("caption", {}, "Settings that differ"), h("thead", {}, h("tr", {}, h("th", {}, "setting"), h("th", {}, "this run"), h("th", {}, "the other"))),
          h("tbody", {}, found.settings.map((/** @type {string[]} */ [name, a, b]) => h("tr", {}, h("th", {scope: "row"}, name), h("td", {}, a || "none"), h("td", {}, b || "none")))))
        : h("p", {class: "note"}, "Both have the same settings."));
      if (!found.same_tokens) {
        replace(text, h("p", {class: "note"}, `Their surprise cannot be told token by token: ${found.reason}.`));
        return;
      }
      const T = found.pieces.length;
      const rows = /** @type {const} */ ([["first", "this run"], ["second", "the other"]]);
      const bar = (/** @type {number} */ nats, /** @type {number} */ most, /** @type {string} */ kind) =>
        Number.isNaN(nats) ? null : h("span", {class: `surprise-bar ${kind}`, style: {height: `${Math.min(100, (100 * Math.abs(nats)) / most)}%`}});
      const told = (/** @type {number} */ nats) => (Number.isNaN(nats) ? "nothing is before it" : `${number(nats, 2)} nats`);
      const strip = (/** @type {string} */ name, /** @type {Float64Array} */ values, /** @type {string} */ title, /** @type {(t: number) => (Node|null)[]} */ cells, tokens = false) =>
        h("tr", {"data-row": name}, h("th", {scope: "row"}, title), Array.from({length: T}, (_, t) =>
          h("td", {class: "surprise-cell", "data-value": values[t], title: `${token(found.pieces[t])}: ${told(values[t])}`}, cells(t), tokens ? h("span", {class: "surprise-token"}, token(found.pieces[t])) : null)));
      const [first, second, difference] = [found.first.data, found.second.data, found.difference.data];
      replace(text, h("h3", {}, "This text, token by token"),
        h("p", {class: "note"}, "How surprised each is, and the difference: up where the other is more surprised, down where it knows better. Mean: ",
          rows.map(([name, title]) => [`${title} `, h("b", {"data-value": found[`${name}_mean`], id: `${name}-mean`}, number(found[`${name}_mean`], 3)), ", "]).flat(),
          "difference ", h("b", {"data-value": found.difference_mean}, number(found.difference_mean, 3)), " nats a token."),
        h("div", {class: "lr-scroll"}, h("table", {class: "strips"}, h("tbody", {},
          strip("first", first, "this run", (t) => [h("span", {class: "surprise-track"}, bar(first[t], FULL, "own"))]),
          strip("second", second, "the other", (t) => [h("span", {class: "surprise-track"}, bar(second[t], FULL, ""))], true),
          strip("difference", difference, "difference", (t) => [
            h("span", {class: "surprise-track half"}, difference[t] > 0 ? bar(difference[t], MOST, "") : null),
            h("span", {class: "surprise-track half below"}, difference[t] < 0 ? bar(difference[t], MOST, "own") : null)])))));
    }

    async function ask() {
      const now = state.get();
      if (!now.run2) {
        found = null;
        draw();
        return;
      }
      if (now.run2 !== followed) {
        unfollow();
        followed = now.run2;
        other = null;
        unfollow = follow(followed, (data) => {
          other = data;
          const was = state.get().moment2;
          replace(moment2, h("option", {value: ""}, "its best weights"), data.steps.map((step, i) => h("option", {value: momentAt(data.steps, i)}, i === data.steps.length - 1 ? `the end, step ${step}` : named(data.steps, i))));
          moment2.value = was;
          draw();
        }, ctx.fail);
      }
      moment2.value = now.moment2;
      const at = own && now.moment !== "" ? momentAt(own.steps, place(own.steps)) : now.moment;
      const params = {text: now.text, run2: now.run2, moment2: now.moment2, moment: at};
      const asked = JSON.stringify(params);
      if (asked === askedFor) return draw();
      askedFor = asked;
      found = await ctx.get("learning/compare", params);
      draw();
    }

    void (async () => {
      const {runs} = await (api.isExported ? api.get("runs") : api.ask("api/runs"));
      replace(run2, h("option", {value: ""}, "none"), runs.map((/** @type {any} */ one) => h("option", {value: one.id}, one.id === run ? `this run, ${one.name}` : one.name)));
      run2.value = state.get().run2;
    })().catch((error) => ctx.fail(String(error.message ?? error)));
    const end = follow(run, (now) => {
      own = now;
      draw();
    }, () => {});
    return {
      update(now) {
        run2.value = now.run2;
        void ask();
      },
      destroy() {
        unfollow();
        end();
      },
    };
  },
};
