// The Sampling tab of a model that writes nothing.

import {h, replace} from "../../lib/dom.js";

/** @type {import("../index.js").Panel} */
export default {
  id: "no-sampling",
  tab: "sampling",
  kinds: ["encoder"],
  title: "Nothing is drawn",
  caption: "An encoder reads a whole text at once and says what it is, or what is hidden in it. It writes no text, so there is no next token to draw.",
  mount(root) {
    replace(root, h("p", {}, "What it answers, and why, is under Forward."));
    return {update() {}};
  },
};
