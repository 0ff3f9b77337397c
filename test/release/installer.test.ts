/** The generated installer says what the policies say, in each shell and with each program that checks its signatures. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installer } from '../../cli/release/installer.ts'
import { FIXTURES_ABSENT, fixture } from '../fixtures.ts'
import { busyboxProgram, minisignProgram } from '../tools.ts'
import { ARTIFACT, CASES, keyTexts } from './cases.ts'
import { filesOf, layOut, type Served } from './desk.ts'
import { released, Signer, TIMESTAMP } from './signer.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'assay-installer-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const signer = new Signer('release')
let paths: Readonly<Record<string, string>>
let dash: string

/** All that the script needs, of several kinds one. */
const FEW =
  'awk cat chmod cp grep head mkdir mktemp mv od openssl rm sha256sum sync tr wc wget'.split(' ')

async function commandPath(name: string): Promise<string> {
  return (await run('sh', ['-c', `command -v ${name}`])).stdout.trim()
}

/** What a shell finds: this system's own tools, or busybox's and nothing else. */
beforeAll(async () => {
  const minisign = await minisignProgram()
  const busybox = await busyboxProgram()
  const extra = join(folder, 'extra')
  const small = join(folder, 'small')
  for (const bin of [extra, small]) mkdirSync(bin)
  const program = `#!/bin/sh\nexec '${minisign}' "$@"\n`
  for (const bin of [extra, small]) writeFileSync(join(bin, 'minisign'), program, { mode: 0o755 })
  symlinkSync(await commandPath('openssl'), join(small, 'openssl'))
  await run(busybox, ['--install', '-s', small])
  dash = await commandPath('dash')
  const few = join(folder, 'few')
  mkdirSync(few)
  for (const tool of FEW) symlinkSync(await commandPath(tool), join(few, tool))
  paths = { dash: `${extra}${delimiter}${process.env.PATH}`, busybox: small, few }
})

interface Ran {
  readonly code: number
  readonly said: string
}
/** `few`: dash, and hardly anything that it may call. */
type Shell = 'busybox' | 'dash' | 'few'
type With = 'minisign' | 'openssl'

async function install(
  script: string,
  args: readonly string[],
  shell: Shell = 'dash',
  env: NodeJS.ProcessEnv = {},
): Promise<Ran> {
  const file = join(mkdtempSync(join(folder, 'script-')), 'install.sh')
  writeFileSync(file, script)
  const command = shell === 'busybox' ? join(folder, 'small', 'sh') : dash
  const options = { env: { PATH: paths[shell], HOME: folder, ...env } }
  return run(command, [file, ...args], options).then(
    ({ stdout }) => ({ code: 0, said: stdout.trim() }),
    ({ code, stderr }) => ({ code, said: stderr.trim() }),
  )
}

const lay = (release: Served, at = mkdtempSync(join(folder, 'release-'))): string =>
  layOut(release, at)

const keyScript = (...keys: readonly string[]): Promise<string> => installer({ keys, legacy: true })
const expected = (reason: string): RegExp =>
  reason === 'ok' ? /^released: / : new RegExp(`^refused: ${reason}$`)

/** Hundreds of processes, on a machine that may be busy. */
const MINUTES = 300_000
const WAYS: readonly (readonly [Shell, With])[] = [
  ['dash', 'openssl'],
  ['dash', 'minisign'],
  ['busybox', 'openssl'],
  ['busybox', 'minisign'],
]

