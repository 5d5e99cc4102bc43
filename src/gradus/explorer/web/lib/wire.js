// What the server sends: JSON, in which arrays are base64 with a shape and a type. Here they become typed arrays.

/** An array of numbers with a shape, row by row, as NumPy has it. */
export class Numbers {
  /**
   * @param {number[]} shape
   * @param {ArrayLike<number>} data
   */
  constructor(shape, data) {
    this.shape = shape;
    this.data = data;
  }

  get length() {
    return this.shape.length ? this.shape[0] : 0;
  }

  /** One number. @param {...number} index @returns {number} */
  at(...index) {
    let place = 0;
    for (let i = 0; i < this.shape.length; i++) place = place * this.shape[i] + index[i];
    return this.data[place];
  }

  /** What lies at an index of the first axes: an array of the others. @param {...number} index @returns {Numbers} */
  sub(...index) {
    const shape = this.shape.slice(index.length);
    const size = shape.reduce((a, b) => a * b, 1);
    let place = 0;
    for (let i = 0; i < index.length; i++) place = place * this.shape[i] + index[i];
    const data = /** @type {any} */ (this.data);
    const part = data.subarray ? data.subarray(place * size, (place + 1) * size) : data.slice(place * size, (place + 1) * size);
    return new Numbers(shape, part);
  }

  /** @returns {number[]} */
  toArray() {
    return Array.from(this.data);
  }

  [Symbol.iterator]() {
    return this.toArray()[Symbol.iterator]();
  }
}

/** @type {Record<string, any>} */
const ARRAYS = {f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array, u2: Uint16Array};

/** @param {any} value as `JSON.parse` gives it @returns {any} */
export function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (value === null || typeof value !== "object") return value;
  if ("number" in value && Object.keys(value).length === 1) return Number(value.number);
  if ("dtype" in value && "shape" in value && "data" in value) return numbers(value);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, decode(part)]));
}

/** @param {{shape: number[], dtype: string, data: string, low?: number, high?: number}} sent @returns {Numbers} */
function numbers(sent) {
  const text = atob(sent.data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const array = new ARRAYS[sent.dtype](bytes.buffer);
  if (sent.low === undefined || sent.high === undefined) return new Numbers(sent.shape, array);
  const step = (sent.high - sent.low) / (sent.dtype === "u1" ? 255 : 65535);
  return new Numbers(sent.shape, Float32Array.from(array, (/** @type {number} */ n) => /** @type {number} */ (sent.low) + n * step));
}
