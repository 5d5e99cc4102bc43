// The Forward tab's panels of the models that are no Transformers.

import bigram from "./bigram.js";
import mixture from "./mixture.js";
import ngram from "./ngram.js";
import recurrent from "./recurrent.js";
import wavenet from "./wavenet.js";
import window from "./window.js";

/** @type {import("../index.js").Panel[]} */
export default [ngram, bigram, ...window, wavenet, ...recurrent, ...mixture];