describe.each(WAYS)('in %s with %s', (shell, tool) => {
  test(
    'each case has its verdict and its reason',
    async () => {
      const wrong: string[] = []
      for (const each of CASES) {
        const { name, reason, release, wanted } = each
        const { timestamp, version } = wanted?.minimum ?? {}
        // The script is told the version alone.
        if (timestamp === TIMESTAMP + 1) continue
        const from = lay(release)
        const minimum = version === undefined ? [] : ['--minimum', version]
        const args = [
          '--check',
          '--from',
          from,
          '--artifact',
          release.name,
          '--with',
          tool,
          ...minimum,
        ]
        const { code, said } = await install(await keyScript(...keyTexts(each)), args, shell)
        if (!expected(reason).test(said) || code !== (reason === 'ok' ? 0 : 1))
          wrong.push(`${name}: ${said} (${code}) instead of ${reason}`)
      }
      expect(wrong).toEqual([])
    },
    MINUTES,
  )

  test('the shared releases', async (context) => {
    const manifest = fixture('minisign', 'manifest.json')
    if (manifest === undefined) return context.skip(FIXTURES_ABSENT)
    const { cases, keys } = JSON.parse(readFileSync(manifest, 'utf8'))
    for (const { artifact, dir, name, pinned_key, reason } of cases) {
      const args = [
        '--check',
        '--from',
        join(manifest, '..', dir),
        '--artifact',
        artifact,
        '--with',
        tool,
      ]
      const { said } = await install(await keyScript(keys[pinned_key]), args, shell)
      expect([name, said]).toEqual([name, expect.stringMatching(expected(reason))])
    }
  })

  test('it installs what holds, and remembers its version', async () => {
    const place = mkdtempSync(join(folder, 'target-'))
    const target = join(place, 'grafos.tar.gz')
    const script = await keyScript(signer.text)
    const take = (version: string, more: object = {}): Promise<Ran> => {
      const release = released(signer, { name: 'grafos.tar.gz', version, ...more })
      const args = ['--from', lay(release), '--artifact', release.name, '--install', target]
      return install(script, [...args, '--state', join(place, 'state'), '--with', tool], shell)
    }
    expect(await take('1.5.0')).toMatchObject({ code: 0 })
    const installed = readFileSync(target)
    expect(await take('1.4.9')).toEqual({ code: 1, said: 'refused: version_rollback' })
    expect(await take('1.5.0', { timestamp: TIMESTAMP - 1 })).toMatchObject({ code: 1 })
    expect(readFileSync(target)).toEqual(installed)
    expect(await take('1.5.0', { artifact: 'rebuilt' })).toMatchObject({ code: 0 })
    expect(readFileSync(target, 'utf8')).toBe('rebuilt')
    expect(readdirSync(place).sort()).toEqual(['grafos.tar.gz', 'state'])
  })
})

describe('the target', () => {
  const bad = { ...released(signer), artifact: new TextEncoder().encode('something else') }
  const args = (release: Served, target: string): string[] => [
    '--from',
    lay(release),
    '--artifact',
    ARTIFACT,
    '--install',
    target,
  ]

  test('is left as it was, with nothing beside it, when something does not hold', async () => {
    const place = mkdtempSync(join(folder, 'target-'))
    const temporary = mkdtempSync(join(folder, 'tmp-'))
    writeFileSync(join(place, 'it'), 'before')
    const env = { TMPDIR: temporary }
    const ran = await install(
      await keyScript(signer.text),
      args(bad, join(place, 'it')),
      'dash',
      env,
    )
    expect(ran).toEqual({ code: 1, said: 'refused: signature_invalid' })
    expect(readFileSync(join(place, 'it'), 'utf8')).toBe('before')
    expect([readdirSync(place), readdirSync(temporary)]).toEqual([['it'], []])
  })

  test('may be a link, which is replaced, and is no folder', async () => {
    const place = mkdtempSync(join(folder, 'target-'))
    writeFileSync(join(place, 'elsewhere'), 'before')
    symlinkSync('elsewhere', join(place, 'it'))
    const script = await keyScript(signer.text)
    expect(await install(script, args(released(signer), join(place, 'it')))).toMatchObject({
      code: 0,
    })
    expect(readFileSync(join(place, 'elsewhere'), 'utf8')).toBe('before')
    expect(readFileSync(join(place, 'it'))).toEqual(Buffer.from(released(signer).artifact))
    expect(await install(script, args(released(signer), place))).toMatchObject({ code: 2 })
  })

  test('lies in a folder that is there', async () => {
    const away = join(folder, 'nowhere', 'it')
    const ran = await install(await keyScript(signer.text), args(released(signer), away))
    expect(ran).toMatchObject({ code: 2 })
    expect(existsSync(join(folder, 'nowhere'))).toBe(false)
  })
})

