// A part of the page that is drawn when it can be seen and what it depends on has changed.

import * as selection from "./selection.js";

const PREVIEW = 40; // milliseconds a pointer rests before what it only passes over is asked for

/**
 * @param {Element} root where the part is
 * @param {() => unknown} dependsOn what the drawing depends on; compared as JSON
 * @param {() => unknown} draw
 * @returns {{update: () => void, destroy: () => void}}
 */
export function live(root, dependsOn, draw) {
  let drawn = "", seen = typeof IntersectionObserver === "undefined", timer = 0;

  function check() {
    clearTimeout(timer);
    if (!seen) return;
    const now = JSON.stringify(dependsOn());
    if (now === drawn) return;
    drawn = now;
    draw();
  }

  const watching = new IntersectionObserver((entries) => {
    seen = entries[entries.length - 1].isIntersecting;
    check();
  }, {rootMargin: "240px"});
  watching.observe(root);
  const end = selection.subscribe(() => {
    clearTimeout(timer);
    timer = window.setTimeout(check, PREVIEW);
  });
  const again = () => {
    drawn = "";
    check();
  };
  const nowAll = () => {
    seen = true;
    check();
  };
  document.addEventListener("themechange", again);
  document.addEventListener("drawall", nowAll); // a file needs also what is out of sight
  return {
    update: check,
    destroy() {
      clearTimeout(timer);
      watching.disconnect();
      end();
      document.removeEventListener("themechange", again);
      document.removeEventListener("drawall", nowAll);
    },
  };
}
