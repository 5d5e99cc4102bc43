// What the run is: its sizes and settings.

import {h, replace} from "../lib/dom.js";
import {count} from "../lib/format.js";

/** @type {import("./index.js").Panel} */
export default {
  id: "overview",
  tab: "forward",
  kinds: null,
  title: "The model",
  caption: "What was built and trained: the settings as they stand in config.toml.",
  wide: true,
  mount(root, {about}) {
    return {
      update() {
        const rows = {parameters: count(about.parameters), ...about.config};
        replace(root, h("dl", {class: "facts"}, Object.entries(rows).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value))))));
      },
    };
  },
};
