// A causal attention map: row t has the t + 1 weights of what position t sees; the others are not there.

/** @typedef {import("./wire.js").Numbers} Numbers */

/** The weight in row t and column s of a head, or null where it does not look. @param {Numbers} rows @param {number} t @param {number} s */
export function weight(rows, t, s) {
  return s > t ? null : rows.data[(t * (t + 1)) / 2 + s];
}

/** The weights of row t. @param {Numbers} rows @param {number} t @returns {number[]} */
export function row(rows, t) {
  return Array.from({length: t + 1}, (_, s) => rows.data[(t * (t + 1)) / 2 + s]);
}
