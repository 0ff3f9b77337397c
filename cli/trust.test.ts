import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EXAMPLE_STATE } from '../adapters/config/complete.ts'
import type { TrustPath } from '../adapters/trustpath/step.ts'
import { assay, type Ran } from '../test/command.ts'
import { LeasePlace } from '../test/lease/place.ts'
import { compiler } from '../test/rego.ts'
import type { Served } from '../test/release/desk.ts'
import { released, Signer, TIMESTAMP } from '../test/release/signer.ts'
import { Server } from '../test/server.ts'

// As bin/assay runs what compiles once.
setFlagsFromString('--liftoff-only')

let dir: string
let data: string
let config: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-trust-'))
  data = join(dir, 'data')
  config = join(dir, 'assay.yaml')
  for (const name of ['access', 'audit', 'lib', 'data.json', 'main.rego'])
    await cp(join('policies', name), join(dir, 'policies', name), { recursive: true })
  await writeFile(
    config,
    `plugins: [access, audit]\npolicies: ./policies\nstate: ${EXAMPLE_STATE}\n`,
  )
})
afterAll(() => compiler.close())
afterEach(() => rm(dir, { recursive: true, force: true }))

const here = (...args: string[]): Promise<Ran> => assay(...args, '--data', data, '--config', config)

async function decide(subject: string, ...args: string[]): Promise<string> {
  const payload = JSON.stringify({
    subject: { type: 'user', id: subject },
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
  })
  const { stdout } = await here('decide', '--payload', payload, '--json', ...args)
  return (JSON.parse(stdout) as { id: string }).id
}
async function walk(...args: string[]): Promise<TrustPath & { readonly code: number }> {
  const { code, stdout } = await here('trust', 'path', ...args, '--json')
  return { ...(JSON.parse(stdout) as TrustPath), code }
}
const names = ({ steps }: TrustPath): readonly string[] => steps.map(({ name }) => name)
const failed = ({ steps }: TrustPath): readonly string[] =>
  steps.filter(({ ok }) => !ok).map(({ name }) => name)

/** The text of a line of the package's own policies. */
async function policyLine(file: string, line: number): Promise<string> {
  return (await readFile(join(dir, 'policies', file), 'utf8')).split('\n')[line - 1] ?? ''
}

describe('assay trust path', { timeout: 120_000 }, () => {
  it('leads from the anchor to the line of the rule', async () => {
    for (const [subject, code] of [
      ['ada', 'role_permitted'],
      ['eve', 'unknown_subject'],
    ] as const) {
      const walked = await walk('--decision', await decide(subject))
      expect(walked).toMatchObject({ code: 0, ok: true })
      expect(names(walked)).toEqual([
        'anchor',
        'checkpoint',
        'inclusion',
        'leaf',
        'openings',
        'policy',
        'rule',
      ])
      const [reason] = walked.steps.at(-1)?.accepted ?? []
      expect(reason).toMatchObject({ code, exact: true })
      expect(reason?.places.length).toBe(1)
      const { file, line } = reason!.places[0]!
      expect(await policyLine(file, line)).toContain(`"code": "${code}"`)
    }
  })

  it('takes a receipt, and says which step of it does not hold', async () => {
    const file = join(dir, 'receipt.json')
    const { stdout } = await here('receipt', await decide('ada'))
    const trust = join(data, 'trust.json')
    const given = async (text: string, anchor = trust): Promise<readonly (number | string)[]> => {
      await writeFile(file, text)
      const walked = await walk('--receipt', file, '--trust', anchor)
      return [walked.code, ...failed(walked)]
    }
    expect(await given(stdout)).toEqual([0])
    expect(await given(stdout.replace('ckpt-7', 'ckpt-8'))).toEqual([1, expect.any(String)])
    expect(await given('{}')).toEqual([1, 'form'])
    expect(await given(stdout.replaceAll('"json": "', '"json": " '))).toContain('opening/payload')
    const other = join(dir, 'other.json')
    await writeFile(other, (await readFile(trust, 'utf8')).replace(/assay\.local/g, 'assay.other'))
    expect((await here('trust', 'path', '--receipt', file, '--trust', other)).code).toBe(2)
    await rm(data, { recursive: true })
    await decide('ada')
    expect(await given(stdout)).toEqual([1, 'origin', 'signature'])
  })

  it('goes on after the key was changed, and names both', async () => {
    const id = await decide('ada')
    expect((await here('log', 'rotate-key')).code).toBe(0)
    const walked = await walk('--decision', await decide('eve'))
    expect(walked).toMatchObject({ code: 0, ok: true })
    expect(names(walked).slice(0, 3)).toEqual(['anchor', 'key/2', 'checkpoint'])
    expect(await walk('--decision', id)).toMatchObject({ code: 0 })
  })

  it("names the kernel's own reasons as such", async () => {
    const id = await decide('ada', '--action', 'nobody.answers')
    const walked = await walk('--decision', id)
    expect(walked).toMatchObject({ code: 0, ok: true })
    expect(walked.steps.at(-1)?.accepted).toEqual([
      { code: 'kernel/no_plugin', rule: 'kernel/no_plugin', places: [], exact: true },
    ])
  })

  it('says of a search that it was one', async () => {
    await decide('ada')
    const asked = ['--subject', 'user:ada', '--resource', 'checkpoint:ckpt-7-0041']
    expect((await here('review', 'what', ...asked)).code).toBe(0)
    const { stdout } = await here('log', 'query', '--action', 'access.search-action', '--json')
    const { records } = JSON.parse(stdout) as { readonly records: readonly { id: string }[] }
    const walked = await walk('--decision', records[0]?.id ?? '')
    expect(walked).toMatchObject({ code: 0, ok: true })
    const [rule, own] = walked.steps.slice(-2)
    expect(rule?.detail).toContain('a search asks about many candidates')
    expect(own?.accepted).toEqual([
      { code: 'kernel/searched', rule: 'kernel/searched', places: [], exact: true },
    ])
  })

  it('reads beside a running server, and in words', async () => {
    const id = await decide('ada')
    const server = new Server({ data, config })
    try {
      await server.ready
      const { code, stdout } = await here('trust', 'path', '--decision', id)
      expect(code).toBe(0)
      expect(stdout).toMatch(/^ {7}role_permitted by [\w.]+, access\/[\w/]+\.rego:\d+$/m)
      expect(stdout).toMatch(/^trusted: 7 steps hold$/m)
    } finally {
      await server.stop()
    }
  })

  it.each([
    [['--data', 'none']],
    [['--decision', 'x']],
    [['--decision', '0'.repeat(32), '--receipt', 'r.json']],
    [['--receipt', 'none.json']],
  ])('refuses %s', async (args) => {
    expect((await assay('trust', 'path', ...args)).code).toBe(2)
  })
})

