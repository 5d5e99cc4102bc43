// Numbers and tokens as text.

const MINUS = "\u2212";

/**
 * A number in a few digits; NaN and infinity by their names.
 * @param {number|null|undefined} value @param {number} [digits] after the point, for numbers of everyday size
 */
export function number(value, digits = 2) {
  if (value === null || value === undefined) return "";
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  const size = Math.abs(value);
  const text = size !== 0 && (size < 0.5 * 10 ** -digits || size >= 1e6) ? value.toExponential(1) : value.toFixed(digits);
  return text.replace(/^-/, MINUS).replace("e-", `e${MINUS}`).replace("e+", "e");
}

/** A whole number with commas. @param {number} value */
export function count(value) {
  return value.toLocaleString("en-US");
}

/** A probability. @param {number} value */
export function percent(value) {
  if (!Number.isFinite(value)) return number(value);
  const hundred = 100 * value;
  if (hundred > 0 && hundred < 0.1) return hundred < 0.0001 ? "<0.0001%" : `${Number(hundred.toPrecision(1))}%`;
  return `${hundred.toFixed(hundred < 10 ? 1 : 0)}%`;
}

/** Why a number is none, in a sentence; "" for one that is. @param {number} value */
export function unusual(value) {
  if (Number.isNaN(value)) return "NaN, not a number: somewhere before, infinity met infinity or 0 was divided by 0.";
  if (value === Infinity) return "Infinity: the number is larger than a 32-bit float can hold, about 3.4 times 10 to the 38.";
  if (value === -Infinity) return "Minus infinity: as a logit, a token that cannot be drawn; as a log, that of 0.";
  return "";
}

/** A token so that it can be seen: a space is ␣, a newline ↵. @param {string} piece */
export function token(piece) {
  return piece === "" ? "∅" : piece.replace(/ /g, "␣").replace(/\n/g, "↵").replace(/\t/g, "⇥").replace(/\r/g, "␍");
}

/** A token as a screen reader should say it. @param {string} piece */
export function spoken(piece) {
  /** @type {Record<string, string>} */
  const names = {"": "nothing", " ": "space", "\n": "newline", "\t": "tab", ".": "full stop", ",": "comma"};
  return names[piece] ?? piece.replace(/\n/g, " newline ").trim();
}

/** A shape, as PyTorch prints it. @param {number[]} shape */
export function shape(shape) {
  return `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
}
