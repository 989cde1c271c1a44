/**
 * Undoes the byte grouping of scheme 2: `grouped` holds all bytes at positions 0 mod 4, then 1, 2 and 3; `out`
 * (of the same length) receives them in their places.
 */
export function joinByteGroups(grouped: Uint8Array, out: Uint8Array): void {
  const length = grouped.length;
  if (out.length !== length) throw new RangeError('byte groups: lengths differ');
  const quarter = length >> 2;
  const rest = length & 3;
  const g1 = quarter + (rest > 0 ? 1 : 0);
  const g2 = g1 + quarter + (rest > 1 ? 1 : 0);
  const g3 = g2 + quarter + (rest > 2 ? 1 : 0);
  let o = 0;
  for (let i = 0; i < quarter; i++) {
    out[o++] = grouped[i] as number;
    out[o++] = grouped[g1 + i] as number;
    out[o++] = grouped[g2 + i] as number;
    out[o++] = grouped[g3 + i] as number;
  }
  if (rest > 0) out[o++] = grouped[quarter] as number;
  if (rest > 1) out[o++] = grouped[g1 + quarter] as number;
  if (rest > 2) out[o] = grouped[g2 + quarter] as number;
}

/** Inverse of joinByteGroups: `grouped` (as long as `bytes`) receives all bytes at positions 0 mod 4, then 1, 2 and 3. */
export function splitByteGroups(bytes: Uint8Array, grouped: Uint8Array): void {
  if (grouped.length !== bytes.length) throw new RangeError('byte groups: lengths differ');
  let o = 0;
  for (let first = 0; first < 4; first++)
    for (let i = first; i < bytes.length; i += 4) grouped[o++] = bytes[i] as number;
}