describe('assay trust path --token', { timeout: 120_000 }, () => {
  it('says what holds, what does not any more, and shows no private key', async () => {
    const leases = await LeasePlace.make()
    try {
      const { lease, token } = await leases.lease('gpu-0')
      const file = join(dir, 'token')
      await writeFile(file, `${token}\n`)
      const asked = ['trust', 'path', '--data', leases.data, '--token']
      // Its five minutes were over long ago, by this command's clock.
      for (const given of [token, file]) {
        const { code, stdout } = await assay(...asked, given)
        expect(code).toBe(1)
        expect(stdout.match(/^FAIL .*$/gm)).toEqual([expect.stringMatching(/^FAIL time: /)])
        expect(stdout).toContain(`ok   grant/leaf: lease.grant was allowed`)
        expect(stdout).toContain(`decision ${lease}`)
        expect(stdout).not.toContain(token.slice(token.lastIndexOf('.') + 1))
      }
      const { code, stdout } = await assay(...asked, 'cap1.x', '--json')
      expect([code, failed(JSON.parse(stdout) as TrustPath)]).toEqual([1, ['token']])
    } finally {
      await leases.remove()
    }
  })
})

describe('assay trust path --release', { timeout: 120_000 }, () => {
  const [first, second] = [new Signer('first'), new Signer('second')]
  const place = (): string => join(dir, 'release')

  async function lay(release: Served): Promise<void> {
    await mkdir(place(), { recursive: true })
    const { artifact, artifactSignature, name, sums, sumsSignature } = release
    await writeFile(join(place(), name), artifact)
    await writeFile(join(place(), `${name}.minisig`), artifactSignature ?? '')
    await writeFile(join(place(), 'SHA256SUMS'), sums ?? '')
    await writeFile(join(place(), 'SHA256SUMS.minisig'), sumsSignature ?? '')
  }
  const verify = (name: string, key: string): Promise<Ran> =>
    here('release', 'verify', place(), '--artifact', name, '--key', key)
  const path = (name: string) => walk('--release', place(), '--artifact', name)

  it('leads from the first pinned key to the bytes', async () => {
    const release = released(first)
    await lay(release)
    await decide('ada')
    expect(failed(await path(release.name))).toEqual(['pin', 'sums', 'artifact', 'release'])
    expect((await verify(release.name, first.text)).code).toBe(0)
    const walked = await path(release.name)
    expect(walked).toMatchObject({ code: 0, ok: true })
    const decided = (prefix: string): readonly string[] =>
      ['checkpoint', 'inclusion', 'leaf', 'openings', 'policy', 'rule'].map((name) => prefix + name)
    expect(names(walked)).toEqual([
      'anchor',
      'pin/0',
      ...decided('pin/0/'),
      'sums',
      'artifact',
      'digest',
      'comment',
      'release',
      ...decided('release/'),
    ])
    const places = walked.steps.at(-1)?.accepted?.flatMap((reason) => reason.places) ?? []
    expect(places.map(({ file }) => file)).toEqual([expect.stringMatching(/^release\/.*\.rego$/)])
    await writeFile(join(place(), release.name), 'other bytes')
    expect(failed(await path(release.name))).toEqual(['artifact', 'digest', 'release'])
  })

  it('goes through a hand-over', async () => {
    const old = released(first)
    await lay(old)
    expect((await verify(old.name, first.text)).code).toBe(0)
    const key = join(dir, 'next.pub')
    await writeFile(key, second.file)
    await writeFile(`${key}.minisig`, first.sign(second.file))
    expect((await here('release', 'hand-over', key)).code).toBe(0)
    const release = released(second, { version: '1.5.0', timestamp: TIMESTAMP + 1 })
    await lay(release)
    expect((await verify(release.name, first.text)).code).toBe(0)
    const walked = await path(release.name)
    expect(walked).toMatchObject({ code: 0, ok: true })
    expect(names(walked).filter((name) => /^pin\/\d$/.test(name))).toEqual(['pin/0', 'pin/1'])
  })

  it('takes the name of a file that is there', async () => {
    await lay(released(first))
    for (const args of [[], ['--artifact', '../x'], ['--artifact', 'none.tar.gz']])
      expect((await here('trust', 'path', '--release', place(), ...args)).code).toBe(2)
  })
})
