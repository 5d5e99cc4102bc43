// The panels of the Learning tab.

import attention from "./attention.js";
import compare from "./compare.js";
import embeddings from "./embeddings.js";
import inside from "./inside.js";
import rates from "./rates.js";
import says from "./says.js";
import why from "./why.js";

/** @type {import("../index.js").Panel[]} */
export default [why, says, embeddings, attention, rates, inside, compare];
