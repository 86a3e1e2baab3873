/** One array after the other, in one of the kind `Values`. */
export function concatenate<Values extends Float32Array | Float64Array>(
  parts: readonly Values[],
  Values: new (length: number) => Values,
): Values {
  const out = new Values(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
