/** What plugins learn of the key that they are to sign with. */
import { expect, test } from 'vitest'
import { MANAGED_STATES, managedKey, SIGNER, signingKeyFacts, signingKeySchema } from './index.ts'

const version = (number: number, state: (typeof MANAGED_STATES)[number]) => ({
  grace_until: 0,
  kid: `kid ${number}`,
  public_key: `key ${number}`,
  state,
  version: number,
})
async function facts(versions?: readonly object[]) {
  const asked: string[] = []
  const found = await signingKeyFacts(
    async (plugin, sort) => {
      asked.push(`${plugin} ${sort}`)
      return versions === undefined ? undefined : ({ versions } as never)
    },
    'task',
    'task',
  )
  expect(asked).toEqual([`${SIGNER} ${managedKey('task', 'task')}`])
  expect(signingKeySchema.problem(found, '')).toBeUndefined()
  return found
}

test('a key that nobody manages has no version', async () => {
  expect(await facts()).toMatchObject({ managed: false, version: 0 })
})

test('a managed key has the version that its record calls active', async () => {
  const versions = [version(1, 'grace'), version(2, 'active'), version(3, 'pre-active')]
  expect(await facts(versions)).toMatchObject({
    kid: 'kid 2',
    managed: true,
    public_key: 'key 2',
    version: 2,
  })
})

test.each(MANAGED_STATES.filter((state) => state !== 'active'))(
  'one that is %s alone has none',
  async (state) => {
    expect(await facts([version(1, state)])).toMatchObject({ kid: '', managed: true, version: 0 })
  },
)
