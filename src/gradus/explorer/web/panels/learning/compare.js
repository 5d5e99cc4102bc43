// Two runs, or two moments of one, side by side.

import * as api from "../../lib/api.js";
import {h, replace} from "../../lib/dom.js";
import {number, token} from "../../lib/format.js";
import * as state from "../../lib/state.js";
import {chart, legend, sized} from "./chart.js";
import {follow, momentAt, named, place} from "./store.js";

/** @typedef {import("./store.js").Followed} Followed */

const MOST = 3; // nats of difference at which a bar is full

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
    root.append(h("div", {class: "lr-row"}, h("label", {for: "run2"}, "The other run"), run2, h("label", {for: "moment2"}, "at"), moment2),
      h("div", {class: "lr-two"}, h("div", {}, plot.element, key), h("div", {}, settings)), text);

    function draw() {
      plot.redraw();
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
        replace(text, h("p", {class: "note"}, "The two read this text as different tokens, so that their surprise cannot be told token by token."));
        return;
      }
      const difference = found.difference.data ?? found.difference;
      replace(text, h("h3", {}, "This text, token by token"),
        h("p", {class: "note"}, "Up: the other is more surprised; down: it knows better. ",
          "Mean surprise: this ", h("b", {"data-value": found.first_mean, id: "first-mean"}, number(found.first_mean, 3)), ", the other ", h("b", {"data-value": found.second_mean, id: "second-mean"}, number(found.second_mean, 3)),
          ", difference ", h("b", {"data-value": found.difference_mean}, number(found.difference_mean, 3)), " nats."),
        h("div", {class: "surprises both", role: "list", "aria-label": "Difference by token"}, found.pieces.map((/** @type {string} */ piece, /** @type {number} */ t) => {
          const d = difference[t], size = `${Math.min(100, (100 * Math.abs(d)) / MOST)}%`;
          const told = Number.isNaN(d) ? "nothing is before it" : `this ${number(found.first.data[t], 2)}, the other ${number(found.second.data[t], 2)} nats`;
          return h("span", {role: "listitem", class: "surprise", "data-value": d, title: told},
            h("span", {class: "surprise-track"}, d > 0 ? h("span", {class: "surprise-bar", style: {height: size}}) : null),
            h("span", {class: "surprise-token"}, token(piece)),
            h("span", {class: "surprise-track below"}, d < 0 ? h("span", {class: "surprise-bar better", style: {height: size}}) : null));
        })));
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
    }, ctx.fail);
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
