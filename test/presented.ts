/** What the tests of the plugin `capability` present, and the records that it meets: one cell here, another one elsewhere. */
import { onTestFinished } from 'vitest'
import type { Json } from '../core/json.ts'
import { type Caveat, readToken } from '../formats/cap1/index.ts'
import { EnforcementPoint, type PointOptions, type Records } from './enforcement.ts'
import { attenuationOf, CELL, chain, extended, linkOf, pairOf, tokenText } from './tokens.ts'

/** While the tokens of test/tokens.ts are valid. */
export const NOW = 1_800_000_100
/** A cell of another kernel. */
export const OTHER = 'cell-B'

export const enrolled = (
  cell: string,
  members: object = {},
): { readonly [sort: string]: Json } => ({
  [`cell/${cell}`]: {
    cell,
    keys: [{ public_key: pairOf(cell).publicKey, state: 'active', ...members }],
    local: cell === CELL,
  },
})
export const RECORDS: Records = {
  announce: { [`feed/${OTHER}`]: { cell: OTHER, sequence: 1, as_of: NOW } },
  enrolment: { ...enrolled(CELL, { custody: 'cell' }), ...enrolled(OTHER) },
  lease: {
    'lease/lease-1': {
      lease: 'lease-1',
      cell: CELL,
      tenant: 'tenant-1',
      resource: 'gpu-0',
      generation: 1,
      state: 'active',
      expires_at: NOW + 300,
    },
    'resource/gpu-0': { resource: 'gpu-0', cell: CELL, state: 'leased', lease: 'lease-1' },
  },
}
/** Over {@link RECORDS}; closed when the test is over. */
export async function openPoint(options: Partial<PointOptions> = {}): Promise<EnforcementPoint> {
  const point = await EnforcementPoint.open({ now: NOW, records: RECORDS, ...options })
  onTestFinished(() => point.close())
  return point
}
export const operation: { readonly op: string; readonly resource: string } = {
  op: 'submit',
  resource: 'gpu-0',
}
/** What the enforcement point of {@link CELL} asks. */
export const used = (token: string, members: object = {}): Json => ({
  at: CELL,
  operation: { ...operation, ...members },
  token,
})
/** In a block that its holder added. */
export const withCaveats = (...caveats: readonly Caveat[]): string =>
  tokenText(extended(chain(0), attenuationOf(1, caveats), linkOf(0), linkOf(1)))
export function handlesOf(text: string): readonly string[] {
  const token = readToken(text)
  return 'problem' in token ? [] : token.blocks.map(({ handle }) => handle)
}
