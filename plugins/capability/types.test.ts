/** What holds whichever types of caveats an organisation has. */
import { afterAll, expect, test } from 'vitest'
import { prove } from '../../formats/cap1/client.ts'
import { ENTRYPOINT, said, tokenPolicies } from '../../test/enforcement.ts'
import { NOW, openPoint, operation } from '../../test/presented.ts'
import { bundle, compiler } from '../../test/rego.ts'
import {
  attenuationOf,
  CELL,
  chain,
  extended,
  linkOf,
  pairOf,
  tokenText,
} from '../../test/tokens.ts'

afterAll(() => compiler.close())

test('there is a reason however many caveats there are', async () => {
  const point = await openPoint()
  const blocks = [1, 2].map((i) =>
    attenuationOf(
      i,
      Array.from({ length: 560 }, () => ({ t: 'o' })),
    ),
  )
  const token = blocks.reduce(
    (made, block, i) => extended(made, block, linkOf(i), linkOf(i + 1)),
    chain(0),
  )
  const asked = { at: CELL, operation, token: tokenText(token) }
  expect(said(await point.use(asked))).toEqual([false, 'unsupported_caveat'])
})

test('where no type counts, a proof is still good for one use', async () => {
  const sources = Object.entries(await tokenPolicies())
  const uncounted = sources.filter(([path]) => !/^capability\/caveats\/\w+_budget\//.test(path))
  expect(uncounted.length).toBeLessThan(sources.length)
  const policies = await bundle(Object.fromEntries(uncounted), [ENTRYPOINT])
  const point = await openPoint({ bundle: policies })
  const holder = pairOf('holder')
  const token = tokenText(chain(0, { cnf: holder.publicKey }))
  const about = { audience: CELL, nonce: 'once', request: operation, time: NOW }
  const proof = { ...(await prove(token, holder, about)) }
  const asked = { at: CELL, operation, proof, token }
  expect((await point.use(asked)).allow).toBe(true)
  expect(said(await point.use(asked))).toEqual([false, 'replayed'])
})
