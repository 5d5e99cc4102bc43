// What there is to say of a model without gradients.

import {h, replace} from "../../lib/dom.js";
import {COUNTING} from "./source.js";

/** @type {import("../index.js").Panel} */
export default {
  id: "backward-counting",
  tab: "backward",
  kinds: COUNTING,
  title: "A training step",
  caption: "Of this model there is none.",
  wide: true,
  mount(root, {about}) {
    const said = about.kind === "mixture"
      ? "This model learns by counting: how to mix its two models is counted, and the network in it was trained before. There is no loss to differentiate, and no backward pass; open the network's own run to see one."
      : "This model learns by counting: it reads the text once and keeps how often each token followed what came before. There is no loss to differentiate, and no backward pass; the walk above needs no model.";
    return {
      update() {
        replace(root, h("p", {class: "bw-rule"}, said));
      },
    };
  },
};