describe('from a server', () => {
  let answer: RequestListener
  const server = createServer((request, response) => answer(request, response))
  let base: string
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  })
  afterAll(() => server.close())

  const serve = (release: Served): RequestListener => {
    const files = filesOf(release)
    return ({ url = '' }, response) => {
      const bytes = files[url.replace('/v1/', '')]
      response.writeHead(bytes === undefined ? 404 : 200).end(bytes)
    }
  }
  const check = async (shell: Shell): Promise<Ran> =>
    install(
      await keyScript(signer.text),
      ['--check', '--from', base, '--artifact', ARTIFACT],
      shell,
    )

  // One has curl, the other only wget.
  test.each<Shell>(['dash', 'few'])('in %s', async (shell) => {
    answer = serve(released(signer))
    expect(await check(shell)).toMatchObject({ code: 0 })
    answer = serve({ ...released(signer), sums: undefined })
    expect(await check(shell)).toEqual({ code: 1, said: 'refused: sums_missing' })
    answer = serve(released(new Signer('other')))
    expect(await check(shell)).toEqual({ code: 1, said: 'refused: key_id_mismatch' })
  })

  test('that leads elsewhere, or does not work', async () => {
    answer = (_, response) => response.writeHead(302, { location: `${base}/x` }).end()
    expect(await check('dash')).toMatchObject({ code: 2 })
    answer = (_, response) => response.writeHead(500).end()
    expect(await check('dash')).toMatchObject({ code: 2 })
  })
})

test('what a killed run has left goes with the next one', async () => {
  const place = mkdtempSync(join(folder, 'target-'))
  const [dead, running] = ['.it.assay-999999999', `.it.assay-${process.pid}`]
  for (const name of [dead, running]) writeFileSync(join(place, name), '')
  const args = [
    '--from',
    lay(released(signer)),
    '--artifact',
    ARTIFACT,
    '--install',
    join(place, 'it'),
  ]
  expect(await install(await keyScript(signer.text), args)).toMatchObject({ code: 0 })
  expect(readdirSync(place).sort()).toEqual([running, 'it'])
})

test('half of the script does nothing', async () => {
  const script = await keyScript(signer.text)
  const target = join(folder, 'half')
  const from = lay(released(signer))
  for (const part of [0.3, 0.6, 0.9]) {
    const half = script.slice(0, Math.floor(script.length * part))
    await install(half, ['--from', from, '--artifact', ARTIFACT, '--install', target])
    expect(existsSync(target)).toBe(false)
  }
})

test('what is put into it is one word to the shell', async () => {
  const from = "it's $(touch pwned) `x`"
  const place = join(folder, from)
  mkdirSync(place)
  const release = released(signer)
  const script = await installer({
    artifact: ARTIFACT,
    from: lay(release, place),
    keys: [signer.text],
    legacy: true,
  })
  expect(await install(script, ['--check'])).toMatchObject({ code: 0 })
  const odd = installer({ artifact: 'a b', keys: [signer.text], legacy: true })
  await expect(odd).rejects.toMatchObject({ code: 'usage' })
  const weak = Buffer.from(signer.text, 'base64').fill(0, 10).toString('base64')
  await expect(keyScript(weak)).rejects.toMatchObject({ code: 'usage' })
})

test('it may refuse legacy signatures', async () => {
  const script = await installer({ keys: [signer.text], legacy: false })
  const from = lay(released(signer, { algorithm: 'legacy' }))
  const ran = await install(script, ['--check', '--from', from, '--artifact', ARTIFACT])
  expect(ran).toEqual({ code: 1, said: 'refused: unsupported_algorithm' })
})
