// What the Forward tab shows of a transformer's two texts, and of an encoder's one.

import beam from "./beam.js";
import evidence from "./evidence.js";
import reading from "./reading.js";
import translation from "./translation.js";

/** @type {import("../index.js").Panel[]} */
export default [translation, beam, evidence, reading];
