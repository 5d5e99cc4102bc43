// The strip of tokens below the text: what a panel says of each token, as the colour of its chip and in its title.

/** @typedef {{colour: string, says: string, value?: number}} Said */

/** @type {Said[]|null} */
let said = null;
/** @type {string[]} */
let of = [];

/** Say something of every token; null ends it. @param {string[]} pieces the tokens it is about @param {Said[]|null} parts */
export function say(pieces, parts) {
  [of, said] = [pieces, parts];
  apply();
}

/** Show on the chips what was said; called again when there are new ones. */
export function apply() {
  const chips = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".tokens .token"));
  const fits = said !== null && chips.length === of.length;
  chips.forEach((chip, i) => {
    const one = fits ? said?.[i] : undefined;
    chip.style.setProperty("--said", one?.colour ?? "transparent");
    chip.title = one ? one.says : `token ${i}`;
    if (one?.value !== undefined) chip.dataset.value = String(one.value);
    else delete chip.dataset.value;
  });
}
