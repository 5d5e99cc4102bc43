// The panels, in the order in which a tab shows them; each is a file of its own.

import pairs from "./forward/pairs.js";
import gpt from "./forward/gpt.js";
import map from "./forward/map.js";
import next from "./forward/next.js";
import smallModels from "./forward/small_models.js";
import backwardCounting from "./backward/counting.js";
import backwardNumbers from "./backward/numbers.js";
import backwardStep from "./backward/step.js";
import backwardUpdate from "./backward/update.js";
import learning from "./learning/index.js";
import why from "./forward/why.js";
import overview from "./overview.js";
import noSampling from "./sampling/none.js";
import sampling from "./sampling.js";

/**
 * What a panel is given.
 * @typedef {Object} Context
 * @property {any} about what the view `about` says of the run
 * @property {(view: string, params?: import("../lib/api.js").Params, slot?: string) => Promise<any>} get the answer of a view; an error is shown
 *   in the panel, and then, as when a later request replaces this one, the promise never settles
 * @property {(line: string) => void} fail show a line as the panel's error; "" takes it away
 */
/**
 * @typedef {Object} Mounted
 * @property {(state: import("../lib/state.js").State, changed: Set<string>) => void} update called once at the beginning, and
 *   after each change of the state
 * @property {() => void} [destroy]
 */
/**
 * @typedef {Object} Panel
 * @property {string} id
 * @property {"forward"|"sampling"|"backward"|"learning"} tab
 * @property {string[]|null} kinds the models that it is for; null: all
 * @property {string} title
 * @property {string} caption one sentence for a newcomer
 * @property {boolean} [wide] whether it takes the whole width
 * @property {(about: any) => boolean} [when] whether it is for this run
 * @property {(root: HTMLElement, ctx: Context) => Mounted} mount
 */

/** @type {Panel[]} */
export const PANELS = [
  next,
  map,
  why,
  ...gpt,
  ...smallModels,
  ...pairs,
  overview,
  sampling,
  noSampling,
  backwardNumbers,
  backwardCounting,
  backwardStep,
  backwardUpdate,
  ...learning,
];
