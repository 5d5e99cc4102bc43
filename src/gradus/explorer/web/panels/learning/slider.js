// A slider over the moments, with a button that plays them. It moves by the arrow keys, Home and End.

import {h} from "../../lib/dom.js";
import {look, named} from "./store.js";

const EVERY = 900; // milliseconds a moment is shown
const EVERY_CALM = 1800; // where less motion is asked for

export function slider() {
  /** @type {number[]} */
  let steps = [];
  let at = 0;
  /** @type {ReturnType<typeof setInterval>|undefined} */
  let playing;
  const input = /** @type {HTMLInputElement} */ (h("input", {type: "range", class: "moments", min: 0, max: 0, step: 1, "aria-label": "Moment of the training",
    oninput: () => {
      stop();
      look(steps, Number(input.value));
    }}));
  const button = h("button", {type: "button", class: "quiet", onclick: () => (playing ? stop() : play())}, "Play");
  const output = h("output", {class: "moment-name"});
  const element = h("div", {class: "lr-time"}, button, input, output);

  function play() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (at >= steps.length - 1) look(steps, 0);
    playing = setInterval(() => {
      if (at >= steps.length - 1) stop();
      else look(steps, at + 1);
    }, calm ? EVERY_CALM : EVERY);
    button.textContent = "Pause";
  }

  function stop() {
    clearInterval(playing);
    playing = undefined;
    button.textContent = "Play";
  }

  return {
    element,
    /** @param {number[]} now @param {number} place */
    update(now, place) {
      [steps, at] = [now, place];
      element.hidden = steps.length < 2;
      input.max = String(steps.length - 1);
      input.value = String(at);
      input.setAttribute("aria-valuetext", named(steps, at));
      output.textContent = named(steps, at);
    },
    destroy: stop,
  };
}
