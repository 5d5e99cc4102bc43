// Making elements. Styles are set here one by one, by the CSSOM: the page's policy allows no style in HTML text.

/** @typedef {Node|string|number|null|undefined|false} Child */
/** @typedef {Record<string, any>} Attributes */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element. In the attributes, `on…` are listeners, `style` an object, `class` a text, others as in HTML; false
 * and null are left out.
 * @param {string} tag @param {Attributes} [attributes] @param {...(Child|Child[])} children @returns {HTMLElement}
 */
export function h(tag, attributes, ...children) {
  return /** @type {HTMLElement} */ (fill(document.createElement(tag), attributes, children));
}

/** An SVG element. @param {string} tag @param {Attributes} [attributes] @param {...(Child|Child[])} children @returns {SVGElement} */
export function s(tag, attributes, ...children) {
  return /** @type {SVGElement} */ (fill(document.createElementNS(SVG, tag), attributes, children));
}

/** Replace what is in an element. @param {Element} element @param {...(Child|Child[])} children */
export function replace(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/**
 * Replace what is in an element, and keep the focus where it was: on the button, or what else takes it, with the same
 * number. @param {Element} element @param {...(Child|Child[])} children
 */
export function renew(element, ...children) {
  const all = () => [...element.querySelectorAll("button, input, [tabindex]")];
  const at = document.activeElement ? all().indexOf(document.activeElement) : -1;
  replace(element, ...children);
  if (at >= 0) /** @type {HTMLElement|undefined} */ (all()[at])?.focus();
}

/** @param {Element} element @param {Attributes|undefined} attributes @param {(Child|Child[])[]} children */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "style") setStyle(/** @type {HTMLElement} */ (element), value);
    else if (name === "value" && "value" in element) /** @type {any} */ (element).value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...nodes(children));
  return element;
}

/** @param {HTMLElement|SVGElement} element @param {Record<string, string|number>} styles names as in CSS, `--x` too */
export function setStyle(element, styles) {
  for (const [name, value] of Object.entries(styles)) element.style.setProperty(name, String(value));
}

/** @param {(Child|Child[])[]} children @returns {(Node|string)[]} */
function nodes(children) {
  return /** @type {(Node|string)[]} */ (
    children.flat().filter((child) => child !== null && child !== undefined && child !== false)
      .map((child) => (child instanceof Node ? child : String(child)))
  );
}
