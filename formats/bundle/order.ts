/** The one order of paths: by code points, as Go sorts strings and as UTF-8 bytes sort. */

/** Of entries by their first member. */
export function byPath([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return comparePoints(a, b)
}

export function comparePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for what lies above all of the first plane. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
