/** What every generated program can look at: lists and objects long enough to be looked up, and some data where a program's rules lie. */
import type { Json } from '../../../core/json.ts'

/** Values that differ, and nearly do. */
const CELLS: readonly Json[] = [1, 2, 'a', 'b', '1', null, false, '', [1], { a: 1 }, 0, 0.5, 'é']

/** Rows with gaps, some of them no rows at all. */
function rows(count: number): readonly Json[] {
  return Array.from({ length: count }, (_, i) => {
    if (i % 9 === 8) return CELLS[i % CELLS.length] as Json
    const members = ['a', 'b', 'c'].flatMap((name, column) => {
      const cell = CELLS[(i * (column + 2) + column) % CELLS.length] as Json
      return (i + column) % 5 === 4 ? [] : [[name, cell] as const]
    })
    return Object.fromEntries(members)
  })
}

export const DATA: Json = {
  d: {
    list: [3, 1, 2, 'a', ['x', 'y'], { a: 1 }],
    long: [...CELLS, 'x', 3, 4, 5, ['b'], { l: 1 }],
    map: { a: 1, b: { a: 2, constructor: 3 }, é: [1, 2], '1': 'one', ['__proto__']: { a: 1 } },
    rows: rows(30),
    table: Object.fromEntries(
      rows(20).map((row, i) => [`k${i % 2 === 0 ? i : `\u{10000}${i}`}`, row]),
    ),
    users: { a: { l: ['b'] }, b: { l: [] } },
    n: 2,
  },
  g: { p0: { base: 1, r0: { base: 2 } } },
}
