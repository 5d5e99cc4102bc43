// The Forward tab's panels of decoder-only Transformers.

import attention from "./attention.js";
import embedding from "./embedding.js";
import lens from "./lens.js";
import stream from "./stream.js";
import units from "./units.js";

/** @type {import("../index.js").Panel[]} */
export default [attention, stream, lens, units, embedding];
