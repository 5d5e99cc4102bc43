// The colour of text on a coloured ground.

/** Dark or light ink, whichever stands out more. @param {[number, number, number]} ground red, green, blue, 0 to 255 */
export function inkOn([red, green, blue]) {
  const linear = [red, green, blue].map((one) => (one / 255) ** 2.2);
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return luminance > 0.2 ? "#16171a" : "#ffffff";
}
