/** @param {string} text in base64 @returns {Uint8Array<ArrayBuffer>} */
function bytesOf(text) {
  const native = /** @type {any} */ (Uint8Array).fromBase64;
  if (native) return native.call(Uint8Array, text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/**
 * @param {{dtype: string, data: string}} array as page_data.py writes it @returns {any} a typed array
 */
export function decodeArray(array) {
  /** @type {Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>} */
  const kinds = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array };
  // The bytes are little-endian, as those of every computer that has a browser.
  return new kinds[array.dtype](bytesOf(array.data).buffer);
}
